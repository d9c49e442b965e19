"""The story of `docs/engines.md` in figures: formulas of growing size and a few programs in every engine.

python bench/comparison.py                           tables in Markdown
python bench/comparison.py --pictures docs/pictures  and a plot of each
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dora.cli.compare import duration
from dora.cli.plot import draw
from dora.engine.comparing import (
    Measured,
    Variable,
    break_even,
    compare_formula,
    compare_program,
    differing,
    engines_that_work,
)
from dora.settings import Settings
from dora.text.source import Source
from dora.types.types import DOUBLE
from measure import pin
from peers import HERE

PROGRAMS: Final[tuple[tuple[str, Path, list[str]], ...]] = (
    ("fannkuch 7", HERE.parent / "examples" / "fannkuch.dora", ["7"]),
    ("string building", HERE / "comparison" / "strings.dora", []),
    ("objects", HERE / "comparison" / "objects.dora", []),
    ("list filtering", HERE / "comparison" / "filtering.dora", []),
)
TERMS: Final = (1, 10, 100)
VARIABLES: Final = [Variable("x", DOUBLE, 0.75), Variable("y", DOUBLE, 3.0)]


def formula(terms: int) -> str:
    """A sum of so many terms, no two alike."""
    return " + ".join(f"{number}.5 * x * y / (x + {number})" for number in range(1, terms + 1))


def measured(engines: Sequence[str]) -> Iterator[tuple[str, list[Measured]]]:
    """Title and results of everything that is compared."""
    settings = Settings(cache=False)
    for terms in TERMS:
        source = Source("<formula>", formula(terms))
        yield f"formula of {terms} terms", compare_formula(source, VARIABLES, engines, settings)
    for title, path, arguments in PROGRAMS:
        yield title, compare_program(Source(str(path), path.read_text()), arguments, engines, settings)


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
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw plots, too")
    options = parser.parse_args()
    engines = options.engines.split(",") if options.engines else engines_that_work()
    pin(None)
    for title, results in measured(engines):
        assert not differing(results), f"{title}: {differing(results)} give something else"
        print(table(title, results), flush=True)
        if options.pictures:
            draw(results, title, str(options.pictures / f"engines-{title.replace(' ', '-')}.svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
