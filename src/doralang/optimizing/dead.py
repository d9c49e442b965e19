"""Pass: what nobody needs goes.

    n5 = LoadField n1, next, nonnil     and nothing uses n5       gone
    n6 = LoadField n1, next             may fail                  CheckNil n1

A fixed node is needed for its effect, or for the failure that it may be; everything else if something that is
needed uses it.  What may only fail needs the object that it looks at, even if that is a load whose value
nobody else needs; so all that is needed is known before the first load becomes a check.
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.optimizing.graph import Graph, Node, resolve

LOADS = (i.LoadField, i.LoadElement, i.ArrayLength, i.LoadGlobal)


def remove_dead_code(graph: Graph) -> int:
    """How many nodes and phis went."""
    needed: set[Node] = set()
    for node in graph.fixed():
        if has_effect(node):
            need(node, needed)
        elif must_check(node):
            need(resolve(node)[0], needed)
    found = 0
    for block in graph.blocks:
        for node in block.body:
            if node not in needed and must_check(node):
                node.op, node.inputs, node.data, node.kind = i.CheckNil, resolve(node)[:1], (), None
                needed.add(node)
        kept = [node for node in block.body if node in needed]
        phis = [phi for phi in block.phis if phi in needed]
        found += len(block.body) - len(kept) + len(block.phis) - len(phis)
        block.body, block.phis = kept, phis
    return found


def need(root: Node, needed: set[Node]) -> None:
    """A node is needed, with all that it is computed from."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += resolve(node)


def has_effect(node: Node) -> bool:
    if node.op not in LOADS:
        return True
    return node.op is i.LoadElement and not node.get("unchecked")


def must_check(node: Node) -> bool:
    """Whether a load whose value nobody needs may be the failure of a nil check."""
    return node.op in LOADS and node.op is not i.LoadGlobal and not node.get("nonnil")
