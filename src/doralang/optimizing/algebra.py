"""Pass: constants are computed, laws are used, and equal nodes are one.

    n5 = Compute int.plus(n1, 2)      n9 = Compute int.plus(n1, 5)
    n6 = Compute int.plus(n5, 3)
    n7 = Compute int.less(3, n6)      n7 = Compute int.greater(n9, 3)

Each floating node is looked at behind its inputs: first whether it can be computed now, then whether a row
of `laws` fits, then whether there is another one like it (hash-consing, a form of value numbering: Cocke,
Schwartz, 1970).  Divisions that cannot fail any more begin to float.  Phis whose inputs have become one go,
and the walk begins again until nothing changes.
"""

from __future__ import annotations

from typing import Any, Final

from doralang.bytecode import instructions as i
from doralang.optimizing.build import remove_trivial_phis
from doralang.optimizing.graph import Graph, Node, can_float, find, key_of, replace, resolve
from doralang.optimizing.laws import ORDERS, Law, LawVariable, Operation, laws_by_row
from doralang.types.kinds import BOOL, Kind
from doralang.types.primitives import PRIMITIVES, Algebra, Primitive

MOST_ROUNDS: Final = 4
"""walks over a graph; loops whose phis fall one after the other need more than one"""
FRESH: Final = (i.NewObject, i.NewArray, i.LoadText)
"""what makes a reference that is not nil"""

EXCHANGED: Final[dict[Primitive, Primitive]] = {
    row: PRIMITIVES[f"{kind}.{ORDERS[name]}"]
    for row in PRIMITIVES.values()
    for kind, _, name in [row.name.partition(".")]
    if name in ORDERS
}
"""a comparison, and the one that says the same with its operands exchanged"""


def simplify(graph: Graph) -> int:
    """All of it; how many nodes were replaced."""
    found = 0
    for _ in range(MOST_ROUNDS):
        walk = Walk(graph)
        walk.run()
        found += walk.found
        phis = sum(len(block.phis) for block in graph.blocks)
        remove_trivial_phis(graph)
        if phis == sum(len(block.phis) for block in graph.blocks):
            break
    return found


class Walk:
    """One walk over a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.done: set[Node] = set()
        self.found = 0

    def run(self) -> None:
        graph = self.graph
        graph.known.clear()
        for block in graph.reverse_postorder():
            for phi in block.phis:
                self.visit_inputs(phi)
            kept = []
            for node in block.body:
                self.visit_inputs(node)
                if node.op is i.Compute and can_float(node.op, node.data, node.inputs):
                    self.float(node)
                else:
                    kept.append(node)
            block.body = kept
        for block in graph.blocks:
            for root in (*block.phis, *block.body):
                resolve(root)

    def float(self, node: Node) -> None:
        """A fixed computation cannot fail any more."""
        self.found += 1
        made = self.graph.compute(node.operation, node.inputs, node.chain)
        replace(node, made)
        self.visit(made)

    def visit_inputs(self, node: Node) -> None:
        for one in resolve(node):
            if one.block is None and one not in self.done:
                self.visit(one)
        resolve(node)

    def visit(self, root: Node) -> None:
        """Look at a floating node, behind what it is computed from."""
        stack = [find(root)]
        while stack:
            node = stack[-1]
            missing = [one for one in resolve(node) if one.block is None and one not in self.done]
            if missing and node not in self.done:
                stack += missing
                continue
            stack.pop()
            if node in self.done or node.stand_in is not None:
                continue
            resolve(node)
            self.done.add(node)
            better = self.better(node)
            if better is not None and better is not node:
                self.found += 1
                replace(node, better)
                if better.block is None and better not in self.done:
                    stack.append(better)

    def better(self, node: Node) -> Node | None:
        """What computes the same, if it is not the node itself."""
        if node.op is i.Compute:
            better = folded(self.graph, node) or ordered(self.graph, node) or by_laws(self.graph, node)
            if better is not None:
                return better
        elif node.op is i.Same:
            better = compared(self.graph, node)
            if better is not None:
                return better
        key = (node.op, node.kind, key_of(node.data), *[one.number for one in node.inputs])
        return self.graph.known.setdefault(key, node)


def folded(graph: Graph, node: Node) -> Node | None:
    """A computation with constants is a constant."""
    if all(one.is_constant for one in node.inputs):
        value = node.operation.meaning(*[one.data[0] for one in node.inputs])
        return graph.constant(value, node.operation.result, node.chain)
    return None


def ordered(graph: Graph, node: Node) -> Node | None:
    """Constants stand on the right, and values in the order in which they were made, where that may be."""
    if len(node.inputs) != 2:
        return None
    left, right = node.inputs
    if right.is_constant or not (left.is_constant or left.number > right.number):
        return None
    row = node.operation
    other = row if Algebra.COMMUTES in row.algebra else EXCHANGED.get(row) if left.is_constant else None
    return None if other is None else graph.compute(other, (right, left), node.chain)


def compared(graph: Graph, node: Node) -> Node | None:
    """Whether two references are the same, if that is known."""
    left, right = node.inputs
    answer: bool | None = None
    if left is right:
        answer = True
    elif (left.op in FRESH and right.is_constant) or (right.op in FRESH and left.is_constant):
        answer = False
    return None if answer is None else graph.constant(answer, BOOL, node.chain)


# Laws.


def by_laws(graph: Graph, node: Node) -> Node | None:
    for law in laws_by_row().get(node.operation, ()):
        bound: dict[str, Node] = {}
        if fits(law.left, node, bound) and holds(law, bound):
            return made(graph, law.right, bound, node)
    return None


def fits(pattern: Operation, node: Node, bound: dict[str, Node]) -> bool:
    """Whether a node is of the form of a pattern; its variables are bound."""
    for wanted, given in zip(pattern.operands, node.inputs, strict=True):
        input = find(given)
        if isinstance(wanted, LawVariable):
            if wanted.is_constant and not input.is_constant:
                return False
            if bound.setdefault(wanted.name, input) is not input:
                return False
        elif isinstance(wanted, Operation):
            if input.op is not i.Compute or input.operation is not wanted.row or input.block is not None:
                return False
            if not fits(wanted, input, bound):
                return False
        elif not input.is_constant or key_of((input.data[0],)) != key_of((wanted,)):
            return False
    return True


def holds(law: Law, bound: dict[str, Node]) -> bool:
    if law.condition is None:
        return True
    return law.condition({name: node.data[0] for name, node in bound.items() if node.is_constant})


def made(graph: Graph, term: Any, bound: dict[str, Node], node: Node, kind: Kind | None = None) -> Node:
    """The node of the right side of a law."""
    if isinstance(term, LawVariable):
        return bound[term.name]
    if isinstance(term, Operation):
        row = term.row
        kinds = zip(term.operands, row.operands, strict=True)
        inputs = [made(graph, one, bound, node, wanted) for one, wanted in kinds]
        if all(one.is_constant for one in inputs):
            return graph.constant(row.meaning(*[one.data[0] for one in inputs]), row.result, node.chain)
        return graph.compute(row, tuple(inputs), node.chain)
    kind = kind or node.operation.result
    if isinstance(term, tuple):
        function, variable = term
        return graph.constant(function(bound[variable.name].data[0]), kind, node.chain)
    return graph.constant(term, kind, node.chain)
