"""Which constants the instructions of AArch64 can hold, and how.

    bitmask(0xFF00FF00, 32)     a run of ones, rotated and repeated: what `and`, `orr`, `eor`, `tst` take
    float_immediate(1.5)        a sign, three bits of exponent, four of fraction: what `fmov` takes
    pieces(0x12345, 64)         16 bits at a time: what `movz`, `movn` and `movk` take

Names are those of the Arm manual (Arm Architecture Reference Manual, A-profile, C6 and C7).
"""

from __future__ import annotations

from functools import cache, lru_cache

from doralang.typing_forms import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

KEPT: Final = 4096


@lru_cache(KEPT)
def bitmask(value: int, width: int) -> int | None:
    """The 13 bits N, immr, imms of a bitmask immediate (DecodeBitMasks); None if there are none.

    `value` is a pattern of `width` bits.  All zeros and all ones cannot be had.
    """
    if value in (0, (1 << width) - 1):
        return None
    size = width
    while size > 2 and is_repeated(value, size // 2):
        size //= 2
    element = value & (1 << size) - 1
    for rotation in range(size):
        run = rotated_left(element, rotation, size)
        if run & run + 1 == 0:
            length = run.bit_length() - 1
            return (size == 64) << 12 | rotation << 6 | ~(2 * size - 1) & 63 | length
    return None


def is_repeated(value: int, half: int) -> bool:
    """Whether the low `half` bits come again above them."""
    mask = (1 << half) - 1
    return value & mask == value >> half & mask


def rotated_left(value: int, count: int, size: int) -> int:
    return (value << count | value >> size - count) & (1 << size) - 1


def float_immediate(value: float) -> int | None:
    """The 8 bits of a floating-point constant (VFPExpandImm); None if there are none."""
    return float_immediates().get(value)


@cache
def float_immediates() -> dict[float, int]:
    """Plus or minus 16 to 31 sixteenths, times a power of two from -3 to 4."""
    result: dict[float, int] = {}
    for bits in range(256):
        exponent = (bits >> 4 & 7 ^ 4) - 3
        size = (16 + (bits & 15)) / 16 * 2.0**exponent
        result[-size if bits >> 7 else size] = bits
    return result


class ImmediatePart(NamedTuple):
    """One instruction of those that make a constant: which, 16 bits, and where they go."""

    mnemonic: str
    bits: int
    shift: int


@lru_cache(KEPT)
def pieces(value: int, width: int) -> tuple[ImmediatePart, ...]:
    """The shortest way to make a pattern of `width` bits with `movz` or `movn`, then `movk`."""
    parts = [(value >> shift & 0xFFFF, shift) for shift in range(0, width, 16)]
    inverted = sum(bits == 0xFFFF for bits, _ in parts) > sum(bits == 0 for bits, _ in parts)
    boring = 0xFFFF if inverted else 0
    wanted = [part for part in parts if part[0] != boring] or parts[:1]
    bits, shift = wanted[0]
    first = ImmediatePart("movn", bits ^ 0xFFFF, shift) if inverted else ImmediatePart("movz", bits, shift)
    return first, *(ImmediatePart("movk", bits, shift) for bits, shift in wanted[1:])


def fits_add(value: int) -> bool:
    """Whether `add`, `sub` and `cmp` hold it: 12 bits, or 12 bits and as many zeros behind them."""
    return 0 <= value < 1 << 12 or (value & 0xFFF == 0 and 0 <= value < 1 << 24)
