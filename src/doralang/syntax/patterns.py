"""Parsing patterns: what values are taken apart by (section 5.3 of the reference).

Some((a, _)) | None     ->      AlternativePattern(VariantPattern(Some, TuplePattern(a, _)), None)
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.atoms import character, number, string
from doralang.syntax.cursor import Cursor
from doralang.syntax.tokens import CHARACTER, NAME, NUMBER, STRING
from doralang.syntax.types import parse_type, type_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LITERALS: Final[dict[str, Callable[[Cursor], tree.Expression]]] = {
    NUMBER: number,
    CHARACTER: character,
    STRING: string,
    "true": lambda c: tree.Boolean(c.take(), True),
    "false": lambda c: tree.Boolean(c.take(), False),
    "nil": lambda c: tree.Nil(c.take()),
}
_RANGES: Final = frozenset({"..", "..="})
_BEHIND_NAME: Final = frozenset({"(", "::", "@", *_RANGES})


def begins_pattern(c: Cursor) -> bool:
    """Whether something else than a plain name stands here, where `let`, `var` and `for` have one."""
    if c.kind is NAME:
        return c.peek() in _BEHIND_NAME
    return c.kind == "(" or c.kind == "_" or c.kind == "-" or c.kind in _LITERALS


def pattern(c: Cursor) -> tree.Pattern:
    """`P | Q`"""
    first = simple_pattern(c, typed=True)
    if c.kind != "|":
        return first
    start = first.extent.start
    options, bars = [first], []
    while c.kind == "|":
        bars.append(c.take())
        options.append(simple_pattern(c, typed=True))
    return c.spanning(tree.AlternativePattern(first.span, options, bars), start)


def simple_pattern(c: Cursor, *, typed: bool = False) -> tree.Pattern:
    """A pattern without alternatives, as `let`, `var` and `for` have it; `typed` permits `x: C`."""
    start = c.starts[c.at]
    if c.kind is NAME:
        return c.spanning(named_pattern(c, typed), start)
    if c.kind == "_":
        span = c.take()
        if typed and c.accept(":"):
            return c.spanning(tree.TypedPattern(span, "", parse_type(c)), start)
        return tree.AnyPattern(span)
    if c.kind == "(":
        return c.deeper(tuple_pattern)
    if c.kind == "-" or c.kind in _LITERALS:
        return c.spanning(bounded(c, bound(c)), start)
    c.fail("E0218", "a pattern")
    return tree.InvalidPattern(c.span())


def named_pattern(c: Cursor, typed: bool) -> tree.Pattern:
    """What begins with a name: a variable, constant or variant."""
    at = c.at
    span, name = c.tokens.span(at), c.take_text()
    if c.kind == "@":
        c.advance()
        return tree.BoundPattern(span, name, c.deeper(lambda c: simple_pattern(c, typed=typed)))
    if c.kind == ":" and typed:
        c.advance()
        return tree.TypedPattern(span, name, parse_type(c))
    if c.kind in _RANGES:
        return bounded(c, tree.Name(span, name))
    owner, name_span = "", span
    types: list[tree.Type] = []
    if c.kind == "::" and c.peek() == "<":
        c.advance()
        types = type_arguments(c)
    if c.kind == "::":
        c.advance()
        owner, name_span = name, c.span()
        name = c.name()
    if c.kind == "(":
        inner, rest = c.deeper(parts)
        return tree.VariantPattern(span, owner, name, name_span, inner, rest, types)
    if owner or types:
        return tree.VariantPattern(span, owner, name, name_span, None, False, types)
    return tree.NamePattern(span, name)


def bound(c: Cursor) -> tree.Expression:
    """An end of a range, or a literal by itself."""
    if c.kind is NAME:
        at = c.at
        return tree.Name(c.tokens.span(at), c.take_text())
    if c.kind == "-":
        span = c.take()
        if c.kind is NUMBER:
            return c.spanning(tree.Unary(span, "-", number(c)), span.start)
    elif c.kind in _LITERALS:
        return _LITERALS[c.kind](c)
    c.fail("E0218", "a pattern")
    return tree.InvalidExpression(c.span())


def bounded(c: Cursor, low: tree.Expression) -> tree.Pattern:
    """A literal, or the range that begins with it."""
    if c.kind not in _RANGES:
        invalid = isinstance(low, tree.InvalidExpression)
        return tree.InvalidPattern(low.span) if invalid else tree.LiteralPattern(low.span, low)
    closed = c.kind == "..="
    c.advance()
    high = bound(c)
    if isinstance(low, tree.InvalidExpression) or isinstance(high, tree.InvalidExpression):
        return tree.InvalidPattern(low.span)
    return tree.RangePattern(low.span, low, high, closed)


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
        c.skip_past(")")
    return inner, rest
