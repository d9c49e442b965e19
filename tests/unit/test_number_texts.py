"""Number texts of the library against Python's own and against exact arithmetic.

A run tries a few thousand values.  `DORA_NUMBER_TEXTS=1000000 pytest tests/unit/test_number_texts.py`
tries a million random ones of each type (a quarter of an hour).
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doralang.types.arithmetic import double_bits, float_bits
from walking import Walk

COUNT = int(os.environ.get("DORA_NUMBER_TEXTS", "2000"))
WALK = Walk()


def text(function: str, value: float) -> str:
    return str(WALK.call(function, value))


def positional(decimal: str) -> str:
    """A number without its exponent, and without zeros that say nothing."""
    written = format(Decimal(decimal), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def expected_double(value: float) -> str:
    return repr(value) if value - value != 0.0 else positional(repr(value))


def to_float(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def float_from(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def double_from(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def exact_interval(value: float) -> tuple[Fraction, Fraction, bool]:
    """What reads back as a positive 32-bit float, and whether the ends do, from its neighbours."""
    bits = float_bits(value)
    below = Fraction(float_from(bits - 1)) if bits else Fraction(0)
    above = Fraction(float_from(bits + 1)) if bits < 0x7F7F_FFFF else Fraction(2) ** 128
    here = Fraction(value)
    return (below + here) / 2, (above + here) / 2, bits % 2 == 0


def shortest_float(value: float) -> str:
    """The shortest digits by search: for each number of digits the nearest multiple of its unit."""
    low, high, ends = exact_interval(value)
    for digits in range(1, 10):
        exponent = len(str(int(value))) - digits if value >= 1 else leading_exponent(value) - digits + 1
        for scale in (exponent, exponent + 1):
            unit = Fraction(10) ** scale
            nearest = round(Fraction(value) / unit)
            near = [n for n in (nearest - 1, nearest, nearest + 1) if reads_back(n * unit, low, high, ends)]
            near = [n for n in near if len(str(n).rstrip("0")) <= digits]
            if near:
                best = min(near, key=lambda n: (abs(n * unit - Fraction(value)), n % 2))
                return positional(f"{best}e{scale}")
    raise AssertionError(value)


def leading_exponent(value: float) -> int:
    return Decimal(value).adjusted()


def reads_back(number: Fraction, low: Fraction, high: Fraction, ends: bool) -> bool:
    return low < number < high or (ends and number in (low, high))


def notable_doubles() -> Iterator[float]:
    yield from (5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 2.225073858507201e-308)
    yield from (9007199254740991.0, 9007199254740992.0, 9007199254740994.0, 1e22, 1e23, 9.5e-3, 0.3)
    for exponent in range(-1074, 1024):
        yield 2.0**exponent
    for exponent in range(-324, 309):
        yield float(f"1e{exponent}")


def test_special_values() -> None:
    for function in ("doubleToText", "floatToText"):
        for value, expected in (
            (0.0, "0"),
            (-0.0, "-0"),
            (float("nan"), "NaN"),
            (float("inf"), "inf"),
            (float("-inf"), "-inf"),
        ):
            assert text(function, value) == expected


def test_notable_doubles() -> None:
    for value in notable_doubles():
        assert text("doubleToText", value) == expected_double(value)


def test_random_bits_of_doubles() -> None:
    generator = random.Random(1)
    for _ in range(COUNT):
        value = double_from(generator.getrandbits(64))
        if value == value:
            assert text("doubleToText", value) == expected_double(value), value.hex()


def test_random_everyday_doubles() -> None:
    generator = random.Random(2)
    for _ in range(COUNT // 4):
        value = float(
            f"{generator.randrange(10 ** generator.randrange(1, 18))}e{generator.randrange(-20, 6)}"
        )
        assert text("doubleToText", value) == expected_double(value), value.hex()


@given(st.floats(allow_nan=False))
@settings(max_examples=300, deadline=None)
def test_doubles(value: float) -> None:
    assert text("doubleToText", value) == expected_double(value)


def test_powers_of_two_and_neighbours_of_floats() -> None:
    for exponent in range(256):
        for offset in (-1, 0, 1):
            bits = (exponent << 23) + offset
            if 0 < bits < 0x7F80_0000:
                value = float_from(bits)
                assert text("floatToText", value) == shortest_float(value), value.hex()


def test_random_bits_of_floats() -> None:
    generator = random.Random(3)
    for _ in range(COUNT):
        value = float_from(generator.getrandbits(31))
        if value - value == 0.0 and value > 0.0:
            assert text("floatToText", value) == shortest_float(value), value.hex()
            assert text("floatToText", -value) == "-" + shortest_float(value)


@given(st.floats(width=32, min_value=0.0, exclude_min=True, allow_infinity=False))
@settings(max_examples=200, deadline=None)
def test_floats(value: float) -> None:
    assert text("floatToText", value) == shortest_float(value)
    assert to_float(float(text("floatToText", value))) == value


@given(st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=200, deadline=None)
def test_longs(value: int) -> None:
    assert str(WALK.call("longToText", value)) == str(value)


@pytest.mark.parametrize("value", [0, 9, 10, -1, -10, 2**63 - 1, -(2**63), 10**18])
def test_notable_longs(value: int) -> None:
    assert str(WALK.call("longToText", value)) == str(value)


def test_bits_helpers_agree() -> None:
    assert double_from(double_bits(0.1)) == 0.1
