"""Formulas on ints, longs, floats and truth values over arrays: the bits that they give for numbers, packed or not."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from itertools import product
from struct import pack
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_arrays import one_by_one, same, shapes, strided

import doralang as dora
from doralang.embed import array_calls, formulas, general_arrays, kernels, levels
from doralang.machine.x64.levels import Level
from sampling import EVERY
from vector_levels import HERE, at_level

pytestmark = pytest.mark.skipif(
    not formulas.HAS_ARRAY_ENTRIES, reason="there is no packed code for this processor"
)
LEVEL = st.sampled_from(HERE or [Level.SSE2])
TYPES = {
    "n": "int",
    "m": "int",
    "k": "long",
    "l": "long",
    "f": "float32",
    "g": "float32",
    "x": "double",
    "y": "double",
    "b": "bool",
    "c": "bool",
}
DTYPES = {"int": "i4", "long": "i8", "float32": "f4", "float": "f4", "double": "f8", "bool": "?"}
NUMBERS: dict[str, Any] = {
    "int": st.sampled_from((0, 1, -1, 3, 7, 31, 2**31 - 1, -(2**31), 65536, -99999)),
    "long": st.sampled_from((0, 1, -1, 3, 64, 2**53 + 1, 2**63 - 1, -(2**63), 2**32 + 7, -(2**61))),
    "float32": st.sampled_from(
        (0.0, -0.0, 1.0, -1.5, 0.1, 1e30, -1e-40, 16777216.0, np.inf, -np.inf, np.nan)
    ),
    "double": st.sampled_from((0.0, -0.0, 1.0, -1.5, 0.1, 1e200, -1e-310, 2.5, np.inf, -np.inf, np.nan)),
    "bool": st.booleans(),
}
PACKED = (
    "n*m + n - 7L",
    "k*l - n",
    "-n + abs(m)",
    "-k + abs(l)",
    "f*g - f/g",
    "f + n*x",
    "k / l + 0.5",
    "sqrt(f) + sqrt(x)",
    "-f",
    "abs(f) < abs(x)",
    "min(f, g)",
    "max(n, m) * min(k, n)",
    "clamp(k, n, l)",
    "(n & m | 12) ^ n >> 3",
    "n << m",
    "k >>> l",
    "k >> l",
    "n < m and k >= l or f != g",
    "b ? n : m",
    "b and not c or n == m",
    "b != c",
    "b ? x : n",
    "x > y ? f : g",
    "f > g ? k : n",
    "n > 3 ? (b ? f : g) : f",
    "round(x) + floor(f)",
    "n in [1, m, 3]",
    "k.toInt() + x.isNan().toInt()",
    "x.toFloat() * f",
    "sum(n, k, f)",
    "sign(n)",
    "n",
    "b",
)
BEYOND_SSE2 = frozenset(("(n & m | 12) ^ n >> 3", "n << m", "k >>> l", "k >> l", "round(x) + floor(f)"))
"""what shifts or rounds"""
NOT_PACKED = ("n % m", "n.div(m)", "n * sin(x)", "k.toFloat()", "x.toInt()", "n.pow(3)", "f % g")


def typed(text: str) -> dora.Expr:
    names = dora.check(text, TYPES).names
    return dora.expr(text, {name: TYPES[name] for name in names})


@cache
def formula_at(level: Level, text: str) -> dora.Expr:
    """A formula whose code is made while no more than a level is used."""
    return typed(text)


CASES = settings(
    max_examples=int(os.environ.get("DORA_CASES", 4000 if EVERY else 250)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def is_packed(formula: dora.Expr) -> bool:
    assert formula._general is not None
    return isinstance(general_arrays.loops_of(formula._general._callee), kernels.Kernels)


@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("text", PACKED)
def test_what_is_packed(text: str, level: Level) -> None:
    with at_level(level):
        assert is_packed(typed(text)) is (level > Level.SSE2 or text not in BEYOND_SSE2)


@pytest.mark.parametrize("text", NOT_PACKED)
def test_what_is_not(text: str) -> None:
    assert not is_packed(typed(text))


@CASES
@given(LEVEL, st.sampled_from(PACKED), st.data())
def test_close_arrays(level: Level, text: str, data: st.DataObject) -> None:
    formula = formula_at(level, text)
    count = data.draw(st.integers(1, 40) | st.integers(1, 40) | st.integers(500, 600))
    values = []
    for name in formula.names:
        kind = TYPES[name]
        drawn = data.draw(st.lists(NUMBERS[kind], min_size=1, max_size=8))
        values.append(np.array((drawn * count)[:count], DTYPES[kind]))
    expected = one_by_one(formula, values, DTYPES[formula.type])
    with at_level(level):
        for _ in range(2):
            assert same(formula(*values), expected), (level, text, values)


@CASES
@given(LEVEL, st.sampled_from(PACKED), st.data())
def test_shapes_strides_and_numbers(level: Level, text: str, data: st.DataObject) -> None:
    formula = formula_at(level, text)
    _, parts = data.draw(shapes())
    values: list[Any] = []
    for index, name in enumerate(formula.names):
        kind = TYPES[name]
        if index and data.draw(st.integers(0, 3)) == 0:
            values.append(data.draw(NUMBERS[kind]))
        else:
            values.append(data.draw(strided(parts[index % len(parts)], DTYPES[kind], NUMBERS[kind])))
    typed_values = [
        np.asarray(value, DTYPES[TYPES[name]]) for name, value in zip(formula.names, values, strict=True)
    ]
    expected = one_by_one(formula, typed_values, DTYPES[formula.type])
    with at_level(level):
        found = formula(*values)
    assert same(found if expected.shape else np.asarray(found), expected), (level, text, values)


@CASES
@given(LEVEL, st.data())
def test_overlap_is_as_if_all_were_read_first(level: Level, data: st.DataObject) -> None:
    """Views of one piece of memory, of elements of several sizes."""
    text = data.draw(
        st.sampled_from(("n + m", "k - n", "f * f", "x.toFloat() + f", "k.toInt() ^ n", "x * n"))
    )
    formula = formula_at(level, text)
    memory = np.arange(400, dtype="u1")
    count = data.draw(st.integers(1, 20))
    values = []
    for name in formula.names:
        dtype = np.dtype(DTYPES[TYPES[name]])
        start = data.draw(st.integers(0, 60))
        values.append(memory[start : start + count * dtype.itemsize].view(dtype))
    dtype = np.dtype(DTYPES[formula.type])
    expected = one_by_one(formula, [value.copy() for value in values], dtype.str)
    start = data.draw(st.integers(0, 60))
    out = memory[start : start + count * dtype.itemsize].view(dtype)
    with at_level(level):
        assert formula.map(values, out=out) is out
    assert same(out, expected), (level, text)


@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("text", ["b ? x < y : x > y", "b ? f < g : f > g", "b != c"])
def test_truth_values_in_place(level: Level, text: str) -> None:
    """No byte is written before its element is read, in whatever rest of a vector it lies."""
    with at_level(level):
        formula = typed(text)
        for count in range(1, 140):
            truth = np.arange(count) % 3 == 0
            values = {name: np.arange(count) % 7 for name in "xg"} | {
                name: np.arange(count) % 5 for name in "yfc"
            }
            given = [truth, *[values[name].astype(DTYPES[TYPES[name]]) for name in formula.names[1:]]]
            expected = formula(*given)
            assert same(formula.map(given, out=truth), expected), count


def test_small_calls_have_the_types_of_their_parameters() -> None:
    n, x = np.array([1, 2], "i4"), np.array([0.5, 1.5])
    formula = dora.expr("n * x", {"n": int, "x": float})
    for _ in range(2):
        assert formula(n, x).tolist() == [0.5, 3.0]
        assert formula(n, 2).tolist() == [2.0, 4.0]
        assert formula(3, x).tolist() == [1.5, 4.5]
        assert formula(n.astype("i8"), x).tolist() == [0.5, 3.0]
    assert formula._record is not None
    for wrong in (1.5, True, "1"):
        with pytest.raises(TypeError):
            formula(wrong, x)
    for wrong in (1 << 31, -(1 << 31) - 1, 1 << 70):
        with pytest.raises(OverflowError):
            formula(wrong, x)
    assert formula(-(1 << 31), x).tolist() == [-(2.0**30), -3.0 * 2**30]


def test_without_packed_instructions_it_is_the_same() -> None:
    k, x = np.array([2**62, 5, -7]), np.array([0.5, -1.5, 2.5])
    packed = dora.expr("k >> 3 < 7 ? x : floor(x)", {"k": "long", "x": float})(k, x)
    with at_level(Level.SSE2):
        formula = dora.expr("k >> 3 < 7 ? x : floor(x)", {"k": "long", "x": float})
        assert same(formula(k, x), packed)
        assert not is_packed(formula)


@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("text", ["b ? n : m", "b", "b ? x : 2", "b and not c or n == m", "b != c"])
def test_truth_values_with_any_bits_are_taken_as_they_are(level: Level, text: str) -> None:
    with at_level(level):
        formula = typed(text)
        for count in (1, 3, 4, 7, 8, 9, 21, 40):
            truth = np.arange(2 * count, dtype="u1") * 37 % 5 * 64
            values = {
                **{name: np.arange(count, dtype="i4") % 3 for name in "nm"},
                **{name: truth[at : at + count].view("?") for at, name in enumerate("bc")},
                "x": np.linspace(0, 1, count),
            }
            given = [values[name] for name in formula.names]
            plain = [value.view("u1") != 0 if value.dtype == "?" else value for value in given]
            for _ in range(2):
                assert same(formula(*given), one_by_one(formula, plain, DTYPES[formula.type])), (text, count)
        assert formula._record is not None


@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("text", ["n + m", "k - n", "f * g", "x * y - n", "n < m", "x - y", "x < y"])
def test_elements_begin_anywhere(level: Level, text: str) -> None:
    """Where there are many, some first ones are computed so that vectors of the others lie well in memory."""
    choose = np.random.default_rng(1)
    with at_level(level):
        names = dora.check(text, TYPES).names
        formula = dora.expr(text) if set(text) <= set("x -<y") else typed(text)
        columns = [choose.integers(-99, 99, 700).astype(DTYPES[TYPES[name]]) for name in names]
        expected, dtype = formula(*columns), np.dtype(DTYPES[formula.type])
        memory = np.full(6000, 0x55, "u1")
        for start, count in product((0, 1, 4, 8, 16, 24, 32, 40, 56, 63), (33, 257, 512, 513, 600)):
            inputs = [column[start : start + count] for column in columns]
            out = memory[start : start + count * dtype.itemsize].view(dtype)
            formula.map(inputs, out=out)
            assert same(out, expected[start : start + count]), (start, count)
            out.view("u1")[:] = 0x55
            assert (memory == 0x55).all()


@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize(
    "text", ["x * 1234.5678 > y", "x * 1234.5678", "n * 1234567890123", "n > 1234567 ? n : m"]
)
def test_numbers_of_formulas_are_not_in_their_code(level: Level, text: str) -> None:
    """Where it runs: their bytes could be instructions of somebody's choice."""
    with at_level(level):
        formula = typed(text) if "n" in text else dora.expr(text)
        formula(*[np.ones(3, DTYPES[TYPES[name]]) for name in formula.names])
        computation = array_calls.computation_of(formula)
        assert isinstance(computation, kernels.Kernels)
        (code,) = computation.kept.values()
        data = ctypes.string_at(code.address, code.size)
        words = pack("<d", 1234.5678), (1234567890123).to_bytes(8, "little"), (1234567).to_bytes(4, "little")
        assert not any(word in data for word in words)


def test_levels_by_name() -> None:
    assert [levels.named(name) for name in ("sse2", "avx2", "fma", "avx512")] == list(Level)
    with pytest.raises(ValueError, match="DORA_VECTORS: 'mmx' is none of sse2, avx2, fma, avx512"):
        levels.named("mmx")


def test_missing_elements_of_whole_numbers() -> None:
    n = np.ma.array([1, 2, 3], "i4", mask=[False, True, False])
    formula = dora.expr("n * n + 1L", {"n": int}, missing="propagate")
    assert formula(n).tolist() == [2, None, 10]
    assert dora.expr("coalesce(n, 7L) + n.toLong()*0L", {"n": int}, missing="propagate")(n).tolist() == [
        1,
        None,
        3,
    ]
