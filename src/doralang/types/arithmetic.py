"""The meaning of arithmetic, written once and plainly: this is the definition.

Every function here is the meaning of a row of `primitives`: what the interpreters and the folding
of constants call, and what machine code is tested against.  Values are Python `bool` for `bool`, `int`
within range for `byte char int long`, and `float` for `float` (already rounded to 32 bits) and `double`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import error as struct_error
from struct import pack, unpack

from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DivisionByZero(Exception):
    """An integer was divided by zero."""


def wrap_int(value: int) -> int:
    """The low 32 bits as two's complement."""
    return ((value + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def wrap_long(value: int) -> int:
    """The low 64 bits as two's complement."""
    return ((value + 0x8000_0000_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000


def divide(left: int, right: int) -> int:
    """Quotient, truncated towards zero."""
    if right == 0:
        raise DivisionByZero
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """Remainder with the sign of the dividend."""
    return left - right * divide(left, right)


def round_float(value: float) -> float:
    """The nearest 32-bit value, ties to even, infinite beyond the range."""
    try:
        return float(unpack("<f", pack("<f", value))[0])
    except (OverflowError, struct_error):
        return math.copysign(math.inf, value)


def divide_double(left: float, right: float) -> float:
    if right != 0.0 or left != left:
        return left / right if right != 0.0 else math.nan
    if left == 0.0:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder_double(left: float, right: float) -> float:
    """As C's `fmod`."""
    if left != left or right != right or math.isinf(left) or right == 0.0:
        return math.nan
    return math.fmod(left, right)


def compare_double(left: float, right: float) -> int:
    """-1, 1, or 0, which stands for equal and for unordered."""
    return -1 if left < right else 1 if left > right else 0


def long_to_float(value: int) -> float:
    """The nearest 32-bit value of a 64-bit integer, rounded once.

    Going through a double would round twice, so the bits that no float can see are first folded into one
    sticky bit (26 bits are enough: 24 of the result, one to round, one sticky).
    """
    magnitude = abs(value)
    excess = magnitude.bit_length() - 26
    if excess > 0:
        sticky = 1 if magnitude & ((1 << excess) - 1) else 0
        magnitude = (magnitude >> excess | sticky) << excess
    return round_float(math.copysign(float(magnitude), value))


def truncate(value: float, bits: int) -> int:
    """Towards zero; NaN and what is out of range give the smallest integer."""
    limit = 1 << (bits - 1)
    if value != value or not -limit - 1 < value < limit:
        return -limit
    return max(int(value), -limit)


def square_root(value: float) -> float:
    return math.nan if value < 0.0 else math.sqrt(value)


def shift_right_unsigned(value: int, count: int, bits: int) -> int:
    return (value & ((1 << bits) - 1)) >> count


def leading_zeros(value: int, bits: int) -> int:
    """How many bits stand above the highest one that is set; all of them, if none is."""
    return bits - (value & ((1 << bits) - 1)).bit_length()


DOUBLE_NAN = 0x7FF8_0000_0000_0000
FLOAT_NAN = 0x7FC0_0000
"""The bits that stand for every NaN: processors differ in the sign and the rest of those they compute."""


def double_bits(value: float) -> int:
    if value != value:
        return DOUBLE_NAN
    return int(unpack("<q", pack("<d", value))[0])


def double_from_bits(bits: int) -> float:
    return float(unpack("<d", pack("<q", bits))[0])


def float_bits(value: float) -> int:
    if value != value:
        return FLOAT_NAN
    return int(unpack("<i", pack("<f", value))[0])


def float_from_bits(bits: int) -> float:
    return float(unpack("<f", pack("<i", bits))[0])


def multiply_high(left: int, right: int) -> int:
    """The upper 64 bits of the unsigned product of two 64-bit patterns."""
    mask = 0xFFFF_FFFF_FFFF_FFFF
    return wrap_long((left & mask) * (right & mask) >> 64)


def c_function(name: str, arity: int) -> Callable[..., float]:
    """A mathematical function of the C library, bound at its first call."""
    bound: list[Any] = []

    def call(*arguments: float) -> float:
        if not bound:
            ctypes = load("ctypes")
            function = getattr(ctypes.CDLL("libm.so.6"), name)
            function.restype = ctypes.c_double
            function.argtypes = [ctypes.c_double] * arity
            bound.append(function)
        return float(bound[0](*arguments))

    return call
