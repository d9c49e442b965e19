"""The engines: one row each, which says what it can do and where it is.

Nothing here loads an engine before a program runs in it.
"""

from __future__ import annotations

from doralang.machine.targets import host
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.checker.program import Program
    from doralang.engines.door import Door
    from doralang.settings import Settings, Streams


class Engine:
    """`module` has the class `machine`, a `Door`, which is made with a program."""

    def __init__(
        self,
        name: str,
        module: str,
        machine: str = "Machine",
        *,
        unit: str = "bytes",
        stages: tuple[str, ...] = (),
        comparable_as: str = "",
        is_native: bool = False,
        can_store: bool = False,
        finds_hot: bool = False,
        optimizes: bool = False,
        tells: bool = False,
        is_slow_to_start: bool = False,
    ) -> None:
        self.name = name
        self.module = module
        self.machine = machine
        self.unit = unit
        """what the size of its code is counted in; empty if it makes no code"""
        self.stages = stages
        """names of those that functions pass through in it (`pipeline`), besides those of every program"""
        self.comparable_as = comparable_as
        """the engine that it runs a program as at first, if there is one: comparisons measure that instead"""
        self.is_native = is_native
        """makes machine code for this processor, and has a heap of its own, whose code is in the library"""
        self.can_store = can_store
        """its code can be stored for later runs"""
        self.finds_hot = finds_hot
        """looks for hot functions and loops while the program runs"""
        self.optimizes = optimizes
        """its code may be optimized, by LLVM if that is there"""
        self.tells = tells
        """has statistics (`--stats`)"""
        self.is_slow_to_start = is_slow_to_start
        """the first result takes too long to be measured often"""


ENGINES: Final = {
    row.name: row
    for row in (
        Engine(
            "tiered",
            "doralang.engines.native",
            stages=("bytecode", "asm"),
            comparable_as="baseline",
            is_native=True,
            can_store=True,
            finds_hot=True,
            optimizes=True,
            tells=True,
        ),
        Engine("walk", "doralang.engines.walk", unit=""),
        Engine("vm", "doralang.engines.vm", unit="closures", stages=("bytecode",), tells=True),
        Engine(
            "trace",
            "doralang.engines.tracing",
            unit="closures",
            stages=("bytecode", "trace"),
            finds_hot=True,
            tells=True,
        ),
        Engine(
            "c",
            "doralang.engines.ahead",
            "CMachine",
            stages=("bytecode", "c"),
            tells=True,
            is_slow_to_start=True,
        ),
        Engine(
            "go",
            "doralang.engines.ahead",
            "GoMachine",
            stages=("bytecode", "go"),
            tells=True,
            is_slow_to_start=True,
        ),
        Engine(
            "baseline",
            "doralang.engines.native",
            stages=("bytecode", "asm"),
            is_native=True,
            can_store=True,
        ),
        Engine(
            "opt",
            "doralang.engines.native",
            stages=("bytecode", "graph", "dot", "optimized", "llvm", "asm"),
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
        stdin=streams.stdin,
        stdout=streams.stdout,
        stderr=streams.stderr,
        settings=settings,
    )
    return made
