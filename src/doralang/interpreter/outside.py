"""Files, standard input and the environment, as the library's internal functions see them.

What is read becomes a text in two steps: `load…` says whether there is something to take, `take` and `fill`
hand it over.  So whoever makes the text knows its size first, and the bytes of a file are nowhere else:

    load_file(b"large.txt")   True; `size` is what the file system says
    fill(memory)              the bytes are read into the memory of the text

Nothing here raises an OSError: `reason` says what was wrong.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat

from doralang.interpreter.output import as_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from doralang.settings import ByteSource


PORTION: Final = 1 << 20
"""bytes that are read and checked at a time"""

NOT_UTF8: Final = "not valid UTF-8"

TOO_LARGE: Final = -1
"""the size of what no text can hold"""


class Outside:
    """What one program reads and writes."""

    __slots__ = ("_direct", "_file", "_most", "_pieces", "reason", "size", "stdin")

    def __init__(self, stdin: ByteSource, most: int, *, direct: bool) -> None:
        self.stdin = stdin
        self._most = most
        self._direct = direct
        """whether files are read into memory that is there already, by `fill`"""
        self._file = b""
        """what is to be read by `fill`; empty if that is in `_pieces`"""
        self._pieces: list[bytes] = []
        self.size = 0
        """of what was loaded"""
        self.reason = ""

    # Reading.

    def load_file(self, path: bytes) -> bool:
        """Whether the file can be read, as far as is known before `fill`."""
        try:
            with open(path, "rb", buffering=0) as file:
                about = os.fstat(file.fileno())
                if self._direct and stat.S_ISREG(about.st_mode) and about.st_size:
                    self._file = path
                    self.size = about.st_size if about.st_size <= self._most else TOO_LARGE
                else:
                    # Pipes and the files of /proc have no size that means anything.
                    portion = max(PORTION, min(about.st_size + 1, self._most))
                    self.load(b"", lambda: file.read(portion))
        except (OSError, ValueError) as error:
            return self.failed(error)
        return True

    def load_rest(self, first: bytes) -> bool:
        """All the rest of standard input, behind what was read of it already."""
        try:
            self.load(first, lambda: self.stdin.read1(PORTION))
        except (OSError, ValueError) as error:
            return self.failed(error)
        return True

    def load(self, first: bytes, read: Callable[[], bytes | None]) -> None:
        """Pieces up to an empty one.  Raises OSError and UnicodeDecodeError; all of it has been read then."""
        checker = Checker()
        pieces, size, piece = self._pieces, 0, first or read()
        while piece:
            size += len(piece)
            if size > self._most:
                pieces.clear()
                self.size = TOO_LARGE
                return
            checker.check(piece)
            pieces.append(piece)
            piece = read()
        checker.end()
        self.size = size

    def take(self) -> bytes:
        """What was loaded, of a size that a text can have."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def fill(self, memory: memoryview) -> bool | None:
        """Put what was loaded into memory of its size.  None if there is less, which is loaded then."""
        path, self._file = self._file, b""
        try:
            if path:
                return self.fill_from_file(path, memory)
        except (OSError, ValueError) as error:
            return self.failed(error)
        at, self._pieces = 0, self._pieces[::-1]
        while self._pieces:
            piece = self._pieces.pop()
            memory[at : at + len(piece)] = piece
            at += len(piece)
        return True

    def fill_from_file(self, path: bytes, memory: memoryview) -> bool | None:
        """Raises OSError and UnicodeDecodeError."""
        checker, at = Checker(), 0
        with open(path, "rb", buffering=0) as file:
            while at < len(memory):
                count = file.readinto(memory[at : at + PORTION])
                if not count:
                    self._pieces, self.size = [bytes(memory[:at])], at
                    return None
                checker.check(memory[at : at + count])
                at += count
        checker.end()
        return True

    def read_piece(self, most: int) -> bytes | None:
        """The next bytes of standard input, none at its end; None if that failed."""
        try:
            return self.stdin.read1(most)
        except (OSError, ValueError) as error:
            self.failed(error)
            return None

    # Writing.

    def write(self, path: bytes, data: bytes | memoryview, *, append: bool) -> bool:
        """Whether it was possible."""
        try:
            with open(path, "ab" if append else "wb") as file:
                file.write(data)
        except (OSError, ValueError) as error:
            return self.failed(error)
        return True

    def failed(self, error: OSError | ValueError) -> bool:
        """Note why, and be false."""
        self._pieces.clear()
        self._file = b""
        self.reason = reason_of(error)
        return False


class Checker:
    """Looks whether pieces are UTF-8, together: a character may begin in one and end in the next."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def check(self, piece: bytes | memoryview) -> None:
        """Raises UnicodeDecodeError."""
        view = memoryview(piece)
        for start in range(0, len(view), PORTION):
            self._decoder.decode(view[start : start + PORTION])

    def end(self) -> None:
        """Raises UnicodeDecodeError."""
        self._decoder.decode(b"", final=True)


def reason_of(error: OSError | ValueError) -> str:
    """What follows `cannot read PATH: `."""
    if isinstance(error, UnicodeError):
        return NOT_UTF8
    number = error.errno if isinstance(error, OSError) else errno.EINVAL  # a zero in a path
    return os.strerror(number) if number else str(error)


def exists(path: bytes) -> bool:
    """Whether there is anything of that name."""
    return os.path.exists(path)


def environment_variable(name: bytes) -> bytes | None:
    """The value of a variable, as a text."""
    value = os.environ.get(os.fsdecode(name))
    return None if value is None else as_utf8(value)
