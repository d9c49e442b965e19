"""The library against that of others: maps, sorting, chains of iterators.

    python bench/library.py [maps sorting chains] [--size N] [--runs N]

Each program prints what its parts took, in nanoseconds a key or element, and a sum that must be the same
everywhere.  Shown are medians of several runs, which take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from peers import CACHE, build_once, find, peers

HERE: Final = Path(__file__).resolve().parent / "library"
SIZES: Final = {"maps": 1_000_000, "sorting": 1_000_000, "chains": 200_000_000}
TINY: Final = 2000

BY_HAND: Final = "-by-hand"
BY_CHAIN: Final = "-by-chain"

Figures = dict[str, float]


def commands(name: str) -> dict[str, list[str]]:
    """What runs a program, by language; the argument is still missing."""
    found: dict[str, list[str]] = {}
    for label, peer in peers([]).items():
        source, folder = HERE / f"{name}.{peer.suffix}", CACHE / name / peer.suffix
        if source.exists():
            if peer.build is not None:
                build_once(peer.build(source, folder), source, folder)
            found[label] = peer.start(source, folder)
    source, binary = HERE / f"{name}.cpp", CACHE / name / "cpp" / name
    compiler = find("g++")
    if source.exists() and compiler is not None:
        build_once([compiler, "-O3", "-march=native", "-o", str(binary), str(source)], source, binary.parent)
        found["C++"] = [str(binary)]
    return found


def run(command: Sequence[str], size: int) -> tuple[Figures, str]:
    """The figures that a program prints, and its sum."""
    done = subprocess.run([*command, str(size)], capture_output=True, text=True, check=True)
    *lines, last = done.stdout.splitlines()
    return {what: float(value) for what, value in map(str.split, lines)}, last


class SumsDiffer(Exception):
    """A program computes something else than the others."""


def measure(name: str, size: int, runs: int) -> dict[str, Figures]:
    """Medians, by language and part.  Raises SumsDiffer."""
    everyone = commands(name)
    figures: dict[str, list[Figures]] = {label: [] for label in everyone}
    sums: dict[str, str] = {}
    for _ in range(runs):
        for label, command in everyone.items():
            found, sums[label] = run(command, size)
            figures[label].append(found)
    if len(set(sums.values())) != 1:
        raise SumsDiffer(f"{name}: {sums}")
    return {
        label: {part: median(one[part] for one in each) for part in each[0]}
        for label, each in figures.items()
    }


def table(name: str, size: int, figures: dict[str, Figures]) -> str:
    parts = list(next(iter(figures.values())))
    shown = paired(parts, figures) if parts[0].endswith(BY_HAND) else plain(parts, figures)
    return "\n".join([f"{name}, {size:,}: nanoseconds each", *shown]) + "\n"


def plain(parts: list[str], figures: dict[str, Figures]) -> list[str]:
    """A line for each language."""
    return [
        f"{'':10}" + "".join(f"{part:>13}" for part in parts),
        *(
            f"{label:10}" + "".join(f"{found[part]:13.2f}" for part in parts)
            for label, found in figures.items()
        ),
    ]


def paired(parts: list[str], figures: dict[str, Figures]) -> list[str]:
    """A line for each loop by hand and its chain: both, and how many times the first the second takes."""
    lines = [f"{'':10}" + "".join(f"{label:>14} by hand, by chain" for label in figures)]
    for name in (part.removesuffix(BY_HAND) for part in parts if part.endswith(BY_HAND)):
        pairs = [(found[name + BY_HAND], found[name + BY_CHAIN]) for found in figures.values()]
        lines.append(
            f"{name:10}" + "".join(f"{hand:16.2f}{chain:8.2f}{chain / hand:7.2f}x" for hand, chain in pairs)
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SIZES)} (default: all)")
    parser.add_argument("--size", type=int, help="how many keys or elements")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    unknown = set(options.names) - SIZES.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}, only {', '.join(SIZES)}")
    for name in options.names or SIZES:
        size = options.size or SIZES[name]
        print(table(name, size, measure(name, size, options.runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
