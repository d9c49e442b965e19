"""Traces of the VM: what is recorded, how they are entered and left, and when they are given up."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doralang.source.toolchains import find_c
from doralang.tracing import loops
from doralang.tracing.c_text import STATEMENTS
from doralang.tracing.closures import STEPS, TraceRunner, interpreted
from doralang.tracing.compiler import TraceCompiler
from doralang.tracing.printer import PRINTERS, print_trace
from doralang.tracing.trace import Enter, LoopTrace, Step
from fuzz.compare import is_program
from fuzz.loops import LoopGenerator
from walking import Result, Walk


class Interpreting:
    """Traces run in Python, step by step, and are kept to be looked at."""

    def __init__(self) -> None:
        self.traces: list[LoopTrace] = []

    def source(self, trace: LoopTrace) -> str:
        return ""

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        self.traces.append(trace)
        return interpreted(trace)


class Compiling(Interpreting):
    """Traces run as C."""

    def source(self, trace: LoopTrace) -> str:
        return TraceCompiler().source(trace)

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        self.traces.append(trace)
        return TraceCompiler().compile(trace, source)


needs_c = pytest.mark.skipif(find_c() is None, reason="there is no C compiler")
COMPILERS = [Interpreting, pytest.param(Compiling, marks=needs_c)]


@pytest.fixture(params=COMPILERS)
def compiler(request: pytest.FixtureRequest) -> Any:
    return request.param()


def traced(text: str, compiler: Any, hot: int = 5) -> Walk:
    return Walk(text, engine="vm", compiler=compiler, hot=hot, hot_now=True)


def walked(text: str) -> Result:
    return Walk(text).run()


def reasons(text: str) -> str:
    walk = traced(text, Interpreting())
    assert walk.run() == walked(text)
    return str(walk.interpreter.loops)


# What is recorded.

COUNT = """
fun square(n: int) -> int { return n * n; }
fun main() {
  var i = 0;
  var sum = 0;
  while i < 40 {
    sum = sum + square(i);
    i = i + 1;
  }
  println(sum.toString());
}
"""


def test_a_trace_is_the_path_of_a_round_across_calls() -> None:
    compiler = Interpreting()
    assert traced(COUNT, compiler).run() == Result(0, "20540\n", "")
    (trace,) = compiler.traces
    text = print_trace(trace)
    assert text == (
        "trace of main, line 6\n"
        "  with main0.r0:int, main0.r1:int\n"
        "    head 0:\n"
        "    main0.r2:int = 40\n"
        "    main0.r3:bool = int.less(main0.r0, main0.r2)\n"
        "    unless main0.r3: exit 1\n"
        "    square1.r0:int = main0.r0\n"
        "    square1.r1:int = int.times(square1.r0, square1.r0)\n"
        "    main0.r2:int = square1.r1\n"
        "    main0.r1:int = int.plus(main0.r1, main0.r2)\n"
        "    main0.r2:int = 1\n"
        "    main0.r0:int = int.plus(main0.r0, main0.r2)\n"
        "    goto head 0\n"
        "  exit 0: main at 8 (main0.r0, main0.r1)\n"
        "  exit 1: main at 11 (main0.r1)\n"
    )


def test_every_step_can_be_printed_run_and_compiled() -> None:
    steps = set(Step.__args__)  # type: ignore[attr-defined]
    assert steps == set(STEPS) == set(PRINTERS) == {*STATEMENTS, Enter}


def test_exits_that_are_taken_often_get_paths(compiler: Any) -> None:
    text = """
    fun main() {
      var even = 0; var odd = 0;
      for i in range(0, 300) { if i % 2 == 0 { even = even + i; } else { odd = odd - i; } }
      println(even.toString() + odd.toString());
    }
    """
    walk = traced(text, compiler)
    assert walk.run() == walked(text)
    assert [trace.name for trace in compiler.traces[:2]] == ["main, line 4", "main, line 4"]
    assert "in 2 paths" in str(walk.interpreter.loops)


def test_the_loop_around_a_loop_is_a_path_from_its_exit(compiler: Any) -> None:
    text = """
    fun main() {
      var sum = 0L; var i = 0;
      while i < 200 {
        var k = 0;
        while k < 30 { sum = sum * 3L + (i * k).toLong(); k = k + 1; }
        i = i + 1;
      }
      println(sum.toString());
    }
    """
    walk = traced(text, compiler)
    assert walk.run() == walked(text)
    told = re.search(r"in 2 paths, (\d+) rounds in 1 entries", str(walk.interpreter.loops))
    assert told is not None and int(told[1]) > 5000


# Leaving: the state that the VM goes on with.

DEEP = """
class Box(var n: int, let a: Array<int>) {
  fun at(i: int) -> int { self.n = self.n + 1; return inner(self.a, i * 2) + i; }
}
fun inner(a: Array<int>, i: int) -> int {
  let before = i + 1;
  if i == LIMIT { println("left at " + before.toString()); }
  let element = a[i];
  return element + before;
}
fun main() {
  let box = Box(0, Array(100, 3));
  var sum = 0;
  for i in range(0, 60) {
    let kept = sum * 2;
    sum = box.at(i) + kept % 5;
  }
  println(sum.toString() + " " + box.n.toString());
}
"""


def test_a_path_is_left_in_the_middle_of_calls(compiler: Any) -> None:
    text = DEEP.replace("LIMIT", "70")
    result = traced(text, compiler).run()
    assert result == walked(text)
    assert result.out.startswith("left at 71\n") and result.status == 102


def test_a_failure_behind_an_exit_has_the_trace_of_all_inlined_functions(compiler: Any) -> None:
    walk = traced(DEEP.replace("LIMIT", "-1"), compiler)
    assert walk.run() == Result(
        102,
        "",
        "array index out of bounds\n"
        "0: inner(Array<int>, int) -> int: 8\n"
        "1: Box.at(int) -> int: 3\n"
        "2: main(): 16\n",
    )
    assert "rounds in 1 entries" in str(walk.interpreter.loops)


def test_fields_and_globals_are_stored_when_the_path_is_left(compiler: Any) -> None:
    text = """
    class Cell(var x: double, var flag: bool, var small: byte)
    var ticks: long;
    fun show(c: Cell) { println(c.x.toString() + c.flag.toString() + c.small.toInt().toString()); }
    fun main() {
      let c = Cell(1.0, false, 1Y);
      for i in range(0, 50) {
        c.x = c.x * 1.1F.toDouble(); c.flag = !c.flag; c.small = (c.small.toInt() * 3).toByte();
        ticks = ticks + i.toLong();
        if i % 20 == 19 { show(c); println(ticks.toString()); }
      }
    }
    """
    assert traced(text, compiler).run() == walked(text)


def test_a_division_is_left_before_it_fails(compiler: Any) -> None:
    text = """
    fun main() {
      var sum = 0;
      var i = 0;
      while i < 99 {
        sum = sum +
          100 / (50 - i);
        i = i + 1;
      }
    }
    """
    assert traced(text, compiler).run() == Result(101, "", "division by 0\n0: main(): 7\n")


def test_a_throw_leaves_the_path(compiler: Any) -> None:
    text = """
    fun check(i: int) throws -> int { if i % 30 == 29 { throw "now"; } return i; }
    fun main() {
      var sum = 0;
      for i in range(0, 100) {
        do { sum = sum + try check(i); } catch e: Str { println(e + sum.toString()); }
      }
      println(sum.toString());
    }
    """
    assert traced(text, compiler).run() == walked(text)


# Entering: what must hold.


def test_objects_that_are_one_and_the_same_do_not_enter(compiler: Any) -> None:
    """Each would have variables of its own for the same fields."""
    text = """
    class Cell(var n: int)
    fun add(a: Cell, b: Cell) {
      for i in range(0, 30) { a.n = a.n + 1; b.n = b.n * 2 + a.n; if b.n > 1000000 { b.n = 0; } }
    }
    fun main() {
      let a = Cell(1); let b = Cell(2);
      for round in range(0, 3) { add(a, b); }
      add(a, a); add(b, b);
      println(a.n.toString() + " " + b.n.toString());
    }
    """
    walk = traced(text, compiler)
    assert walk.run() == walked(text)
    assert any(loop.misses for loop in walk.interpreter.loops.loops.values())


def test_another_class_or_nil_does_not_enter(compiler: Any) -> None:
    text = """
    open class Shape(var n: int) { open fun step() { self.n = self.n + 1; } }
    class Fast(n: int): Shape(n) { override fun step() { self.n = self.n + 10; } }
    fun walk(shape: Shape) { for i in range(0, 30) { shape.step(); } println(shape.n.toString()); }
    fun main() { walk(Shape(0)); walk(Fast(0)); walk(Shape(5)); walk(nil); }
    """
    result = traced(text, compiler).run()
    assert result == walked(text)
    assert (result.status, result.out) == (103, "30\n300\n35\n")


@pytest.mark.parametrize("type", ["bool", "byte", "char", "int", "long", "float", "double"])
def test_arrays_of_all_kinds(compiler: Any, type: str) -> None:
    value = {"bool": "i % 3 == 1", "char": "(i + 65).toCharUnchecked()"}.get(
        type, f"i.to{type.capitalize()}()"
    )
    if type == "int":
        value = "i"
    text = f"""
    fun main() {{
      let a = Array::<{type}>(50);
      for i in range(0, 50) {{ a[i] = {value}; }}
      for i in range(1, 50) {{ let kept = a[i - 1]; a[i - 1] = a[i]; a[i] = kept; }}
      for i in range(0, 50) {{ println(a[i].toString()); }}
    }}
    """
    if type == "char":
        text = text.replace("(i + 65).toCharUnchecked()", "'a'")
    assert traced(text, compiler).run() == walked(text)


# What is not recorded, and traces that do not pay.


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("let b = Box(i); sum = sum + b.n;", "it makes objects of the class Box"),
        ("let a = Array::<int>(i); sum = sum + a.len();", "it makes an array"),
        ('print("");', "it uses a text"),
        ("sum = sum + box.n; box = other;", "a reference changes from round to round"),
        ("sum = sum + boxes[i % 2].n;", "it uses an array of references"),
        ("holder.box = other;", "it stores a reference"),
        ("sum = sum + down(20);", "its calls are nested too deep"),
    ],
)
def test_a_loop_that_does_not_fit_says_why(statement: str, reason: str) -> None:
    text = f"""
    class Box(var n: int)
    class Holder(var box: Box)
    fun down(n: int) -> int {{ if n == 0 {{ return 0; }} return 1 + down(n - 1); }}
    fun main() {{
      var box = Box(1); let other = Box(2); let boxes = Array(2, box); let holder = Holder(box);
      var sum = 0;
      for i in range(0, 60) {{
        {statement}
        sum = sum + box.n;
      }}
      println(sum.toString());
    }}
    """
    assert f"main, line 8: in the VM, because {reason}\n" in reasons(text)


def test_a_trace_that_does_not_pay_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "HOT_EXIT", 1000)
    text = """
    fun few(n: int) -> int { var s = 0; for i in range(0, 3) { s = s + i * n; } return s; }
    fun main() { var s = 0; for i in range(0, 300) { s = s + few(i); print(""); } println(s.toString()); }
    """
    assert "few, line 2: in the VM, because it has 2 rounds at a time\n" in reasons(text)


def test_a_compiler_that_fails_leaves_the_loop_in_the_vm() -> None:
    class Failing(Interpreting):
        def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
            return "there is no toolchain"

    walk = traced(COUNT, Failing())
    assert walk.run() == Result(0, "20540\n", "")
    assert (
        str(walk.interpreter.loops)
        == "hot loops:\n  main, line 6: in the VM, because there is no toolchain\n"
    )


def test_the_program_runs_on_while_a_trace_is_compiled() -> None:
    compiler = Interpreting()
    text = COUNT.replace("40", "4000").replace("sum + square(i)", "(sum + square(i)) % 1000")
    walk = Walk(text, engine="vm", compiler=compiler, hot=5)
    assert walk.run() == walked(text)
    walk.interpreter.loops.jobs.put(None)
    walk.interpreter.loops.thread.join(10)
    assert len(compiler.traces) == 1


# Interrupts, and random programs.


@needs_c
def test_interrupt_in_a_trace(tmp_path: Path) -> None:
    program = tmp_path / "endless.dora"
    program.write_text("fun main() {\n  var n = 0;\n  while true {\n    n = n + 1;\n  }\n}\n")
    command = [sys.executable, "-m", "doralang", "--engine=trace", "--hot-now", "--stats", str(program)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    for _ in range(100):
        try:
            _, error = process.communicate(timeout=3)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert re.match(rb"interrupted\n0: main\(\): [34]\n", error)
    assert b"main, line 3: a trace of" in error


@pytest.mark.parametrize("seed", range(1, 41))
def test_random_loops_do_in_traces_what_they_do_in_the_tree_walk(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "HOT_EXIT", 2)
    monkeypatch.setattr(loops, "ROUNDS", 7)
    monkeypatch.setattr(loops, "ENTRIES", 1_000_000)
    text = LoopGenerator(seed).program()
    assert is_program(text, str(tmp_path)), text
    assert traced(text, Interpreting(), hot=2).run() == walked(text)


@needs_c
@pytest.mark.parametrize("seed", range(101, 104))
def test_random_loops_do_in_c_what_they_do_in_the_tree_walk(seed: int) -> None:
    text = LoopGenerator(seed).program()
    assert traced(text, Compiling(), hot=3).run() == walked(text)
