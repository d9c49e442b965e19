"""Recursion that is deeper than the host's stack, without touching the host's recursion limit.

CPython gives every thread its own recursion budget.  A recursive function that has gone down
`HOP` levels continues on a fresh thread, which waits for nothing but itself:

    def parse_block(self) -> Block:
        self.depth += 1
        if self.depth % HOP == 0:
            return on_fresh_stack(self.parse_block_here)
        return self.parse_block_here()

Programs are hardly ever nested this deep; a hop costs some 50 microseconds.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    T = TypeVar("T")

HOP: Final = 40
"""Levels of nesting after which a recursive stage changes the stack (at most 20 frames a level)."""


def on_fresh_stack(function: Callable[[], T]) -> T:
    """Call `function` on a thread of its own and return its result or raise its exception.

    Raises MemoryError if the system makes no more threads.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = load("threading").Thread(target=run, name="dora-deep", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise MemoryError("no room for another stack") from error
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
