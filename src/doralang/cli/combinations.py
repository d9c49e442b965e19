"""Options that would do nothing beside others: said before anything runs.

dora --engine=walk --gc=copy x.dora      dora: `--gc` does nothing in the engine `walk`
"""

from __future__ import annotations

from typing import Final

from doralang.cli.options import BY_NAME, Invocation, UsageError
from doralang.engines.rows import collector_is_there, engine_is_there
from doralang.optional import load
from doralang.pipeline import Stage
from doralang.settings import MACHINE_CODE

STAGE_ENGINES: Final = {
    Stage.BYTECODE.value: BY_NAME["--emit-bytecode"].engines,
    Stage.GRAPH.value: frozenset({"opt"}),
    Stage.DOT.value: frozenset({"opt"}),
    Stage.OPTIMIZED.value: frozenset({"opt"}),
    Stage.TRACE.value: frozenset({"trace"}),
    Stage.C.value: frozenset({"c"}),
    Stage.GO.value: frozenset({"go"}),
    Stage.ASM.value: MACHINE_CODE,
}
"""the engines that pass through a stage; any passes through the others"""
OF_FORMULAS: Final = frozenset({Stage.C.value, Stage.GO.value})
"""stages that a formula is shown in, whatever the engine"""

GENERATIONAL: Final = "swiper"
NO_COLLECTIONS: Final = "zero"
OF_COLLECTIONS: Final = ("--gc-stress", "--gc-stress-minor", "--gc-verify", "--gc-events")
OF_GENERATIONS: Final = ("--gc-stress-minor", "--young-size")

OF_RUNNING: Final = (
    "--gc-stress",
    "--gc-stress-minor",
    "--gc-verify",
    "--gc-events",
    "--gc-stats",
    "--heap-size",
    "--young-size",
    "--perf",
    "--enable-perf",
    "--no-cache",
)
"""what does nothing where nothing is run"""


def check(invocation: Invocation) -> None:
    """Find out what no command can do anything with.  Raises UsageError."""
    settings = invocation.settings
    if not settings.target and not engine_is_there(settings.engine):
        raise UsageError(f"engine `{settings.engine}` is not there yet")
    if invocation.command.name != "compare":
        check_engine(invocation)
    check_collector(invocation)
    check_listing(invocation)
    if settings.target:
        check_target(invocation)


def check_engine(invocation: Invocation) -> None:
    engine = invocation.settings.engine
    for name in invocation.given:
        if engine not in BY_NAME[name].engines:
            raise UsageError(f"`{name}` does nothing in the engine `{engine}`")
    is_formula = invocation.command.name == "eval"
    for stage in sorted(invocation.settings.emit):
        engines = STAGE_ENGINES.get(stage)
        if engines is not None and engine not in engines and not (is_formula and stage in OF_FORMULAS):
            raise UsageError(f"--emit: the engine `{engine}` has no stage `{stage}`")


def check_collector(invocation: Invocation) -> None:
    collector = invocation.settings.gc
    if not collector_is_there(invocation.settings.engine, collector):
        raise UsageError(f"collector `{collector}` is not there yet")
    for name in invocation.given:
        if collector == NO_COLLECTIONS and name in OF_COLLECTIONS:
            raise UsageError(f"`{name}` does nothing: the collector `{collector}` never collects")
        if collector not in ("", GENERATIONAL) and name in OF_GENERATIONS:
            raise UsageError(f"`{name}` does nothing: the collector `{collector}` has no young generation")


def check_listing(invocation: Invocation) -> None:
    """The syntax of a listing needs a listing, of code for a processor that has two."""
    settings = invocation.settings
    if "--asm-syntax" not in invocation.given:
        return
    if not (settings.emit_asm or Stage.ASM.value in settings.emit):
        raise UsageError("`--asm-syntax` does nothing without `--emit-asm`")
    target = settings.target or load("doralang.machine.targets").host().name
    if target != "x64":
        raise UsageError(f"`--asm-syntax` does nothing: there is one syntax for {target}")


def check_target(invocation: Invocation) -> None:
    """With `--target` code is shown and nothing is run."""
    settings = invocation.settings
    if not (settings.emit or settings.emit_bytecode or settings.emit_asm):
        raise UsageError("`--target` shows code: say which with `--emit-asm` or `--emit`")
    for name in invocation.given:
        if name in OF_RUNNING:
            raise UsageError(f"`{name}` does nothing with `--target`, which runs nothing")
    if settings.emit_debug and not (settings.emit_asm or Stage.ASM.value in settings.emit):
        raise UsageError("`--emit-debug` does nothing with `--target` but in a listing: add `--emit-asm`")
