"""`match` to bytecode: the nodes of its decision tree, each behind those that lead to it, and the arms.

match o { Some(x) => x, None => 0 }

is_nil = Same o nil; BranchIf is_nil → none
x = LoadField o value; result = x; Goto end
none: result = 0
end:
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Final

from doralang.bytecode import instructions as i
from doralang.bytecode.builder import Label
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import TAG, Class
from doralang.lower.body import BodyLowering
from doralang.lower.decisions import (
    AccessPath,
    Fail,
    Interval,
    Leaf,
    Node,
    Switch,
    Test,
    decide,
    in_order,
)
from doralang.lower.expressions import jump_if, jump_if_nil, load_element, result_of_branches
from doralang.lower.variables import bind
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES
from doralang.types.traps import Trap
from doralang.types.types import BYTE, CHAR, INT, LONG, ClassType, EnumType, Type


def match(body: BodyLowering, node: typed.Match, into: Register | None) -> Register:
    value = subject(body, node.value)
    if not body.builder.reachable:
        return NO_REGISTER
    matching = Matching(body, node, value)
    matching.emit()
    body.done(value)
    return matching.result


def subject(body: BodyLowering, node: typed.TypedExpression) -> Register:
    """The value that is matched, in a register that nothing in the arms assigns to."""
    if isinstance(node, typed.GetLocal) and not node.local.mutable:
        return body.value(node)
    return body.value(node, body.temporary(body.kind(node.type)))


class Matching:
    """One `match` while it is lowered."""

    def __init__(self, body: BodyLowering, node: typed.Match, value: Register) -> None:
        self.body = body
        self.node = node
        self.value = value
        self.span: Span = node.span
        self.nodes = in_order(decide(node.arms))
        self.labels = {id(one): body.builder.label() for one in self.nodes}
        self.end = body.builder.label()
        self.result = result_of_branches(body, node.type)
        self.leaves = Counter(one.arm for one in self.nodes if isinstance(one, Leaf))
        self.shared = {arm: body.builder.label() for arm, count in self.leaves.items() if count > 1}

    def emit(self) -> None:
        body = self.body
        for one in self.nodes:
            body.builder.bind(self.labels[id(one)])
            if body.builder.reachable:
                self.emit_node(one)
        for arm, label in self.shared.items():
            body.builder.bind(label)
            if body.builder.reachable:
                self.emit_arm(arm)
        body.builder.bind(self.end)

    def emit_node(self, node: Node) -> None:
        match node:
            case Leaf():
                self.leaf(node)
            case Test():
                self.test(node)
                self.go(self.label(node.yes))
            case Switch():
                self.switch(node)
            case Fail():
                self.body.emit(i.Trap(Trap.UNEXPECTED), self.span)

    def label(self, node: Node) -> Label:
        return self.labels[id(node)]

    def go(self, label: Label) -> None:
        self.body.emit(i.Goto(label.target), self.span)

    # Arms.

    def leaf(self, node: Leaf) -> None:
        body = self.body
        for local, place in node.bindings:
            value = self.load(place)
            bind(body, local, value, self.span)
            self.done(value)
        guard = self.node.arms[node.arm].guard
        if guard is not None:
            assert node.otherwise is not None
            jump_if(body, guard, self.label(node.otherwise), False)
        if node.arm in self.shared:
            self.go(self.shared[node.arm])
        else:
            self.emit_arm(node.arm)

    def emit_arm(self, arm: int) -> None:
        wanted = None if self.result == NO_REGISTER else self.result
        register = self.body.value(self.node.arms[arm].body, wanted)
        if wanted is None:
            self.body.done(register)
        self.go(self.end)

    # Places.

    def load(self, place: AccessPath) -> Register:
        """The value at a place."""
        if place.parent is None:
            return self.value
        assert place.owner is not None and place.field is not None
        body = self.body
        object = self.load(place.parent)
        field = body.specializer.field_ref(body.type(place.owner), place.field)
        if place.owner.head.is_tuple:
            register = load_element(body, object, field, self.span)
        else:
            register = body.temporary(field.kind)
            body.emit(i.LoadField(register, object, field), self.span)
        self.done(object)
        return register

    def done(self, register: Register) -> None:
        if register != self.value:
            self.body.done(register)

    # Tests.

    def test(self, node: Test) -> None:
        """Go to `no` if a test fails, else on."""
        no = self.label(node.no)
        value = self.load(node.place)
        match node.pattern:
            case typed.Between(type, low, high):
                first, last = self.number(type, low), self.number(type, high)
                self.less(type, value, first, no)
                self.less(type, last, value, no)
                self.body.done(first, last)
            case typed.InstanceOf(target):
                self.instance(value, target, no)
            case typed.Equal(wanted):
                self.equal(value, wanted, no)
        self.done(value)

    def equal(
        self, value: Register, wanted: typed.Constant | typed.TextConstant | typed.NilConstant, no: Label
    ) -> None:
        body = self.body
        if isinstance(wanted, typed.NilConstant):
            yes = body.builder.label()
            jump_if_nil(body, value, yes, self.span)
            self.go(no)
            body.builder.bind(yes)
        elif isinstance(wanted, typed.TextConstant):
            jump_if_nil(body, value, no, self.span)
            text, found = body.value(wanted), body.temporary(Kind.BOOL)
            equals = body.specializer.program.library.classes["Str"].methods["equals"]
            callee = body.specializer.function_ref(equals)
            body.emit(i.CallInternal(found, callee, (value, text)), self.span)
            self.unless(found, no)
            body.done(text)
        elif isinstance(wanted.value, bool):
            branch = i.BranchUnless if wanted.value else i.BranchIf
            body.emit(branch(value, no.target), self.span)
        else:
            other = body.value(wanted)
            found = self.compute("equals", wanted.type, value, other)
            body.done(other)
            self.unless(found, no)

    def instance(self, value: Register, target: ClassType, no: Label) -> None:
        body = self.body
        found = body.temporary(Kind.BOOL)
        cls = body.specializer.class_ref(body.class_type(target))
        body.emit(i.IsInstance(found, value, cls), self.span)
        self.unless(found, no)

    def unless(self, condition: Register, label: Label) -> None:
        self.body.emit(i.BranchUnless(condition, label.target), self.span)
        self.body.done(condition)

    def compute(self, name: str, type: Type, first: Register, second: Register) -> Register:
        result = self.body.temporary(Kind.BOOL)
        self.body.emit(i.Compute(result, PRIMITIVES[f"{type}.{name}"], (first, second)), self.span)
        return result

    def less(self, type: Type, first: Register, second: Register, label: Label) -> None:
        """Go to a label if one number is less than another."""
        found = self.compute("less", type, first, second)
        self.body.emit(i.BranchIf(found, label.target), self.span)
        self.body.done(found)

    # Switches.

    def switch(self, node: Switch) -> None:
        value = self.load(node.place)
        otherwise = None if node.otherwise is None else self.label(node.otherwise)
        type = node.type
        if not isinstance(type, ClassType | EnumType):
            assert otherwise is not None
            self.search(value, type, ranges_of_numbers(self.numbered(node), otherwise, LAST[type]))
        elif isinstance(type, EnumType):
            self.search(value, INT, ranges_of_tags(self.tagged(node, type), otherwise))
        else:
            self.variants(node, type, value, otherwise)
        self.done(value)

    def numbered(self, node: Switch) -> dict[Interval, Label]:
        return {key: self.label(case) for key, case in node.cases.items() if isinstance(key, tuple)}

    def tagged(self, node: Switch, type: ClassType | EnumType) -> dict[int, Label | None]:
        """The label of each variant that has a tag, which nil has not; None where there is no case."""
        assert isinstance(type.head, Class)
        variants = [variant for variant in type.head.variants.values() if not variant.is_nil]
        cases = node.cases
        return {
            variant.index: self.label(cases[variant]) if variant in cases else None for variant in variants
        }

    def variants(self, node: Switch, type: ClassType, value: Register, otherwise: Label | None) -> None:
        """Nil is a variant, if one has no data; the others have tags, which are looked at if they differ."""
        body = self.body
        assert isinstance(type.head, Class)
        nil = next((variant for variant in type.head.variants.values() if variant.is_nil), None)
        if nil is not None:
            target = self.label(node.cases[nil]) if nil in node.cases else otherwise
            assert target is not None, "all variants have a case or there is another way"
            jump_if_nil(body, value, target, self.span)
        ranges = ranges_of_tags(self.tagged(node, type), otherwise)
        if len(ranges) == 1:
            return self.go(ranges[0][1])
        tag = body.temporary(Kind.INT)
        field = body.specializer.field_ref(body.type(type), type.head.fields[TAG])
        body.emit(i.LoadField(tag, value, field), self.span)
        self.search(tag, INT, ranges)
        return body.done(tag)

    def search(self, value: Register, type: Type, ranges: Ranges) -> None:
        """Find the range that a number lies in by halving."""
        body = self.body
        if len(ranges) == 1:
            return self.go(ranges[0][1])
        if len(ranges) == 3 and ranges[0][1] is ranges[2][1] and ranges[2][0] == ranges[1][0] + 1:
            number = self.number(type, ranges[1][0])
            found = self.compute("equals", type, value, number)
            body.emit(i.BranchIf(found, ranges[1][1].target), self.span)
            body.done(number, found)
            return self.go(ranges[0][1])
        middle = len(ranges) // 2
        left = body.builder.label()
        number = self.number(type, ranges[middle][0])
        self.less(type, value, number, left)
        body.done(number)
        self.search(value, type, ranges[middle:])
        body.builder.bind(left)
        return self.search(value, type, ranges[:middle])

    def number(self, type: Type, value: int) -> Register:
        return self.body.constant(self.body.kind(type), value, self.span)


LAST: Final = {BYTE: 255, CHAR: sys.maxunicode, INT: (1 << 31) - 1, LONG: (1 << 63) - 1}
"""the largest number of each type that has patterns of numbers"""

Ranges = list[tuple[int, Label]]
"""each range by its first number, and where it leads to; the first goes down without end, the last one up"""


def ranges_of_tags(tags: dict[int, Label | None], otherwise: Label | None) -> Ranges:
    ranges: Ranges = []
    for tag, label in tags.items():
        target = label or otherwise
        assert target is not None, "all variants have a case or there is another way"
        add_range(ranges, tag, target)
    return ranges


def ranges_of_numbers(cases: dict[Interval, Label], otherwise: Label, largest: int) -> Ranges:
    """Those of intervals in order, and of what lies between them, up to the largest number of the type."""
    ranges: Ranges = [(min(cases)[0] - 1, otherwise)]
    intervals = sorted(cases)
    for (first, last), (following, _) in zip(intervals, [*intervals[1:], (largest + 1, 0)], strict=True):
        add_range(ranges, first, cases[first, last])
        if last + 1 < following:
            add_range(ranges, last + 1, otherwise)
    return ranges


def add_range(ranges: Ranges, first: int, label: Label) -> None:
    """A further range, which may only prolong the last one."""
    if not ranges or ranges[-1][1] is not label:
        ranges.append((first, label))
