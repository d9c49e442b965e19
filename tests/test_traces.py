"""The conformance suite with everything hot at once: each loop becomes a trace in its second round.

The traces are run in Python, step by step, so no compiler is needed; their C is compared with that elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from doralang.engines import tracing
from doralang.tracing import loops
from doralang.tracing.closures import TraceRunner, interpreted
from doralang.tracing.trace import LoopTrace
from language_cases import Command, lines_match, parse_file
from sampling import some
from test_language import FILES, LANGUAGE, run_with

PROGRAMS = [path for path in FILES if parse_file(path).command is not Command.CHECK]


class Interpreting:
    def source(self, trace: LoopTrace) -> str:
        return ""

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        return interpreted(trace)


@pytest.mark.parametrize(
    "path", some(PROGRAMS, 2), ids=lambda path: str(path.relative_to(LANGUAGE).with_suffix(""))
)
def test_language_with_traces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing.Machine, "compiler", Interpreting)
    monkeypatch.setattr(tracing.Machine, "provider", None)
    monkeypatch.setattr(loops, "HOT_EXIT", 2)
    monkeypatch.setattr(loops, "ROUNDS", 7)
    case = parse_file(path)
    outcome = run_with(case, path, "trace", ["--hot=2", "--hot-now"])
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr), outcome.stderr
    assert outcome.exit_status == case.expected_exit
