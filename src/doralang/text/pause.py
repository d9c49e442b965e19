"""Python's search for cycles of garbage, put off while trees and code are made.

Hardly anything that the compiler makes is garbage before it is done, and looking through it again and again
takes as long as making it.  Reference counts work on as always.

    with NO_CYCLES:
        ...

Any number of threads may be inside at once, and one may enter again: the first to come switches the search
off, if it is on, and the last to leave switches it on again.
"""

from __future__ import annotations

import gc
import os

from doralang.locks import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Pause:
    """A context manager, used by all threads.

    A handler of a signal, which comes between any two calls, may enter as well: it finds `inside` right.

    `keeps` is for a process that ends with the program it runs: what was made is not looked at later either.
    """

    __slots__ = ("inside", "keeps", "lock", "was_on")

    def __init__(self) -> None:
        self.keeps = False
        self.lock = Lock()
        self.inside = 0
        self.was_on = False

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.was_on = gc.isenabled()
                gc.disable()

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            if self.inside == 1 and self.was_on:
                if self.keeps:
                    gc.freeze()
                gc.enable()
            self.inside -= 1

    def forked(self) -> None:
        """In a child process there is this thread only, and what the others were doing is never done."""
        if self.inside and self.was_on:
            gc.enable()
        self.lock = Lock()
        self.inside = 0


NO_CYCLES: Final = Pause()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=NO_CYCLES.forked)
