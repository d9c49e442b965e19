"""Options that would do nothing beside others: said before anything runs.

dora --engine=walk --gc=copy x.dora      dora: `--gc` does nothing in the engine `walk`
"""

from __future__ import annotations

from typing import Final

from doralang.cli.invocation import Invocation, UsageError
from doralang.cli.options import BY_NAME, Need
from doralang.code.collectors import COLLECTORS, DEFAULT, Spaces
from doralang.engines.rows import ENGINES, works_here
from doralang.machine.targets import TARGETS, X64, host
from doralang.optional import LLVM, is_installed
from doralang.pipeline import OF_FUNCTIONS, Stage

OF_FORMULAS: Final = frozenset({Stage.C.value, Stage.GO.value})
"""stages that a formula is shown in, whatever the engine"""


def check(invocation: Invocation) -> None:
    """Find out what no command can do anything with.  Raises UsageError."""
    settings = invocation.settings
    if not settings.target and not works_here(ENGINES[settings.engine]):
        raise UsageError(f"the engine `{settings.engine}` makes no code for this processor")
    if invocation.command.name != "compare":
        check_engine(invocation)
    check_collector(invocation)
    check_listing(invocation)
    check_llvm(invocation)
    if settings.target:
        check_target(invocation)


def check_engine(invocation: Invocation) -> None:
    engine = invocation.settings.engine
    for name in invocation.given:
        if engine not in BY_NAME[name].engines:
            raise UsageError(f"`{name}` does nothing in the engine `{engine}`")
    is_formula = invocation.command.name == "eval"
    for stage in sorted(invocation.settings.emit):
        passes = Stage(stage) not in OF_FUNCTIONS or stage in ENGINES[engine].stages
        if not passes and not (is_formula and stage in OF_FORMULAS):
            raise UsageError(f"--emit: the engine `{engine}` has no stage `{stage}`")


def check_collector(invocation: Invocation) -> None:
    collector = invocation.settings.gc
    row = COLLECTORS[collector or DEFAULT]
    for name in invocation.given:
        needs = BY_NAME[name].needs
        if Need.COLLECTIONS in needs and not row.traces:
            raise UsageError(f"`{name}` does nothing: the collector `{row.name}` never collects")
        if Need.GENERATIONS in needs and row.spaces != Spaces.GENERATIONS:
            raise UsageError(f"`{name}` does nothing: the collector `{row.name}` has no young generation")


def check_listing(invocation: Invocation) -> None:
    """The syntax of a listing needs a listing, of code for a processor that has two."""
    settings = invocation.settings
    if "--asm-syntax" not in invocation.given:
        return
    if not (settings.emit_asm or Stage.ASM.value in settings.emit):
        raise UsageError("`--asm-syntax` does nothing without `--emit-asm`")
    target = TARGETS[settings.target] if settings.target else host()
    if target is not X64:
        raise UsageError("`--asm-syntax` does nothing: the syntaxes are those of x64")


def check_llvm(invocation: Invocation) -> None:
    """The text for LLVM needs LLVM, and so does the option that does without."""
    settings, shows = invocation.settings, Stage.LLVM.value in invocation.settings.emit
    if shows and not settings.llvm:
        raise UsageError("`--emit=llvm` does nothing with `--no-llvm`")
    if shows and not is_installed(LLVM):
        raise UsageError("`--emit=llvm` needs LLVM, which is not installed: pip install dora-lang[llvm]")


def check_target(invocation: Invocation) -> None:
    """With `--target` code is shown and nothing is run."""
    settings = invocation.settings
    if not (settings.emit or settings.emit_bytecode or settings.emit_asm):
        raise UsageError("`--target` shows code: say which with `--emit-asm` or `--emit`")
    for name in invocation.given:
        if Need.RUN in BY_NAME[name].needs:
            raise UsageError(f"`{name}` does nothing with `--target`, which runs nothing")
    if settings.emit_debug and not (settings.emit_asm or Stage.ASM.value in settings.emit):
        raise UsageError("`--emit-debug` does nothing with `--target` but in a listing: add `--emit-asm`")
