"""The benchmark: every program in every language at hand, as a table of ratios to C.

    python bench/run.py fannkuch fib --runs 5 --json results.json

Builds first, then compares all outputs, then measures round robin, so that a busy minute of the machine
meets all languages alike.  Everything is pinned to one CPU, threads of collectors and compilers too:
CPU time is then what wall time would be on an idle machine, and the table is made of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import geometric_mean, median
from typing import Final

from cases import HELLO, Case, chosen
from measure import Run, measure, pin, processor
from peers import CACHE, Peer, peers

BASE: Final = "C"
NETS: Final = {"Dora": "net", "opt": "opt net", "opt-own": "own net"}
"""engines of Dora, and the column that is theirs without start-up"""
SLOW: Final = "CPython"
STARTS: Final = 20


@dataclass(slots=True)
class Samples:
    """The runs of one program in one language, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, run: Run) -> None:
        self.wall.append(run.wall)
        self.cpu.append(run.cpu)

    def seconds(self, by: str) -> float:
        return median(self.wall if by == "wall" else self.cpu)


Results = dict[str, dict[str, Samples]]


class OutputsDiffer(Exception):
    """Two languages do not print the same."""


def compare(label: str, outputs: dict[str, bytes]) -> None:
    """Raises OutputsDiffer."""
    reference = next(iter(outputs.values()))
    for name, output in outputs.items():
        if output != reference:
            raise OutputsDiffer(f"{label}: {name} prints {output[:200]!r}, not {reference[:200]!r}")


def measure_rounds(label: str, commands: dict[str, list[str]], rounds: int) -> dict[str, Samples]:
    """Each command in turn, `rounds` times; the first round's outputs are compared.  Raises OutputsDiffer."""
    samples = {name: Samples() for name in commands}
    for index in range(rounds):
        runs = {name: measure(command) for name, command in commands.items()}
        if index == 0:
            compare(label, {name: run.output for name, run in runs.items()})
        for name, run in runs.items():
            samples[name].add(run)
    return samples


def commands_of(program: str, everyone: Iterable[Peer], arguments: list[str]) -> dict[str, list[str]]:
    return {peer.name: [*peer.prepare(program), *arguments] for peer in everyone}


# The table.


def starts_table(starts: dict[str, Samples]) -> list[str]:
    rows = [f"start-up (hello world), milliseconds of wall time, {STARTS} runs"]
    rows.append("".join(f"{name:>12}" for name in ["", *starts]))
    for title, pick in (("best", min), ("median", median)):
        rows.append(f"{title:>12}" + "".join(f"{1000 * pick(each.wall):12.1f}" for each in starts.values()))
    return rows


def ratios(row: dict[str, Samples], starts: dict[str, Samples], by: str) -> dict[str, float]:
    """Seconds over those of C.  *net* is an engine of Dora without its start-up, and C without its own."""
    base = row[BASE].seconds(by)
    found = {name: samples.seconds(by) / base for name, samples in row.items() if name != BASE}
    for name in NETS.keys() & row.keys():
        net = row[name].seconds(by) - starts[name].seconds(by)
        found[NETS[name]] = net / max(base - starts[BASE].seconds(by), 1e-3)
    return found


def ratio_rows(results: Results, starts: dict[str, Samples], by: str) -> list[str]:
    table = {label: ratios(row, starts, by) for label, row in results.items()}
    names = [one for name in starts if name != BASE for one in (name, NETS.get(name)) if one]
    heading = [f"{'program':22}{'C (s)':>8}" + "".join(f"{name:>9}" for name in names)]
    rows = [
        f"{label:22}{results[label][BASE].seconds(by):8.3f}" + "".join(f"{row[name]:9.2f}" for name in names)
        for label, row in table.items()
    ]
    means = [geometric_mean(max(row[name], 1e-3) for row in table.values()) for name in names]
    return heading + rows + [f"{'geometric mean':30}" + "".join(f"{mean:9.2f}" for mean in means)]


def as_json(results: Results, starts: dict[str, Samples], facts: dict[str, object]) -> dict[str, object]:
    return {
        "facts": facts,
        "start-up": {name: asdict(samples) for name, samples in starts.items()},
        "programs": {
            label: {name: asdict(samples) for name, samples in row.items()} for label, row in results.items()
        },
    }


# The command.


def parse() -> tuple[argparse.Namespace, list[Case]]:
    """The options, and the cases that they ask for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("programs", nargs="*", help="which ones (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="rounds of each program (default 3)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all is well")
    parser.add_argument("--peers", help=f"languages, separated by commas (default: all but {SLOW})")
    parser.add_argument(
        "--by", choices=("cpu", "wall"), default="cpu", help="which time the table is made of"
    )
    parser.add_argument("--cpu", type=int, help="number of the CPU (default: the last)")
    parser.add_argument("--dora", default="", metavar="OPTIONS", help="options for dora, such as --gc=zero")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples")
    options = parser.parse_args()
    try:
        return options, chosen(options.programs)
    except ValueError as error:
        parser.error(str(error))


def choose_peers(names: str | None, options: str) -> list[Peer]:
    """The peers asked for, and always C, to which the others are compared."""
    everyone = peers(options.split())
    if not names:
        return [peer for name, peer in everyone.items() if name != SLOW]
    by_name = {name.lower(): peer for name, peer in everyone.items()}
    wanted = [name.strip().lower() for name in names.split(",")]
    for name in wanted:
        if name not in by_name:
            raise SystemExit(f"run.py: `{name}` is not here; there are {', '.join(everyone)}")
    return [by_name[name] for name in dict.fromkeys([BASE.lower(), *wanted])]


def facts_of(everyone: list[Peer], cpu: int) -> dict[str, object]:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": f"{processor()} ({os.cpu_count()} CPUs), pinned to CPU {cpu}",
        "system": platform.platform(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        **{peer.name: peer.version_line() for peer in everyone},
    }


def announce(label: str) -> None:
    print(f"{label} ...", file=sys.stderr, flush=True)


def measure_all(
    cases: list[Case], everyone: list[Peer], options: argparse.Namespace
) -> tuple[Results, dict[str, Samples]]:
    prepared = {
        case.label(quick=options.quick): commands_of(
            case.program, everyone, [str(case.argument(quick=options.quick))]
        )
        for case in cases
    }
    hello = commands_of(HELLO, everyone, [])
    announce("start-up")
    starts = measure_rounds(HELLO, hello, STARTS)
    results = {}
    for label, commands in prepared.items():
        announce(label)
        results[label] = measure_rounds(label, commands, options.runs)
    return results, starts


def main() -> int:
    options, cases = parse()
    everyone = choose_peers(options.peers, options.dora)
    CACHE.mkdir(exist_ok=True)
    facts = facts_of(everyone, pin(options.cpu))
    results, starts = measure_all(cases, everyone, options)
    for name, value in facts.items():
        print(f"{name + ':':12}{value}")
    print(f"\n{options.by} time; C in seconds, all others as multiples of it; medians of {options.runs} runs")
    print("net: Dora, with its engine, without its start-up\n")
    for line in [*ratio_rows(results, starts, options.by), "", *starts_table(starts)]:
        print(line)
    if options.json:
        options.json.write_text(json.dumps(as_json(results, starts, facts), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
