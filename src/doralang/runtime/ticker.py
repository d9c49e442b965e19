"""The native ticker: a thread that makes running programs look up every few milliseconds.

Compiled code compares its frame with `thread.limit` in every prologue and loop.  The ticker stores the
highest address into the limit of each thread block whose state is `RUNNING`, so that the next comparison
leads to the attention stub: for Ctrl-C, for limits, and to let other Python threads run.  It needs neither
the GIL nor a signal.

Thread blocks come from a pool here and are never unmapped, because the ticker may hold the address of one
that has just been given back.  Most have a place in the table for as long as they live, so that entering an
instance is storing its state; some places are left for the runs of all others.  The thread ends when nothing
has run for a second, and is made again at need; after a fork the child has none and makes its own.

    table      state | block address or 0, `MOST_BLOCKS` times       what the thread looks at
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from threading import Lock
from typing import Final

from doralang.code import layout
from doralang.machine.buffer import link
from doralang.machine.macro import Binary, Condition, MacroAssembler
from doralang.machine.memory import CodeArena, map_memory
from doralang.machine.targets import Target
from doralang.runtime.memory import Words
from doralang.types.kinds import LONG

PERIOD: Final = 5000
"""microseconds between two ticks"""
PATIENCE: Final = 200
"""ticks without anything active after which the thread ends"""
MOST_BLOCKS: Final = 1024
MOST_PASSING: Final = 64
"""places for the runs of blocks that have none for good"""
ARENA_SIZE: Final = 1 << 20
RUNNING: Final = 1


def ticker_code(masm: MacroAssembler) -> None:
    """ticker(table): the thread's function."""
    table, slot, idle = masm.callee_saved[:3]
    block = masm.temporaries[0]
    masm.prologue(masm.callee_saved)
    masm.set_frame_size(0)
    masm.move(LONG, table, masm.arguments[0])
    busy = masm.bound()
    masm.load_constant(LONG, idle, 0)
    tick = masm.bound()
    masm.load_constant(LONG, masm.arguments[0], PERIOD)
    masm.call_symbol("usleep")
    masm.binary_immediate(Binary.ADD, LONG, idle, idle, 1)
    masm.load_constant(LONG, slot, MOST_BLOCKS)
    next_slot, unused, swept = masm.bound(), masm.label(), masm.label()
    masm.branch_immediate(LONG, Condition.EQUAL, slot, 0, swept)
    masm.load_indexed(LONG, block, table, slot, layout.WORD, 0)
    masm.branch_immediate(LONG, Condition.EQUAL, block, 0, unused)
    masm.branch_memory_immediate(
        LONG, Condition.NOT_EQUAL, block, layout.THREAD_STATE, layout.STATE_RUNNING, unused
    )
    masm.store_constant(LONG, -1, block, layout.THREAD_LIMIT)
    masm.load_constant(LONG, idle, 0)
    masm.bind(unused)
    masm.binary_immediate(Binary.SUB, LONG, slot, slot, 1)
    masm.jump(next_slot)
    masm.bind(swept)
    masm.branch_immediate(LONG, Condition.LESS, idle, PATIENCE, tick)
    go_to_sleep(masm, busy)
    masm.epilogue()


def go_to_sleep(masm: MacroAssembler, busy: int) -> None:
    """Say that the thread ends; if something has begun to run meanwhile, go on after all.

    Who begins to run stores that first and looks at the ticker's state then.  It does without a fence
    between the two; instead the thread waits a period before it looks, in which every store has become
    visible.
    """
    table, slot, _ = masm.callee_saved[:3]
    block, was, now = masm.temporaries[:3]
    masm.store_constant(LONG, 0, table, 0)
    masm.fence()
    masm.load_constant(LONG, masm.arguments[0], PERIOD)
    masm.call_symbol("usleep")
    masm.load_constant(LONG, slot, MOST_BLOCKS)
    next_slot, unused, end = masm.bound(), masm.label(), masm.label()
    masm.branch_immediate(LONG, Condition.EQUAL, slot, 0, end)
    masm.load_indexed(LONG, block, table, slot, layout.WORD, 0)
    masm.branch_immediate(LONG, Condition.EQUAL, block, 0, unused)
    masm.branch_memory_immediate(
        LONG, Condition.NOT_EQUAL, block, layout.THREAD_STATE, layout.STATE_RUNNING, unused
    )
    masm.load_constant(LONG, was, 0)
    masm.load_constant(LONG, now, RUNNING)
    masm.compare_and_swap(block, table, 0, was, now)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, block, 0, busy)  # type: ignore[arg-type]
    masm.jump(end)
    masm.bind(unused)
    masm.binary_immediate(Binary.SUB, LONG, slot, slot, 1)
    masm.jump(next_slot)
    masm.bind(end)


class Ticker:
    """The thread, its table, and the pool of thread blocks."""

    def __init__(self, target: Target) -> None:
        self.arena = CodeArena(ARENA_SIZE)
        masm = target.assembler()
        ticker_code(masm)
        code = masm.finish()
        libc = ctypes.CDLL(None)
        usleep = ctypes.cast(libc.usleep, ctypes.c_void_p).value or 0
        self.entry = self.arena.allocate(len(code.data))
        self.arena.write(self.entry, link(code, self.entry, lambda symbol: usleep))
        self.create = libc.pthread_create
        self.create.argtypes = [ctypes.c_void_p] * 4
        self.detach = libc.pthread_detach
        self.detach.argtypes = [ctypes.c_uint64]
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
            if not self.free_blocks:
                first = map_memory(layout.THREAD_SIZE * 64)
                self.free_blocks += range(first, first + layout.THREAD_SIZE * 64, layout.THREAD_SIZE)
            address = self.free_blocks.pop()
            ctypes.memset(address, 0, layout.THREAD_SIZE)
            if len(self.free_slots) > MOST_PASSING:
                self.enter(address)
        return address

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
                self.table[0] = RUNNING
                self.start()
        return is_passing

    def deactivate(self, block: int) -> None:
        """The run is over of a block that got its place for it."""
        with self.lock:
            self.leave(block)

    def start(self) -> None:
        thread = ctypes.c_uint64()
        if self.create(ctypes.byref(thread), None, self.entry, self.table.address):
            raise OSError("no thread can be made for the ticker")
        self.detach(thread.value)


@cache
def ticker(target: Target) -> Ticker:
    """The one ticker of this process."""
    return Ticker(target)
