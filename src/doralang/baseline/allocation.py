"""The first pass: where each bytecode register lives.

A register gets a machine register as its home for the whole of its life, or a slot in the frame.  Its
life is taken as one interval, from the first instruction where it is live to the last; two registers
can share a home if their intervals do not touch.  If there are more than homes, the most used ones, by loop
depth, choose first (a simple form of priority allocation: Chow and Hennessy, 1990, over the intervals of
Poletto and Sarkar, 1999).

Calls lose the temporaries, so what lives there across a call is saved in its slot before and loaded after
it.  References do so in any home: the collector knows slots only, and it moves objects.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import compress

from doralang.baseline.convention import Convention, RegisterPool
from doralang.bytecode.function import Function
from doralang.bytecode.liveness import BITS, Liveness, analyse
from doralang.library.internals import WITHOUT_CALL
from doralang.machine.macro import AnyRegister
from doralang.machine.macro import Register as MachineRegister
from doralang.text.records import record
from doralang.types.kinds import FLOATING, REF, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CANDIDATES: Final = 300
"""So many registers, the most used ones, may get a home; it bounds the time for huge functions."""

MOST_HOMES: Final = 32
"""Machine registers of a kind, on any processor."""


@record(eq=True)
class Allocation:
    """The homes of a function's registers.

    `homes` has None for those that live in their slot, and behind all for `NO_REGISTER`, which is nobody's.
    `across` are, for the index of each call, the registers that live across it, as bits; those of them in
    `saved` must be saved and loaded around it, those in `references` are references, which a collector must
    find in their slots.
    """

    liveness: Liveness
    homes: list[AnyRegister | None]
    across: dict[int, int]
    saved: int = 0
    references: int = 0
    kept_used: tuple[MachineRegister, ...] = ()
    """the callee-saved machine registers that are homes"""


def allocate(function: Function, convention: Convention) -> Allocation:
    """Choose a home for each register of a function."""
    liveness = analyse(function, WITHOUT_CALL)
    allocation = Allocation(liveness, [None] * len(liveness.reads), liveness.across)
    if liveness.across:
        cost, crossing = cost_of_calls(liveness)
        choose_homes(function, allocation, cost, convention)
        note_saves(function, allocation, crossing, convention.integers.kept)
    else:
        choose_homes(function, allocation, None, convention)
    return allocation


def cost_of_calls(liveness: Liveness) -> tuple[list[int], int]:
    """For each register the calls that it lives across, by how often they are thought to happen; and those
    for which there are any, as bits.

    From one call to the next little changes, so only that is looked at: a register's cost is what all calls
    together cost where its life ends, less what they did where it began.
    """
    cost, crossing = [0] * len(liveness.reads), 0
    starts = [start for start, _, _ in liveness.blocks] if liveness.back else []
    weight, total, before = 1, 0, 0
    alive = [False] * len(cost)
    for call, live in liveness.across.items():
        if live != before:
            crossing |= live
            for register in BITS[live ^ before]:
                cost[register] += total if alive[register] else -total
                alive[register] = not alive[register]
            before = live
        if live:
            if starts:
                weight = liveness.weights[bisect_right(starts, call) - 1]
            total += weight
    for register in BITS[before]:
        cost[register] += total
    return cost, crossing


def choose_homes(
    function: Function, allocation: Allocation, cost: list[int] | None, convention: Convention
) -> None:
    """The most read registers first; each takes a free home if that is worth what calls make it cost.

    What a home is taken for is a set of places in the code, as the bits of an int.
    """
    taken, taken_floats = [0] * MOST_HOMES, [0] * MOST_HOMES
    kinds, homes, liveness = function.registers, allocation.homes, allocation.liveness
    reads, first, last = liveness.reads, liveness.first, liveness.last
    parameters = len(function.ref.parameters)
    arrivals = convention.passing[function.ref.parameters].arrivals
    integers, floats = convention.integers, convention.floats
    registers: Sequence[int] = range(len(kinds))
    if len(kinds) > len(integers.lost_first):  # otherwise there is a home for each
        registers = sorted(registers, key=reads.__getitem__, reverse=True)[:CANDIDATES]
    for register in registers:
        uses, kind = reads[register], kinds[register]
        if not uses:
            continue
        if kind in FLOATING:
            pool, busy = floats, taken_floats
        else:
            pool, busy = integers, taken
        wanted = pool.lost_first
        if cost and cost[register]:
            wanted = wanted_homes(kind, uses, cost[register], pool)
        if register < parameters:
            life = (2 << last[register]) - 1
            home = arrivals[register]
            if home in wanted and not busy[home] & life:  # best where it arrives: then it need not move
                busy[home] |= life
                homes[register] = home
                continue
        else:
            life = (2 << last[register]) - (1 << first[register])
        for home in wanted:
            if not busy[home] & life:
                busy[home] |= life
                homes[register] = home
                break
    if cost or len(kinds) > len(integers.lost):
        allocation.kept_used = tuple(compress(integers.kept, integers.of_kept(taken)))  # type: ignore[arg-type]


def wanted_homes(kind: Kind, benefit: int, cost: int, pool: RegisterPool) -> tuple[AnyRegister, ...]:
    """The homes that pay for a register that lives across calls, best first."""
    is_dear = 2 * cost > benefit
    if kind is REF:
        return () if is_dear else pool.lost_first
    return pool.kept if is_dear else pool.kept_first


def note_saves(
    function: Function, allocation: Allocation, crossing: int, kept: tuple[AnyRegister, ...]
) -> None:
    """What has to be in its slot during calls: references, and what is at home in a register that is lost."""
    kinds, homes = function.registers, allocation.homes
    for register in BITS[crossing]:
        kind, home = kinds[register], homes[register]
        if kind is REF:
            allocation.references |= 1 << register
        if home is not None and (kind is REF or kind in FLOATING or home not in kept):
            allocation.saved |= 1 << register
