"""The world outside of a program, as every run needs it: its output, texts from outside, memory."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.interpreter.sinks import ByteSink

BUFFER_SIZE: Final = 1 << 16


class NoInput:
    """A standard input that is at its end."""

    def read1(self, most: int, /) -> bytes:
        return b""


NO_INPUT: Final = NoInput()


class Output:
    """Buffered output, unless somebody watches it on a terminal.

    It is written at the latest when the program ends or a message follows.  What stands in `buffer` is to be
    written next.
    """

    __slots__ = ("_most", "_sink", "buffer")

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self.buffer = bytearray()
        self._most = 0 if sink.isatty() else BUFFER_SIZE

    @property
    def most(self) -> int:
        """How many bytes may wait to be written."""
        return self._most

    def write(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > self._most:
            self.flush()

    def flush(self) -> None:
        if self.buffer:
            data, empty = bytes(self.buffer), bytearray()
            # No signal comes between the two: Python looks for them behind calls.
            self.buffer = empty
            self._sink.write(data)
        self._sink.flush()


def as_utf8(text: str) -> bytes:
    """The bytes of a text from outside, for a `Str`: an argument, the name of a file.

    Bytes that are no UTF-8 have become surrogates in Python, and become U+FFFD here (reference, 14.6).
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates, which no byte has become
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace").encode()


def default_heap_size() -> int:
    """A quarter of the machine's memory, or of 4 GB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError, OSError):
        return 1 << 30
