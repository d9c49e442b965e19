"""Calls on a few elements that go from CPython straight to a kernel: what they give, what they refuse, what they
hold."""

from __future__ import annotations

import gc
import inspect
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import doralang as dora
from doralang.embed import formulas, quick_arrays

pytestmark = pytest.mark.skipif(
    not formulas.HAS_ARRAY_ENTRIES, reason="no machine code takes arrays on this processor"
)
TEXTS = ("(a*b+c-2.5)*d", "a < b or c == d", "sin(a)*b - c/d")


def prepared(text: str, *values: Any) -> dora.Expr:
    """A formula that has been called like this."""
    formula = dora.expr(text)
    formula(*values)
    assert formula._record is not None
    return formula


def one_by_one(formula: dora.Expr, values: list[Any]) -> Any:
    columns = np.broadcast_arrays(*values)
    kind = "bool" if formula.type == "bool" else "f8"
    return np.array([formula(*map(float, row)) for row in zip(*columns, strict=True)], kind)


@st.composite
def arguments(draw: st.DrawFn) -> tuple[list[Any], Any]:
    """Four arguments, most of which are plain, and an output, which may be one of them or overlap."""
    size = draw(st.sampled_from((0, 1, 2, 3, 4, 5, 10, 17, 33)))
    memory = np.random.default_rng(draw(st.integers(0, 99))).integers(-4, 5, 4 * size + 200) / 2.0
    values: list[Any] = []
    for _ in range(4):
        kind = draw(st.sampled_from(("plain", "plain", "plain", "step", "back", "number", "whole", "big")))
        start = draw(st.integers(0, 60))
        if kind == "plain":
            values.append(memory[start : start + size])
        elif kind == "step":
            values.append(memory[start : start + 2 * size : 2])
        elif kind == "back":
            values.append(memory[start : start + size][::-1])
        else:
            values.append({"number": -1.5, "whole": 3, "big": 1 << 70}[kind])
    if not any(isinstance(value, np.ndarray) for value in values):
        values[0] = memory[:size]
    start = draw(st.integers(0, 90))
    return values, memory[start : start + size]


@settings(max_examples=400, deadline=None)
@given(arguments(), st.sampled_from(TEXTS), st.booleans())
def test_elements_are_what_numbers_give(given: tuple[list[Any], Any], text: str, into: bool) -> None:
    values, out = given
    formula = FORMULAS[text]
    expected = one_by_one(formula, values)
    for _ in range(2):  # the first one may make the record
        found = formula(*values)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(formula(*values[:2], **dict(zip("cd", values[2:], strict=True))), expected)
    if into and formula.type != "bool":
        assert formula.map(values, out=out) is out
        np.testing.assert_array_equal(out, expected)


FORMULAS = {text: dora.expr(text) for text in TEXTS} if formulas.HAS_ARRAY_ENTRIES else {}


def test_lengths_at_the_ends() -> None:
    formula = prepared("a + b", np.ones(3), np.ones(3))
    for size in (0, 1, formulas.FEW, formulas.FEW + 1, formulas.MANY, formulas.MANY + 1):
        assert (formula(np.ones(size), np.ones(size)) == np.full(size, 2.0)).all()
        assert formula(np.ones(size), np.ones(size)).shape == (size,)
    with pytest.raises(ValueError, match="do not fit together"):
        formula(np.ones(3), np.ones(2))
    assert formula(np.ones(3), np.ones(1)).tolist() == [2.0] * 3


def test_numbers_among_arrays() -> None:
    a = np.array([1.0, 2.0])
    formula = prepared("a * b", a, 2.0)
    assert formula(a, 3).tolist() == [3.0, 6.0]
    assert formula(a, -3).tolist() == [-3.0, -6.0]
    assert formula(a, 0).tolist() == [0.0, 0.0]
    assert formula(a, 1 << 40).tolist() == [2.0**40, 2.0**41]
    assert formula(3, a).tolist() == [3.0, 6.0]
    assert formula(a, a).tolist() == [1.0, 4.0]
    assert formula(2.0, 3.0) == 6.0
    assert formula(b=a, a=2.0).tolist() == [2.0, 4.0]
    for wrong in (True, "2", None, 1j):
        with pytest.raises((TypeError, dora.MissingValue)):
            formula(a, wrong)
    with pytest.raises(OverflowError):
        formula(a, 10**400)


def test_wrong_names_and_numbers_of_arguments() -> None:
    a = np.ones(2)
    formula = prepared("a * b", a, a)
    for args, kwargs in (((a,), {}), ((a, a, a), {}), ((a,), {"c": a}), ((a, a), {"b": a}), ((), {})):
        with pytest.raises(TypeError):
            formula(*args, **kwargs)
    for args in ((), (a,), (a, a, a)):
        with pytest.raises(TypeError):
            formula.map(args)
    for extra in ({"into": a}, {"out": 5}, {"out": a, "threads": "x"}):
        with pytest.raises((TypeError, ValueError)):
            formula.map((a, a), **extra)  # type: ignore[arg-type]


def test_arrays_that_are_not_plain() -> None:
    a = np.array([1.0, 2.0, 3.0])
    formula = prepared("a * 2", a)

    class Own(np.ndarray):
        pass

    for other in (
        a.astype("f4"),
        a.astype("i8"),
        a.reshape(3, 1),
        a.view(Own),
        np.frombuffer(b"\0" + a.tobytes(), "f8", offset=1),
        np.ma.array(a, mask=[0, 0, 0]),
    ):
        assert np.asarray(formula(other)).ravel().tolist() == [2.0, 4.0, 6.0]
    with pytest.raises(TypeError, match="big-endian"):
        formula(a.astype(">f8"))
    with pytest.raises(TypeError):
        formula(a.astype("O"))


def test_outputs() -> None:
    a = np.array([1.0, 2.0, 3.0])
    formula = prepared("a * 2", a)
    assert formula.map((a,), out=a) is a
    assert a.tolist() == [2.0, 4.0, 6.0]
    locked = np.zeros(3)
    locked.flags.writeable = False
    for wrong in (locked, np.zeros(2), np.zeros(3, "f4"), np.zeros(3, "i8")):
        with pytest.raises((ValueError, TypeError)):
            formula.map([a], out=wrong)
    line = np.arange(6.0)
    assert formula.map([line[:4]], out=line[1:5]).tolist() == [0.0, 2.0, 4.0, 6.0]
    assert formula.map([line[2:]], out=line[:4]).tolist() == [4.0, 8.0, 12.0, 10.0]
    assert formula.map((a,), out=None).tolist() == [4.0, 8.0, 12.0]
    assert formula.map((a,), threads=2).tolist() == [4.0, 8.0, 12.0]
    assert formula.map({"a": a}).tolist() == [4.0, 8.0, 12.0]
    assert formula.map(iter([a])).tolist() == [4.0, 8.0, 12.0]  # type: ignore[arg-type]


def test_nothing_is_held_or_lost() -> None:
    a, out = np.ones(4), np.ones(4)
    formula = prepared("a / 2 > 1", a)
    number = prepared("a / 2", a)
    held = (a, out, np.dtype("f8"), np.dtype("?"), formula, number)
    before = [sys.getrefcount(one) for one in held]
    for _ in range(500):
        formula(a)
        number(a)
        number.map((a,), out=out)
        with pytest.raises(TypeError):
            number.map((a, a), out=out)
    after = [sys.getrefcount(one) for one in held]
    assert all(abs(one - other) < 5 for one, other in zip(before, after, strict=True))


def test_code_goes_with_the_formula() -> None:
    gc.collect()
    before = dora.memory()
    a = np.ones(4)
    formula = prepared("a * 3 - b", a, a)
    for arguments in ((a, 1.0), (1, a), (a, a)) * 8:
        formula(*arguments)
    del formula
    gc.collect()
    assert dora.memory() == before


def test_map_says_what_it_takes() -> None:
    prepared("a * 3", np.ones(2))
    assert str(inspect.signature(dora.Expr.map)) == "(self, /, args, *, out=None, threads=1)"
    assert dora.Expr.map.__doc__ and "element by element" in dora.Expr.map.__doc__
    assert dora.expr("a * 4").map((2.0,)) == 8.0


def test_arrays_of_another_layout_go_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_arrays, "entries", lambda: 0)
    formula, a = dora.expr("a * 5"), np.ones(2)
    assert formula(a).tolist() == [5.0, 5.0]
    assert formula._record is None
    monkeypatch.setattr(quick_arrays.array_entries, "SHAPE", quick_arrays.array_entries.STRIDES)
    assert not quick_arrays.arrays_are_known(np)


def test_two_threads_that_make_the_code_do_no_harm() -> None:
    """The second one's is not called, and the first one's finds all that it needs."""
    entry = quick_arrays.entries()
    quick_arrays.made_entries()
    gc.collect()
    assert quick_arrays.entries() == entry
    assert inspect.signature(dora.Expr.map) and dora.Expr.map.__name__ == "map"
    x = np.arange(3.0)
    formula = dora.expr("x * y")
    for _ in range(3):
        assert formula(x, 2.0).tolist() == formula.map((x, 2.0)).tolist() == [0, 2, 4]
        assert formula.map((x.astype("i4"), x)).tolist() == [0, 1, 4]
