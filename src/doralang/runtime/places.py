"""Where running code comes from: the GC point of a return address, for stack traces and hot functions.

Of all code that is placed only the start is kept in order.  Its points are looked up when a frame is, which
is seldom, so code can be placed whose points nobody has read yet (`native.image`).
"""

from __future__ import annotations

from _bisect import bisect_left, insort_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from doralang.code.objects import GCPoint

    class Pointed(Protocol):
        """Code as this table sees it."""

        @property
        def points(self) -> Sequence[GCPoint]: ...

        @property
        def has_inlined(self) -> bool:
            """Whether a frame of it may be that of several functions."""


class PlaceTable:
    """The code in an arena, by address."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.codes: dict[int, Pointed] = {}
        self.points: dict[int, dict[int, GCPoint]] = {}
        """by start of the code and offset in it, once somebody has looked"""

    def add(self, start: int, code: Pointed) -> None:
        insort_right(self.starts, start)
        self.codes[start] = code

    def remove(self, start: int) -> None:
        del self.starts[bisect_left(self.starts, start)], self.codes[start]
        self.points.pop(start, None)

    def get(self, address: int) -> GCPoint | None:
        """The point of a return address; None if that is in no function."""
        index = bisect_left(self.starts, address) - 1  # where it returns to may be behind all of the code
        if index < 0:
            return None
        start = self.starts[index]
        points = self.points.get(start)
        if points is None:
            points = self.points[start] = {point.offset: point for point in self.codes[start].points}
        return points.get(address - start)

    def __getitem__(self, address: int) -> GCPoint:
        point = self.get(address)
        assert point is not None, f"{address:#x} is in no function"
        return point

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def has_inlined(self) -> bool:
        """Whether a frame may be that of several functions."""
        return any(code.has_inlined for code in self.codes.values())
