"""Code objects: what a compiler makes of a function, and whoever places code takes."""

from __future__ import annotations

from collections.abc import Sequence

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.places import Chain, Site
from doralang.code.symbols import ENTRY, Symbol, entry_of
from doralang.code.tiers import BASELINE
from doralang.machine.code import Code
from doralang.typing_forms import NamedTuple


class GCPoint(NamedTuple):
    """A place where a frame may be looked at: the return address of a call.

    `slots` are the distances from the frame pointer of the slots that hold live references.  If the function
    was inlined, `callers` are the sites that called it, innermost first.
    """

    offset: int
    function: FunctionRef
    line: int
    slots: tuple[int, ...]
    callers: tuple[Site, ...] = ()

    @property
    def chain(self) -> Chain:
        """The site itself and its callers: what a stack trace shows of the frame, innermost first."""
        return (Site(self.function, self.line), *self.callers)


class CodeObject(NamedTuple):
    """The machine code of a function: shared by all who run it, and never changed.

    It names what is outside of it by symbols (`code.relocations`), so it can be placed anywhere, any number
    of times, stored and read back.
    """

    ref: FunctionRef
    code: Code
    points: Sequence[GCPoint]
    tier: str = BASELINE

    @property
    def live_slots(self) -> list[tuple[int, tuple[int, ...]]]:
        """Offset and slots of the points with live references."""
        return [(offset, slots) for offset, _, _, slots, _ in self.points if slots]

    @property
    def callees(self) -> set[str]:
        """The names of the functions that it refers to."""
        return {symbol[1] for _, _, symbol, _ in self.code.relocations if symbol[0] == ENTRY}  # type: ignore[index]

    @property
    def symbol(self) -> Symbol:
        """That of the entry cell that leads to it."""
        return entry_of(self.ref)
