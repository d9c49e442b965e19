"""The collectors: rows that name what compiled code and the runtime need of each."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Spaces:
    """How the memory of objects is divided (`runtime.spaces`): the names of the ways."""

    ONE: Final = "one"
    HALVES: Final = "halves"
    """one half is in use"""
    BLOCKS: Final = "blocks"
    """blocks of cells, where objects do not move"""
    GENERATIONS: Final = "generations"
    """eden, two spaces for survivors, and blocks"""


class Collector:
    """A collector.  Its functions stand in a file of the library.

    `allocate(size)` finds room when the allocation buffer is full, and returns 0 if there is none;
    `collect()` is `forceCollect`.
    """

    __slots__ = ("allocate", "collect", "marks_cards", "name", "spaces", "traces")

    def __init__(
        self,
        name: str,
        allocate: str,
        collect: str,
        spaces: str,
        *,
        traces: bool = True,
        marks_cards: bool = False,
    ) -> None:
        self.name = name
        self.allocate = allocate
        self.collect = collect
        self.spaces = spaces
        self.traces = traces
        """whether it looks for references in frames"""
        self.marks_cards = marks_cards
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
