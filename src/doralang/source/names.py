"""Names that C and Go accept and that still say which function or variable of the program it is.

square           ->   dora_square
Box.get<int>     ->   dora_Box_get_int
square#2         ->   dora_square          the number depends on what else the process has met
unsigned         ->   dora_unsigned        every name of the program begins so, and no other name of the text
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from doralang.bytecode.entities import FunctionRef

PREFIX: Final = "dora_"
"""keeps clear of keywords, of macros and of the libraries' names"""
NOT_A_LETTER: Final = re.compile(r"[^A-Za-z0-9]+")
LONGEST: Final = 100


def identifiers(functions: Sequence[FunctionRef]) -> dict[FunctionRef, str]:
    """A name for each function, all different."""
    names = distinct([function.name.partition("#")[0] for function in functions])
    return dict(zip(functions, names, strict=True))


def distinct(names: Iterable[str]) -> list[str]:
    """An identifier for each of these names of a program, which may be words of C and Go; all different."""
    found: list[str] = []
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for name in names:
        identifier = plain = PREFIX + NOT_A_LETTER.sub("_", name).strip("_")[:LONGEST]
        while identifier in taken:
            numbers[plain] += 1
            identifier = f"{plain}_{numbers[plain] + 1}"
        taken.add(identifier)
        found.append(identifier)
    return found


def entry_name(name: str) -> str:
    """The name under which the host finds a function."""
    return f"enter_{name}"
