"""Golden tests: each file of cases is a list of small sources, each with what the stage makes of it.

    === name of the case
    source
    ---
    what is expected

`pytest --bless tests/stages` rewrites what is expected; look at the difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dora.pipeline import Stage, dump_stage
from dora.syntax.parser import parse_file
from dora.text.diagnostics import Diagnostics
from dora.text.reports import Format, render
from dora.text.source import Source

HERE = Path(__file__).parent
CASE, RESULT = "=== ", "\n---\n"


def errors(source: Source) -> str:
    diagnostics = Diagnostics()
    parse_file(source, diagnostics)
    return render([diagnostics], Format.SHORT)


STAGES: dict[str, Callable[[Source], str]] = {
    "tokens": lambda source: dump_stage(Stage.TOKENS, source),
    "ast": lambda source: dump_stage(Stage.AST, source),
    "program": lambda source: dump_stage(Stage.PROGRAM, source),
    "errors": errors,
}


def cases(text: str) -> list[tuple[str, str, str]]:
    found = []
    for part in ("\n" + text).split("\n" + CASE)[1:]:
        name, _, rest = part.partition("\n")
        source, _, expected = (rest + "\n").partition(RESULT)
        found.append((name, source, expected.strip("\n")))
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stage: str, bless: bool) -> None:
    path = HERE / f"{stage}.txt"
    actual = [
        (name, source, STAGES[stage](Source("case", source)).strip("\n"))
        for name, source, _ in cases(path.read_text(encoding="utf-8"))
    ]
    assert actual, "there are cases"
    if bless:
        blocks = [f"{CASE}{name}\n{source}{RESULT}{dump}\n" for name, source, dump in actual]
        path.write_text("\n".join(blocks), encoding="utf-8")
    assert actual == cases(path.read_text(encoding="utf-8"))
