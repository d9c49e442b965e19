"""The stacks that Dora code runs on: an instance has one only while it runs.

Those that nobody uses are a list, each with the next one in its topmost word, so that machine code can take
one and give it back.  Whoever touches the list has the GIL.

    SPARE   ->   top of a stack   ->   top of another   ->   0
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

from doralang.code import layout
from doralang.machine.buffer import Label
from doralang.machine.macro import Condition, MacroAssembler, Register
from doralang.machine.memory import Stack, is_room_for
from doralang.runtime.memory import store_word
from doralang.types.kinds import LONG

STACK_SIZE: Final = 64 << 20
STACK_RESERVE: Final = 64 << 10
"""kept free below the limit for stubs and functions of the C library"""
STACK_ALIGNMENT: Final = 64
MOST_KEPT: Final = 4
"""stacks that are kept for the next instances to run"""

LEAST_STACK: Final = 16 << 20
SHARE: Final = 16
"""a stack takes at most so small a part of what the system gives"""

SPARE: Final = ctypes.c_uint64(0)
STACKS: Final[dict[int, Stack]] = {}
"""all of them, by the top of what runs there"""


@cache
def stack_size() -> int:
    """Bytes of each stack of this process."""
    size = STACK_SIZE
    while size > LEAST_STACK and not is_room_for(SHARE * size):
        size //= 2
    return size


def room_on_stack(most: int | None) -> int:
    """The bytes that a program may use of a stack; `most` is its own limit."""
    room = stack_size() - STACK_ALIGNMENT - STACK_RESERVE
    return room if most is None else min(room, most)


def add_stack() -> None:
    """Make one more stack, which nobody uses."""
    stack = Stack(stack_size())
    top = stack.top - STACK_ALIGNMENT
    STACKS[top] = stack
    store_word(top, SPARE.value)
    SPARE.value = top


def free_stack(top: int) -> None:
    """Unmap a stack that has been taken from the list."""
    STACKS.pop(top).free()


def take_stack(masm: MacroAssembler, top: Register, work: Register, none: Label) -> None:
    """Take the first stack of the list into `top`, or go to `none`."""
    masm.load_constant(LONG, work, ctypes.addressof(SPARE))
    masm.load(LONG, top, work, 0)
    masm.branch_immediate(LONG, Condition.EQUAL, top, 0, none)
    with masm.scratch() as following:
        masm.load(LONG, following, top, 0)
        masm.store(LONG, following, work, 0)


def give_back(masm: MacroAssembler, top: Register, work: Register) -> None:
    """Nothing runs on the stack of the present call any more."""
    masm.load(LONG, top, masm.thread, layout.THREAD_STACK)
    masm.load_constant(LONG, work, ctypes.addressof(SPARE))
    with masm.scratch() as following:
        masm.load(LONG, following, work, 0)
        masm.store(LONG, following, top, 0)
    masm.store(LONG, top, work, 0)
