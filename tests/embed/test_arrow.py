"""Columns of Arrow by the C data interface: our own, and pyarrow's where it is installed."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import doralang as dora
from doralang.embed import arrow
from doralang.embed.arrow import ArrowColumn, called_with_plain

SUM = {"a": float, "b": float}


@pytest.fixture(autouse=True)
def without_pyarrow(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Results are our own columns, but where a test is about pyarrow."""
    if "pyarrow" not in request.node.name:
        monkeypatch.delitem(sys.modules, "pyarrow", raising=False)


def held() -> tuple[int, int]:
    gc.collect()
    return len(arrow.EXPORTED), len(arrow.CAPSULES)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "i8", "u1"])
def test_there_and_back(dtype: str) -> None:
    before = held()
    formula = dora.expr("a * 2 + b", SUM, missing="propagate")
    for count in (0, 1, 7, 8, 9, 100):
        choose = random.Random(count)
        mask = [choose.random() < 0.3 for _ in range(count)]
        numbers = np.arange(count, dtype=dtype)
        for column in (ArrowColumn(numbers), ArrowColumn(np.ma.array(numbers, mask=mask))):
            found = formula(column, 1.0)
            assert type(found) is ArrowColumn and len(found) == count
            back = formula.arrow(found, column)  # a * 2 + 1 is a
            gone = mask if column.nulls else [False] * count
            expected = [None if missing else 5.0 * n + 2 for n, missing in enumerate(gone)]
            assert elements(back) == expected
    assert held() == before


def elements(column: Any) -> list[Any]:
    """The elements of a column, by the way that it came."""
    with arrow.ExitStack() as stack:
        return list(arrow.imported(column, stack).tolist())


def test_truth_values_are_bits() -> None:
    formula = dora.expr("a > 2", {"a": float}, missing="propagate")
    found = formula(ArrowColumn(np.ma.array(np.arange(20.0) % 5, mask=np.arange(20) % 7 == 0)))
    assert elements(found) == [None if n % 7 == 0 else n % 5 > 2 for n in range(20)]
    assert elements(dora.expr("f ? 1 : 2", {"f": bool}, missing="propagate")(found)) == [
        None if n % 7 == 0 else 1.0 if n % 5 > 2 else 2.0 for n in range(20)
    ]


def test_nulls_are_missing() -> None:
    column = ArrowColumn(np.ma.array([1.0, 2.0], mask=[False, True]))
    with pytest.raises(dora.MissingValue, match="`a` is missing") as caught:
        dora.expr("a + 1")(column)
    assert caught.value.element == (1,)
    assert elements(dora.expr("coalesce(a, 5) + 1")(column)) == [2.0, 6.0]


def test_columns_among_others() -> None:
    formula, column = dora.expr("a + b"), ArrowColumn(np.arange(3.0))
    assert elements(formula(column, np.ones(3))) == [1.0, 2.0, 3.0]
    out = np.zeros(3)
    assert formula.map((column, 2), out=out, threads=2) is out
    assert out.tolist() == [2.0, 3.0, 4.0]
    with pytest.raises(ValueError, match="one dimension"):
        formula(column, np.ones((2, 3)))


class Exporter:
    """A column whose structures a test has changed."""

    def __init__(self, change: Callable[[Any, Any], None]) -> None:
        self.change = change

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        schema, array = ArrowColumn(np.arange(3.0)).__arrow_c_array__()
        self.change(
            arrow.ArrowSchema.from_address(arrow.capsule_pointer(schema, b"arrow_schema")),
            arrow.ArrowArray.from_address(arrow.capsule_pointer(array, b"arrow_array")),
        )
        return schema, array


def changed(part: int, **values: Any) -> Exporter:
    def change(*structures: Any) -> None:
        for name, value in values.items():
            setattr(structures[part], name, value)

    return Exporter(change)


@pytest.mark.parametrize(
    ("column", "error"),
    [
        (changed(0, format=b"u"), TypeError),
        (changed(0, format=b"e"), TypeError),
        (changed(0, format=None), TypeError),
        (changed(0, dictionary=4096), TypeError),
        (changed(1, n_buffers=1), ValueError),
        (changed(1, n_buffers=3), ValueError),
        (changed(1, length=-1), ValueError),
        (changed(1, offset=-1), ValueError),
        (Exporter(lambda schema, array: array.buffers.__setitem__(1, None)), ValueError),
    ],
)
def test_exporters_that_lie(column: Exporter, error: type[Exception]) -> None:
    before = held()
    with pytest.raises(error, match="column of Arrow's"):
        dora.expr("a + 1")(column)
    assert held() == before


def test_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    formula = dora.expr("a * b + 1", SUM, missing="propagate")
    column = pyarrow.array([1.0, None, 3.0, 4.0])
    found = formula(column, 2.0)
    assert isinstance(found, pyarrow.Array)
    assert found.to_pylist() == [3.0, None, 7.0, 9.0]
    assert formula(column.slice(1), pyarrow.array([1, 2, 3])).to_pylist() == [None, 7.0, 13.0]
    assert formula(pyarrow.chunked_array([[1.0], [2.0, None]]), 1.0).to_pylist() == [2.0, 3.0, None]
    assert formula(pyarrow.chunked_array([], pyarrow.float64()), 1.0).to_pylist() == []
    assert formula.over(pyarrow.table({"a": [1, 2], "b": [0.5, 1.5]})).to_pylist() == [1.5, 4.0]
    truth = dora.expr("a > 2", {"a": float}, missing="propagate")
    assert truth(column).to_pylist() == [False, None, True, True]
    choice = dora.expr("f ? 1 : 2", {"f": bool}, missing="propagate")
    many = pyarrow.array([True, None, False] * 9)
    assert choice(many.slice(5)).to_pylist() == [
        {True: 1.0, None: None, False: 2.0}[one.as_py()] for one in many.slice(5)
    ]
    for wrong in (pyarrow.array(["a"]), pyarrow.array(["a"]).dictionary_encode(), pyarrow.array([[1.0]])):
        with pytest.raises(TypeError, match="column of Arrow's"):
            formula(wrong, 1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "int64", "uint8"])
def test_plain_columns_of_pyarrow_take_a_short_way(dtype: str) -> None:
    """`formula.arrow` gives what the protocol gives, and leaves to that what has nulls or is laid out otherwise."""
    pyarrow = pytest.importorskip("pyarrow")
    formula = dora.expr("a * b + 1", SUM, missing="propagate")
    whole = pyarrow.array(np.arange(100, dtype=dtype))
    for column in (whole, whole.slice(3, 40), whole.slice(5, 0), pyarrow.chunked_array([whole.slice(1)])):
        assert called_with_plain(formula, (column, column)).equals(formula(column, column))
        assert formula.arrow(column, column).equals(formula(column, column))
    nulls = pyarrow.array([1, None], whole.type)
    chunks = pyarrow.chunked_array([whole, whole])
    for column in (nulls, chunks, pyarrow.array([True]), [1.0], np.arange(3.0), 1.0):
        assert called_with_plain(formula, (column, column)) is None
    assert formula.arrow(nulls, nulls).to_pylist() == [2.0, None]
    assert formula.arrow(chunks, chunks).equals(formula(chunks, chunks))
    for column in (pyarrow.array(["a"]), pyarrow.array([1], pyarrow.timestamp("s"))):
        with pytest.raises(TypeError, match="column of Arrow's"):
            formula.arrow(column, column)


def test_pyarrow_gives_all_back() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    before, formula = held(), dora.expr("a * 2", {"a": float}, missing="propagate")
    found = [formula(pyarrow.array([0.0, 1.0, None])) for _ in range(20)]
    assert held()[0] == before[0] + 20  # pyarrow has the elements, and has copied the type
    assert found[3].to_pylist() == [0.0, 2.0, None]
    del found
    assert held() == before
