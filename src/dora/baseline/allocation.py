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
from dora.bytecode.instructions import CallInternal, Compute, Effect, Instruction, Register, target_of
from dora.bytecode.liveness import Liveness, analyse, bits, live_across
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


def allocate(function: Function, integers: Pool, floats: Pool) -> Allocation:
    """Choose a home for each register of a function."""
    liveness = analyse(function)
    across = live_across(liveness, function)
    calls = {index: live for index, live in across.items() if loses_registers(function.code[index])}
    weights = block_weights(function, liveness)
    benefit, cost = count_uses(function, liveness, weights, calls)
    allocation = Allocation([None] * len(function.registers), liveness)
    choose_homes(function, allocation, benefit, cost, intervals(liveness, function), (integers, floats))
    note_saves(function, allocation, calls, integers)
    return allocation


def loses_registers(instruction: Instruction) -> bool:
    """Whether an instruction is, or contains, a call."""
    if isinstance(instruction, Compute):
        return instruction.operation.name in LIBRARY_CALLS
    if isinstance(instruction, CallInternal):
        return instruction.function.internal not in WITHOUT_CALL
    return bool(instruction.effects & (Effect.CALLS | Effect.ALLOCATES))


def block_weights(function: Function, liveness: Liveness) -> list[int]:
    """How often each block is thought to run, by the loops around it.

    A jump backwards makes a loop of everything between its target and itself.
    """
    depth = [0] * (len(function.code) + 1)
    for index, instruction in enumerate(function.code):
        target = target_of(instruction)
        if target is not None and target <= index:
            depth[target] += 1
            depth[index + 1] -= 1
    running, weights = 0, []
    position = 0
    for block in liveness.blocks:
        while position <= block.start:
            running += depth[position]
            position += 1
        weights.append(LOOP_WEIGHT ** min(running, DEEPEST))
    return weights


def count_uses(
    function: Function, liveness: Liveness, weights: list[int], calls: dict[int, int]
) -> tuple[list[int], list[int]]:
    """For each register the weight of its uses, and of the calls that it lives across."""
    benefit = [0] * len(function.registers)
    cost = [0] * len(function.registers)
    for block, weight in zip(liveness.blocks, weights, strict=True):
        for index in range(block.start, block.end):
            definition, uses = liveness.effects[index]
            for register in bits(uses):
                benefit[register] += weight
            if definition:
                benefit[definition.bit_length() - 1] += weight
            for register in bits(calls.get(index, 0)):
                cost[register] += weight
    return benefit, cost


def intervals(liveness: Liveness, function: Function) -> list[tuple[int, int]]:
    """First and last instruction at which each register is live or written."""
    count = len(function.registers)
    first, last = [len(function.code)] * count, [-1] * count

    def extend(registers: int, index: int) -> None:
        for register in bits(registers):
            first[register] = min(first[register], index)
            last[register] = max(last[register], index)

    for block, live_in, live_out in zip(liveness.blocks, liveness.live_in, liveness.live_out, strict=True):
        extend(live_in, block.start)
        extend(live_out, block.end)
        for index in range(block.start, block.end):
            definition, uses = liveness.effects[index]
            extend(uses | definition, index)
    for parameter in range(len(function.ref.parameters)):
        first[parameter] = -1
    return list(zip(first, last, strict=True))


def choose_homes(
    function: Function,
    allocation: Allocation,
    benefit: list[int],
    cost: list[int],
    life: list[tuple[int, int]],
    pools: tuple[Pool, Pool],
) -> None:
    """The most used registers first; each takes a free home if that is worth what calls make it cost."""
    taken: dict[tuple[bool, AnyRegister], list[tuple[int, int]]] = {}
    order = sorted(range(len(benefit)), key=benefit.__getitem__, reverse=True)[:CANDIDATES]
    for register in order:
        kind = function.registers[register]
        floating = kind in FLOATING
        pool = pools[floating]
        is_dear = 2 * cost[register] >= benefit[register]
        if kind is Kind.REF:
            homes = () if is_dear else pool.lost + pool.kept
        elif cost[register]:
            homes = pool.kept if is_dear else pool.kept + pool.lost
        else:
            homes = pool.lost + pool.kept
        for home in homes:
            others = taken.setdefault((floating, home), [])
            if all(life[register][1] < start or end < life[register][0] for start, end in others):
                others.append(life[register])
                allocation.homes[register] = home
                if home in pool.kept and home not in allocation.kept_used:
                    allocation.kept_used.append(home)
                break


def note_saves(function: Function, allocation: Allocation, calls: dict[int, int], integers: Pool) -> None:
    """What has to be in its slot during each call."""
    for index, live in calls.items():
        saved, references = [], []
        for register in bits(live):
            kind = function.registers[register]
            home = allocation.homes[register]
            if kind is Kind.REF:
                references.append(register)
            keeps = kind not in FLOATING and kind is not Kind.REF and home in integers.kept
            if home is not None and not keeps:
                saved.append(register)
        allocation.saved[index] = saved
        allocation.references[index] = references
