"""Which registers are live where: what a collector must find in a frame, and what calls must keep.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)
"""

from __future__ import annotations

from dataclasses import dataclass

from dora.bytecode.blocks import Block, find_blocks
from dora.bytecode.function import Function
from dora.bytecode.instructions import ACCESSES, Access, Register
from dora.types.types import Kind


@dataclass(slots=True)
class Liveness:
    """The registers that are live at the end of each block, as bits, and what each instruction accesses."""

    blocks: list[Block]
    accesses: list[Access]
    live_out: list[int]


def analyse(function: Function) -> Liveness:
    """Liveness of all registers at the ends of blocks."""
    accesses = []
    for insn in function.code:
        read, table = ACCESSES[type(insn)]
        accesses.append(table[read(insn)])
    blocks = find_blocks(function)
    live_out = solve(blocks, accesses) if blocks[0].successors else [0]
    return Liveness(blocks, accesses, live_out)


def solve(blocks: list[Block], accesses: list[Access]) -> list[int]:
    """Go up the blocks until nothing changes at their starts; once, if there is no loop."""
    loops = False
    live_in, live_out = [0] * len(blocks), [0] * len(blocks)
    for number in range(len(blocks) - 1, -1, -1):
        block, live = blocks[number], 0
        for successor in block.successors:
            live |= live_in[successor]
        live_out[number] = live
        loops = loops or block.depth > 0
        for index in range(block.end - 1, block.start - 1, -1):
            defined, used, _, _ = accesses[index]
            live = live & ~defined | used
        live_in[number] = live
    if loops:
        repeat(blocks, accesses, live_in, live_out)
    return live_out


def repeat(blocks: list[Block], accesses: list[Access], live_in: list[int], live_out: list[int]) -> None:
    """What is live at the head of a loop is live at its end, too: take it up through the blocks.

    A block lets through what it does not write; what it reads itself is known.
    """
    killed = [written(block, accesses) for block in blocks]
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            out = 0
            for successor in blocks[number].successors:
                out |= live_in[successor]
            new = out & ~live_out[number]
            if new:
                live_out[number] = out
                live_in[number] |= new & ~killed[number]
                changed = True


def written(block: Block, accesses: list[Access]) -> int:
    """All registers that a block writes, as bits."""
    result = 0
    for index in range(block.start, block.end):
        result |= accesses[index][0]
    return result


def live_across(liveness: Liveness, function: Function) -> dict[int, int]:
    """For the index of each safepoint, the registers needed after it and defined before it, as bits."""
    result: dict[int, int] = {}
    for block, live in zip(liveness.blocks, liveness.live_out, strict=True):
        for index in range(block.end - 1, block.start - 1, -1):
            defined, used, _, _ = liveness.accesses[index]
            live &= ~defined
            if function.code[index].is_safepoint:
                result[index] = live
            live |= used
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
