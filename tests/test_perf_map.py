"""`--perf`: the map that Linux `perf` reads says where each compiled function is."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from doralang.engines.native import Machine
from doralang.native import emission
from doralang.session.checking import compile_program
from doralang.settings import Settings
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

LINE = re.compile(r"([0-9a-f]+) ([0-9a-f]+) (dora::.+)")
PROGRAM = """
class Pair(let left: int, let right: int) { fun sum() -> int { return self.left + self.right; } }
fun twice(n: int) -> int { return n * 2; }
fun unused() -> int { return 7; }
fun main() { println(twice(Pair(1, 2).sum()).toString()); }
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine that has run the program, with its map in a folder of its own."""
    monkeypatch.setattr(emission, "PERF_FOLDER", str(tmp_path))
    program = compile_program(Source("pairs.dora", PROGRAM), Diagnostics(), engine="baseline")
    assert program is not None
    made = Machine(program, stdout=io.BytesIO(), stderr=io.BytesIO(), settings=Settings(perf=True))
    assert made.run_main() == 0
    return made


def rows(folder: Path) -> dict[str, tuple[int, int]]:
    """Start and length by name."""
    found = {}
    for line in (folder / f"perf-{os.getpid()}.map").read_text().splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        assert match[3] not in found, "each function is compiled once"
        found[match[3]] = int(match[1], 16), int(match[2], 16)
    return found


def test_every_compiled_function_has_a_line(machine: Machine, tmp_path: Path) -> None:
    names = set(rows(tmp_path))
    assert {"dora::main", "dora::twice", "dora::Pair.sum", "dora::Pair.Pair(int, int)"} <= names
    assert "dora::unused" not in names


def test_stubs_have_lines(machine: Machine, tmp_path: Path) -> None:
    names = set(rows(tmp_path))
    assert {"dora::stub:enter", "dora::stub:python", "dora::stub:allocate", "dora::trap:NIL"} <= names


def test_addresses_are_those_of_the_code(machine: Machine, tmp_path: Path) -> None:
    """Calls go through a function's cell, and return to addresses inside the caller."""
    found = rows(tmp_path)
    loader = machine.module.loader
    for name, placed in loader.placed.items():
        assert found[f"dora::{name}"] == (placed.address, placed.size)
        assert loader.space.arena.cell(loader.cells[name].address) == placed.address
        for point in placed.code.points:
            assert loader.space.places[placed.address + point.offset] is point
            assert 0 < point.offset <= placed.size


def test_functions_do_not_overlap(machine: Machine, tmp_path: Path) -> None:
    spans = sorted(rows(tmp_path).values())
    assert len(spans) > 4
    for (start, length), (following, _) in zip(spans, spans[1:], strict=False):
        assert length > 0
        assert start + length <= following


def test_without_the_option_there_is_no_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emission, "PERF_FOLDER", str(tmp_path))
    program = compile_program(Source("pairs.dora", PROGRAM), Diagnostics(), engine="baseline")
    assert program is not None
    Machine(program, stdout=io.BytesIO(), stderr=io.BytesIO()).run_main()
    assert not list(tmp_path.iterdir())
