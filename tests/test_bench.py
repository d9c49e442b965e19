"""The benchmark's programs, at a size that takes no time: Dora prints what C prints.

So the comparison cannot rot.  How fast they are is no matter of a test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cases import CASES, HELLO, Case
from command_line import Result, dora
from library import SIZES, TINY
from library import measure as measure_library
from measure import measure
from peers import C_FLAGS, PROGRAMS, find
from run import OutputsDiffer, Samples, compare, ratio_rows

needs_gcc = pytest.mark.skipif(find("gcc") is None, reason="no gcc on the PATH")
SUFFIXES = {"c", "dora", "go", "java", "js", "lua", "py"}


def output_of_c(program: str, arguments: list[str], folder: Path) -> str:
    source, binary = PROGRAMS / program / f"{program}.c", folder / program
    subprocess.run(["gcc", *C_FLAGS, "-o", str(binary), str(source), "-lm"], check=True)
    return subprocess.run([str(binary), *arguments], capture_output=True, text=True, check=True).stdout


@needs_gcc
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.program}-{case.tiny}")
def test_dora_prints_what_c_prints(case: Case, tmp_path: Path) -> None:
    expected = output_of_c(case.program, [str(case.tiny)], tmp_path)
    assert expected
    result = dora(str(PROGRAMS / case.program / f"{case.program}.dora"), str(case.tiny))
    assert result == Result(0, expected, "")


def test_hello() -> None:
    assert dora(str(PROGRAMS / HELLO / "hello.dora")).out == "Hello, world!\n"


def test_every_program_is_there_in_every_language() -> None:
    names = {case.program for case in CASES} | {HELLO}
    assert names == {folder.name for folder in PROGRAMS.iterdir()}
    for name in names:
        assert {path.name for path in (PROGRAMS / name).iterdir()} == {f"{name}.{each}" for each in SUFFIXES}


@pytest.mark.parametrize("name", SIZES)
def test_the_library_computes_what_others_do(name: str) -> None:
    """`measure` complains about a sum that differs; each part has a figure."""
    figures = measure_library(name, TINY, 1)
    assert {"Dora", "opt-own"} <= set(figures)
    assert len({tuple(each) for each in figures.values()}) == 1


def test_outputs_that_differ_are_noticed() -> None:
    compare("same", {"C": b"1\n", "Dora": b"1\n"})
    with pytest.raises(OutputsDiffer, match="Dora prints b'2"):
        compare("other", {"C": b"1\n", "Dora": b"2\n"})


def test_the_table_is_made_of_medians() -> None:
    c, dora_runs = Samples([9, 2, 3], [1, 2, 9]), Samples([4, 4, 4], [5, 4, 1])
    starts = {"C": Samples([0.0], [0.0]), "Dora": Samples([1.0], [1.0])}
    heading, row, mean = ratio_rows({"fib 1": {"C": c, "Dora": dora_runs}}, starts, "cpu")
    assert heading.split() == ["program", "C", "(s)", "Dora", "net"]
    assert row.split() == ["fib", "1", "2.000", "2.00", "1.50"]
    assert mean.split() == ["geometric", "mean", "2.00", "1.50"]


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_measuring() -> None:
    run = measure([sys.executable, "-c", "print(1)"])
    assert run.output == b"1\n"
    assert run.wall > 0
    with pytest.raises(subprocess.CalledProcessError):
        measure([sys.executable, "-c", "raise SystemExit(3)"])
