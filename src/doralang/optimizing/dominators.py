"""Dominators and loops of a graph's blocks.

(Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm, 2001; loops are natural ones: Aho, Lam, Sethi,
Ullman: Compilers, 9.6.6.)
"""

from __future__ import annotations

from doralang.optimizing.graph import BasicBlock, Graph


class Dominators:
    """For each block that can be reached its immediate dominator, its depth in their tree, and in loops."""

    def __init__(self, graph: Graph) -> None:
        self.order = graph.reverse_postorder()
        self.position = {block: number for number, block in enumerate(self.order)}
        self.parent: dict[BasicBlock, BasicBlock] = {}
        self.depth: dict[BasicBlock, int] = {}
        self.children: dict[BasicBlock, list[BasicBlock]] = {block: [] for block in self.order}
        self.loop_depth = dict.fromkeys(self.order, 0)
        self.loops: dict[BasicBlock, set[BasicBlock]] = {}
        """the blocks of each loop, by its head"""
        self.find_parents()
        for block in self.order[1:]:
            self.depth[block] = self.depth[self.parent[block]] + 1
            self.children[self.parent[block]].append(block)
        self.find_loops()
        self.outside: dict[BasicBlock, BasicBlock | None] = {}
        """for each block the innermost of those that dominate it and are in fewer loops"""
        for block in self.order:
            self.outside[block] = self.find_outside(block)

    def find_parents(self) -> None:
        entry = self.order[0]
        parent, position = self.parent, self.position
        parent[entry] = entry
        self.depth[entry] = 0
        again = True
        while again:
            again = False
            for block in self.order[1:]:
                new: BasicBlock | None = None
                for one in block.predecessors:
                    if one in parent:
                        new = one if new is None else self.meeting(one, new)
                assert new is not None and position[new] < position[block]
                if parent.get(block) is not new:
                    parent[block] = new
                    again = True

    def meeting(self, one: BasicBlock, other: BasicBlock) -> BasicBlock:
        """The innermost block that dominates both, while depths are not known yet."""
        parent, position = self.parent, self.position
        while one is not other:
            while position[one] > position[other]:
                one = parent[one]
            while position[other] > position[one]:
                other = parent[other]
        return one

    def common(self, one: BasicBlock, other: BasicBlock) -> BasicBlock:
        """The innermost block that dominates both."""
        parent, depth = self.parent, self.depth
        while one is not other:
            if depth[one] < depth[other]:
                one, other = other, one
            one = parent[one]
        return one

    def dominates(self, one: BasicBlock, other: BasicBlock) -> bool:
        """Whether each way to `other` leads through `one`."""
        while self.depth[other] > self.depth[one]:
            other = self.parent[other]
        return one is other

    def find_loops(self) -> None:
        for block in self.order:
            for head in block.successors:
                if self.position[head] <= self.position[block] and self.dominates(head, block):
                    self.add_to_loop(head, block)
        for body in self.loops.values():
            for block in body:
                self.loop_depth[block] += 1

    def find_outside(self, block: BasicBlock) -> BasicBlock | None:
        """What the dominators of a block know already: no chain of them is walked twice."""
        above: BasicBlock | None = self.parent[block]
        if above is block:
            return None
        while above is not None and self.loop_depth[above] >= self.loop_depth[block]:
            above = self.outside[above]
        return above

    def add_to_loop(self, head: BasicBlock, end: BasicBlock) -> None:
        body = self.loops.setdefault(head, {head})
        waiting = [end]
        while waiting:
            block = waiting.pop()
            if block not in body:
                body.add(block)
                waiting += [one for one in block.predecessors if one in self.position]
