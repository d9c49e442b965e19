"""Which bytecode register holds each value: out of static single assignment form.

    n3 = Phi(n1, n7)     n3 and n7 share r2 if neither is needed where the other is made;
                         if they do, the jump back needs no move

Each value begins with a register of its own.  Then phis are joined with their inputs, those in inner loops
first, where no two values of the joined sets are live at once; what cannot be joined is moved on the edge.
(After Boissinot et al.: Revisiting Out-of-SSA Translation, 2009: two values of one set interfere if one is
live where the other is defined.)
"""

from __future__ import annotations

from typing import Final

from doralang.bytecode.instructions import Register
from doralang.optimizing.graph import Block, Node
from doralang.optimizing.schedule import Schedule
from doralang.types.kinds import Kind

MOST_PAIRS: Final = 1 << 10
"""Larger sets are not joined: it would take too long to find out whether they could be."""


class Liveness:
    """Where values are made and used for the last time, and what is live at the ends of blocks, as bits."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.blocks = schedule.graph.blocks
        self.bit: dict[Node, int] = {}
        self.made: dict[Node, tuple[Block, int]] = {}
        self.last_use: dict[Block, dict[Node, int]] = {}
        self.live_out: dict[Block, int] = {}
        self.used: set[Node] = set()
        for parameter in schedule.graph.parameters:
            self.define(parameter, self.blocks[0], -1)
        for block in self.blocks:
            self.look_at(block)
        self.solve()

    def look_at(self, block: Block) -> None:
        uses: dict[Node, int] = {}
        for phi in block.phis:
            self.define(phi, block, -1)
        for index, node in enumerate(self.schedule.lists[block]):
            for one in node.inputs:
                uses[one] = index
            if node.kind is not None:
                self.define(node, block, index)
        self.last_use[block] = uses
        self.used.update(uses)

    def define(self, node: Node, block: Block, index: int) -> None:
        self.bit[node] = 1 << len(self.bit)
        self.made[node] = block, index

    def solve(self) -> None:
        """The usual backward analysis; inputs of phis are used at the ends of predecessors."""
        bit, live_in = self.bit, dict.fromkeys(self.blocks, 0)
        for block in self.blocks:
            self.live_out[block] = 0
        for block in self.blocks:
            for phi in block.phis:
                for one, before in zip(phi.inputs, block.predecessors, strict=True):
                    if one in bit:
                        self.live_out[before] |= bit[one]
                    self.used.add(one)
        uses, kills = dict.fromkeys(self.blocks, 0), dict.fromkeys(self.blocks, 0)
        for node, (block, _) in self.made.items():
            kills[block] |= bit[node]
        for block, last in self.last_use.items():
            for one in last:
                uses[block] |= bit.get(one, 0)
        waiting = list(self.blocks)
        while waiting:
            block = waiting.pop()
            live = (uses[block] | self.live_out[block]) & ~kills[block]
            if live != live_in[block]:
                live_in[block] = live
                for before in block.predecessors:
                    if live & ~self.live_out[before]:
                        self.live_out[before] |= live
                        waiting.append(before)

    def is_live_behind(self, node: Node, block: Block, index: int) -> bool:
        """Whether a value is needed behind a place, which its own definition may follow."""
        made_in, made_at = self.made[node]
        if made_in is block and made_at > index:
            return False
        if self.live_out[block] & self.bit[node]:
            return True
        return self.last_use[block].get(node, -2) > index

    def interfere(self, one: Node, other: Node) -> bool:
        return self.is_live_behind(one, *self.made[other]) or self.is_live_behind(other, *self.made[one])


class Registers:
    """`of` has the register of each value that is in one; `kinds` those of the registers."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.liveness = Liveness(schedule)
        graph = schedule.graph
        self.sets: dict[Node, list[Node]] = {node: [node] for node in self.liveness.bit}
        self.parameters = set(graph.parameters)
        self.join()
        self.kinds: list[Kind] = [*graph.ref.parameters]
        self.of: dict[Node, Register] = {}
        for parameter in graph.parameters:
            for node in self.sets[parameter]:
                self.of[node] = Register(parameter.data[0])
        for node in self.liveness.bit:
            if node not in self.of:
                register = self.new(node.kind)
                for one in self.sets[node]:
                    self.of[one] = register

    def new(self, kind: Kind | None) -> Register:
        assert kind is not None, "it is a value"
        self.kinds.append(kind)
        return Register(len(self.kinds) - 1)

    def join(self) -> None:
        """Join phis with their inputs, where that is possible."""
        depth = self.schedule.dominators.loop_depth
        pairs: list[tuple[int, int, Node, Node]] = []
        for block in self.schedule.graph.blocks:
            for phi in block.phis:
                for one, before in zip(phi.inputs, block.predecessors, strict=True):
                    if not self.schedule.is_remade(one) and one is not phi:
                        pairs.append((-depth[before], len(pairs), phi, one))
        for _, _, phi, one in sorted(pairs, key=lambda pair: pair[:2]):
            self.join_two(phi, one)

    def join_two(self, one: Node, other: Node) -> None:
        first, second = self.sets[one], self.sets[other]
        if first is second or len(first) * len(second) > MOST_PAIRS or self.keeps_apart(first, second):
            return
        if any(self.liveness.interfere(left, right) for left in first for right in second):
            return
        first += second
        for node in second:
            self.sets[node] = first

    def keeps_apart(self, first: list[Node], second: list[Node]) -> bool:
        """Two parameters have registers of their own, and `self` is never written."""
        parameters = [node for node in (*first, *second) if node in self.parameters]
        if len(parameters) > 1:
            return True
        return self.schedule.graph.ref.has_self and any(node.data[0] == 0 for node in parameters)
