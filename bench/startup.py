"""Start-up: hello world in fresh processes, and what the time goes into.

    python bench/startup.py

The whole is that of the command `dora`, started the second time and later, so that Python has its
compiled modules: once with the code that the first run has stored, once with `--no-cache`.  The parts are
measured by `startup_parts.py` in processes of their own, and the packages by Python's `-X importtime`,
which costs time itself: read them as shares.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from measure import environment, measure, pin
from peers import HERE, PROGRAMS, dora

HELLO_PROGRAM: Final = PROGRAMS / "hello" / "hello.dora"
PACKAGE_ROUNDS: Final = 5

Table = dict[str, float]


def whole(runs: int, options: list[str]) -> dict[str, float]:
    """Milliseconds of wall time, best and median; the first start is not counted."""
    command = dora("Dora", options).prepare("hello")
    measure(command)
    walls = [1000 * measure(command).wall for _ in range(runs)]
    return {"best": min(walls), "median": median(walls)}


def parts(*mode: str) -> Table:
    """The parts of one start, in seconds."""
    script = str(HERE / "startup_parts.py")
    done = subprocess.run(
        [sys.executable, script, str(time.perf_counter()), str(HELLO_PROGRAM), *mode],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert done.stdout == "Hello, world!\n"
    found: Table = json.loads(done.stderr)
    return found


def packages() -> Table:
    """Seconds that the modules of each package took to import in one start, without what they import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "doralang", "--no-cache", str(HELLO_PROGRAM)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    return sum_packages(done.stderr)


def sum_packages(report: str) -> Table:
    """The lines of `-X importtime`, `import time: SELF | CUMULATIVE | MODULE`, summed by package."""
    sums: Table = defaultdict(float)
    for line in report.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            sums[package_of(fields[2].strip())] += int(fields[0]) / 1e6
    return dict(sums)


def package_of(module: str) -> str:
    names = module.split(".")
    if names[0] != "doralang":
        return "Python's own modules"
    return ".".join(names[:2])


def repeat(measure_once: Callable[[], Table], times: int) -> dict[str, dict[str, float]]:
    """Best and median of every row, in milliseconds."""
    found = [measure_once() for _ in range(times)]
    rows = {name: [1000 * each.get(name, 0.0) for each in found] for name in found[0]}
    return {name: {"best": min(values), "median": median(values)} for name, values in rows.items()}


def print_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"{title:48}{'best':>8}{'median':>8}")
    for name, row in rows.items():
        print(f"  {name:46}{row['best']:8.1f}{row['median']:8.1f}")
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    pin(None)
    total = {"with stored code": whole(options.runs, []), "without": whole(options.runs, ["--no-cache"])}
    of_stored = repeat(lambda: parts("stored"), options.runs)
    of_parts = repeat(parts, options.runs)
    by_package = repeat(packages, PACKAGE_ROUNDS)
    by_package = dict(sorted(by_package.items(), key=lambda item: -item[1]["median"]))
    print_table(f"hello world, milliseconds, {options.runs} runs", total)
    print_table("parts with stored code", of_stored)
    print_table("parts without", of_parts)
    print_table("imports by package (with the profiler on)", by_package)
    if options.json:
        report = {"total": total, "stored": of_stored, "parts": of_parts, "packages": by_package}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
