"""The heap of an instance: its memory, the block of numbers that collectors work with, and the GC points.

GC points that name slots stand in a hash table in native memory, which the collectors' `findPoint` reads:

    entry      return address | address of the slots, or 0 | 0
    slots      how many | distances from the frame pointer
"""

from __future__ import annotations

from struct import pack
from typing import Final

from dora.machine.memory import map_memory, unmap
from dora.runtime import layout
from dora.runtime.collectors import Collector
from dora.runtime.memory import Region, Words, store_bytes, store_word

LEAST: Final = 32 << 20
"""bytes that are allocated at least between two collections"""
FIRST_POINTS: Final = 1 << 12
"""entries of the first table; always a power of two"""
ENTRY: Final = 16
SLOTS_SIZE: Final = 1 << 30
GLOBALS_SIZE: Final = 1 << 23
HASH: Final = 0x9E37_79B9_7F4A_7C15
MASK: Final = (1 << 64) - 1


class Heap:
    """The memory of objects, divided as the collector wants it."""

    def __init__(self, collector: Collector, size: int, thread: Words, *, stress: bool = False) -> None:
        self.collector = collector
        self.thread = thread
        self.block = Words(map_memory(layout.HEAP_SIZE), layout.HEAP_SIZE)
        part = size // collector.parts // layout.WORD * layout.WORD
        self.memory = Region(max(part * collector.parts, layout.WORD))
        self.slots = Region(SLOTS_SIZE)
        self.globals = Region(GLOBALS_SIZE)
        self.points: dict[int, int] = {}
        self.tables: list[tuple[int, int]] = []
        """address and size of all tables of points so far"""
        self.records: dict[tuple[int, ...], int] = {}
        block = self.block
        block[layout.HEAP_FROM] = start = self.memory.start
        block[layout.HEAP_FROM_END] = start + part
        block[layout.HEAP_TO] = start + part * (collector.parts - 1)
        block[layout.HEAP_TO_END] = start + part * collector.parts
        block[layout.HEAP_LEAST] = LEAST
        block[layout.HEAP_STRESS] = stress
        block[layout.HEAP_GLOBALS] = self.globals.start
        thread[layout.THREAD_HEAP] = block.address
        thread[layout.THREAD_TOP] = start
        end = min(part, LEAST) if collector.moves else part
        thread[layout.THREAD_END] = start if stress and collector.moves else start + end
        self.new_table(FIRST_POINTS)

    def allocate(self, size: int) -> int | None:
        """Room for Python, which may go beyond the allocation buffer; None if there is none."""
        thread = self.thread
        top = thread[layout.THREAD_TOP]
        size = layout.align(size)
        if size > self.block[layout.HEAP_FROM_END] - top:
            return None
        thread[layout.THREAD_TOP] = top + size
        return top

    def add_global(self, address: int) -> None:
        """A global that holds a reference is a root."""
        store_word(self.globals.allocate(layout.WORD), address)
        self.block[layout.HEAP_GLOBAL_COUNT] += 1

    # GC points.

    def add_point(self, address: int, slots: tuple[int, ...]) -> None:
        """Make known which slots hold references during the call that returns to `address`."""
        if not self.collector.moves:
            return
        if len(self.points) * 2 >= self.capacity:
            self.new_table(self.capacity * 2)
        record = self.points[address] = self.records.get(slots) or self.new_record(slots)
        self.enter(address, record)

    def new_record(self, slots: tuple[int, ...]) -> int:
        """A list of slots in native memory, for all GC points with these."""
        data = pack(f"<{len(slots) + 1}q", len(slots), *slots)
        record = self.records[slots] = self.slots.allocate(len(data))
        store_bytes(record, data)
        return record

    def new_table(self, capacity: int) -> None:
        """A larger table.  The old one stays: a collector may be looking at it."""
        self.capacity = capacity
        self.table = Words(map_memory(capacity * ENTRY), capacity * ENTRY)
        self.tables.append((self.table.address, capacity * ENTRY))
        for address, record in self.points.items():
            self.enter(address, record)
        self.block[layout.HEAP_POINTS_MASK] = capacity - 1
        self.block[layout.HEAP_POINTS] = self.table.address

    def enter(self, address: int, record: int) -> None:
        """Put a GC point into the table, whose entries are two words each."""
        words, mask = self.table.words, self.capacity - 1
        index = (address * HASH & MASK) >> 32 & mask
        while words[2 * index]:
            index = index + 1 & mask
        words[2 * index + 1] = record
        words[2 * index] = address

    def free(self) -> None:
        unmap(self.block.address, layout.HEAP_SIZE)
        for address, size in self.tables:
            unmap(address, size)
        for region in (self.memory, self.slots, self.globals):
            region.free()
