"""Exact numbers of formulas against Python's own fractions."""

from __future__ import annotations

import operator
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from doralang.checker.exact import LARGEST, Exact, combine, literal, negate
from doralang.text.source import Span

HERE = Span(0, 0)
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}

small = st.integers(-1000, 1000)
fractions = st.builds(Fraction, small | st.integers(), st.integers(1, 1000) | st.integers(1))


def exact(value: Fraction) -> Exact:
    return Exact(HERE, value.numerator, value.denominator)


def fraction(value: Exact) -> Fraction:
    assert value.denominator > 0
    result = Fraction(value.numerator, value.denominator)
    assert result.denominator == value.denominator, "it is in lowest terms"
    return result


@given(fractions, fractions, st.sampled_from(sorted(OPERATIONS)))
def test_operations(left: Fraction, right: Fraction, name: str) -> None:
    result = combine(HERE, name, exact(left), exact(right))
    if result is not None:
        assert fraction(result) == OPERATIONS[name](left, right)
    else:
        negative_zero = name in "*/" and left * right == 0 and (left < 0 or right < 0)
        assert negative_zero or (name == "/" and right == 0)


@given(fractions)
def test_minus_and_rounding(value: Fraction) -> None:
    assert exact(value).rounded().value == float(value)
    negative = negate(HERE, exact(value))
    assert (negative is None) == (value == 0)
    assert negative is None or fraction(negative) == -value


@given(st.from_regex(r"[0-9][0-9_]{0,12}(\.[0-9]{1,12}([eE][+-]?[0-9]{1,3})?)?", fullmatch=True))
def test_literals(text: str) -> None:
    value = literal(HERE, text)
    expected = Fraction(text.replace("_", ""))
    if value is not None:
        assert fraction(value) == expected
    else:
        assert max(expected.numerator.bit_length(), expected.denominator.bit_length()) > LARGEST


def test_what_is_no_exact_number() -> None:
    one, zero = exact(Fraction(1)), exact(Fraction(0))
    for text in ("1D", "1.5F", "2L", "0.1e-5000", "1.0e999999999999", "9" * 2000):
        assert literal(HERE, text) is None
    for name in ("%", "==", "<", "&&"):
        assert combine(HERE, name, one, one) is None
    assert combine(HERE, "/", one, zero) is None
    assert negate(HERE, zero) is None


def test_growth_has_an_end() -> None:
    grown = [exact(Fraction(1, 3))]
    while (value := combine(HERE, "*", grown[-1], exact(Fraction(7, 3)))) is not None:
        grown.append(value)
    assert 1_000 < len(grown) < 3_000
    assert LARGEST - 4 < grown[-1].numerator.bit_length() <= LARGEST
