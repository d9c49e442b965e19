"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from dora.bytecode.function import Function


@dataclass(slots=True)
class Block:
    """The instructions from `start` up to, not including, `end`; successors are indices of blocks."""

    start: int
    end: int
    successors: list[int]
    depth: int = 0
    """how many loops are around it"""


def find_blocks(function: Function) -> list[Block]:
    """The blocks in the order of the code."""
    code = function.code
    starts = {0}
    for index, instruction in enumerate(code, 1):
        if instruction.leaves:
            starts.add(index)
            if instruction.jumps:
                starts.add(instruction.target)  # type: ignore[attr-defined]
    starts.discard(len(code))
    if len(starts) == 1 and not code[-1].jumps:  # half of all functions
        return [Block(0, len(code), [])]
    ordered = sorted(starts)
    numbers = {start: number for number, start in enumerate(ordered)}
    blocks = []
    loops = False
    for number, end in enumerate([*ordered[1:], len(code)]):
        successors, last = [], code[end - 1]
        if last.jumps:
            target = numbers[last.target]  # type: ignore[attr-defined]
            successors.append(target)
            loops = loops or target <= number
        if not last.ends and end in numbers:
            successors.append(number + 1)
        blocks.append(Block(ordered[number], end, successors))
    if loops:
        note_depths(blocks)
    return blocks


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
