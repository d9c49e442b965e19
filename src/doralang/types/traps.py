"""The ways a program can fail: texts and exit statuses, each once (reference, section 13)."""

from __future__ import annotations

from enum import Enum


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


def trace_lines(frames: list[str]) -> list[str]:
    """The numbered lines of a stack trace; a long one loses its middle."""
    numbered = [f"{index}: {frame}" for index, frame in enumerate(frames)]
    if len(numbered) <= TRACE_LIMIT:
        return numbered
    half = TRACE_LIMIT // 2
    return [*numbered[:half], "...", *numbered[-half:]]
