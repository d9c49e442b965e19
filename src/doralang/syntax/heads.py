"""Heads, what stands before the `{` of a body: where they end, and what may not stand in them.

match (a, b) { … }      begins a `match`: decided by the tokens behind the word
match(a, b) + 1         calls a function of that name
while { a } { … }       a block in a head, which is one error
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import OPENING, OPERAND_STARTS, STATEMENT_KEYWORDS, Cursor
from doralang.syntax.tokens import ASSIGNMENTS, END, FINAL, MIDDLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MATCH: Final = "match"
"""A word that begins a `match` where no name of that spelling can be meant."""
_HEAD_STARTS: Final = OPERAND_STARTS | {"!", "if"}
_UNCLEAR_STARTS: Final = frozenset({"(", "[", "+", "-"})
_NOT_IN_HEAD: Final = frozenset({"{", "}", ";", ")", "]", "=>", MIDDLE, FINAL, END, *ASSIGNMENTS})


def begins_match(c: Cursor) -> bool:
    """Whether a `match` whose name was just passed is no name: a head and a `{` come behind it.

    In the head of an `if`, loop or `match` a `{` behind brackets is that of its body.
    """
    if c.kind in _HEAD_STARTS:
        return True
    return c.kind in _UNCLEAR_STARTS and c.struct_literals and body_follows(c, c.at)


def body_follows(c: Cursor, at: int) -> bool:
    """Whether a head that goes on at a token ends in front of a `{`."""
    kinds, angles = c.kinds, 0
    while not ends_head(c, at, angles):
        angles = max(0, angles + opened_angles(c, at, angles))
        at = c.matching(at) if kinds[at] in OPENING else at
        at = min(at + 1, len(kinds) - 1)
    return kinds[at] == "{"


def behind_value(c: Cursor) -> int:
    """The token behind the block, `if` or `match` that begins at the cursor."""
    kinds, at, last = c.kinds, c.at, len(c.kinds) - 1
    while True:
        while kinds[at] not in ("{", "}", ";", END):
            at = min(c.matching(at) + 1, last) if kinds[at] in OPENING else at + 1
        if kinds[at] != "{":
            return at
        at = c.matching(at)
        if kinds[at] is END or kinds[at + 1] != "else":
            return min(at + 1, last)
        at += 1


def ends_head(c: Cursor, at: int, angles: int) -> bool:
    """Whether no head goes on with a token: a `,` needs type arguments around it, `else` a `try`."""
    kind = c.kinds[at]
    if kind == ",":
        return angles == 0
    if kind == "else":
        return "try" not in c.kinds[c.at : at]
    return kind in _NOT_IN_HEAD or kind in STATEMENT_KEYWORDS


def opened_angles(c: Cursor, at: int, angles: int) -> int:
    """How many lists of type arguments a token opens, or closes: those behind `::`, `is` and `as`."""
    kind = c.kinds[at]
    if kind == "<":
        return int(angles > 0 or c.kinds[at - 1] == "::" or c.kinds[at - 2] in ("is", "as"))
    return -len(kind) if angles and kind in (">", ">>", ">>>") else 0


# Statements with a value.


def may_hold_statements(c: Cursor) -> bool:
    """In the head of an `if` or loop a `{` begins the body; and formulas have no statements."""
    return c.struct_literals and not c.formula


def value_in_head(c: Cursor, value: Callable[[Cursor], tree.Expression]) -> tree.Expression:
    """A block, `if` or `match` where none may stand: read all the same if the body comes behind it."""
    invalid = no_expression(c)
    if c.formula or not body_follows(c, behind_value(c)):
        return invalid
    c.panic, c.struct_literals = False, True
    found = value(c)
    c.struct_literals = False
    return found


def no_expression(c: Cursor) -> tree.Expression:
    c.fail("E0203", "an expression")
    return tree.InvalidExpression(c.span())
