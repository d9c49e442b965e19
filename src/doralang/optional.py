"""The one place where modules are imported that not every run needs.

Engines, commands and the like are rows with the name of a module, loaded when first wanted: a
program starts faster, and what is not installed is not missed.
"""

from __future__ import annotations

import sys
from types import ModuleType

LLVM = "llvmlite"
"""what the extra `dora-lang[llvm]` installs"""


def load(name: str) -> ModuleType:
    """Import a module by its full name.  Raises ImportError if it, or what it needs, is not there."""
    __import__(name)
    return sys.modules[name]


def is_installed(name: str) -> bool:
    """Whether a package is there; it is not imported."""
    found = load("importlib.util").find_spec(name)
    return found is not None
