"""What the Python API raises: compile errors with their places, and failures of running programs.

Each failure also derives from the built-in exception that a Python programmer would expect:

    m.divide(1, 0)     DivisionByZero, a ZeroDivisionError
    m.first([])        IndexOutOfBounds, an IndexError
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple

from doralang.text import diagnostics as text
from doralang.text.reports import Format, render
from doralang.text.source import Source
from doralang.types import failures
from doralang.types.traps import StackTrace, Trap, trace_lines


class DoraError(Exception):
    """Anything that Dora raises."""


class Diagnostic(NamedTuple):
    """One report about a text: offsets from `start` up to `end`, line and column from 1."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    help: str | None
    start: int
    end: int
    line: int
    column: int
    replacement: str | None = None
    """text for start..end that would be right, if that is clear"""


def diagnostics_of(found: text.Diagnostics) -> tuple[Diagnostic, ...]:
    """The reports of one compilation, by position."""
    result = []
    for report in found.sorted():
        position = report.position
        severity: Literal["error", "warning"] = (
            "error" if report.severity is text.Severity.ERROR else "warning"
        )
        start, end = report.span
        result.append(
            Diagnostic(
                report.code, severity, report.message, report.help, start, end, position.line, position.column
            )
        )
    return tuple(result)


class CompileError(DoraError, ValueError):
    """A text that is no program; `str()` shows it with the places underlined."""

    def __init__(self, found: text.Diagnostics) -> None:
        super().__init__(render([found], Format.HUMAN).rstrip("\n"))
        self.diagnostics = diagnostics_of(found)


class SourceTooLarge(DoraError, ValueError):
    """A text that is longer than the limit `source_size`."""


class CompileTimeExceeded(DoraError, TimeoutError):
    """Parsing and checking a text took longer than the limit `compile_time`."""


class Frame(NamedTuple):
    """A line of a stack trace; `file` is None in the program's own text."""

    function: str
    file: str | None
    line: int


class Frames(tuple[Frame, ...]):
    """The frames of a stack trace, innermost first; of very many, `left_out` are missing in the middle."""

    left_out: int = 0


NO_FRAMES: Final = Frames()


class Failure(DoraError):
    """A run ended by a failure.  The trace is in `str()` and in `trace`, innermost first.

    Of more than 200 frames the innermost 100 and the outermost 100 are there; `trace.left_out` are not.
    """

    def __init__(self, line: str, trace: Frames = NO_FRAMES) -> None:
        shown = trace_lines(StackTrace(map(str_of, trace), trace.left_out))
        super().__init__("\n".join([line, *shown]))
        self.line = line
        self.trace = trace
        self.element: tuple[int, ...] | None = None
        """of a call with arrays: the index of the element that failed"""


class AssertionFailed(Failure, AssertionError):
    """`assert` found something false."""


class DivisionByZero(Failure, ZeroDivisionError):
    """A whole number was divided by 0."""


class IndexOutOfBounds(Failure, IndexError):
    """An array, text or vector has no such element."""


class NoSuchValue(Failure, LookupError):
    """A map has no such key, or an `Option` or `Result` no value."""


class NilAccess(Failure, AttributeError):
    """Something of `nil` was asked for."""


class CastFailed(Failure, TypeError):
    """`as` met an object of another class."""


class StackOverflow(Failure, RecursionError):
    """Too many calls in calls."""


class OutOfMemory(Failure, MemoryError):
    """The limit of memory, or what the machine has, is reached."""


class FatalError(Failure):
    """The program called `fatalError` or `abort`."""


class Exited(Failure):
    """The program called `exit`; never SystemExit."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the program ended itself with status {status}")
        self.status = status


class MissingValue(Failure, ValueError):
    """An argument of a formula was None, and the result needs it."""


class Thrown(Failure):
    """An exception of the program that nobody caught; `value` is its text."""

    def __init__(self, line: str, trace: Frames = NO_FRAMES, value: Any = None) -> None:
        super().__init__(line, trace)
        self.value = value


class LimitExceeded(Failure):
    """A limit was reached; `limit` is its name."""

    def __init__(self, line: str, trace: Frames = NO_FRAMES, limit: str = "") -> None:
        super().__init__(line, trace)
        self.limit = limit


class TimeLimitExceeded(LimitExceeded, TimeoutError):
    """The call took longer than the limit `time`."""


class FuelExhausted(LimitExceeded):
    """The call needed more than the limit `fuel`."""


class Cancelled(Failure):
    """Somebody called `cancel`."""


class InstanceBusy(DoraError, RuntimeError):
    """The instance is running already, in another thread or further out in this one."""


class InstanceSpent(DoraError, RuntimeError):
    """The instance was closed, or left in the middle of a collection."""


FAILURES: Final[dict[Trap, type[Failure]]] = {
    Trap.ASSERT: AssertionFailed,
    Trap.DIVISION: DivisionByZero,
    Trap.INDEX: IndexOutOfBounds,
    Trap.NIL: NilAccess,
    Trap.MISSING: NoSuchValue,
    Trap.CAST: CastFailed,
    Trap.STACK: StackOverflow,
    Trap.MEMORY: OutOfMemory,
    Trap.UNCAUGHT: Thrown,
    Trap.UNEXPECTED: Thrown,
}


def str_of(frame: Frame) -> str:
    place = f"{frame.line}" if frame.file is None else f"{frame.file}:{frame.line}"
    return f"{frame.function}: {place}"


def frame_of(line: str) -> Frame:
    """The frame that a line of a trace describes: `f(int) -> int: 3`, `…: vector.dora:12`."""
    function, _, place = line.rpartition(": ")
    file, _, number = place.rpartition(":")
    return Frame(function, file or None, int(number))


def frames_of(trace: StackTrace) -> Frames:
    """A stack trace as the API has it."""
    frames = Frames(map(frame_of, trace))
    frames.left_out = trace.left_out
    return frames


def failure_of(failure: failures.Failure) -> BaseException:
    """What the caller of a program that failed is told."""
    trace = frames_of(failure.trace)
    if failure.trap is Trap.INTERRUPT:
        return KeyboardInterrupt()
    if failure.trap is Trap.LIMIT:
        return LimitExceeded(failure.line, trace, failure.line.partition(": ")[2])
    if failure.trap is None:
        return FatalError(failure.line, trace)
    if failure.trap in (Trap.UNCAUGHT, Trap.UNEXPECTED):
        return Thrown(failure.line, trace, failure.line.partition(": ")[2])
    return FAILURES[failure.trap](failure.line, trace)


def too_large(source: Source, most: int) -> SourceTooLarge:
    return SourceTooLarge(f"{source.name}: the text is longer than {most} bytes (the limit `source_size`)")


@contextmanager
def compile_time(source: Source, seconds: float | None) -> Iterator[text.Diagnostics]:
    """The diagnostics of a compilation that may take so long.  Raises CompileTimeExceeded."""
    try:
        yield text.Diagnostics(seconds)
    except text.OutOfTime:
        line = f"{source.name}: compiling takes longer than {seconds} s (the limit `compile_time`)"
        raise CompileTimeExceeded(line) from None
