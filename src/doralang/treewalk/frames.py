"""Frames of active functions, and what stack traces say of them."""

from __future__ import annotations

import posixpath
from typing import Final

from doralang.checker.program import Function
from doralang.interpreter.context import FrameDescription
from doralang.interpreter.objects import Value
from doralang.text.source import Span
from doralang.treewalk.classes import Bindings
from doralang.types.traps import StackTrace, trace_of

MANY_LOCALS: Final = 100


class Activation:
    """One call of a function.

    `span` is where the function currently is: whoever may fail or call sets it first.  `result` is what
    a `return` under way returns.  `depth` counts the frames from 1; those with many locals count more, so
    that a recursion without end fills no memory.
    """

    __slots__ = ("bindings", "caller", "depth", "function", "locals", "result", "span")

    def __init__(
        self, function: Function, bindings: Bindings, arguments: list[Value], caller: Activation | None
    ) -> None:
        self.function = function
        self.bindings = bindings
        self.locals = arguments + [None] * (len(function.locals) - len(arguments))
        self.caller = caller
        self.depth: int = (caller.depth if caller else 0) + 1 + len(self.locals) // MANY_LOCALS
        self.span: Span = function.span
        self.result: Value = None


class Places:
    """Numbers for places in functions, as recorded stacks store them."""

    __slots__ = ("_descriptions", "_numbers")

    def __init__(self) -> None:
        self._numbers: dict[tuple[Function, int], int] = {}
        self._descriptions: list[FrameDescription] = []

    def number(self, frame: Activation) -> int:
        """The number of the place where a frame currently is."""
        key = (frame.function, frame.span.start)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._descriptions)
            self._descriptions.append(describe(frame))
        return number

    def description(self, number: int) -> FrameDescription:
        return self._descriptions[number]


def describe(frame: Activation) -> FrameDescription:
    function, source = frame.function, frame.function.source
    file = None if source.main else posixpath.basename(source.name)
    return FrameDescription(function.signature, source.line_of(frame.span.start), file)


def chain(frame: Activation | None) -> list[Activation]:
    """The frame and its callers, innermost first, without those that only call on."""
    frames = []
    while frame is not None:
        if not frame.function.is_hidden:
            frames.append(frame)
        frame = frame.caller
    return frames


def trace(frame: Activation | None) -> StackTrace:
    """The stack trace of now, without numbers."""
    return trace_of(chain(frame), describe)
