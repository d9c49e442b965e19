"""The collectors: rows that name what compiled code and the runtime need of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector.  Its functions stand in a file of the library.

    `allocate(size)` finds room when the allocation buffer is full, and returns 0 if there is none;
    `collect()` is `forceCollect`.  The heap is divided into `parts`, one of which is in use.  `moves`
    tells whether it looks for references in frames.
    """

    name: str
    file: str
    allocate: str
    collect: str
    parts: int
    moves: bool


COLLECTORS: Final = {
    row.name: row
    for row in (
        Collector("zero", "collector_zero.dora", "allocateNothing", "collectNothing", 1, False),
        Collector("copy", "collector_copy.dora", "allocateByCopying", "collectByCopying", 2, True),
    )
}

DEFAULT: Final = "copy"
"""until there is a generational one"""
