"""Runs a program by several engines and compares output, exit status, messages and traces.

    python tests/fuzz/compare.py --seed 1 --count 1000        1000 programs; stops at a difference
    python tests/fuzz/compare.py --seed 1 --count 100 --loops  programs of loops, with traces
    python tests/fuzz/compare.py --seed 4711 --show           the program of a seed
    python tests/fuzz/compare.py --collectors                 each collector, under stress and verified
    python tests/fuzz/compare.py --heaps                      the same with programs that only work on the heap
    python tests/fuzz/compare.py --strips                     engines again, loops over arrays
    python tests/fuzz/compare.py --columns                    the same, loops down columns

A program that differs is reduced: lines are taken away as long as the engines still disagree about it.
One for which the first engine takes too long is left out; one that ends there alone is a difference.
So is one that needs more memory than a small heap has, if a collector that moves nothing says so too.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from doralang.cli.main import run_command
from doralang.optimizing import columns, strips

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.columns import ColumnGenerator
from fuzz.generator import Generator
from fuzz.heaps import HeapGenerator
from fuzz.loops import LoopGenerator
from fuzz.strips import StripGenerator

QUICK = [("walk",), ("vm",), ("baseline",), ("baseline", "--gc-stress"), ("opt", "--no-llvm")]
"""those that need a tenth of a second a program at most"""
ENGINES = [
    *QUICK,
    ("opt",),
    ("opt", "--gc-stress"),
    ("tiered", "--hot-now", "--no-cache"),
]
"""engine and further options"""
SMALL_HEAP = ("baseline", "--young-size=32k", "--heap-size=16m", "--gc-verify")
"""many collections of all kinds"""
SAME_HEAP = ("baseline", "--gc=sweep", "--heap-size=16m", "--gc-verify")
"""as large, with no need of room to copy to: what does not fit here fits nowhere"""
COLLECTORS = (
    ("baseline", "--gc=zero"),
    *(("baseline", f"--gc={name}", "--gc-stress", "--gc-verify") for name in ("swiper", "copy", "sweep")),
    ("baseline", "--gc-stress-minor", "--gc-verify"),
    SMALL_HEAP,
    *(("opt", f"--gc={name}", "--gc-stress", "--gc-verify") for name in ("swiper", "copy", "sweep")),
    ("opt", "--no-llvm", "--gc-stress", "--gc-verify"),
    ("tiered", "--hot-now", "--gc-stress", "--gc-verify"),
)
"""the same for a comparison of collectors"""

HEAPS = (
    ("baseline", "--gc=zero"),
    ("walk",),
    ("baseline", "--gc-stress-minor", "--gc-verify"),
    SMALL_HEAP,
    *(("baseline", f"--gc={name}", "--gc-stress", "--gc-verify") for name in ("swiper", "copy", "sweep")),
    ("opt", "--no-llvm", "--gc-stress-minor", "--gc-verify"),
)
"""for programs that only work on the heap"""

REPLACING = (
    ("walk",),
    ("tiered", "--hot=3", "--hot-now", "--no-cache", "--no-llvm"),
    ("tiered", "--hot=2", "--hot-now", "--no-cache", "--no-llvm", "--gc-stress", "--gc-verify"),
)
"""loops are left for optimized code, in the third round and in the second one"""
TRACING = (*REPLACING, ("vm",), ("trace", "--hot=3", "--hot-now"), ("opt",))
"""for programs of loops"""
STRIPS = (
    ("walk",),
    ("vm",),
    ("opt", "--no-llvm"),
    ("opt",),
    ("opt", "--gc-stress"),
    ("tiered", "--hot-now", "--no-cache"),
)
"""for programs of loops over arrays"""

Engines = Sequence[tuple[str, ...]]

LENGTHS_OF_STRIPS = ((strips.ROUNDS, strips.FEWEST), (4, 2))
"""rounds of a strip, and for how many it is worth while: for even seeds and for odd ones"""
FEWEST_COLUMNS = (columns.FEWEST, 2)
"""for how many columns it is worth while to look at all rows, likewise"""

PATIENCE = 20
"""seconds that a program may take: few take that long, but a reduced one without the line that counts the
rounds of a loop never ends"""

STOPPED = 130
"""the status of what took so long that it was interrupted"""

OVERFLOW = 108
"""the depth at which the stack overflows is nobody's business"""

OUT_OF_MEMORY = 107


def set_strips(seed: int) -> None:
    """Short arrays have many strips with odd seeds."""
    strips.ROUNDS, strips.FEWEST = LENGTHS_OF_STRIPS[seed % 2]  # type: ignore[misc]
    columns.FEWEST = FEWEST_COLUMNS[seed % 2]  # type: ignore[misc]


class Outcome(NamedTuple):
    status: int
    stdout: bytes
    stderr: bytes


def run(path: str, engine: str, *options: str, seconds: float = 10 * PATIENCE) -> Outcome:
    """What a program does.  After so many seconds it is interrupted as by Ctrl-C."""
    stdout, stderr = io.BytesIO(), io.BytesIO()
    arguments = ["run", f"--engine={engine}", *options, "--error-format=short", path]
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        status = run_command(arguments, io.BytesIO(), stdout, stderr)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if status == OVERFLOW:
        return Outcome(status, b"", b"")
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


def outcomes(text: str, folder: str, engines: Engines) -> list[Outcome]:
    """What all engines say of a program; of one that takes too long, what the first one says."""
    path = Path(folder, "program.dora")
    path.write_text(text)
    first = run(str(path), *engines[0], seconds=PATIENCE)
    if first.status == STOPPED:
        return [first]
    return [first, *(run_after(first, str(path), engine) for engine in engines[1:])]


def run_after(first: Outcome, path: str, engine: tuple[str, ...]) -> Outcome:
    """What an engine says of a program; in place of running out of a small heap what the first one said, if the
    program needs that much."""
    outcome = run(path, *engine)
    if engine == SMALL_HEAP and outcome.status == OUT_OF_MEMORY:
        return first if run(path, *SAME_HEAP).status == OUT_OF_MEMORY else outcome
    return outcome


def differ(text: str, folder: str, engines: Engines = ENGINES) -> bool:
    first, *others = outcomes(text, folder, engines)
    if not others:
        print("left out, as it takes too long", file=sys.stderr)
    return any(other != first for other in others)


def still_differ(text: str, folder: str, engines: Engines) -> bool:
    """The same of a program that may not end, which counts as agreement: in a process of its own."""

    def ask() -> None:
        sys.exit(differ(text, folder, engines))

    process = multiprocessing.get_context("fork").Process(target=ask)
    process.start()
    process.join(PATIENCE)
    process.kill()
    process.join()
    return process.exitcode == 1


def is_program(text: str, folder: str) -> bool:
    """Whether the checker accepts it."""
    path = Path(folder, "program.dora")
    path.write_text(text)
    return run_command(["check", str(path)], io.BytesIO(), io.BytesIO(), io.BytesIO()) == 0


def reduce(text: str, folder: str, engines: Engines) -> str:
    """A smaller program about which the engines disagree: runs of lines are left out, long ones first."""
    lines = text.splitlines()
    length = max(len(lines) // 2, 1)
    while length:
        start = 0
        while start < len(lines):
            shorter = "\n".join(lines[:start] + lines[start + length :]) + "\n"
            if is_program(shorter, folder) and still_differ(shorter, folder, engines):
                lines = shorter.splitlines()
            else:
                start += 1
        length //= 2
    return "\n".join(lines) + "\n"


def report(seed: int, text: str, folder: str, engines: Engines) -> str:
    parts = [f"seed {seed}: the engines disagree about\n\n{text}"]
    for engine, outcome in zip(engines, outcomes(text, folder, engines), strict=False):
        output = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
        parts.append(f"--- {' '.join(engine)}: exit {outcome.status}\n{output}")
    return "\n".join(parts)


def find_difference(
    first: int, count: int, make: type[Any] = Generator, engines: Engines = ENGINES
) -> str | None:
    """A report about the first seed about whose program the engines disagree."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            for seed in range(first, first + count):
                set_strips(seed)
                text = make(seed).program()
                assert is_program(text, folder), f"seed {seed} is no program:\n{text}"
                if differ(text, folder, engines):
                    return report(seed, reduce(text, folder, engines), folder, engines)
        finally:
            set_strips(0)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--loops", action="store_true", help="programs of loops, which become traces")
    parser.add_argument("--show", action="store_true", help="print the program of the seed")
    parser.add_argument("--collectors", action="store_true", help="compare collectors, verified, not engines")
    parser.add_argument("--heaps", action="store_true", help="the same with programs that only allocate")
    parser.add_argument("--strips", action="store_true", help="the same with loops over arrays")
    parser.add_argument("--columns", action="store_true", help="the same with loops down columns")
    parser.add_argument("--languages", default="", help="engines `c` and `go` as well: c,go")
    options = parser.parse_args()
    ENGINES.extend((name,) for name in options.languages.split(",") if name)
    make, engines = (LoopGenerator, TRACING) if options.loops else (Generator, ENGINES)
    if options.heaps:
        make, engines = HeapGenerator, HEAPS
    if options.strips:
        make, engines = StripGenerator, STRIPS
    if options.columns:
        make, engines = ColumnGenerator, STRIPS
    if options.collectors:
        engines = COLLECTORS
    if options.show:
        print(make(options.seed).program(), end="")
        return 0
    difference = find_difference(options.seed, options.count, make, engines)
    print(difference or f"{options.count} programs from seed {options.seed} on: all engines agree")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
