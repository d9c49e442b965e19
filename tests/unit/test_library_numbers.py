"""Doubles from texts and to so many places, against Python's, which are exact; powers and hexadecimal digits."""

from __future__ import annotations

import decimal
import math
import random
import struct
from decimal import Decimal

import pytest

import doralang as dora
from sampling import EVERY

PROGRAM = """
fun read(text: Str) -> double { text.parseDoubleOrNone().unwrapOr(double::nan()) }
fun fixed(x: double, places: int) -> Str { x.toFixed(places) }
fun power(x: int, exponent: int) -> int { x.pow(exponent) }
fun longPower(x: long, exponent: int) -> long { x.pow(exponent) }
fun hex(x: int) -> Str { x.toHex() }
fun longHex(x: long) -> Str { x.toHex() }
fun whole(text: Str) -> long { text.parseLongOrNone().unwrapOr(7L) }
"""
decimal.getcontext().prec = 2000
COUNT = 20_000 if EVERY else 600


@pytest.fixture(scope="module")
def program() -> dora.Instance:
    return dora.compile(PROGRAM).new()


def any_double(chance: random.Random) -> float:
    """Of any size, with few digits or many."""
    while True:
        x: float = struct.unpack("<d", chance.randbytes(8))[0]
        if chance.random() < 0.4:
            x = round(chance.uniform(-1000, 1000), chance.randrange(6))
        if math.isfinite(x):
            return x


def next_double(x: float) -> float:
    """Its neighbour, of which only the last bit differs."""
    (bits,) = struct.unpack("<q", struct.pack("<d", x))
    (neighbour,) = struct.unpack("<d", struct.pack("<q", bits ^ 1))
    return float(neighbour)


def written(x: float, chance: random.Random) -> str:
    """A text near a double, or exactly halfway to the next one, or a little beyond."""
    way = chance.randrange(4)
    if way == 0:
        return repr(x)
    if way == 1:
        return f"{x:.{chance.randrange(1, 30)}e}"
    halfway = Decimal(x) / 2 + Decimal(next_double(x)) / 2
    return f"{halfway:f}" if "." not in f"{halfway:f}" or way == 2 else f"{halfway:f}1"


def test_texts_become_the_nearest_double(program: dora.Instance) -> None:
    chance = random.Random(1)
    for _ in range(COUNT):
        text = written(any_double(chance), chance)
        expected, found = float(text), program.read(text)
        assert found == expected or (math.isinf(expected) and math.isnan(found)), text


def test_places_are_rounded_exactly(program: dora.Instance) -> None:
    chance = random.Random(2)
    for _ in range(COUNT):
        x, places = any_double(chance), chance.randrange(21)
        assert program.fixed(x, places) == f"{x:.{places}f}", (x, places)
    for eighths in range(-80, 80):  # halves and quarters: ties
        for places in range(3):
            assert program.fixed(eighths / 8, places) == f"{eighths / 8:.{places}f}"


@pytest.mark.parametrize(
    "text",
    ["", "+", ".5", "5.", "1e", "1e+", "1.e5", "1..2", "1e5.", " 1", "1 ", "1_0", "inf", "nan", "0x1", "1d"],
)
def test_what_is_no_number_is_none(program: dora.Instance, text: str) -> None:
    assert math.isnan(program.read(text))


def test_powers_and_digits_wrap_around(program: dora.Instance) -> None:
    chance = random.Random(3)
    for _ in range(COUNT // 10):
        x, exponent = chance.randrange(-(2**31), 2**31), chance.randrange(70)
        assert program.power(x, exponent) == (x**exponent + 2**31) % 2**32 - 2**31
        assert program.longPower(x, exponent) == (x**exponent + 2**63) % 2**64 - 2**63
        assert program.hex(x) == f"{x % 2**32:x}"
        assert program.longHex(x << 20) == f"{(x << 20) % 2**64:x}"


@pytest.mark.parametrize("near", [-(2**63), 2**63, 10**18, -(10**18), 0])
def test_whole_numbers_at_the_ends(program: dora.Instance, near: int) -> None:
    for value in range(near - 12, near + 12):
        expected = value if -(2**63) <= value < 2**63 else 7
        assert program.whole(str(value)) == expected
        assert program.whole(f"{'-' if value < 0 else '+'}000{abs(value)}") == expected
