"""Which functions are active, as stack traces tell it: also when a recursion without end has made millions of
frames, of which nobody wants an object each.

    active_sites(instance)   ->   [f: 3, f: 3, …, f: 3, main: 5], 4190104      left out in the middle

Frames form a chain, the innermost first.  Those of stubs, and of functions that stand for internal ones, are
called by others and call none of the program's, so they are at its beginning only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
DIFFERENT: Final = 64
"""return addresses that are counted at once: a recursion without end has a few"""
TALLY: Final = Symbol(STUB, "tally")
WALK: Final = Symbol(STUB, "walk")


def active_sites(instance: Instance, *, overflow: bool = False) -> tuple[list[Site], int]:
    """The active functions, innermost first, and how many are left out in the middle, which is none for few.

    After an overflow the innermost function is not active: there was no room for it.
    """
    inner = list(islice(instance.frames(), 2 * ENDS))
    if len(inner) < 2 * ENDS:
        return told(instance, inner, overflow), 0
    inner = inner[:ENDS]
    start = instance.thread[layout.THREAD_LAST_FRAME]
    _, steps = walk(instance, start, 1 << 62)
    last, _ = walk(instance, start, steps - ENDS)
    outer = list(islice(instance.frames(last), ENDS + 1))
    left_out = sum(count * len(told_of(instance, address)) for address, count in tally(instance, start))
    left_out -= sum(len(told_of(instance, address)) for _, address in [*inner, *outer])
    return [*told(instance, inner, overflow), *told(instance, outer, False)], left_out


def told(instance: Instance, frames: Iterable[tuple[int, int]], overflow: bool) -> list[Site]:
    """The functions that some frames belong to, inlined ones too, without those that nobody is told of."""
    places = instance.space.places
    found = [address for _, address in frames if places.get(address) is not None]
    return [site for address in found[overflow:] for site in told_of(instance, address)]


def told_of(instance: Instance, address: int) -> list[Site]:
    """The functions that are active in the frame of a return address; mostly one, of a stub none."""
    place = instance.space.places.get(address)
    return [] if place is None else [site for site in place.chain if not site.function.hidden]


def tally(instance: Instance, frame: int) -> Iterator[tuple[int, int]]:
    """How often return addresses are in the chain from a frame on; one may come several times."""
    count = function(instance.space.address(TALLY), WORD, WORD, WORD, WORD)
    while frame:
        table = (WORD * (2 * DIFFERENT))()
        frame = count(frame, addressof(table), addressof(table) + 2 * DIFFERENT * layout.WORD)
        yield from zip(table[::2], table[1::2], strict=True)


def walk(instance: Instance, frame: int, most: int) -> tuple[int, int]:
    """The frame that is `most` steps further out, or the outermost one; and how many steps it is away."""
    left = WORD()
    reached = function(instance.space.address(WALK), WORD, WORD, WORD, WORD)(frame, most, addressof(left))
    return reached, most - left.value
