"""Where arguments go, and copies that are made as if all at once, in an order in which that comes out.

    a <- b, b <- c          a <- b; b <- c
    a <- b, b <- a          s <- a; a <- b; b <- s        with a scratch register s

A copy is ready when nobody else still reads its target.  When none is, only cycles are left; one
register of each is moved out of the way.  (Boissinot and others, 2009, 4.2, tell the history.)
"""

from __future__ import annotations

from functools import lru_cache

from doralang.machine.macro import AnyRegister, Argument, CallLayout, FloatRegister, Move, Register
from doralang.types.kinds import FLOATING, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def in_order(moves: tuple[Move, ...], scratch: Register, float_scratch: FloatRegister) -> list[Move]:
    """The moves one after another, those of integers first."""
    integers = [move for move in moves if move[0] not in FLOATING and move[1] != move[2]]
    floats = [move for move in moves if move[0] in FLOATING and move[1] != move[2]]
    return [*sequence(integers, Kind.LONG, scratch), *sequence(floats, Kind.DOUBLE, float_scratch)]


def sequence(waiting: list[Move], widest: Kind, scratch: AnyRegister) -> list[Move]:
    """The moves of one kind of registers."""
    done: list[Move] = []
    while waiting:
        sources = [source for _, _, source in waiting]
        ready = [move for move in waiting if move[1] not in sources]
        done += ready
        waiting = [move for move in waiting if move[1] in sources]
        if waiting and not ready:
            freed = waiting[0][1]
            done.append((widest, scratch, freed))
            waiting = [
                (kind, target, scratch if source == freed else source) for kind, target, source in waiting
            ]
    return done


KEPT: Final = 4096
"""signatures, and combinations of moves, that are remembered"""


@lru_cache(KEPT)
def call_layout(
    kinds: tuple[Kind, ...], integers: tuple[Register, ...], floats: tuple[FloatRegister, ...]
) -> CallLayout:
    """Registers first, each list by itself; then words on the stack.

    So do the System V convention of x86-64 and, on Linux, AAPCS64 (6.8.2).
    """
    free_integers, free_floats = list(integers), list(floats)
    stack = 0
    placed: list[Argument] = []
    for kind in kinds:
        free: list[Register] | list[FloatRegister] = free_floats if kind in FLOATING else free_integers
        if free:
            placed.append(Argument(kind, free.pop(0), 0))
        else:
            placed.append(Argument(kind, None, stack))
            stack += 8
    return tuple(placed), stack + 15 & ~15
