"""Showing diagnostics: for people, as one line each, or as JSON (reference 1.3).

error[E0401]: expected `int`, found `Str`
  shop.dora:3:9
  |
3 |   count = "three";
  |         ^
  help: `count` is declared as `int`; convert with `.parseInt()`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final

from doralang.text.diagnostics import Diagnostic, Diagnostics, Severity
from doralang.text.records import record
from doralang.text.shown import visible
from doralang.text.source import Position, expand_tabs


class Format(Enum):
    HUMAN = "human"
    SHORT = "short"
    JSON = "json"


WIDEST: Final = 160
"""Of longer lines only the part around the report is shown."""
_BEFORE: Final = 60
MOST: Final = 100
"""errors, and warnings, that people get to see"""

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_COLORS: Final = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def render(all_diagnostics: Iterable[Diagnostics], format: Format, *, color: bool = False) -> str:
    """All reports, those of each compilation sorted by position, and how many errors there are.

    People get to see the first `MOST` errors and warnings, programs all.
    """
    show = _RENDERERS[format]
    most = sys.maxsize if format is Format.JSON else MOST
    found = dict.fromkeys(Severity, 0)
    lines: list[str] = []
    for diagnostics in all_diagnostics:
        for report in diagnostics.sorted():
            found[report.severity] += 1
            if found[report.severity] <= most:
                lines += show(report, color)
    if format is not Format.JSON:
        lines += _count(found)
    return "".join(line + "\n" for line in lines)


def _count(found: Mapping[Severity, int]) -> list[str]:
    """How many errors there are; of warnings only how many are not shown."""
    errors, warnings = found[Severity.ERROR], found[Severity.WARNING]
    lines = [f"{warnings - MOST} more warnings"] if warnings > MOST else []
    if errors > MOST:
        lines.append(f"{errors - MOST} more")
    if errors:
        lines.append("1 error" if errors == 1 else f"{errors} errors")
    return lines


def _painted(text: str, paint: str, color: bool) -> str:
    return f"{paint}{text}{_RESET}" if color else text


def _title(report: Diagnostic, color: bool) -> str:
    head = _painted(f"{report.severity.value}[{report.code}]", _COLORS[report.severity], color)
    return head + _painted(f": {visible(report.message)}", _BOLD, color)


def _short(report: Diagnostic, color: bool) -> list[str]:
    return [f"{_place(report)}: {_title(report, color)}"]


def _place(report: Diagnostic) -> str:
    return f"{visible_name(report.source.name)}:{report.position}"


def visible_name(name: str) -> str:
    """A file's name; bytes that are no text (surrogates for Python) go out as they came in."""
    return name if name.isprintable() else "".join(map(_visible_in_name, name))


def _visible_in_name(character: str) -> str:
    return character if "\udc80" <= character <= "\udcff" else visible(character)


def _human(report: Diagnostic, color: bool) -> list[str]:
    lines = [_title(report, color), "  " + _place(report)]
    if report.source.text:
        lines += _snippet(report, color)
    if report.help is not None:
        lines.append(f"  {_painted('help', _BOLD, color)}: {visible(report.help)}")
    return lines


def _snippet(report: Diagnostic, color: bool) -> list[str]:
    line = report.position.line
    excerpt = _excerpt(report, line)
    number = str(line)
    margin = " " * len(number)
    underline = " " * excerpt.start + _painted("^" * excerpt.length, _COLORS[report.severity], color)
    return [f"{margin} |", f"{number} | {excerpt.text}".rstrip(), f"{margin} | {underline}"]


@record(eq=True, frozen=True)
class _Excerpt:
    """A line as it is shown, and which part of it is underlined."""

    text: str
    start: int
    length: int


def _excerpt(report: Diagnostic, line: int) -> _Excerpt:
    text = report.source.line_text(line).removesuffix("\r")
    offset = report.source.line_starts[line - 1]
    start = report.span.start - offset
    end = max(min(report.span.end - offset, len(text)), start + 1)
    if len(text) <= WIDEST:
        column = len(expand_tabs(text[:start]))
        length = len(expand_tabs(text[:end])) - column
        return _Excerpt(_harmless(expand_tabs(text)), column, max(length, 1))
    return _window(text, start, end)


def _window(text: str, start: int, end: int) -> _Excerpt:
    """The part of a wide line around the underlined one; tabs are single blanks here."""
    first = max(start - _BEFORE, 0)
    last = min(first + WIDEST, len(text))
    shown = _harmless(text[first:last].replace("\t", " "))
    before, behind = "…" * (first > 0), "…" * (last < len(text))
    length = max(min(end, last) - start, 1)
    return _Excerpt(before + shown + behind, start - first + len(before), length)


def _harmless(text: str) -> str:
    """The same text with a visible sign for each character that a terminal might obey."""
    return text if text.isprintable() else "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character.isprintable():
        return character
    if character < " ":
        return chr(0x2400 + ord(character))  # its picture in Unicode
    return " " if character.isspace() else "\ufffd"


def _json(report: Diagnostic, color: bool) -> list[str]:
    source, span = report.source, report.span
    fields = {
        "code": quote(report.code),
        "severity": quote(report.severity.value),
        "message": quote(report.message),
        "file": quote(source.name),
        "span": f'{{"start": {_point(report.position)}, "end": {_point(source.position(span.end))}}}',
        "help": "null" if report.help is None else quote(report.help),
    }
    return ["{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"]


def _point(position: Position) -> str:
    return f'{{"line": {position.line}, "column": {position.column}}}'


def quote(text: str) -> str:
    """A JSON string, in ASCII.  (Python's own encoder takes longer to import than all else here.)

    Surrogates, which stand for bytes of a file's name that are no text, would be no JSON of Unicode.
    """
    return '"' + "".join(map(_json_character, text)) + '"'


def _json_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    if "\ud800" <= character <= "\udfff":
        return "\\ufffd"
    units = character.encode("utf-16-be")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True))


_RENDERERS: Final[dict[Format, Callable[[Diagnostic, bool], list[str]]]] = {
    Format.HUMAN: _human,
    Format.SHORT: _short,
    Format.JSON: _json,
}
