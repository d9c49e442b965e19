"""Which registers are live where: what a collector must find in a frame, and what calls must keep.

A backward data-flow analysis over basic blocks; sets of registers are bits of an int.
(Aho, Lam, Sethi, Ullman: Compilers, 9.2.5.)

Looking at each instruction is most of the work, so it is done once: the same way up through the code counts
how often registers are read and sees from where to where they are used, which is what allocators ask for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Set

from doralang.bytecode.blocks import Back, Block, find_blocks, weights
from doralang.bytecode.definition import ACCESSES, CALLS, COMPUTES, NO_REGISTER, Access, Register
from doralang.bytecode.function import Function
from doralang.text.records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NOTHING: Final[Access] = (-1, 0, NO_REGISTER, ())
NO_FUNCTIONS: Final[Set[str | None]] = frozenset()


@record(eq=True)
class Liveness:
    """The registers that are live at the ends of blocks and across calls, as bits; and how they are used."""

    blocks: list[Block]
    back: list[Back]
    """the jumps back, of which there are some if there are loops"""
    weights: list[int]
    """how often each block is thought to run"""
    accesses: list[Access]
    """what each instruction reads and writes"""
    live_in: list[int]
    """what is live where a block starts, by the index of its first instruction"""
    live_out: list[int]
    """what is live at the end of each block"""
    across: dict[int, int]
    """for each instruction that calls or allocates, from last to first: what is live across it"""
    reads: list[int]
    """for each register, how often it is thought to be read; like the next two with an entry more, for
    `NO_REGISTER`"""
    first: list[int]
    """where each register is written first; parameters are there before"""
    last: list[int]
    """where each register is mentioned last, -1 if nowhere"""


def analyse(function: Function, without_call: Set[str | None] = NO_FUNCTIONS) -> Liveness:
    """One walk up through the blocks; loops need more.

    `without_call` are the internal functions of which a call is a few instructions, and no call.
    """
    code = function.code
    blocks, back = find_blocks(function)
    weight_of = weights(blocks, back) if back else [1] * len(blocks)
    size = len(function.registers) + 1
    reads, first, last = [0] * size, [0] * size, [-1] * size
    accesses, across = [NOTHING] * len(code), {}
    live_in, live_out = [0] * len(code), [0] * len(blocks)
    dead: list[tuple[Register, int]] = []
    reads[NO_REGISTER] = 1  # so that what has no result does not look like a result that is not read
    for number in range(len(blocks) - 1, -1, -1):
        start, end, successors = blocks[number]
        live, weight = 0, weight_of[number]
        for successor in successors:
            live |= live_in[successor]
        live_out[number] = live
        for index in range(end - 1, start - 1, -1):
            insn = code[index]
            read, table, what = ACCESSES[type(insn)]
            accesses[index] = kept, used, target, sources = table[read(insn)]
            if what and (
                insn.operation.calls_library  # type: ignore[attr-defined]
                if what == COMPUTES
                else what != CALLS or insn.function.internal not in without_call  # type: ignore[attr-defined]
            ):
                across[index] = live & kept
            live = live & kept | used
            first[target] = index
            if not reads[target]:  # by anybody further down
                dead.append((target, index))
            for register in sources:
                count = reads[register]
                if not count:
                    last[register] = index
                reads[register] = count + weight
        live_in[start] = live
    for target, index in dead:
        last[target] = max(last[target], index)
    liveness = Liveness(blocks, back, weight_of, accesses, live_in, live_out, across, reads, first, last)
    if back:
        go_around_loops(liveness)
    return liveness


def go_around_loops(liveness: Liveness) -> None:
    """What is live at the head of a loop is live at its end, too: take it up through the blocks.

    A block lets through what it does not write; what it reads itself is known.  One more round is needed
    only if more has become live at the head of a loop, from where it goes on further down.
    """
    blocks, live_in, live_out = liveness.blocks, liveness.live_in, liveness.live_out
    last, heads = max(number for number, _ in liveness.back), {head for _, head in liveness.back}
    grown: set[int] = set()
    again = True
    while again:
        again = False
        for number in range(last, -1, -1):
            start, end, successors = blocks[number]
            out = live_out[number]
            for successor in successors:
                out |= live_in[successor]
            if out != live_out[number]:
                new = out & ~live_out[number] & ~live_in[start] & kept_by(liveness.accesses[start:end])
                live_out[number] = out
                live_in[start] |= new
                grown.add(number)
                again = again or (new != 0 and start in heads)
    if liveness.across:
        note_calls(liveness, grown)
    for number, head in liveness.back:
        live_throughout(liveness, live_in[head], head, blocks[number][1] - 1)


def kept_by(accesses: list[Access]) -> int:
    """All registers that some instructions do not write, as bits."""
    result = -1
    for kept, _, _, _ in accesses:
        result &= kept
    return result


def note_calls(liveness: Liveness, numbers: set[int]) -> None:
    """More is live at the ends of some blocks, so perhaps across the calls in them."""
    across, calls = liveness.across, sorted(liveness.across)
    for number in numbers:
        start, end, _ = liveness.blocks[number]
        live = liveness.live_out[number]
        inside = calls[bisect_left(calls, start) : bisect_left(calls, end)]
        if inside:
            for index in range(end - 1, inside[0] - 1, -1):
                kept, used, _, _ = liveness.accesses[index]
                if index in across:
                    across[index] = live & kept
                live = live & kept | used


def live_throughout(liveness: Liveness, live: int, start: int, end: int) -> None:
    """What is live at the head of a loop is in use until the jump back to there."""
    first, last = liveness.first, liveness.last
    for register in BITS[live]:
        first[register] = min(first[register], start)
        last[register] = max(last[register], end)


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
