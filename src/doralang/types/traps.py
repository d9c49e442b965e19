"""The ways a program can fail: texts and exit statuses, each once (reference, section 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    P = TypeVar("P")


class Trap(Enum):
    """A failure that prints a line and a stack trace and ends the process."""

    __hash__ = object.__hash__  # that of Enum is Python code

    ASSERT = (101, "assert failed")
    DIVISION = (101, "division by 0")
    INDEX = (102, "array index out of bounds")
    NIL = (103, "nil check failed")
    UNCAUGHT = (104, "uncaught exception")
    CAST = (105, "cast failed")
    UNEXPECTED = (106, "unexpected exception")
    MEMORY = (107, "out of memory")
    STACK = (108, "stack overflow")
    LIMIT = (109, "limit exceeded")
    MISSING = (110, "value missing")
    INTERRUPT = (130, "interrupted")

    @property
    def status(self) -> int:
        """The exit status of the process."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What the line says, up to a detail after a colon."""
        return self.value[1]


FATAL_STATUS = 1
"""Exit status of `fatalError`, `abort` and a wrong `call`: they print a line and no trace."""

TRACE_LIMIT = 200
"""A trace with more frames is printed with its innermost and outermost halves only."""


class StackTrace(list[str]):
    """What is told of active functions, innermost first.

    Of more than `TRACE_LIMIT` only the innermost and the outermost halves are there, and `left_out` says how
    many are not: nobody makes texts for millions of frames that nobody prints.
    """

    __slots__ = ("left_out",)

    def __init__(self, lines: Iterable[str] = (), left_out: int = 0) -> None:
        super().__init__(lines)
        self.left_out = left_out


def trace_of(places: Sequence[P], describe: Callable[[P], object], left_out: int = 0) -> StackTrace:
    """The trace of these places, innermost first.

    `left_out` more stand in their middle; then half of `TRACE_LIMIT` are before them and as many behind.
    """
    half, total = TRACE_LIMIT // 2, len(places) + left_out
    if total <= TRACE_LIMIT:
        return StackTrace(str(describe(place)) for place in places)
    shown = [*places[:half], *places[-half:]]
    return StackTrace((str(describe(place)) for place in shown), total - TRACE_LIMIT)


def trace_lines(trace: StackTrace) -> list[str]:
    """The numbered lines of a stack trace; a long one has lost its middle."""
    if not trace.left_out:
        return [f"{index}: {line}" for index, line in enumerate(trace)]
    half = TRACE_LIMIT // 2
    inner = [f"{index}: {line}" for index, line in enumerate(trace[:half])]
    return [
        *inner,
        "...",
        *[f"{index}: {line}" for index, line in enumerate(trace[half:], half + trace.left_out)],
    ]
