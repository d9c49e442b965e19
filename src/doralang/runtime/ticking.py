"""What the thread of the ticker does (`runtime.ticker`), in machine code."""

from __future__ import annotations

from doralang.code import layout
from doralang.code.symbols import NATIVE, Symbol
from doralang.machine.macro import BinaryOperation, Condition, MacroAssembler
from doralang.runtime.ticker import MOST_BLOCKS, RUNNING
from doralang.types.kinds import LONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PERIOD: Final = 5000
"""microseconds between two ticks"""
PATIENCE: Final = 200
"""ticks without anything active after which the thread ends"""
SLEEP: Final = Symbol(NATIVE, "usleep")


def ticker(masm: MacroAssembler) -> None:
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
    masm.call_symbol(SLEEP)
    masm.binary_immediate(BinaryOperation.ADD, LONG, idle, idle, 1)
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
    masm.binary_immediate(BinaryOperation.SUB, LONG, slot, slot, 1)
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
    masm.call_symbol(SLEEP)
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
    masm.binary_immediate(BinaryOperation.SUB, LONG, slot, slot, 1)
    masm.jump(next_slot)
    masm.bind(end)
