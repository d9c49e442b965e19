"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from dataclasses import dataclass

from dora.bytecode.function import Function


@dataclass(slots=True)
class Block:
    """The instructions from `start` up to, not including, `end`; successors are indices of blocks."""

    start: int
    end: int
    successors: list[int]


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
    if len(starts) == 1 and not code[-1].jumps:  # nearly half of all functions
        return [Block(0, len(code), [])]
    ordered = sorted(starts)
    numbers = {start: number for number, start in enumerate(ordered)}
    blocks = []
    for start, end in zip(ordered, [*ordered[1:], len(code)], strict=True):
        successors, last = [], code[end - 1]
        if last.jumps:
            successors.append(numbers[last.target])  # type: ignore[attr-defined]
        if not last.ends and end in numbers:
            successors.append(numbers[end])
        blocks.append(Block(start, end, successors))
    return blocks
