"""`explain`: programs, functions and formulas in their stages, as texts."""

from __future__ import annotations

import pytest

import doralang as dora

SOURCE = """
var rate: int = 3;
class Item(let count: int) { fun cost() -> int { return self.count * rate; } }
fun cost(n: int) -> int { return Item(n).cost() + half(n); }
fun half(n: int) -> int { return n / 2; }
fun fail() throws { throw Exception("no"); }
fun same<T>(x: T) -> T { return x; }
"""


@pytest.fixture(name="m", scope="module")
def module() -> dora.Module:
    return dora.compile(SOURCE)


def test_stages_of_a_program(m: dora.Module) -> None:
    assert m.explain("tokens").splitlines()[:2] == ["2:1 var", "2:5 NAME rate"]
    assert m.explain("ast").startswith("File 1:1\n  declarations: Global 2:1 name=rate mutable=true\n")
    program = m.explain("program")
    assert "fun half(int) -> int\n" in program and "Compute 5:36 int.div : int" in program
    bytecode = m.explain("bytecode")
    names = [line for line in bytecode.splitlines() if line and not line.startswith(" ")]
    assert names == ["Item.Item(int)", "Item.cost", "cost", "fail (outermost)", "global rate", "half"]
    assert m.explain("bytecode", "half") in bytecode
    assert m.explain("bytecode", "cost").count("Return") == 2, "all functions of the name, in classes, too"


def test_names_and_stages_that_are_not_there(m: dora.Module) -> None:
    with pytest.raises(ValueError, match="no stage 'graph'; there are tokens, ast, program, bytecode, asm"):
        m.explain("graph")  # type: ignore[arg-type]
    for name in ("other", "same"):
        with pytest.raises(ValueError, match=f"no function of the name `{name}`"):
            m.explain("asm", name)
    with pytest.raises(ValueError, match="leave the name out"):
        m.explain("ast", "half")
    with pytest.raises(ValueError, match="is the same for arrays"):
        dora.expr("x").explain("tokens", arrays=True)
    with pytest.raises(ValueError, match="no bytecode"):
        dora.expr("x + 1").explain("bytecode", arrays=True)


def test_stages_of_a_function(m: dora.Module) -> None:
    assert m.half.explain("bytecode").startswith("half\n   0: LoadConstant   r1:int, 2")
    assert m.half.explain("program") == m.explain("program")
    assert "LeaveException" in m.fail.explain("bytecode"), "as it is called from outside"


def test_stages_of_a_formula() -> None:
    formula = dora.expr("a * b + 1")
    assert formula.explain("tokens") == "1:1 NAME a\n1:3 *\n1:5 NAME b\n1:7 +\n1:9 NUMBER 1\n1:10 END\n"
    assert formula.explain("ast").splitlines()[0] == "Binary 1:7 operator=+"
    assert "Constant 1:9 1.0 : double" in formula.explain("program")
    assert "double.times, (r0, r1)" in formula.explain("bytecode")
    typed = dora.expr("n % m", {"n": int, "m": int})
    assert "int.mod, (r0, r1)" in typed.explain("bytecode")
    loop = typed.explain("bytecode", arrays=True)
    assert loop.startswith("elements of <expression>\n") and "loadInt" in loop


def test_machine_code(m: dora.Module) -> None:
    pytest.importorskip("capstone")
    text = m.explain("asm", "half")
    assert text.startswith("half\n    0: ") and "# Return         r1" in text
    assert text == m.half.explain()
    assert [part.splitlines()[0] for part in m.explain("asm").split("\n\n")][2:] == [
        "cost", "fail (outermost)", "global rate", "half"
    ]  # fmt: skip
    formula = dora.expr("a * b + 1")
    assert "mul" in formula.explain() and "mul" in formula.explain(arrays=True)
    assert dora.expr("text(n)", {"n": int}).explain().startswith("<expression>")
    typed = dora.expr("n % m", {"n": int, "m": int})
    assert "div" in typed.explain() and typed.explain("bytecode").startswith("<expression>")
    assert typed.explain(arrays=True).startswith("elements of <expression>\n")
    assert "mul" in dora.expr("n * x", {"n": int, "x": float}).explain(arrays=True)
    assert "vpmulld" in dora.expr("n * m", {"n": int, "m": int}).explain(arrays=True)
    assert dora.expr("sin(x)").explain(arrays=True)


def test_machine_code_without_capstone(m: dora.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "capstone", None)
    with pytest.raises(Exception, match="pip install capstone"):
        m.half.explain()


def test_explaining_changes_nothing(m: dora.Module) -> None:
    assert (m.half(9), m.cost(4)) == (4, 14)
    assert m.explain("bytecode") == m.explain("bytecode")
