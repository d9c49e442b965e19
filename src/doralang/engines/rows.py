"""The engines: one row each, which says what it can do and where it is.

Nothing here loads an engine before a program runs in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from doralang.machine.targets import host
from doralang.optional import load
from doralang.pipeline import Stage
from doralang.settings import Settings, Streams

if TYPE_CHECKING:
    from doralang.checker.program import Program
    from doralang.engines.door import Door


class Engine(NamedTuple):
    """`module` has the class `machine`, a `Door`, which is made with a program."""

    name: str
    module: str
    machine: str = "Machine"
    unit: str = "bytes"
    """what the size of its code is counted in; empty if it makes no code"""
    stages: tuple[Stage, ...] = ()
    """that functions pass through in it (`pipeline`), besides those that every program does"""
    comparable_as: str = ""
    """the engine that it runs a program as at first, if there is one: comparisons measure that instead"""
    is_native: bool = False
    """makes machine code for this processor, and has a heap of its own, whose code is in the library"""
    can_store: bool = False
    """its code can be stored for later runs"""
    finds_hot: bool = False
    """looks for hot functions and loops while the program runs"""
    optimizes: bool = False
    """its code may be optimized, by LLVM if that is there"""
    tells: bool = False
    """has statistics (`--stats`)"""
    is_slow_to_start: bool = False
    """the first result takes too long to be measured often"""


ENGINES: Final = {
    row.name: row
    for row in (
        Engine(
            "tiered",
            "doralang.engines.native",
            stages=(Stage.BYTECODE, Stage.ASM),
            comparable_as="baseline",
            is_native=True,
            can_store=True,
            finds_hot=True,
            optimizes=True,
            tells=True,
        ),
        Engine("walk", "doralang.engines.walk", unit=""),
        Engine("vm", "doralang.engines.vm", unit="closures", stages=(Stage.BYTECODE,), tells=True),
        Engine(
            "trace",
            "doralang.engines.tracing",
            unit="closures",
            stages=(Stage.BYTECODE, Stage.TRACE),
            finds_hot=True,
            tells=True,
        ),
        Engine(
            "c",
            "doralang.engines.ahead",
            "CMachine",
            stages=(Stage.BYTECODE, Stage.C),
            tells=True,
            is_slow_to_start=True,
        ),
        Engine(
            "go",
            "doralang.engines.ahead",
            "GoMachine",
            stages=(Stage.BYTECODE, Stage.GO),
            tells=True,
            is_slow_to_start=True,
        ),
        Engine(
            "baseline",
            "doralang.engines.native",
            stages=(Stage.BYTECODE, Stage.ASM),
            is_native=True,
            can_store=True,
        ),
        Engine(
            "opt",
            "doralang.engines.native",
            stages=(Stage.BYTECODE, Stage.GRAPH, Stage.DOT, Stage.OPTIMIZED, Stage.LLVM, Stage.ASM),
            is_native=True,
            can_store=True,
            tells=True,
            optimizes=True,
        ),
    )
}
"""in the order in which help lists them; the default is that of `Settings`"""


def works_here(engine: Engine) -> bool:
    """Whether an engine can work on this machine."""
    return not engine.is_native or host() is not None


def machine(program: Program, arguments: list[str], streams: Streams, settings: Settings) -> Door:
    """A checked program in the engine that the settings name."""
    engine = ENGINES[settings.engine]
    made: Door = getattr(load(engine.module), engine.machine)(
        program,
        arguments=arguments,
        stdout=streams.stdout,
        stderr=streams.stderr,
        settings=settings,
    )
    return made
