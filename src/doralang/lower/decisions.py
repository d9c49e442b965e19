"""From the arms of a `match` to a decision tree: each part of the value is tested once on a way through it.

After Maranget, *Compiling pattern matching to good decision trees* (2008), with the columns of the first row
taken from left to right.  Equal questions are one node, so that what is called a tree is a graph without
cycles.

    match o { Some(x) if x > 0 => a, Some(0) => b, _ => c }

    Switch o    Some:   Leaf a if x > 0, else Test o.value is 0     yes: Leaf b     no: Leaf c
                else:   Leaf c
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from doralang.checker import program as typed
from doralang.checker.coverage import numbers_of
from doralang.checker.program import Class, Field, Local, MatchArm, Pattern, Variant
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.types.types import INT, ClassType, EnumType, PrimitiveType, Type


@record(eq=True, frozen=True)
class AccessPath:
    """The value that is matched (without `parent`), or a field of a part of it."""

    parent: AccessPath | None = None
    owner: ClassType | None = None
    """the type of the tuple or of the object of a variant, as written"""
    field: Field | None = None


Interval: TypeAlias = tuple[int, int]
"""the first and the last number of some"""


@record
class Fail:
    """No arm fits: the checker has seen that this does not happen."""


@record
class Leaf:
    """An arm fits.  Its variables get their values; behind a guard that is false `otherwise` goes on."""

    arm: int
    bindings: list[tuple[Local, AccessPath]]
    otherwise: Node | None = None


@record
class Test:
    """A literal, range or class."""

    place: AccessPath
    pattern: typed.Equal | typed.Between | typed.InstanceOf
    yes: Node
    no: Node


@record
class Switch:
    """Which variant an enum is, or which of several numbers something is; `otherwise` for all others."""

    place: AccessPath
    type: ClassType | PrimitiveType
    """an enum, also a plain one, or the type of the numbers"""
    cases: dict[Variant | Interval, Node]
    otherwise: Node | None


Node: TypeAlias = Fail | Leaf | Test | Switch


@record
class DecisionRow:
    """What is left to test of an arm, or of one alternative of it."""

    arm: int
    columns: dict[AccessPath, Pattern]
    bindings: list[tuple[Local, AccessPath]] = field(default_factory=list)

    def without(self, place: AccessPath) -> DecisionRow:
        columns = {other: pattern for other, pattern in self.columns.items() if other != place}
        return DecisionRow(self.arm, columns, list(self.bindings))


def decide(arms: Sequence[MatchArm]) -> Node:
    """The decision tree of a `match`."""
    rows = [DecisionRow(index, {AccessPath(): arm.pattern}) for index, arm in enumerate(arms)]
    return Decisions(arms).node(rows)


FEWEST_CASES: Final = 4
"""So many numbers in a row are looked for by halving."""
MOST_OVERLAP: Final = 8
"""Ranges that overlap more than so often are tested one after the other."""


class Decisions:
    def __init__(self, arms: Sequence[MatchArm]) -> None:
        self.arms = arms
        self.known: dict[tuple[object, ...], Node] = {}
        self.fail = Fail()
        self.depth = 0

    def node(self, rows: Sequence[DecisionRow]) -> Node:
        """The node that finds the first of the rows that fits."""
        known: dict[tuple[object, ...], DecisionRow] = {}
        for row in rows:
            for simple in simplified(row):
                known.setdefault(identity(simple), simple)
        if not known:
            return self.fail
        rows, key = list(known.values()), tuple(known)
        node = self.known.get(key)
        if node is None:
            self.depth += 1
            node = on_fresh_stack(lambda: self.make(rows)) if self.depth % HOP == 0 else self.make(rows)
            self.depth -= 1
            self.known[key] = node
        return node

    def make(self, rows: list[DecisionRow]) -> Node:
        first = rows[0]
        if not first.columns:
            leaf = Leaf(first.arm, first.bindings)
            if self.arms[first.arm].guard is not None:
                # A guard is asked once, whatever other alternatives of the arm fit.
                leaf.otherwise = self.node([row for row in rows if row.arm != first.arm])
            return leaf
        place, pattern = next(iter(first.columns.items()))
        rows = [simple for row in rows for simple in simplified(row, place)]
        if isinstance(pattern, typed.VariantOf):
            return self.variants(rows, place, pattern.type)
        assert isinstance(pattern, typed.Equal | typed.Between | typed.InstanceOf)
        return self.numbers(rows, place) or self.literals(rows, place) or self.test(rows, place, pattern)

    def variants(self, rows: Sequence[DecisionRow], place: AccessPath, type: ClassType | EnumType) -> Node:
        """One test finds the variant."""
        named: dict[Variant, list[DecisionRow]] = {}
        for row in rows:
            pattern = row.columns.get(place)
            if isinstance(pattern, typed.VariantOf):
                named.setdefault(pattern.variant, [])
        others: list[DecisionRow] = []
        for row in rows:
            pattern = row.columns.get(place)
            if pattern is None:
                others.append(row)
                for mine in named.values():
                    mine.append(row)
            else:
                assert isinstance(pattern, typed.VariantOf)
                named[pattern.variant].append(with_parts(row, place, pattern))
        assert isinstance(type.head, Class)
        complete = len(named) == len(type.head.variants)
        cases: dict[Variant | Interval, Node] = {variant: self.node(mine) for variant, mine in named.items()}
        if complete and len(cases) == 1:
            return next(iter(cases.values()))
        return Switch(place, type, cases, None if complete else self.node(others))

    def numbers(self, rows: Sequence[DecisionRow], place: AccessPath) -> Node | None:
        """A switch over numbers and ranges of them, if there is nothing else and there are enough of them."""
        spans: list[tuple[int, int, int]] = []
        """first and last number of a row, and which row"""
        number: Type = INT
        for index, row in enumerate(rows):
            pattern = row.columns.get(place)
            if pattern is None:
                continue
            ends = numbers_of(pattern)
            if ends is None:
                return None
            spans.append((*ends, index))
            assert isinstance(pattern, typed.Between | typed.Equal)
            number = pattern.type if isinstance(pattern, typed.Between) else pattern.value.type
        if len({(first, last) for first, last, _ in spans}) < FEWEST_CASES:
            return None
        parts = list(disjoint(spans))
        if sum(len(inside) for _, _, inside in parts) > MOST_OVERLAP * len(rows):
            return None
        free = [index for index, row in enumerate(rows) if place not in row.columns]
        cases: dict[Variant | Interval, Node] = {}
        for first, last, inside in parts:
            mine = [rows[index].without(place) for index in sorted([*inside, *free])]
            cases[first, last] = self.node(mine)
        assert isinstance(number, PrimitiveType)
        return Switch(place, number, cases, self.node([rows[index] for index in free]))

    def literals(self, rows: Sequence[DecisionRow], place: AccessPath) -> Node | None:
        """One test after the other, if all are literals: no row can fit two, so none is looked at twice."""
        found: dict[object, tuple[typed.Equal, list[DecisionRow]]] = {}
        others: list[DecisionRow] = []
        for row in rows:
            pattern = row.columns.get(place)
            if pattern is None:
                others.append(row)
            elif not isinstance(pattern, typed.Equal) or not isinstance(
                pattern.value, typed.TextConstant | typed.NilConstant
            ):
                return None
            else:
                text = pattern.value.value if isinstance(pattern.value, typed.TextConstant) else None
                found.setdefault(text, (pattern, []))
        if len(found) < FEWEST_CASES:
            return None
        for row in rows:
            pattern = row.columns.get(place)
            if pattern is None:
                for _, mine in found.values():
                    mine.append(row)
            else:
                assert isinstance(pattern, typed.Equal)
                text = pattern.value.value if isinstance(pattern.value, typed.TextConstant) else None
                found[text][1].append(row.without(place))
        node = self.node(others)
        for test, mine in reversed(found.values()):
            node = Test(place, test, self.node(mine), node)
        return node

    def test(
        self,
        rows: Sequence[DecisionRow],
        place: AccessPath,
        pattern: typed.Equal | typed.Between | typed.InstanceOf,
    ) -> Node:
        """One literal, range or class: other rows keep what this does not tell about them."""
        yes: list[DecisionRow] = []
        no: list[DecisionRow] = []
        for row in rows:
            other = row.columns.get(place)
            if other is None:
                yes.append(row)
                no.append(row)
            elif same(pattern, other):
                yes.append(row.without(place))
            elif is_bool(pattern):
                no.append(row.without(place))
            else:
                no.append(row)
                if not excludes(pattern, other):
                    yes.append(row)
        return Test(place, pattern, self.node(yes), self.node(no))


def identity(row: DecisionRow) -> tuple[object, ...]:
    """What makes two rows ask and bind the same."""
    columns = tuple((place, id(pattern)) for place, pattern in row.columns.items())
    return row.arm, columns, tuple((local.index, place) for local, place in row.bindings)


def simplified(row: DecisionRow, wanted: AccessPath | None = None) -> list[DecisionRow]:
    """A row, or several for its alternatives, in which each column tests something.

    Alternatives of other columns than the first and the wanted one wait: all together may be too many.
    """
    waiting, done = [row], []
    while waiting:
        row = waiting.pop()
        first = next(iter(row.columns), None)
        column = None
        for place, one in row.columns.items():
            if not is_test(one) and (place in (first, wanted) or not isinstance(one, typed.OneOf)):
                column = place, one
                break
        if column is None:
            done.append(row)
            continue
        place, pattern = column
        if isinstance(pattern, typed.OneOf):
            for option in reversed(pattern.options):
                waiting.append(DecisionRow(row.arm, {**row.columns, place: option}, list(row.bindings)))
        elif isinstance(pattern, typed.Bound):
            bindings = [*row.bindings, (pattern.local, place)]
            waiting.append(DecisionRow(row.arm, {**row.columns, place: pattern.pattern}, bindings))
        elif isinstance(pattern, typed.TupleOf):
            waiting.append(with_elements(row, place, pattern))
        elif isinstance(pattern, typed.FieldOf):
            inside = AccessPath(place, pattern.type, pattern.field)
            parts = {place: typed.InstanceOf(pattern.type), inside: pattern.pattern}
            waiting.append(DecisionRow(row.arm, replaced(row.columns, place, parts), list(row.bindings)))
        else:
            waiting.append(row.without(place))
    return done


def is_test(pattern: Pattern) -> bool:
    return isinstance(pattern, typed.VariantOf | typed.Equal | typed.Between | typed.InstanceOf)


def with_elements(row: DecisionRow, place: AccessPath, pattern: typed.TupleOf) -> DecisionRow:
    """A row with a tuple taken apart; its elements are tested where it was."""
    assert isinstance(pattern.type.head, Class)
    parts = zip(pattern.type.head.fields.values(), pattern.parts, strict=True)
    inner = {AccessPath(place, pattern.type, one): part for one, part in parts}
    return DecisionRow(row.arm, replaced(row.columns, place, inner), list(row.bindings))


def with_parts(row: DecisionRow, place: AccessPath, pattern: typed.VariantOf) -> DecisionRow:
    """A row whose value at a place is known to be a variant."""
    made = pattern.variant.made
    inner: dict[AccessPath, Pattern] = {}
    if made is not None:
        assert isinstance(pattern.type, ClassType)
        owner = made.of(pattern.type.arguments)
        parts = zip(made.fields.values(), pattern.parts, strict=True)
        inner = {AccessPath(place, owner, one): part for one, part in parts}
    return DecisionRow(row.arm, replaced(row.columns, place, inner), list(row.bindings))


def replaced(
    columns: dict[AccessPath, Pattern], place: AccessPath, inner: dict[AccessPath, Pattern]
) -> dict[AccessPath, Pattern]:
    """Columns with others in the place of one."""
    result: dict[AccessPath, Pattern] = {}
    for other, pattern in columns.items():
        if other == place:
            result |= inner
        else:
            result[other] = pattern
    return result


def same(one: Pattern, other: Pattern) -> bool:
    """Whether two tests ask the same."""
    match one, other:
        case typed.Equal(x), typed.Equal(y):
            return type(x) is type(y) and (isinstance(x, typed.NilConstant) or x.value == y.value)  # type: ignore[union-attr]
        case typed.Between(_, low, high), typed.Between(_, first, last):
            return low == first and high == last
        case typed.InstanceOf(x), typed.InstanceOf(y):
            return x is y
    return False


def is_bool(test: Pattern) -> bool:
    """Whether what does not fit a test is the only other value."""
    value = test.value if isinstance(test, typed.Equal) else None
    return isinstance(value, typed.Constant) and isinstance(value.value, bool)


def excludes(one: Pattern, other: Pattern) -> bool:
    """Whether no value that fits one test fits another, different one."""
    if isinstance(one, typed.Equal) and isinstance(other, typed.Equal):
        return True
    ends = limits(one), limits(other)
    if ends[0] is not None and ends[1] is not None:
        return ends[0][1] < ends[1][0] or ends[1][1] < ends[0][0]
    nothing = [
        isinstance(test, typed.Equal) and isinstance(test.value, typed.NilConstant) for test in (one, other)
    ]
    return any(nothing)


def limits(test: Pattern) -> tuple[float, float] | None:
    """The first and last number that fits."""
    if isinstance(test, typed.Between):
        return test.low, test.high
    if isinstance(test, typed.Equal) and isinstance(test.value, typed.Constant):
        return test.value.value, test.value.value
    return None


def disjoint(spans: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Intervals that no span begins or ends within, in order, each with the spans around it, if any."""
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for first, last, index in spans:
        if first <= last:
            begins.setdefault(first, []).append(index)
            ends.setdefault(last + 1, []).append(index)
    cuts = sorted({*begins, *ends})
    inside: set[int] = set()
    for cut, following in zip(cuts, cuts[1:], strict=False):
        inside.difference_update(ends.get(cut, ()))
        inside.update(begins.get(cut, ()))
        if inside:
            yield cut, following - 1, list(inside)


def successors(node: Node) -> list[Node]:
    match node:
        case Leaf(otherwise=otherwise):
            return [] if otherwise is None else [otherwise]
        case Test(yes=yes, no=no):
            return [yes, no]
        case Switch(cases=cases, otherwise=last):
            return [*cases.values(), *([] if last is None else [last])]
    return []


def in_order(root: Node) -> list[Node]:
    """All nodes, each behind those that lead to it."""
    finished: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            finished.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(one, False) for one in successors(node)]
    finished.reverse()
    return finished
