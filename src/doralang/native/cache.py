"""Compiled programs on disk, so that the second run of a program starts with its code.

An entry is found by everything that its code depends on: the text of the program, this compiler (the time and
size of each of its files), Python, the processor, and the settings that change code.  That key stands in the
entry itself and is compared, so its hash need not be a strong one.

    programs/0123456789abcdef    magic, checksum, then key and image as `marshal` writes them

The folder belongs to the user alone, for what is in it is run as code: an entry that somebody else could have
written is ignored, as is one that is damaged.  Entries are written under another name and then renamed, so a
reader sees all of one or nothing.  Whatever goes wrong here, the program runs without.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator
from typing import Final
from zlib import adler32, crc32

from doralang.code.collectors import DEFAULT
from doralang.machine.targets import host
from doralang.native.image import Image
from doralang.settings import Settings
from doralang.text.source import Source
from doralang.user_cache import belongs_to_user, cache_folder, make_private
from doralang.version import VERSION

PROGRAMS: Final = "programs"
"""folder in the cache"""
MAGIC: Final = b"dora program 2\n"
CHECKSUM: Final = 4
MOST_ENTRIES: Final = 500
"""beyond which the oldest are deleted"""
PACKAGE: Final = os.path.dirname(os.path.dirname(__file__))


class Entry:
    """The place of one program in the cache."""

    def __init__(self, folder: str, key: bytes) -> None:
        self.folder = folder
        self.key = key
        self.path = os.path.join(folder, f"{crc32(key):08x}{adler32(key):08x}")

    def read(self) -> Image | None:
        """The image that is stored, if it is there and whole."""
        try:
            with open(self.path, "rb") as file:
                if not belongs_to_user(os.fstat(file.fileno())):
                    return None
                data = file.read()
        except OSError:
            return None
        start = len(MAGIC) + CHECKSUM
        content = memoryview(data)[start:]
        if data[:start] != MAGIC + checksum(content):
            return None
        key, image = marshal.loads(content)
        return image if key == self.key else None

    def write(self, image: Image) -> None:
        """Store an image in place of what was there; failing to is no failure."""
        content = marshal.dumps((self.key, image))
        temporary = f"{self.path}.{os.getpid()}"
        try:
            if not make_private(self.folder):
                return
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(MAGIC + checksum(content) + content)
            os.replace(temporary, self.path)
            delete_oldest(self.folder)
        except OSError:
            return


def find_entry(source: Source, settings: Settings) -> Entry | None:
    """The place of a program; None if there is no cache, or somebody wants to see how code is made."""
    folder = cache_folder()
    dumps = settings.emit or settings.emit_bytecode or settings.emit_asm or settings.emit_debug
    if folder is None or dumps or not settings.cache:
        return None
    target = host()
    key = (
        VERSION,
        list(compiler_files()),
        sys.version,
        target.name if target else "",
        settings.gc or DEFAULT,
        settings.omit_bounds_check,
        source.name,
        source.text.encode("utf-8", "surrogatepass"),
    )
    return Entry(os.path.join(folder, PROGRAMS), marshal.dumps(key))


def compiler_files(folder: str = PACKAGE) -> Iterator[tuple[str, int, int]]:
    """Name, time and size of each file of the compiler and the library."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from compiler_files(entry.path)
        else:
            status = entry.stat()
            yield entry.name, status.st_mtime_ns, status.st_size


def checksum(data: bytes | memoryview) -> bytes:
    return crc32(data).to_bytes(CHECKSUM, "little")


def delete_oldest(folder: str) -> None:
    """Keep the number of entries within bounds."""
    names = os.listdir(folder)
    if len(names) <= MOST_ENTRIES:
        return
    paths = [os.path.join(folder, name) for name in names]
    paths.sort(key=lambda path: os.stat(path).st_mtime)
    for path in paths[: len(paths) - MOST_ENTRIES // 2]:
        os.unlink(path)
