"""Moving up: hot functions get optimized code while the program runs; old code stays for those who are in it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from compiling import compiled_program
from doralang.cli.main import run_command
from doralang.code.tiers import BASELINE, OPTIMIZED
from doralang.engines.native import Machine
from doralang.native.module import Module
from doralang.native.tiering import MovingUp, Tiering
from doralang.runtime.instance import Instance
from doralang.settings import Settings
from language_cases import Command, lines_match, parse_file
from test_language import FILES, LANGUAGE, run_with, same_reports

PROGRAM = """
class Node(let value: int, var next: Node)
fun total(list: Node) -> int {
  var sum = 0;
  var node = list;
  while node !== nil { sum = sum + node.value; node = node.next; }
  return sum;
}
fun build(n: int) -> Node {
  var list: Node = nil;
  for i in range(0, n) { list = Node(i, list); }
  return list;
}
fun depth(n: int) -> int { if n == 0 { return total(build(20)); } return depth(n - 1) + 1; }
fun main() {
  var all = 0;
  for i in range(0, 30) { all = all + depth(i); }
  println(all.toString());
}
"""
LONG = """
fun step(x: int) -> int { var y = x; for i in range(0, 1000) { y = y * 31 + i; } return y; }
fun main() { var x = 1; while true { x = step(x); } }
"""


def machine_for(text: str) -> Iterator[Machine]:
    machine = Machine(compiled_program(text), stdout=io.BytesIO(), stderr=io.BytesIO(), alone=True)
    yield machine
    machine.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    yield from machine_for(PROGRAM)


def tier(module: Module, name: str) -> str:
    return module.loader.placed[name].code.tier


def test_at_once_every_function_has_better_code_from_its_second_call_on(machine: Machine) -> None:
    settings = Settings(hot_now=True, llvm=False)
    with MovingUp(machine, settings):
        assert machine.run_main() == 0
    assert {tier(machine.module, name) for name in ("total", "build", "depth")} == {OPTIMIZED}
    assert machine.module.loader.retired, "old code is kept while it may run"
    assert machine.module.at_once == BASELINE, "the run is over"


def tiering_of(machine: Machine, hot: int = 1) -> Tiering:
    return Tiering(machine.module, OPTIMIZED, hot, machine.instance.ask_attention)


def test_what_is_seen_twice_is_hot(machine: Machine) -> None:
    tiering = tiering_of(machine, hot=2)
    tiering.note("total", is_shared=False)
    assert not tiering.waiting
    tiering.note("total", is_shared=False)
    tiering.note("total", is_shared=False)
    assert [request.name for request in tiering.waiting] == ["total"], "it is hot only once"


def test_a_run_that_is_over_places_nothing(machine: Machine) -> None:
    tiering = tiering_of(machine)
    machine.run_main()
    tiering.note("total", is_shared=False)
    tiering.stop()
    tiering.work()
    assert tier(machine.module, "total") == BASELINE


def test_a_mistake_leaves_a_function_as_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Module, name: str, tier: str) -> None:
        raise ValueError("mistake")

    monkeypatch.setattr(Module, "promote", refuse)
    machine.run_main()
    tiering = tiering_of(machine)
    tiering.note("total", is_shared=False)
    tiering.work()
    assert tiering.failures == ["total: ValueError('mistake')"]
    assert tier(machine.module, "total") == BASELINE


def test_a_running_program_moves_up_by_itself() -> None:
    """The loop never ends; it is interrupted when its function has new code."""
    machine = next(machine_for(LONG))
    end = monotonic() + 60

    class Enough(Exception):
        pass

    def look(self: Tiering, instance: Instance) -> None:
        original(self, instance)
        is_there = "step" in machine.module.loader.placed  # it is not before it is called
        if (is_there and tier(machine.module, "step") == OPTIMIZED) or monotonic() > end:
            raise Enough

    original = Tiering.look
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Enough):
        patch.setattr(Tiering, "look", look)
        with MovingUp(machine, Settings(llvm=False)):
            machine.run_main()
    assert tier(machine.module, "step") == OPTIMIZED
    machine.close()


@pytest.mark.parametrize(
    "options", [["--hot-now"], ["--hot-now", "--no-llvm"], ["--hot-now", "--gc-stress", "--gc-verify"]]
)
def test_frames_of_both_tiers_are_collected_and_traced(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "program.dora"
    failing = PROGRAM.replace("return total(build(20));", "return total(build(20)) / (n - n);")
    outcomes = []
    for more in (["--engine=baseline"], ["--engine=tiered", *options]):
        for text in (PROGRAM, failing):
            path.write_text(text)
            out, err = io.BytesIO(), io.BytesIO()
            status = run_command(["run", "--no-cache", *more, str(path)], io.BytesIO(), out, err)
            outcomes.append((status, out.getvalue(), err.getvalue()))
    assert outcomes[:2] == outcomes[2:]
    assert outcomes[1][0] == 101


LOOPS = """
class Cell(var value: int)
fun weigh(cells: Array<Cell>, flag: bool, a: int, b: long, c: double, d: float, e: byte, f: char) throws -> long {
  var sum = b;
  var part = c;
  var i = 0;
  while i < cells.len() {
    for j in range(i - 3, i) {
      var k = j;
      while k < i {
        let cell = cells[(k + a) % cells.len()];
        cell.value = cell.value + j * k;
        if flag && cell.value == 1234 { throw "found"; }
        sum = sum * 31L + cell.value.toLong() + e.toInt().toLong() + f.toInt().toLong();
        part = part * 0.5 + k.toDouble() + d.toDouble();
        k = k + 1;
      }
      Array(10, Cell(k));
    }
    i = i + 1;
  }
  return sum + part.toLong();
}
fun main() {
  let cells = Array::<Cell>(40);
  var n = 0;
  while n < 40 { cells[n] = Cell(n); n = n + 1; }
  println((try! weigh(cells, true, 7, 5L, 1.5, 2.5F, 9Y, 'x')).toString());
  var rest = 1000;
  loop { rest = rest - 7; if rest < 10 { break; } println((n / (rest - 13)).toString()); }
}
"""


def told(path: Path, *options: str) -> tuple[int, bytes, bytes]:
    out, err = io.BytesIO(), io.BytesIO()
    status = run_command(["run", *options, str(path)], io.BytesIO(), out, err)
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(("rounds", "llvm"), [((1, 2, 3, 4), ["--no-llvm"]), ((3,), [])], ids=["own", "llvm"])
def test_loops_are_left_for_better_code_in_any_round(
    tmp_path: Path, rounds: tuple[int, ...], llvm: list[str]
) -> None:
    """Nested loops with values of all kinds, more than there are registers for; a failure in the last one."""
    path = tmp_path / "program.dora"
    path.write_text(LOOPS)
    expected = told(path, "--engine=walk")
    assert expected[0] == 101
    for round in rounds:  # of the outermost loop, of the one in it, of the innermost one
        now = ["--engine=tiered", "--no-cache", "--hot-now", f"--hot={round}", *llvm]
        assert told(path, *now) == expected
        assert told(path, *now, "--gc-stress", "--gc-verify") == expected
        _, _, err = told(path, *now, "--stats")
        assert b"2 loops entered, 2 frames replaced" in err


def test_a_loop_that_main_never_leaves_gets_better_code() -> None:
    """Found by the ticker, compiled beside the program, entered; the loop is interrupted then."""
    machine = next(machine_for("fun main() { var x = 1; while true { x = x * 31 + 1; } }"))
    end = monotonic() + 60

    class Enough(Exception):
        pass

    def look(self: Tiering, instance: Instance) -> None:
        original(self, instance)
        if looked := self.replaced:
            seen.append(looked)
            code = machine.module.loader.code_around("main", list(instance.frames())[0][1])
            if code is not None and code.code.tier == OPTIMIZED:
                raise Enough
        assert monotonic() < end

    seen: list[int] = []
    original = Tiering.look
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Enough):
        patch.setattr(Tiering, "look", look)
        with MovingUp(machine, Settings(llvm=False)):
            machine.run_main()
    assert set(seen) == {1}, "only once is there an old frame to replace"
    machine.close()


EVERY = 16
"""of so many programs of the language suite one is taken"""
CASES = [path for path in FILES if (case := parse_file(path)).command is Command.RUN and case.stressed][
    ::EVERY
]


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(LANGUAGE)))
def test_a_slice_of_the_language_suite_moves_up_at_once(path: Path) -> None:
    case = parse_file(path)
    outcome = run_with(case, path, "tiered", ["--hot-now", "--gc-stress"])
    assert same_reports(case.reports, outcome.reports)
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr)
    assert outcome.exit_status == case.expected_exit
