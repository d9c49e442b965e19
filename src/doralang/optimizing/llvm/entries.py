"""Ways into loops that go past the poll at the head.

        Goto ->H                           br label %e4
    B:  …                                b1: …  br label %b3
    H:  Poll                             b3: poll, br label %e4
        less = i < n                     e4: less = …
        BranchIf less ->B                    br i1 …, label %b1, …

Only a round that comes after another one has to look for attention.  Then the loop begins with its condition,
and LLVM turns it round (`loop-rotate`): the condition is asked once before the loop, and at the end of each
round.  So what a round does first is done in any case, and loads of what does not change leave the loop.
Loops that call stay as they are: there LLVM finds less of what is in memory once they are turned.  So do
those that are cut into strips.

An edge that leads back, as a walk in depth finds them, is none into a loop.  There is one of those in each
cycle; it leads to a poll, or it comes out of a block with a poll that nothing goes past.  Or it is the end of
a strip, or the like: in a loop that one of these ends all polls stay.  (Depth-first spanning trees, natural
loops: Aho, Lam, Sethi, Ullman: Compilers, 9.6.)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import find_blocks
from doralang.bytecode.function import Function


class PollEntry(NamedTuple):
    """From the last instruction of a block to the `Poll` that another one begins with."""

    source: int
    target: int


def entries_past_polls(function: Function, calls: Collection[int]) -> frozenset[PollEntry]:
    """Where control goes to what is behind a `Poll`; `calls` are the instructions that call."""
    blocks, _ = find_blocks(function)
    last = {start: end - 1 for start, end, _ in blocks}
    successors = {start: following for start, _, following in blocks}
    back = back_edges(successors)
    heads = {head for _, head in back if type(function.code[head]) is i.Poll}
    others = {edge for edge in back if edge[1] not in heads}
    silent = {head for source, head in others if not has_poll(function, source, last[source])}
    kept = {source for source, _ in others}.union(*(loop_of(head, back, successors) for head in silent))
    busy = {start for start, end, _ in blocks if any(start <= call < end for call in calls)} | silent
    passed = {head for head in heads - kept if not loop_of(head, back, successors) & busy}
    return frozenset(
        PollEntry(last[source], target)
        for source, following in successors.items()
        for target in following
        if target in passed and (source, target) not in back
    )


def has_poll(function: Function, first: int, last: int) -> bool:
    return any(type(insn) is i.Poll for insn in function.code[first : last + 1])


def back_edges(successors: dict[int, tuple[int, ...]]) -> set[tuple[int, int]]:
    """Blocks that lead to one which the walk has come through to them, each with that one."""
    found: set[tuple[int, int]] = set()
    seen, passing = {0}, {0}
    stack = [(0, iter(successors[0]))]
    while stack:
        block, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            passing.discard(block)
            stack.pop()
        elif following not in seen:
            seen.add(following)
            passing.add(following)
            stack.append((following, iter(successors[following])))
        elif following in passing:
            found.add((block, following))
    return found


def loop_of(head: int, back: set[tuple[int, int]], successors: dict[int, tuple[int, ...]]) -> set[int]:
    """The blocks from which control comes back to the head without having left by it."""
    found = {head}
    waiting = [source for source, target in back if target == head]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += [one for one, following in successors.items() if block in following]
    return found
