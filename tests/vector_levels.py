"""The levels of packed code that this processor has: what is packed is tested at each of them.

There are none on AArch64, where all of it is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from doralang.embed import formulas, levels
from doralang.machine.x64.levels import Level


def here() -> list[Level]:
    if not formulas.HAS_ARRAY_ENTRIES:
        return []
    formulas.place()
    return [level for level in Level if level <= levels.found()]


HERE: Final = here()


@contextmanager
def at_level(level: Level) -> Iterator[None]:
    """Let no more be used than a level has."""
    highest = levels.HIGHEST
    levels.HIGHEST = level  # type: ignore[misc]
    try:
        yield
    finally:
        levels.HIGHEST = highest  # type: ignore[misc]
