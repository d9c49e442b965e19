"""Pass: checks that cannot fail, because of what has happened on every way to them.

    n5 = LoadField n1, next                   n5 = LoadField n1, next
    n6 = LoadField n1, value                  n6 = LoadField n1, value, nonnil

    BranchIf n3 = int.less(n2, n4)            in the block that is entered if so, with n4 = ArrayLength n1
    n7 = LoadElement n1, n2                   and n2 not negative: n7 = LoadElement n1, n2, nonnil, unchecked

The tree of dominators is walked: what has been checked, or decided by a branch that leads to a block alone,
holds in all blocks below.  References and lengths of arrays never change, so nothing is forgotten on the way
down.
A branch that is decided by an earlier one, on the same condition or on the order of the same numbers, goes
one way.

A counter that begins at 0 or above and goes up by what is not negative is not negative itself, if it goes up
only where it and its step have been found to be so small that the sum does not wrap: by one where it is less
than something, by `k` where it and `k` are less than a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph, Node, Parameter, Phi, find, resolve
from doralang.types.kinds import BOOL
from doralang.types.primitives import PRIMITIVES, Primitive

NOT_NIL_BY_ITSELF: Final = (i.NewObject, i.NewArray, i.LoadText, i.TakeException)
LESS: Final = PRIMITIVES["int.less"]
GREATER: Final = PRIMITIVES["int.greater"]
LESS_EQUALS: Final = PRIMITIVES["int.lessEquals"]
GREATER_EQUALS: Final = PRIMITIVES["int.greaterEquals"]
PLUS: Final = PRIMITIVES["int.plus"]
AND: Final = PRIMITIVES["int.bitwiseAnd"]
NEGATED: Final[dict[Primitive, Primitive]] = {
    LESS: GREATER_EQUALS,
    GREATER_EQUALS: LESS,
    GREATER: LESS_EQUALS,
    LESS_EQUALS: GREATER,
}
NOT_NEGATIVE: Final = frozenset(["byte.toInt", "bool.toInt", "int.countOneBits", "int.leadingZeros"])
"""operations whose result never is"""
MOST_COUNTERS: Final = 20
"""so many phis are looked at together"""
DEPTH: Final = 8
"""so far is looked for why a value is not negative"""
GREATEST: Final = (1 << 31) - 1
"""int"""
MOST_BLOCKS: Final = 50
"""so many blocks are looked at for what a value is less than"""


class Fact(NamedTuple):
    """Something that holds from here on down: of one node, or of two."""

    what: str
    node: Node
    other: object = None


NONNIL, INSIDE, IS, LESS_THAN, TRUE, FALSE = "not nil", "inside", "is a", "less than", "true", "false"


def remove_checks(graph: Graph) -> int:
    """How many checks went."""
    return Checks(graph).run()


class Checks:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.dominators = Dominators(graph)
        self.facts: dict[Fact, int] = {}
        """what holds, and by how many blocks it has been noted"""
        self.bounds: dict[Node, list[object]] = {}
        """for each node what it is known to be less than"""
        self.found = 0
        self.rising: dict[Node, bool] = {}
        self.guards = {block: list(self.entered_if(block)) for block in self.dominators.order}

    def run(self) -> int:
        if self.graph.ref.has_self:
            self.facts[Fact(NONNIL, self.graph.parameters[0])] = 1
        stack: list[tuple[BasicBlock, list[Fact] | None]] = [(self.graph.blocks[0], None)]
        while stack:
            block, noted = stack.pop()
            if noted is not None:
                for fact in reversed(noted):
                    self.forget(fact)
                continue
            noted = []
            stack.append((block, noted))
            self.visit(block, noted)
            stack += [(child, None) for child in self.dominators.children[block]]
        return self.found

    # What holds.

    def forget(self, fact: Fact) -> None:
        self.facts[fact] -= 1
        if not self.facts[fact]:
            del self.facts[fact]
        if fact.what == LESS_THAN:
            self.bounds[fact.node].pop()

    def note(self, noted: list[Fact], fact: Fact) -> None:
        self.facts[fact] = self.facts.get(fact, 0) + 1
        noted.append(fact)
        if fact.what == LESS_THAN:
            self.bounds.setdefault(fact.node, []).append(fact.other)

    def entered_if(self, block: BasicBlock) -> Iterator[Fact]:
        """What holds where a block begins, because the only way to it is a branch."""
        if len(block.predecessors) != 1:
            return
        (before,) = block.predecessors
        jump = before.jump
        if jump is None or jump.op not in (i.BranchIf, i.BranchUnless) or len(before.successors) != 2:
            return
        condition = resolve(jump)[0]
        is_true = (before.successors[0] is block) == (jump.op is i.BranchIf)
        yield Fact(TRUE if is_true else FALSE, condition)
        yield from implied(condition, is_true)

    # Blocks.

    def visit(self, block: BasicBlock, noted: list[Fact]) -> None:
        for fact in self.guards[block]:
            self.note(noted, fact)
        kept = []
        for node in block.body:
            resolve(node)
            if not self.is_needless(node):
                kept.append(node)
                self.look_at(node, noted)
            else:
                self.found += 1
        block.body = kept

    def is_needless(self, node: Node) -> bool:
        """Whether a node is a check that has been made."""
        if node.op is i.CheckNil:
            return self.is_not_nil(node.inputs[0])
        if node.op is i.CheckCast:
            return self.is_of(node.inputs[0], node)
        return False

    def is_of(self, object: Node, check: Node) -> bool:
        wanted = check.get("cls")
        if object.op is i.NewObject:
            return bool(object.get("cls").extends(wanted))
        return Fact(IS, object, wanted) in self.facts

    def look_at(self, node: Node, noted: list[Fact]) -> None:
        """Set the flags of a node, and note what holds behind it."""
        if "nonnil" in node.op.flags:  # type: ignore[attr-defined]
            self.check_nil(node, noted)
        if "unchecked" in node.op.flags:  # type: ignore[attr-defined]
            array, index, *_ = node.inputs
            inside = Fact(INSIDE, array, index)
            if not node.get("unchecked") and (inside in self.facts or self.is_inside(array, index)):
                node.set("unchecked", True)
                self.found += 1
            self.note(noted, inside)
        elif node.op is i.CheckCast:
            self.note(noted, Fact(IS, node.inputs[0], node.get("cls")))
        elif node.op is i.CheckNil:
            self.note(noted, Fact(NONNIL, node.inputs[0]))
        elif node.op in (i.BranchIf, i.BranchUnless):
            self.decide(node)

    def check_nil(self, node: Node, noted: list[Fact]) -> None:
        if not node.inputs or (node.op is i.CallInternal and not node.get("function").has_self):
            return
        object = node.inputs[0]
        if node.get("nonnil"):
            return
        if self.is_not_nil(object):
            node.set("nonnil", True)
            self.found += 1
        else:
            self.note(noted, Fact(NONNIL, object))

    def decide(self, jump: Node) -> None:
        """A branch on what is known; the next pass removes it."""
        (condition,) = jump.inputs
        if not condition.is_constant:
            value = self.outcome(condition)
            if value is not None:
                jump.inputs = (self.graph.constant(value, BOOL, jump.chain),)
                self.found += 1

    def outcome(self, condition: Node) -> bool | None:
        """What a condition is here, if that is known."""
        for what, value in ((TRUE, True), (FALSE, False)):
            if Fact(what, condition) in self.facts:
                return value
        if condition.op is not i.Compute or condition.operation not in NEGATED:
            return None
        left, right = resolve(condition)
        row = condition.operation
        if row is GREATER or row is LESS_EQUALS:
            left, right, row = right, left, LESS if row is GREATER else GREATER_EQUALS
        if self.is_less(left, right):
            return row is LESS
        if self.is_less(right, left) or (is_zero(right) and self.is_not_negative(left)):
            return row is not LESS
        return None

    def is_less(self, left: Node, right: Node) -> bool:
        return Fact(LESS_THAN, left, right) in self.facts

    # What can be known of values.

    def is_not_nil(self, node: Node) -> bool:
        if node.op in NOT_NIL_BY_ITSELF or Fact(NONNIL, node) in self.facts:
            return True
        if node.op is Phi:
            inputs = resolve(node)
            return all(one.op in NOT_NIL_BY_ITSELF or self.is_self(one) for one in inputs)
        return False

    def is_self(self, node: Node) -> bool:
        return node.op is Parameter and self.graph.ref.has_self and node.data[0] == 0

    def is_inside(self, array: Node, index: Node) -> bool:
        """Whether an index is less than the length of the array and not negative."""
        if array.op is i.NewArray:
            (length,) = resolve(array)
            if index.is_constant and length.is_constant:
                return bool(0 <= index.data[0] < length.data[0])
            if Fact(LESS_THAN, index, length) in self.facts and self.is_not_negative(index):
                return True
        is_less = any(is_length_of(bound, array) for bound in self.bounds.get(index, ()))
        return is_less and self.is_not_negative(index)

    def is_not_negative(self, node: Node, depth: int = 0) -> bool:
        if depth > DEPTH:
            return False
        if node.is_constant:
            return bool(node.data[0] >= 0)
        if node.op is i.ArrayLength:
            return True
        if node.op is i.Compute and node.block is None:
            if node.operation.name in NOT_NEGATIVE:
                return True
            if node.operation is AND:
                return any(self.is_not_negative(find(one), depth + 1) for one in node.inputs)
            if all(one.is_constant for one in resolve(node)):  # known since objects are gone
                return bool(node.operation.meaning(*[one.data[0] for one in node.inputs]) >= 0)
        return node.op is Phi and self.rises(node, depth)

    def rises(self, phi: Node, depth: int) -> bool:
        """Whether a counter begins at 0 or above and never falls, nor wraps.

        Counters that get each other, as those of loops in loops do, rise together or not at all.
        """
        if phi not in self.rising:
            rising = counters_around(phi)
            self.rising.update(dict.fromkeys(rising, False))  # should one depend on them by way of others
            kept = -1
            while len(rising) != kept:
                kept = len(rising)
                rising = {one for one in rising if self.rises_with(one, rising, depth)}
            self.rising.update(dict.fromkeys(rising, True))
        return self.rising[phi]

    def rises_with(self, phi: Node, others: set[Node], depth: int) -> bool:
        assert phi.block is not None
        return all(
            one in others or self.steps_up(one, before, others, depth) or self.is_not_negative(one, depth + 1)
            for one, before in zip(resolve(phi), phi.block.predecessors, strict=True)
        )

    def steps_up(self, next: Node, before: BasicBlock, counters: set[Node], depth: int) -> bool:
        """Whether a value is one of these counters plus a step, where both are too small for an overflow."""
        if next.op is not i.Compute or next.operation is not PLUS:
            return False
        left, right = resolve(next)
        for base, step in ((left, right), (right, left)):
            if base in counters and (step in counters or self.is_not_negative(step, depth + 1)):
                return self.greatest(base, before) + self.greatest(step, before) <= GREATEST
        return False

    def greatest(self, node: Node, block: BasicBlock) -> int:
        """A number that a value is not above, in a block."""
        if node.is_constant:
            return int(node.data[0])
        found = GREATEST
        for _ in range(MOST_BLOCKS):
            for fact in self.guards[block]:
                if fact.what == LESS_THAN and fact.node is node:
                    bound = fact.other
                    is_number = isinstance(bound, Node) and bound.is_constant
                    found = min(found, bound.data[0] - 1 if is_number else GREATEST - 1)  # type: ignore[attr-defined]
            if block is node.block or block is self.graph.blocks[0]:
                break
            block = self.dominators.parent[block]
        return found


def is_zero(node: Node) -> bool:
    return node.is_constant and node.data[0] == 0


def counters_around(phi: Node) -> set[Node]:
    """A phi, and those from which it gets its values, or what they are sums of."""
    found, waiting = {phi}, [phi]
    while waiting and len(found) < MOST_COUNTERS:
        for one in resolve(waiting.pop()):
            values = resolve(one) if one.op is i.Compute and one.operation is PLUS else (one,)
            for value in values:
                if value.op is Phi and value not in found:
                    found.add(value)
                    waiting.append(value)
    return found


def is_length_of(length: object, array: Node) -> bool:
    return isinstance(length, Node) and length.op is i.ArrayLength and resolve(length)[0] is array


def implied(condition: Node, is_true: bool) -> Iterator[Fact]:
    """What a condition says if it is decided."""
    if condition.op is i.IsInstance and is_true:
        (object,) = resolve(condition)
        yield Fact(NONNIL, object)
        yield Fact(IS, object, condition.get("cls"))
    elif condition.op is i.Same and not is_true:
        left, right = resolve(condition)
        for one, other in ((left, right), (right, left)):
            if other.is_constant:
                yield Fact(NONNIL, one)
    elif condition.op is i.Compute and condition.operation in NEGATED:
        row = condition.operation if is_true else NEGATED[condition.operation]
        left, right = resolve(condition)
        if row is LESS:
            yield Fact(LESS_THAN, left, right)
        elif row is GREATER:
            yield Fact(LESS_THAN, right, left)
