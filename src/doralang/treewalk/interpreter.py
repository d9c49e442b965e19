"""The tree walk's door: run a program, a test, or a single function."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from doralang.checker.program import Function, Program, Statement
from doralang.interpreter.context import ByteSink
from doralang.interpreter.objects import Instance, Value
from doralang.interpreter.stack import on_deep_stack
from doralang.settings import Settings
from doralang.treewalk.classes import NO_BINDINGS, Bindings
from doralang.treewalk.frames import Frame, trace
from doralang.treewalk.machine import Machine, Thrown
from doralang.treewalk.statements import EXECUTORS, block
from doralang.types.failures import Exit, Failure, Trapped, as_failure
from doralang.types.traps import Trap
from doralang.types.types import PrimitiveType, Type

MOST_FRAMES: Final = 50_000
"""Calls nested deeper than this, larger ones counting more, are the failure `stack overflow`.

So are expressions so enormous that Python's own limit is reached first (`host.stack`).
"""


class Interpreter(Machine):
    """Runs one program.  `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(program, arguments, stdout, settings.heap_size if settings else None)
        self.stderr = stderr

    # Whole programs.

    def run_main(self) -> int:
        """Run the initialisers of globals, then `main`; returns the exit status."""
        main = self.program.main
        assert main is not None, "the checker asks for a main"
        try:
            self.initialize_globals()
            result = self.call(main, [])
        except Exit as exit:
            return exit.status
        except Failure as failure:
            self.report(failure)
            return failure.status
        return int(result) & 255 if isinstance(result, int) else 0

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""
        for variable in self.program.globals:
            if variable.initializer is not None:
                self.globals[variable] = self.call(variable.initializer, [])

    def run_test(self, function: Function) -> bool:
        """Run a test function (reference, 1.4); whether it passed.  Raises Failure and Exit."""
        testing = self.program.library.classes["Testing"]
        object = Instance(testing.of(), self.classes.default_fields(testing.of()))
        self.call(function, [object])
        return not object.fields[self.classes.slot(testing.fields["failed"])]

    def report(self, failure: Failure) -> None:
        """Print the line and the trace.  What the program has printed is written already."""
        self.stderr.write(failure.report())
        self.stderr.flush()

    def code_size(self) -> int:
        """There is no code but the tree."""
        return 0

    def close(self) -> None:
        """Write what a signal has kept from being written."""
        self.output.flush()

    # Calls.

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function that is not generic from outside.  Raises Failure and Exit.

        Whatever way it ends, its output is written then.
        """
        try:
            return on_deep_stack(lambda: self.invoke(function, NO_BINDINGS, arguments))
        except BaseException as error:
            failure = as_failure(error, trace(self.frame))
            if failure is None:
                raise
        finally:
            self.frame = None
            self.output.flush()
        raise failure

    def print_value(self, type: Type, value: Value) -> None:
        """Print the value of a formula as its `toString()` has it, and a newline.  Raises Failure."""
        library = self.program.library
        if isinstance(type, PrimitiveType):
            value = self.call(library.classes[type.name].methods["toString"], [value])
        self.call(library.functions["println"], [value])

    def execute(self, statement: Statement, frame: Frame) -> Enum | None:
        return EXECUTORS[type(statement)](self, statement, frame)

    def invoke(self, function: Function, bindings: Bindings, arguments: list[Value]) -> Value:
        body = function.body
        if body is None:
            return self.invoke_internal(function, arguments)
        caller = self.frame
        if caller is not None and caller.depth >= MOST_FRAMES:
            raise Trapped(Trap.STACK)
        self.frame = frame = Frame(function, bindings, arguments, caller)
        try:
            block(self, body, frame)
        except Thrown as thrown:
            # The outermost function counts as not marked: nobody outside could catch it.
            if caller is None or not function.throws:
                raise self.uncaught(thrown.object) from None
            self.frame = caller
            raise
        self.frame = caller
        return frame.result
