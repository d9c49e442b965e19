"""Text to tokens: one regular expression, matched again and again.

The expression skips white space and comments, then matches one token; the group that matched says
which sort.  Where no good one is, another expression matches what people get wrong, with as much of the
text as makes the parser stumble least.  No object is made for a token (see `Tokens`).
"""

from __future__ import annotations

import re
from functools import cache

from doralang.optional import load
from doralang.syntax.tokens import (
    CHARACTER,
    END,
    FINAL,
    FIXED,
    MIDDLE,
    NAME,
    NUMBER,
    STRING,
    TEMPLATE,
    Tokens,
)
from doralang.syntax.words import FORMULA_WORDS
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


# White space is what has the Unicode property White_Space: `\s` but for four control characters.  Most is
# ASCII, and a set with the rest takes long to compile.
_BLANK: Final = r"[\t-\r ]*+"
_OTHER_BLANK: Final = r"[^\x00-\x84](?<=\s)"
_SKIPPED: Final = rf"{_BLANK}(?:(?://[^\n]*+|/\*.*?\*/|{_OTHER_BLANK}){_BLANK})*+"

ESCAPE: Final = r"""\\[\\ntr"'0$]"""
DECIMAL: Final = "[0-9][0-9_]*+"
EXPONENT: Final = rf"[eE][+-]?{DECIMAL}"
NUMERAL: Final = (
    r"0x_*+[0-9A-Fa-f][0-9A-Fa-f_]*+[LY]?|0b_*+[01][01_]*+[LY]?"
    rf"|{DECIMAL}(?:(?:\.{DECIMAL}(?:{EXPONENT})?|{EXPONENT})[FD]?|[FDLY])?"
)

_GOOD: Final[list[tuple[str, str]]] = [  # FIXED has names, too
    ("fixed", r"try[!?]|[A-Za-z_][A-Za-z0-9_]*+"),
    ("odd", r"/\*"),
    (
        "fixed",
        r"[()\[\]{},;~@]|->|[-+*/%^]=?|>{1,3}+=?|<{1,2}+=?|=(?:==?|>)?|!(?:==?)?|&[&=]?|\|[|=]?|::?|\.(?:\.=?)?",
    ),
    ("number", f"(?>{NUMERAL})(?![A-Za-z0-9_])"),
    ("string", rf'"(?:[^"\\$]++|{ESCAPE}|\$(?!\{{))*+"'),
    ("character", rf"'(?:[^'\\]|{ESCAPE})'"),
    ("end", r"\Z"),
    ("template", r'"(?:[^"\\$]++|\\.|\$(?!\{))*+\$\{'),
    ("odd", "."),
]
_SORTS: Final = ["", *(name for name, _ in _GOOD)]


def _tokens(more: str) -> re.Pattern[str]:
    """The expression for good tokens, whose first row matches something more."""
    patterns = [more + _GOOD[0][1], *(pattern for _, pattern in _GOOD[1:])]
    return re.compile(_SKIPPED + any_of(patterns), re.DOTALL)


def any_of(patterns: list[str]) -> str:
    """An expression with a group for each of these."""
    return "(?:" + "|".join(f"({pattern})" for pattern in patterns) + ")"


TOKEN: Final = _tokens("")
_KINDS: Final = {"fixed": NAME, "number": NUMBER, "string": STRING, "character": CHARACTER}
PLAIN: Final = [_KINDS.get(name) for name in _SORTS]

FORMULA_FIXED: Final = {**FIXED, **{text: text for text in ("?", "**", "<>", *FORMULA_WORDS)}}


@cache
def _formula_token() -> re.Pattern[str]:
    """The same for formulas; made when the first one is read, as that takes a while."""
    return _tokens(r"`[^`\n]++`|\*\*|<>|\?|")


def lex_formula(source: Source, diagnostics: Diagnostics) -> Tokens:
    """The tokens of a formula."""
    return lex(source, diagnostics, formula=True)


def lex(
    source: Source, diagnostics: Diagnostics, *, formula: bool = False, part: Span | None = None
) -> Tokens:
    """The tokens of a source, or of a part of it; those of a `formula` are more, as names in backquotes."""
    start, end = part or (0, len(source.text))
    tokens = Tokens(source, [], [], [], set(), 0, False)
    pattern = _formula_token() if formula else TOKEN
    at: int | None = start
    while at is not None:
        at = _lex_plain(tokens, pattern, at, end, formula)
        if at is not None:
            at = _lex_other(tokens, pattern, at, end, diagnostics, formula)
    close(tokens, end)
    if formula and "//" in source.text:
        load("doralang.syntax.bad_tokens").report_comment(tokens, diagnostics)
    return tokens


def _lex_plain(tokens: Tokens, pattern: re.Pattern[str], at: int, end: int, formula: bool) -> int | None:
    """The tokens from an offset on up to a template or a bad one, whose offset is returned, or to the end."""
    kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
    fixed, plain = (FORMULA_FIXED if formula else FIXED).get, PLAIN
    for match in pattern.finditer(tokens.source.text, at, end):
        group = match.lastindex
        assert group is not None, "some group always matches"
        kind = fixed(match[group]) or plain[group]
        if kind:
            kinds.append(kind)
            starts.append(match.start(group))
            ends.append(match.end())
            continue
        return None if _SORTS[group] == "end" else match.start(group)
    return None


PIECE: Final = re.compile(r'[}"](?:[^"\\$]++|\\.|\$(?!\{))*+(?:"|\$\{)', re.DOTALL)
"""text of a template: from its quote, or the end of a hole, to the next hole, or its other quote"""


def _lex_other(
    tokens: Tokens, pattern: re.Pattern[str], at: int, end: int, diagnostics: Diagnostics, formula: bool
) -> int | None:
    """A template or a bad token; returns the offset behind it, or None if lexing ends here."""
    match = pattern.match(tokens.source.text, at, end)
    assert match is not None and match.lastindex is not None, "some group always matches"
    if _SORTS[match.lastindex] == "template":
        return _lex_template(tokens, pattern, at, end, diagnostics, formula)
    return _take_bad(tokens, at, end, diagnostics, formula)


def _take_bad(tokens: Tokens, at: int, end: int, diagnostics: Diagnostics, formula: bool) -> int | None:
    """The same for a bad token; most runs meet none."""
    behind: int | None = load("doralang.syntax.bad_tokens").take(tokens, at, end, diagnostics, formula)
    return behind


def _lex_template(
    tokens: Tokens, pattern: re.Pattern[str], at: int, end: int, diagnostics: Diagnostics, formula: bool
) -> int | None:
    """The tokens of a template; returns the offset behind it, or None if it does not end.

    `levels` has for each hole around how many braces are open in it, `opened` where its `${` stands.
    """
    levels: list[int] = []
    opened: list[Span] = []
    fixed = (FORMULA_FIXED if formula else FIXED).get
    while True:
        match = pattern.match(tokens.source.text, at, end)
        assert match is not None and match.lastindex is not None, "some group always matches"
        group = match.lastindex
        span, sort = Span(*match.span(group)), _SORTS[group]
        kind = fixed(match[group]) or PLAIN[group]
        if sort == "template" or (kind == "}" and levels[-1] == 0):
            piece = PIECE.match(tokens.source.text, span.start)
            if piece is None:
                _not_closed(tokens, opened[-1], diagnostics)
                return None
            at = piece.end()
            _lex_piece(tokens, Span(span.start, at), levels, opened, diagnostics)
            if not levels:
                return at
            continue
        at = match.end()
        levels[-1] += (kind == "{") - (kind == "}")
        if kind:
            push(tokens, kind, span)
        elif sort == "end":
            _not_closed(tokens, opened[-1], diagnostics)
            return None
        else:
            behind = _take_bad(tokens, span.start, end, diagnostics, formula)
            if behind is None:
                return None
            at = behind


def _not_closed(tokens: Tokens, hole: Span, diagnostics: Diagnostics) -> None:
    diagnostics.report("E0111", tokens.source, hole, "this hole is never closed")
    tokens.unclosed = True


def _lex_piece(
    tokens: Tokens, span: Span, levels: list[int], opened: list[Span], diagnostics: Diagnostics
) -> None:
    """A piece of text: it begins a template or ends a hole, and begins a hole or ends a template."""
    text = tokens.source.text[span.start : span.end]
    begins, goes_on = text[0] == '"', text[-1] == "{"
    if "\\" in text:
        load("doralang.syntax.bad_tokens").check_escapes(tokens, span, diagnostics)
    push(tokens, TEMPLATE if begins else MIDDLE if goes_on else FINAL, span)
    if not begins:
        levels.pop()
        opened.pop()
    if goes_on:
        levels.append(0)
        opened.append(Span(span.end - 2, span.end))


def close(tokens: Tokens, end: int) -> None:
    """End the lists, and decide from where on the parser shall be silent."""
    push(tokens, END, Span(end, end))
    tokens.silent_from = len(tokens.kinds)
    if tokens.unclosed:
        tokens.silent_from = _first_doubtful(tokens)


def _first_doubtful(tokens: Tokens) -> int:
    """With a quote missing, the first string over several lines is likely where it is missing.

    Within a template that is not closed, nothing is sure.
    """
    closed = 0
    for index in reversed(range(len(tokens.kinds))):
        if tokens.kinds[index] is TEMPLATE and not closed:
            return index
        closed += (tokens.kinds[index] is FINAL) - (tokens.kinds[index] is TEMPLATE)
    text = tokens.source.text
    for index, kind in enumerate(tokens.kinds):
        if kind is STRING and "\n" in text[tokens.starts[index] : tokens.ends[index]]:
            return index
    return len(tokens.kinds) - 1


def push(tokens: Tokens, kind: str, span: Span) -> None:
    """Add a token."""
    tokens.kinds.append(kind)
    tokens.starts.append(span.start)
    tokens.ends.append(span.end)
