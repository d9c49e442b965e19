"""Start-up: hello world in fresh processes, and what the time goes into.

    python bench/startup.py

The whole is that of the command `dora`, beside a Python that does nothing: with the code that an earlier run
has stored, a first start, and with `--no-cache`; Python has its compiled modules.  The parts are
measured by `startup_parts.py` in processes of their own, and the packages by Python's `-X importtime`,
which costs time itself: read them as shares.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
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
BARE: Final = "a bare Python"
FIRST: Final = "a first start"

Table = dict[str, float]


def whole(runs: int) -> dict[str, dict[str, float]]:
    """Milliseconds of wall time, and how many times as long as a bare Python; round by round, as a machine is
    busy now and then.  Each first start has an empty cache of its own."""
    command, module = dora("Dora", []).prepare("hello"), [sys.executable, "-m", "doralang"]
    ways: dict[str, list[str]] = {
        BARE: [sys.executable, "-c", "pass"],
        "with stored code": command,
        "the same by python -m": [*module, str(HELLO_PROGRAM)],
        FIRST: command,
        "without a cache": dora("Dora", ["--no-cache"]).prepare("hello"),
    }
    walls: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs + 1):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                variables = {"DORA_CACHE": folder} if name == FIRST else {}
                wall = 1000 * measure(way, **variables).wall
            if number:  # in the first round code is stored, and Python compiles modules
                walls[name].append(wall)
    bare = median(walls[BARE])
    return {
        name: {"best": min(found), "median": median(found), "times": median(found) / bare}
        for name, found in walls.items()
    }


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
    columns = next(iter(rows.values()))
    print(f"{title:48}" + "".join(f"{column:>8}" for column in columns))
    for name, row in rows.items():
        print(f"  {name:46}" + "".join(f"{row[column]:8.1f}" for column in columns))
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    pin(None)
    total = whole(options.runs)
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
