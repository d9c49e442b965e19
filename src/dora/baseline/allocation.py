"""The first pass: where each bytecode register lives.

A register gets a machine register as its home for the whole of its life, or a slot in the frame.  Its
life is taken as one interval, from the first instruction where it is live to the last; two registers
can share a home if their intervals do not touch.  The most used ones, by loop depth, choose first (a simple
form of priority allocation: Chow and Hennessy, 1990, over the intervals of Poletto and Sarkar, 1999).

Calls lose the temporaries, so what lives there across a call is saved in its slot before and loaded after
it.  References do so in any home: the collector knows slots only, and it moves objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dora.bytecode.function import Function
from dora.bytecode.instructions import CallInternal, Compute, Instruction, Register
from dora.bytecode.liveness import Liveness, analyse, bits
from dora.machine.macro import AnyRegister
from dora.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2
from dora.types.types import Kind

LOOP_WEIGHT: Final = 8
"""How often a loop is thought to go round."""

DEEPEST: Final = 6
"""Loops deeper than this weigh no more."""

CANDIDATES: Final = 300
"""So many registers, the most used ones, may get a home; it bounds the time for huge functions."""

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
class Pool:
    """Machine registers that can be homes.  Calls keep the ones in `kept`."""

    kept: tuple[AnyRegister, ...]
    lost: tuple[AnyRegister, ...]


@dataclass(slots=True)
class Allocation:
    """The homes of a function's registers.

    `homes` has None for those that live in their slot; `saved` are, for the index of each call, the registers
    to be saved and loaded around it; `references` those whose slots hold a live reference during it.
    """

    homes: list[AnyRegister | None]
    liveness: Liveness
    saved: dict[int, list[Register]] = field(default_factory=dict)
    references: dict[int, list[Register]] = field(default_factory=dict)
    kept_used: list[AnyRegister] = field(default_factory=list)
    """the callee-saved machine registers that are homes"""


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
    calls: dict[int, int] = field(default_factory=dict)
    """for the index of each call, the registers that live across it, as bits"""


def allocate(function: Function, integers: Pool, floats: Pool) -> Allocation:
    """Choose a home for each register of a function."""
    liveness = analyse(function)
    count = len(function.registers)
    survey = Survey([0] * count, [0] * count, [len(function.code)] * count, [-1] * count)
    weights = block_weights(function, liveness)
    for number in range(len(liveness.blocks)):
        survey_block(function, liveness, number, weights[number], survey)
    for parameter in range(len(function.ref.parameters)):
        survey.first[parameter] = -1
    allocation = Allocation([None] * count, liveness)
    choose_homes(function, allocation, survey, (integers, floats))
    note_saves(function, allocation, survey.calls, integers)
    return allocation


def loses_registers(instruction: Instruction) -> bool:
    """Whether an instruction is, or contains, a call."""
    if isinstance(instruction, CallInternal):
        return instruction.function.internal not in WITHOUT_CALL
    if instruction.calls:
        return True
    return isinstance(instruction, Compute) and instruction.operation.name in LIBRARY_CALLS


def block_weights(function: Function, liveness: Liveness) -> list[int]:
    """How often each block is thought to run, by the loops around it.

    A jump backwards makes a loop of everything between its target and itself.
    """
    depth = [0] * (len(function.code) + 1)
    for index, instruction in enumerate(function.code):
        if instruction.jumps and instruction.target <= index:  # type: ignore[attr-defined]
            depth[instruction.target] += 1  # type: ignore[attr-defined]
            depth[index + 1] -= 1
    running, weights = 0, []
    position = 0
    for block in liveness.blocks:
        while position <= block.start:
            running += depth[position]
            position += 1
        weights.append(LOOP_WEIGHT ** min(running, DEEPEST))
    return weights


def survey_block(function: Function, liveness: Liveness, number: int, weight: int, survey: Survey) -> None:
    """Walk up a block and note uses, calls, and where registers begin and end to live."""
    block, live = liveness.blocks[number], liveness.live_out[number]
    benefit, cost, first, last = survey.benefit, survey.cost, survey.first, survey.last
    code, effects = function.code, liveness.effects
    for register in bits(live):
        if last[register] < block.end:
            last[register] = block.end
    for index in range(block.end - 1, block.start - 1, -1):
        definition, uses = effects[index]
        if definition:
            register = Register(definition.bit_length() - 1)
            benefit[register] += weight
            if first[register] > index:
                first[register] = index
            if last[register] < index:
                last[register] = index
            live &= ~definition
        insn = code[index]
        if (insn.calls or type(insn) is Compute) and loses_registers(insn):
            survey.calls[index] = live
            for register in bits(live):
                cost[register] += weight
        for register in bits(uses):
            benefit[register] += weight
            if last[register] < index:
                last[register] = index
        live |= uses
    for register in bits(live):
        if first[register] > block.start:
            first[register] = block.start


def choose_homes(
    function: Function, allocation: Allocation, survey: Survey, pools: tuple[Pool, Pool]
) -> None:
    """The most used registers first; each takes a free home if that is worth what calls make it cost."""
    taken: dict[tuple[bool, AnyRegister], list[tuple[int, int]]] = {}
    benefit, cost = survey.benefit, survey.cost
    order = sorted(range(len(benefit)), key=benefit.__getitem__, reverse=True)[:CANDIDATES]
    for register in order:
        kind = function.registers[register]
        floating = kind in FLOATING
        start, end = survey.first[register], survey.last[register]
        for home in wanted_homes(kind, benefit[register], cost[register], pools[floating]):
            others = taken.setdefault((floating, home), [])
            for other_start, other_end in others:
                if start <= other_end and other_start <= end:
                    break
            else:
                others.append((start, end))
                allocation.homes[register] = home
                if home in pools[0].kept and not floating and home not in allocation.kept_used:
                    allocation.kept_used.append(home)
                break


def wanted_homes(kind: Kind, benefit: int, cost: int, pool: Pool) -> tuple[AnyRegister, ...]:
    """The homes that pay for a register, best first."""
    is_dear = 2 * cost >= benefit
    if kind is Kind.REF:
        return () if is_dear else pool.lost + pool.kept
    if cost:
        return pool.kept if is_dear else pool.kept + pool.lost
    return pool.lost + pool.kept


def note_saves(function: Function, allocation: Allocation, calls: dict[int, int], integers: Pool) -> None:
    """What has to be in its slot during each call."""
    kinds, homes, kept = function.registers, allocation.homes, integers.kept
    for index, live in calls.items():
        saved, references = [], []
        for register in bits(live):
            kind, home = kinds[register], homes[register]
            if kind is Kind.REF:
                references.append(register)
                if home is not None:
                    saved.append(register)
            elif home is not None and (kind in FLOATING or home not in kept):
                saved.append(register)
        allocation.saved[index] = saved
        allocation.references[index] = references
