"""The language suite while every object moves at every allocation (see `moving`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from doralang.engines import rows as engines
from language_cases import Command, lines_match, parse_file
from moving import MovingMachine
from sampling import some
from test_language import FILES, LANGUAGE, run

MODULE = "moving"


@pytest.fixture(autouse=True)
def moving_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = engines.Engine("baseline", MODULE, MovingMachine.__name__, is_native=True)
    monkeypatch.setitem(engines.ENGINES, "baseline", moving)


CASES = [path for path in FILES if (case := parse_file(path)).command is not Command.CHECK and case.stressed]


@pytest.mark.parametrize(
    "path", some(CASES, 3), ids=lambda path: str(path.relative_to(LANGUAGE).with_suffix(""))
)
def test_programs_do_not_notice(path: Path) -> None:
    case = parse_file(path)
    if case.errors:
        pytest.skip("not a program")
    outcome = run(case, path, "baseline")
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr)
    assert outcome.exit_status == case.expected_exit


def test_objects_do_move() -> None:
    before = MovingMachine.moves
    path = next(path for path in CASES if path.name == "texts.dora")
    run(parse_file(path), path, "baseline")
    assert MovingMachine.moves > before
