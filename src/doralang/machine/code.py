"""Finished machine code, and what must be done to it where it is placed.

What lies outside of a piece of code is named by symbol: each `Relocation` is a place in the code that
depends on where something else lies.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Final, TypeAlias

Relocation: TypeAlias = "tuple[int, str, Hashable, int]"
"""offset, kind, symbol, addend"""


class RangeError(Exception):
    """A value does not fit the field of the instruction that should hold it."""


class RelocationKind:
    """How the address S of a symbol plus the addend A is written at place P."""

    ABSOLUTE_64: Final = "S + A, 8 bytes"
    RELATIVE_32: Final = "S + A - P, 4 bytes, signed"
    CALL_26: Final = "S + A - P in words, 26 bits, signed: bl, b"
    PAGE_21: Final = "page of S + A - page of P in pages, 21 bits, signed: adrp"
    LOW_12: Final = "S + A within its page, 12 bits: add"
    LOW_12_OF_4: Final = "S + A within its page in words of 4 bytes: ldr"
    LOW_12_OF_8: Final = "S + A within its page in words of 8 bytes: ldr"
    LOW_12_OF_16: Final = "S + A within its page in words of 16 bytes: ldr"


ABSOLUTE_64: Final = RelocationKind.ABSOLUTE_64
RELATIVE_32: Final = RelocationKind.RELATIVE_32
CALL_26: Final = RelocationKind.CALL_26
PAGE_21: Final = RelocationKind.PAGE_21
LOW_12: Final = RelocationKind.LOW_12
LOW_12_OF_4: Final = RelocationKind.LOW_12_OF_4
LOW_12_OF_8: Final = RelocationKind.LOW_12_OF_8
LOW_12_OF_16: Final = RelocationKind.LOW_12_OF_16


class Code:
    """A finished piece of machine code, to be relocated and placed at a multiple of 64.

    `body_size` is where the instructions end and the constants begin.
    """

    __slots__ = ("body_size", "comments", "data", "relocations")

    def __init__(
        self,
        data: bytearray,
        body_size: int,
        relocations: list[Relocation],
        comments: list[tuple[int, str]],
    ) -> None:
        self.data = data
        self.body_size = body_size
        self.relocations = relocations
        self.comments = comments


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


RELOCATE: Final[dict[str, Callable[[bytearray, int, int, int, Hashable], None]]] = {
    ABSOLUTE_64: write_absolute,
    RELATIVE_32: write_relative,
    CALL_26: write_call,
    PAGE_21: write_page,
    LOW_12: write_low,
    LOW_12_OF_4: write_low_of(4),
    LOW_12_OF_8: write_low_of(8),
    LOW_12_OF_16: write_low_of(16),
}
