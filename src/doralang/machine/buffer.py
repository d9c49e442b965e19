"""The code buffer: bytes in the making, with labels, constants, relocations and comments.

Every assembler appends to one `Buffer`; `finish` lays what was put off behind the body and
closes all references:

    body                      what was emitted in order
    out-of-line blocks        slow paths, in the order they were put off
    constants                 8-, 16- and 4-byte data, each value once

A label is a number.  A reference to a label that is not bound yet is a `Fixup`: the place and a
function of the processor's that writes the distance there once it is known.  What lies outside
of the code (other functions, cells, natives) is named by symbol and left to a `Relocation`, which
whoever places the code resolves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from doralang.machine.code import Code, Relocation
from doralang.typing_forms import NewType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Label = NewType("Label", int)

Patch = Callable[[bytearray, int, int], None]
"""Write into the code, at this offset, the reference to that target offset."""

UNBOUND: Final = -1


class Tabled(bytearray):
    """Code with the table of its constants behind it, which can be taken apart."""

    table: int
    """where the constants begin"""
    references: list[tuple[int, Patch, int]]
    """what refers to them: where, how, and to which place"""

    def alone(self, distance: int) -> bytearray:
        """The code without the table, which begins so far behind its start."""
        code = self[: self.table]
        for offset, patch, place in self.references:
            patch(code, offset, distance + place - self.table)
        return code


class Buffer:
    """Bytes in the making.  One buffer makes one `Code`."""

    FILLER: bytes = b"\0"
    """What the space before the constants is filled with: an instruction that traps."""

    __slots__ = ("code", "comments", "constants", "deferred", "fixups", "positions", "relocations")

    def __init__(self) -> None:
        self.code = bytearray()
        self.positions: list[int] = []
        self.fixups: list[tuple[int, Label, Patch]] = []
        self.deferred: list[Callable[[], None]] = []
        self.constants: dict[bytes, Label] = {}
        self.relocations: list[Relocation] = []
        self.comments: list[tuple[int, str]] = []

    @property
    def position(self) -> int:
        """The offset of the next instruction."""
        return len(self.code)

    def label(self) -> Label:
        """A new label, to be bound later."""
        label = len(self.positions)
        self.positions.append(UNBOUND)
        return label  # type: ignore[return-value]  # `Label` would be one more call

    def labels(self, count: int) -> Sequence[Label]:
        """New labels, to be bound later."""
        first = len(self.positions)
        self.positions += [UNBOUND] * count
        return range(first, first + count)  # type: ignore[return-value]

    def bind(self, label: Label) -> None:
        """Let `label` stand for the next instruction."""
        assert self.positions[label] == UNBOUND, f"label {label} is bound already"
        self.positions[label] = len(self.code)

    def bound(self) -> Label:
        """A new label that stands for the next instruction."""
        label = len(self.positions)
        self.positions.append(len(self.code))
        return label  # type: ignore[return-value]

    def append(self, instructions: bytes) -> None:
        """Emit what was encoded before."""
        self.code += instructions

    def comment(self, text: str) -> None:
        """Attach a line of text to the next instruction."""
        self.comments.append((len(self.code), text))

    def out_of_line(self, emit: Callable[[], None]) -> None:
        """Put off a block: `emit` is called when the body is complete, and may put off more."""
        self.deferred.append(emit)

    def constant(self, data: bytes) -> Label:
        """The label of 4, 8, 16 or 32 bytes of data behind the code, aligned to their size, up to 16."""
        label = self.constants.get(data)
        if label is None:
            assert len(data) in (4, 8, 16, 32), f"a constant of {len(data)} bytes"
            label = self.constants[data] = self.label()
        return label

    def relocate(self, offset: int, kind: str, symbol: Hashable, addend: int = 0) -> None:
        """Note that the field at `offset` depends on the address of `symbol`."""
        self.relocations.append((offset, kind, symbol, addend))

    def finish(self) -> Code:
        """Emit what was put off, lay out the constants, close all references to labels."""
        for emit in self.deferred:  # grows while it is walked
            emit()
        self.deferred = []  # the blocks know this buffer: freeing it must not wait for the cyclic collector
        body_size = len(self.code)
        self._place_constants()
        code, positions = self.code, self.positions
        assert UNBOUND not in positions, f"label {positions.index(UNBOUND)} was never bound"
        for offset, label, patch in self.fixups:
            patch(code, offset, positions[label])
        return Code(code, body_size, self.relocations, self.comments)

    def finish_tabled(self) -> Tabled:
        """The same, for who may want the constants elsewhere."""
        labels = {*self.constants.values()}
        made = Tabled(self.finish().data)
        made.table = min([self.positions[label] for label in labels], default=len(made))
        made.references = [
            (offset, patch, self.positions[label]) for offset, label, patch in self.fixups if label in labels
        ]
        return made

    def _place_constants(self) -> None:
        """Largest first, so that one alignment serves all."""
        if not self.constants:
            return
        code = self.code
        code += self.FILLER * (-len(code) % 16 // len(self.FILLER))
        for data, label in sorted(self.constants.items(), key=_size, reverse=True):
            self.positions[label] = len(code)
            code += data


def _size(item: tuple[bytes, Label]) -> int:
    return len(item[0])
