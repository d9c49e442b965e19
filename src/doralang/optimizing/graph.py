"""The graph: what a function computes, with an order only where there must be one.

    var sum = 0; for x in … { sum = sum + x; }

    b0                                   goes to b1
    b1   n3 = Phi(0, n7)                 from b0, b2
         n5 = LoadElement(n1, n4)        fixed: it may fail
         n7 = Compute int.plus(n3, n5)   floats: a node of no block

Nodes are instructions whose registers have become edges to the nodes that make the values, in static single
assignment form.  What has an effect, reads memory or may fail is *fixed* in its block, in order.  All else
*floats* and is one node however often it was written (Click: From Quads to Graphs, 1993); scheduling gives
it a block.  A replaced node knows what stands for it, and `find` follows with path compression, so nobody
keeps lists of users and a replacement costs nothing (Tarjan, 1975).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import INSTRUCTIONS, Instruction, OperandKind
from doralang.bytecode.places import Chain
from doralang.types.kinds import Kind
from doralang.types.primitives import Primitive

K = OperandKind


class Phi:
    """In place of an instruction: the input of the edge by which its block was entered."""


class Parameter:
    """In place of an instruction: the parameter whose number is the data."""


class NodeForm(NamedTuple):
    """What becomes of the operands of an instruction: edges or data; targets are edges of blocks."""

    uses: tuple[str, ...]
    list_name: str | None
    data: tuple[str, ...]
    """operands that are no registers, then flags"""


def form_of(cls: type[Instruction]) -> NodeForm:
    rest = [one.name for one in cls.operands if one.kind not in (K.DEF, K.USE, K.USES, K.TARGET)]
    return NodeForm(cls.use_names, cls.list_name, (*rest, *cls.flags))


FORMS: Final = {cls: form_of(cls) for cls in INSTRUCTIONS}

FLOATING_OPS: Final = frozenset([i.LoadConstant, i.LoadText, i.Same, i.IsInstance])
"""besides computations that cannot fail"""


class Node:
    """A value, an effect, or both.

    `op` is the class of an instruction, or `Phi` or `Parameter`.  `data` are the operands that are no
    registers.  `kind` is that of the value, None if there is none.  `block` is that of a fixed node or a phi.
    """

    __slots__ = ("block", "chain", "data", "inputs", "kind", "number", "op", "stand_in")

    def __init__(
        self,
        number: int,
        op: type,
        inputs: tuple[Node, ...],
        data: tuple[Any, ...],
        kind: Kind | None,
        chain: Chain,
    ) -> None:
        self.number = number
        self.op = op
        self.inputs = inputs
        self.data = data
        self.kind = kind
        self.chain = chain
        self.block: BasicBlock | None = None
        self.stand_in: Node | None = None
        """what it has been replaced by"""

    def __repr__(self) -> str:
        return f"n{self.number}"

    def get(self, name: str) -> Any:
        """A part of the data, by the name of the operand or flag."""
        return self.data[FORMS[self.op].data.index(name)]

    def set(self, name: str, value: object) -> None:
        at = FORMS[self.op].data.index(name)
        self.data = (*self.data[:at], value, *self.data[at + 1 :])

    @property
    def operation(self) -> Primitive:
        """The row of a `Compute`."""
        row: Primitive = self.data[0]
        return row

    @property
    def is_constant(self) -> bool:
        return self.op is i.LoadConstant

    @property
    def floats(self) -> bool:
        return self.block is None


def find(node: Node) -> Node:
    """What stands for a node now."""
    if node.stand_in is None:
        return node
    root = node
    while root.stand_in is not None:
        root = root.stand_in
    while node.stand_in is not None:
        node.stand_in, node = root, node.stand_in
    return root


class BasicBlock:
    """Fixed nodes in order, behind phis; the last of them may be the jump that ends the block.

    `successors` are where a jump leads if it is taken, then where it goes on; one for a plain `Goto`, which
    is no node.  The inputs of each phi are in the order of `predecessors`, in which a block may be twice.
    """

    __slots__ = ("body", "number", "phis", "predecessors", "successors")

    def __init__(self, number: int) -> None:
        self.number = number
        self.phis: list[Node] = []
        self.body: list[Node] = []
        self.successors: list[BasicBlock] = []
        self.predecessors: list[BasicBlock] = []

    def __repr__(self) -> str:
        return f"b{self.number}"

    @property
    def jump(self) -> Node | None:
        """The node that ends the block, if it is not a plain `Goto`."""
        if self.body and self.body[-1].op.leaves:  # type: ignore[attr-defined]
            return self.body[-1]
        return None


class Graph:
    """One function.  `blocks` are in the order in which their code stands, the entry first."""

    def __init__(self, ref: FunctionRef, entry_line: int) -> None:
        self.ref = ref
        self.entry_line = entry_line
        self.blocks: list[BasicBlock] = []
        self.parameters: list[Node] = []
        self.count = 0
        """nodes that were made"""
        self.known: dict[Any, Node] = {}
        """floating nodes by what they are, each once"""

    def node(
        self,
        op: type,
        inputs: tuple[Node, ...],
        data: tuple[Any, ...],
        kind: Kind | None,
        chain: Chain,
        block: BasicBlock | None = None,
    ) -> Node:
        """A new node, whatever there is already."""
        node = Node(self.count, op, inputs, data, kind, chain)
        node.block = block
        self.count += 1
        return node

    def floating(
        self, op: type, inputs: tuple[Node, ...], data: tuple[Any, ...], kind: Kind | None, chain: Chain
    ) -> Node:
        """The floating node that is this; made if there is none."""
        key = (op, kind, key_of(data), *[one.number for one in inputs])
        node = self.known.get(key)
        if node is None:
            node = self.known[key] = self.node(op, inputs, data, kind, chain)
        return node

    def constant(self, value: bool | int | float | None, kind: Kind, chain: Chain) -> Node:
        return self.floating(i.LoadConstant, (), (value,), kind, chain)

    def compute(self, row: Primitive, inputs: tuple[Node, ...], chain: Chain) -> Node:
        return self.floating(i.Compute, inputs, (row,), row.result, chain)

    # Order.

    def reverse_postorder(self) -> list[BasicBlock]:
        """The blocks that can be reached, each before those that follow it, but for jumps back."""
        order: list[BasicBlock] = []
        seen = {self.blocks[0]}
        stack: list[tuple[BasicBlock, Iterator[BasicBlock]]] = [
            (self.blocks[0], iter(self.blocks[0].successors))
        ]
        while stack:
            block, rest = stack[-1]
            following = next((one for one in rest if one not in seen), None)
            if following is None:
                order.append(block)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(following.successors)))
        order.reverse()
        return order

    def fixed(self) -> Iterator[Node]:
        for block in self.blocks:
            yield from block.body

    # Changes.

    def remove_edge(self, block: BasicBlock, successor: BasicBlock) -> None:
        """One edge goes, with the inputs of phis that belong to it."""
        at = successor.predecessors.index(block)
        block.successors.remove(successor)
        del successor.predecessors[at]
        for phi in successor.phis:
            phi.inputs = phi.inputs[:at] + phi.inputs[at + 1 :]

    def keep_blocks(self, kept: Iterable[BasicBlock]) -> None:
        """All other blocks go: nothing leads to them."""
        alive = set(kept)
        for block in self.blocks:
            if block not in alive:
                for successor in list(block.successors):
                    self.remove_edge(block, successor)
        self.blocks = [block for block in self.blocks if block in alive]


def floating_nodes(graph: Graph) -> list[Node]:
    """What is needed and in no block, inputs before users, each once whatever the edges are."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(root, False) for block in graph.blocks for root in (*block.phis, *block.body)][::-1]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
            continue
        if node.block is None:
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
        stack += [(one, False) for one in reversed(node.inputs) if one.block is None]
    return order


def key_of(data: tuple[Any, ...]) -> Any:
    """Data as a key: constants that are equal in Python may be different bits, as 0.0 and -0.0."""
    return tuple(repr(one) if isinstance(one, float) else (type(one), one) for one in data)


def replace(old: Node, new: Node) -> None:
    """Another node stands for one from now on."""
    new = find(new)
    assert old.stand_in is None and new is not old, f"{old} is replaced by {new}"
    old.stand_in = new


def resolve(node: Node) -> tuple[Node, ...]:
    """The inputs of a node as they are now; they are noted."""
    for one in node.inputs:
        if one.stand_in is not None:
            node.inputs = tuple([find(input) for input in node.inputs])
            break
    return node.inputs


def instruction_of(node: Node, dst: i.Register, registers: list[i.Register]) -> Instruction:
    """The instruction that a node was made of, with these registers; a target is filled in later."""
    cls, rest, data = node.op, iter(registers), iter(node.data)
    operands: list[Any] = []
    for operand in cls.operands:  # type: ignore[attr-defined]
        match operand.kind:
            case K.DEF:
                operands.append(dst)
            case K.USE:
                operands.append(next(rest, i.NO_REGISTER))
            case K.USES:
                operands.append(tuple(rest))
            case K.TARGET:
                operands.append(i.Target(0))
            case _:
                operands.append(next(data))
    made: Instruction = cls(*operands, *data)
    return made


def can_float(op: type, data: tuple[Any, ...], inputs: tuple[Node, ...]) -> bool:
    """Whether a node has no effect, needs no memory and cannot fail."""
    if op is i.Compute:
        row: Primitive = data[0]
        return row.trap is None or (inputs[1].is_constant and inputs[1].data[0] != 0)
    return op in FLOATING_OPS
