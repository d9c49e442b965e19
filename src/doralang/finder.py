"""Finds the modules of this package where they are: the command asks for some two hundred at a first start.

    FINDER.find_spec("doralang.text.source", [".../doralang/text"])   ->   its ModuleSpec

Python asks several finders for each module, looks through folders, puts paths together piece by piece, and
keeps the code of a module in a file next to it.  That is two thirds of what a small module costs; here the
file with the code is opened right away.  It counts under the same condition as always, that it was made of
the source that is there, by its time and size.  Whatever is otherwise than usual is left to Python.

Only the process of the command installs it: how a host program imports is its own affair.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads

TYPE_CHECKING = False  # that of `typing`, which would have to be loaded
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Final

LONGEST: Final = 0xFFFFFFFF
PREFIX: Final = "doralang."
CACHES: Final = "/__pycache__/"
HEADER: Final = 16
"""bytes before the code: Python's version, flags, time and size of the source"""
BY_TIME: Final = MAGIC_NUMBER + bytes(4)
"""what it starts with if time and size of the source decide"""


class ReadModule(SourceFileLoader):
    """Loads a module whose code has been read already, once."""

    def __init__(self, name: str, path: str, code: bytes) -> None:
        self.name = name
        self.path = path
        self.code = code

    def get_code(self, fullname: str) -> CodeType | None:
        read, self.code = self.code, b""
        code: CodeType | None = loads(memoryview(read)[HEADER:]) if read else None
        return code if code and code.co_filename == self.path else super().get_code(fullname)


class Finder:
    """Python's protocol of what stands in `sys.meta_path`."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        """of the files with code"""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module or package is, unless it is not ours or has no file with code that is good."""
        if not path or not name.startswith(PREFIX):
            return None
        folder, last = path[0], name.rpartition(".")[2]
        found = self.spec_in(folder, last, name)
        if found is None:
            folder = f"{folder}/{last}"
            found = self.spec_in(folder, "__init__", name)
            if found is not None:
                found.submodule_search_locations = [folder]
        return found

    def spec_in(self, folder: str, file: str, name: str) -> ModuleSpec | None:
        """That of a module whose file this is."""
        source, cached = f"{folder}/{file}.py", f"{folder}{CACHES}{file}{self.suffix}"
        try:
            code, state = content(cached), os.stat(source)
        except OSError:
            return None
        if code[:HEADER] != header(state):
            return None
        spec = ModuleSpec(name, ReadModule(name, source, code), origin=source)
        spec.has_location = True
        spec.cached = cached
        return spec


def content(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


def header(source: os.stat_result) -> bytes:
    """What code made of this source begins with."""
    time, size = int(source.st_mtime) & LONGEST, source.st_size & LONGEST
    return BY_TIME + time.to_bytes(4, "little") + size.to_bytes(4, "little")


def install() -> None:
    """From now on modules are found here first, if this one lies where such modules usually lie."""
    folder, slash, name = __file__.rpartition("/")
    start = f"{folder}{CACHES}{name.removesuffix('.py')}"
    cached = __spec__.cached or ""
    if slash and type(__spec__.loader) is SourceFileLoader and cached.startswith(start):
        sys.meta_path.insert(0, Finder(cached.removeprefix(start)))
