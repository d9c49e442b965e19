"""`dora compare`: the table, the plot, and engines that disagree."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from command_line import dora
from doralang.session import comparing
from doralang.session.comparing import Ended, Measured, break_even, differing

NAMES = "vm,baseline"


def rows(table: str) -> dict[str, list[str]]:
    """By engine: what stands behind it."""
    lines = table.splitlines()
    assert lines[0].split() == ["engine", "first", "result", "each", "further", "break-even", "code"]
    return {line.split()[0]: line.split()[1:] for line in lines[1:]}


def test_a_formula() -> None:
    result = dora("compare", f"--engines={NAMES}", "--let=x=2.0", "x * x + 1")
    assert (result.status, result.err) == (0, "")
    table = rows(result.out)
    assert list(table) == ["walk", "vm", "baseline"]
    assert table["walk"][-1] == "none"
    assert table["vm"][-1] == "closures"
    assert table["baseline"][-1] == "bytes"


def test_a_program_with_arguments(tmp_path: Path) -> None:
    path = tmp_path / "prog.dora"
    path.write_text("fun main() -> int { println(argv(0)); return 1 / (argc() - 1); }")
    result = dora("compare", f"--engines={NAMES}", str(path), "hello")
    failure = "division by 0\n0: main() -> int: 1\n"
    assert (result.status, result.err) == (101, failure), "once, as it is the same in all"
    assert list(rows(result.out)) == ["walk", "vm", "baseline"]
    assert dora("compare", f"--engines={NAMES}", str(path), "hello", "you", "all").status == 0


@pytest.mark.parametrize(
    ("operand", "status", "message"),
    [
        ("1L / 0L", 101, "division by 0\n0: <expression>: 1\n"),
        ("fun main() { assert(false); }", 101, "assert failed\n0: main(): 1\n"),
        ("fun main() -> int { return 3; }", 3, "dora: every engine ends with status 3\n"),
        ('fun main() { fatalError("no"); }', 1, "fatal error: no\n"),
    ],
)
def test_what_fails_everywhere_is_told_once(tmp_path: Path, operand: str, status: int, message: str) -> None:
    if "main" in operand:
        path = tmp_path / "prog.dora"
        path.write_text(operand)
        operand = str(path)
    result = dora("compare", operand, f"--engines={NAMES}")
    assert (result.status, result.err) == (status, message)
    assert list(rows(result.out)) == ["walk", "vm", "baseline"]


def test_a_failure_is_not_the_text_that_tells_of_it() -> None:
    results = [
        Measured("walk", 1, 1, "", b"division by 0"),
        Measured("vm", 1, 1, "", Ended(101, b"division by 0")),
    ]
    assert differing(results) == ["vm"]


def test_engines_that_disagree_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = comparing.result_of
    calls: list[object] = []

    def wrong(call: Any) -> object:
        calls.append(call)
        return right(call) if len(calls) == 1 else "something else"

    monkeypatch.setattr(comparing, "result_of", wrong)
    result = dora("compare", "--engines=vm", "1 + 1")
    assert result.status == 1
    assert result.err == "dora: vm: not the result of walk\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["1 +"], 1, "E02"),
        (["--let=x=1/", "x"], 1, "E02"),
        (["--let=x=7L/0L", "x"], 1, "division by 0"),
        (["1", "2"], 2, "one expression expected"),
        (["--engines=c-", "1"], 2, "none of"),
        (["/no/such.dora"], 1, "E0903"),
        ([], 2, "no file or expression given"),
    ],
)
def test_what_cannot_be_compared(arguments: list[str], status: int, message: str) -> None:
    result = dora("compare", *arguments)
    assert result.status == status
    assert message in result.err
    assert result.out == ""


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_the_plot(tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    assert dora("compare", "--engines=vm", f"--plot={path}", "1 + 1").status == 0
    text = path.read_text()
    assert text.startswith("<?xml")
    assert "evaluations" in text or "<path" in text
    wrong = dora("compare", "--engines=vm", f"--plot={tmp_path / 'plot.nonsense'}", "1 + 1")
    assert wrong.status == 2
    assert "--plot: " in wrong.err


def test_the_plot_needs_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("doralang.cli.plot.load", missing)
    result = dora("compare", "--engines=vm", "--plot=plot.svg", "1 + 1")
    assert result.status == 2
    assert "pip install 'dora-lang[plot]'" in result.err


def measured(first: float, each: float) -> Measured:
    return Measured("some", first, each, "", None)


@pytest.mark.parametrize(
    ("first", "each", "expected"),
    [(1.0, 1.0, 1), (0.5, 0.5, 1), (11.0, 0.5, 21), (2.0, 1.0, None), (2.0, 2.0, None), (1.5, 0.75, 3)],
)
def test_break_even(first: float, each: float, expected: int | None) -> None:
    assert break_even(measured(first, each), measured(1.0, 1.0)) == expected
