"""Tokens of a formula to its tree: the entry point for formulas, which programs do not need."""

from __future__ import annotations

from doralang.syntax import tree
from doralang.syntax.cursor import Cursor, NestedTooDeep
from doralang.syntax.expressions import full_expression
from doralang.syntax.formulas import operation, report_rest
from doralang.syntax.lexer import lex
from doralang.syntax.statements import block
from doralang.syntax.tokens import END
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def parse_formula(source: Source, diagnostics: Diagnostics) -> tree.Expression:
    """The tree of a formula (reference 1.5): one expression and nothing else."""
    tokens = lex(source, diagnostics, formula=True)
    c = Cursor(tokens, diagnostics, block, formula=operation)
    try:
        parsed = full_expression(c)
    except NestedTooDeep:
        return tree.InvalidExpression(c.span())
    if c.kind is not END:
        report_rest(c)
        return tree.InvalidExpression(c.span())
    return tree.InvalidExpression(parsed.span) if c.skips else parsed
