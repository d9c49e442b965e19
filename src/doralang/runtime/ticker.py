"""The native ticker: a thread that makes running programs look up every few milliseconds.

Compiled code compares its frame with `thread.limit` in every prologue and loop.  The ticker stores the
highest address into the limit of each thread block whose state is `RUNNING`, so that the next comparison
leads to the attention stub: for Ctrl-C, for limits, and to let other Python threads run.  It needs neither
the GIL nor a signal.

Thread blocks come from a pool here and are never unmapped, because the ticker may hold the address of one
that has just been given back.  Most have a place in the table for as long as they live, so that entering an
instance is storing its state; some places are left for the runs of all others.  The thread ends when nothing
has run for a second, and is made again at need; after a fork the child has none and makes its own.

A handler of a signal, or a finalizer, may call a program in the midst of what is done here.  So the lock is
one that its thread may take again, and each step leaves all in order for who does.

    table      state | block address or 0, `MOST_BLOCKS` times       what the thread looks at
"""

from __future__ import annotations

import os

from doralang.code import layout
from doralang.locks import Lock
from doralang.machine.foreign import INT, WORD, address_of, addressof, fill, function
from doralang.machine.memory import map_memory
from doralang.runtime.memory import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MOST_BLOCKS: Final = 1024
MOST_PASSING: Final = 64
"""places for the runs of blocks that have none for good"""
RUNNING: Final = 1


class Ticker:
    """The thread, its table, and the pool of thread blocks."""

    def __init__(self, entry: int) -> None:
        self.entry = entry
        """the address of the thread's function (`ticking`)"""
        size = layout.WORD * (MOST_BLOCKS + 1)
        self.table = Words(map_memory(size), size)
        self.free_blocks: list[int] = []
        self.slots: dict[int, int] = {}
        self.free_slots = list(range(MOST_BLOCKS, 0, -1))
        self.lock = Lock()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """A forked child has the blocks, but no thread."""
        self.lock = Lock()
        self.table[0] = 0

    # Thread blocks.

    def new_block(self) -> int:
        """The address of a thread block, all zero; with a place in the table as long as there are many."""
        with self.lock:
            address = self.take_block()
            fill(address, 0, layout.THREAD_SIZE)
            if len(self.free_slots) > MOST_PASSING:
                self.enter(address)
        return address

    def take_block(self) -> int:
        """A block of the pool, which gets more of them if it is empty."""
        while True:
            try:
                return self.free_blocks.pop()
            except IndexError:
                first = map_memory(layout.THREAD_SIZE * 64)
                self.free_blocks += range(first, first + layout.THREAD_SIZE * 64, layout.THREAD_SIZE)

    def free_block(self, address: int) -> None:
        with self.lock:
            if address in self.slots:
                self.leave(address)
            self.free_blocks.append(address)

    def has_place(self, block: int) -> bool:
        """Whether the block may run without `activate`, while `table[0]` is `RUNNING`."""
        return block in self.slots

    def enter(self, block: int) -> None:
        slot = self.slots[block] = self.free_slots.pop()
        self.table[layout.WORD * slot] = block

    def leave(self, block: int) -> None:
        slot = self.slots.pop(block)
        self.table[layout.WORD * slot] = 0
        self.free_slots.append(slot)

    # Who runs.

    def activate(self, block: int) -> bool:
        """A program runs: the thread must.  Whether the block got a place in the table for this run alone."""
        with self.lock:
            is_passing = block not in self.slots
            if is_passing:
                self.enter(block)
            if self.table[0] != RUNNING:
                self.start()
        return is_passing

    def deactivate(self, block: int) -> None:
        """The run is over of a block that got its place for it."""
        with self.lock:
            self.leave(block)

    def start(self) -> None:
        """Make the thread, if nobody else has.  Raises MemoryError.

        Python looks for signals when it has called something, so not from the look at the state up to the
        thread being there.
        """
        thread, words = WORD(), self.table.words
        create = function(address_of("pthread_create"), INT, WORD, WORD, WORD, WORD)
        detach = function(address_of("pthread_detach"), INT, WORD)
        arguments = (addressof(thread), 0, self.entry, self.table.address)
        if words[0] != RUNNING:
            words[0] = RUNNING
            if create(*arguments):
                words[0] = 0
                raise MemoryError("no thread can be made for the ticker")
            detach(thread.value)
