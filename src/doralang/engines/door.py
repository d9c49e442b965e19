"""The door of every engine: what commands and hosts ask of a program, however it is run.

An engine has its own way to call a function; what is asked in terms of calls stands here, once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from doralang.engines.runner import Runner
from doralang.text.records import record
from doralang.types.types import PrimitiveType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from doralang.checker.program import Function, Program
    from doralang.interpreter.objects import Value


@record(eq=True, frozen=True)
class Testing:
    """The object that a test function gets; `has_failed` looks at it afterwards."""

    object: Value
    has_failed: Callable[[], bool]


class Door(Runner):
    """A checked program in an engine."""

    program: Program

    @abstractmethod
    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function that is not generic from outside.  Raises Failure and Exit."""

    @abstractmethod
    def testing(self) -> AbstractContextManager[Testing]:
        """A new object of the library's class `Testing`."""

    @abstractmethod
    def code_size(self) -> int:
        """What the code of all functions so far takes, in the engine's own unit (`engines.rows`)."""

    def call_main(self) -> Value:
        main = self.program.main
        assert main is not None, "the checker asks for a main"
        return self.call(main, [])

    def run_test(self, function: Function) -> bool:
        """Run a test function (reference, 1.4); whether it passed.  Raises Failure and Exit."""
        with self.testing() as testing:
            self.call(function, [testing.object])
            return not testing.has_failed()

    def print_value(self, type: Type, value: Value) -> None:
        """Print the value of a formula as its `toString()` has it, and a newline.  Raises Failure."""
        library = self.program.library
        if isinstance(type, PrimitiveType):
            value = self.call(library.classes[type.name].methods["toString"], [value])
        self.call(library.functions["println"], [value])
