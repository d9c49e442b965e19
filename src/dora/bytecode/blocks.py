"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from dora.bytecode.function import Function
from dora.bytecode.instructions import Instruction


@dataclass(slots=True)
class Block:
    """The instructions from `start` up to, not including, `end`; successors are indices of blocks."""

    start: int
    end: int
    successors: list[int]
    is_target: bool
    """whether something jumps to it"""
    depth: int = 0
    """how many loops are around it"""


def find_blocks(function: Function) -> list[Block]:
    """The blocks in the order of the code."""
    leaving = [(index, insn) for index, insn in enumerate(function.code, 1) if insn.leaves]
    targets = {insn.target for _, insn in leaving if insn.jumps}  # type: ignore[attr-defined]
    return blocks_between(function.code, [index for index, _ in leaving], targets)[0]


def blocks_between(code: list[Instruction], ends: list[int], targets: set[int]) -> tuple[list[Block], bool]:
    """The blocks of code, and whether there are loops.

    The instructions that leave it are before `ends`, the last of which is the end of the code; `targets` are
    those that others jump to.
    """
    if len(ends) == 1 and not targets:  # half of all functions
        return [Block(0, len(code), [], False)], False
    starts = sorted(targets.union([0], ends))
    numbers = dict(zip(starts, range(len(starts)), strict=True))
    blocks, loops, start = [], False, 0
    for number, end in enumerate(starts[1:], 1):
        last = code[end - 1]
        if last.jumps:
            target = numbers[last.target]  # type: ignore[attr-defined]
            loops = loops or target < number
            successors = [target] if last.ends else [target, number]
        else:
            successors = [] if last.ends else [number]
        blocks.append(Block(start, end, successors, start in targets))
        start = end
    if loops:
        note_depths(blocks)
    return blocks, loops


def note_depths(blocks: list[Block]) -> None:
    """A jump backwards makes a loop of everything between its target and itself."""
    change = [0] * (len(blocks) + 1)
    for number, block in enumerate(blocks):
        for successor in block.successors:
            if successor <= number:
                change[successor] += 1
                change[number + 1] -= 1
    for block, depth in zip(blocks, accumulate(change), strict=False):
        block.depth = depth
