"""Pass: branches that are decided, and blocks that nothing leads to.

    b1  BranchIf true     -> b2, b3        b1   -> b2         and b3 is gone
    b2  from b1 alone     -> b4            b1 and b2 are one block

A branch on `not x` becomes the opposite one on `x`.
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.optimizing.build import remove_trivial_phis
from doralang.optimizing.graph import BasicBlock, Graph, Node, find, resolve
from doralang.types.primitives import PRIMITIVES

OPPOSITE = {i.BranchIf: i.BranchUnless, i.BranchUnless: i.BranchIf}
NOT = PRIMITIVES["bool.not"]


def decide_branches(graph: Graph) -> int:
    """How many branches were decided and blocks joined."""
    found = 0
    for block in graph.blocks:
        jump = block.jump
        if jump is not None and jump.inputs:
            found += straighten(jump) + decide(graph, block, jump)
    if found:
        graph.keep_blocks(graph.reverse_postorder())
        remove_trivial_phis(graph)
    return found + join_blocks(graph)


def straighten(jump: Node) -> int:
    """A branch on `not x` is the opposite branch on `x`."""
    (condition, *_) = resolve(jump)
    if jump.op in OPPOSITE and condition.op is i.Compute and condition.operation is NOT:
        jump.op = OPPOSITE[jump.op]
        jump.inputs = (find(condition.inputs[0]),)
        return 1
    return 0


def decide(graph: Graph, block: BasicBlock, jump: Node) -> int:
    """A branch on a constant goes one way only."""
    condition = jump.inputs[0]
    if not condition.is_constant or jump.op not in (i.BranchIf, i.BranchUnless, i.BranchEqual):
        return 0
    value = condition.data[0]
    is_taken = value == jump.get("constant") if jump.op is i.BranchEqual else value is (jump.op is i.BranchIf)
    block.body.pop()
    graph.remove_edge(block, block.successors[1 if is_taken else 0])
    return 1


def join_blocks(graph: Graph) -> int:
    """A block that one other leads to, and nowhere else, becomes a part of it."""
    gone: set[BasicBlock] = set()
    for block in graph.blocks:
        if block in gone:
            continue
        while len(block.successors) == 1:
            (following,) = block.successors
            if len(following.predecessors) != 1 or following is block or following.phis:
                break
            for node in following.body:
                node.block = block
            block.body += following.body
            block.successors = following.successors
            for successor in block.successors:
                successor.predecessors[successor.predecessors.index(following)] = block
            following.successors = []
            gone.add(following)
    graph.blocks = [block for block in graph.blocks if block not in gone]
    return len(gone)
