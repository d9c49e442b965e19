"""The collectors: programs that allocate much, with each of them, as a table.

    python bench/collectors.py                  all programs
    python bench/collectors.py live --runs 5    one of them; of the longest pauses of the runs, the median

Times are CPU time, pauses that of the thread; memory is the most that the process ever had.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from measure import environment, pin, processor

HERE: Final = Path(__file__).resolve().parent
ASKED: Final = 5
"""collections that `collect.dora` asks for"""
COLLECTORS: Final = ("swiper", "copy", "sweep", "zero")
PAUSES: Final = re.compile(
    r"total pause: +([\d.]+).*longest pause: +([\d.]+).*median, 99 %: +([\d.]+) ms, ([\d.]+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program and its argument; `quick` takes no time."""

    path: Path
    size: int
    quick: int
    heap: int = 4


PROGRAMS: Final = {
    "binarytrees": Program(HERE / "programs/binarytrees/binarytrees.dora", 18, 10),
    "mixture": Program(HERE / "gc/mixture.dora", 18, 8),
    "list": Program(HERE / "gc/list.dora", 2_000_000, 10_000),
    "map": Program(HERE / "gc/map.dora", 50_000, 500),
    "arrays": Program(HERE / "gc/arrays.dora", 4000, 100),
    "live": Program(HERE / "gc/live.dora", 64, 1),
}


@dataclass(slots=True)
class Samples:
    """Seconds, milliseconds and megabytes of each run."""

    seconds: list[float] = field(default_factory=list)
    pauses: list[tuple[float, ...]] = field(default_factory=list)
    """total, longest, median, 99 %"""
    memory: list[float] = field(default_factory=list)


def run(program: Program, size: int, collector: str, samples: Samples) -> bytes | None:
    """One run and what it printed; None if its memory was not enough."""
    command = [sys.executable, "-m", "doralang", f"--gc={collector}", "--gc-stats"]
    command += [f"--heap-size={program.heap}g", str(program.path), str(size)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout is not None and process.stderr is not None
    output, errors = process.stdout.read(), process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    match = PAUSES.search(errors)
    if process.returncode or match is None:
        return None
    samples.seconds.append(usage.ru_utime + usage.ru_stime)
    samples.pauses.append(tuple(map(float, match.groups())))
    samples.memory.append(usage.ru_maxrss / 1024)
    return output


def row(label: str, samples: Samples) -> str:
    if not samples.seconds:
        return f"{label:24}  out of memory"
    total, longest, middle, most = (median(one) for one in zip(*samples.pauses, strict=True))
    pauses = f"{total / 1000:9.2f}{middle:10.3f}{most:10.3f}{longest:10.3f}"
    return f"{label:24}{median(samples.seconds):9.2f}{pauses}{median(samples.memory):9.0f}"


def table(names: list[str], collectors: list[str], runs: int, quick: bool) -> bool:
    """Print the table; whether all collectors printed the same."""
    agree = True
    print(f"{'':24}{'seconds':>9}{'paused':>9}{'median ms':>10}{'99 % ms':>10}{'longest':>10}{'MB':>9}")
    for name in names:
        program, outputs = PROGRAMS[name], set()
        size = program.quick if quick else program.size
        samples = {collector: Samples() for collector in collectors}
        for _ in range(runs):
            for collector in collectors:
                outputs.add(run(program, size, collector, samples[collector]))
        agree = agree and len(outputs - {None}) == 1
        for collector in collectors:
            print(row(f"{name} {size} {collector}", samples[collector]), flush=True)
    return agree


# Marking and copying against the same in C.


def against_c(size: int) -> None:
    """Print by how much C is faster, at the same algorithm on the same tree; nothing without gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder, "collect"))
        source = str(HERE / "gc" / "collect.c")
        subprocess.run([gcc, "-O2", "-fno-strict-aliasing", "-o", binary, source], check=True)
        theirs = subprocess.run([binary, str(size)], capture_output=True, check=True, text=True).stdout
    for name, collector, seconds in zip(
        ("marking", "copying"), ("sweep", "copy"), theirs.split(), strict=True
    ):
        ours = least_pause(collector, size)
        print(f"{name}: {ours:.1f} ms, in C {float(seconds):.1f}, factor {ours / float(seconds):.1f}")


def least_pause(collector: str, size: int) -> float:
    """Milliseconds of the shortest of the collections that the program asks for."""
    command = [sys.executable, "-m", "doralang", f"--gc={collector}", "--gc-events", "--heap-size=4g"]
    command += [str(HERE / "gc" / "collect.dora"), str(size)]
    run = subprocess.run(command, capture_output=True, check=True, text=True, env=environment())
    pauses = re.findall(r"GC full: collect garbage \(([\d.]+) ms\)", run.stderr)
    return min(map(float, pauses[-ASKED:]))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("programs", nargs="*", help=f"of {', '.join(PROGRAMS)} (default: all)")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--collectors", default=",".join(COLLECTORS), help="separated by commas")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all is well")
    parser.add_argument("--cpu", type=int, help="number of the CPU (default: the last)")
    options = parser.parse_args()
    names = options.programs or list(PROGRAMS)
    if set(names) - set(PROGRAMS):
        parser.error(f"no such program: {', '.join(sorted(set(names) - set(PROGRAMS)))}")
    print(f"{processor()}, CPU {pin(options.cpu)}, median of {options.runs} runs")
    if not table(names, options.collectors.split(","), options.runs, options.quick):
        print("the collectors disagree about what is printed")
        return 1
    if not options.programs:
        against_c(12 if options.quick else 20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
