"""Formulas over arrays of Python's own, on any processor and without NumPy: each element has the bits that the
numbers alone give."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest

import doralang as dora
from doralang.embed import formulas, kernels, levels
from doralang.embed.array_calls import computation_of

CODES = {"int": "i", "long": "q", "float32": "f", "double": "d"}
VALUES: dict[str, tuple[Any, ...]] = {
    "int": (0, 1, -1, 7, 31, 2**31 - 1, -(2**31), 65536, -99999),
    "long": (0, 1, -1, 64, 2**53 + 1, 2**63 - 1, -(2**63), 2**32 + 7),
    "float32": (0.0, -0.0, 1.0, -1.5, 0.5, 1e30, 16777216.0, float("inf"), float("-inf")),
    "double": (0.0, -0.0, 1.0, -1.5, 0.1, 1e200, -1e-310, 2.5, -0.5, float("inf"), float("-inf")),
}
FORMULAS: dict[str, dict[str, str]] = {
    "(x*y + z - 2.5)*w": dict.fromkeys("xyzw", "double"),
    "x > 1 ? y*x : z/x": dict.fromkeys("xyz", "double"),
    "max(x, y) - min(abs(y), 3)": dict.fromkeys("xy", "double"),
    "floor(x) + ceil(y) + round(x)": dict.fromkeys("xy", "double"),
    "n*m + n": {"n": "int", "m": "int"},
    "k*l - n": {"k": "long", "l": "long", "n": "int"},
    "f*g - f/g": {"f": "float32", "g": "float32"},
    "k + 0.5": {"k": "long"},
    "x < y and n != 3": {"x": "double", "y": "double", "n": "int"},
    "sqrt(abs(x)) + f": {"x": "double", "f": "float32"},
}
FAST = ("sin(x)", "exp(y) + 1", "log(abs(x) + 1)", "tanh(y) * cos(x)", "x ** 2 + atan2(y, x)")


def columns_of(types: dict[str, str], count: int, choose: random.Random) -> list[array[Any]]:
    return [array(CODES[type], choose.choices(VALUES[type], k=count)) for type in types.values()]


def same(found: Any, expected: Any) -> bool:
    return repr(type(expected)(found)) == repr(expected)


@pytest.mark.parametrize("text", FORMULAS)
def test_elements_are_those_of_numbers(text: str) -> None:
    types, choose = FORMULAS[text], random.Random(text)
    formula = dora.expr(text, types=types)
    for count in (1, 2, 3, 4, 7, 8, 33, 100):
        columns = columns_of(types, count, choose)
        result = formula.map(columns)
        for index, found in enumerate(result):
            numbers = [column[index] for column in columns]
            assert same(found, formula(*numbers)), (text, numbers)


@pytest.mark.skipif(not formulas.IS_POSSIBLE, reason="there is no packed code for this processor")
@pytest.mark.parametrize("text", FORMULAS)
def test_they_are_packed(text: str) -> None:
    computation = computation_of(dora.expr(text, types=FORMULAS[text]))
    if not levels.has_fused_products():
        pytest.skip("SSE2 has not all that formulas may need")
    assert isinstance(computation, kernels.Kernels)
    assert computation.packed_code((False,) * len(FORMULAS[text]))


@pytest.mark.parametrize("text", FAST)
def test_fast_mathematics(text: str) -> None:
    """Within some ulp, for those that a formula adds up, too."""
    choose = random.Random(text)
    formula = dora.expr(text, types={"x": "double", "y": "double"}, math="fast")
    exact = dora.expr(text, types={"x": "double", "y": "double"})
    columns = [array("d", [choose.uniform(-9, 9) for _ in range(101)]) for _ in range(2)]
    columns[0][0], columns[1][50] = float("inf"), 1e300
    for found, *numbers in zip(formula.map(columns), *columns, strict=True):
        expected = exact(*numbers)
        assert same(found, expected) or abs(found - expected) <= 1e-14 * max(1, abs(expected)), numbers
