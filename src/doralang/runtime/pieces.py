"""Pieces of machine code that are written by hand, each assembled once a process.

    piece("stub:enter", assemble)   ->   what `assemble` has made, now or before

A run of stored code has them from the run that has stored it (`native.image`), and loads no assembler.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from doralang.machine.code import Code


class Piece:
    """Code for this processor, and the offsets of several entries in it, if it has them."""

    __slots__ = ("code", "entries")

    def __init__(self, code: Code, entries: list[int] | None = None) -> None:
        self.code = code
        self.entries = entries or []


PIECES: Final[dict[str, Piece]] = {}
MOST_PIECES: Final = 200
"""beyond which they are assembled anew"""


def piece(name: str, assemble: Callable[[], Piece]) -> Piece:
    """A piece by its name, which says everything that it depends on."""
    found = PIECES.get(name)
    if found is None:
        found = assemble()
        if len(PIECES) < MOST_PIECES:
            PIECES[name] = found
    return found
