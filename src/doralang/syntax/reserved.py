"""Constructs reserved for later versions: recognised, so that one clear report (E0220) is given.

They are parsed as they will be written one day (the last grammar of the reference), so that
what stands behind them is parsed, too.
"""

from __future__ import annotations

from doralang.syntax.cursor import DECLARING, OPERAND_STARTS, Cursor
from doralang.syntax.tokens import END, NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

DECLARATIONS: Final = frozenset({"struct", "type", "alias"})
WORDS: Final = frozenset({"module", "import"})
"""Not keywords: names wherever the text makes sense with them as such."""

_NOT_BEHIND_NAME: Final = OPERAND_STARTS | {"!", "{"}


def looks_like_struct(c: Cursor) -> bool:
    """Whether the `{` here, behind a name, begins the fields of a struct literal."""
    if not c.struct_literals:
        return False
    return c.peek() == "}" or (c.peek() == NAME and c.peek(2) == ":")


def reserved_block(c: Cursor) -> None:
    """`struct …`, `type X = …;`, `module m { … }`, `import a::b;`"""
    c.reserve(c.span(), f"`{c.text()}` is")
    skips = c.skips
    c.advance()
    while c.kind not in DECLARING and c.kind not in (";", "{", "}", END) and c.kind not in DECLARATIONS:
        if c.kind == "@" or (c.kind == "let" and c.first_on_line()):
            break
        c.skip()
    if c.kind == "{":
        c.skip()
    c.accept(";")
    c.skips = skips
    c.panic = False


def begins_reserved(c: Cursor) -> bool:
    """Whether a declaration or member here, where no name can stand, is a reserved one."""
    return c.kind in DECLARATIONS or (c.kind == NAME and c.text() in WORDS)


def is_no_name(c: Cursor) -> bool:
    """Whether one of `WORDS` at the start of a statement cannot be a name, by the next token."""
    return c.peek() in _NOT_BEHIND_NAME
