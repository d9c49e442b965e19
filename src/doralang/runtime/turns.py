"""Whose turn it is in an instance: entering it and leaving it, in machine code, with the GIL held.

Calls from Python (`embed.wrappers`) have this inline; all others go by way of the two stubs.  So whether an
instance runs is decided in one place, and without a lock.

    begin   state IDLE -> RUNNING, a stack is taken, the limit is set; the stub begins in state FRESH, too
    end     the stack is given back, RUNNING -> IDLE, or UNUSABLE in the middle of a collection
"""

from __future__ import annotations

from doralang.code import layout
from doralang.code.symbols import SPARE_STACKS
from doralang.machine.buffer import Label
from doralang.machine.macro import BinaryOperation, Condition, MacroAssembler, Register
from doralang.types.kinds import LONG


def take_stack(masm: MacroAssembler, top: Register, work: Register, none: Label) -> None:
    """Take the first stack of the list into `top`, or go to `none`."""
    masm.load_symbol(work, SPARE_STACKS)
    masm.load(LONG, top, work, 0)
    masm.branch_immediate(LONG, Condition.EQUAL, top, 0, none)
    with masm.scratch() as following:
        masm.load(LONG, following, top, 0)
        masm.store(LONG, following, work, 0)


def give_back(masm: MacroAssembler, top: Register, work: Register) -> None:
    """Nothing runs on the stack of the present call any more."""
    masm.load(LONG, top, masm.thread, layout.THREAD_STACK)
    add_to_list(masm, top, work)


def add_to_list(masm: MacroAssembler, top: Register, work: Register) -> None:
    """Put a stack before the others that nobody uses."""
    masm.load_symbol(work, SPARE_STACKS)
    with masm.scratch() as following:
        masm.load(LONG, following, work, 0)
        masm.store(LONG, following, top, 0)
    masm.store(LONG, top, work, 0)


def begin(masm: MacroAssembler, refused: Label, no_stack: Label) -> None:
    """Begin a call in the instance of the thread register.  Loses the first three temporaries."""
    masm.branch_memory_immediate(
        LONG, Condition.NOT_EQUAL, masm.thread, layout.THREAD_STATE, layout.STATE_IDLE, refused
    )
    take_turn(masm, no_stack)


def take_turn(masm: MacroAssembler, no_stack: Label) -> None:
    """The same, of an instance in which nothing runs."""
    top, work, limit = masm.temporaries[:3]
    thread = masm.thread
    take_stack(masm, top, work, no_stack)
    masm.store_constant(LONG, layout.STATE_RUNNING, thread, layout.THREAD_STATE)
    masm.store(LONG, top, thread, layout.THREAD_STACK)
    masm.load(LONG, work, thread, layout.THREAD_STACK_SIZE)
    masm.binary(BinaryOperation.SUB, LONG, limit, top, work)
    masm.store(LONG, limit, thread, layout.THREAD_REAL_LIMIT)
    masm.store(LONG, limit, thread, layout.THREAD_LIMIT)
    masm.add_to_memory(LONG, 1, thread, layout.THREAD_CALLS)
    for word in (layout.THREAD_EXCEPTION, layout.THREAD_LAST_FRAME):
        masm.store_constant(LONG, 0, thread, word)


def end(masm: MacroAssembler) -> None:
    """End a call that came to its end.  Loses the first two temporaries."""
    give_back(masm, *masm.temporaries[:2])
    masm.store_constant(LONG, layout.STATE_IDLE, masm.thread, layout.THREAD_STATE)


def end_early(masm: MacroAssembler) -> None:
    """End a call in which something was raised.  Loses the first two temporaries."""
    whole, heap = masm.label(), masm.temporaries[0]
    end(masm)
    masm.load(LONG, heap, masm.thread, layout.THREAD_HEAP)
    masm.branch_immediate(LONG, Condition.EQUAL, heap, 0, whole)
    masm.branch_memory_immediate(LONG, Condition.EQUAL, heap, layout.HEAP_BUSY, 0, whole)
    masm.store_constant(LONG, layout.STATE_UNUSABLE, masm.thread, layout.THREAD_STATE)
    masm.bind(whole)


def claim(masm: MacroAssembler) -> None:
    """claim(thread): begin a call; returns IDLE, or why it could not begin."""
    free, refused, no_stack = masm.label(), masm.label(), masm.label()
    masm.prologue((masm.thread,))
    masm.set_frame_size(0)
    masm.move(LONG, masm.thread, masm.arguments[0])
    masm.branch_memory_immediate(
        LONG, Condition.EQUAL, masm.thread, layout.THREAD_STATE, layout.STATE_FRESH, free
    )
    masm.branch_memory_immediate(
        LONG, Condition.NOT_EQUAL, masm.thread, layout.THREAD_STATE, layout.STATE_IDLE, refused
    )
    masm.bind(free)
    take_turn(masm, no_stack)
    masm.load_constant(LONG, masm.result, layout.STATE_IDLE)
    masm.epilogue()
    masm.bind(refused)
    masm.load(LONG, masm.result, masm.thread, layout.THREAD_STATE)
    masm.epilogue()
    masm.bind(no_stack)
    masm.load_constant(LONG, masm.result, layout.NO_STACK)
    masm.epilogue()


def release(masm: MacroAssembler) -> None:
    """release(thread): end a call, in whatever way it ended."""
    masm.prologue((masm.thread,))
    masm.set_frame_size(0)
    masm.move(LONG, masm.thread, masm.arguments[0])
    end_early(masm)
    masm.load_constant(LONG, masm.result, 0)
    masm.epilogue()


def take_spare(masm: MacroAssembler) -> None:
    """takeSpare(): the top of a stack that nobody uses, taken from the list, or 0."""
    none, (top, work) = masm.label(), masm.temporaries[:2]
    take_stack(masm, top, work, none)
    masm.bind(none)
    masm.move(LONG, masm.result, top)
    masm.return_()


def add_spare(masm: MacroAssembler) -> None:
    """addSpare(top): a stack that nobody uses comes to the list."""
    top, work = masm.temporaries[:2]
    masm.move(LONG, top, masm.arguments[0])
    add_to_list(masm, top, work)
    masm.return_()
