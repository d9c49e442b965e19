"""`math="fast"`: within 2 ulp, special values right, the same bits wherever an element stands."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_arrays import same

import doralang as dora
from doralang.embed import formulas, kernels, packed_trees
from doralang.machine.packed.mathematics import FastFunctions
from doralang.machine.x64.levels import Level
from sampling import EVERY
from vector_levels import HERE, at_level

pytestmark = pytest.mark.skipif(
    not formulas.HAS_ARRAY_ENTRIES or HERE[-1] < Level.FMA,
    reason="there is no fast mathematics for this processor",
)
SCRIPT = Path(__file__).parents[1] / "fuzz" / "mathematics.py"
POINTS = 100_000 if EVERY else 2_000


def script() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz_mathematics", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


measure = script()
NAMES = (*measure.REGIONS, *measure.PAIRS)
NEEDS_REFERENCE = pytest.mark.skipif(
    not measure.has_reference(), reason="longdouble has no more digits than double here"
)


def fast(text: str, types: Any = None) -> dora.Expr:
    return dora.expr(text, types, math="fast")


@NEEDS_REFERENCE
@pytest.mark.parametrize("name", NAMES)
def test_results_are_within_two_ulp(name: str) -> None:
    regions = measure.PAIRS.get(name) or measure.REGIONS[name]
    for region in regions:
        worst = measure.worst_of(name, region, POINTS, 1)
        assert worst.ulps <= 2, (region, worst)
        assert not worst.wrong, (region, worst)


@pytest.mark.parametrize("level", [level for level in HERE if level >= Level.FMA])
def test_no_sine_is_greater_than_one(level: Level) -> None:
    """Where the exact one is so close to 1 that a rounding more would do it."""
    choose = np.random.default_rng(1)
    turns = choose.integers(-(10**6), 10**6, 20 * POINTS) * np.pi + np.pi / 2
    with at_level(level):
        assert abs(fast("sin(x)")(turns + choose.uniform(-1e-7, 1e-7, 20 * POINTS))).max() == 1


@NEEDS_REFERENCE
@pytest.mark.parametrize("name", NAMES)
def test_special_values_and_any_bits(name: str) -> None:
    for worst in (measure.special_values(name), measure.random_bits(name, POINTS, 1)):
        assert worst.ulps <= 2, worst
        assert not worst.wrong, worst


@NEEDS_REFERENCE
@pytest.mark.parametrize("name", ["exp", "log", "log10"])
def test_the_reference_is_far_better_than_a_double(name: str) -> None:
    assert measure.reference_error(name, 100, 1) < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_all_of_them_are_packed(name: str) -> None:
    formula = measure.formulas(name)[0]
    formula(*[np.ones(2)] * len(formula.names))
    scalars = (False,) * len(formula.names)
    assert packed_trees.tree_code(
        formula._computation.node, scalars, FastFunctions(formulas.place().function)
    )


@pytest.mark.parametrize("text", ["sin(x)", "cbrt(x) + cos(y)*x", "tan(x) > y", "pow(x, y) - hypot(x, y)"])
def test_an_element_has_the_same_bits_wherever_it_stands(text: str) -> None:
    """Beside hard ones, in the rest, in a walk, in a call of few, in any thread."""
    formula = fast(text)
    choose = np.random.default_rng(1)
    columns = [choose.uniform(-30, 30, 1000) for _ in formula.names]
    columns[0][choose.random(1000) < 0.2] = 1e300
    columns[0][choose.random(1000) < 0.1] = np.nan
    whole = formula(*columns)
    assert same(formula.map(columns, threads=2), whole)
    for index in (0, 1, 2, 3, 500, 998, 999):
        assert same(formula(*[column[index : index + 1] for column in columns]), whole[index : index + 1])
    assert same(formula(*[np.repeat(column, 2)[::2] for column in columns]), whole)
    assert same(formula(*[column[5:14] for column in columns]), whole[5:14])
    assert same(formula(*[column[3:] for column in columns]), whole[3:])


def test_hard_elements_are_those_of_the_scalar_code() -> None:
    x = np.array([1e300, 1.0, -1e22, 2.0, 3e8, 7.0, 1e9])
    hard = [0, 2, 4, 6]
    found, exact = fast("sin(x)")(x), dora.expr("sin(x)")(x)
    assert same(found[hard], exact[hard])
    assert fast("sin(x) > 0")(x).tolist() == (exact > 0).tolist()
    assert same(fast("sin(x) * y")(x, 2.0)[hard], exact[hard] * 2)
    assert same(fast("y * sin(x)")(2.0, x)[hard], exact[hard] * 2)
    kept = x.copy()
    assert fast("sin(x)").map((kept,), out=kept) is kept
    assert same(kept, found)
    many = fast("sin(a) + b*c - d + f*g - h")
    columns = [x, *[np.full(7, float(number)) for number in range(6)]]
    assert same(many(*columns)[hard], dora.expr(many.source)(*columns)[hard])


def test_one_side_of_a_choice() -> None:
    formula = fast("x > 0 ? log(x) : min(cos(x), -x, 0) + clamp(x, -1, 1) + abs(x)")
    x = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(formula(x), dora.expr(formula.source)(x), rtol=1e-15)
    assert same(fast("x ** 2 - round(x)*floor(x)")(x), dora.expr("x ** 2 - round(x)*floor(x)")(x))
    truths = fast("not (sin(x) < 0 or cos(x) >= 0.5) and x != 1")
    assert same(truths(x), dora.expr(truths.source)(x))


@pytest.mark.parametrize("text", ["sin(x) + x % 2", "x*x + 1", "max(x, 2) / sqrt(x)"])
def test_the_rest_is_exact(text: str) -> None:
    x = np.linspace(0.1, 9, 50)
    assert same(fast(text)(x), dora.expr(text)(x))


def test_numbers_are_exact() -> None:
    assert fast("sin(x)")(1.0) == dora.expr("sin(x)")(1.0)


@pytest.mark.parametrize("level", [Level.SSE2, Level.AVX2])
def test_without_fused_products_it_is_exact(level: Level) -> None:
    x, n = np.linspace(0.1, 9, 50), np.arange(50, dtype="i4")
    with at_level(level):
        assert same(fast("sin(x) / cbrt(x)")(x), dora.expr("sin(x) / cbrt(x)")(x))
        assert same(fast("exp(x) * n", {"n": int, "x": float})(n, x), dora.expr("exp(x)")(x) * n)


@pytest.mark.parametrize("name", NAMES)
def test_all_levels_give_the_same_bits(name: str) -> None:
    choose = np.random.default_rng(1)
    formula = measure.formulas(name)[0]
    columns = [choose.integers(0, 1 << 64, 999, "u8").view("f8") for _ in formula.names]
    columns[0][:500] = choose.uniform(-30, 30, 500)
    found = []
    for level in [level for level in HERE if level >= Level.FMA]:
        with at_level(level):
            found.append(fast(formula.source)(*columns))
    assert all(same(one, found[0]) for one in found)


def test_formulas_with_types() -> None:
    x, n = np.linspace(0.1, 9, 50), np.arange(1, 51, dtype="i4")
    types = {"n": int, "x": float}
    formula = fast("log(n) * exp(-x)", types)
    np.testing.assert_allclose(formula(n, x), dora.expr(formula.source, types)(n, x), rtol=1e-15)
    assert isinstance(formula._general._callee.elements, kernels.Kernels)
    x[7:11] = 1e300, np.inf, np.nan, -1e22
    formula = fast("sin(x) * n + (x > n ? n ** 2 : x)", types)
    np.testing.assert_allclose(formula(n, x), dora.expr(formula.source, types)(n, x), rtol=1e-15)
    assert isinstance(formula._general._callee.elements, kernels.Kernels)
    known = fast("sin(x) * k").partial(k=2.0)
    assert same(known(x), 2 * fast("sin(x)")(x))
    hard = known(x)[7], dora.expr("sin(x) * 2")(1e300)
    assert hard[0] == hard[1]


def test_the_option() -> None:
    formula = fast("sin(x)")
    assert formula != dora.expr("sin(x)")
    assert formula == fast("sin(x)")
    assert pickle.loads(pickle.dumps(formula)) == formula
    assert fast("sin(x) * k").partial(k=2.0)._options[-1] == ("math", "fast")
    assert dora.exprs({"a": "sin(x)", "b": "a + 1"}, math="fast")["b"]._options[-1] == ("math", "fast")
    np.testing.assert_allclose(formula.ufunc(np.ones((2, 3))), np.sin(1.0), rtol=1e-15)
    assert dora.check("sin(x)", math="fast").ok
    for make in (dora.expr, dora.check):
        with pytest.raises(ValueError, match="neither 'exact' nor 'fast'"):
            make("sin(x)", math="quick")  # type: ignore[operator]

    def twice(x: float) -> float:
        return 2 * x

    with pytest.raises(ValueError, match="Python functions"):
        dora.expr("twice(x)", functions={"twice": twice}, math="fast")
