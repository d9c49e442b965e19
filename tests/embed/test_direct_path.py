"""The direct path of formulas: what takes it, what CPython calls, and that its code goes."""

from __future__ import annotations

import gc
import importlib.util
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import doralang as dora
from doralang.embed import direct, formulas
from doralang.machine.x64 import doubles

FUZZ = Path(__file__).parents[1] / "fuzz" / "formulas.py"

pytestmark = pytest.mark.skipif(not formulas.IS_POSSIBLE, reason="there is none for this processor")


def fuzz() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz_formulas", FUZZ)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(4))
def test_random_formulas(seed: int) -> None:
    comparison = fuzz().Comparison(seed)
    assert [found for _ in range(500) if (found := comparison.difference())] == []
    assert comparison.taken > 200 and comparison.whole > 100


@pytest.mark.parametrize(
    "text",
    [
        "x + 1",
        "-x ** 2 * y",
        "max(x, y, 2)",
        "if(x > 1 and not y < 2, x, 0)",
        "x % 2 == 0",
        "2 * pi",
        "clamp(x, 0, 1)",
    ],
)
def test_what_takes_it(text: str) -> None:
    assert dora.expr(text)._code is not None
    assert dora.expr(text, {"x": float, "y": "double"})._code is not None


@pytest.mark.parametrize(
    ("text", "result", "value"),
    [
        ("n", "int", 7),
        ("n * n - k", "long", 49 - (1 << 40)),
        ("n + 1", "double", 8.0),
        ("n / 2", "double", 3.5),
        ("n / 2L", "long", 3),
        ("-n % 4L", "long", -3),
        ("n % 4", "double", 3.0),
        ("n > 6 and b", "bool", True),
        ("b ? n : k", "long", 7),
        ("b == (n < x)", None, None),
        ("b ? b : not b", "bool", True),
        ("clamp(n, 0, 5)", "int", 5),
        ("clamp(n, 0, 5.5)", "double", 5.5),
        ("max(n, 3L, n * n)", "long", 49),
        ("min(n, 3)", "double", 3.0),
        ("abs(-n)", "int", 7),
        ("sqrt(n + 2L)", "double", 3.0),
        ("round(n / x)", "double", 3.0),
        ("n ** 2", "double", 49.0),
        ("int(x) + n", "int", 9),
        ("long(x) / n", "double", 2 / 7),
        ("double(k)", "double", float(1 << 40)),
        ("int(k)", "int", 0),
        ("sum(n, n, k)", "long", 14 + (1 << 40)),
        ("k * k", "long", 0),
        ("mod(n, 4)", "int", 3),
        ("k == 1099511627776", "bool", True),
    ],
)
def test_whole_numbers(text: str, result: str | None, value: object) -> None:
    formula = dora.expr(text, {"n": int, "k": "long", "x": float, "b": bool}) if result else None
    if formula is None:  # a comparison of comparisons
        assert dora.expr(text, {"n": int, "x": float, "b": bool})._code is None
        return
    found = formula(7, 1 << 40, 2.5, True)
    assert formula._code is not None and formula._function is None
    assert formula.type == result and type(found) is type(value) and found == value
    assert formula(b=True, x=2.5, k=1 << 40, n=7) == formula(7, 1 << 40, x=2.5, b=True) == value


@pytest.mark.parametrize("types", [None, {"formula": int}, {"formula": "long"}])
def test_variables_may_have_the_names_of_what_calls_them(types: dict[str, object] | None) -> None:
    formula = dora.expr("formula + 1", types)
    for value, error in [("x", "`formula`: expected"), (None, "`formula` is missing")]:
        with pytest.raises((TypeError, dora.MissingValue), match=error):
            formula(formula=value)
    with pytest.raises(TypeError, match="unexpected keyword argument 'self'"):
        formula(1, self=2)
    with pytest.raises(TypeError, match="has no variable 'self'"):
        formula.partial(self=2)
    general = dora.expr("`self` + 1", policy="trusted")
    assert general(**{"self": 2}) == 3.0 and general.partial(**{"self": 2})() == 3.0
    with pytest.raises(dora.MissingValue, match="`self` is missing"):
        general(**{"self": None})


def test_arguments_with_kinds() -> None:
    formula = dora.expr("b ? n : k", {"b": bool, "n": int, "k": "long"})
    for value in (0, -1, 5, -(1 << 29), (1 << 30) - 1, 1 << 30, -(1 << 30), (1 << 31) - 1, -(1 << 31)):
        assert formula(True, value, 0) == formula(False, 0, value) == value
    for value in (1 << 31, 1 << 60, (1 << 63) - 1, -(1 << 63)):
        assert formula(False, 0, value) == value
    assert formula._function is None
    for args, error in [
        ((True, 1 << 31, 0), "`n`: 2147483648 does not fit int"),
        ((True, 0, 1 << 63), "`k`: 9223372036854775808 does not fit long"),
        ((True, 1.0, 0), "`n`: expected int, found float"),
        ((True, True, 0), "`n`: expected int, found bool"),
        ((1, 2, 3), "`b`: expected bool, found int"),
        ((True, 1), "missing a required argument: 'k'"),
    ]:
        with pytest.raises((TypeError, OverflowError), match=error):
            formula(*args)
    wide = dora.expr(
        "+".join(f"v{n}" for n in range(80)), {f"v{n}": int if n < 32 else float for n in range(80)}
    )
    assert wide._code is not None and wide(*range(80)) == sum(range(80))
    assert dora.expr("a + b", {**{f"v{n}": float for n in range(40)}, "a": int, "b": int})._code is None


def test_what_fails() -> None:
    for text in ("n / 0L", "n % m", "n / 2L + n % (m * 1L)", "1L / m > 3 and n > 0"):
        formula = dora.expr(text, {"n": int, "m": int})
        assert formula._code is not None
        with pytest.raises(dora.DivisionByZero, match=r"division by 0\n0: <expression>: 1"):
            formula(5, 0)
    with pytest.raises(dora.MissingValue, match="`m` is missing"):
        formula(5, None)
    assert dora.expr("coalesce(n, 3L)", {"n": int})(None) == 3
    assert dora.expr("n > 0 ? n : m", {"n": int, "m": int})(5, None) == 5
    assert dora.expr("n / 2L", {"n": int})(-(1 << 31)) == -(1 << 30)
    assert dora.expr("n / m * 0 + (n - n % m) / 1L", {"n": int, "m": int})(-(1 << 31), -1) == -(1 << 31)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1 / 3", {}),
        ("x.sqrt()", {}),
        ("round(x, 2)", {}),
        ("0x10 + x", {}),
        ("x", {"types": {"x": "byte"}}),
        ("x", {"result": float}),
        ("x", {"limits": dora.Limits()}),
        ("(" * 60 + "x" + ")" * 60, {}),
        (" + ".join(["x"] * 2000), {}),
        ("+".join(f"(x*{n}" for n in range(20)) + ")" * 20, {}),
    ],
)
def test_what_does_not(text: str, options: dict[str, Any]) -> None:
    assert dora.expr(text, **options)._code is None


def test_arguments() -> None:
    formula = dora.expr("a - b * c")
    for args, kwargs in [
        ((1.0, 2.0, 3.0), {}),
        ((1, 2, 3), {}),
        ((1, 2.0), {"c": 3}),
        ((), {"a": 1.0, "b": 2, "c": 3.0}),
        ((), {"c": 3.0, "b": 2, "a": 1.0}),
        ((1,), {"c": 3, "b": 2}),
    ]:
        assert formula(*args, **kwargs) == -5.0
    big = 1 << 70
    for value in (0, -1, 1, -7, 1 << 29, (1 << 30) - 1, 1 << 30, -(1 << 30), 1 << 62, big, -big, 2.5, -0.0):
        assert formula(value, 0, 0) == float(value)
        assert formula(0, value, 1.0) == -float(value)
    for args, error in [
        ((1, 2), TypeError),
        ((1, 2, 3, 4), TypeError),
        ((1, 2, "3"), TypeError),
        ((1, 2, True), TypeError),
        ((1, 2, 1 << 2000), OverflowError),
    ]:
        with pytest.raises(error):
            formula(*args)
    with pytest.raises(TypeError, match="missing a required argument: 'c'"):
        formula(1, 2, d=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'd'"):
        formula(1, 2, 3, d=3)
    many = dora.expr(" + ".join(f"v{n}" for n in range(150)))
    assert many(*range(150)) == many(**{f"v{n}": n for n in range(150)}) == sum(range(150))
    assert dora.expr("2 * pi")() == 2 * math.pi


def test_dropped_while_it_is_called() -> None:
    for number in range(2000):
        assert dora.expr(f"x * {number} + sin(x)")(0.0) == 0.0


class Finalized:
    def __init__(self) -> None:
        self.formula = dora.expr("x + 1")
        self.me = self
        self.seen: list[float] = SEEN

    def __del__(self) -> None:
        self.seen.append(self.formula(1.0))


SEEN: list[float] = []


def test_finalizers_may_call_what_dies_with_them() -> None:
    SEEN.clear()
    for _ in range(50):
        Finalized()
    gc.collect()
    assert SEEN == [2.0] * 50


def test_code_goes_with_the_formula() -> None:
    gc.collect()
    before = dora.memory()
    formulas = [dora.expr(f"x * {number}.5") for number in range(100)]
    held = dora.memory()
    assert held["formulas"] == before["formulas"] + 100 and held["code"] > before["code"]
    del formulas
    assert dora.memory()["code"] == before["code"]


def test_little_is_loaded_for_it() -> None:
    text = """
import sys, doralang
assert doralang.expr("a * (b + 1)")(2.0, 3.0) == 8.0
print([name for name in sys.modules if name.startswith("doralang.")])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    for package in ("checker", "bytecode", "baseline", "runtime", "engines", "syntax.parser", "syntax.tree"):
        assert f"doralang.{package}" not in done.stdout
    assert "doralang.embed.direct" in done.stdout


@pytest.mark.skipif(not direct.is_quick(), reason="it is for x86-64")
def test_the_entry_is_what_its_rows_say() -> None:
    capstone = pytest.importorskip("capstone")
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    for truth in (False, True):
        for by_tag in (False, True):
            code = doubles.entry(truth, by_tag, 0x18, lambda name: 0x1122334455667788)
            found = list(disassembler.disasm(code, 0))
            assert sum(len(one.bytes) for one in found) == len(code), "all of it is code"
            text = doubles.ENTRY + doubles.NUMBER_RESULT + doubles.TRUTH_RESULT
            text += doubles.SMALL_INT_BY_SIZE + doubles.SMALL_INT_BY_TAG
            rows = {" ".join(line.split()[1:]) for line in text.split("\n") if line.startswith("    ")}
            for one in found:
                shown = f"{one.mnemonic} {one.op_str}".strip().replace("0x18]", "items]")
                plain = f"{one.mnemonic} {one.op_str}".strip()
                is_jump = one.mnemonic.startswith("j") and one.op_str.startswith("0x")
                jumps = [row for row in rows if row.endswith(f" {one.mnemonic}")]
                symbols = [row for row in rows if row.endswith(f"movabs {one.op_str.split(',')[0]}")]
                assert (
                    plain in rows
                    or any(shown.endswith(row.removeprefix("ITEMS ")) for row in rows)
                    or (bool(jumps) if is_jump else one.mnemonic == "movabs" and bool(symbols))
                ), plain


# Pickles.


def test_pickles() -> None:
    formula = dora.expr("base * (1 + vat) - rebate")
    data = pickle.dumps(formula)
    assert len(data) < 300 and pickle.loads(data) is formula
    named = dora.expr("n + k", {"n": int, "k": "long"}, constants={"c": 2.0})
    assert pickle.loads(pickle.dumps(named)) is named and len(pickle.dumps(named)) < 300
    del formula
    again = pickle.loads(data)
    assert again(100.0, 0.2, 5.0) == 115.0 and again == dora.expr("base * (1 + vat) - rebate")


def test_a_pickle_of_another_process() -> None:
    text = "import pickle, doralang; print(pickle.dumps([doralang.expr('a + 1'), doralang.expr('s + s', {'s': str})]))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    one, other = pickle.loads(eval(done.stdout))
    assert one(1.0) == 2.0 and other("x") == "xx"
    assert one == dora.expr("a + 1") and other == dora.expr("s + s", {"s": str})


def test_partial() -> None:
    price = dora.expr("base * (1 + vat) - rebate")
    net = price.partial(vat=0.25)
    assert net.names == ("base", "rebate") and net(100.0, 5.0) == 120.0
    assert net.partial(base=100, rebate=0).names == () and net.partial(base=100, rebate=0)() == 125.0
    typed = dora.expr("name + text(n)", {"name": str, "n": int}).partial(name="a")
    assert typed(3) == "a3"
    with pytest.raises(TypeError, match="no variable 'x'"):
        price.partial(x=1)


def test_what_is_known_keeps_its_type() -> None:
    """It means what the variable means, and refuses what that refuses."""
    types = {"n": "int", "k": "long", "x": float, "f": "float32", "b": bool, "s": str}
    half = dora.expr("n / 2L", {"n": "int"})
    assert half.partial(n=7)() == half(7) == 3
    formula = dora.expr("if(b, n / 2L + k, 0L) + x + f", types)
    known = {"n": 7, "k": 2**53 + 1, "x": 0.5, "f": 0.1, "b": True}
    for name, value in known.items():
        rest = {other: one for other, one in known.items() if other != name} | {"s": ""}
        assert formula.partial(**{name: value})(**rest) == formula(**known, s="")
    assert formula.partial(**known)(s="") == formula(**known, s="")
    for name, value, error in (
        ("n", 2**31, OverflowError),
        ("n", 0.5, TypeError),
        ("n", True, TypeError),
        ("k", 2**63, OverflowError),
        ("b", 1, TypeError),
        ("s", 1, TypeError),
        ("x", "1", TypeError),
    ):
        with pytest.raises(error):
            formula.partial(**{name: value})
    assert half.partial(n=7) != dora.expr("n / 2L", constants={"n": 7})
    assert half.partial(n=7) == dora.expr("n / 2L", {"n": int}, constants={"n": 7})
    assert pickle.loads(pickle.dumps(half.partial(n=7)))() == 3
