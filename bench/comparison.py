"""The story of `docs/engines.md` in figures: formulas of growing size and a few programs in every engine.

python bench/comparison.py                           tables in Markdown
python bench/comparison.py --pictures docs/pictures  and a plot of each
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from doralang.cli.compare import duration
from doralang.cli.plot import draw
from doralang.interpreter.output import NO_INPUT
from doralang.session.comparing import (
    FormulaVariable,
    Measured,
    break_even,
    compare_formula,
    compare_program,
    differing,
    engines_that_work,
)
from doralang.settings import Settings
from doralang.text.source import Source
from doralang.types.types import DOUBLE
from measure import pin
from peers import HERE

PROGRAMS: Final[tuple[tuple[str, Path, list[str]], ...]] = (
    ("fannkuch 7", HERE.parent / "examples" / "fannkuch.dora", ["7"]),
    ("string building", HERE / "comparison" / "strings.dora", []),
    ("objects", HERE / "comparison" / "objects.dora", []),
    ("list filtering", HERE / "comparison" / "filtering.dora", []),
)
TERMS: Final = (1, 10, 100)
VARIABLES: Final = [FormulaVariable("x", DOUBLE, 0.75), FormulaVariable("y", DOUBLE, 3.0)]


def formula(terms: int) -> str:
    """A sum of so many terms, no two alike."""
    return " + ".join(f"{number}.5 * x * y / (x + {number})" for number in range(1, terms + 1))


def titles() -> list[str]:
    return [*map(formula_title, TERMS), *(title for title, _, _ in PROGRAMS)]


def formula_title(terms: int) -> str:
    return f"formula of {terms} terms" if terms > 1 else "formula of one term"


def measured(title: str, engines: Sequence[str]) -> list[Measured]:
    settings = Settings(cache=False)
    for terms in TERMS:
        if title == formula_title(terms):
            return compare_formula(Source("<formula>", formula(terms)), VARIABLES, engines, settings)
    path, arguments = next(row[1:] for row in PROGRAMS if row[0] == title)
    return compare_program(Source(str(path), path.read_text()), arguments, NO_INPUT, engines, settings)


def table(title: str, results: Sequence[Measured]) -> str:
    """In Markdown."""
    lines = [
        f"| {title} | first result | each further | break-even | code |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for each in results:
        even = "" if each is results[0] else str(break_even(each, results[0]) or "never")
        lines.append(
            f"| {each.engine} | {duration(each.first)} | {duration(each.each)} | {even} | {each.code} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--engines", help="names, separated by commas (default: all)")
    parser.add_argument("--only", help="one title; each has a process of its own, because of Go")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw plots, too")
    options = parser.parse_args()
    if options.only is None:
        return sum(subprocess.call([sys.executable, *sys.argv, "--only", title]) for title in titles())
    engines = options.engines.split(",") if options.engines else engines_that_work()
    pin(None)
    results = measured(options.only, engines)
    assert not differing(results), f"{differing(results)} give something else"
    print(table(options.only, results), flush=True)
    if options.pictures:
        name = f"engines-{options.only.replace(' ', '-')}.svg"
        draw(results, options.only, str(options.pictures / name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
