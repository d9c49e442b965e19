"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from dataclasses import dataclass, field

from dora.bytecode.function import Function
from dora.bytecode.instructions import Effect, target_of


@dataclass(slots=True)
class Block:
    """The instructions from `start` up to, not including, `end`; successors are indices of blocks."""

    start: int
    end: int
    successors: list[int] = field(default_factory=list)


def find_blocks(function: Function) -> list[Block]:
    """The blocks in the order of the code."""
    code = function.code
    starts = {0}
    for index, instruction in enumerate(code):
        target = target_of(instruction)
        if target is not None:
            starts.add(target)
        if target is not None or Effect.ENDS in instruction.effects:
            starts.add(index + 1)
    ordered = sorted(start for start in starts if start < len(code))
    numbers = {start: number for number, start in enumerate(ordered)}
    blocks = []
    for start, end in zip(ordered, [*ordered[1:], len(code)], strict=True):
        block, last = Block(start, end), code[end - 1]
        target = target_of(last)
        if target is not None:
            block.successors.append(numbers[target])
        if Effect.ENDS not in last.effects and end in numbers:
            block.successors.append(numbers[end])
        blocks.append(block)
    return blocks
