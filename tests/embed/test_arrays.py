"""Formulas over arrays against the same formulas on numbers, and against NumPy's rules for shapes and overlap.

What one formula gives for numbers is the law: every element has the same bits.  `make test-all` draws many more
cases.
"""

from __future__ import annotations

import array
import ctypes
import gc
import importlib.util
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import product
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import doralang as dora
from doralang.embed import arrays, buffers, formulas, kernels
from doralang.embed.arrays import CHUNK, broadcast_shape
from doralang.machine.x64.levels import Level
from sampling import EVERY
from vector_levels import HERE, at_level

FUZZ = Path(__file__).parents[1] / "fuzz" / "formulas.py"


@pytest.fixture(autouse=True)
def threads_for_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for several threads gets them."""
    monkeypatch.setattr(arrays, "LEAST_OF_THREAD", 2)


DIRECT = pytest.mark.skipif(
    not formulas.HAS_ARRAY_ENTRIES, reason="no machine code takes arrays on this processor"
)
VALUES = (
    0.0,
    -0.0,
    1.0,
    -1.5,
    3.0,
    1e200,
    -1e-310,
    float("inf"),
    -float("inf"),
    float("nan"),
    0.1,
    123456.789,
)
FORMULAS = (
    "(a*b+c-2.5)*d",
    "a < b",
    "not (a < b) or c == d",
    "a > 1 ? a*b : c/d",
    "max(a, b, c)",
    "min(a, -b, c)",
    "clamp(a, b, c)",
    "floor(a) + ceil(b) * trunc(c)",
    "-abs(a)",
    "sqrt(a) - b*(c - d*(a+2))",
    "a+b+c+d+f+g+h*k",
    "a != b and a <= b",
    "a >= b ? (b > c ? a : b) : (c != 1 ? d : 2)",
    "sin(a)*b - c**2",
    "a % b > 1 ? atan2(a, b) : round(c)",
    "2.5",
)
DTYPES = ("f8", "f4", "i4", "i8", "u1")


def same(found: Any, expected: Any) -> bool:
    """Whether all elements have the same bits; all that are no numbers are the same."""
    found, expected = np.asarray(found), np.asarray(expected)
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return False
    if found.dtype.kind == "f":
        found, expected = (np.where(np.isnan(one), np.inf * 0, one) for one in (found, expected))
        numbers = ~np.isnan(expected)
        return (
            bool((np.isnan(found) == ~numbers).all())
            and found[numbers].tobytes() == expected[numbers].tobytes()
        )
    return found.tobytes() == expected.tobytes()


def one_by_one(formula: dora.Expr, values: list[Any], dtype: str | None = None) -> Any:
    """The formula on numbers, element after element."""
    arrays = np.broadcast_arrays(*values)
    dtype = dtype or ("bool" if formula.type == "bool" else "f8")
    result = np.empty(arrays[0].shape, dtype)
    for index in np.ndindex(result.shape):
        result[index] = formula(*[one[index].item() for one in arrays])
    return result


def fuzzer() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz_formulas", FUZZ)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def nothing_left() -> Iterator[None]:
    gc.collect()
    before = dora.memory()
    yield
    gc.collect()
    for _ in range(200):  # a thread that has helped may let go of the work a little after its end
        if dora.memory() == before:
            return
        sleep(0.01)
    assert dora.memory() == before


@DIRECT
@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("text", FORMULAS[:-1])
def test_elements_are_what_numbers_give(text: str, level: Level) -> None:
    choose = random.Random(text)
    with at_level(level), nothing_left():
        formula = dora.expr(text)
        for count in [*range(10), 15, 16, 17, 31, 33, 100]:
            values: list[Any] = [
                np.array(choose.choices(VALUES, k=count)) if choose.random() < 0.8 else choose.choice(VALUES)
                for _ in formula.names
            ]
            values[0] = np.array(choose.choices(VALUES, k=count))
            expected = one_by_one(formula, values)
            assert same(formula(*values), expected), (count, values)
            assert same(formula.map(values, threads=2), expected), (count, values)  # never by way of NumPy
        del formula


@DIRECT
def test_both_ways_of_code_are_used() -> None:
    kernel, loop = (dora.expr(text) for text in ("a*b", "a*sin(b)"))
    for formula in (kernel, loop):
        formula.map((np.ones(3), np.ones(3)), threads=2)
    assert kernels.has_packed_form(kernel._computation.node)  # type: ignore[union-attr]
    assert not kernels.has_packed_form(loop._computation.node)  # type: ignore[union-attr]


@DIRECT
def test_long_formulas_have_kernels_at_all_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "element_loop", None)
    deep = "a - (" * 30 + "b" + ")" * 30
    for level, text in product(HERE, (deep, "a" + " + a*b - b" * 100)):
        a, b = (np.array(random.Random(name).choices(VALUES, k=21)) for name in "ab")
        with at_level(level):
            formula = dora.expr(text)
            assert same(formula.map((a, b), threads=2), one_by_one(formula, [a, b])), (level, text)


@DIRECT
@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("seed", range(40 if EVERY else 4))
def test_random_formulas(seed: int, level: Level) -> None:
    with at_level(level):
        random_formulas(random.Random(seed))


def random_formulas(choose: random.Random) -> None:
    writer, taken = fuzzer().Writer(choose), 0
    while taken < 60:
        try:
            formula = dora.expr(writer.formula())
        except dora.CompileError:
            continue
        if not formula.names or formula._general is not None:
            continue
        taken += 1
        values: list[Any] = [
            np.array(choose.choices(VALUES, k=19)) if choose.random() < 0.8 else choose.choice(VALUES)
            for _ in formula.names
        ]
        values[0] = np.array(choose.choices(VALUES, k=19))
        expected = one_by_one(formula, values)
        assert same(formula(*values), expected), formula.source
        assert same(formula.map(values, threads=2), expected), formula.source


@DIRECT
@pytest.mark.parametrize("level", HERE)
@pytest.mark.parametrize("seed", range(40 if EVERY else 4))
def test_random_formulas_with_types(seed: int, level: Level) -> None:
    """Those that are computed in doubles, and those that are not."""
    with at_level(level):
        random_formulas_with_types(random.Random(seed))


def random_formulas_with_types(choose: random.Random) -> None:
    fuzz = fuzzer()
    writer, taken = fuzz.Writer(choose), 0
    numbers = {
        "int": (0, 1, -1, 3, 7, 2**31 - 1, -(2**31)),
        "long": (0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 12345678901),
        "float32": (0.0, -0.0, 0.5, 16777216.0, float("inf"), float("nan"), 3.0),
        "double": VALUES,
    }
    dtypes = {"int": "i4", "long": "i8", "float32": "f4", "double": "f8"}
    while taken < 12:
        text = writer.number(choose.randrange(1, 4)) if choose.random() < 0.7 else writer.truth(2)
        types = {name: choose.choice(list(numbers)) for name in fuzz.NAMES}
        try:
            formula = dora.expr(text, types)
        except dora.CompileError:
            continue
        if formula._general is None or formula.type not in ("double", "bool", "int", "long", "float"):
            continue
        values = {
            name: np.array(choose.choices(numbers[kind], k=9), dtypes[kind]) for name, kind in types.items()
        }
        used = dora.check(text, types).names
        if not used:
            continue
        taken += 1
        for name in fuzz.NAMES:
            if name not in used or choose.random() < 0.2:
                values[name] = values[name][0].item()
        dtype = {"double": "f8", "bool": "?", "int": "i4", "long": "i8", "float": "f4"}[formula.type]
        values[used[0]] = np.array(choose.choices(numbers[types[used[0]]], k=9), dtypes[types[used[0]]])
        try:
            expected = one_by_one(formula, list(values.values()), dtype)
        except dora.DivisionByZero:
            with pytest.raises(dora.DivisionByZero):
                formula(**values)
        else:
            assert same(formula(**values), expected), (text, types, values)


@DIRECT
def test_names_that_mean_something_else() -> None:
    n = np.arange(3, dtype="i4")
    assert dora.expr("pi * n", {"n": int}, constants={"pi": 3})(n).tolist() == [0.0, 3.0, 6.0]
    assert dora.expr("pi * n", {"n": int, "pi": float})(n, 2.0).tolist() == [0.0, 2.0, 4.0]

    def sqrt(x: float) -> float:
        return -x

    assert dora.expr("sqrt(x * n)", {"n": int, "x": float}, functions={"sqrt": sqrt})(n, 2.0).tolist() == [
        -0.0,
        -2.0,
        -4.0,
    ]


@DIRECT
def test_whole_numbers_that_do_not_fit_where_all_is_doubles() -> None:
    formula = dora.expr("n * 0.5", {"n": int})
    assert formula(np.array([1, 3])).tolist() == [0.5, 1.5]
    with pytest.raises(OverflowError, match="an element of int64 does not fit int") as caught:
        formula(np.array([1, 1 << 31]))
    assert caught.value.__notes__ == ["in element 1"]
    with pytest.raises(OverflowError, match="does not fit int"):
        formula.map((1 << 31,), out=np.zeros(3))


# Shapes, strides, kinds.


@st.composite
def shapes(draw: st.DrawFn) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """A shape, and some that fit it."""
    full = tuple(draw(st.lists(st.integers(0, 6), max_size=4)))
    parts = []
    for _ in range(3):
        cut = draw(st.integers(0, len(full)))
        parts.append(tuple(1 if draw(st.booleans()) and size else size for size in full[cut:]))
    return full, parts


@st.composite
def strided(draw: st.DrawFn, shape: tuple[int, ...], dtype: str, values: st.SearchStrategy[Any]) -> Any:
    """An array of this shape: its axes in any order in memory, with gaps, backwards, not aligned."""
    order = draw(st.permutations(range(len(shape))))
    gaps = [draw(st.integers(1, 3)) for _ in shape]
    base_shape = [shape[axis] * gaps[axis] for axis in order]
    size = int(np.prod(base_shape, dtype=int)) * np.dtype(dtype).itemsize
    shift = draw(st.integers(0, 7))
    memory = np.zeros(size + shift, "u1")[shift:].view(dtype) if size else np.zeros(0, dtype)
    base = memory.reshape(base_shape).transpose([order.index(axis) for axis in range(len(shape))])
    steps = tuple(slice(None, None, gap if draw(st.booleans()) else -gap) for gap in gaps)
    view = base[(*steps, ...)]
    view[...] = np.array(draw(st.lists(values, min_size=1, max_size=6)) * (view.size + 1), dtype)[
        : view.size
    ].reshape(shape)
    return view


NUMBERS = st.integers(0, 200)
CASES = settings(
    max_examples=int(os.environ.get("DORA_CASES", 3000 if EVERY else 150)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@DIRECT
@CASES
@given(st.data())
def test_shapes_strides_and_kinds(data: st.DataObject) -> None:
    full, parts = data.draw(shapes())
    values = []
    for part in parts:
        if data.draw(st.integers(0, 5)) == 0:
            values.append(data.draw(NUMBERS))
        else:
            values.append(data.draw(strided(part, data.draw(st.sampled_from(DTYPES)), NUMBERS)))
    formula = dora.expr(
        data.draw(st.sampled_from(["a*b - c", "a > b ? b : c", "hypot(a, b) + c", "a + b < c"]))
    )
    wide = [np.asarray(value, "f8") for value in values]
    expected = {
        "a*b - c": lambda a, b, c: a * b - c,
        "a > b ? b : c": lambda a, b, c: np.where(a > b, b, c),
        "hypot(a, b) + c": lambda a, b, c: np.hypot(a, b) + c,
        "a + b < c": lambda a, b, c: a + b < c,
    }[formula.source](*wide)
    if not any(isinstance(value, np.ndarray) for value in values):
        assert formula(*values) == expected
        return
    found = formula(*values)
    assert found.shape == np.broadcast_shapes(*[one.shape for one in wide])
    assert np.allclose(found, expected, rtol=1e-15, atol=0)
    target = data.draw(strided(full, "?" if formula.type == "bool" else "f8", st.just(1)))
    assert formula.map(values, out=target, threads=data.draw(st.integers(1, 3))) is target
    assert np.array_equal(target, np.broadcast_to(found, full))


@DIRECT
@CASES
@given(st.data())
def test_overlap_is_as_if_all_were_read_first(data: st.DataObject) -> None:
    memory = np.arange(40, dtype="f8")
    count = data.draw(st.integers(1, 12))

    def part() -> Any:
        step = data.draw(st.sampled_from([-3, -2, -1, 1, 2, 3]))
        at = data.draw(st.integers(0, 39 - abs(step) * (count - 1)))
        ordered = memory[at : at + abs(step) * (count - 1) + 1 : abs(step)]
        return ordered if step > 0 else ordered[::-1]

    inputs, out = [part(), part()], part()
    expected = inputs[0] * 2 + inputs[1]
    dora.expr("a*2 + b").map(inputs, out=out)
    assert np.array_equal(out, expected)


@DIRECT
def test_long_arrays_that_are_not_close() -> None:
    formula = dora.expr("a*b + c")
    count = 3 * CHUNK + 17
    a = np.arange(2 * count, dtype="f4")[::2]
    b = np.arange(count, dtype="i4")[::-1]
    c = np.arange(7 * count, dtype="f8").reshape(count, 7)[:, 3]
    expected = a.astype("f8") * b + c
    assert np.array_equal(formula(a, b, c), expected)
    for threads in (1, 2, 3, 8):
        out = np.zeros((count, 3))[:, 1]
        formula.map((a, b, c), out=out, threads=threads)
        assert np.array_equal(out, expected)


@DIRECT
def test_results_have_the_order_of_the_first_input() -> None:
    formula = dora.expr("a + 1")
    for order in ("C", "F"):
        found = formula(np.ones((3, 4), order=order))  # type: ignore[call-overload]
        assert found.flags[f"{order}_CONTIGUOUS"]
    assert formula(np.ones((2, 3, 4)).transpose(1, 0, 2)).strides == (32, 96, 8)


@DIRECT
def test_whole_numbers_are_rounded_as_by_calls_with_numbers() -> None:
    formula, large = dora.expr("a"), np.array([2**53 + 1, 2**63 - 1, -(2**63)])
    assert same(formula(large), one_by_one(formula, [large]))


@DIRECT
def test_numbers_of_numpy() -> None:
    formula = dora.expr("a + b")
    for one in (np.float64(1), np.float32(1), np.int64(1), np.uint8(1)):
        assert type(formula(one, 2)) is float
        assert formula(one, np.ones(2)).tolist() == [2.0, 2.0]
    assert type(formula(np.array(1.0), 2)) is np.float64
    with pytest.raises(TypeError, match="`a`: expected float, found bool"):
        formula(np.bool_(True), 2)


# Formulas with types, which a loop in Dora goes through.


def test_every_kind_of_parameter_and_result() -> None:
    choose = np.random.default_rng(1)
    with nothing_left():
        for kind, dtype, text in (
            ("int", "i4", "x % 0x7 + x"),
            ("long", "i8", "x * x - 1L"),
            ("double", "f8", "x.floor() / 3"),
            ("float32", "f4", "x + x"),
            ("byte", "u1", "x"),
            ("bool", "?", "not x"),
            ("float32", "f4", "x > 50"),
            ("int", "i4", "x > 50 and x < 90"),
        ):
            formula = dora.expr(text, {"x": kind}, limits=dora.Limits())
            for count in (0, 1, 5, 100):
                values = choose.integers(0, 2 if kind == "bool" else 100, count).astype(dtype)
                found = formula(values)
                expected = [formula(one.item()) for one in values]
                assert found.dtype.name == {"double": "float64", "float": "float32", "int": "int32"}.get(
                    formula.type, {"long": "int64", "byte": "uint8", "bool": "bool"}.get(formula.type)
                )
                assert found.tolist() == expected
                assert formula(values[::-1]).tolist() == expected[::-1]
            del formula


def test_numbers_and_arrays_meet() -> None:
    formula = dora.expr("n * m + x", {"n": int, "m": "long", "x": float})
    n, m = np.arange(6, dtype="i4").reshape(2, 3), np.arange(3)
    assert np.array_equal(formula(n, m, 0.5), n * m + 0.5)
    assert np.array_equal(formula.map((n, 2, np.full((2, 1), 7, "f4")), threads=3), n * 2 + 7.0)
    out = np.zeros((2, 3))
    assert formula.map({"n": 1, "m": m, "x": n}, out=out) is out
    assert np.array_equal(out, m + n)
    assert formula.over({"n": 3, "m": 4, "x": 0.0}) == 12.0


def test_results_go_into_arrays_that_hold_them() -> None:
    formula, values = dora.expr("x + 0x1", {"x": int}), np.arange(5, dtype="i4")
    assert formula.type == "int"
    for dtype in ("i4", "i8", "f8"):
        out = np.zeros(5, dtype)
        assert formula.map((values,), out=out).tolist() == [1, 2, 3, 4, 5]
    for dtype in ("u1", "f4", "?"):
        with pytest.raises(TypeError, match="results of int go into arrays of int32, int64, float64"):
            formula.map((values,), out=np.zeros(5, dtype))


def test_a_byte_other_than_zero_is_true() -> None:
    odd = np.array([0, 1, 2, 255], "u1").view("?")
    assert dora.expr("b ? 3 : 4", {"b": bool})(odd).tolist() == [4.0, 3.0, 3.0, 3.0]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_says_at_which_element(threads: int) -> None:
    formula = dora.expr("n % m", {"n": int, "m": int})
    count = 3 * CHUNK
    divisors = np.ones((3, count), "i4")
    divisors[1, 7] = divisors[2, 5] = 0
    with pytest.raises(dora.DivisionByZero, match="division by 0") as caught:
        formula.map((1, divisors), threads=threads)
    assert caught.value.element == (1, 7)
    assert caught.value.__notes__ == ["in element (1, 7)"]
    assert [frame.function for frame in caught.value.trace] == ["<expression>"]
    with pytest.raises(dora.DivisionByZero) as caught:
        formula.map((1, divisors[1]), threads=threads)
    assert caught.value.__notes__ == ["in element 7"]
    assert formula(7, np.array([2, 3], "i4")).tolist() == [1, 1]


def test_elements_that_do_not_fit() -> None:
    formula = dora.expr("n", {"n": int})
    values = np.zeros(2 * CHUNK, "i8")
    values[CHUNK + 3] = 1 << 31
    with pytest.raises(OverflowError, match="an element of int64 does not fit int") as caught:
        formula(values)
    assert caught.value.__notes__ == [f"in element {CHUNK + 3}"]
    values[CHUNK + 3] = -(1 << 31)
    assert formula(values)[CHUNK + 3] == -(1 << 31)


def test_kinds_that_would_change_silently() -> None:
    for kind, dtype in (
        (np.float32, "f8"),
        ("float32", "i4"),
        ("int", "f8"),
        ("bool", "u1"),
        ("byte", "i4"),
        ("long", "f4"),
    ):
        spoken = "float" if "float32" in str(kind) else kind
        with pytest.raises(TypeError, match=f"`x` is {spoken}, which takes arrays of"):
            dora.expr("x", {"x": kind})(np.ones(3, dtype))
    for text, types in (("len(s)", {"s": str}), ("text(x)", {"x": float}), ("c", {"c": "char"})):
        with pytest.raises(TypeError, match="of which there are no arrays"):
            dora.expr(text, types)(np.ones(3))


def test_kinds_by_the_names_of_numpy() -> None:
    for name, kind in (
        ("float64", "double"),
        ("float32", "float"),
        ("int64", "long"),
        ("int32", "int"),
        ("uint8", "byte"),
        ("bool", "bool"),
    ):
        for one in (name, np.dtype(name), getattr(np, name)):
            assert dora.expr("x", {"x": one}).type == kind
    with pytest.raises(TypeError, match="annotated with"):
        dora.expr("x", {"x": np.int16})


def test_host_functions_over_arrays() -> None:
    def checked(x: float) -> float:
        if x > 2:
            raise KeyError(x)
        return x + 1

    formula = dora.expr("checked(x) * 2", functions={"checked": checked})
    assert formula(np.array([1.0, 2.0])).tolist() == [4.0, 6.0]
    with pytest.raises(KeyError) as caught:
        formula(np.arange(6.0))
    assert caught.value.__notes__ == ["in element 3"]


# Families.


@DIRECT
def test_what_comes_in_comes_out() -> None:
    formula, truth = dora.expr("a * b"), dora.expr("a < b")
    numbers = array.array("d", [1, 2, 3])
    assert formula(numbers, 2) == array.array("d", [2, 4, 6])
    assert truth(numbers, 2) == array.array("B", [1, 0, 0])
    view = memoryview(array.array("f", [1, 2, 3, 4])).cast("B").cast("f", (2, 2))
    assert formula(view, 2).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert truth(view, 3).tolist() == [[True, True], [False, False]]
    assert formula(bytearray([1, 2]), 2).tolist() == [2.0, 4.0]
    assert formula(memoryview(b""), 2).tolist() == []
    assert formula(array.array("d"), 2) == array.array("d")
    with pytest.raises(TypeError, match=r"several kinds in one call: array.array and numpy"):
        formula(numbers, np.ones(3))
    with pytest.raises(TypeError, match="`b`: None among arrays"):
        formula(numbers, None)
    out = np.zeros(3)
    assert formula.map({"a": numbers, "b": 2}, out=out) is out
    assert out.tolist() == [2.0, 4.0, 6.0]


@DIRECT
def test_only_numbers_into_an_array() -> None:
    out = np.zeros((2, 2))
    assert dora.expr("a * b").map((2, 3), out=out) is out
    assert (out == 6).all()
    assert dora.expr("a * b").map((2, 3)) == 6.0


@DIRECT
def test_columns_of_tables() -> None:
    formula = dora.expr("a * b - `net price`")
    a, b, price = np.arange(4.0), np.ones(4), np.full(4, 0.5)
    expected = a * b - price
    assert np.array_equal(formula.over({"a": a, "b": b, "net price": price, "more": None}), expected)
    table = np.zeros(4, [("a", "f8"), ("x", "i1"), ("b", "f4"), ("net price", "f8")])
    table["a"], table["b"], table["net price"] = a, b, price
    assert np.array_equal(formula.over(table), expected)

    class Fields:
        x, y = a, b

    assert np.array_equal(dora.expr("x - y").over(Fields), a - b)
    for table in ({"a": a}, np.zeros(2, [("a", "f8")]), Fields):
        with pytest.raises(KeyError, match="the table has no column"):
            formula.over(table)


# Ufuncs.


@DIRECT
def test_a_ufunc_is_one_of_numpys() -> None:
    with nothing_left():
        others = dora.memory()["formulas"]
        price = dora.expr("base * (1 + vat) - rebate")
        ufunc = price.ufunc
        assert type(ufunc) is np.ufunc and price.ufunc is ufunc
        assert (ufunc.nin, ufunc.nout, ufunc.types) == (3, 1, ["ddd->d"])
        assert "base * (1 + vat) - rebate" in ufunc.__doc__
        assert ufunc(np.array([100.0, 250.0]), 0.5, 5).tolist() == [145.0, 370.0]
        assert ufunc([[1], [2]], np.array([0.5, 1.5], "f4"), 0).tolist() == [[1.5, 2.5], [3.0, 5.0]]
        out = np.full(6, -1.0)
        ufunc(np.arange(6.0), 1, 1, where=np.arange(6) % 2 == 0, out=out)
        assert out.tolist() == [-1.0, -1.0, 3.0, -1.0, 7.0, -1.0]
        backwards = np.arange(20.0)[::-3]
        assert np.array_equal(ufunc(backwards, backwards, 1), backwards * (1 + backwards) - 1)
        del price
        assert ufunc(2.0, 1.0, 0.0) == 4.0  # the code is there as long as the ufunc
        assert dora.memory()["formulas"] == others + 1
        del ufunc


@DIRECT
def test_a_ufunc_of_a_condition() -> None:
    less = dora.expr("a < b").ufunc
    assert less.types == ["dd->?"]
    for count in range(20):
        a, b = np.arange(float(count)), np.full(count, 3.0)
        assert np.array_equal(less(a, b), a < b)
        assert np.array_equal(less(a[::2], 3), a[::2] < 3)


@DIRECT
@pytest.mark.parametrize("text", ["a * b + 1", "max(a, b) - a / 8", "sin(a) + b"])
@pytest.mark.parametrize("math", ["exact", "fast"])
def test_a_ufunc_accumulates(text: str, math: Literal["exact", "fast"]) -> None:
    """Each element needs the result for the one before it."""
    formula = dora.expr(text, math=math)
    for count in (1, 2, 3, 4, 5, 8, 16, 17, 40):
        xs = np.arange(1.0, count + 1.0)
        expected = [xs[0]]
        for x in xs[1:]:
            expected.extend(formula(np.array([expected[-1]]), np.array([x])))
        assert formula.ufunc.accumulate(xs).tolist() == expected
        assert formula.ufunc.accumulate(np.stack([xs, xs]), axis=1)[1].tolist() == expected
        assert formula.ufunc.reduce(xs) == expected[-1]


@DIRECT
def test_a_ufunc_notes_no_exceptions_of_floating_point() -> None:
    with np.errstate(all="raise"):
        assert np.isinf(dora.expr("a / b").ufunc(np.ones(5), np.zeros(5))).all()
        assert np.isnan(dora.expr("log(a)").ufunc(np.array([-1.0]))).all()
        assert dora.expr("a / b")(np.arange(5.0), np.ones(5)).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.skipif(np.__version__ < "2", reason="needs NumPy 2")
def test_a_ufunc_of_a_formula_with_types() -> None:
    for text, types, signature in (
        ("n + 0x1", {"n": int}, "i->i"),
        ("n % m", {"n": "long", "m": "long"}, "ll->l"),
        ("a * n", {"a": float, "n": int}, "di->d"),
        ("n > 2 and b", {"n": int, "b": bool}, "i?->?"),
    ):
        formula = dora.expr(text, types)
        ufunc = formula.ufunc
        assert ufunc is formula.ufunc and ufunc.types == [signature]
        values = [np.arange(1, 8).astype(kind) for kind in signature.partition("->")[0]]
        assert same(ufunc(*values), formula.map(values)), text
        assert same(
            ufunc(*values[:1], *[one[::-1] for one in values[1:]]),
            formula(*values[:1], *[one[::-1] for one in values[1:]]),
        )
    with pytest.raises(dora.DivisionByZero):
        dora.expr("n % m", {"n": int, "m": int}).ufunc(np.ones(3, "i4"), np.zeros(3, "i4"))


def test_formulas_without_a_ufunc() -> None:
    with pytest.raises(TypeError, match="`s` is Str, of which there are no arrays"):
        _ = dora.expr("len(s)", {"s": str}).ufunc


# What is refused.


@DIRECT
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.ones(3, ">f8"), TypeError, "other order"),
        (np.ones(3, "O"), TypeError, "format 'O'"),
        (np.ones(3, "c16"), TypeError, "format 'Zd'"),
        (np.ones(3, "f2"), TypeError, "format 'e'"),
        (np.ones(3, "u8"), TypeError, "format 'L'"),
        (np.ones(3, "U2"), TypeError, "format"),
        (np.ones(3, "M8[s]"), TypeError, "buffer"),
        (np.ones(3, [("x", "f8")]), TypeError, "format"),
        (np.ones(3, "?"), TypeError, "takes arrays of float64, float32, int32, int64, uint8, not bool"),
        ([1.0, 2.0, 3.0], TypeError, "`b`: expected float, found list"),
        ("x", TypeError, "`b`: expected float, found str"),
        (b"xyz", TypeError, "`b`: expected float, found bytes"),
        (np.ones((2, 2)), ValueError, "do not fit together"),
        (1 << 2000, OverflowError, "too large for double"),
    ],
)
def test_what_is_no_array_of_numbers(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dora.expr("a + b")(np.ones(3), value)


@DIRECT
def test_outputs_that_cannot_be_written() -> None:
    formula, a = dora.expr("a + 1"), np.ones(3)
    locked = np.ones(3)
    locked.flags.writeable = False
    for out, error, message in (
        (locked, ValueError, "cannot be written"),
        (b"12345678" * 3, ValueError, "cannot be written"),
        (np.ones(3, "f4"), TypeError, "go into arrays of float64, not float32"),
        (np.ones(4), ValueError, "has shape"),
        (np.ones(()), ValueError, "has shape"),
        (as_strided(np.ones(1), (3,), (0,)), ValueError, "several elements in one place"),
        ([0, 0, 0], TypeError, "bytes-like"),
    ):
        with pytest.raises(error, match=message):
            formula.map((a,), out=out)
    for threads in (0, -1, 1.5, None):
        with pytest.raises(ValueError, match="threads"):
            formula.map((a,), threads=threads)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="missing a required argument"):
        formula.map(())


@DIRECT
def test_an_array_cannot_be_resized_during_the_call_and_can_be_after_it() -> None:
    formula = dora.expr("a + b")
    numbers = array.array("d", [1, 2, 3])
    for _ in range(3):
        with pytest.raises(TypeError):
            formula(numbers, np.ones(3))
        with pytest.raises(ValueError, match="fit together"):
            formula(numbers, array.array("d", [1, 2]))
        formula(numbers, numbers)
    numbers.append(4)
    assert len(formula(numbers, 1)) == 4


def description(**changes: Any) -> buffers.BufferDescription:
    said = buffers.BufferDescription(
        buf=4096, len=24, itemsize=8, ndim=1, format=b"d", shape=(ctypes.c_ssize_t * 2)(3, 1)
    )
    for name, value in changes.items():
        setattr(said, name, value)
    return said


@pytest.mark.parametrize(
    "changes",
    [
        {"len": 16},
        {"ndim": 2, "len": 32},
        {"ndim": 65},
        {"ndim": -1},
        {"ndim": 1, "shape": None},
        {"shape": (ctypes.c_ssize_t * 1)(-3)},
        {"itemsize": 4},
        {"format": b"dd"},
        {"format": None},
        {"buf": None},
        {"suboffsets": (ctypes.c_ssize_t * 1)(0)},
    ],
)
def test_exporters_that_lie(changes: dict[str, Any]) -> None:
    buffers.ArrayView(description()).look("x")
    with pytest.raises((TypeError, ValueError), match="`x`"):
        buffers.ArrayView(description(**changes)).look("x")


def test_shapes_fit_as_numpy_says() -> None:
    choose = random.Random(1)
    for _ in range(500):
        parts = [tuple(choose.choices((0, 1, 2, 3), (1, 3, 3, 1), k=choose.randrange(4))) for _ in range(3)]
        try:
            expected: object = np.broadcast_shapes(*parts)
        except ValueError:
            with pytest.raises(ValueError, match="fit together"):
                broadcast_shape(parts)
        else:
            assert broadcast_shape(parts) == expected


# Threads and processes.


def test_several_threads_call_and_drop_formulas() -> None:
    """Each has formulas of its own and one in common, of either way of code."""
    shared = [dora.expr("a*b + 0.5"), dora.expr("n % 0x7 + n", {"n": int})]
    a, n = np.arange(2 * CHUNK, dtype="f8"), np.arange(2 * CHUNK, dtype="i4")
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(6):
            own = dora.expr(f"a*{number}.5 + {turn}")
            if not np.array_equal(own.map((a[::-1],)), a[::-1] * (number + 0.5) + turn):
                wrong.append(own)
            if not np.array_equal(shared[0].map((a, n)), a * n + 0.5):
                wrong.append(number)
            if not np.array_equal(shared[1](n), n % 7 + n):
                wrong.append(turn)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_computes_and_makes_code() -> None:
    formula, a = dora.expr("a*2 + b"), np.arange(10.0)
    formula.map((a, 1.0), threads=2)
    child = os.fork()
    if not child:
        good = np.array_equal(formula.map((a[::2], a[::-2])), a[::2] * 2 + a[::-2])
        fresh = np.array_equal(dora.expr("x*y")(a, a[::-1]), a * a[::-1])
        os._exit(0 if good and fresh else 1)
    assert os.waitpid(child, 0)[1] == 0


# Memory.


@DIRECT
def test_kernels_go_with_their_formula() -> None:
    with nothing_left():
        for number in range(50):
            formula = dora.expr(f"a*{number}.5 + b*c*d*e1")
            for scalars in range(31):
                formula(*[1.0 if scalars >> index & 1 else np.ones(5) for index in range(5)])
            assert dora.memory()["formulas"] >= 1
            del formula


def test_what_is_no_array_is_refused_as_ever() -> None:
    for formula in (dora.expr("a + 1"), dora.expr("a + 1", limits=dora.Limits())):
        for wrong in (b"1", "1", [1], (1,), {}, object(), True, 1j, Fraction(1, 2)):
            with pytest.raises(TypeError, match=f"`a`: expected float, found {type(wrong).__name__}"):
                formula(wrong)
