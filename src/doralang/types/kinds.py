"""Kinds of values: what registers hold."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Kind(Enum):
    """What a register holds; all that bytecode and machine code know of types."""

    __hash__ = object.__hash__  # that of Enum is Python code, and tables by kind are everywhere

    BOOL = "bool"
    BYTE = "byte"
    CHAR = "char"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    REF = "ref"


# The kinds by themselves, for what looks at every instruction: reaching them through their class is slow.
BOOL, BYTE, CHAR, INT, LONG, FLOAT, DOUBLE, REF = Kind

FLOATING: Final = (FLOAT, DOUBLE)
"""Those that are in float registers."""
