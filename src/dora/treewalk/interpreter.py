"""The tree walk's door: run a program, a test, or a single function.

Deep recursion of the program is deep recursion of this interpreter.  That costs no C stack, since
CPython (from 3.11 on) runs calls from Python function to Python function in one and the same loop;
nothing between two calls of a program goes through C (`map`, `sorted`, generators, `f(*args)`, …).  So
Python's own limit is raised while a program runs, and restored.  What ends the recursion is
`MOST_FRAMES`, or for functions with enormous expressions `MOST_PYTHON_FRAMES`: both are the failure
`stack overflow`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from dora.check.program import Function, Program
from dora.host.context import ByteSink
from dora.host.failures import Exit, Failure, Trapped, as_failure
from dora.host.objects import Instance, Value
from dora.treewalk.classes import NO_BINDINGS, Bindings
from dora.treewalk.frames import Frame, trace
from dora.treewalk.machine import Machine, Thrown
from dora.treewalk.statements import block
from dora.types.traps import Trap
from dora.types.types import PrimitiveType, Type

MOST_FRAMES: Final = 20_000
MOST_PYTHON_FRAMES: Final = 2_000_000


class Interpreter(Machine):
    """Runs one program.  `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        heap_size: int | None = None,
    ) -> None:
        super().__init__(program, arguments, stdout, heap_size)
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
        """Run a test function (reference, 1.4); whether it passed.  Raises Exit."""
        testing = self.program.library.classes["Testing"]
        object = Instance(testing.of(), self.classes.default_fields(testing.of()))
        try:
            self.call(function, [object])
        except Failure as failure:
            self.report(failure)
            return False
        return not object.fields[self.classes.slot(testing.fields["failed"])]

    def report(self, failure: Failure) -> None:
        """Print the line and the trace.  What the program has printed is written already."""
        self.stderr.write(failure.report())
        self.stderr.flush()

    # Calls.

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function that is not generic from outside.  Raises Failure and Exit.

        Whatever way it ends, its output is written then.
        """
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, MOST_PYTHON_FRAMES))
        try:
            return self.invoke(function, NO_BINDINGS, arguments)
        except BaseException as error:
            failure = as_failure(error, trace(self.frame))
            if failure is None:
                raise
        finally:
            self.frame = None
            sys.setrecursionlimit(limit)
            self.output.flush()
        raise failure

    def print_value(self, type: Type, value: Value) -> None:
        """Print the value of a formula as its `toString()` has it, and a newline.  Raises Failure."""
        library = self.program.library
        if isinstance(type, PrimitiveType):
            value = self.call(library.classes[type.name].methods["toString"], [value])
        self.call(library.functions["println"], [value])

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
            # Nobody outside catches what leaves the outermost function: it is never marked `throws`.
            if caller is None or not function.throws:
                raise self.uncaught(thrown.object) from None
            self.frame = caller
            raise
        self.frame = caller
        return frame.result
