"""The lock of this package: its thread may take it again, and Ctrl-C never leaves it taken.

Python looks for signals when a function in C has returned, and their handlers may raise.  Up to 3.13 `with`
enters in one step with the beginning of its block.  From 3.14 on it calls `__enter__` as any function, and an
exception behind that call would leave the lock taken for good, and other threads waiting.
"""

from __future__ import annotations

import sys
from _thread import RLock

if sys.version_info >= (3, 14):

    class Lock(RLock):
        """Taken inside of a `try`; between the return of a function in Python and the block nothing comes."""

        __slots__ = ()

        def __enter__(self) -> bool:
            depth = self._recursion_count()
            try:
                return self.acquire()
            except BaseException:
                while self._recursion_count() > depth:
                    self.release()
                raise
else:
    Lock = RLock

__all__ = ["Lock"]
