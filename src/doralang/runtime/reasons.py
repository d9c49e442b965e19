"""Why Dora code calls up: numbers, which the stubs leave in the thread block."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Reason:
    """What is wanted of Python."""

    COMPILE: Final = 0
    ATTENTION: Final = 1
    ALLOCATE: Final = 2
    INTERNAL: Final = 3
    FIND: Final = 4
    OUTPUT: Final = 5
    TRAP: Final = 16
    """plus the index of the trap"""
