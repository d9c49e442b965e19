"""Columns of others: pandas where it is installed, and arrays that take ufuncs their own way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import doralang as dora
from doralang.embed import formulas

TYPES = {"n": int, "x": float}


class Metres:
    """An array with a unit, which goes through ufuncs."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Metres:
        return Metres(ufunc(*[one.values if isinstance(one, Metres) else one for one in inputs], **options))


@pytest.mark.skipif(not formulas.HAS_ARRAY_ENTRIES, reason="no machine code takes arrays on this processor")
def test_what_dispatches_gets_a_ufunc() -> None:
    found = dora.expr("a * b + 1")(Metres(np.arange(3.0)), 2)
    assert type(found) is Metres
    assert found.values.tolist() == [1.0, 3.0, 5.0]


@pytest.mark.skipif(np.__version__ < "2", reason="needs NumPy 2")
def test_what_dispatches_gets_a_ufunc_of_its_types() -> None:
    found = dora.expr("n % 0x3", {"n": int})(Metres(np.arange(5, dtype="i4")))
    assert type(found) is Metres and found.values.tolist() == [0, 1, 2, 0, 1]


def test_series() -> None:
    pandas = pytest.importorskip("pandas")
    for formula in (dora.expr("n * x + 1"), dora.expr("n * x + 1", TYPES)):
        frame = pandas.DataFrame(
            {"n": [1, 2, 3], "x": [0.5, 1.5, 2.5], "more": ["a", "b", "c"]}, index=[7, 8, 9]
        )
        for found in (
            formula(frame.n.astype("int32"), frame.x),
            formula.over(frame),
            formula(n=frame.n, x=frame.x),
        ):
            assert type(found) is pandas.Series
            assert found.to_dict() == {7: 1.5, 8: 4.0, 9: 8.5}
        assert formula(frame.n, 2.0).tolist() == [3.0, 5.0, 7.0]
        assert formula(frame.n, np.ones(3)).index.equals(frame.index)
        out = np.zeros(3)
        assert formula.over(frame, out=out, threads=2) is out
        with pytest.raises(ValueError, match="indexes of two Series"):
            formula(frame.n, frame.x.reset_index(drop=True))
        with pytest.raises(ValueError, match="beside an array of shape"):
            formula(frame.n, np.ones((2, 3)))
        with pytest.raises(TypeError, match="`x`"):
            formula(frame.n, frame.more)
        with pytest.raises(KeyError, match="no column 'x'"):
            formula.over(frame[["n"]])


def test_series_that_miss_elements() -> None:
    pandas = pytest.importorskip("pandas")
    numbers = pandas.Series([1.0, None, 3.0], dtype="Float64")
    whole = pandas.Series([1, 2, None], dtype="Int64")
    formula = dora.expr("x > 2 ? x : x + n", {"x": float, "n": "long"}, missing="propagate")
    found = formula(numbers, whole)
    assert str(found.dtype) == "Float64"
    assert [None if one is pandas.NA else one for one in found] == [2.0, None, 3.0]
    assert dora.expr("coalesce(x, 0)")(numbers).tolist() == [1.0, 0.0, 3.0]
    with pytest.raises(dora.MissingValue) as caught:
        dora.expr("x * 2")(numbers)
    assert caught.value.element == (1,)
    truth = dora.expr("x > 2", {"x": float}, missing="propagate")(numbers)
    assert str(truth.dtype) == "boolean"
    assert dora.expr("x * 2")(numbers.fillna(4)).tolist() == [2.0, 8.0, 6.0]
