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
from enum import Enum
from typing import Final, NamedTuple, NewType

Label = NewType("Label", int)

Patch = Callable[[bytearray, int, int], None]
"""Write into the code, at this offset, the reference to that target offset."""

UNBOUND: Final = -1


class RangeError(Exception):
    """A value does not fit the field of the instruction that should hold it."""


class RelocationKind(Enum):
    """How the address S of a symbol plus the addend A is written at place P."""

    ABSOLUTE_64 = "S + A, 8 bytes"
    RELATIVE_32 = "S + A - P, 4 bytes, signed"
    CALL_26 = "S + A - P in words, 26 bits, signed: bl, b"
    PAGE_21 = "page of S + A - page of P in pages, 21 bits, signed: adrp"
    LOW_12 = "S + A within its page, 12 bits: add"
    LOW_12_OF_4 = "S + A within its page in words of 4 bytes: ldr"
    LOW_12_OF_8 = "S + A within its page in words of 8 bytes: ldr"
    LOW_12_OF_16 = "S + A within its page in words of 16 bytes: ldr"


Relocation = tuple[int, RelocationKind, Hashable, int]
"""Offset, kind, symbol, addend: a place in the code that depends on where something else lies."""

ABSOLUTE_64: Final = RelocationKind.ABSOLUTE_64
RELATIVE_32: Final = RelocationKind.RELATIVE_32
CALL_26: Final = RelocationKind.CALL_26
PAGE_21: Final = RelocationKind.PAGE_21
LOW_12: Final = RelocationKind.LOW_12
LOW_12_OF_4: Final = RelocationKind.LOW_12_OF_4
LOW_12_OF_8: Final = RelocationKind.LOW_12_OF_8
LOW_12_OF_16: Final = RelocationKind.LOW_12_OF_16


class Code(NamedTuple):
    """A finished piece of machine code, to be relocated and placed at a multiple of 64.

    `body_size` is where the instructions end and the constants begin.
    """

    data: bytearray
    body_size: int
    relocations: list[Relocation]
    comments: list[tuple[int, str]]


def link(code: Code, address: int, resolve: Callable[[Hashable], int]) -> bytearray:
    """The bytes of `code` as they must be at `address`; `resolve` gives the addresses of symbols.

    Raises RangeError if a symbol is too far from a place that must be near.
    """
    data = bytearray(code.data)
    for offset, kind, symbol, addend in code.relocations:
        RELOCATE[kind](data, offset, resolve(symbol) + addend, address + offset, symbol)
    return data


def write_absolute(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
    data[offset : offset + 8] = value.to_bytes(8, "little")


def write_relative(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
    distance = value - place
    if not -0x8000_0000 <= distance < 0x8000_0000:
        raise RangeError(f"{symbol} is {distance} bytes away")
    data[offset : offset + 4] = distance.to_bytes(4, "little", signed=True)


def set_bits(data: bytearray, offset: int, mask: int, bits: int) -> None:
    """Replace the bits of `mask` in a word of 4 bytes: the code may have been bound before."""
    word = int.from_bytes(data[offset : offset + 4], "little") & ~mask | bits
    data[offset : offset + 4] = word.to_bytes(4, "little")


def write_call(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
    words = value - place >> 2
    if value & 3 or not -1 << 25 <= words < 1 << 25:
        raise RangeError(f"{symbol} is {value - place} bytes away")
    set_bits(data, offset, 0x3FF_FFFF, words & 0x3FF_FFFF)


def write_page(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
    """The two low bits of the distance stand apart from the others."""
    pages = (value >> 12) - (place >> 12)
    if not -1 << 20 <= pages < 1 << 20:
        raise RangeError(f"{symbol} is {pages} pages away")
    set_bits(data, offset, 0x60FF_FFE0, (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5)


def write_low(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
    set_bits(data, offset, 0x3F_FC00, (value & 0xFFF) << 10)


def write_low_of(size: int) -> Callable[[bytearray, int, int, int, Hashable], None]:
    """In words of so many bytes."""

    def write(data: bytearray, offset: int, value: int, place: int, symbol: Hashable) -> None:
        if value % size:
            raise RangeError(f"{symbol} is no multiple of {size}")
        set_bits(data, offset, 0x3F_FC00, (value & 0xFFF) // size << 10)

    return write


RELOCATE: Final[dict[RelocationKind, Callable[[bytearray, int, int, int, Hashable], None]]] = {
    ABSOLUTE_64: write_absolute,
    RELATIVE_32: write_relative,
    CALL_26: write_call,
    PAGE_21: write_page,
    LOW_12: write_low,
    LOW_12_OF_4: write_low_of(4),
    LOW_12_OF_8: write_low_of(8),
    LOW_12_OF_16: write_low_of(16),
}


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

    def offset_of(self, label: Label) -> int:
        """Where a bound label stands."""
        assert self.positions[label] != UNBOUND, f"label {label} is not bound"
        return self.positions[label]

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
        """The label of 4, 8 or 16 bytes of data behind the code, aligned to their size."""
        label = self.constants.get(data)
        if label is None:
            assert len(data) in (4, 8, 16), f"a constant of {len(data)} bytes"
            label = self.constants[data] = self.label()
        return label

    def relocate(self, offset: int, kind: RelocationKind, symbol: Hashable, addend: int = 0) -> None:
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
