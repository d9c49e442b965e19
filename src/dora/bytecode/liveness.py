"""Which references are live across each safepoint: what a garbage collector must find in the frame.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)
"""

from __future__ import annotations

from dora.bytecode.blocks import Block, find_blocks
from dora.bytecode.function import Function
from dora.bytecode.instructions import NO_REGISTER, Register, defined, is_safepoint, used
from dora.types.types import Kind


def live_references(function: Function) -> dict[int, list[Register]]:
    """For the index of each safepoint, the references that are needed after it and defined before it."""
    references = sum(1 << index for index, kind in enumerate(function.registers) if kind is Kind.REF)
    if not references:
        return {index: [] for index, one in enumerate(function.code) if is_safepoint(one)}
    effects = [effect(function, index) for index in range(len(function.code))]
    blocks = find_blocks(function)
    live_out = solve(blocks, effects, references)
    result: dict[int, list[Register]] = {}
    for block, live in zip(blocks, live_out, strict=True):
        for index in range(block.end - 1, block.start - 1, -1):
            definition, uses = effects[index]
            live &= ~definition
            if is_safepoint(function.code[index]):
                result[index] = bits(live)
            live |= uses & references
    return result


def effect(function: Function, index: int) -> tuple[int, int]:
    """The register that an instruction defines and those that it uses, as bits."""
    instruction = function.code[index]
    register = defined(instruction)
    uses = 0
    for use in used(instruction):
        uses |= 1 << use
    return (0 if register == NO_REGISTER else 1 << register), uses


def solve(blocks: list[Block], effects: list[tuple[int, int]], references: int) -> list[int]:
    """Live references at the end of each block."""
    generated, killed = [], []
    for block in blocks:
        use, kill = 0, 0
        for index in range(block.end - 1, block.start - 1, -1):
            definition, uses = effects[index]
            use = use & ~definition | uses
            kill |= definition
        generated.append(use & references)
        killed.append(kill)
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
    return live_out


def bits(live: int) -> list[Register]:
    """The numbers of the bits that are set, in order."""
    result = []
    while live:
        lowest = live & -live
        result.append(Register(lowest.bit_length() - 1))
        live ^= lowest
    return result
