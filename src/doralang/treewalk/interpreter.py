"""Entering the tree walk: the globals of a program, and calls from outside."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from doralang.checker.program import Function, Program, Statement
from doralang.interpreter.objects import Value
from doralang.interpreter.output import NO_INPUT
from doralang.interpreter.sinks import ByteSink
from doralang.interpreter.stack import on_deep_stack
from doralang.settings import Settings
from doralang.treewalk.classes import NO_BINDINGS, Bindings
from doralang.treewalk.frames import Activation, trace
from doralang.treewalk.machine import ThrownObject, WalkState
from doralang.treewalk.statements import EXECUTORS, block
from doralang.types.failures import Trapped, as_failure
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource

MOST_FRAMES: Final = 50_000
"""Calls nested deeper than this, larger ones counting more, are the failure `stack overflow`.

So are expressions so enormous that Python's own limit is reached first (`host.stack`).
"""


class Interpreter(WalkState):
    """Runs one program.  `stdin`, `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdin: ByteSource = NO_INPUT,
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(program, arguments, stdin, stdout, settings.heap_size if settings else None)
        self.stderr = stderr

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""
        for variable in self.program.globals:
            if variable.initializer is not None:
                self.globals[variable] = self.call(variable.initializer, [])

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

    def execute(self, statement: Statement, frame: Activation) -> Enum | None:
        return EXECUTORS[type(statement)](self, statement, frame)

    def invoke(self, function: Function, bindings: Bindings, arguments: list[Value]) -> Value:
        body = function.body
        if body is None:
            return self.invoke_internal(function, arguments)
        caller = self.frame
        if caller is not None and caller.depth >= MOST_FRAMES:
            raise Trapped(Trap.STACK)
        self.frame = frame = Activation(function, bindings, arguments, caller)
        try:
            block(self, body, frame)
        except ThrownObject as thrown:
            # The outermost function counts as not marked: nobody outside could catch it.
            if caller is None or not function.throws:
                raise self.uncaught(thrown.object) from None
            self.frame = caller
            raise
        self.frame = caller
        return frame.result
