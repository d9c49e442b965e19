"""The one place where parts are loaded when first needed.

Engines, commands, collectors and third-party packages are rows that name a module; a run that
does not need them does not pay for importing them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """Import the module `name`.  Raises ImportError if it is not installed."""
    return import_module(name)
