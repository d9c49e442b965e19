"""The stacks that Dora code runs on: an instance has one only while it runs."""

from __future__ import annotations

from functools import cache
from typing import Final

from doralang.machine.memory import Stack, is_room_for

STACK_SIZE: Final = 64 << 20
STACK_RESERVE: Final = 64 << 10
"""kept free below the limit for stubs and functions of the C library"""
MOST_SPARE: Final = 4
"""stacks that are kept for the next instances to run"""

LEAST_STACK: Final = 16 << 20
SHARE: Final = 16
"""a stack takes at most so small a part of what the system gives"""

SPARE: Final[list[Stack]] = []


@cache
def stack_size() -> int:
    """Bytes of each stack of this process."""
    size = STACK_SIZE
    while size > LEAST_STACK and not is_room_for(SHARE * size):
        size //= 2
    return size


def take_stack() -> Stack:
    """A stack that nobody uses."""
    try:
        return SPARE.pop()
    except IndexError:
        return Stack(stack_size())


def give_back(stack: Stack) -> None:
    """Nothing runs on this stack any more; its memory is kept for the next."""
    if len(SPARE) < MOST_SPARE:
        SPARE.append(stack)
    else:
        stack.free()
