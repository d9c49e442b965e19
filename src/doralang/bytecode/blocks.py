"""Basic blocks of a function: runs of instructions that are entered at the top only."""

from __future__ import annotations

from doralang.bytecode.function import Function
from doralang.bytecode.instructions import INSTRUCTIONS, Instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Block = tuple[int, int, tuple[int, ...]]
"""The index of the first instruction, the one behind the last, and where the blocks start that may follow."""

Back = tuple[int, int]
"""A jump back: the number of the block that it ends, and where it leads."""

NOWHERE, ELSEWHERE, BOTH = range(3)
LEAVES: Final[dict[type[Instruction], int]] = {
    cls: (ELSEWHERE if cls.ends else BOTH) if cls.jumps else NOWHERE for cls in INSTRUCTIONS if cls.leaves
}
"""where an instruction may continue that does not run on to the next one: nowhere, at its target, at both"""

WEIGHTS: Final = tuple(8**depth for depth in range(7))
"""How often code is thought to run, by the number of loops around it; more weigh no more."""


def find_blocks(function: Function) -> tuple[list[Block], list[Back]]:
    """The blocks in the order of the code, and the jumps back."""
    code, start = function.code, 0
    ends = function.targets.union(function.ends)
    ends.discard(0)  # a loop may start with the first instruction
    blocks: list[Block] = []
    back: list[Back] = []
    for end in sorted(ends):
        last = code[end - 1]
        leaves = LEAVES.get(type(last))
        if leaves is None:
            blocks.append((start, end, (end,)))
        elif leaves == NOWHERE:
            blocks.append((start, end, ()))
        else:
            target: int = last.target  # type: ignore[attr-defined]
            if target <= start:
                back.append((len(blocks), target))
            blocks.append((start, end, (target,) if leaves == ELSEWHERE else (target, end)))
        start = end
    return blocks, back


def weights(blocks: list[Block], back: list[Back]) -> list[int]:
    """How often each block is thought to run: a jump back makes a loop of all from its target to itself."""
    change: dict[int, int] = {}
    for number, start in back:
        end = blocks[number][1]
        change[start] = change.get(start, 0) + 1
        change[end] = change.get(end, 0) - 1
    depth, result = 0, []
    for start, _, _ in blocks:
        depth += change.get(start, 0)
        result.append(WEIGHTS[min(depth, len(WEIGHTS) - 1)])
    return result
