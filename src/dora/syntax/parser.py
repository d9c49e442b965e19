"""Tokens to tree: the entry points of the parser, a recursive descent that recovers from errors.

The grammar is section 17 of the reference; each module parses a part of it and uses only those
before it: `types`, `expressions`, `statements`, `members`, `declarations`.  `cursor` says how
errors are survived.

    fun f(x: int) { return x; }     ->      Function(f, [Parameter(x, int)], Block([Return(Name(x))]))
"""

from __future__ import annotations

from dora.syntax import tree
from dora.syntax.cursor import Cursor, NestedTooDeep
from dora.syntax.declarations import file
from dora.syntax.expressions import full_expression
from dora.syntax.lexer import lex
from dora.syntax.statements import block
from dora.syntax.tokens import END
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source


def parse_file(source: Source, diagnostics: Diagnostics, *, lazy: bool = False) -> tree.File:
    """The tree of a whole file.  `lazy` leaves the bodies of functions to be parsed on demand."""
    return file(Cursor(lex(source, diagnostics), diagnostics, block, lazy=lazy))


def parse_formula(source: Source, diagnostics: Diagnostics) -> tree.Expression:
    """The tree of a formula (reference 1.5): one expression and nothing else."""
    tokens = lex(source, diagnostics, formula=True)
    c = Cursor(tokens, diagnostics, block, formula=True)
    try:
        parsed = full_expression(c)
    except NestedTooDeep:
        return tree.InvalidExpression(c.span())
    if c.kind is not END:
        c.fail("E0201", "end of formula")
        return tree.InvalidExpression(c.span())
    return parsed
