"""Parsing literals: what expressions and patterns are made of in the end."""

from __future__ import annotations

from doralang.syntax import literals, tree
from doralang.syntax.cursor import Cursor


def number(c: Cursor) -> tree.Expression:
    at = c.at
    kind, value, bits = literals.number(
        c.source.text[c.starts[at] : c.ends[at]], formula=c.formula is not None
    )
    return tree.Number(c.take(), kind, value, bits)


def character(c: Cursor) -> tree.Expression:
    value = literals.string(c.text())
    return tree.Character(c.take(), ord(value) if len(value) == 1 else 0)


def string(c: Cursor) -> tree.Expression:
    value = literals.string(c.text())
    return tree.Text(c.take(), value)
