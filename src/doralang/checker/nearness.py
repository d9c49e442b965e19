"""Did you mean …?  The visible name that is nearest to one that nobody knows.

    nearest("prinln", names)   ->   "println"

The distance is that of Damerau and Levenshtein in its simple form (optimal string alignment): how many
letters must be inserted, deleted, replaced or swapped with their neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable

from doralang.checker.scopes import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MOST_NAMES: Final = 1000
"""In larger scopes nothing is suggested: it would take too long."""
MOST_REPORTS: Final = 100
"""Nor behind so many reports: people do not get to see more."""
LONGEST: Final = 40


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The nearest of some names, if one is near enough for a slip of the fingers; the first of equals."""
    if not 1 < len(name) <= LONGEST:
        return None
    limit, best = max(1, len(name) // 3), None
    for number, other in enumerate(names):
        if number >= MOST_NAMES:
            return None
        if other != name and abs(len(other) - len(name)) <= limit:
            found = distance(name, other, limit)
            if found <= limit:
                limit, best = found - 1, other
                if not limit:
                    break
    return best


def distance(left: str, right: str, most: int) -> int:
    """How many changes make one word the other; anything above `most` if there are more."""
    if left.lower() == right.lower():
        return 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def suggestion(unit: Unit, name: str, names: Iterable[str]) -> str | None:
    """The hint for an unknown name."""
    if len(unit.diagnostics.reports) >= MOST_REPORTS:
        return None
    near = nearest(name, names)
    return f"did you mean `{near}`?" if near else None
