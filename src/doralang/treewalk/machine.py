"""The state of a running program, and calls.

Evaluating an expression calls functions, and calling a function evaluates expressions.  So that the
modules need no cycle, expressions know calls only as the method `invoke` of this class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum

from doralang.checker.program import Function, Global, Program, Statement
from doralang.interpreter.context import FrameDescription, HostContext
from doralang.interpreter.internals import MEANINGS
from doralang.interpreter.objects import Array, ClassInstance, Object, Str, Value, default_value
from doralang.interpreter.output import Output, as_utf8
from doralang.interpreter.sinks import ByteSink
from doralang.treewalk.classes import NO_BINDINGS, Bindings, Classes
from doralang.treewalk.frames import Activation, Places, chain, trace
from doralang.types.failures import FatalError, Trapped
from doralang.types.primitives import PRIMITIVES
from doralang.types.traps import StackTrace, Trap, trace_of
from doralang.types.types import LONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource


class ThrownObject(Exception):
    """A Dora exception under way."""

    def __init__(self, object: Object) -> None:
        super().__init__(object)
        self.object = object


class Leaving(Exception):
    """A jump under way out of an expression, up to the block around it."""

    def __init__(self, jump: Enum) -> None:
        super().__init__(jump)
        self.jump = jump


class WalkState(ABC):
    """Everything that a program has while it runs.

    `frame` is that of the innermost active function.  A function that ends, with a result or by an exception,
    removes its frame; one that is cut off by a failure does not, so `frame` then still tells where.
    """

    def __init__(
        self,
        program: Program,
        arguments: Sequence[str],
        stdin: ByteSource,
        stdout: ByteSink,
        heap_size: int | None,
    ) -> None:
        classes = program.library.classes
        self.program = program
        self.output = Output(stdout)
        self.context = HostContext(
            self,
            self.output,
            stdin,
            [as_utf8(argument) for argument in arguments],
            heap_size,
            classes["Str"].of(),
            classes["Array"].of((LONG,)),
        )
        self.classes = Classes(program)
        self.places = Places()
        self.frame: Activation | None = None
        variables = [*program.library.globals.values(), *program.globals]
        self.globals: dict[Global, Value] = {one: default_value(one.type) for one in variables}
        self._literals: dict[str, Str] = {}
        self._meanings: dict[Function, Callable[..., Value]] = {}

    @abstractmethod
    def invoke(self, function: Function, bindings: Bindings, arguments: list[Value]) -> Value:
        """Call a function; `self`, if it has one, is the first argument."""

    @abstractmethod
    def execute(self, statement: Statement, frame: Activation) -> Enum | None:
        """Execute a statement that stands in an expression; the jump that is under way, if there is one."""

    def literal(self, text: str) -> Str:
        """The string of a literal, one object for all that are equal."""
        literal = self._literals.get(text)
        if literal is None:
            literal = self._literals[text] = self.context.text(text.encode())
        return literal

    def invoke_internal(self, function: Function, arguments: list[Value]) -> Value:
        """Call an internal function.

        `callByName` leads back to `invoke`.  Calls with `*` would take C stack for that, others
        do not.
        """
        meaning = self._meanings.get(function)
        if meaning is None:
            primitive = PRIMITIVES.get(function.key)
            if primitive is not None:  # taken for a method of a trait
                return primitive.meaning(*arguments)
            meaning = self._meanings[function] = MEANINGS[function.key]
        if len(arguments) == 1:
            return meaning(self.context, arguments[0])
        return meaning(self.context, *arguments)

    # What internal functions ask for (`host.context.Engine`).

    def call_by_name(self, name: str) -> None:
        function = self.program.callable_by_name(name)
        if function is None:
            raise FatalError(f"fct `{name}` not found.")
        if function.parameters or function.type_parameters:
            raise FatalError(f"fct `{name}` takes arguments.")
        self.invoke(function, NO_BINDINGS, [])

    def record_stack(self) -> list[int]:
        return [self.places.number(frame) for frame in chain(self.frame)[1:]]

    def describe(self, entry: int) -> FrameDescription:
        return self.places.description(entry)

    # Exceptions that nobody catches.

    def uncaught(self, object: Object) -> Trapped:
        """The failure when an exception leaves the innermost function, which may not let it out."""
        return Trapped(Trap.UNCAUGHT, self._text_of(object), self._trace_of(object))

    def _text_of(self, object: Object) -> str:
        message = object if isinstance(object, Str) else self._exception_field(object, "msg")
        return str(message) if isinstance(message, Str) else str(object.type)

    def _trace_of(self, object: Object) -> StackTrace:
        record = self._exception_field(object, "record")
        if not isinstance(record, Array):
            return trace(self.frame)
        return trace_of(record.items, self.places.description)  # type: ignore[arg-type]

    def _exception_field(self, object: Object, name: str) -> Value:
        """A field of the library's `Exception`, or None if the object is none."""
        exception = self.program.library.classes["Exception"]
        if isinstance(object, ClassInstance) and self.classes.is_instance(object.type, exception.of()):
            return object.fields[self.classes.slot(exception.fields[name])]
        return None
