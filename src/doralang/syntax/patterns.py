"""Parsing patterns: what values are taken apart by (section 5.3 of the reference).

(a, (b, _))     ->      TuplePattern(a, TuplePattern(b, _))
"""

from __future__ import annotations

from doralang.syntax import tree
from doralang.syntax.cursor import Cursor
from doralang.syntax.tokens import NAME


def pattern(c: Cursor) -> tree.Pattern:
    return simple_pattern(c)


def simple_pattern(c: Cursor) -> tree.Pattern:
    """A pattern without alternatives, as `let`, `var` and `for` have it."""
    if c.kind == NAME:
        at = c.at
        return tree.NamePattern(c.tokens.span(at), c.take_text())
    if c.kind == "_":
        return tree.AnyPattern(c.take())
    if c.kind == "(":
        return c.deeper(tuple_pattern)
    c.fail("E0218", "a pattern")
    return tree.InvalidPattern(c.span())


def tuple_pattern(c: Cursor) -> tree.Pattern:
    """`(P, Q)`; `(P)` is `P`"""
    span = c.span()
    inner, rest = parts(c)
    if len(inner) == 1 and not rest:
        return c.spanning(inner[0], span.start)
    return c.spanning(tree.TuplePattern(span, inner, rest), span.start)


def parts(c: Cursor) -> tuple[list[tree.Pattern], bool]:
    """`(P, Q)`, `(P, ..)`; also tells whether it ends in `..`."""
    c.advance()
    inner: list[tree.Pattern] = []
    rest = False
    while c.kind != ")" or not inner:
        rest = c.accept("..")
        if rest:
            break
        inner.append(pattern(c))
        if not c.accept(","):
            break
    if not c.expect(")") and c.closes_later(")"):
        while not c.accept(")"):
            c.skip()
    return inner, rest
