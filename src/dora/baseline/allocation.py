"""The first pass: where each bytecode register lives.

A register gets a machine register as its home for the whole of its life, or a slot in the frame.  Its
life is taken as one interval, from the first instruction where it is live to the last; two registers
can share a home if their intervals do not touch.  The most used ones, by loop depth, choose first (a simple
form of priority allocation: Chow and Hennessy, 1990, over the intervals of Poletto and Sarkar, 1999).

Calls lose the temporaries, so what lives there across a call is saved in its slot before and loaded after
it.  References do so in any home: the collector knows slots only, and it moves objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dora.baseline.convention import Convention, Pool
from dora.bytecode.function import Function
from dora.bytecode.instructions import CallInternal, Compute, Instruction
from dora.bytecode.liveness import Liveness, analyse, bits
from dora.machine.macro import AnyRegister
from dora.machine.macro import Register as MachineRegister
from dora.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2
from dora.types.types import Kind

WEIGHTS: Final = tuple(8**depth for depth in range(7))
"""How often code is thought to run, by the loops around it; deeper ones weigh no more."""

CANDIDATES: Final = 300
"""So many registers, the most used ones, may get a home; it bounds the time for huge functions."""

MOST_HOMES: Final = 32
"""Machine registers of a kind, on any processor."""

FLOATING: Final = (Kind.FLOAT, Kind.DOUBLE)


LIBRARY_CALLS: Final = frozenset(
    [f"double.{name}" for name in (*C_FUNCTIONS_1, *C_FUNCTIONS_2) if name not in ("floor", "ceil", "trunc")]
    + ["double.mod", "float.mod"]
)
"""Primitives that call the C library."""


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


@dataclass(slots=True)
class Survey:
    """What the homes are chosen by; each list has an entry for each register."""

    benefit: list[int]
    """weight of its uses"""
    cost: list[int]
    """weight of the calls that it lives across"""
    first: list[int]
    """first and last instruction at which it is live or written"""
    last: list[int]


def allocate(function: Function, convention: Convention) -> Allocation:
    """Choose a home for each register of a function."""
    liveness = analyse(function)
    count = len(function.registers)
    survey = Survey([0] * count, [0] * count, [-1] * count, [-1] * count)
    allocation = Allocation(liveness, [None] * count, {})
    survey_code(function, allocation, survey)
    for parameter in range(len(function.ref.parameters)):
        survey.first[parameter] = -1
        if survey.last[parameter] < 0:
            allocation.unused |= 1 << parameter
    choose_homes(function, allocation, survey, convention)
    if allocation.across:
        note_saves(function, allocation, convention)
    return allocation


def loses_registers(instruction: Instruction) -> bool:
    """Whether an instruction is, or contains, a call."""
    if type(instruction) is Compute:
        return instruction.operation.name in LIBRARY_CALLS
    if type(instruction) is CallInternal:
        return instruction.function.internal not in WITHOUT_CALL
    return instruction.calls


def survey_code(function: Function, allocation: Allocation, survey: Survey) -> None:
    """Walk up the code and note uses, calls, and where registers begin and end to live.

    The first place of a register that is met is the end of its life, the last one the beginning.
    """
    benefit, first, last, across = survey.benefit, survey.first, survey.last, allocation.across
    code, liveness = function.code, allocation.liveness
    accesses = liveness.accesses
    for number in range(len(liveness.blocks) - 1, -1, -1):
        block, live = liveness.blocks[number], liveness.live_out[number]
        weight = WEIGHTS[block.depth] if block.depth < len(WEIGHTS) else WEIGHTS[-1]
        if live:
            note_ends(last, live, block.end)
        for index in range(block.end - 1, block.start - 1, -1):
            defined, used, target, sources = accesses[index]
            if defined:
                benefit[target] += weight
                first[target] = index
                if last[target] < 0:
                    last[target] = index
                live &= ~defined
            if code[index].may_call and loses_registers(code[index]):
                across[index] = live
                for register in bits(live):
                    survey.cost[register] += weight
            for register in sources:
                benefit[register] += weight
                if last[register] < 0:
                    last[register] = index
            live |= used
        if live:
            for register in bits(live):
                first[register] = block.start


def note_ends(last: list[int], live: int, end: int) -> None:
    """Registers live on behind a block that ends at `end`."""
    for register in bits(live):
        if last[register] < 0:
            last[register] = end


def choose_homes(function: Function, allocation: Allocation, survey: Survey, convention: Convention) -> None:
    """The most used registers first; each takes a free home if that is worth what calls make it cost.

    What a home is taken for is a set of instructions, as the bits of an int.
    """
    taken, taken_floats = [0] * MOST_HOMES, [0] * MOST_HOMES
    kinds, homes, benefit, cost = function.registers, allocation.homes, survey.benefit, survey.cost
    arrivals = convention.passing(function.ref.parameters).values
    for register in sorted(range(len(benefit)), key=benefit.__getitem__, reverse=True)[:CANDIDATES]:
        if not benefit[register]:
            break
        kind = kinds[register]
        pool, busy = convention.integers, taken
        if kind in FLOATING:
            pool, busy = convention.floats, taken_floats
        wanted = pool.lost_first
        if cost[register]:
            wanted = wanted_homes(kind, benefit[register], cost[register], pool)
        if register < len(arrivals):
            wanted = with_arrival(arrivals[register].register, wanted)
        life = (2 << survey.last[register] + 1) - (1 << survey.first[register] + 1)
        for home in wanted:
            if not busy[home] & life:
                busy[home] |= life
                homes[register] = home
                break
    allocation.kept_used = tuple([home for home in convention.integers.kept if taken[home]])  # type: ignore[misc]


def with_arrival(arrival: AnyRegister | None, wanted: tuple[AnyRegister, ...]) -> tuple[AnyRegister, ...]:
    """A parameter is best at home where it arrives: then it need not move."""
    return (arrival, *wanted) if arrival is not None and arrival in wanted else wanted


def wanted_homes(kind: Kind, benefit: int, cost: int, pool: Pool) -> tuple[AnyRegister, ...]:
    """The homes that pay for a register that lives across calls, best first."""
    is_dear = 2 * cost >= benefit
    if kind is Kind.REF:
        return () if is_dear else pool.lost_first
    return pool.kept if is_dear else pool.kept_first


def note_saves(function: Function, allocation: Allocation, convention: Convention) -> None:
    """What has to be in its slot during calls: references, and what is at home in a register that is lost."""
    kept = convention.integers.kept
    saved, references, bit = 0, 0, 1
    for kind, home in zip(function.registers, allocation.homes, strict=True):
        if kind is Kind.REF:
            references |= bit
        if home is not None and (kind is Kind.REF or kind in FLOATING or home not in kept):
            saved |= bit
        bit <<= 1
    allocation.saved, allocation.references = saved, references
