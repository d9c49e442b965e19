"""Files whose functions are read when somebody needs them: lexed but for the bodies of functions.

A body is one token `BODY`, which is found by its braces alone.

    fun f(x: int) { return x; }     ->      fun NAME ( NAME : NAME ) BODY END
"""

from __future__ import annotations

import re
from typing import Final

from doralang.syntax.lexer import PIECE, close, lex, next_token
from doralang.syntax.tokens import BODY, Tokens
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

_HEADS: Final = frozenset({"fun", "init"})

_NESTING: Final = re.compile(
    r"""[{}]|"(?:[^"\\$]++|\\.|\$(?!\{))*+(?:"|(\$\{))|'(?:[^'\\]|\\.)'|//[^\n]*+|/\*.*?\*/""", re.DOTALL
)
"""a brace, or what may contain some; the group matches where a template has its first hole"""


def lex_headers(source: Source, diagnostics: Diagnostics) -> Tokens:
    """The tokens of a source with its bodies left out.  In one with a lexical error, or a hole in a header,
    none is left out."""
    tokens = Tokens(source, [], [], [], set(), 0, False)
    kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
    at, in_header = 0, False
    while True:
        kind, start, at = next_token(source.text, at)
        if kind == "{" and in_header:
            kind, at = BODY, end_of_block(source.text, start)
        if kind is None or at < 0:
            break
        kinds.append(kind)
        starts.append(start)
        ends.append(at)
        in_header = kind in _HEADS or (in_header and kind is not BODY and kind != ";")
    if start < len(source.text):
        return lex(source, diagnostics)
    close(tokens, start)
    return tokens


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
