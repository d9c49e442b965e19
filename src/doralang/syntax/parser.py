"""Tokens to tree: the entry points of the parser, a recursive descent that recovers from errors.

The grammar is section 17 of the reference; each module parses a part of it and uses only those
before it: `types`, `expressions`, `statements`, `members`, `declarations`.  `cursor` says how
errors are survived.

    fun f(x: int) { return x; }     ->      Function(f, [Parameter(x, int)], Block([Return(Name(x))]))
"""

from __future__ import annotations

from doralang.syntax import tree
from doralang.syntax.cursor import Cursor
from doralang.syntax.declarations import file
from doralang.syntax.headers import lex_head, lex_headers
from doralang.syntax.lexer import lex
from doralang.syntax.statements import block
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source, Span


def parse_file(source: Source, diagnostics: Diagnostics, *, lazy: bool = False) -> tree.File:
    """The tree of a whole file.  `lazy` leaves the bodies of functions to be read on demand."""
    tokens = lex_headers(source, diagnostics) if lazy else lex(source, diagnostics)
    return file(Cursor(tokens, diagnostics, block))


def parse_declaration(
    source: Source, diagnostics: Diagnostics, part: Span, *, head: bool = False
) -> tree.Declaration:
    """The tree of one declaration of a file, whose bodies are left to be read on demand.

    `head` leaves out all members.
    """
    tokens = (lex_head if head else lex_headers)(source, diagnostics, part)
    return file(Cursor(tokens, diagnostics, block)).declarations[0]
