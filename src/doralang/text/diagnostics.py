"""Compile errors and warnings: what they are and the list they are collected in.

How they are shown to people and tools is the business of `text.reports`.
"""

from __future__ import annotations

from enum import Enum
from time import monotonic

from doralang.text.records import record
from doralang.text.source import Position, Source, Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@record(eq=True, frozen=True)
class Diagnostic:
    """One report: a stable code, a span in a source, a sentence and where useful a hint."""

    code: str
    source: Source
    span: Span
    message: str
    help: str | None = None

    @property
    def severity(self) -> Severity:
        return Severity.WARNING if self.code.startswith("W") else Severity.ERROR

    @property
    def position(self) -> Position:
        return self.source.position(self.span.start)


class OutOfTime(Exception):
    """A compilation takes longer than it may."""


class Diagnostics:
    """All reports of one compilation, in the order in which they were found; and how long it may take."""

    __slots__ = ("deadline", "reports")

    def __init__(self, seconds: float | None = None) -> None:
        self.reports: list[Diagnostic] = []
        self.deadline: float | None = None if seconds is None else monotonic() + seconds
        """when `look_at_clock`, which parser and checker call all the time, raises"""

    def look_at_clock(self) -> None:
        """Raises OutOfTime."""
        if self.deadline is not None and monotonic() >= self.deadline:
            raise OutOfTime

    def report(self, code: str, source: Source, span: Span, message: str, help: str | None = None) -> None:
        self.reports.append(Diagnostic(code, source, span, message, help))

    @property
    def errors(self) -> int:
        """How many of the reports are errors."""
        return sum(report.severity is Severity.ERROR for report in self.reports)

    def sorted(self) -> list[Diagnostic]:
        """The reports by position, source by source; otherwise in the order of discovery."""
        sources: dict[Source, int] = {}
        for report in self.reports:
            sources.setdefault(report.source, len(sources))
        return sorted(self.reports, key=lambda report: (sources[report.source], report.span.start))


class CompileError(Exception):
    """A text that is no program.  `diagnostics` holds every report, errors and warnings."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        super().__init__(f"{diagnostics.errors} errors")
        self.diagnostics = diagnostics
