"""The standard input of the host's process, for programs that are granted it."""

from __future__ import annotations

import errno
import os
import sys
from collections import deque
from typing import Final

from doralang.locks import Lock


class HostInput:
    """`sys.stdin` in lines: what a program does not take is left to the host, and to other programs.

    A handler of a signal may have a program read while its thread reads.  It gets the next of what is there,
    and nothing is lost or comes twice.
    """

    def __init__(self) -> None:
        self._rests: deque[bytes] = deque()
        """of lines that were not taken whole"""
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        """In a child, which has none of the threads that may wait for a line."""
        self._lock = Lock()

    def read1(self, most: int, /) -> bytes:
        """The next line, or as much of it.  Raises what `sys.stdin` raises."""
        with self._lock:
            try:
                data = self._rests.popleft()
            except IndexError:
                data = line()
            if len(data) > most:
                self._rests.appendleft(data[most:])
            return data[:most]


def line() -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdin.readline().encode("utf-8", "surrogateescape")


HOST_INPUT: Final = HostInput()
