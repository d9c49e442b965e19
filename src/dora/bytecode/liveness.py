"""Which registers are live where: what a collector must find in a frame, and what calls must keep.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from dora.bytecode.blocks import Block, blocks_between
from dora.bytecode.function import Function
from dora.bytecode.instructions import ACCESSES, CALLS, ENDS, JUMPS, Access, Register


@dataclass(slots=True)
class Liveness:
    """The registers that are live at the ends of blocks and across calls, as bits."""

    blocks: list[Block]
    accesses: list[Access]
    """what each instruction reads and writes"""
    calls: list[int]
    """the instructions that call, or allocate, or are made by a call of the C library"""
    live_out: list[int]
    """what is live at the end of each block"""
    across: dict[int, int]
    """for each call, the registers that are needed after it and defined before it"""
    has_loops: bool


def analyse(function: Function) -> Liveness:
    """Liveness of all registers at the ends of blocks and across calls."""
    liveness = prepare(function)
    solve(liveness)
    return liveness


def prepare(function: Function) -> Liveness:
    """One look at each instruction; `solve` does the rest, for as many of the calls as the client leaves."""
    accesses: list[Access] = []
    calls, ends, targets = [], [], set()
    for index, insn in enumerate(function.code):
        read, table, what = ACCESSES[type(insn)]
        accesses.append(table[read(insn)])
        if what:
            if what <= ENDS:
                ends.append(index + 1)
                if what == JUMPS:
                    targets.add(insn.target)  # type: ignore[attr-defined]
            elif what == CALLS or insn.operation.calls_library:  # type: ignore[attr-defined]
                calls.append(index)
    blocks, has_loops = blocks_between(function.code, ends, targets)
    return Liveness(blocks, accesses, calls, [0] * len(blocks), {}, has_loops)


def solve(liveness: Liveness) -> None:
    """Go up the blocks until nothing changes at their starts; once, if there is no loop."""
    blocks, live_out, calls = liveness.blocks, liveness.live_out, liveness.calls.copy()
    if len(blocks) == 1 and not calls:
        return
    live_in = [0] * len(blocks)
    for number in range(len(blocks) - 1, -1, -1):
        block, live = blocks[number], 0
        for successor in block.successors:
            live |= live_in[successor]
        live_out[number] = live
        live_in[number] = live_at_start(liveness, block, live, calls)
    if liveness.has_loops:
        repeat(liveness, live_in)


def live_at_start(liveness: Liveness, block: Block, live: int, calls: list[int]) -> int:
    """What is live where a block begins, if `live` is what is live where it ends.

    Those of the calls that are in the block, the last ones, are taken off the list and noted in `across`.
    """
    accesses, end = liveness.accesses, block.end
    while calls and calls[-1] >= block.start:
        call = calls.pop()
        for kept, used, _, _ in reversed(accesses[call + 1 : end]):
            live = live & kept | used
        kept, used, _, _ = accesses[call]
        liveness.across[call] = live & kept
        live = live & kept | used
        end = call
    if not block.start and not block.is_target:
        return 0  # nobody asks what is live before the first instruction
    for kept, used, _, _ in reversed(accesses[block.start : end]):
        live = live & kept | used
    return live


def repeat(liveness: Liveness, live_in: list[int]) -> None:
    """What is live at the head of a loop is live at its end, too: take it up through the blocks.

    A block lets through what it does not write; what it reads itself is known.  One more round is needed
    only if more has become live at the head of a loop, from where it goes on further down.
    """
    blocks, live_out = liveness.blocks, liveness.live_out
    back = [(number, to) for number, block in enumerate(blocks) for to in block.successors if to <= number]
    end, heads = max(back)[0], {head for _, head in back}
    grown: set[int] = set()
    again = True
    while again:
        again = False
        for number in range(end, -1, -1):
            out = live_out[number]
            for successor in blocks[number].successors:
                out |= live_in[successor]
            if out != live_out[number]:
                new = out & ~live_out[number] & ~live_in[number] & kept_by(liveness, blocks[number])
                live_out[number] = out
                live_in[number] |= new
                grown.add(number)
                again = again or (new != 0 and number in heads)
    for number in grown:
        calls = calls_in(liveness, blocks[number])
        if calls:
            live_at_start(liveness, blocks[number], live_out[number], calls)


def calls_in(liveness: Liveness, block: Block) -> list[int]:
    """The calls of a block."""
    calls = liveness.calls
    return calls[bisect_left(calls, block.start) : bisect_left(calls, block.end)]


def kept_by(liveness: Liveness, block: Block) -> int:
    """All registers that a block does not write, as bits."""
    result = -1
    for kept, _, _, _ in liveness.accesses[block.start : block.end]:
        result &= kept
    return result


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
