"""What internal functions work with: the world outside, and the engine that calls them."""

from __future__ import annotations

import os
from array import array
from typing import Final, NamedTuple, Protocol

from doralang.interpreter.objects import Array, ObjectType, Str
from doralang.types.failures import Trapped
from doralang.types.traps import Trap

BUFFER_SIZE: Final = 1 << 16


class ByteSink(Protocol):
    """A file opened for bytes, such as `sys.stdout.buffer`."""

    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


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


class FrameDescription(NamedTuple):
    """A function and where in it, as traces show it; `file` is None for the program's main file."""

    signature: str
    line: int
    file: str | None

    def __str__(self) -> str:
        place = f"{self.line}" if self.file is None else f"{self.file}:{self.line}"
        return f"{self.signature}: {place}"


class Engine(Protocol):
    """What an interpreter does for internal functions."""

    def call_by_name(self, name: str) -> None:
        """`call(name)`; a wrong name is a `FatalError`."""

    def record_stack(self) -> list[int]:
        """An entry for each active function, without the innermost, from inside to outside."""

    def describe(self, entry: int) -> FrameDescription:
        """What an entry of such a record stands for."""


class Context:
    """The world of one running program.

    `str_type` and `longs_type` are what the engine knows `Str` and `Array<long>` by.
    """

    __slots__ = ("arguments", "engine", "heap_size", "longs_type", "output", "str_type")

    def __init__(
        self,
        engine: Engine,
        output: Output,
        arguments: list[bytes],
        heap_size: int | None,
        str_type: ObjectType,
        longs_type: ObjectType,
    ) -> None:
        self.engine = engine
        self.output = output
        self.arguments = arguments
        self.heap_size = heap_size if heap_size is not None else default_heap_size()
        self.str_type = str_type
        self.longs_type = longs_type

    def text(self, data: bytes) -> Str:
        """A new string."""
        if len(data) > min(self.heap_size, MOST_BYTES):
            raise Trapped(Trap.MEMORY)
        return Str(self.str_type, data)

    def longs(self, values: list[int]) -> Array:
        """A new `Array<long>`."""
        return Array(self.longs_type, array("q", values))


def as_utf8(text: str) -> bytes:
    """The bytes of a text from outside, for a `Str`: an argument, the name of a file.

    Bytes that are no UTF-8 have become surrogates in Python, and become U+FFFD here (reference, 14.6).
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates, which no byte has become
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace").encode()


MOST_BYTES: Final = 0x7FFF_FFFF
"""A string is no longer than an `int` can say."""


def default_heap_size() -> int:
    """A quarter of the machine's memory, or of 4 GB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError, OSError):
        return 1 << 30
