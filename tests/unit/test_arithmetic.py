"""The meanings of primitive operations against independent computations: C's integers, exact fractions."""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doralang.types.arithmetic import DivisionByZero
from doralang.types.primitives import PRIMITIVES

EDGES_32 = [0, 1, -1, 2, 7, 31, 32, 33, 255, 256, 2**31 - 1, -(2**31), -(2**31) + 1, 0x5555_5555]
EDGES_64 = [*EDGES_32, 63, 64, 65, 2**63 - 1, -(2**63), -(2**63) + 1, 2**32, 2**53 + 1]
INTS = st.one_of(st.sampled_from(EDGES_32), st.integers(-(2**31), 2**31 - 1))
LONGS = st.one_of(st.sampled_from(EDGES_64), st.integers(-(2**63), 2**63 - 1))
DOUBLES = st.floats()
FLOATS = st.floats(width=32)

Wrap = Callable[[int], int]


def int32(value: int) -> int:
    return ctypes.c_int32(value).value


def int64(value: int) -> int:
    return ctypes.c_int64(value).value


def compute(name: str, *arguments: float) -> float:
    return PRIMITIVES[name].meaning(*arguments)


def check_integers(kind: str, wrap: Wrap, bits: int, x: int, y: int) -> None:
    unsigned = x % 2**bits
    expected = {
        "plus": x + y,
        "minus": x - y,
        "times": x * y,
        "bitwiseOr": x | y,
        "bitwiseAnd": x & y,
        "bitwiseXor": x ^ y,
        "shiftLeft": x * 2 ** (y % bits),
        "shiftRight": x // 2 ** (y % bits),
        "unsignedShiftRight": unsigned // 2 ** (y % bits),
    }
    for name, value in expected.items():
        assert compute(f"{kind}.{name}", x, y) == wrap(value), name
    for name, value in {"unaryPlus": x, "unaryMinus": -x, "not": -x - 1}.items():
        assert compute(f"{kind}.{name}", x) == wrap(value), name
    digits = f"{unsigned:0{bits}b}"
    assert compute(f"{kind}.countOneBits", x) == digits.count("1")
    assert compute(f"{kind}.leadingZeros", x) == (digits + "1").index("1")
    assert compute(f"{kind}.toByte", x) == x % 256
    check_comparisons(kind, x, y)


def check_comparisons(kind: str, x: float, y: float) -> None:
    """`<` and `==` are given, the others follow from them."""
    less, more, equal = x < y, y < x, x == y
    assert compute(f"{kind}.less", x, y) is less
    assert compute(f"{kind}.greater", x, y) is more
    assert compute(f"{kind}.equals", x, y) is equal
    assert compute(f"{kind}.notEquals", x, y) is (not equal)
    assert compute(f"{kind}.lessEquals", x, y) is (less or equal)
    assert compute(f"{kind}.greaterEquals", x, y) is (more or equal)


def check_division(kind: str, wrap: Wrap, x: int, y: int) -> None:
    if y == 0:
        for name in ("div", "mod"):
            with pytest.raises(DivisionByZero):
                compute(f"{kind}.{name}", x, y)
        return
    quotient = math.trunc(Fraction(x, y))
    assert compute(f"{kind}.div", x, y) == wrap(quotient)
    assert compute(f"{kind}.mod", x, y) == x - quotient * y


@given(INTS, INTS)
def test_int(x: int, y: int) -> None:
    check_integers("int", int32, 32, x, y)
    check_division("int", int32, x, y)
    assert compute("int.compareTo", x, y) == int32(x - y)
    assert compute("int.toCharUnchecked", x) == x % 2**32


@given(LONGS, LONGS)
def test_long(x: int, y: int) -> None:
    check_integers("long", int64, 64, x, y)
    check_division("long", int64, x, y)
    assert compute("long.compareTo", x, y) == int32(x - y)
    assert compute("long.toInt", x) == int32(x)
    assert compute("multiplyHigh", x, y) == int64((x % 2**64) * (y % 2**64) // 2**64)


def bits(value: float) -> bytes:
    return b"NaN" if value != value else struct.pack("<d", value)


def c_fmod(x: float, y: float) -> float:
    function = ctypes.CDLL("libm.so.6").fmod
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * 2
    return float(function(x, y))


def c_divide(x: float, y: float) -> float:
    """Division by the rules of IEEE 754, from the exact quotient where there is one."""
    sign = math.copysign(1.0, x) * math.copysign(1.0, y)
    if x != x or y != y or (math.isinf(x) and math.isinf(y)) or (x == 0 and y == 0):
        return math.nan
    if math.isinf(x) or y == 0:
        return sign * math.inf
    if math.isinf(y) or x == 0:
        return sign * 0.0
    try:
        magnitude = float(abs(Fraction(x) / Fraction(y)))
    except OverflowError:
        magnitude = math.inf
    return math.copysign(magnitude, sign)


def rounded(value: float) -> float:
    """C's conversion of a double to a float."""
    return ctypes.c_float(value).value


@given(DOUBLES, DOUBLES)
def test_double(x: float, y: float) -> None:
    assert bits(compute("double.plus", x, y)) == bits(x + y)
    assert bits(compute("double.minus", x, y)) == bits(x - y)
    assert bits(compute("double.times", x, y)) == bits(x * y)
    assert bits(compute("double.div", x, y)) == bits(c_divide(x, y))
    assert bits(compute("double.mod", x, y)) == bits(c_fmod(x, y))
    assert bits(compute("double.unaryMinus", x)) == bits(math.copysign(x, -math.copysign(1.0, x)))
    assert compute("double.isNan", x) is (x != x)
    assert compute("double.isInfinite", x) is math.isinf(x)
    assert compute("double.compareTo", x, y) == (x > y) - (x < y)
    check_comparisons("double", x, y)


@given(FLOATS, FLOATS)
def test_float(x: float, y: float) -> None:
    assert bits(compute("float.plus", x, y)) == bits(rounded(x + y))
    assert bits(compute("float.minus", x, y)) == bits(rounded(x - y))
    assert bits(compute("float.times", x, y)) == bits(rounded(x * y))
    assert bits(compute("float.div", x, y)) == bits(rounded(c_divide(x, y)))
    assert bits(compute("float.mod", x, y)) == bits(rounded(c_fmod(x, y)))
    check_comparisons("float", x, y)


@given(DOUBLES)
def test_floats_to_integers(x: float) -> None:
    for size, name in ((32, "toInt"), (64, "toLong")):
        low, high = -(2 ** (size - 1)), 2 ** (size - 1) - 1
        whole = low if x != x or math.isinf(x) else math.trunc(x)
        assert compute(f"double.{name}", x) == (whole if low <= whole <= high else low)
    assert bits(compute("double.toFloat", x)) == bits(rounded(x))


@given(LONGS)
def test_longs_to_floats(x: int) -> None:
    """The nearest float by exact distance; of two equally near ones the even one."""
    value = compute("long.toFloat", x)
    assert value == rounded(value)
    here = struct.unpack("<i", struct.pack("<f", abs(value)))[0]
    for other in (here - 1, here + 1):
        if other < 0:
            continue
        neighbour = Fraction(struct.unpack("<f", struct.pack("<i", other))[0])
        mine, its = abs(Fraction(abs(value)) - abs(x)), abs(neighbour - abs(x))
        assert mine < its or (mine == its and here % 2 == 0)
    assert compute("long.toDouble", x) == float(x)


@given(DOUBLES, FLOATS)
def test_bit_patterns(x: float, y: float) -> None:
    assert x != x or compute("doubleBits", x) == struct.unpack("<q", struct.pack("<d", x))[0]
    assert x != x or bits(compute("doubleFromBits", compute("doubleBits", x))) == bits(x)
    assert y != y or bits(compute("floatFromBits", compute("floatBits", y))) == bits(y)


@given(st.integers(1, 2**52 - 1), st.booleans())
def test_every_nan_has_the_same_bits(fraction: int, negative: bool) -> None:
    pattern = (negative << 63 | 0x7FF << 52 | fraction) - (1 << 64 if negative else 0)
    assert compute("doubleBits", compute("doubleFromBits", pattern)) == 0x7FF8_0000_0000_0000
    assert compute("floatBits", math.copysign(math.nan, -1.0 if negative else 1.0)) == 0x7FC0_0000


@given(st.floats(min_value=0.0, allow_infinity=False))
def test_square_root_is_the_nearest(x: float) -> None:
    root = compute("double.sqrt", x)
    below, above = math.nextafter(root, 0.0), math.nextafter(root, math.inf)
    assert ((Fraction(below) + Fraction(root)) / 2) ** 2 <= Fraction(x) or root == 0.0
    assert Fraction(x) <= ((Fraction(above) + Fraction(root)) / 2) ** 2


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("double.round", (0.5,), 1.0),
        ("double.round", (-2.5,), -3.0),
        ("double.pow", (2.0, 0.5), math.sqrt(2.0)),
        ("double.hypot", (3.0, 4.0), 5.0),
        ("double.atan2", (1.0, -1.0), 3 * math.pi / 4),
        ("double.log2", (8.0,), 3.0),
        ("float.sqrt", (2.0,), 1.41421353816986083984375),
    ],
)
def test_functions_of_c(name: str, arguments: tuple[float, ...], value: float) -> None:
    assert compute(name, *arguments) == value
