"""Files whose functions are read when somebody needs them: lexed but for the bodies of functions.

A body is one token `BODY`, which is found by its braces alone.

    fun f(x: int) { return x; }     ->      fun NAME ( NAME : NAME ) BODY END
"""

from __future__ import annotations

import re

from doralang.syntax.lexer import PIECE, PLAIN, TOKEN, close, lex
from doralang.syntax.tokens import BODY, FIXED, Tokens
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_HEADS: Final = frozenset({"fun", "init"})

_NESTING: Final = re.compile(
    r"""[{}]|"(?:[^"\\$]++|\\.|\$(?!\{))*+(?:"|(\$\{))|'(?:[^'\\]|\\.)'|//[^\n]*+|/\*.*?\*/""", re.DOTALL
)
"""a brace, or what may contain some; the group matches where a template has its first hole"""


def lex_headers(source: Source, diagnostics: Diagnostics, part: Span | None = None) -> Tokens:
    """The tokens of a source, or of a part of it, with its bodies left out.  With a bad token, or a hole in a
    header, none is left out."""
    start, end = part or (0, len(source.text))
    tokens = Tokens(source, [], [], [], set(), 0, False)
    at: int | None = start
    while at is not None and at >= 0:
        at = lex_to_body(tokens, at, end)
    if at is not None:
        return lex(source, diagnostics, part=part)
    close(tokens, end)
    return tokens


def lex_head(source: Source, diagnostics: Diagnostics, part: Span) -> Tokens:
    """The tokens of a declaration up to its brace, which is followed by the one that closes it."""
    brace = source.text.find("{", *part)
    tokens = lex(source, diagnostics, part=part if brace < 0 else Span(part.start, brace + 1))
    if tokens.kinds[-2:-1] == ["{"]:  # and not in a comment behind it
        tokens.kinds.insert(-1, "}")
        tokens.starts.insert(-1, brace + 1)
        tokens.ends.insert(-1, brace + 1)
    return tokens


def lex_to_body(tokens: Tokens, at: int, end: int) -> int | None:
    """The tokens from an offset on up to and with the next body, behind which to go on.

    None at the end of the part; -1 for a bad token or a template, and for a body without an end.
    """
    text, kinds, starts, ends = tokens.source.text, tokens.kinds, tokens.starts, tokens.ends
    in_header = False
    for match in TOKEN.finditer(text, at, end):
        group = match.lastindex
        assert group is not None, "some group always matches"
        kind = FIXED.get(match[group]) or PLAIN[group]
        if kind is None:
            return None if match.start(group) == end else -1
        kinds.append(kind)
        starts.append(match.start(group))
        ends.append(match.end())
        if in_header and kind == "{":
            kinds[-1], ends[-1] = BODY, end_of_block(text, starts[-1])
            return ends[-1]
        in_header = kind in _HEADS or (in_header and kind != ";")
    return None


def end_of_block(text: str, at: int) -> int:
    """The offset behind the `}` that closes the `{` at an offset; -1 if there is none."""
    level, around = 0, []
    while True:
        match = _NESTING.search(text, at)
        if match is None:
            return -1
        at = match.end()
        if match[1]:
            around.append(level)
            level = 0
        elif match[0] == "{":
            level += 1
        elif match[0] == "}" and (level or not around):
            level -= 1
            if not level and not around:
                return at
        elif match[0] == "}":
            piece = PIECE.match(text, match.start())
            if piece is None:
                return -1
            at = piece.end()
            level = level if text[at - 1] == "{" else around.pop()
