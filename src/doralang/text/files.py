"""Reading files: a name as messages have it, and bytes that nobody has looked at yet.

A program whose code is stored is known by its bytes alone; `loading` makes a `Source` of them at need.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.settings import ByteSource


STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"

PIECE: Final = 1 << 16


class TextFile:
    """What stands in a file."""

    __slots__ = ("data", "name")

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data


def name_of(path: str) -> str:
    """How messages call a file."""
    return STDIN_NAME if path == STDIN else path


def read_file(path: str, stdin: ByteSource) -> TextFile:
    """A file, or standard input for `-`.  Raises OSError and ValueError."""
    if path == STDIN:
        return TextFile(STDIN_NAME, b"".join(iter(lambda: stdin.read1(PIECE), b"")))
    with open(path, "rb") as file:
        return TextFile(path, file.read())
