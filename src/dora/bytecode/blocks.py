"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from dora.bytecode.function import Function

WEIGHTS: Final = tuple(8**depth for depth in range(7))
"""How often code is thought to run, by the number of loops around it; more weigh no more."""


@dataclass(slots=True)
class Block:
    """The instructions from `start` up to, not including, `end`; successors are indices of blocks."""

    start: int
    end: int
    successors: list[int]
    is_target: bool
    """whether something jumps to it"""
    weight: int = 1
    """how often it is thought to run, by the loops around it"""


def find_blocks(function: Function) -> tuple[list[Block], bool]:
    """The blocks in the order of the code, and whether there are loops."""
    code, exits = function.code, function.exits
    if len(exits) == 1 and not code[-1].jumps:  # half of all functions
        return [Block(0, len(code), [], False)], False
    targets = {code[index].target for index in exits if code[index].jumps}  # type: ignore[attr-defined]
    starts = sorted(targets.union([0], [index + 1 for index in exits]))
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
        weigh(blocks)
    return blocks, loops


def weigh(blocks: list[Block]) -> None:
    """A jump backwards makes a loop of everything between its target and itself."""
    change = [0] * (len(blocks) + 1)
    for number, block in enumerate(blocks):
        for successor in block.successors:
            if successor <= number:
                change[successor] += 1
                change[number + 1] -= 1
    for block, depth in zip(blocks, accumulate(change), strict=False):
        block.weight = WEIGHTS[min(depth, len(WEIGHTS) - 1)]
