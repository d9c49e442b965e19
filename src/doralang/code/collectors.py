"""The collectors: rows that name what compiled code and the runtime need of each."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Spaces(Enum):
    """How the memory of objects is divided (`runtime.spaces`)."""

    ONE = 1
    HALVES = 2
    """one half is in use"""
    BLOCKS = 3
    """blocks of cells, where objects do not move"""
    GENERATIONS = 4
    """eden, two spaces for survivors, and blocks"""


class Collector(NamedTuple):
    """A collector.  Its functions stand in a file of the library.

    `allocate(size)` finds room when the allocation buffer is full, and returns 0 if there is none;
    `collect()` is `forceCollect`.
    """

    name: str
    allocate: str
    collect: str
    spaces: Spaces
    traces: bool = True
    """whether it looks for references in frames"""
    marks_cards: bool = False
    """whether compiled code marks the card of what it stores a reference into"""


COLLECTORS: Final = {
    row.name: row
    for row in (
        Collector(
            "swiper", "allocateGenerational", "collectGenerations", Spaces.GENERATIONS, marks_cards=True
        ),
        Collector("copy", "allocateByCopying", "collectByCopying", Spaces.HALVES),
        Collector("sweep", "allocateSwept", "collectBySweeping", Spaces.BLOCKS),
        Collector("zero", "allocateNothing", "collectNothing", Spaces.ONE, traces=False),
    )
}

DEFAULT: Final = "swiper"
