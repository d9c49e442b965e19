"""Compiled programs on disk, so that the second run of a program starts with its code.

An entry is found by everything that its code depends on: the text of the program, this compiler (the time
and size of each of its files), Python, the processor, and the settings that change code.  A hash of all that
is the name of the file, and is part of its seal.

    programs/0123…cdef    image and warnings as `marshal` writes them, and the seal (`doralang.user_cache`)

So `marshal` reads only what this very compiler has written for this program, for this user.  Whatever goes
wrong here, the program runs without.
"""

from __future__ import annotations

import marshal
import os
import sys

from doralang.code.collectors import DEFAULT
from doralang.code.tiers import BASELINE, LLVM
from doralang.machine.targets import host
from doralang.native.options import optimized_tier, tier_of
from doralang.user_cache import cache_folder, name_of, private_folder, read_sealed, write_sealed
from doralang.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, TypeAlias

    from doralang.native.image import Image
    from doralang.settings import Settings
    from doralang.text.files import TextFile

    Warning: TypeAlias = tuple[str, int, int, str, str | None]
    """code, where it begins and ends, message and hint"""

PROGRAMS: Final = "programs"
"""folder in the cache"""
OPTIMIZING: Final = ("tiered", "opt")
"""engines whose code may be of the best tier"""
FEATURES: Final = ("flags", "Features")
"""how the line of `/proc/cpuinfo` begins that lists them"""
PACKAGE: Final = os.path.dirname(os.path.dirname(__file__))


class Entry:
    """The place of one program in the cache."""

    def __init__(self, key: bytes) -> None:
        self.name = name_of(key)
        self.warnings: list[Warning] = []
        """of the program, which a run with stored code repeats"""

    def read(self) -> Image | None:
        """The image that is stored, if it is there and whole."""
        folder = private_folder(PROGRAMS)
        content = read_sealed(folder, self.name) if folder else None
        if not content:
            return None
        image: Image
        image, self.warnings = marshal.loads(content)
        return image

    def write(self, image: Image) -> None:
        """Store an image in place of what was there; failing to is no failure."""
        folder = private_folder(PROGRAMS, make=True)
        if folder:
            write_sealed(folder, self.name, marshal.dumps((image, self.warnings)))


def find_entry(file: TextFile, settings: Settings) -> Entry | None:
    """The place of a program; None if there is no cache, or somebody wants to see how code is made."""
    dumps = settings.emit or settings.emit_bytecode or settings.emit_asm or settings.emit_debug
    if cache_folder() is None or dumps or not settings.cache:
        return None
    target = host()
    key = (
        VERSION,
        list(compiler_files()),
        sys.version,
        target.name if target else "",
        settings.gc or DEFAULT,
        settings.omit_bounds_check,
        tier_of(settings),
        settings.hot_now,
        tier := optimized_tier(settings) if settings.engine in OPTIMIZING else BASELINE,
        processor() if tier == LLVM else "",
        file.name,
        file.data,
    )
    return Entry(marshal.dumps(key))


def processor() -> str:
    """What LLVM may use of this processor, as the system tells it."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as information:
        lines = (line for line in information if line.startswith(FEATURES))
        return next(lines, "")


LEFT_OUT: Final = frozenset({"__pycache__", "cli", "embed", "session", "source", "tracing", "treewalk", "vm"})
"""folders of which nothing has a say in what is stored"""


def compiler_files(folder: str = PACKAGE) -> Iterator[tuple[str, int, int]]:
    """Name, time and size of each file of the compiler and the library."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_dir():
            if entry.name not in LEFT_OUT:
                yield from compiler_files(entry.path)
        else:
            status = entry.stat()
            yield entry.name, status.st_mtime_ns, status.st_size
