"""The programs and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """`size` takes C about 0.3 to 2 seconds, `quick` a small part of that, `tiny` no time at all."""

    program: str
    size: int
    quick: int
    tiny: int

    def label(self, *, quick: bool) -> str:
        return f"{self.program} {self.argument(quick=quick)}"

    def argument(self, *, quick: bool) -> int:
        return self.quick if quick else self.size


CASES: Final = [
    Case("fannkuch", 10, 8, 5),
    Case("fannkuch", 11, 9, 6),
    Case("nbody", 5_000_000, 100_000, 10),
    Case("spectralnorm", 4000, 200, 10),
    Case("mandelbrot", 4000, 200, 10),
    Case("richards", 20_000_000, 100_000, 100),
    Case("binarytrees", 17, 11, 6),
    Case("matmul", 700, 120, 5),
    Case("sieve", 400, 20, 1),
    Case("fib", 42, 28, 10),
]

HELLO: Final = "hello"


def chosen(names: list[str]) -> list[Case]:
    """The cases of these programs; all if there are no names.  Raises ValueError."""
    unknown = set(names) - {case.program for case in CASES}
    if unknown:
        raise ValueError(f"no such program: {', '.join(sorted(unknown))}")
    return [case for case in CASES if not names or case.program in names]
