"""Which functions are active, as stack traces tell it: also when a recursion without end has made millions of
frames, of which nobody wants an object each.

    active_sites(instance)   ->   [f: 3, f: 3, …, f: 3, main: 5], 4190104      left out in the middle

Frames form a chain, the innermost first.  Those of stubs, and of functions that stand for internal ones, are
called by others and call none of the program's, so they are at its beginning only.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from doralang.bytecode.places import Site
from doralang.code import layout
from doralang.code.symbols import STUB, Symbol
from doralang.machine.foreign import WORD, addressof, function
from doralang.runtime.instance import Instance
from doralang.types.traps import TRACE_LIMIT

ENDS: Final = 2 * TRACE_LIMIT
"""frames that are looked at from each end: of the program's functions among them there are enough"""
WALK: Final = Symbol(STUB, "walk")


def active_sites(instance: Instance, *, overflow: bool = False) -> tuple[list[Site], int]:
    """The active functions, innermost first, and how many are left out in the middle, which is none for few.

    After an overflow the innermost function is not active: there was no room for it.
    """
    inlined = instance.space.places.has_inlined
    inner = list(instance.frames() if inlined else islice(instance.frames(), 2 * ENDS))
    if inlined or len(inner) < 2 * ENDS:
        return told(instance, inner, overflow), 0
    start = instance.thread[layout.THREAD_LAST_FRAME]
    _, steps = walk(instance, start, 1 << 62)
    last, _ = walk(instance, start, steps - ENDS)
    outer = islice(instance.frames(last), ENDS + 1)
    sites = [*told(instance, inner[:ENDS], overflow), *told(instance, outer, False)]
    return sites, steps - 2 * ENDS


def told(instance: Instance, frames: Iterable[tuple[int, int]], overflow: bool) -> list[Site]:
    """The functions that some frames belong to, inlined ones too, without those that nobody is told of."""
    places = instance.space.places
    found = [place for _, address in frames if (place := places.get(address)) is not None]
    return [site for place in found[overflow:] for site in place.chain if not site.function.hidden]


def walk(instance: Instance, frame: int, most: int) -> tuple[int, int]:
    """The frame that is `most` steps further out, or the outermost one; and how many steps it is away."""
    left = WORD()
    reached = function(instance.space.address(WALK), WORD, WORD, WORD, WORD)(frame, most, addressof(left))
    return reached, most - left.value
