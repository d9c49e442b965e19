"""Checks that a graph is well formed; always on in tests, between all passes.

Edges of blocks both ways, one input of a phi for each edge, kinds, jumps at the ends of blocks only, and
that each value is made before it is used on every way.  All complaints are reported together, with a dump.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doralang.bytecode import instructions as i
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph, Node, Parameter, Phi, can_float, find, floating_nodes
from doralang.optimizing.printer import print_graph, print_node
from doralang.types.kinds import Kind


class GraphError(Exception):
    """A graph that a pass has broken."""


def verify_graph(graph: Graph, behind: str) -> None:
    """Raise GraphError with all complaints; `behind` is the pass that has run last."""
    complaints = [*edges(graph)]
    if not complaints:
        complaints = [*nodes(graph)]
    if not complaints:
        complaints = [*order(graph)]
    if complaints:
        raise GraphError("\n".join([f"behind {behind}:", *complaints, "", print_graph(graph)]))


def edges(graph: Graph) -> Iterator[str]:
    known = set(graph.blocks)
    if graph.blocks[0].predecessors:
        yield "something leads to the entry"
    for block in graph.blocks:
        for one in block.successors:
            if one not in known or one.predecessors.count(block) != block.successors.count(one):
                yield f"{block} leads to {one}, which does not know it"
        for one in block.predecessors:
            if one not in known or block not in one.successors:
                yield f"{block} comes from {one}, which does not know it"
        if len(block.successors) == 2 and block.successors[0] is block.successors[1]:
            yield f"{block} has a jump that makes no difference"
        yield from jumps(block)


def jumps(block: BasicBlock) -> Iterator[str]:
    for node in block.body[:-1]:
        if node.op.leaves:  # type: ignore[attr-defined]
            yield f"{block}: {node} leaves it in the middle"
    jump = block.jump
    wanted = 1 if jump is None else 0 if jump.op.ends else 2  # type: ignore[attr-defined]
    if len(block.successors) != wanted:
        yield f"{block} leads to {len(block.successors)} blocks, not to {wanted}"


def nodes(graph: Graph) -> Iterator[str]:
    for block in graph.blocks:
        for phi in block.phis:
            if phi.op is not Phi or phi.block is not block:
                yield f"{block}: {phi} is no phi of it"
            if len(phi.inputs) != len(block.predecessors):
                yield f"{phi} has {len(phi.inputs)} inputs for {len(block.predecessors)} ways to it"
            for one in phi.inputs:
                if find(one).kind is not phi.kind:
                    yield f"{phi} is {phi.kind}, and {find(one)} is {find(one).kind}"
        for node in block.body:
            if node.block is not block or node.stand_in is not None:
                yield f"{block}: {node} should not be there"
            yield from kinds(node)
    for node in floating_nodes(graph):
        if node.stand_in is None:
            yield from kinds(node)
            if node.op is not Parameter and not can_float(node.op, node.data, tuple(map(find, node.inputs))):
                yield f"{node} floats, but it may fail"


def kinds(node: Node) -> Iterator[str]:
    """What goes in and comes out."""
    given = [find(one).kind for one in node.inputs]
    wanted: list[Kind | None] = list(wanted_kinds(node, given))
    if wanted != given:
        yield f"{print_node(node)}: the inputs are {given}, not {wanted}"


def wanted_kinds(node: Node, given: list[Kind | None]) -> tuple[Kind | None, ...]:
    op = node.op
    if op is i.Compute:
        return node.operation.operands
    if op in (i.Call, i.CallVirtual, i.CallInternal):
        parameters: tuple[Kind, ...] = node.get("function").parameters
        return parameters
    if op is i.StoreField:
        return (Kind.REF, node.get("field").kind)
    known = dict(getattr(op, "kinds", ()))
    names = getattr(op, "use_names", ())
    if len(names) != len(given):
        return tuple(given)
    return tuple(known.get(name, kind) for name, kind in zip(names, given, strict=True))


def order(graph: Graph) -> Iterator[str]:
    """Whether each value dominates its uses; what floats is wherever the last of its inputs is."""
    dominators = Dominators(graph)
    at: dict[Node, tuple[BasicBlock, int]] = dict.fromkeys(graph.parameters, (graph.blocks[0], -1))
    for block in graph.blocks:
        at.update(dict.fromkeys(block.phis, (block, -1)))
        at.update({node: (block, index) for index, node in enumerate(block.body)})

    def late(inputs: Sequence[Node], block: BasicBlock, index: int) -> Iterator[Node]:
        """Those that are not made before a place."""
        for one in fixed_inputs(inputs):
            made_in, made_at = at.get(one, (None, 0))
            if made_in is None or (
                made_at >= index if made_in is block else not dominators.dominates(made_in, block)
            ):
                yield one

    for block in dominators.order:
        for index, node in enumerate(block.body):
            for one in late(node.inputs, block, index):
                yield f"{node} in {block} uses {one}, which is not made before it"
        for phi in block.phis:
            for input, before in zip(phi.inputs, block.predecessors, strict=True):
                for one in late([input], before, len(before.body)):
                    yield f"{phi} gets {one} from {before}, where it is not made"


def fixed_inputs(inputs: Sequence[Node]) -> Iterator[Node]:
    """The nodes in blocks that some values are computed from."""
    seen: set[Node] = set()
    stack = [*inputs]
    while stack:
        node = find(stack.pop())
        if node in seen:
            continue
        seen.add(node)
        if node.block is None:
            stack += node.inputs
        else:
            yield node
