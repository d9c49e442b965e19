"""Formulas inside Python: values, names, types, errors, sheets, and that dropped ones leave nothing."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
import threading
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple, TypedDict

import pytest

import doralang as dora
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.types import DOUBLE


def test_a_formula() -> None:
    price = dora.expr("base * (1 + vat) - rebate")
    assert price.names == ("base", "vat", "rebate") and price.type == "double"
    assert (
        price(100.0, 0.2, 5.0) == price(base=100, vat=0.2, rebate=5) == price(100, rebate=5, vat=0.2) == 115.0
    )
    assert price(rebate=5.0, vat=0.2, base=100.0) == 115.0
    assert str(price.__signature__) == "(base: float, vat: float, rebate: float) -> float"
    assert repr(price) == "<dora formula 'base * (1 + vat) - rebate'>"
    for wrong in ((), (1.0,), (1.0, 2.0, 3.0, 4.0)):
        with pytest.raises(TypeError):
            price(*wrong)
    for names in ({"base": 1.0, "vat": 2.0, "other": 3.0}, {"base": 1.0, "vat": 2.0}):
        with pytest.raises(TypeError):
            price(**names)
    with pytest.raises(TypeError, match="multiple values for argument 'base'"):
        price(1.0, 2.0, 3.0, base=1.0)


class Named(NamedTuple):
    name: str
    count: int


class Typed(TypedDict):
    name: str
    count: int


@dataclass
class Data:
    name: str
    count: int


@pytest.mark.parametrize(
    "types", [{"name": str, "count": int}, {"name": "Str", "count": "int"}, Named, Typed, Data]
)
def test_types(types: Any) -> None:
    label = dora.expr('name + ": " + count.toString()', types)
    assert label("eggs", 3) == label(count=3, name="eggs") == "eggs: 3" and label.type == "Str"
    with pytest.raises(dora.CompileError, match="did you mean `count`"):
        dora.expr("coumt + 1", types)


def test_results_of_all_kinds() -> None:
    assert dora.expr("x > 2 && !done", {"x": float, "done": bool})(3, False) is True
    assert dora.expr("n * 2L", {"n": "long"})(1 << 40) == 1 << 41
    assert dora.expr("1 + 2 * 3")() == 7.0
    assert dora.expr("x > 1", result=bool)(2) is True
    with pytest.raises(dora.CompileError, match="the formula is double, not bool"):
        dora.expr("x + 1", result=bool)


def test_constants_and_functions() -> None:
    def twice(x: float) -> float:
        return 2 * x

    formula = dora.expr("twice(x * rate) + k", constants={"rate": 0.5, "k": 3}, functions={"twice": twice})
    assert formula.names == ("x",) and formula(4) == 7.0
    text = dora.expr("hello + who", {"who": str}, constants={"hello": "hi "})
    assert text("you") == "hi you"
    for value, error in (([], TypeError), ((1 << 60) + 1, OverflowError)):
        with pytest.raises(error, match="'k'"):
            dora.expr("x + k", constants={"k": value})  # type: ignore[dict-item]


def test_equality() -> None:
    one, same = dora.expr("a + b"), dora.expr("a + b")
    assert one == same and hash(one) == hash(same) and len({one, same, dora.expr("a - b")}) == 2
    assert one != dora.expr("a + b", {"a": int, "b": int})
    assert one != dora.expr("a + b", constants={"b": 1})


def test_checking() -> None:
    good = dora.check("max(a, 2) + a.sqrt() * c")
    assert (good.ok, good.type, good.names, good.functions) == (True, "double", ("a", "c"), ("max", "sqrt"))
    assert not good.constant and dora.check("1 + 2").constant
    bad = dora.check("a + wrong", {"a": float})
    assert not bad.ok and bad.type is None
    (report,) = bad.diagnostics
    assert (report.code, report.start, report.end, report.line, report.column) == ("E0301", 4, 9, 1, 5)
    assert not dora.check("(1 + ").ok and not dora.check("").ok


@pytest.mark.parametrize(
    "text",
    [
        "getpid()",
        'loadFunction("system")',
        "sleep(1.0)",
        'File("/etc/passwd")',
        "native_malloc(8L)",
        'unlink("x")',
    ],
)
def test_formulas_reach_nothing(text: str) -> None:
    with pytest.raises(dora.CompileError):
        dora.expr(text)


def test_limits() -> None:
    with pytest.raises(dora.SourceTooLarge):
        dora.expr("1 + " * 20_000 + "1")
    long = dora.expr("s + s", {"s": str})
    with pytest.raises(dora.OutOfMemory):
        long("x" * 30_000_000)
    assert long("x") == "xx"
    assert dora.expr("s.len()", {"s": str}, limits=dora.Limits(memory="1GB"))("x" * 30_000_000) == 30_000_000


def random_formula(choose: random.Random, depth: int) -> str:
    if depth == 0 or choose.random() < 0.2:
        return choose.choice(["a", "b", "c", "1", "2.5", "0.1", "1e300", "7"])
    one, other = (random_formula(choose, depth - 1) for _ in range(2))
    return choose.choice(
        [
            f"({one} + {other})",
            f"({one} - {other})",
            f"{one} * {other}",
            f"({one}) / ({other})",
            f"max({one}, {other})",
        ]
        + [f"-({one})", f"({one}).sqrt()"]
    )


def test_formulas_are_what_the_tree_walk_says() -> None:
    choose = random.Random(14)
    streams = Streams(BytesIO(), BytesIO(), BytesIO())
    oracle = Formulas(streams, Settings(engine="walk"))
    for _ in range(150):
        text = random_formula(choose, 4)
        variables = {name: choose.choice([0.0, -1.5, 3.0, 1e200, float("inf")]) for name in "abc"}
        diagnostics = Diagnostics()
        formula = oracle.check(Source("f", text), dict.fromkeys(variables, DOUBLE), diagnostics)
        assert not diagnostics.errors
        compiled = dora.expr(text)
        result = compiled(**{name: variables[name] for name in compiled.names})
        assert repr(result) == repr(oracle.value(formula, variables)), text


def test_threads() -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        for round in range(30):
            formula = dora.expr(f"x * {number} + {round}")
            if formula(2.0) != 2.0 * number + round:
                wrong.append(formula)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Sheets.


def test_a_sheet() -> None:
    sheet = dora.exprs(
        {"total": "net + tax", "net": "price * count", "tax": "net * rate", "big": "total > 100"},
    )
    assert sheet.order.index("net") < sheet.order.index("tax") < sheet.order.index("total")
    assert set(sheet.inputs) == {"price", "count", "rate"} and set(sheet) == set(sheet.order)
    inputs = {"price": 10.0, "count": 10.0, "rate": 0.25}
    assert sheet(inputs) == {"net": 100.0, "tax": 25.0, "total": 125.0, "big": True}
    assert sheet(inputs, only=["tax"]) == {"tax": 25.0}
    assert sheet(inputs, known={"net": 4.0})["total"] == 5.0
    assert sheet.affected("rate") == ("tax", "total", "big") and sheet.affected("big") == ()
    assert sheet["big"].type == "bool"
    for wrong in (lambda: sheet({}), lambda: sheet.affected("x"), lambda: sheet(inputs, only=["x"])):
        with pytest.raises(KeyError):
            wrong()


def test_a_sheet_with_types() -> None:
    sheet = dora.exprs({"label": 'name + "!"', "size": "label.len()"}, {"name": str})
    assert sheet({"name": "ab"}) == {"label": "ab!", "size": 3}
    with pytest.raises(dora.CompileError, match="<label>"):
        dora.exprs({"label": "name + other"}, {"name": str})


def test_constants_in_a_sheet() -> None:
    sheet = dora.exprs({"area": "pi * r ** 2", "half": "area / 2", "e": "r + 1", "f": "e * 2"})
    assert sheet.inputs == ("r",) and sheet({"r": 1.0})["f"] == 4.0
    assert sheet({"r": 2.0})["half"] == 3.141592653589793 * 2


def test_a_circle() -> None:
    with pytest.raises(dora.CompileError, match=r"depends on itself: [abc] -> [abc] -> [abc] -> [abc]"):
        dora.exprs({"a": "b + 1", "b": "c + 1", "c": "a + 1", "d": "a"})
    with pytest.raises(dora.CompileError, match="`a` depends on itself"):
        dora.exprs({"a": "a + 1"})


# What is left.


HELD = """
import doralang as dora

nothing = dict.fromkeys(("code", "formulas", "modules", "instances", "mappings", "objects"), 0)
assert dora.memory() == nothing
formula = dora.expr("s + s", {"s": str})
m = dora.compile("class A(let n: int) fun make(n: int) -> A { return A(n); }")
formula("x" * 100)
one = m.make(3)
held = dora.memory()
assert held["modules"] == 2 and held["instances"] == 2 and held["code"] > 50 and held["objects"] > 200, held
assert held["mappings"] >= 4, held
del formula, m
assert one.n == 3 and dora.memory()["instances"] == 1
del one
numeric = dora.expr("x + 1")
held = dora.memory()
assert held["formulas"] == 1 and 0 < held["code"] < 100, held
del numeric
assert dora.memory() == nothing, dora.memory()
"""


def test_memory_is_zero_again() -> None:
    """In a process of its own, where nobody else holds anything, and without the collector of cycles."""
    subprocess.run([sys.executable, "-c", f"import gc; gc.disable(){HELD}"], check=True)


def test_dropped_formulas_leave_nothing() -> None:
    def use(count: int) -> None:
        for number in range(count):
            assert dora.expr(f"x * {number} + y")(1.0, 2.0) == number + 2.0

    def resident() -> int:
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4

    use(100)
    before = resident()
    use(500)
    assert resident() - before < 500


def test_kinds_of_a_structured_array() -> None:
    np = pytest.importorskip("numpy")
    dtype = np.dtype([("n", "i4"), ("x", "f8")])
    for given in (dtype, np.zeros(3, dtype)):
        formula = dora.expr("n / 2L + x", given)
        assert formula.names == ("n", "x") and formula(7, 0.5) == 3.5
