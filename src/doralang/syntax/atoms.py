"""Parsing literals, which expressions and patterns are made of in the end, and indexes of tuples."""

from __future__ import annotations

from doralang.syntax import literals, tree
from doralang.syntax.cursor import Cursor
from doralang.text.source import Span


def number(c: Cursor) -> tree.Expression:
    at = c.at
    kind, value, bits = literals.number(
        c.source.text[c.starts[at] : c.ends[at]], formula=c.formula is not None
    )
    return tree.Number(c.take(), kind, value, bits)


def character(c: Cursor) -> tree.Expression:
    value, span = literals.string(c.text()), c.take()
    if len(value) != 1:  # as the lexer has reported; it may be meant for a text
        return tree.InvalidExpression(span)
    return tree.Character(span, ord(value))


def string(c: Cursor) -> tree.Expression:
    value = literals.string(c.text())
    return tree.Text(c.take(), value)


def element_of_tuple(c: Cursor, receiver: tree.Expression, start: int) -> tree.Expression:
    """`.0`, or `.0.1`, of which the lexer has made a fraction"""
    first, _, second = c.text().partition(".")
    if not (first.isdigit() and (second.isdigit() or not second)) or c.text().endswith("."):
        c.name()
        return tree.Member(Span(start, start + 1), receiver, "")
    at = c.take().start
    element = tree.Member(Span(start, at + len(first)), receiver, first)
    if not second:
        return element
    element.start, element.end = start, at + len(first)
    return tree.Member(Span(at + len(first), c.ends[c.at - 1]), element, second)
