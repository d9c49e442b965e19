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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

from dora.baseline.convention import Convention, Pool
from dora.bytecode.function import Function
from dora.bytecode.instructions import CallInternal, Instruction
from dora.bytecode.liveness import BITS, Liveness, live_at_start, prepare, solve
from dora.machine.macro import AnyRegister
from dora.machine.macro import Register as MachineRegister
from dora.types.kinds import FLOATING, REF, Kind

WEIGHTS: Final = tuple(8**depth for depth in range(7))
"""How often code is thought to run, by the loops around it; deeper ones weigh no more."""

CANDIDATES: Final = 300
"""So many registers, the most used ones, may get a home; it bounds the time for huge functions."""

MOST_HOMES: Final = 32
"""Machine registers of a kind, on any processor."""


WITHOUT_CALL: Final = frozenset(
    [
        "Str.len",
        "Str.getByte",
        "outOfBounds",
        "loadByte",
        "loadShort",
        "loadInt",
        "loadLong",
        "storeByte",
        "storeShort",
        "storeInt",
        "storeLong",
        "compareAndSwapLong",
        "fence",
        "copyMemory",
        "clearMemory",
        "addressOf",
        "fromAddress",
        "threadAddress",
        "framePointer",
        "attentionWanted",
        "nativeAddress",
    ]
)
"""Internal functions that are a few machine instructions and no call."""


@dataclass(slots=True)
class Allocation:
    """The homes of a function's registers.

    `homes` has None for those that live in their slot.  `across` are, for the index of each call, the
    registers that live across it, as bits; those of them in `saved` must be saved and loaded around it,
    those in `references` are references, which a collector must find in their slots.
    """

    liveness: Liveness
    homes: list[AnyRegister | None]
    across: dict[int, int]
    saved: int = 0
    references: int = 0
    kept_used: tuple[MachineRegister, ...] = ()
    """the callee-saved machine registers that are homes"""
    unused: int = 0
    """the parameters that nobody reads, as bits"""


def allocate(function: Function, convention: Convention) -> Allocation:
    """Choose a home for each register of a function."""
    liveness = prepare(function)
    if liveness.calls:
        liveness.calls = calls_among(function.code, liveness.calls)
    solve(liveness)
    across = liveness.across
    allocation = Allocation(liveness, [None] * len(function.registers), across)
    facts = survey(function, allocation)
    choose_homes(function, allocation, facts, convention)
    if across:
        note_saves(function, allocation, convention.integers.kept)
    return allocation


def calls_among(code: list[Instruction], candidates: list[int]) -> list[int]:
    """Those of some calls that are not of internal functions which are a few machine instructions."""
    return [
        index
        for index in candidates
        if type(insn := code[index]) is not CallInternal or insn.function.internal not in WITHOUT_CALL
    ]


Survey = tuple[list[int], list[int], list[int], list[int]]
"""What homes are chosen by, for each register: the weight of its uses, the weight of the calls that it lives
across, where its life begins (parameters come before all else) and where it ends."""


def survey(function: Function, allocation: Allocation) -> Survey:
    """Count uses, and see from where to where registers live.

    A register lives from where the code mentions it first to where it does last, but if its value goes
    around a loop, it lives throughout the loop.
    """
    size, liveness = len(function.registers) + 1, allocation.liveness
    benefit, cost, first, last = [0] * size, [0] * size, [0] * size, [0] * size  # the last is for NO_REGISTER
    accesses, calls = liveness.accesses, liveness.calls[::-1]
    for start, end, weight in stretches(liveness) if liveness.has_loops else [(0, len(accesses), 1)]:
        for index, (_, _, target, sources) in enumerate(accesses[start:end], start + 1):
            if not first[target]:
                first[target] = index
            last[target] = index
            for register in sources:
                benefit[register] += weight
                last[register] = index
        while calls and calls[-1] < end:
            for register in BITS[liveness.across[calls.pop()]]:
                cost[register] += weight
    if liveness.has_loops:
        live_through_loops(liveness, first, last)
    for parameter in range(len(function.ref.parameters)):
        first[parameter] = 0
        if not benefit[parameter]:
            allocation.unused |= 1 << parameter
    return benefit, cost, first, last


def stretches(liveness: Liveness) -> list[tuple[int, int, int]]:
    """Stretches of code, from where to where, and how often each is thought to run."""
    deepest = len(WEIGHTS) - 1
    return [(block.start, block.end, WEIGHTS[min(block.depth, deepest)]) for block in liveness.blocks]


def live_through_loops(liveness: Liveness, first: list[int], last: list[int]) -> None:
    """What is live where a jump leads back to lives from there to the jump."""
    blocks = liveness.blocks
    for number, block in enumerate(blocks):
        for successor in block.successors:
            if successor <= number:
                head = blocks[successor]
                for register in BITS[live_at_start(liveness, head, liveness.live_out[successor], [])]:
                    first[register] = min(first[register], head.start + 1)
                    last[register] = max(last[register], block.end)


def choose_homes(function: Function, allocation: Allocation, survey: Survey, convention: Convention) -> None:
    """The most used registers first; each takes a free home if that is worth what calls make it cost.

    What a home is taken for is a set of places in the code, as the bits of an int.
    """
    taken, taken_floats = [0] * MOST_HOMES, [0] * MOST_HOMES
    kinds, homes = function.registers, allocation.homes
    benefit, cost, first, last = survey
    parameters = len(function.ref.parameters)
    arrivals = convention.passing[function.ref.parameters].arrivals
    integers, floats = convention.integers, convention.floats
    registers: Sequence[int] = range(len(kinds))
    if len(kinds) > len(integers.lost_first):  # otherwise there is a home for each
        registers = sorted(registers, key=benefit.__getitem__, reverse=True)[:CANDIDATES]
    for register in registers:
        uses, calls, kind = benefit[register], cost[register], kinds[register]
        if not uses:
            continue
        if kind in FLOATING:
            pool, busy = floats, taken_floats
        else:
            pool, busy = integers, taken
        wanted = wanted_homes(kind, uses, calls, pool) if calls else pool.lost_first
        life = (2 << last[register]) - (1 << first[register])
        if register < parameters:
            home = arrivals[register]
            if home in wanted and not busy[home] & life:  # best where it arrives: then it need not move
                busy[home] |= life
                homes[register] = home
                continue
        for home in wanted:
            if not busy[home] & life:
                busy[home] |= life
                homes[register] = home
                break
    if allocation.across or len(kinds) > len(integers.lost):
        allocation.kept_used = tuple(compress(integers.kept, integers.of_kept(taken)))  # type: ignore[arg-type]


def wanted_homes(kind: Kind, benefit: int, cost: int, pool: Pool) -> tuple[AnyRegister, ...]:
    """The homes that pay for a register that lives across calls, best first."""
    is_dear = 2 * cost > benefit
    if kind is REF:
        return () if is_dear else pool.lost_first
    return pool.kept if is_dear else pool.kept_first


def note_saves(function: Function, allocation: Allocation, kept: tuple[AnyRegister, ...]) -> None:
    """What has to be in its slot during calls: references, and what is at home in a register that is lost."""
    kinds, homes = function.registers, allocation.homes
    crossing = 0
    for live in allocation.across.values():
        crossing |= live
    for register in BITS[crossing]:
        kind, home = kinds[register], homes[register]
        if kind is REF:
            allocation.references |= 1 << register
        if home is not None and (kind is REF or kind in FLOATING or home not in kept):
            allocation.saved |= 1 << register
