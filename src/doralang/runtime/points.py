"""GC points of placed code, where collectors find them: a table beside the code.

For every two bytes of code the table has a word of four bytes: 0, or for a return address with live
references the place of the record that lists their slots.  So nothing is searched, code can be placed and
freed while collectors of other threads look, and pages of the table are there only where there is code.

    table      ... 0 | record | 0 ...            by (return address - start of the code) / 2
    record     how many | distances from the frame pointer

Records are shared by all points with the same slots, and freed with the last of them.
"""

from __future__ import annotations

from doralang.code import layout
from doralang.runtime.memory import MASK, Region, store_bytes, store_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.machine.memory import CodeArena

ENTRY: Final = 4
PAGE: Final = 4096


class PointTable:
    """The GC points of all code in an arena."""

    def __init__(self, arena: CodeArena) -> None:
        self.arena = arena
        self.start = arena.code.start
        size = arena.code.limit - self.start
        self.region = Region(size // layout.POINT_GRANULE * ENTRY)
        self.records: dict[tuple[int, ...], list[int]] = {}
        """address and number of users, by slots"""

    def entry(self, address: int) -> int:
        return self.region.start + (address - self.start) // layout.POINT_GRANULE * ENTRY

    def add(self, address: int, slots: tuple[int, ...]) -> None:
        """Make known which slots hold references during the call that returns to `address`."""
        record = self.records.get(slots)
        if record is None:
            data = b"".join([(word & MASK).to_bytes(layout.WORD, "little") for word in (len(slots), *slots)])
            made = [self.arena.new_data(len(data)), 0]
            store_bytes(made[0], data)
            record = self.records.setdefault(slots, made)
            if record is not made:
                self.arena.free_data(made[0], len(data))
        record[1] += 1
        store_int(self.entry(address), record[0] - self.arena.address >> 3)

    def remove(self, address: int, slots: tuple[int, ...]) -> None:
        """The code of this point is freed."""
        store_int(self.entry(address), 0)
        record = self.records[slots]
        record[1] -= 1
        if not record[1]:
            del self.records[slots]
            self.arena.free_data(record[0], layout.WORD * (len(slots) + 1))
