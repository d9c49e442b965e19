"""Where floating nodes are computed: global code motion.

A node may stand anywhere between the innermost block that has all its inputs (*early*) and the one that
dominates all its uses (*late*).  Of these, the one in the fewest loops is taken, and of equal ones the
latest, so that what never changes leaves its loop and what is needed on one way only is computed there.
(Click: Global Code Motion, Global Value Numbering, 1995.)

Constants and texts are made where they are used, in each block anew: compilers have immediates and need no
register.  Constants of floating kinds have none, so in functions that call nobody they are values as others.
"""

from __future__ import annotations

from collections.abc import Iterator

from doralang.bytecode import instructions as i
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph, Node, resolve
from doralang.types.kinds import FLOATING


class Schedule:
    """For each block its nodes in order, the jump last if there is one; phis are not among them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.dominators = Dominators(graph)
        self.early: dict[Node, BasicBlock] = {}
        self.place: dict[Node, BasicBlock] = {}
        self.lists: dict[BasicBlock, list[Node]] = {}
        self.calls = any(node.op.calls for node in graph.fixed())  # type: ignore[attr-defined]
        split_conditions(graph)
        floating = self.find_floating()
        for node in floating:
            self.early[node] = self.earliest(node)
        self.settle(floating)
        self.list_blocks(floating)

    def find_floating(self) -> list[Node]:
        """The floating nodes that something needs, inputs before users."""
        order: list[Node] = []
        seen: set[Node] = set()
        for root in roots(self.graph):
            stack = [(root, iter(resolve(root)))]
            while stack:
                node, rest = stack[-1]
                for one in rest:
                    if one.block is None and one not in seen:
                        seen.add(one)
                        stack.append((one, iter(resolve(one))))
                        break
                else:
                    stack.pop()
                    if node.block is None:
                        order.append(node)
        return order

    def earliest(self, node: Node) -> BasicBlock:
        depth, best = self.dominators.depth, self.graph.blocks[0]
        for one in node.inputs:
            block = one.block or self.early[one]
            if depth[block] > depth[best]:
                best = block
        return best

    def settle(self, floating: list[Node]) -> None:
        """Choose a block for each, users before inputs."""
        late: dict[Node, BasicBlock] = {}
        common = self.dominators.common

        def use(node: Node, block: BasicBlock) -> None:
            if node.block is None:
                late[node] = common(late[node], block) if node in late else block

        for block in self.graph.blocks:
            for phi in block.phis:
                for one, before in zip(phi.inputs, block.predecessors, strict=True):
                    use(one, before)
            for fixed in block.body:
                for one in fixed.inputs:
                    use(one, block)
        for node in reversed(floating):
            if not self.is_remade(node):
                block = self.place[node] = self.choose(node, late[node])
                for one in node.inputs:
                    use(one, block)

    def choose(self, node: Node, late: BasicBlock) -> BasicBlock:
        """The block in the fewest loops on the way up from `late` to where the inputs are."""
        depth, outside, limit = (
            self.dominators.depth,
            self.dominators.outside,
            self.dominators.depth[self.early[node]],
        )
        best = late
        while (block := outside[best]) is not None and depth[block] >= limit:
            best = block
        return best

    def list_blocks(self, floating: list[Node]) -> None:
        """The order in each block: what floats stands as late as its users in the block let it."""
        here: dict[BasicBlock, list[Node]] = {}
        for node in floating:
            if not self.is_remade(node):
                here.setdefault(self.place[node], []).append(node)
        for block in self.graph.blocks:
            listed: list[Node] = []
            done: set[Node] = set()
            jump = block.jump
            wanted_last = jump.inputs if jump is not None else ()
            body = block.body if jump is None else block.body[:-1]
            others = [node for node in here.get(block, ()) if node not in wanted_last]
            others.sort(key=number_of)  # as they were written: then old values die before new ones are made
            for node in (*body, *others, *([jump] if jump is not None else ())):
                self.list_with_inputs(node, block, listed, done)
            self.lists[block] = listed

    def list_with_inputs(self, root: Node, block: BasicBlock, listed: list[Node], done: set[Node]) -> None:
        """A node behind those of its inputs that are computed in the same block."""
        stack = [root]
        while stack:
            node = stack[-1]
            missing = [one for one in node.inputs if one not in done and self.is_in(one, block)]
            if missing and node not in done:
                stack += reversed(missing)
                continue
            stack.pop()
            if node not in done:
                done.add(node)
                listed.append(node)

    def is_remade(self, node: Node) -> bool:
        """Whether a node is made anew in each block that uses it."""
        return node.op is i.LoadText or (node.is_constant and (self.calls or node.kind not in FLOATING))

    def is_in(self, node: Node, block: BasicBlock) -> bool:
        return node.block is None and not self.is_remade(node) and self.place[node] is block


def split_conditions(graph: Graph) -> None:
    """A comparison that several branches ask for is made for each: compilers make it part of a branch."""
    asked: dict[Node, int] = {}
    for node in roots(graph):
        for one in resolve(node):
            asked[one] = asked.get(one, 0) + 1
    for node in graph.fixed():
        if node.op in (i.BranchIf, i.BranchUnless):
            (condition,) = node.inputs
            if condition.block is None and condition.op is i.Compute and asked[condition] > 1:
                asked[condition] -= 1
                copy = graph.node(
                    i.Compute, condition.inputs, condition.data, condition.kind, condition.chain
                )
                node.inputs = (copy,)


def number_of(node: Node) -> int:
    return node.number


def roots(graph: Graph) -> Iterator[Node]:
    """All nodes that are in their blocks by themselves."""
    for block in graph.blocks:
        yield from block.phis
        yield from block.body
