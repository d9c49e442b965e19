"""Bytecode to the graph.

    2: Compute r2, int.plus, (r2, r3)      n9 = Compute int.plus(n4, n7), and r2 is n9 from here on
    3: Move    r1, r2                      r1 is n9, too

Blocks are walked in an order in which all that leads to one comes before it, but for jumps back.  Where
edges meet, a register that is live there and has several values, or may get one by a jump back, becomes a
phi.  Phis with one value only go at the end: a replacement may make others such, which are found by their
uses in phis, so each edge is looked at a few times at most.  (After Braun et al.: Simple and Efficient
Construction of Static Single Assignment Form, 2013.)
"""

from __future__ import annotations

from typing import Any

from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register
from doralang.bytecode.liveness import BITS, analyse
from doralang.bytecode.places import Chain, Site
from doralang.optimizing.graph import FORMS, BasicBlock, Graph, Node, Parameter, Phi, can_float, find, replace

Values = dict[Register, Node]


class Building:
    """One function on its way into the graph."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.graph = Graph(function.ref, function.entry_line)
        liveness = analyse(function)
        self.spans = {start: (start, end, following) for start, end, following in liveness.blocks}
        self.live_in = liveness.live_in
        self.starts: dict[BasicBlock, int] = {}
        self.ends: dict[BasicBlock, Values] = {}
        """the values of registers at the ends of blocks"""
        self.open: list[tuple[Node, Register]] = []
        """phis with edges from blocks that were not done"""
        self.chains: dict[int, Chain] = {}

    def build(self) -> Graph:
        graph, ref = self.graph, self.function.ref
        self.make_blocks()
        entry = graph.blocks[0]
        values: Values = {}
        here = (Site(ref, graph.entry_line),)
        for number, kind in enumerate(ref.parameters):
            node = graph.node(Parameter, (), (number,), kind, here)
            node.block = entry
            graph.parameters.append(node)
            values[Register(number)] = node
        for block in graph.reverse_postorder():
            if block is not entry:
                values = self.values_at(block)
            if block in self.starts:
                self.fill(block, values)
            self.ends[block] = values
        for phi, register in self.open:
            assert phi.block is not None
            phi.inputs = tuple([self.ends[one][register] for one in phi.block.predecessors])
        graph.keep_blocks(graph.reverse_postorder())
        remove_trivial_phis(graph)
        return graph

    def make_blocks(self) -> None:
        """The blocks with their edges; the entry is one that nothing jumps to."""
        blocks: dict[int, BasicBlock] = {}
        graph = self.graph
        if 0 in self.function.targets:
            graph.blocks.append(BasicBlock(0))
        for start in self.spans:
            block = blocks[start] = BasicBlock(len(graph.blocks))
            graph.blocks.append(block)
            self.starts[block] = start
        if 0 in self.function.targets:
            connect(graph.blocks[0], blocks[0])
        for start, _, following in self.spans.values():
            for one in dict.fromkeys(following):
                connect(blocks[start], blocks[one])
        graph.keep_blocks(graph.reverse_postorder())

    def values_at(self, block: BasicBlock) -> Values:
        """What the registers that are live at the start of a block are there."""
        live = BITS[self.live_in[self.starts[block]]]
        before = [self.ends.get(one) for one in block.predecessors]
        first = before[0]
        if len(before) == 1:
            assert first is not None, "it leads here alone, so it is done"
            return {register: first[register] for register in live}
        values: Values = {}
        is_open = any(one is None for one in before)
        for register in live:
            inputs = [] if is_open else [one[register] for one in before if one is not None]
            if not is_open and all(one is inputs[0] for one in inputs):
                values[register] = inputs[0]
                continue
            kind = self.function.registers[register]
            phi = self.graph.node(Phi, tuple(inputs), (), kind, (), block)
            block.phis.append(phi)
            values[register] = phi
            if is_open:
                self.open.append((phi, register))
        return values

    def fill(self, block: BasicBlock, values: Values) -> None:
        """The nodes of a block."""
        start, end, following = self.spans[self.starts[block]]
        code = self.function.code
        for index in range(start, end):
            insn = code[index]
            if type(insn) is i.Move:
                values[insn.dst] = values[insn.src]
            elif type(insn) is not i.Goto and not (insn.jumps and len(set(following)) == 1):
                self.add(block, insn, self.chain(index), values)

    def chain(self, index: int) -> Chain:
        """That of an instruction; one object for all of a line."""
        if self.function.chains:
            return self.function.chains[index]
        line = self.function.lines[index]
        chain = self.chains.get(line)
        if chain is None:
            chain = self.chains[line] = self.function.chain(index)
        return chain

    def add(self, block: BasicBlock, insn: Instruction, chain: Chain, values: Values) -> None:
        op = type(insn)
        form = FORMS[op]
        used = [getattr(insn, name) for name in form.uses]
        if form.list_name is not None:
            used += getattr(insn, form.list_name)
        inputs = tuple([values[register] for register in used if register != NO_REGISTER])
        data: tuple[Any, ...] = tuple([getattr(insn, name) for name in form.data])
        dst: Register = getattr(insn, op.defines) if op.defines is not None else NO_REGISTER
        kind = self.function.registers[dst] if dst != NO_REGISTER else None
        if can_float(op, data, inputs):
            values[dst] = self.graph.floating(op, inputs, data, kind, chain)
            return
        node = self.graph.node(op, inputs, data, kind, chain, block)
        block.body.append(node)
        if op is i.CheckCast:
            node.kind = None
            values[dst] = inputs[0]  # a check is all that it is
        elif dst != NO_REGISTER:
            values[dst] = node


def connect(block: BasicBlock, successor: BasicBlock) -> None:
    block.successors.append(successor)
    successor.predecessors.append(block)


def remove_trivial_phis(graph: Graph) -> None:
    """Those that have one value, whatever edge is taken, are that value."""
    users: dict[Node, list[Node]] = {}
    waiting = [phi for block in graph.blocks for phi in block.phis]
    for phi in waiting:
        for one in phi.inputs:
            if find(one).op is Phi:
                users.setdefault(find(one), []).append(phi)
    while waiting:
        phi = waiting.pop()
        if phi.stand_in is not None:
            continue
        same = only_value(phi)
        if same is not None:
            replace(phi, same)
            waiting += users.get(phi, ())
            if same.op is Phi:
                users.setdefault(same, []).extend(users.get(phi, ()))
    for block in graph.blocks:
        block.phis = [phi for phi in block.phis if phi.stand_in is None]


def only_value(phi: Node) -> Node | None:
    """The one value of a phi besides itself, if there is no other."""
    same: Node | None = None
    for one in phi.inputs:
        value = find(one)
        if value is phi or value is same:
            continue
        if same is not None:
            return None
        same = value
    return same


def build_graph(function: Function) -> Graph:
    """The graph of a function, of which nothing is optimized yet."""
    return Building(function).build()
