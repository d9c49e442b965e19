"""Pickles of ufuncs over formulas and functions: what they were made from, as clusters send them to workers.

NumPy pickles a ufunc by its name.  `copyreg` lets us have ours pickled otherwise; those of others are
pickled as before.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

from doralang.embed.ufuncs import owner_of
from doralang.optional import load

if TYPE_CHECKING:
    from collections.abc import Callable


def watch() -> None:
    """Have the ufuncs of this process pickled here from now on."""
    kind = load("numpy").ufunc
    before = copyreg.dispatch_table.get(kind)
    if getattr(before, "__module__", "") != __name__:
        copyreg.pickle(kind, reducer(before))


def reducer(before: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """What pickles ufuncs; `before` does it for those that are not ours."""

    def reduced(ufunc: Any) -> Any:
        owner = owner_of(ufunc)
        if owner is None:
            return ufunc.__name__ if before is None else before(ufunc)
        if owner.source is None:
            raise TypeError(f"{ufunc!r} cannot be pickled: what it is made from cannot")
        remake, arguments = owner.source
        return remade, (remake, *arguments)

    return reduced


def remade(remake: Callable[..., Any], *arguments: Any) -> Any:
    """The ufunc of a pickle: that of the formula or function that `remake` makes."""
    return remake(*arguments).ufunc
