"""Where the bytes go that a program prints."""

from __future__ import annotations

from doralang.typing_forms import Protocol


class ByteSink(Protocol):
    """A file opened for bytes, such as `sys.stdout.buffer`."""

    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...
