"""Pickles and copies of modules and functions, and processes that start in three ways."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
from typing import Any

import pytest

import doralang as dora

SOURCE = "fun twice(n: int) -> int { return 2 * n; } fun half(x: double) -> double { return x / 2.0; }"
GLOBALS = "var n: int = 0; fun next() -> int { n = n + 1; return n; }"
M = dora.compile(SOURCE)
PRICE = dora.expr("base * (1 + vat)")
LABEL = dora.expr("upper(name)", {"name": str})


@dora.function
def triangle(n: int = 3) -> int:
    """return n * (n + 1) / 2;"""


def rate(region: int) -> float:
    return region / 2


def test_modules() -> None:
    data = pickle.dumps(M)
    assert pickle.loads(data) is M and len(data) < len(SOURCE) + 100
    options: dict[str, Any] = {
        "functions": {"rate": rate},
        "filename": "rates.dora",
        "limits": dora.Limits(memory="8MB", time=2.0),
        "print": None,
    }
    module = dora.compile("fun f(n: int) -> double { return rate(n) * 2.0; }", **options)
    data = pickle.dumps(module)
    assert pickle.loads(data) is module
    del module
    again = pickle.loads(data)
    assert again.f(3) == 3.0 and again.new().limits == dora.Limits(memory="8MB", time=2.0)


def test_globals_are_not_taken_along() -> None:
    module = dora.compile(GLOBALS)
    assert [module.next(), module.next()] == [1, 2]
    data = pickle.dumps(module)
    assert pickle.loads(data).next() == 3
    del module
    assert pickle.loads(data).next() == 1
    with pytest.raises(TypeError, match="its module can"):
        pickle.dumps(dora.compile(GLOBALS).new())


def test_functions() -> None:
    assert pickle.loads(pickle.dumps(M.twice))(4) == 8
    assert pickle.loads(pickle.dumps(triangle)) is triangle and triangle() == 6
    lone = dora.function("fun f(n: int) -> int { return n + 1; }")
    assert pickle.loads(pickle.dumps(lone))(1) == 2
    shapes = dora.compile(
        "class P(let x: int) { fun get() -> int { return self.x; } } fun p() -> P { return P(1); }"
    )
    for one in (shapes.p(), shapes.p().get):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(one)


def test_a_function_whose_module_is_alive_comes_out_of_its_pickle() -> None:
    m = dora.compile("fun f(n: int) -> int { n + 12 }")
    assert pickle.loads(pickle.dumps(m.f)) is m.f
    counter = dora.compile(GLOBALS + " // counts once")
    assert counter.next() == 1
    assert pickle.loads(pickle.dumps(counter.next))() == 2
    pytest.importorskip("numpy")
    m = dora.compile("fun f(n: int) -> int { n + 13 }")
    ufunc = m.f.ufunc
    assert copy.copy(ufunc) is copy.deepcopy(ufunc) is ufunc


def test_copies() -> None:
    for one in (M, M.twice, PRICE, LABEL, triangle):
        assert copy.copy(one) is one and copy.deepcopy(one) is one
    with pytest.raises(TypeError):
        copy.copy(M.new())


def work(task: tuple[Any, Any, Any, float]) -> tuple[object, ...]:
    formula, other, function, value = task
    return formula(value, 0.5), other("a"), function(int(value)), M.half(value), triangle(int(value))


@pytest.mark.skipif(
    bool(os.environ.get("EMULATED")),
    reason="the emulator neither survives a fork beside threads nor starts other programs of its machine",
)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes(method: str) -> None:
    patient = dora.expr(LABEL.source, {"name": str}, limits=dora.Limits())  # processes are slow to start
    tasks = [(PRICE, patient, M.twice, float(value)) for value in range(6)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = pool.map(work, tasks)
    assert results == [(1.5 * n, "A", 2 * n, n / 2, n * (n + 1) // 2) for n in range(6)]


OPTIONS: tuple[tuple[str, dict[str, Any], tuple[float, ...]], ...] = (
    ("a * k + l", {"constants": {"k": 2.5, "l": -0.0}}, (4.0,)),
    ("k ? a : -a", {"constants": {"k": True}}, (4.0,)),
    ("a + rate(n)", {"types": {"a": float, "n": int}, "functions": {"rate": rate}}, (1.0, 3)),
    ("a + b", {"types": {"a": float, "b": float}, "math": "fast"}, (1.0, 3.0)),
    ("a + n", {"types": {"a": float, "n": int}, "result": float, "missing": "propagate"}, (1.0, 3)),
    ("a + 1", {"policy": "trusted", "limits": dora.Limits(time=60.0), "filename": "f"}, (1.0,)),
)


@pytest.mark.parametrize(("text", "options", "values"), OPTIONS)
def test_options_of_formulas_come_out_elsewhere(
    text: str, options: dict[str, Any], values: tuple[float, ...]
) -> None:
    """Elsewhere nothing of the kind is alive."""
    formula = dora.expr(text, **options)
    partial = formula.partial(a=values[0])
    results, texts = (formula(*values), partial(*values[1:])), [pickle.dumps(formula), pickle.dumps(partial)]
    del formula, partial
    gc.collect()
    made = [pickle.loads(data) for data in texts]
    assert (made[0](*values), made[1](*values[1:])) == results
    assert all(pickle.loads(data) is one for data, one in zip(texts, made, strict=True))


def test_constants_that_python_finds_equal_are_different() -> None:
    def known(value: float) -> dora.Expr:
        return dora.expr("if(isMissing(a), 0, 1) * k", constants={"k": value})

    minus, plus, nan = known(-0.0), known(0.0), known(float("nan"))
    kept = [pickle.dumps(one) for one in (minus, plus, nan)]
    assert [repr(pickle.loads(data)(1.0)) for data in kept] == ["-0.0", "0.0", "nan"]
    assert minus != plus and nan == known(float("nan")) and pickle.loads(kept[2]) is nan
    one, true = (dora.expr("text(k)", constants={"k": value}) for value in (1, True))
    kept = [pickle.dumps(one), pickle.dumps(true)]
    assert [pickle.loads(data)() for data in kept] == ["1", "true"]
    assert one == dora.expr("text(k)", constants={"k": 1.0}) != true


def test_ufuncs() -> None:
    numpy = pytest.importorskip("numpy")
    typed = dora.expr("n * 2", {"n": int})
    module = dora.compile(SOURCE)
    for ufunc, value, result in (
        (PRICE.ufunc, (2.0, 0.5), 3.0),
        (typed.ufunc, (numpy.int32(4),), 8),
        (module.half.ufunc, (3.0,), 1.5),
    ):
        assert ufunc(*value) == result
        assert pickle.loads(pickle.dumps(ufunc))(*value) == result
    assert pickle.loads(pickle.dumps(PRICE.ufunc)) is PRICE.ufunc
    assert pickle.loads(pickle.dumps(numpy.add)) is numpy.add
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(numpy.frompyfunc(len, 1, 1))


def test_what_is_unpickled_again_and_again_is_made_once() -> None:
    formulas, recipes = dora.memory()["formulas"], []
    for text in ("a + 0.125", "a + 0.25"):
        recipes.append(pickle.dumps(dora.expr(text)))
    gc.collect()
    assert dora.memory()["formulas"] == formulas
    made = {id(pickle.loads(data)) for data in recipes * 10}
    assert len(made) == 2
    gc.collect()
    assert {id(pickle.loads(data)) for data in recipes * 10} == made, "one collection of all is survived"
    gc.collect()
    gc.collect()
    assert dora.memory()["formulas"] == formulas


def test_modules_with_globals_are_not_kept() -> None:
    data = pickle.dumps(dora.compile(GLOBALS))
    assert [pickle.loads(data).next() for _ in range(3)] == [1, 1, 1]
