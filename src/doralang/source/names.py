"""Names of functions that C and Go accept and that still say which function it is.

square           ->   dora_square
Box.get<int>     ->   dora_Box_get_int
square#2         ->   dora_square          the number depends on what else the process has met
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from doralang.bytecode.entities import FunctionRef

PREFIX: Final = "dora_"
"""keeps clear of keywords and of the libraries' names"""
NOT_A_LETTER: Final = re.compile(r"[^A-Za-z0-9]+")
LONGEST: Final = 100


def identifiers(functions: Sequence[FunctionRef]) -> dict[FunctionRef, str]:
    """A name for each function, all different."""
    names: dict[FunctionRef, str] = {}
    taken: set[str] = set()
    for function in functions:
        name = plain = PREFIX + NOT_A_LETTER.sub("_", function.name.partition("#")[0]).strip("_")[:LONGEST]
        number = 2
        while name in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name)
        names[function] = name
    return names


def entry_name(name: str) -> str:
    """The name under which the host finds a function."""
    return f"enter_{name}"
