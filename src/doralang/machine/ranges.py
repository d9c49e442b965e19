"""Parts of a stretch of addresses, given out and taken back.

    Ranges          one stretch, used by one at a time
    SharedRanges    one stretch, used by all threads, and by whatever interrupts them in here

Python runs handlers of signals and finalizers between two instructions of any thread, so they may want a
part while their own thread is in the midst of giving one out.  They cannot wait for it, and what it works on
is not in order.  So a `SharedRanges` is several `Ranges`: who comes first works on the large one, who
interrupts that on the next one.  What is given back to one that somebody works on waits until that is done.
"""

from __future__ import annotations

from _bisect import bisect_left

from doralang.locks import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

INTERRUPTIONS: Final = 3
"""how many may interrupt each other; the next one finds no room"""
SHARE: Final = 16
"""what interrupts gets so small a part of all, and what interrupts that so small a part of it again"""
DIVISION: Final = 4096
"""the parts begin at multiples of it"""


class ArenaFull(MemoryError):
    """No room is left among the reserved addresses."""


class Ranges:
    """Hands out parts of one stretch of addresses, lowest first, and takes them back exactly.

    `free` holds the starts of free parts in order, `sizes` how long each is; neighbours are merged.  Where
    both change nothing is called, so no exception of a handler comes in between.
    """

    __slots__ = ("free", "granule", "limit", "sizes", "start", "used")

    def __init__(self, start: int, size: int, granule: int) -> None:
        self.start = start
        self.limit = start + size
        self.granule = granule
        self.free = [start]
        self.sizes = [size]
        self.used = 0

    def rounded(self, size: int) -> int:
        """What a request of `size` bytes takes."""
        return (size or 1) + self.granule - 1 & -self.granule

    def allocate(self, size: int) -> int:
        """The address of `size` bytes.  Raises ArenaFull."""
        size = (size or 1) + self.granule - 1 & -self.granule
        free, sizes = self.free, self.sizes
        index = 0 if sizes and sizes[0] >= size else self._first_fit(size)
        address, available = free[index], sizes[index]
        if available == size:
            del free[index], sizes[index]
        else:
            free[index] = address + size
            sizes[index] = available - size
        self.used += size
        return address

    def _first_fit(self, size: int) -> int:
        """The index of the first part that is large enough."""
        for index, available in enumerate(self.sizes):
            if available >= size:
                return index
        raise ArenaFull(f"no room for {size} bytes")

    def release(self, address: int, size: int) -> None:
        """Take back what `allocate` gave out for this size."""
        size = self.rounded(size)
        index = bisect_left(self.free, address)
        inside = self.start <= address and address + size <= self.limit
        before = index == 0 or self.free[index - 1] + self.sizes[index - 1] <= address
        after = index == len(self.free) or address + size <= self.free[index]
        assert inside and before and after, f"{address:#x} is free already or was never given out"
        self.free[index:index] = (address,)
        self.sizes[index:index] = (size,)
        self.used -= size
        self._merge(index)
        if index:
            self._merge(index - 1)

    def _merge(self, index: int) -> None:
        """Make one of two free parts that touch."""
        if index + 1 < len(self.free) and self.free[index] + self.sizes[index] == self.free[index + 1]:
            self.sizes[index] += self.sizes[index + 1]
            del self.free[index + 1], self.sizes[index + 1]


class SharedRanges:
    """The same for all threads, and for handlers and finalizers that interrupt them.

    `depth` says how many of the parts somebody works on: those before it.
    """

    __slots__ = ("depth", "granule", "limit", "lock", "parts", "returned", "start")

    def __init__(self, start: int, size: int, granule: int) -> None:
        self.start = start
        self.limit = start + size
        self.granule = granule
        self.parts = divided(start, size, granule)
        self.lock = Lock()
        self.depth = 0
        self.returned: list[tuple[int, int]] = []
        """addresses and sizes that were given back to a part somebody was working on"""

    @property
    def used(self) -> int:
        """Bytes that are given out."""
        return sum([part.used for part in self.parts]) - sum([size for _, size in self.returned])

    def rounded(self, size: int) -> int:
        """What a request of `size` bytes takes."""
        return self.parts[0].rounded(size)

    def allocate(self, size: int) -> int:
        """The address of `size` bytes, of the first part that nobody works on and that has room.

        Raises ArenaFull.
        """
        with self.lock:
            depth = self.depth
            try:
                for part in self.parts[depth:]:
                    self.depth += 1
                    try:
                        return part.allocate(size)
                    except ArenaFull:
                        continue
                raise ArenaFull(f"no room for {size} bytes")
            finally:
                self.depth = depth
                if self.returned and not depth:
                    self._take_returned()

    def release(self, address: int, size: int) -> None:
        """Take back what `allocate` gave out for this size; later, if somebody works on that part."""
        with self.lock:
            if not self._release(address, size):
                self.returned.append((address, self.rounded(size)))
            if self.returned and not self.depth:
                self._take_returned()

    def _release(self, address: int, size: int) -> bool:
        """Whether nobody works on the part that an address is of; then it is taken back."""
        depth = self.depth
        number = 0
        while number + 1 < len(self.parts) and address >= self.parts[number].limit:
            number += 1
        if number < depth:
            return False
        self.depth = number + 1
        try:
            self.parts[number].release(address, size)
        finally:
            self.depth = depth
        return True

    def _take_returned(self) -> None:
        """Nobody works on anything."""
        while self.returned:
            self._release(*self.returned.pop())


def divided(start: int, size: int, granule: int) -> tuple[Ranges, ...]:
    """A large part, one for what interrupts, one for what interrupts that, and so on."""
    sizes = [size]
    for _ in range(INTERRUPTIONS):
        smaller = sizes[-1] // SHARE & -DIVISION
        sizes[-1] -= smaller
        sizes.append(smaller)
    parts = []
    for part in sizes:
        parts.append(Ranges(start, part, granule))
        start += part
    return tuple(parts)
