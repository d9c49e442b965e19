"""The standard input of the host's process, for programs that are granted it."""

from __future__ import annotations

import errno
import os
import sys
from threading import Lock
from typing import Final


class HostInput:
    """`sys.stdin` in lines: what a program does not take is left to the host, and to other programs."""

    def __init__(self) -> None:
        self._rest = b""
        self._lock = Lock()

    def read1(self, most: int, /) -> bytes:
        """The next line, or as much of it.  Raises what `sys.stdin` raises."""
        with self._lock:
            data = self._rest or line()
            self._rest = data[most:]
            return data[:most]


def line() -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdin.readline().encode("utf-8", "surrogateescape")


HOST_INPUT: Final = HostInput()
