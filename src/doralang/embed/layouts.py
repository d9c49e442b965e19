"""Where CPython keeps the value of an `int` and of a `float`, by version, so that machine code may read it.

    3.11          size at 16 (its sign is the number's), digits of 30 bits from 24
    3.12 to 3.14  tag at 16 (digits << 3 | 0 positive, 1 zero, 2 negative), digits from 24

(`Include/cpython/longintrepr.h` of the versions.)  A table can be wrong about an interpreter that somebody
has built; so it is tried when first asked for, and if it does not hold, CPython's own functions are called
instead.
"""

from __future__ import annotations

import ctypes
import sys
from enum import Enum
from functools import cache
from typing import Final

TYPE: Final = 8
"""where an object has its type"""
INT_SIZE: Final = 16
INT_DIGIT: Final = 24
FLOAT_VALUE: Final = 16
TUPLE_SIZE: Final = 16
DIGIT_BITS: Final = 30
SIGN_MASK: Final = 3
"""of a tag: 0 positive, 1 zero, 2 negative"""
FIRST_LONG_TAG: Final = 16
"""tags from here on have more than one digit"""

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)


class IntLayout(Enum):
    """How an `int` of one digit is read."""

    SIZE = "signed size"
    TAG = "tag"
    CALL = "by calling CPython"


def word_at(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def digit_at(address: int) -> int:
    return ctypes.c_uint32.from_address(address).value


def small_int(layout: IntLayout, value: int) -> int | None:
    """What machine code would read of an `int`; None if it would call CPython."""
    word, digit = word_at(id(value) + INT_SIZE), digit_at(id(value) + INT_DIGIT)
    if layout is IntLayout.SIZE:
        return word * digit if -1 <= word <= 1 else None
    return (1 - (word & SIGN_MASK)) * digit if 0 <= word < FIRST_LONG_TAG else None


def holds(layout: IntLayout) -> bool:
    """Whether a layout is that of this interpreter."""
    digit = (1 << DIGIT_BITS) - 1
    small = (0, 1, -1, 5, -7, 256, 257, -1000, 1 << 15, -(1 << 29), digit, -digit)
    large = (digit + 1, -digit - 1, 1 << 60, -(1 << 63), 1 << 200)
    return (
        sys.int_info.bits_per_digit == DIGIT_BITS
        and all(word_at(id(value) + TYPE) == id(int) for value in small + large)
        and all(small_int(layout, value) == value for value in small)
        and all(small_int(layout, value) is None for value in large)
    )


@cache
def int_layout() -> IntLayout:
    """How this interpreter's `int`s are read."""
    known = OLDEST <= sys.version_info[:2] <= NEWEST
    layout = IntLayout.SIZE if sys.version_info < (3, 12) else IntLayout.TAG
    return layout if known and holds(layout) else IntLayout.CALL


@cache
def floats_are_known() -> bool:
    """Whether a `float` is its value behind its type."""
    values = (0.0, 1.5, -2.25, 1e300, float("inf"))
    return all(
        word_at(id(value) + TYPE) == id(float)
        and ctypes.c_double.from_address(id(value) + FLOAT_VALUE).value == value
        for value in values
    )


@cache
def tuple_items() -> int | None:
    """Where a `tuple` has its items (behind a hash, from 3.14 on); None if that is not known."""
    tried: tuple[tuple[str, ...], ...] = (("a",), ("b", "c"), tuple("defgh"))
    for offset in (24, 32):
        if all(
            word_at(id(items) + TUPLE_SIZE) == len(items)
            and all(word_at(id(items) + offset + 8 * index) == id(item) for index, item in enumerate(items))
            for items in tried
        ):
            return offset
    return None


def refuse_free_threading() -> None:
    """Raises ImportError in an interpreter without a GIL: calls rely on it."""
    if "t" in sys.abiflags:
        raise ImportError(
            "doralang needs an interpreter with a global interpreter lock; this one is free-threaded"
        )
