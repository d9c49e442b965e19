"""Which bytecode register holds each value: out of static single assignment form.

    n3 = Phi(n1, n7)     n3 and n7 share r2 if neither is needed where the other is made;
                         if they do, the jump back needs no move

Each value begins with a register of its own.  Then phis are joined with their inputs, those in inner loops
first, where no two values of the joined sets are live at once; what cannot be joined is moved on the edge.
(After Boissinot et al.: Revisiting Out-of-SSA Translation, 2009: two values of one set interfere if one is
live where the other is defined.)

    n9 = Compute double.times(n8, n4)    r3 = r3 * r2 if n8 is not needed any more

Last, results are joined with the operands that die in them, as processors with two operands want it: a move
for each of a hundred computations leaves less room for those that could run at once.
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import Register
from doralang.optimizing.graph import BasicBlock, Node
from doralang.optimizing.schedule import Schedule
from doralang.types.kinds import Kind
from doralang.types.primitives import Algebra


class GraphLiveness:
    """What is live at the ends of blocks, and behind each definition, as bits."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.blocks = schedule.graph.blocks
        self.bit: dict[Node, int] = {}
        self.live_out: dict[BasicBlock, int] = dict.fromkeys(self.blocks, 0)
        self.behind: dict[Node, int] = {}
        """for each value what is needed behind the place where it is made"""
        self.used: set[Node] = set()
        self.number()
        self.solve()
        for block in self.blocks:
            self.walk_up(block)

    def number(self) -> None:
        """Give each value a bit; note what is used."""
        bit = self.bit
        for parameter in self.schedule.graph.parameters:
            bit[parameter] = 1 << len(bit)
        for block in self.blocks:
            for node in (*block.phis, *self.schedule.lists[block]):
                self.used.update(node.inputs)
                if node.kind is not None:
                    bit[node] = 1 << len(bit)

    def solve(self) -> None:
        """The usual backward analysis; inputs of phis are used at the ends of predecessors."""
        bit, live_out, live_in = self.bit, self.live_out, dict.fromkeys(self.blocks, 0)
        uses, kills = dict.fromkeys(self.blocks, 0), dict.fromkeys(self.blocks, 0)
        for block in self.blocks:
            for phi in block.phis:
                kills[block] |= bit[phi]
                for one, before in zip(phi.inputs, block.predecessors, strict=True):
                    live_out[before] |= bit.get(one, 0)
            for node in self.schedule.lists[block]:
                kills[block] |= bit.get(node, 0)
                for one in node.inputs:
                    uses[block] |= bit.get(one, 0)
        waiting = list(self.blocks)
        while waiting:
            block = waiting.pop()
            live = (uses[block] | live_out[block]) & ~kills[block]
            if live != live_in[block]:
                live_in[block] = live
                for before in block.predecessors:
                    if live & ~live_out[before]:
                        live_out[before] |= live
                        waiting.append(before)

    def walk_up(self, block: BasicBlock) -> None:
        bit, behind, live = self.bit, self.behind, self.live_out[block]
        for node in reversed(self.schedule.lists[block]):
            if node in bit:
                behind[node] = live
                live &= ~bit[node]
            for one in node.inputs:
                live |= bit.get(one, 0)
        for phi in block.phis:
            behind[phi] = live
        if block is self.blocks[0]:
            for parameter in self.schedule.graph.parameters:
                behind[parameter] = live


class Web:
    """Values that share a register: their bits, and what is live where they are made."""

    __slots__ = ("bits", "live", "nodes", "parameter")

    def __init__(self, node: Node, bit: int, live: int, parameter: int | None) -> None:
        self.nodes = [node]
        self.bits = bit
        self.live = live
        self.parameter = parameter
        """the number of the parameter that is among them"""


class Registers:
    """`of` has the register of each value that is in one; `kinds` those of the registers."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.liveness = GraphLiveness(schedule)
        graph, live = schedule.graph, self.liveness
        numbers = {node: node.data[0] for node in graph.parameters}
        self.webs = {
            node: Web(node, bit, live.behind[node], numbers.get(node)) for node, bit in live.bit.items()
        }
        self.join_phis()
        self.join_operands()
        self.kinds: list[Kind] = [*graph.ref.parameters]
        self.of: dict[Node, Register] = {}
        for parameter in graph.parameters:
            for node in self.webs[parameter].nodes:
                self.of[node] = Register(parameter.data[0])
        for node in self.liveness.bit:
            if node not in self.of:
                register = self.new(node.kind)
                for one in self.webs[node].nodes:
                    self.of[one] = register

    def new(self, kind: Kind | None) -> Register:
        assert kind is not None, "it is a value"
        self.kinds.append(kind)
        return Register(len(self.kinds) - 1)

    def join_phis(self) -> None:
        """Join phis with their inputs, where that is possible."""
        depth = self.schedule.dominators.loop_depth
        pairs: list[tuple[int, int, Node, Node]] = []
        for block in self.schedule.graph.blocks:
            for phi in block.phis:
                for one, before in zip(phi.inputs, block.predecessors, strict=True):
                    if not self.schedule.is_remade(one) and one is not phi:
                        pairs.append((-depth[before], len(pairs), phi, one))
        for _, _, phi, one in sorted(pairs, key=lambda pair: pair[:2]):
            self.join(phi, one)

    def join_operands(self) -> None:
        """Join computations with operands that die in them."""
        for block in self.schedule.graph.blocks:
            for node in self.schedule.lists[block]:
                if node.op is i.Compute and node in self.webs:
                    self.join_operand(node)

    def join_operand(self, node: Node) -> None:
        """The first operand before the second, which may take its place only if both may be exchanged."""
        count = 2 if Algebra.COMMUTES in node.operation.algebra else 1
        for one in node.inputs[:count]:
            if one.kind is node.kind and one in self.webs and self.join(node, one):
                return

    def join(self, one: Node, other: Node) -> bool:
        """Let two values and those with them share a register, unless some of them are live at once."""
        first, second = self.webs[one], self.webs[other]
        if first is second:
            return True
        if first.bits & second.live or second.bits & first.live or self.keeps_apart(first, second):
            return False
        if len(first.nodes) < len(second.nodes):
            first, second = second, first
        first.nodes += second.nodes
        first.bits |= second.bits
        first.live |= second.live
        if second.parameter is not None:
            first.parameter = second.parameter
        for node in second.nodes:
            self.webs[node] = first
        return True

    def keeps_apart(self, first: Web, second: Web) -> bool:
        """Two parameters have registers of their own, and `self` is never written."""
        numbers = {first.parameter, second.parameter} - {None}
        return len(numbers) > 1 or (self.schedule.graph.ref.has_self and 0 in numbers)
