"""Which registers are live where: what a collector must find in a frame, and what calls must keep.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)
"""

from __future__ import annotations

from dataclasses import dataclass

from dora.bytecode.blocks import Block, find_blocks
from dora.bytecode.function import Function
from dora.bytecode.instructions import EFFECT_BITS, Register
from dora.types.types import Kind

Effects = list[tuple[int, int]]
"""For each instruction the register that it defines and those that it uses, as bits."""


@dataclass(slots=True)
class Liveness:
    """The registers that are live at the start and at the end of each block, as bits."""

    blocks: list[Block]
    effects: Effects
    live_in: list[int]
    live_out: list[int]


def analyse(function: Function) -> Liveness:
    """Liveness of all registers at the borders of blocks."""
    effects = [EFFECT_BITS[type(insn)](insn) for insn in function.code]
    blocks = find_blocks(function)
    live_in, live_out = solve(blocks, effects)
    return Liveness(blocks, effects, live_in, live_out)


def solve(blocks: list[Block], effects: Effects) -> tuple[list[int], list[int]]:
    generated, killed = [], []
    for block in blocks:
        use, kill = 0, 0
        for index in range(block.end - 1, block.start - 1, -1):
            definition, uses = effects[index]
            use = use & ~definition | uses
            kill |= definition
        generated.append(use)
        killed.append(kill)
    if len(blocks) == 1:
        return generated, [0]
    live_in = [0] * len(blocks)
    live_out = [0] * len(blocks)
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            out = 0
            for successor in blocks[number].successors:
                out |= live_in[successor]
            live_out[number] = out
            new = generated[number] | out & ~killed[number]
            if new != live_in[number]:
                live_in[number] = new
                changed = True
    return live_in, live_out


def live_across(liveness: Liveness, function: Function) -> dict[int, int]:
    """For the index of each safepoint, the registers needed after it and defined before it, as bits."""
    result: dict[int, int] = {}
    for block, live in zip(liveness.blocks, liveness.live_out, strict=True):
        for index in range(block.end - 1, block.start - 1, -1):
            definition, uses = liveness.effects[index]
            live &= ~definition
            if function.code[index].is_safepoint:
                result[index] = live
            live |= uses
    return result


def live_references(function: Function) -> dict[int, list[Register]]:
    """For the index of each safepoint, the references that a collector must find in the frame."""
    references = sum(1 << index for index, kind in enumerate(function.registers) if kind is Kind.REF)
    across = live_across(analyse(function), function)
    return {index: bits(live & references) for index, live in across.items()}


KNOWN: dict[int, list[Register]] = {0: []}
MOST_KNOWN = 1 << 14


def bits(live: int) -> list[Register]:
    """The numbers of the bits that are set, in order.  The list is shared: it must not be changed."""
    known = KNOWN.get(live)
    if known is not None:
        return known
    result, rest = [], live
    while rest:
        lowest = rest & -rest
        result.append(Register(lowest.bit_length() - 1))
        rest ^= lowest
    if len(KNOWN) >= MOST_KNOWN:
        KNOWN.clear()
    KNOWN[live] = result
    return result
