"""Names that a program may use only if its host grants them (reference 1.6, E0907)."""

from __future__ import annotations

import pytest

from command_line import ENGINES, dora
from doralang.checker.checker import check_program
from doralang.checker.formula_programs import check_formula
from doralang.checker.library import prelude
from doralang.checker.program import Program
from doralang.library.files import GRANTED, PUBLIC_NAMES
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.types import has_value

NOTHING: frozenset[str] = frozenset()


def check(text: str, granted: frozenset[str] | None) -> tuple[Program, list[str]]:
    source, diagnostics = Source("case", text), Diagnostics()
    program = check_program(source, parse_file(source, diagnostics), diagnostics, prelude(), granted=granted)
    return program, [f"{report.position} {report.code} {report.message}" for report in diagnostics.reports]


USES = {
    "appendFile": 'appendFile("x", "y")',
    "call0": "call0(0L)",
    "call1": "call1(0L, 0L)",
    "call2": "call2(0L, 0L, 0L)",
    "call3": "call3(0L, 0L, 0L, 0L)",
    "currentMillis": "currentMillis()",
    "environment": 'environment("x")',
    "File": 'File("x")',
    "fileExists": 'fileExists("x")',
    "getpid": "getpid()",
    "getppid": "getppid()",
    "IoError": 'IoError("x", "y")',
    "loadFunction": 'loadFunction("x")',
    "monotonicNanos": "monotonicNanos()",
    "native_free": "native_free(0L)",
    "native_malloc": "native_malloc(1L)",
    "native_string": 'native_string("x")',
    "readFile": 'readFile("x")',
    "readInput": "readInput()",
    "readLine": "readLine()",
    "set_uint8": "set_uint8(0L, 0Y)",
    "sleep": "sleep(1)",
    "writeFile": 'writeFile("x", "y")',
}
THROWING = {"appendFile", "readFile", "readInput", "readLine", "writeFile"}


def test_every_name_has_a_use() -> None:
    assert set(USES) == GRANTED


@pytest.mark.parametrize("name", sorted(GRANTED))
def test_names_of_the_library(name: str) -> None:
    text = f"fun main() {{ {USES[name]}; }}"
    assert check(text, NOTHING)[1] == [f"1:14 E0907 `{name}` is not granted"]
    assert check(text, GRANTED - {name})[1] == [f"1:14 E0907 `{name}` is not granted"]
    left = [f"1:14 E0801 `{name}` can throw"] if name in THROWING else []
    assert check(text, frozenset({name}))[1] == left
    assert check(text, None)[1] == left


def test_nothing_in_a_formula_ends_the_program() -> None:
    source, diagnostics = Source("case", "max(1.0, exit(3))"), Diagnostics()
    check_formula(source, parse_formula(source, diagnostics), diagnostics, prelude(), {})
    assert [f"{one.position} {one.code}" for one in diagnostics.reports] == ["1:10 E0407"]


def test_one_error_for_one_use() -> None:
    text = "fun main() { let x: int = getpid() + 1; sleep(getppid()); }"
    assert [report[:10] for report in check(text, NOTHING)[1]] == ["1:27 E0907", "1:41 E0907", "1:47 E0907"]


def test_names_of_the_program_need_no_grant() -> None:
    text = "fun sleep(n: int) { }\nclass File(let n: int)\nfun main() { sleep(1); File(2); let getpid = 3; }"
    assert check(text, NOTHING)[1] == []


def test_formulas() -> None:
    source = Source("case", "1 + getpid().toDouble()")
    for granted, codes in (
        ({}, ["E0907"]),
        ({"granted": frozenset({"getpid"})}, []),
        ({"granted": None}, []),
    ):
        diagnostics = Diagnostics()
        node = parse_formula(source, diagnostics)
        check_formula(source, node, diagnostics, prelude(), {}, **granted)  # type: ignore[arg-type]
        assert [report.code for report in diagnostics.reports] == codes


HARMLESS = {"argc", "argv", "defaultValue", "isValidUtf8", "range"}
"""functions with a value that every formula may use; those without one are no part of an expression"""


def test_formulas_reach_nothing_of_the_process() -> None:
    library = prelude().library
    with_value = {
        name for name in PUBLIC_NAMES & set(library.functions) if has_value(library.functions[name].result)
    }
    assert with_value - GRANTED == HARMLESS
    for name in PUBLIC_NAMES & set(library.functions) - with_value - GRANTED:
        arguments = ", ".join(f"defaultValue::<{one.type}>()" for one in library.functions[name].parameters)
        for text in (f"{name}({arguments})", f"Array(3L.toInt(), {name}({arguments})).len()"):
            diagnostics, source = Diagnostics(), Source("case", text)
            check_formula(source, parse_formula(source, diagnostics), diagnostics, prelude(), {})
            assert diagnostics.errors, text


@pytest.mark.parametrize("name", sorted(GRANTED))
def test_formulas_are_granted_nothing(name: str) -> None:
    use = USES[name].replace("(1)", "(1L.toInt())")
    for command in ("eval", "compare"):
        for arguments in ((use,), (f"true ? 1 : {use}",), ("--let", f"x={use}", "1")):
            result = dora(command, "--error-format=short", *arguments)
            assert result.status == 1
            assert f"error[E0907]: `{name}` is not granted\n" in result.err
    assert (
        "help: formulas compute: nothing in them reaches the process or native code" in dora("eval", use).err
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_formulas_are_granted_nothing_in_any_engine(engine: str) -> None:
    result = dora("eval", f"--engine={engine}", "--error-format=short", 'call0(loadFunction("getpid"))')
    assert (result.status, result.out) == (1, "")
    assert [line.split()[1] for line in result.err.splitlines()[:2]] == ["error[E0907]:", "error[E0907]:"]


def test_formulas_have_no_arguments() -> None:
    assert dora("eval", "argc()").out == "0\n"
    assert dora("eval", "argv(0L.toInt())").status == 102


def test_calling_by_name_is_no_way_around() -> None:
    text = "fun main() { }"
    assert check(text, NOTHING)[0].callable_by_name("getpid") is None
    assert check(text, frozenset({"getpid"}))[0].callable_by_name("getpid") is not None
    assert check(text, None)[0].callable_by_name("getpid") is not None
    assert check(text, NOTHING)[0].callable_by_name("unreachable") is not None
    own = check("fun getpid() { }", NOTHING)[0]
    assert own.callable_by_name("getpid") is own.functions["getpid"]
