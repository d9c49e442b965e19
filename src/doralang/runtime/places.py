"""Where running code comes from: the GC point of a return address, for stack traces and hot functions.

Of all code that is placed only the start is kept in order.  Its points are looked up when a frame is, which
is seldom, so code can be placed whose points nobody has read yet (`native.image`).
"""

from __future__ import annotations

from _bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from doralang.code.objects import GCPoint

    class Pointed(Protocol):
        """Code as this table sees it."""

        @property
        def points(self) -> Sequence[GCPoint]: ...


class PlaceTable:
    """The code in an arena, by address.

    Who places and frees code has the lock of the code space; who looks has not.  So a list of starts only
    grows at its end, and otherwise another one takes its place.
    """

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.codes: dict[int, Pointed] = {}
        self.points: dict[int, dict[int, GCPoint]] = {}
        """by start of the code and offset in it, once somebody has looked"""

    def add(self, start: int, code: Pointed) -> None:
        starts = self.starts
        self.codes[start] = code
        if not starts or start > starts[-1]:
            starts.append(start)
            return
        at = bisect_left(starts, start)
        self.starts = [*starts[:at], start, *starts[at:]]

    def remove(self, start: int) -> None:
        starts = self.starts
        at = bisect_left(starts, start)
        self.starts = [*starts[:at], *starts[at + 1 :]]
        del self.codes[start]
        self.points.pop(start, None)

    def get(self, address: int) -> GCPoint | None:
        """The point of a return address; None if that is in no function."""
        starts = self.starts
        index = bisect_left(starts, address) - 1  # where it returns to may be behind all of the code
        start = starts[index] if index >= 0 else 0
        code, points = self.codes.get(start), self.points.get(start)
        if code is None:
            return None
        if points is None:
            points = self.points[start] = {point.offset: point for point in code.points}
        return points.get(address - start)

    def __getitem__(self, address: int) -> GCPoint:
        point = self.get(address)
        assert point is not None, f"{address:#x} is in no function"
        return point

    def __len__(self) -> int:
        return len(self.starts)
