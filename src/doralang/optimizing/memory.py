"""Pass: loads of what is known, and stores that nobody sees.

    StoreField n1, n5, value                  StoreField n1, n5, value
    n6 = LoadField n1, value                  n6 is n5
    StoreField n2, n7, value                  n1 and n2 may be one object: n5 is not known any more

What memory is known to hold is taken along all ways at once: at a meeting it is what all ways say, at the
head of a loop what is known before it and not written in it.  Memory falls into classes that never overlap: a
field of a class, the elements of arrays of a kind, a global variable, and lengths, which never change.  In a
class two places may be the same unless both objects are new ones, or both indexes are different constants.  A
call may write everything.

A store is not needed if the place holds the value already, as the zeros of a new object do, or if a later one
in the same block overwrites it before anybody could look: nothing between reads the class, calls or fails.
"""

from __future__ import annotations

from typing import Any, Final

from doralang.bytecode import instructions as i
from doralang.library.internals import QUIET
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph, Node, key_of, replace, resolve
from doralang.types.kinds import BOOL, FLOATING, REF, Kind

NEW: Final = (i.NewObject, i.NewArray)

Class = tuple[Any, ...]
"""what may overlap: what it is, then which field, kind of elements, or variable"""
Place = tuple[Class, Node | None, Node | None]
"""a class of memory, an object in it, an index"""
Memory = dict[Place, Node]

LENGTH: Final[Class] = ("length",)
ALL: Final[Class] = ("all",)


def place_of(node: Node) -> Place | None:
    """What a node loads or stores."""
    if node.op in (i.LoadField, i.StoreField):
        return ("field", node.get("field")), node.inputs[0], None
    if node.op is i.LoadElement:
        return ("elements", node.kind), node.inputs[0], node.inputs[1]
    if node.op is i.StoreElement:
        return ("elements", node.inputs[2].kind), node.inputs[0], node.inputs[1]
    if node.op is i.ArrayLength:
        return LENGTH, node.inputs[0], None
    if node.op in (i.LoadGlobal, i.StoreGlobal):
        return ("global", node.get("variable")), None, None
    return None


def written(node: Node) -> Class | None:
    """The class of memory that a node may write; `ALL` for what calls."""
    if node.op in (i.StoreField, i.StoreElement, i.StoreGlobal):
        place = place_of(node)
        assert place is not None
        return place[0]
    if node.op is i.FillArray:
        return "elements", node.inputs[1].kind
    if node.op in (i.Call, i.CallVirtual):
        return ALL
    if node.op is i.CallInternal and node.get("function").internal not in QUIET:
        return ALL
    return None


def remove_memory_accesses(graph: Graph) -> int:
    """How many loads and stores went."""
    return Accesses(graph).run()


class Accesses:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.dominators = Dominators(graph)
        self.at_end: dict[BasicBlock, Memory] = {}
        self.found = 0
        self.overwritten: set[Node] = set()
        """stores that went"""
        self.writes = {block: {written(node) for node in block.body} - {None} for block in graph.blocks}

    def run(self) -> int:
        for block in self.dominators.order:
            memory = self.at_start(block)
            unseen: dict[Place, Node] = {}
            kept: list[Node] = []
            for node in block.body:
                resolve(node)
                if self.visit(node, memory, unseen):
                    kept.append(node)
            block.body = [node for node in kept if node not in self.overwritten]
            self.at_end[block] = memory
        for block in self.graph.blocks:
            for node in (*block.phis, *block.body):
                resolve(node)
        return self.found

    def at_start(self, block: BasicBlock) -> Memory:
        """What all ways say."""
        known = [self.at_end[one] for one in block.predecessors if one in self.at_end]
        if not known:
            return {}
        first, *others = known
        memory = {
            place: value for place, value in first.items() if all(one.get(place) is value for one in others)
        }
        if len(known) < len(block.predecessors):
            classes = {one for inside in self.dominators.loops.get(block, ()) for one in self.writes[inside]}
            if block not in self.dominators.loops:
                return {}
            if ALL in classes:
                return {place: value for place, value in memory.items() if place[0] == LENGTH}
            memory = {place: value for place, value in memory.items() if place[0] not in classes}
        return memory

    def visit(self, node: Node, memory: Memory, unseen: dict[Place, Node]) -> bool:
        """Whether a node stays; what is known is changed as it does."""
        place = place_of(node)
        if place is not None and node.kind is not None:
            return self.load(node, place, memory, unseen)
        if place is not None:
            return self.store(node, place, memory, unseen)
        if can_be_seen(node):
            unseen.clear()
        changed = written(node)
        if changed == ALL:
            for one in [one for one in memory if one[0] != LENGTH]:
                del memory[one]
        elif changed is not None:
            forget(memory, changed)
        elif node.op is i.NewObject:
            for field in node.get("cls").fields:
                memory[("field", field), node, None] = default_of(self.graph, field.kind, node)
        elif node.op is i.NewArray:
            memory[LENGTH, node, None] = node.inputs[0]
        return True

    def load(self, node: Node, place: Place, memory: Memory, unseen: dict[Place, Node]) -> bool:
        known = memory.get(place)
        if known is not None:
            replace(node, known)
            self.found += 1
            return False
        if can_be_seen(node):
            unseen.clear()
        for one in [one for one in unseen if one[0] == place[0]]:
            del unseen[one]
        memory[place] = node
        return True

    def store(self, node: Node, place: Place, memory: Memory, unseen: dict[Place, Node]) -> bool:
        value = node.inputs[-1]
        if memory.get(place) is value and not can_be_seen(node):
            self.found += 1
            return False
        if can_be_seen(node):
            unseen.clear()
        if place in unseen:
            self.overwritten.add(unseen[place])
            self.found += 1
        forget(memory, place[0], place)
        memory[place] = value
        unseen[place] = node
        return True


def default_of(graph: Graph, kind: Kind, node: Node) -> Node:
    """What a field of a new object holds."""
    value = None if kind is REF else False if kind is BOOL else 0.0 if kind in FLOATING else 0
    return graph.constant(value, kind, node.chain)


def forget(memory: Memory, changed: Class, place: Place | None = None) -> None:
    """What may be overwritten is not known any more."""
    for one in [one for one in memory if one[0] == changed and (place is None or may_be_same(one, place))]:
        del memory[one]


def may_be_same(one: Place, other: Place) -> bool:
    """Whether two places of a class may be one."""
    _, object, index = one
    _, another, at = other
    if object is not another:
        return object is None or another is None or object.op not in NEW or another.op not in NEW
    if index is not at and index is not None and at is not None and index.is_constant and at.is_constant:
        return bool(key_of(index.data) == key_of(at.data))
    return True


def can_be_seen(node: Node) -> bool:
    """Whether somebody may look at memory from here: by a failure, or by a call."""
    op: Any = node.op
    if op in (i.LoadGlobal, i.StoreGlobal):
        return False
    if place_of(node) is not None:
        is_new = node.inputs[0].op in NEW
        return any(not node.get(flag) and not (flag == "nonnil" and is_new) for flag in op.flags)
    return bool(op.is_safepoint or op.leaves)
