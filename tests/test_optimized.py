"""Optimized bytecode in the VM: the passes without any machine code, and each claim of a flag looked after."""

from __future__ import annotations

from pathlib import Path

import pytest

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.verifier import verify
from doralang.engines import vm
from doralang.native.world import ProgramWorld
from doralang.optimizing.optimizer import Times, optimize
from language_cases import lines_match, parse_file, same_reports
from test_language import FILES, LANGUAGE, run

EVERY = 3
"""Every so many programs of the language suite are run."""
ALWAYS = [LANGUAGE / "rethrows" / "inlined_in_a_second_round.dora"]
"""those that are about the optimizer"""


@pytest.fixture(autouse=True)
def optimizing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The VM optimizes each function before it translates it."""
    plain, times = vm.Machine.bytecode, Times()
    worlds: dict[vm.Machine, ProgramWorld] = {}
    known: dict[tuple[vm.Machine, FunctionRef], Function] = {}

    def bytecode(machine: vm.Machine, ref: FunctionRef) -> Function:
        key = machine, ref
        if key not in known:
            world = worlds.setdefault(machine, ProgramWorld(machine.specializer))
            known[key] = optimize(plain(machine, ref), times, world)
            verify(known[key])
        return known[key]

    monkeypatch.setattr(vm.Machine, "bytecode", bytecode)


@pytest.mark.parametrize(
    "path",
    sorted({*FILES[::EVERY], *ALWAYS}),
    ids=lambda path: str(path.relative_to(LANGUAGE).with_suffix("")),
)
def test_optimized_bytecode_does_the_same(path: Path) -> None:
    case = parse_file(path)
    outcome = run(case, path, "vm")
    assert same_reports(case.reports, outcome.reports), outcome
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr), outcome.stderr
    assert outcome.exit_status == case.expected_exit
