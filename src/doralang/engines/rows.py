"""The engines: which there are, what each can do, and how a program is put into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from doralang.optional import load
from doralang.settings import Settings, Streams

if TYPE_CHECKING:
    from doralang.checker.program import Function, Program
    from doralang.interpreter.objects import Value
    from doralang.types.failures import Failure
    from doralang.types.types import Type

ENGINES: Final = {
    "walk": ("doralang.treewalk.interpreter", "Interpreter"),
    "vm": ("doralang.engines.vm", "Machine"),
    "trace": ("doralang.engines.tracing", "TracingMachine"),
    "c": ("doralang.engines.ahead", "CMachine"),
    "go": ("doralang.engines.ahead", "GoMachine"),
    "baseline": ("doralang.engines.native", "Machine"),
    "opt": ("doralang.engines.native", "Machine"),
    "tiered": ("doralang.engines.native", "Machine"),
}
"""the engines that there are: module and class"""

INTERPRETERS: Final = ("walk", "vm", "trace", "c", "go")
"""engines that leave objects to the memory management of their host"""


class Runnable(Protocol):
    """A program in an engine, ready to run; all its output is written when a method returns."""

    def run_main(self) -> int:
        """Initialise the globals, run `main`, report a failure, and return the exit status."""

    def close(self) -> None:
        """Give back what the engine holds outside of Python's memory; nothing is called any more."""


class Interpreter(Runnable, Protocol):
    """A checked program in an engine."""

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""

    def run_test(self, function: Function) -> bool:
        """Whether a test passed.  Raises Failure and Exit."""

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function.  Raises Failure and Exit."""

    def print_value(self, type: Type, value: Value) -> None:
        """Print a value as its `toString()` has it, and a newline.  Raises Failure."""

    def code_size(self) -> int:
        """What the code of all functions so far takes: bytes of machine code, or the engine's own measure."""

    def report(self, failure: Failure) -> None:
        """Print the line and the trace of a failure."""


def engine_is_there(name: str) -> bool:
    """Whether an engine of this name can work on this machine."""
    return name in ENGINES and (name in INTERPRETERS or load("doralang.machine.targets").host() is not None)


def collector_is_there(engine: str, name: str) -> bool:
    """Whether an engine can run with this collector; the interpreters take any."""
    return engine in INTERPRETERS or not name or name in load("doralang.code.collectors").COLLECTORS


def interpreter(program: Program, arguments: list[str], streams: Streams, settings: Settings) -> Interpreter:
    module, name = ENGINES[settings.engine]
    engine: Interpreter = getattr(load(module), name)(
        program,
        arguments=arguments,
        stdout=streams.stdout,
        stderr=streams.stderr,
        settings=settings,
    )
    return engine
