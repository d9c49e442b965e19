"""The one place where modules are imported that not every run needs.

Engines, commands and the like are rows with the name of a module, loaded when first wanted: a
program starts faster, and what is not installed is not missed.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Final

LLVM: Final = "llvmlite"
"""what the extra `dora-lang[llvm]` installs"""


def load(name: str) -> ModuleType:
    """Import a module by its full name.  Raises ImportError if it, or what it needs, is not there."""
    __import__(name)
    return sys.modules[name]


def is_installed(name: str) -> bool:
    """Whether a package is there; it is not imported."""
    if name in sys.modules:
        return sys.modules[name] is not None
    return any(finder.find_spec(name, None) for finder in sys.meta_path)
