"""Masked arrays: each element is what the formula gives for numbers and None."""

from __future__ import annotations

import gc
import random
from typing import Any

import numpy as np
import pytest

import doralang as dora
from sampling import EVERY

FORMULAS = (
    ("coalesce(x, 0) + y", {"x": float, "y": float}),
    ("x > 1 ? x : y", {"x": float, "y": float}),
    ("isMissing(x) and not isMissing(y)", {"x": float, "y": float}),
    ("x > 1 and y > 2", {"x": float, "y": float}),
    ("coalesce(n % m, 0x7)", {"n": int, "m": int}),
    ("b ? coalesce(x, n) : n", {"b": bool, "x": float, "n": int}),
    ("x * 2", {"x": float}),
    ("coalesce(f, 0.5)", {"f": np.float32}),
)
DTYPES = {float: "f8", int: "i4", bool: "?", np.float32: "f4"}


def masked(choose: random.Random, kind: Any, shape: tuple[int, ...]) -> Any:
    """A masked array, a plain one, a number, or None."""
    which = choose.randrange(6)
    if which == 0:
        return None
    values = [choose.randrange(1, 4) for _ in range(int(np.prod(shape)))]
    if which == 1:
        return kind(1) if kind is not np.float32 else 1.0
    array = np.array(values, DTYPES[kind]).reshape(shape)
    if which == 2:
        return array
    mask = np.array([choose.random() < 0.4 for _ in values], "?").reshape(shape)
    array[mask] = 0  # which `n % m` would not survive
    return np.ma.array(array, mask=mask)


def element(value: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    if value is None or not isinstance(value, np.ndarray):
        return value
    if np.broadcast_to(np.ma.getmaskarray(value), shape)[index]:
        return None
    return np.broadcast_to(np.ma.getdata(value), shape)[index].item()


@pytest.mark.parametrize(("text", "types"), FORMULAS, ids=[text for text, _ in FORMULAS])
def test_elements_are_what_numbers_and_none_give(text: str, types: dict[str, Any]) -> None:
    choose = random.Random(text)
    formula = dora.expr(text, types, missing="propagate")
    for _ in range(100 if EVERY else 12):
        shape = choose.choice([(5,), (2, 3), (0,), (1,)])
        values = [masked(choose, kind, choose.choice([shape, shape[-1:]])) for kind in types.values()]
        values[0] = np.ma.array(np.ones(shape, DTYPES[next(iter(types.values()))]), mask=False)
        found = formula(*values)
        assert type(found) is np.ma.MaskedArray and found.shape == shape
        for index in np.ndindex(shape):
            expected = formula(*[element(value, shape, index) for value in values])
            assert found.mask[index] == (expected is None)
            assert expected is None or found.data[index] == expected


def test_what_is_missing_and_needed_is_an_error() -> None:
    for formula in (dora.expr("x > 1 ? x : y"), dora.expr("x > 1 ? x : y", limits=dora.Limits())):
        x, y = np.ma.array([[1.0, 5.0]]), np.ma.array([[1.0, 5.0]], mask=[[False, True]])
        assert formula(x, y).tolist() == [[1.0, 5.0]]
        assert formula(x + 1, None).tolist() == [[2.0, 6.0]]
        with pytest.raises(dora.MissingValue, match="`y` is missing") as caught:
            formula(x - 4, y)
        assert caught.value.element == (0, 1)
        assert caught.value.__notes__ == ["in element (0, 1)"]
        with pytest.raises(dora.MissingValue, match="`x` is missing"):
            formula(np.ma.masked, np.ones(3))


def test_a_failure_beside_missing_elements_says_where() -> None:
    formula = dora.expr("n % m", {"n": int, "m": int}, missing="propagate")
    divisors = np.ma.array([[1, 0, 2], [3, 0, 4]], mask=[[0, 1, 0], [1, 0, 0]], dtype="i4")
    with pytest.raises(dora.DivisionByZero) as caught:
        formula(7, divisors)
    assert caught.value.element == (1, 1)
    assert caught.value.__notes__ == ["in element (1, 1)"]
    divisors[1, 1] = np.ma.masked
    assert formula(7, divisors).tolist() == [[0, None, 1], [None, None, 3]]


def test_outputs() -> None:
    formula = dora.expr("x * 2", {"x": float}, missing="propagate")
    x = np.ma.array([1.0, 2.0], mask=[False, True])
    out = np.ma.zeros(2)
    assert formula.map((x,), out=out) is out
    assert out.tolist() == [2.0, None]
    plain = np.zeros(2)
    with pytest.raises(TypeError, match="no masked array, and results are missing"):
        formula.map((x,), out=plain)
    with pytest.raises(TypeError, match="do not go into int32"):
        formula.map((x,), out=np.ma.zeros(2, "i4"))
    with pytest.raises(TypeError, match="an array of NumPy's"):
        formula.map((x,), out=bytearray(16))
    assert formula.map((x.filled(3.0),), out=plain).tolist() == [2.0, 6.0]
    with pytest.raises(TypeError, match="several kinds"):
        dora.expr("x + y")(x, bytearray(2))


def test_nothing_is_left() -> None:
    gc.collect()
    before = dora.memory()
    formula = dora.expr("coalesce(x, 1) + coalesce(y, 2)")
    x = np.ma.array([1.0, 2.0, 3.0], mask=[True, False, True])
    assert formula(x, x[::-1]).tolist() == [3.0, 4.0, 3.0]
    assert dora.memory()["modules"] > before["modules"]
    del formula
    gc.collect()
    assert dora.memory() == before
