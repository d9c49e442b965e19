"""Parsing types: `int`, `Array<Pair<Str, T>>`, `()`, `(A, B)`, `(A) throws -> B`, `Self`."""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import Cursor
from doralang.syntax.tokens import NAME
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    T = TypeVar("T")

LONGER_ANGLES: Final = frozenset({">>", ">>>", ">=", ">>=", ">>>="})
TYPE_STARTS: Final = frozenset({NAME, "Self", "("})
_BEHIND_PARAMETERS: Final = frozenset({"->", "throws"})
MOST_ELEMENTS: Final = 8
"""of a tuple"""


def parse_type(c: Cursor) -> tree.Type:
    if c.kind == NAME:
        start, at = c.starts[c.at], c.at
        name = c.take_text()
        if c.kind == "::" and c.peek() == "<":
            # The form of expressions: say so, and go on as if the `::` were not there.
            c.fail("E0201", "`<`")
            c.advance()
        if c.kind != "<":
            return tree.NamedType(c.tokens.span(at), name, [])
        arguments = type_arguments(c)
        return tree.NamedType(Span(start, closing_end(c)), name, arguments)
    if c.kind == "Self":
        return tree.SelfType(c.take())
    if c.kind == "(":
        return parenthesised(c)
    c.fail("E0204", "a type")
    return tree.InvalidType(c.span())


def closing_end(c: Cursor) -> int:
    """The end of what was passed last, which may be the first part of the current token."""
    return c.starts[c.at] if c.split == c.at else c.ends[c.at - 1]


def type_arguments(c: Cursor) -> list[tree.Type]:
    """`<A, B>`; the cursor is at the `<`."""
    return c.deeper(_type_arguments)


def explicit_types(c: Cursor) -> list[tree.Type]:
    """`::<A, B>`; the cursor is at the `::`."""
    c.advance()
    if c.kind == "<":
        return type_arguments(c)
    c.expect("<")
    return []


def _type_arguments(c: Cursor) -> list[tree.Type]:
    return angle_list(c, parse_type, TYPE_STARTS)


def angle_list(c: Cursor, element: Callable[[Cursor], T], starts: frozenset[str]) -> list[T]:
    """Elements between `<` and `>`; like `comma_list`, but the end may be part of a token."""
    c.advance()
    elements: list[T] = []
    while c.kind[0] != ">":
        before = c.at
        elements.append(element(c))
        if c.kind == ",":
            c.panic = c.panic and c.at == before
            c.advance()
        elif c.kind[0] == ">" or not c.bridge(">", starts, c.at != before):
            break
    close_angle(c)
    return elements


def close_angle(c: Cursor) -> None:
    """Go past a `>`, which may be the first character of a longer token."""
    if c.kind in LONGER_ANGLES:
        c.starts[c.at] += 1
        c.split = c.at
        c.kind = c.kinds[c.at] = c.kind[1:]
        return
    c.expect(">")


def parenthesised(c: Cursor) -> tree.Type:
    """`()`, `(T)`, `(A, B)`, or a function type."""
    start = c.starts[c.at]
    if c.peek() == ")" and c.peek(2) not in _BEHIND_PARAMETERS:
        c.advance()
        return tree.UnitType(Span(start, c.take().end))
    elements = c.deeper(_elements)
    if c.kind in _BEHIND_PARAMETERS:
        return function_type(c, start, elements)
    if len(elements) == 1:
        return elements[0]
    span = Span(start, closing_end(c))
    if len(elements) > MOST_ELEMENTS:
        too_many_elements(c, Span(start, start + 1))
        return tree.InvalidType(span)
    return tree.TupleType(span, elements)


def _elements(c: Cursor) -> list[tree.Type]:
    c.advance()
    return c.comma_list(")", parse_type, TYPE_STARTS)


def too_many_elements(c: Cursor, span: Span) -> None:
    c.report("E0219", span, f"a tuple has at most {MOST_ELEMENTS} elements")


def function_type(c: Cursor, start: int, parameters: list[tree.Type]) -> tree.Type:
    """`throws -> B` behind the types of parameters"""
    throws = c.accept("throws")
    c.expect("->")
    result = c.deeper(parse_type)
    return tree.FunctionType(Span(start, closing_end(c)), parameters, throws, result)


def complete_type(c: Cursor) -> tree.Type:
    """A type; invalid as a whole if a part of it had to be skipped or was missing."""
    skips, fails = c.skips, c.fails
    start = c.span()
    parsed = parse_type(c)
    if c.skips == skips and c.fails == fails:
        return parsed
    c.skips = skips
    return tree.InvalidType(start)


def annotated_type(c: Cursor) -> tree.Type:
    """`: T`"""
    if c.expect(":"):
        return complete_type(c)
    if c.kind in TYPE_STARTS and not c.first_on_line():
        # The colon is missing, or type and name are the wrong way round.
        span = c.span()
        complete_type(c)
        return tree.InvalidType(span)
    return tree.InvalidType(c.span())
