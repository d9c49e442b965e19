"""The heap of an instance: its memory, and the block of numbers that collectors work with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doralang.code import layout
from doralang.code.collectors import Collector, Spaces
from doralang.machine.foreign import WORD, addressof, fill
from doralang.machine.memory import map_memory, unmap
from doralang.runtime.code_space import CodeSpace
from doralang.runtime.memory import Region, Words, load_word, store_word
from doralang.runtime.spaces import Sizes, divide
from doralang.runtime.stacks import stack_size

ROOTS_STACKS: Final = 2
"""room for the list of roots, in stacks: more than one full of slots, all handles and globals"""
MASK: Final = (1 << 64) - 1


class Heap:
    """The memory of objects, divided as the collector wants it.

    `stress` is one of `layout.STRESS_…`, or 0.
    """

    def __init__(
        self, collector: Collector, sizes: Sizes, thread: Words, space: CodeSpace, *, stress: int = 0
    ) -> None:
        self.collector = collector
        self.sizes = sizes
        self.thread = thread
        self.block = Words(map_memory(layout.HEAP_SIZE), layout.HEAP_SIZE)
        self.regions: list[Region] = []
        self.log = self.reserve(max(sizes.log, layout.WORD))
        block = self.block
        block[layout.HEAP_STRESS] = stress
        divide(collector.spaces, sizes, block, thread, self.reserve)
        describe_code(block, space)
        block[layout.HEAP_ROOTS] = self.reserve(ROOTS_STACKS * stack_size()).start
        block[layout.HEAP_LOG] = block[layout.HEAP_LOG_TOP] = self.log.start
        block[layout.HEAP_LOG_END] = self.log.start + sizes.log
        thread[layout.THREAD_HEAP] = block.address

    @property
    def mappings(self) -> int:
        """Of the system's memory, each of which was asked for by itself."""
        return 1 + len(self.regions)

    def reserve(self, size: int) -> Region:
        """A region that is freed with the heap."""
        region = Region(size)
        self.regions.append(region)
        return region

    # Allocation by Python: rare, and never a reason to collect.

    def allocate(self, size: int) -> int | None:
        """Zeroed room for Python; None if there is none."""
        size = layout.align(size)
        if self.collector.spaces in (Spaces.ONE, Spaces.HALVES):
            return self.allocate_in_row(size)
        return self.allocate_in_blocks(size)

    def allocate_in_row(self, size: int) -> int | None:
        """The next bytes, perhaps beyond the allocation buffer."""
        top = self.thread[layout.THREAD_TOP]
        if size > self.block[layout.HEAP_FROM_END] - top:
            return None
        self.thread[layout.THREAD_TOP] = top + size
        return top

    def allocate_in_blocks(self, size: int) -> int | None:
        """In the allocation buffer if it fits, else as a large object."""
        block, thread = self.block, self.thread
        top = thread[layout.THREAD_TOP]
        if size <= layout.LARGEST_CELL and top + size <= thread[layout.THREAD_END]:
            thread[layout.THREAD_TOP] = top + size
            return top
        count = layout.align(size, layout.BLOCK_SIZE) >> layout.BLOCK_SHIFT
        if self.bytes_in_use() + size > block[layout.HEAP_LIMIT]:
            return None
        start = self.take_free_block() if count == 1 and block[layout.HEAP_FREE_BLOCKS] else None
        start = start or self.take_new_blocks(count)
        if start is None:
            return None
        self.enter_large(start, count)
        for counter in (layout.HEAP_OLD_BYTES, layout.HEAP_ALLOCATED, layout.HEAP_MARKED):
            block[counter] += size
        self.limit_eden()
        return start

    def take_free_block(self) -> int:
        """The first free block, cleared; there is one."""
        block = self.block
        record = block[layout.HEAP_FIRST_FREE]
        while load_word(record + layout.BLOCK_CELL):
            record += layout.RECORD_SIZE
        block[layout.HEAP_FIRST_FREE] = record + layout.RECORD_SIZE
        block[layout.HEAP_FREE_BLOCKS] -= 1
        index = record - block[layout.HEAP_BLOCKS] >> layout.RECORD_SHIFT
        start = block[layout.HEAP_OLD] + (index << layout.BLOCK_SHIFT)
        fill(start, 0, layout.BLOCK_SIZE)
        return start

    def take_new_blocks(self, count: int) -> int | None:
        """Blocks that were never in use."""
        block, start = self.block, self.block[layout.HEAP_OLD_TOP]
        end = start + (count << layout.BLOCK_SHIFT)
        if end > block[layout.HEAP_OLD_END]:
            return None
        block[layout.HEAP_OLD_TOP] = end
        return start

    def enter_large(self, start: int, count: int) -> None:
        """Fill the records of blocks that are one object, marked if marking goes on, with dirty cards."""
        block = self.block
        for index in range(count):
            at = (start - block[layout.HEAP_OLD] >> layout.BLOCK_SHIFT) + index
            record = block[layout.HEAP_BLOCKS] + (at << layout.RECORD_SHIFT)
            store_word(record + layout.BLOCK_CELL, count << layout.BLOCK_SHIFT)
            store_word(record + layout.BLOCK_START, start)
            store_word(record + layout.BLOCK_EPOCH, block[layout.HEAP_EPOCH])
            store_word(record + layout.BLOCK_USED, 1)
        if block[layout.HEAP_STATE] == layout.MARKING:
            word = block[layout.HEAP_MARKS] + (start >> layout.MARK_SHIFT) * layout.WORD
            store_word(word & MASK, 1)
        if self.collector.marks_cards:
            card = block[layout.HEAP_CARDS] + (start >> layout.CARD_SHIFT) & MASK
            fill(card, layout.CARD_DIRTY, count << layout.BLOCK_SHIFT - layout.CARD_SHIFT)

    def limit_eden(self) -> None:
        """Eden can be filled as far as the limit of the heap allows, as the collector has it."""
        block, thread = self.block, self.thread
        room = block[layout.HEAP_LIMIT] - self.bytes_in_use()
        most = block[layout.HEAP_EDEN] + block[layout.HEAP_EDEN_SIZE]
        limit = max(min(thread[layout.THREAD_TOP] + room, most), thread[layout.THREAD_TOP])
        block[layout.HEAP_EDEN_LIMIT] = limit
        thread[layout.THREAD_END] = min(thread[layout.THREAD_END], limit)

    def bytes_in_use(self) -> int:
        """Of all objects, but for what nobody has found dead yet."""
        block, top = self.block, self.thread[layout.THREAD_TOP]
        if self.collector.spaces in (Spaces.ONE, Spaces.HALVES):
            return top - block[layout.HEAP_FROM]
        survivors = block[layout.HEAP_SURVIVORS_TOP] - block[layout.HEAP_SURVIVORS]
        return block[layout.HEAP_OLD_BYTES] + survivors + top - block[layout.HEAP_EDEN]

    def set_globals(self, addresses: Sequence[int]) -> None:
        """The globals that hold references, which are roots."""
        self.globals = (WORD * max(len(addresses), 1))(*addresses)
        self.block[layout.HEAP_GLOBALS] = addressof(self.globals)
        self.block[layout.HEAP_GLOBAL_COUNT] = len(addresses)

    def free(self) -> None:
        unmap(self.block.address, layout.HEAP_SIZE)
        for region in self.regions:
            region.free()


def describe_code(block: Words, space: CodeSpace) -> None:
    """Where collectors find the GC points of code, and what the verifier knows of what is beside it."""
    arena = space.arena
    block[layout.HEAP_POINTS] = space.points.region.start
    block[layout.HEAP_CODE] = space.points.start
    block[layout.HEAP_CODE_SIZE] = arena.code.limit - space.points.start
    block[layout.HEAP_DATA] = arena.data.start
    block[layout.HEAP_DATA_END] = arena.data.limit
