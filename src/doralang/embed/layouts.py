"""Where CPython keeps the value of an `int`, a `float` and a `str`, so that machine code may read it.

    3.11          size at 16 (its sign is the number's), digits of 30 bits from 24
    3.12 to 3.14  tag at 16 (digits << 3 | 0 positive, 1 zero, 2 negative), digits from 24

A `str` that is all ASCII has its length at 16, bits that say so at 32, and its bytes from 40 on, 48 in 3.11.

(`Include/cpython/longintrepr.h` and `unicodeobject.h` of the versions.)  A table can be wrong about an
interpreter that somebody has built; so it is tried when first asked for, and if it does not hold, CPython's
own functions are called instead.
"""

from __future__ import annotations

import ctypes
import sys
from enum import Enum
from functools import cache
from typing import Final, NamedTuple

TYPE: Final = 8
"""where an object has its type"""
INT_SIZE: Final = 16
INT_DIGIT: Final = 24
FLOAT_VALUE: Final = 16
TUPLE_SIZE: Final = 16
TEXT_LENGTH: Final = 16
TEXT_STATE: Final = 32
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


class TextLayout(NamedTuple):
    """How a `str` is read: the bits of its state that are all set if it is ASCII and in one piece, and where
    its bytes begin."""

    ascii: int
    data: int

    def holds(self) -> bool:
        """Whether a layout is that of this interpreter."""
        ascii = ("", "a", "\x7f", "abcdefghijklmnop", "q" * 1000, sys.version)
        others = ("\xe9", "\xff" * 9, "abc\u6f22", "\U0001f600" * 4, "\ud800")
        return all(
            digit_at(id(text) + TEXT_STATE) & self.ascii == self.ascii
            and word_at(id(text) + TEXT_LENGTH) == len(text)
            and ctypes.string_at(id(text) + self.data, len(text) + 1) == text.encode() + b"\0"
            for text in ascii
        ) and all(digit_at(id(text) + TEXT_STATE) & self.ascii != self.ascii for text in others)


TEXT_LAYOUTS: Final = (TextLayout(0x60, 48), TextLayout(0x60, 40), TextLayout(0x18_0000, 40))
"""of the versions; what is next to the two bits has become wider"""


@cache
def text_layout() -> TextLayout | None:
    """How this interpreter's `str`s are read; None if by calling CPython."""
    known = OLDEST <= sys.version_info[:2] <= NEWEST
    return next((layout for layout in TEXT_LAYOUTS if known and layout.holds()), None)


def refuse_free_threading() -> None:
    """Raises ImportError in an interpreter without a GIL: calls rely on it."""
    if "t" in sys.abiflags:
        raise ImportError(
            "doralang needs an interpreter with a global interpreter lock; this one is free-threaded"
        )
