"""Which registers are live where: what a collector must find in a frame, and what calls must keep.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dora.bytecode.blocks import Block, blocks_between
from dora.bytecode.function import Function
from dora.bytecode.instructions import ACCESSES, CALLS, LEAVES, Access, Register
from dora.types.kinds import Kind


@dataclass(slots=True)
class Liveness:
    """The registers that are live at the end of each block, as bits, and what finding them out took."""

    blocks: list[Block]
    accesses: list[Access]
    """what each instruction reads and writes"""
    calls: list[int]
    """the instructions that call, or allocate, or are made by a call of the C library"""
    live_out: list[int]


def analyse(function: Function) -> Liveness:
    """Liveness of all registers at the ends of blocks."""
    accesses: list[Access] = []
    calls, ends = [], []
    for index, insn in enumerate(function.code):
        read, table, what = ACCESSES[type(insn)]
        accesses.append(table[read(insn)])
        if what:
            if what == LEAVES:
                ends.append(index + 1)
            elif what == CALLS or insn.operation.calls_library:  # type: ignore[attr-defined]
                calls.append(index)
    blocks = blocks_between(function.code, ends)
    live_out = [0] * len(blocks)
    if len(blocks) > 1:
        solve(blocks, accesses, live_out)
    return Liveness(blocks, accesses, calls, live_out)


def live_before(accesses: list[Access], start: int, end: int, live: int) -> int:
    """What is live before the instruction at `start`, if that is what is live before the one at `end`."""
    for kept, used, _, _ in reversed(accesses[start:end]):
        live = live & kept | used
    return live


def solve(blocks: list[Block], accesses: list[Access], live_out: list[int]) -> None:
    """Go up the blocks until nothing changes at their starts; once, if there is no loop."""
    live_in = [0] * len(blocks)
    for number in range(len(blocks) - 1, -1, -1):
        block, live = blocks[number], 0
        for successor in block.successors:
            live |= live_in[successor]
        live_out[number] = live
        live_in[number] = live_before(accesses, block.start, block.end, live)
    if has_loops(blocks):
        repeat(blocks, accesses, live_in, live_out)


def has_loops(blocks: list[Block]) -> bool:
    """Whether there is a jump backwards."""
    return any([block.depth for block in blocks])  # noqa: C419  a list is faster


def repeat(blocks: list[Block], accesses: list[Access], live_in: list[int], live_out: list[int]) -> None:
    """What is live at the head of a loop is live at its end, too: take it up through the blocks.

    A block lets through what it does not write; what it reads itself is known.
    """
    kept = [kept_by(accesses[block.start : block.end]) for block in blocks]
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
                live_in[number] |= new & kept[number]
                changed = True


def kept_by(accesses: list[Access]) -> int:
    """All registers that some instructions do not write, as bits."""
    result = -1
    for kept, _, _, _ in accesses:
        result &= kept
    return result


def live_across(liveness: Liveness, indices: list[int]) -> dict[int, int]:
    """For some instructions, in order, the registers needed after each and defined before, as bits."""
    accesses, waiting = liveness.accesses, indices.copy()
    result: dict[int, int] = {}
    for block, live in zip(reversed(liveness.blocks), reversed(liveness.live_out), strict=True):
        end = block.end
        while waiting and waiting[-1] >= block.start:
            index = waiting.pop()
            live = live_before(accesses, index + 1, end, live)
            kept, used, _, _ = accesses[index]
            live &= kept
            result[index] = live
            live |= used
            end = index
    return result


def live_references(function: Function) -> dict[int, list[Register]]:
    """For the index of each safepoint, the references that a collector must find in the frame."""
    references = sum(1 << index for index, kind in enumerate(function.registers) if kind is Kind.REF)
    safepoints = [index for index, insn in enumerate(function.code) if insn.is_safepoint]
    across = live_across(analyse(function), safepoints)
    return {index: BITS[live & references] for index, live in across.items()}


class Bits(dict[int, list[Register]]):
    """For each set, the numbers of its bits in order.  The lists are shared: nobody changes them."""

    def __missing__(self, live: int) -> list[Register]:
        result, rest = [], live
        while rest:
            lowest = rest & -rest
            result.append(Register(lowest.bit_length() - 1))
            rest ^= lowest
        if len(self) >= MOST_KNOWN:
            self.clear()
        self[live] = result
        return result


MOST_KNOWN: Final = 1 << 14
BITS: Final = Bits()
