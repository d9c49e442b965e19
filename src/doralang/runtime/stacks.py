"""The stacks that Dora code runs on: an instance has one only while it runs."""

from __future__ import annotations

from typing import Final

from doralang.machine.memory import Stack

STACK_SIZE: Final = 64 << 20
STACK_RESERVE: Final = 64 << 10
"""kept free below the limit for stubs and functions of the C library"""
MOST_SPARE: Final = 4
"""stacks that are kept for the next instances to run"""

SPARE: Final[list[Stack]] = []


def take_stack() -> Stack:
    """A stack that nobody uses."""
    try:
        return SPARE.pop()
    except IndexError:
        return Stack(STACK_SIZE)


def give_back(stack: Stack) -> None:
    """Nothing runs on this stack any more; its memory is kept for the next."""
    if len(SPARE) < MOST_SPARE:
        SPARE.append(stack)
    else:
        stack.free()
