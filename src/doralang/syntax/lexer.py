"""Text to tokens: one regular expression, matched again and again.

The expression skips white space and comments, then matches one token; the group that matched says
which sort.  Groups behind the good ones match what people get wrong, with as much of the text as
makes the parser stumble least.  No object is made for a token (see `Tokens`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

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
from doralang.text.shown import excerpt, visible
from doralang.text.source import Source, Span

# The Unicode property White_Space.
_SPACE: Final = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ESCAPE: Final = r"""\\[\\ntr"'0$]"""
_SKIPPED: Final = rf"[{_SPACE}]*+(?://[^\n]*+[{_SPACE}]*+|/\*.*?\*/[{_SPACE}]*+)*+"

_DECIMAL: Final = "[0-9][0-9_]*+"
_EXPONENT: Final = rf"[eE][+-]?{_DECIMAL}"

_ROWS: Final[list[tuple[str, str]]] = [
    # The good ones; FIXED has names, too.
    ("fixed", r"try[!?]|[A-Za-z_][A-Za-z0-9_]*+"),
    ("open", r"/\*"),
    (
        "fixed",
        r"[()\[\]{},;~@]|>>>=|>>>|>>=|>>|>=|>|<<=|<<|<=|<|===|==|=>|=|!==|!=|!|&&|&=|&|\|\||\|=|\||::|:|->|\.\.=|\.\.|[-+*/%^]=|[-+*/%^.]",
    ),
    (
        "digits",
        r"0x_*+(?![0-9A-Fa-f])[A-Za-z0-9_]*+|0b_*+(?![01])[A-Za-z0-9_]*+"
        rf"|{_DECIMAL}(?:\.{_DECIMAL})?[eE](?:[+-](?![0-9])[A-Za-z0-9_]*+|(?![A-Za-z0-9_+-]))",
    ),
    ("whole", rf"{_DECIMAL}(?:\.{_DECIMAL}(?:{_EXPONENT})?|{_EXPONENT})[LY](?![A-Za-z0-9_])"),
    (
        "number",
        r"0x[0-9A-Fa-f_]++[LY]?|0b[01_]++[LY]?"
        rf"|{_DECIMAL}(?:(?:\.{_DECIMAL}(?:{_EXPONENT})?|{_EXPONENT})[FD]?|[FDLY])?",
    ),
    ("string", rf'"(?:[^"\\$]++|{_ESCAPE}|\$(?!\{{))*+"'),
    ("character", rf"'(?:[^'\\]|{_ESCAPE})'"),
    ("end", r"\Z"),
    ("template", r'"(?:[^"\\$]++|\\.|\$(?!\{))*+\$\{'),
    # The bad ones.
    ("string escape", r'"(?:[^"\\]++|\\.)*+"'),
    ("open", r'"'),
    ("character escape", r"'\\.'"),
    ("several", r"'''|'(?:[^'\\\n;]|\\.)*+'|'(?:\\.|[A-Za-z0-9_]*+)"),
    ("question", r"\?"),
    ("curly", '[“”„][^"“”„\\n]*+[“”]'),
    ("foreign", rf"[^\x00-\x7f{_SPACE}](?:[A-Za-z0-9_]|[^\x00-\x7f{_SPACE}“”„])*+"),
    ("stray", r"."),
]
_SORTS: Final = ["", *(name for name, _ in _ROWS)]


def _tokens(more: str) -> re.Pattern[str]:
    """The expression, whose first row matches something more."""
    patterns = [more + _ROWS[0][1], *(pattern for _, pattern in _ROWS[1:])]
    return re.compile(_SKIPPED + "(?:" + "|".join(f"({pattern})" for pattern in patterns) + ")", re.DOTALL)


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
        at = _lex_plain(tokens, pattern, at, end, diagnostics, formula)
        if at is not None:
            at = _lex_template(tokens, pattern, at, end, diagnostics, formula)
    close(tokens, end)
    if formula and "//" in source.text:
        _report_comment(tokens, diagnostics)
    return tokens


def _lex_plain(
    tokens: Tokens, pattern: re.Pattern[str], at: int, end: int, diagnostics: Diagnostics, formula: bool
) -> int | None:
    """The tokens from an offset on up to a template, whose offset is returned, or to the end."""
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
        span, sort = Span(*match.span(group)), _SORTS[group]
        if sort == "template":
            return span.start
        if sort == "end" or not _odd(sort, span, tokens, diagnostics, formula):
            break
    return None


PIECE: Final = re.compile(r'[}"](?:[^"\\$]++|\\.|\$(?!\{))*+(?:"|\$\{)', re.DOTALL)
"""text of a template: from its quote, or the end of a hole, to the next hole, or its other quote"""


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
        levels[-1] += (kind == "{") - (kind == "}")
        if kind:
            _push(tokens, kind, span)
        elif sort == "end":
            _not_closed(tokens, opened[-1], diagnostics)
            return None
        elif not _odd(sort, span, tokens, diagnostics, formula):
            return None
        at = match.end()


def _not_closed(tokens: Tokens, hole: Span, diagnostics: Diagnostics) -> None:
    diagnostics.report("E0111", tokens.source, hole, "this hole is never closed")
    tokens.unclosed = True


def _lex_piece(
    tokens: Tokens, span: Span, levels: list[int], opened: list[Span], diagnostics: Diagnostics
) -> None:
    """A piece of text: it begins a template or ends a hole, and begins a hole or ends a template."""
    text = tokens.source.text[span.start : span.end]
    begins, goes_on = text[0] == '"', text[-1] == "{"
    escape = _BAD_ESCAPE.match(text[1:])
    if escape is not None:
        message = f"unknown escape `{visible(escape[1])}`"
        diagnostics.report("E0105", tokens.source, span, message, _ESCAPE_HELP)
    _push(tokens, TEMPLATE if begins else MIDDLE if goes_on else FINAL, span)
    if not begins:
        levels.pop()
        opened.pop()
    if goes_on:
        levels.append(0)
        opened.append(Span(span.end - 2, span.end))


_COMMENT_HELP: Final = "one `/` divides; the whole part of a quotient is `(x / 2).trunc()`"
_BLOCK: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def _report_comment(tokens: Tokens, diagnostics: Diagnostics) -> None:
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


def close(tokens: Tokens, end: int) -> None:
    """End the lists, and decide from where on the parser shall be silent."""
    _push(tokens, END, Span(end, end))
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


def _push(tokens: Tokens, kind: str, span: Span) -> None:
    tokens.kinds.append(kind)
    tokens.starts.append(span.start)
    tokens.ends.append(span.end)


class _Odd(NamedTuple):
    """How a sort of bad token is reported, and what it is for the parser."""

    code: str
    message: Callable[[str], str]
    kind: str | None
    help: str | None = None


_ESCAPE_HELP: Final = "the escapes are `\\\\ \\n \\t \\r \\\" \\' \\0 \\$`"
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
    "string escape": _Odd("E0105", _unknown_escape, STRING, _ESCAPE_HELP),
    "character escape": _Odd("E0105", _unknown_escape, CHARACTER, _ESCAPE_HELP),
    "several": _Odd(
        "E0104",
        lambda text: "a character literal holds exactly one character",
        CHARACTER,
        'a text is written in double quotes, `"`',
    ),
    "question": _Odd("E0101", _unexpected, None),
    "curly": _Odd("E0101", _unexpected, STRING, 'strings are written in plain quotes, `"`'),
    "foreign": _Odd("E0101", _unexpected, None, "names are written in ASCII letters, digits and `_`"),
    "stray": _Odd("E0101", _unexpected, None),
}


_FOREIGN_HELP: Final = "in a formula a name with other characters stands in backquotes"


def _odd(sort: str, span: Span, tokens: Tokens, diagnostics: Diagnostics, formula: bool) -> bool:
    """Report a bad token and put something in its place; false if lexing ends here."""
    row, text = _ODD[sort], tokens.source.text[span.start : span.end]
    code = "E0102" if text == "/*" else row.code
    shown = Span(span.start, span.start + 1) if row.code == "E0101" else span
    letters = sort == "foreign" and text[0].isalpha()
    # Of a run of characters that mean nothing the first one is reported.
    if letters or not (row.kind is None and _follows_dropped(tokens, span)):
        help = row.help if letters or row.kind else None
        if formula and letters:
            help = _FOREIGN_HELP
        diagnostics.report(code, tokens.source, shown, row.message(text), help)
    if sort == "open":
        tokens.unclosed = True
        return False
    if letters:
        _join_name(tokens, span)
    elif row.kind is not None:
        _push(tokens, row.kind, span)
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
        _push(tokens, NAME, span)
