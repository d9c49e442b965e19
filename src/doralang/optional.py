"""The one place where modules are imported that not every run needs.

Engines, commands and the like are rows with the name of a module, loaded when first wanted: a
program starts faster, and what is not installed is not missed.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Final

LLVM: Final = "llvmlite"
"""what the extra `dora-lang[llvm]` installs"""


LOADED: Final[dict[str, ModuleType]] = {}
"""modules that `load` has imported"""
UNDER_WAY: Final[list[int]] = []
"""the threads that import something here"""
PATIENCE: Final = 10.0
"""seconds that a fork waits for them at most"""


def load(name: str) -> ModuleType:
    """Import a module by its full name.  Raises ImportError if it, or what it needs, is not there."""
    module = LOADED.get(name)
    if module is None or sys.modules.get(name) is not module:
        thread = get_ident()
        UNDER_WAY.append(thread)
        try:
            __import__(name)
            module = LOADED[name] = sys.modules[name]
        finally:
            UNDER_WAY.remove(thread)
    return module


def before_fork() -> None:
    """Wait for imports of other threads: in a child nobody would bring them to an end, and Python would wait
    for them there."""
    thread, end = get_ident(), monotonic() + PATIENCE
    while UNDER_WAY.count(thread) < len(UNDER_WAY) and monotonic() < end:
        sleep(0.001)


def after_fork() -> None:
    """In a child, which has this thread only."""
    UNDER_WAY[:] = [get_ident()] * UNDER_WAY.count(get_ident())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=before_fork, after_in_child=after_fork)


def is_installed(name: str) -> bool:
    """Whether a package is there; it is not imported."""
    if name in sys.modules:
        return sys.modules[name] is not None
    return any(finder.find_spec(name, None) for finder in sys.meta_path)


def folder_of(package: str) -> str | None:
    """Where a package is, which is not imported; None if it is not there, or in no folder."""
    for finder in sys.meta_path:
        spec = finder.find_spec(package, None)
        if spec is not None:
            return next(iter(spec.submodule_search_locations or ()), None)
    return None
