"""Pass: objects that nobody but this function ever sees become the values of their fields.

    n1 = NewObject IntRangeIter
    StoreField n1, n0, current
    b1   n3 = LoadField n1, current            b1   n3 = Phi(n0, n4)       the field, as a variable
         StoreField n1, n4, current

An object is seen by others if it is stored somewhere, given to a call, returned, compared with one, tested,
or if it is one of several that a phi stands for.  If it is only read, written and asked for nil, then each
field is a variable: what it is where ways meet is a phi, as when the graph is built.  An object in a field of
another is seen until that one is gone, so there are several rounds: a chain of iterators goes from the
outermost inwards.
(Known as scalar replacement; Kotzmann, Mössenböck: Escape Analysis in the Context of Dynamic Compilation and
Deoptimization, 2005.)
"""

from __future__ import annotations

from typing import Any, Final

from doralang.bytecode import instructions as i
from doralang.optimizing.algebra import compared
from doralang.optimizing.build import remove_trivial_phis
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph, Node, Phi, find, floating_nodes, replace, resolve
from doralang.optimizing.memory import default_of

MOST_ROUNDS: Final = 8
"""so deep may objects be in one another"""

Variable = tuple[Node, Any]
"""an object and one of its fields"""
Values = dict[Variable, Node]


def replace_objects(graph: Graph) -> int:
    """How many objects went."""
    found = 0
    for _ in range(MOST_ROUNDS):
        objects = unseen_objects(graph)
        if not objects:
            break
        Replacement(graph, objects).run()
        found += len(objects)
    return found


def unseen_objects(graph: Graph) -> set[Node]:
    """The new objects of which nobody else knows."""
    objects = {node for node in graph.fixed() if node.op is i.NewObject}
    if objects:
        for block in graph.blocks:
            for node in (*block.phis, *block.body):
                forget_seen(node, objects)
        for node in floating_nodes(graph):
            resolve(node)
            answer = compared(graph, node) if node.op is i.Same else None
            if answer is not None:
                replace(node, answer)
            else:
                forget_seen(node, objects)
    return objects


def forget_seen(user: Node, objects: set[Node]) -> None:
    inputs = resolve(user)
    if user.op in (i.LoadField, i.StoreField, i.CheckNil):
        inputs = inputs[1:]  # the object itself stays with us
    objects.difference_update(inputs)


class Replacement:
    """One round."""

    def __init__(self, graph: Graph, objects: set[Node]) -> None:
        self.graph = graph
        self.objects = objects
        self.dominators = Dominators(graph)
        self.at_end: dict[BasicBlock, Values] = {}
        self.open: list[tuple[Node, Variable]] = []
        """phis, whose inputs are known when all blocks are done"""

    def run(self) -> None:
        for block in self.dominators.order:
            values = self.at_start(block)
            block.body = [node for node in block.body if not self.replaces(node, values)]
            self.at_end[block] = values
        for phi, variable in self.open:
            assert phi.block is not None
            phi.inputs = tuple([find(self.at_end[one][variable]) for one in phi.block.predecessors])
        remove_trivial_phis(self.graph)
        for block in self.graph.blocks:
            for node in (*block.phis, *block.body):
                resolve(node)

    def at_start(self, block: BasicBlock) -> Values:
        """The fields of the objects that are there, on whatever way the block is entered."""
        ends = [self.at_end.get(one) for one in block.predecessors]
        known = next((one for one in ends if one is not None), {})
        if len(ends) == 1:
            return dict(known)
        values: Values = {}
        for variable in known:
            object, field = variable
            assert object.block is not None
            if object.block is block or not self.dominators.dominates(object.block, block):
                continue  # the next time round it is another object
            given = [None if one is None else find(one[variable]) for one in ends]
            value = given[0]
            if value is None or any(one is not value for one in given):
                value = self.graph.node(Phi, (), (), field.kind, (), block)
                block.phis.append(value)
                self.open.append((value, variable))
            values[variable] = value
        return values

    def replaces(self, node: Node, values: Values) -> bool:
        """Whether a node goes; the fields are changed as it does."""
        inputs = resolve(node)
        if node in self.objects:
            for field in node.get("cls").fields:
                values[node, field] = default_of(self.graph, field.kind, node)
            return True
        if not inputs or inputs[0] not in self.objects:
            return False
        if node.op is i.CheckNil:
            return True
        variable = inputs[0], node.get("field")
        value = values.get(variable)
        if node.op is i.LoadField:
            # What is read as an object of another class, as another variant of an enum, is never reached.
            replace(node, value or default_of(self.graph, variable[1].kind, node))
        elif value is not None:
            values[variable] = inputs[1]
        return True
