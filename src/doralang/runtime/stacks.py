"""The stacks that Dora code runs on: an instance has one only while it runs.

Those that nobody uses are a list, each with the next one in its topmost word.  Only machine code takes one or
gives it back, with the GIL held (`runtime.turns`): between two lines of Python another thread may do so.

    SPARE   ->   top of a stack   ->   top of another   ->   0
"""

from __future__ import annotations

from doralang.machine.foreign import WORD
from doralang.machine.memory import Stack, is_room_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

STACK_SIZE: Final = 64 << 20
STACK_RESERVE: Final = 64 << 10
"""kept free below the limit for stubs and functions of the C library"""
STACK_ALIGNMENT: Final = 64
MOST_KEPT: Final = 4
"""stacks that are kept for the next instances to run"""

LEAST_STACK: Final = 16 << 20
SHARE: Final = 16
"""a stack takes at most so small a part of what the system gives"""

SPARE: Final = WORD(0)
STACKS: Final[dict[int, Stack]] = {}
"""all of them, by the top of what runs there"""


class StackSize:
    """Bytes of each stack of this process; 0 before somebody has asked."""

    found = 0


def stack_size() -> int:
    """Bytes of each stack of this process."""
    if not StackSize.found:
        size = STACK_SIZE
        while size > LEAST_STACK and not is_room_for(SHARE * size):
            size //= 2
        StackSize.found = size
    return StackSize.found


def room_on_stack(most: int | None) -> int:
    """The bytes that a program may use of a stack; `most` is its own limit."""
    room = stack_size() - STACK_ALIGNMENT - STACK_RESERVE
    return room if most is None else min(room, most)


def new_stack() -> int:
    """The top of one more stack."""
    stack = Stack(stack_size())
    top = stack.top - STACK_ALIGNMENT
    STACKS[top] = stack
    return top


def free_stack(top: int) -> None:
    """Unmap a stack that is not in the list."""
    STACKS.pop(top).free()
