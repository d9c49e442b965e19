"""Python's stack made fit for programs that recurse deeply.

Deep recursion of a program is deep recursion of the interpreter.  That costs no C stack, since CPython
(from 3.11 on) runs calls from Python function to Python function in one and the same loop; nothing
between two calls of a program goes through C (`map`, `sorted`, generators, `f(*args)`, …).  Two
things are left:

* Python's own limit.  It is raised while a program runs and restored afterwards.
* CPython keeps frames in chunks of 16 KB.  It returns a chunk to the system as soon as its first frame
  ends, so a loop that calls across the end of a chunk spends most of its time in `mmap` and `munmap`
  (measured: up to five times slower).  A function that claims a huge frame makes CPython take a chunk
  of at least that size, rounded up to a power of two; with a little more than half of it claimed,
  nearly half is left for all the frames below.  Nothing of the claimed part is ever touched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

MOST_PYTHON_FRAMES: Final = 1_000_000
"""At most some 350 bytes each."""

CLAIMED_WORDS: Final = (1 << 21) + 1024
"""16 MB and a little, which leaves as much for some 100,000 Python frames."""


def on_deep_stack(action: Callable[[], T], frames: int = MOST_PYTHON_FRAMES) -> T:
    """Call `action`, which may then recurse `frames` deep."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, frames))
    try:
        return on_roomy_stack(action)
    finally:
        sys.setrecursionlimit(limit)


def on_roomy_stack(action: Callable[[], T]) -> T:
    return action()


on_roomy_stack.__code__ = on_roomy_stack.__code__.replace(co_stacksize=CLAIMED_WORDS)


HEADROOM: Final = 10_000


def with_headroom(action: Callable[[], T]) -> T:
    """Call `action`, which needs a few frames even if the program has used up all that it may."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + HEADROOM)
    try:
        return action()
    finally:
        sys.setrecursionlimit(limit)
