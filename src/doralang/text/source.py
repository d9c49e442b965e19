"""A source text and its positions.

Every stage talks about places in a text as a `Span`: two offsets in code points.  Lines and
columns (reference 2.1) are computed only when somebody looks, from the offsets of the line starts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from doralang.text.records import record
from doralang.typing_forms import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

TAB_WIDTH: Final = 4


class Span(NamedTuple):
    """The code points from `start` up to, not including, `end`."""

    start: int
    end: int


@record(eq=True, frozen=True)
class Position:
    """A place as people count: both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


NOWHERE: Final = Span(0, 0)

PROGRAM: Final = "program"
LIBRARY: Final = "library"
"""the names of units: what is compiled together, and sees what it is built upon"""


class Source:
    """The text of one file, without its byte order mark.

    `name` is how messages call the file, `unit` the name of the unit that it is a part of.
    """

    __slots__ = ("_line_starts", "_tabs", "name", "text", "unit")

    def __init__(self, name: str, text: str, *, unit: str = PROGRAM) -> None:
        self.name = name
        self.text = text
        self.unit = unit
        self._line_starts: list[int] | None = None
        self._tabs: list[int] | None = None

    @property
    def main(self) -> bool:
        """Whether it is a user's file; those of the library have their names in stack traces."""
        return self.unit != LIBRARY

    @property
    def line_starts(self) -> list[int]:
        """Offset of the first code point of each line."""
        if self._line_starts is None:
            self._line_starts = [0, *(at + 1 for at in _occurrences(self.text, "\n"))]
        return self._line_starts

    def _has_tab(self, start: int, end: int) -> bool:
        """Whether there is a tab in this part, found fast in lines of any length."""
        if self._tabs is None:
            self._tabs = list(_occurrences(self.text, "\t"))
        return bisect_left(self._tabs, start) != bisect_left(self._tabs, end)

    def line_of(self, offset: int) -> int:
        """Line number of an offset, from 1."""
        return bisect_right(self.line_starts, offset)

    def position(self, offset: int) -> Position:
        """Line and column of an offset; a tab moves to the next column 4k+1."""
        line = self.line_of(offset)
        start = self.line_starts[line - 1]
        if self._has_tab(start, offset):
            return Position(line, len(expand_tabs(self.text[start:offset])) + 1)
        return Position(line, offset - start + 1)

    def line_text(self, line: int) -> str:
        """The text of a line, from 1, without its end."""
        start = self.line_starts[line - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)]


def _occurrences(text: str, character: str) -> Iterator[int]:
    at = text.find(character)
    while at >= 0:
        yield at
        at = text.find(character, at + 1)


def expand_tabs(text: str) -> str:
    """`text` with each tab replaced by the blanks up to the next tab stop."""
    if "\t" not in text:
        return text
    width, parts = 0, []
    for index, part in enumerate(text.split("\t")):
        if index:
            fill = TAB_WIDTH - width % TAB_WIDTH
            parts.append(" " * fill)
            width += fill
        parts.append(part)
        width += len(part)
    return "".join(parts)
