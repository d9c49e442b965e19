"""Parsing lambdas, functions as operands, and what calls a value (section 11.11 of the reference).

|x, (a, b): (int, int)| x + a * b       ->      Lambda([x, (a, b): (int, int)], x + a * b)
|| throws -> int { … }                  ->      Lambda([], throws, int, { … })
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import Cursor
from doralang.syntax.patterns import begins_pattern, simple_pattern
from doralang.syntax.tokens import NAME
from doralang.syntax.types import parse_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PARAMETER_STARTS: Final = frozenset({NAME, "_", "("})


def begins_lambda(c: Cursor) -> bool:
    """Whether `|` or `||`, found in place of an operand, begins a lambda."""
    return c.kind == "||" or c.peek() in _PARAMETER_STARTS or c.peek() == "|"


def begins_call(c: Cursor) -> bool:
    """Whether the `(` here calls the operand before it: on a line of its own it begins a statement."""
    return not c.formula and not c.first_on_line()


def lambda_expression(c: Cursor, expression: Callable[[Cursor], tree.Expression]) -> tree.Expression:
    """A lambda; what is no block behind its parameters is all that `expression` takes."""
    span = c.span()
    parameters: list[tree.LambdaParameter] = []
    if not c.accept("||"):
        c.advance()
        parameters = c.comma_list("|", _parameter, _PARAMETER_STARTS)
    throws = c.accept("throws")
    result = parse_type(c) if c.accept("->") else None
    literals = c.struct_literals
    if c.kind == "{" or result is not None:
        c.struct_literals = True
        body: tree.Block | tree.Expression = c.block(c)
        c.struct_literals = literals
    else:
        body = expression(c)
    return c.spanning(tree.Lambda(span, parameters, throws, result, body), span.start)


def _parameter(c: Cursor) -> tree.LambdaParameter:
    """`x`, `_`, `(a, b)`, `V(a)`, each with or without `: T`"""
    start = c.starts[c.at]
    skips, fails = c.skips, c.fails
    pattern: tree.Pattern
    if c.kind is NAME and not begins_pattern(c):
        at = c.at
        pattern = tree.NamePattern(c.tokens.span(at), c.take_text())
    else:
        pattern = simple_pattern(c)
    if c.skips != skips or c.fails != fails:
        pattern = tree.InvalidPattern(pattern.span)
    declared = parse_type(c) if c.accept(":") else None
    return c.spanning(tree.LambdaParameter(pattern.span, pattern, declared), start)
