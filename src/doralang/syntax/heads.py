"""Whether a `match` is the word that begins one or a name: decided by the tokens behind it.

match (a, b) { … }      begins a `match`
match(a, b) + 1         calls a function of that name
"""

from __future__ import annotations

from typing import Final

from doralang.syntax.cursor import OPENING, OPERAND_STARTS, STATEMENT_KEYWORDS, Cursor
from doralang.syntax.tokens import ASSIGNMENTS, END, FINAL, MIDDLE

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
    if c.kind not in _UNCLEAR_STARTS or not c.struct_literals:
        return False
    kinds, at, angles = c.kinds, c.at, 0
    while not ends_head(c, at, angles):
        angles = max(0, angles + opened_angles(c, at, angles))
        at = c.matching(at) if kinds[at] in OPENING else at
        at = min(at + 1, len(kinds) - 1)
    return kinds[at] == "{"


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
