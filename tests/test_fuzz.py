"""A slice of the differential tester; `make fuzz` runs more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sampling
from doralang.machine.targets import X64, host
from doralang.optional import LLVM, is_installed
from doralang.source.toolchains import find_c
from fuzz import expressions, planted, stored
from fuzz.columns import ColumnGenerator
from fuzz.compare import COLLECTORS, HEAPS, QUICK, REPLACING, STRIPS, find_difference
from fuzz.generator import Generator
from fuzz.heaps import HeapGenerator
from fuzz.loops import LoopGenerator
from fuzz.strips import StripGenerator

FIRST = 1
COUNT = 120 if sampling.EVERY else 28
COMPILED_LONG = COUNT if sampling.EVERY else 5
COLLECTED = 20 if sampling.EVERY else 3
FORMULAS = 2000
STORED = 20 if sampling.EVERY else 8
LOOPS = 5
STRIP_PROGRAMS = 40 if sampling.EVERY else 8
SLICE_PROGRAMS = 40 if sampling.EVERY else 6
COLUMN_PROGRAMS = 40 if sampling.EVERY else 8
HEAP_PROGRAMS = 40 if sampling.EVERY else 4
TAKES_LONG = pytest.mark.skipif(not sampling.EVERY, reason="takes minutes: make test-all")


def test_the_engines_agree_about_random_programs() -> None:
    difference = find_difference(FIRST, COUNT, engines=QUICK)
    assert difference is None, difference


def test_engines_that_compile_long_agree_about_fewer_programs() -> None:
    difference = find_difference(FIRST + COUNT, COMPILED_LONG)
    assert difference is None, difference


def test_the_collectors_agree_about_random_programs() -> None:
    difference = find_difference(FIRST + COUNT, COLLECTED, engines=COLLECTORS)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_the_collectors_agree_about_programs_that_only_work_on_the_heap() -> None:
    difference = find_difference(FIRST, HEAP_PROGRAMS, HeapGenerator, HEAPS)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_loops_that_are_left_for_better_code_agree_with_the_tree_walk() -> None:
    difference = find_difference(FIRST, LOOPS, LoopGenerator, REPLACING)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_loops_over_arrays_agree_with_the_tree_walk() -> None:
    engines = STRIPS if sampling.EVERY else (STRIPS[0], ("opt", "--no-llvm"))
    difference = find_difference(FIRST, STRIP_PROGRAMS, StripGenerator, engines)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_loops_over_slices_agree_with_the_tree_walk() -> None:
    slices = pytest.importorskip("fuzz.slices", reason="needs NumPy", exc_type=ImportError)
    engines = tuple(slices.ENGINES) if sampling.EVERY and is_installed(LLVM) else slices.OWN
    difference = slices.find_difference(FIRST, SLICE_PROGRAMS, engines)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_planted_bugs_of_slices_are_found() -> None:
    planted_slices = pytest.importorskip("fuzz.planted_slices", reason="needs NumPy", exc_type=ImportError)
    assert planted_slices.missed() == []


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_loops_down_columns_agree_with_the_tree_walk() -> None:
    engines = STRIPS if sampling.EVERY else (STRIPS[0], ("opt", "--no-llvm"))
    difference = find_difference(FIRST, COLUMN_PROGRAMS, ColumnGenerator, engines)
    assert difference is None, difference


def test_the_engines_agree_about_random_formulas() -> None:
    difference = expressions.find_difference(FIRST, FORMULAS)
    assert difference is None, difference


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_stored_code_changes_nothing_in_random_programs_of_several_paths() -> None:
    difference = stored.find_difference(FIRST, STORED)
    assert difference is None, difference


@pytest.mark.skipif(find_c() is None, reason="there is no C compiler")
def test_generated_c_agrees_about_random_formulas() -> None:
    difference = expressions.find_difference(FIRST + FORMULAS, expressions.BATCH, ["c"])
    assert difference is None, difference


def test_a_seed_always_gives_the_same_program() -> None:
    assert Generator(7).program() == Generator(7).program()
    assert Generator(7).program() != Generator(8).program()


@TAKES_LONG
@pytest.mark.skipif(host() is not X64, reason="some of the bugs are in the assembler for x86-64")
def test_planted_bugs_are_found() -> None:
    found = planted.search_all()
    missed = [name for name, by in found.items() if not by]
    assert len(found) >= 20
    assert len(missed) <= len(found) // 10, f"nobody notices: {missed}"


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_planted_bugs_of_the_optimizer_are_found() -> None:
    """In a process that has not loaded what verifies: the programs are to find them."""
    script = Path(__file__).parent / "fuzz" / "planted_optimizer.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=dict(os.environ))
    count = re.search(r"^(\d+) of (\d+) found$", done.stdout, re.MULTILINE)
    assert count, done.stderr
    assert int(count[2]) >= 20
    assert int(count[1]) >= 0.9 * int(count[2]), done.stdout
