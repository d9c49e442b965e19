"""From the text of a formula to its first result, in each engine, in a process that has used it before.

    python bench/engines.py

Beside the engines: CPython's own `compile` and `eval`, and numexpr if it is installed.  C and Go are compiled
anew each time; `c, cached` finds what was compiled before.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

from doralang.engines.rows import ENGINES
from doralang.interpreter.objects import Value
from doralang.optional import load
from doralang.session.comparing import engines_that_work, warm_up
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.types import DOUBLE, Type

FORMULAS: Final = ("11+1.2-5", "a*x+sin(y)*y-x/3.5")
VALUES: Final[dict[str, Value]] = {"a": 2.0, "x": 3.0, "y": 4.0}
TYPES: Final[dict[str, Type]] = dict.fromkeys(VALUES, DOUBLE)
ROUNDS: Final = 200
SLOW_ROUNDS: Final = 3

Times = dict[str, float]


def median_time(action: Callable[[], object], rounds: int) -> float:
    """Seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


def with_engine(engine: str, text: str, rounds: int) -> float:
    formulas = Formulas(Streams(io.BytesIO(), io.BytesIO(), io.BytesIO()), Settings(engine=engine))

    def evaluate() -> object:
        checked = formulas.check(Source("<formula>", text), TYPES, Diagnostics())
        return formulas.value(checked, VALUES)

    try:
        warm_up(formulas)
        return median_time(evaluate, rounds)
    finally:
        formulas.close()


def with_python(text: str) -> float:
    names = {**VALUES, "sin": math.sin}
    return median_time(lambda: eval(compile(text, "<formula>", "eval"), names), ROUNDS)


def with_numexpr(text: str) -> float:
    numexpr: Any = load("numexpr")
    count = iter(range(10 * ROUNDS))

    def evaluate() -> object:
        # numexpr keeps what it has compiled, by its text.
        return numexpr.evaluate(f"{text}+{next(count)}.0*0.0", VALUES)

    evaluate()
    return median_time(evaluate, ROUNDS)


def measure(text: str) -> Times:
    """Seconds by name."""
    found: Times = {}
    for engine in engines_that_work():
        rounds = SLOW_ROUNDS if ENGINES[engine].is_slow_to_start else ROUNDS
        os.environ["DORA_CACHE"] = "off"
        found[engine] = with_engine(engine, text, rounds)
        if engine == "c":
            with tempfile.TemporaryDirectory() as folder:
                os.environ["DORA_CACHE"] = folder
                found["c, cached"] = with_engine(engine, text, ROUNDS)
    found["CPython"] = with_python(text)
    if find_spec("numexpr"):
        found["numexpr"] = with_numexpr(text)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    report = {text: measure(text) for text in FORMULAS}
    print(f"{'milliseconds':14}" + "".join(f"{text:>24}" for text in report))
    for name in report[FORMULAS[0]]:
        print(f"{name:14}" + "".join(f"{1000 * times[name]:24.3f}" for times in report.values()))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
