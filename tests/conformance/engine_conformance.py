"""What every engine must do behind its door (`doralang.engines.door`), whatever it makes of a program.

A new engine needs a row in `doralang.engines.rows`, and no more: `test_engines.py` makes a class for each row.

    class TestMine(EngineConformance):
        engine = "mine"
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import pytest

from doralang.checker.checker import MainRule
from doralang.checker.program import Program
from doralang.engines.door import Door
from doralang.engines.rows import ENGINES, machine
from doralang.interpreter.objects import Str, Value
from doralang.session.checking import compile_program
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.reports import Format, render
from doralang.text.source import Source
from doralang.types.failures import Exit, Failure
from doralang.types.traps import Trap

VALUES: dict[str, list[Any]] = {
    "bool": [False, True],
    "byte": [0, 255],
    "char": [0, 65, 0x10FFFF],
    "int": [0, -1, 2**31 - 1, -(2**31)],
    "long": [0, -1, 2**63 - 1, -(2**63)],
    "float": [0.0, -0.0, 1.5, math.inf, -math.inf],
    "double": [0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, -math.inf],
}
"""values of each primitive type, as Python has them"""

PROGRAM = """
var counter: int = start();
fun start() -> int { return 5; }
fun next() -> int { counter = counter + 1; return counter; }

class Mine(text: Str): Exception(text) {}
fun down(n: int) -> int { if n == 0 { return 0; } return 1 + down(n - 1); }
fun at(n: int) -> int { let a = Array::<int>(3); return a[n]; }
fun divide(a: int, b: int) -> int {
  return a / b;
}
fun thrown() { try! throwing(); }
fun throwing() throws { throw Mine("mine"); }
fun uncaught() throws { try throwing(); }
fun leave(status: int) { print("leaving"); exit(status); }
fun greet(name: Str) -> Str { println("for " + name); return "hello " + name; }
fun nothing() -> Str { return nil; }
fun count(n: int) -> long { var sum = 0L; for i in range(0, n) { sum = sum + i.toLong(); } return sum; }

fun testPasses(test: Testing) { next(); }
fun testFails(test: Testing) { test.fail(); next(); }
fun testStops(test: Testing) { at(3); }

fun main() -> int {
  println("main " + next().toString() + " " + argc().toString());
  if argc() > 0 { return divide(1, argc() - 1); }
  return 300;
}
""" + "\n".join(
    f"fun {name}Same(x: {name}) -> {name} {{ return x; }}\n"
    f"fun {name}Second(a: double, x: {name}, b: long) -> {name} {{ if b > 0L {{ return x; }} return x; }}"
    for name in VALUES
)


class Running:
    """A program in an engine, and what it prints."""

    def __init__(self, engine: str, program: Program, arguments: list[str]) -> None:
        self.out, self.err = io.BytesIO(), io.BytesIO()
        self.program = program
        self.door: Door = machine(
            program, arguments, Streams(io.BytesIO(), self.out, self.err), Settings(engine=engine)
        )

    def call(self, name: str, *arguments: Value) -> Value:
        return self.door.call(self.program.functions[name], list(arguments))

    def text(self, value: str) -> Str:
        """A string, as functions of the program take it."""
        return Str(None, value.encode())  # type: ignore[arg-type]

    def failure(self, name: str, *arguments: Value) -> Failure:
        with pytest.raises(Failure) as caught:
            self.call(name, *arguments)
        return caught.value

    def printed(self) -> tuple[str, str]:
        """To standard output and error since the last time."""
        texts = self.out.getvalue().decode(), self.err.getvalue().decode()
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        return texts


class EngineConformance:
    """Subclass it with the name of an engine."""

    engine: str

    @pytest.fixture(scope="class")
    @classmethod
    def program(cls) -> Program:
        diagnostics, source = Diagnostics(), Source("test.dora", PROGRAM)
        program = compile_program(source, diagnostics, main=MainRule.TESTS, engine=cls.engine)
        assert program is not None, render([diagnostics], Format.SHORT)
        return program

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, program: Program) -> Iterator[Running]:
        """One for all tests of calls; none of them leaves a trace."""
        running = Running(cls.engine, program, [])
        running.door.initialize_globals()
        yield running
        running.door.close()

    @pytest.fixture(autouse=True)
    def nothing_printed_before(self, running: Running) -> None:
        running.printed()

    # Whole programs.

    def test_main(self, program: Program) -> None:
        """The status is the low byte of the result; globals are initialised for every run."""
        running = Running(self.engine, program, [])
        for _ in range(2):
            assert running.door.run_main() == 300 & 255
            assert running.printed() == ("main 6 0\n", "")
        running.door.close()

    def test_failing_main(self, program: Program) -> None:
        running = Running(self.engine, program, ["x"])
        assert running.door.run_main() == Trap.DIVISION.status
        lines = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "return a / b" in line]
        main = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "divide(1" in line]
        out, err = running.printed()
        assert out == "main 6 1\n"
        assert err == f"division by 0\n0: divide(int, int) -> int: {lines[0]}\n1: main() -> int: {main[0]}\n"
        running.door.close()

    # Calls.

    @pytest.mark.parametrize("name", VALUES)
    def test_values_pass_in_and_out(self, running: Running, name: str) -> None:
        for value in VALUES[name]:
            for result in (running.call(f"{name}Same", value), running.call(f"{name}Second", 0.5, value, 1)):
                assert repr(result) == repr(value)

    def test_texts_pass_in_and_out(self, running: Running) -> None:
        result = running.call("greet", running.text("you é\0"))
        assert isinstance(result, Str) and result.data == "hello you é\0".encode()
        assert running.printed()[0] == "for you é\0\n", "output is there when a call returns"
        assert running.call("nothing") is None

    def test_globals_stay_between_calls(self, running: Running) -> None:
        first = running.call("next")
        assert isinstance(first, int)
        assert [running.call("next"), running.call("next")] == [first + 1, first + 2]

    def test_loops(self, running: Running) -> None:
        """Long enough for engines that look for hot ones."""
        assert running.call("count", 5000) == 5000 * 4999 // 2

    # Failures.

    @pytest.mark.parametrize(
        ("name", "arguments", "trap"),
        [
            ("at", (3,), Trap.INDEX),
            ("at", (-1,), Trap.INDEX),
            ("divide", (1, 0), Trap.DIVISION),
            ("thrown", (), Trap.UNEXPECTED),
            ("uncaught", (), Trap.UNCAUGHT),
            ("down", (-1,), Trap.STACK),
        ],
    )
    def test_failures(self, running: Running, name: str, arguments: tuple[int, ...], trap: Trap) -> None:
        """They are raised with status and trace, and the engine is good for more."""
        failure = running.failure(name, *arguments)
        assert failure.trap is trap and failure.status == trap.status
        assert running.printed() == ("", ""), "nobody has asked for a report"
        running.door.report(failure)
        report = running.printed()[1]
        assert report.encode() == failure.report() and "\n0: " in report
        assert running.call("down", 10) == 10

    def test_exits(self, running: Running) -> None:
        with pytest.raises(Exit) as caught:
            running.call("leave", 7)
        assert caught.value.status == 7
        assert running.printed()[0] == "leaving"
        assert running.call("down", 10) == 10

    # Tests and formulas.

    def test_tests(self, running: Running) -> None:
        functions = running.program.functions
        assert running.door.run_test(functions["testPasses"]) is True
        assert running.door.run_test(functions["testFails"]) is False
        with pytest.raises(Failure):
            running.door.run_test(functions["testStops"])

    def test_printing_values(self) -> None:
        """As `toString` has them."""
        formulas = {
            "1 + 1": "2",
            "0.1D + 0.2D": "0.30000000000000004",
            "1 < 2": "true",
            "'a'": "a",
            '"x" + "y"': "xy",
        }
        streams = Streams(io.BytesIO(), io.BytesIO(), io.BytesIO())
        running = Formulas(streams, Settings(engine=self.engine))
        for text in formulas:
            diagnostics = Diagnostics()
            formula = running.check(Source("<formula>", text), {}, diagnostics)
            assert not diagnostics.errors
            running.engine(formula).print_value(formula.function.result, running.value(formula, {}))
        assert isinstance(streams.stdout, io.BytesIO)
        assert streams.stdout.getvalue().decode().splitlines() == list(formulas.values())
        running.close()

    # Code.

    def test_code_has_a_size(self, running: Running) -> None:
        """Where there is code; a function that was called has some."""
        running.call("count", 10)
        assert bool(running.door.code_size()) == bool(ENGINES[self.engine].unit)
