r"""What people write that is no token: its sort, how it is reported, and what the parser sees in its place.

    "a\q"  ->  STRING, and E0105: unknown escape `\q`

Where no good token is (see `doralang.syntax.lexer`), one of these expressions matches.  Most runs do not need
them, and do not load this.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from doralang.syntax.lexer import DECIMAL, EXPONENT, NUMERAL, any_of, push
from doralang.syntax.tokens import CHARACTER, NAME, NUMBER, STRING, Tokens
from doralang.text.diagnostics import Diagnostics
from doralang.text.shown import excerpt, visible
from doralang.text.source import Span

_ROWS: Final[list[tuple[str, str]]] = [
    (
        "digits",
        r"0x_*+(?![0-9A-Fa-f])[A-Za-z0-9_]*+|0b_*+(?![01])[A-Za-z0-9_]*+"
        rf"|{DECIMAL}(?:\.{DECIMAL})?[eE](?:[+-](?![0-9])[A-Za-z0-9_]*+|(?![A-Za-z0-9_+-]))",
    ),
    ("whole", rf"{DECIMAL}(?:\.{DECIMAL}(?:{EXPONENT})?|{EXPONENT})[LY](?![A-Za-z0-9_])"),
    ("number", NUMERAL),  # that a name follows at once
    ("string escape", r'"(?:[^"\\]++|\\.)*+"'),
    ("open", r'"|/\*'),
    ("character escape", r"'\\.'"),
    ("several", r"'''|'(?:[^'\\\n;]|\\.)*+'|'(?:\\.|[A-Za-z0-9_]*+)"),
    ("hole", r"\$\{"),
    ("question", r"\?"),
    ("curly", '[“”„][^"“”„\\n]*+[“”]'),
    ("foreign", r"[^\x00-\x7f](?:[A-Za-z0-9_]|[^\x00-\x7f\s“”„])*+"),
    ("stray", r"."),
]
_SORTS: Final = ["", *(name for name, _ in _ROWS)]
_TOKEN: Final = re.compile(any_of([pattern for _, pattern in _ROWS]), re.DOTALL)


def take(tokens: Tokens, at: int, end: int, diagnostics: Diagnostics, formula: bool) -> int | None:
    """Report what is at an offset, and put something in its place; returns the offset behind it, or None if
    lexing ends here."""
    match = _TOKEN.match(tokens.source.text, at, end)
    assert match is not None and match.lastindex is not None, "some group always matches"
    span, sort = Span(*match.span()), _SORTS[match.lastindex]
    if sort == "number":
        push(tokens, NUMBER, span)
        return span.end
    return span.end if _report(sort, span, tokens, diagnostics, formula) else None


class _Odd(NamedTuple):
    """How a sort of bad token is reported, and what it is for the parser."""

    code: str
    message: Callable[[str], str]
    kind: str | None
    help: str | None = None


ESCAPE_HELP: Final = "the escapes are `\\\\ \\n \\t \\r \\\" \\' \\0 \\$`"
_BAD_ESCAPE = re.compile(r"""(?:[^\\]|\\[\\ntr"'0$])*+(\\.)""", re.DOTALL)


def _unknown_escape(text: str) -> str:
    match = _BAD_ESCAPE.match(text)
    return f"unknown escape `{visible(match[1] if match else text)}`"


def _unexpected(text: str) -> str:
    return f"unexpected character `{visible(text[0])}`"


def _unclosed(text: str) -> str:
    return "this comment is never closed" if text == "/*" else "this string is never closed"


def _start(text: str) -> str:
    """`0x`, `0b`, or a number up to where the digits of its exponent should be."""
    return text[:2] if text[1] in "xb" else excerpt(re.split("(?<=[eE])(?![+-])|(?<=[eE][+-])", text)[0])


_ODD: Final = {
    "open": _Odd("E0103", _unclosed, None),
    "digits": _Odd("E0107", lambda text: f"digits expected after `{_start(text)}`", NUMBER),
    "whole": _Odd("E0109", lambda text: f"the suffix `{text[-1]}` needs a whole number", NUMBER),
    "string escape": _Odd("E0105", _unknown_escape, STRING, ESCAPE_HELP),
    "character escape": _Odd("E0105", _unknown_escape, CHARACTER, ESCAPE_HELP),
    "several": _Odd(
        "E0104",
        lambda text: "a character literal holds exactly one character",
        CHARACTER,
        'a text is written in double quotes, `"`',
    ),
    "hole": _Odd("E0101", _unexpected, None, "a hole stands in a string; a quote may be missing before it"),
    "question": _Odd("E0101", _unexpected, None),
    "curly": _Odd("E0101", _unexpected, STRING, 'strings are written in plain quotes, `"`'),
    "foreign": _Odd("E0101", _unexpected, None, "names are written in ASCII letters, digits and `_`"),
    "stray": _Odd("E0101", _unexpected, None),
}


_FOREIGN_HELP: Final = "in a formula a name with other characters stands in backquotes"


def _report(sort: str, span: Span, tokens: Tokens, diagnostics: Diagnostics, formula: bool) -> bool:
    """Report a bad token and put something in its place; false if lexing ends here."""
    row, text = _ODD[sort], tokens.source.text[span.start : span.end]
    code = "E0102" if text == "/*" else row.code
    shown = Span(span.start, span.start + 1) if row.code == "E0101" else span
    letters = sort == "foreign" and text[0].isalpha()
    # Of a run of characters that mean nothing the first one is reported.
    if letters or not (row.kind is None and _follows_dropped(tokens, span)):
        help = row.help if letters or row.kind or sort == "hole" else None
        if formula and letters:
            help = _FOREIGN_HELP
        diagnostics.report(code, tokens.source, shown, row.message(text), help)
    if sort in ("open", "hole"):
        # With a quote missing before a hole, what follows is inside out: strings are code, and code strings.
        tokens.unclosed = True
        return False
    if letters:
        _join_name(tokens, span)
    elif row.kind is not None:
        push(tokens, row.kind, span)
    else:
        tokens.quiet.add(len(tokens.kinds))
        tokens.silent_from = span.end  # while lexing: where the last dropped character ended
    return True


def _follows_dropped(tokens: Tokens, span: Span) -> bool:
    return len(tokens.kinds) in tokens.quiet and tokens.silent_from == span.start


def _join_name(tokens: Tokens, span: Span) -> None:
    """Take letters of other alphabets for part of a name, as they are meant."""
    if tokens.ends and tokens.ends[-1] == span.start and tokens.kinds[-1] == NAME:
        tokens.ends[-1] = span.end
    else:
        push(tokens, NAME, span)


def check_escapes(tokens: Tokens, span: Span, diagnostics: Diagnostics) -> None:
    """Report an escape in a piece of a template that there is not."""
    text = tokens.source.text[span.start + 1 : span.end]
    if _BAD_ESCAPE.match(text):
        diagnostics.report("E0105", tokens.source, span, _unknown_escape(text), ESCAPE_HELP)


_COMMENT_HELP: Final = "one `/` divides; the whole part of a quotient is `(x / 2).trunc()`"
_BLOCK: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def report_comment(tokens: Tokens, diagnostics: Diagnostics) -> None:
    """A `//` in a formula is hardly meant as a comment (E0110), which would hide what stands behind it."""
    text, before = tokens.source.text, 0
    for index, (start, end) in enumerate(zip(tokens.starts, tokens.ends, strict=True)):
        gap = _BLOCK.sub(lambda match: " " * len(match[0]), text[before:start])
        at = gap.find("//")
        if at >= 0:
            span = Span(before + at, before + at + 2)
            diagnostics.report(
                "E0110", tokens.source, span, "a formula has no comments with `//`", _COMMENT_HELP
            )
            tokens.silent_from = min(tokens.silent_from, index)
            return
        before = end
