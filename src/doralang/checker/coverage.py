"""Whether the arms of a `match` cover every value, and whether some value reaches each of them.

A row is what is left to test of one arm, a pattern for each column of values.  The question, after Maranget,
*Warnings for pattern matching* (2007): is there a value that fits a row, and none of the rows before it?
With a row of nothing but `_` that is what no arm covers, and it is told by an example.

    match o { Some(true) => 1, None => 2 }      rows [Some(true)], [None]      example `Some(false)`
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from doralang.checker import program as typed
from doralang.checker.patterns import data_types, variants_of
from doralang.checker.program import Pattern, Variant
from doralang.text.records import record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.types.types import BOOL, ClassType, EnumType, Type, is_subclass, may_be_nil

Row = Sequence[Pattern]

MOST_STEPS: Final = 200_000
"""So many patterns are looked at for one `match`: the question can take exponential time."""


class TooInvolved(Exception):
    """There are more combinations than anybody would look at."""


@record(eq=True, frozen=True)
class Shape:
    """One of the ways in which values of a type are made; `key` tells it from the others of the type."""

    key: object
    parts: tuple[Type, ...] = ()

    def text(self, parts: Sequence[str]) -> str:
        """An example, from examples for its parts."""
        if self.key is TUPLE:
            return f"({', '.join(parts)})"
        if isinstance(self.key, Variant):
            return f"{self.key.name}({', '.join(parts)})" if parts else self.key.name
        if isinstance(self.key, bool):
            return "true" if self.key else "false"
        return "nil" if self.key is NOTHING else "_"


TUPLE: Final = "tuple"
NOTHING: Final = "nil"
OBJECT: Final = "object"


LITERAL: Final = "literal"
"""of a type that has too many shapes to be named"""


def shapes_of(type: Type) -> list[Shape]:
    """All shapes of a type in the order in which examples are looked for; none if there are too many."""
    if isinstance(type, ClassType | EnumType):
        variants = variants_of(type)
        if variants:
            return [Shape(variant, data_types(variant, type)) for variant in variants.values()]
    if type is BOOL:
        return [Shape(True), Shape(False)]
    if isinstance(type, ClassType) and type.head.is_tuple:
        return [Shape(TUPLE, type.arguments)]
    return [Shape(NOTHING), Shape(OBJECT)] if may_be_nil(type) else []


def shape_of(pattern: Pattern, type: Type) -> Shape | None:
    """The shape that a pattern asks for, and all of whose values it takes but for its parts; else None."""
    match pattern:
        case typed.VariantOf(enum, variant, _):
            return Shape(variant, data_types(variant, enum))
        case typed.TupleOf(tuple_type, _):
            return Shape(TUPLE, tuple_type.arguments)
        case typed.Equal(typed.Constant(value=bool(value))):
            return Shape(value)
        case typed.Equal(typed.NilConstant()):
            return Shape(NOTHING)
        case typed.InstanceOf(target) if isinstance(type, ClassType) and is_subclass(type, target):
            return Shape(OBJECT)
    return None


def parts_of(pattern: Pattern) -> list[Pattern]:
    return pattern.parts if isinstance(pattern, typed.VariantOf | typed.TupleOf) else []


def bare(pattern: Pattern) -> Pattern:
    """A pattern without the names that it gives."""
    while isinstance(pattern, typed.Bound):
        pattern = pattern.pattern
    return pattern


def covers(pattern: Pattern, other: Pattern) -> bool:
    """Whether a literal, range or class test fits all that another one of the same type fits."""
    match pattern, other:
        case typed.Equal(value), typed.Equal(wanted):
            return not isinstance(value, typed.NilConstant) and value.value == wanted.value  # type: ignore[union-attr]
        case typed.Between(_, low, high), typed.Between(_, first, last):
            return low <= first and last <= high
        case typed.Between(_, low, high), typed.Equal(typed.Constant(value=value)):
            return low <= value <= high
        case typed.Equal(typed.Constant(value=value)), typed.Between(_, first, last):
            return first == value == last
        case typed.InstanceOf(target), typed.InstanceOf(wanted_class):
            return is_subclass(wanted_class, target)
        case typed.FieldOf(type, field, inner), typed.FieldOf(other_type, other_field, other_inner):
            whole = isinstance(bare(inner), typed.AnyValue) or covers(bare(inner), bare(other_inner))
            return type is other_type and field is other_field and whole
    return False


def key_of(pattern: Pattern, type: Type) -> object:
    """What tells apart patterns no value fits two of: a shape or a literal; None for others."""
    shape = shape_of(pattern, type)
    if shape is not None:
        return shape.key.__class__, shape.key
    if isinstance(pattern, typed.Equal) and not isinstance(pattern.value, typed.NilConstant):
        return LITERAL, pattern.value.value
    return None


def keys_of(pattern: Pattern, type: Type) -> Iterator[object]:
    """The keys of a pattern and its parts as written, up to one that has none or that others fit, too.

    No value fits two patterns whose keys differ: `Some((1, x))` begins with `Some`, tuple, 1.
    """
    waiting = [(pattern, type)]
    while waiting:
        pattern, type = waiting.pop()
        pattern = bare(pattern)
        key = key_of(pattern, type)
        if key is None or key == (str, OBJECT):
            return
        yield key
        shape = shape_of(pattern, type)
        if shape is not None:
            waiting += reversed(list(zip(parts_of(pattern), shape.parts, strict=True)))


class Branch:
    """Rows by their keys: those whose keys end here, and those that have more."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.further: dict[object, Branch] = {}

    def all_rows(self) -> Iterator[Row]:
        waiting = [self]
        while waiting:
            branch = waiting.pop()
            yield from branch.rows
            waiting += branch.further.values()


def numbers_of(pattern: Pattern) -> tuple[int, int] | None:
    """The first and the last number that fit a literal or range of whole numbers or characters."""
    match pattern:
        case typed.Between(_, low, high):
            return low, high
        case typed.Equal(typed.Constant(value=value)) if type(value) is int:
            return value, value
    return None


class Intervals:
    """Numbers from a first to a last one, in order; those that lie within others are left out."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        self.replaced: list[tuple[int, int, list[int], list[int]]] = []
        """for `pop`, of each that was added: where it is, how many it is there, and what was there"""

    def hold(self, first: int, last: int) -> bool:
        """Whether one of them has all these numbers."""
        at = bisect_right(self.firsts, first) - 1
        return at >= 0 and last <= self.lasts[at]

    def append(self, first: int, last: int) -> None:
        if self.hold(first, last):
            self.replaced.append((0, 0, [], []))
            return
        start, end = bisect_left(self.firsts, first), bisect_right(self.lasts, last)
        self.replaced.append((start, 1, self.firsts[start:end], self.lasts[start:end]))
        self.firsts[start:end], self.lasts[start:end] = [first], [last]

    def pop(self) -> None:
        """Take back the last that was added."""
        start, count, firsts, lasts = self.replaced.pop()
        self.firsts[start : start + count], self.lasts[start : start + count] = firsts, lasts


class Coverage:
    """The rows of one `match`, arm after arm.

    They are found by what tells them apart, so that many arms do not take the square of the time of a few.
    """

    def __init__(self, type: Type) -> None:
        self.type = type
        self.rows: list[Row] = []
        self.root = Branch()
        self.numbers = Intervals()
        """instead of a branch, for rows that are nothing but numbers"""
        self.entered: list[list[Row] | Intervals] = []
        """for each row, alternatives apart, where it is"""
        self.steps = 0
        self.depth = 0

    def add(self, pattern: Pattern) -> None:
        self.rows.append((pattern,))
        for row in without_alternatives((pattern,)):
            numbers = numbers_of(bare(row[0]))
            if numbers is not None:
                self.numbers.append(*numbers)
                self.entered.append(self.numbers)
                continue
            branch = self.root
            for key in keys_of(row[0], self.type):
                branch = branch.further.setdefault(key, Branch())
            branch.rows.append(row)
            self.entered.append(branch.rows)

    def mark(self) -> tuple[int, int]:
        """For `forget`: how many rows there are."""
        return len(self.rows), len(self.entered)

    def forget(self, mark: tuple[int, int]) -> None:
        """Take back the rows since then."""
        rows, entered = mark
        del self.rows[rows:]
        while len(self.entered) > entered:
            self.entered.pop().pop()

    def reaches(self, pattern: Pattern) -> bool:
        """Whether some value fits a pattern and none of the rows so far."""
        return any(self.reaches_one(head) for (head,) in without_alternatives((pattern,)))

    def reaches_one(self, head: Pattern) -> bool:
        numbers = numbers_of(bare(head))
        if numbers is not None and self.numbers.hold(*numbers):
            return False
        return self.example(self.rows_for(bare(head)), (head,), (self.type,)) is not None

    def rows_for(self, head: Pattern) -> Sequence[Row]:
        """Those that may fit what a pattern fits."""
        if key_of(head, self.type) is None and not isinstance(head, typed.Between):
            return self.rows
        branch, found = self.root, []
        for key in keys_of(head, self.type):
            found += branch.rows
            further = branch.further.get(key)
            if further is None:
                return found
            branch = further
        return [*found, *(branch.rows if branch is self.root else branch.all_rows())]

    def missing(self) -> str | None:
        """An example of a value that no row fits."""
        found = self.example(self.rows, (typed.AnyValue(),), (self.type,))
        return None if found is None else found[0]

    def example(self, rows: Sequence[Row], query: Row, types: Sequence[Type]) -> list[str] | None:
        """For each column an example of a value that fits the query and none of the rows."""
        self.steps += 1 + len(rows)
        if self.steps > MOST_STEPS:
            raise TooInvolved
        if not rows:
            return [example_of(pattern) for pattern in query]
        if not types:
            return None
        self.depth += 1
        try:
            if self.depth % HOP == 0:
                return on_fresh_stack(lambda: self.column(rows, query, types))
            return self.column(rows, query, types)
        finally:
            self.depth -= 1

    def column(self, rows: Sequence[Row], query: Row, types: Sequence[Type]) -> list[str] | None:
        """Look at the first column."""
        head, type = bare(query[0]), types[0]
        if isinstance(head, typed.OneOf):
            tried = (self.example(rows, (option, *query[1:]), types) for option in head.options)
            return next((found for found in tried if found is not None), None)
        rows = [split for row in rows for split in without_alternatives(row)]
        shape = shape_of(head, type)
        if shape is not None:
            return self.with_shape(rows, query, types, shape, parts_of(head))
        if not isinstance(head, typed.AnyValue):
            covering = [row for row in rows if covers_all(row[0], head, type)]
            return self.behind(covering, query, types, example_of(head))
        keyed: dict[object, list[Row]] = {}
        for row in rows:
            if shape_of(bare(row[0]), type) is not None:
                keyed.setdefault(key_of(bare(row[0]), type), []).append(row)
        if keyed:
            anything = [row for row in rows if is_any(row[0])]
            for shape in shapes_of(type):
                like = [*keyed.get((shape.key.__class__, shape.key), ()), *anything]
                found = self.with_shape(like, query, types, shape, [typed.AnyValue() for _ in shape.parts])
                if found is not None:
                    return found
            return None
        return self.behind([row for row in rows if is_any(row[0])], query, types, "_")

    def behind(self, rows: Sequence[Row], query: Row, types: Sequence[Type], first: str) -> list[str] | None:
        """An example whose first column is found already."""
        found = self.example([row[1:] for row in rows], query[1:], types[1:])
        return None if found is None else [first, *found]

    def with_shape(
        self, rows: Sequence[Row], query: Row, types: Sequence[Type], shape: Shape, parts: Sequence[Pattern]
    ) -> list[str] | None:
        """An example whose first column is of a shape: its parts are columns of their own."""
        kept: list[Row] = []
        for row in rows:
            head = bare(row[0])
            if isinstance(head, typed.AnyValue):
                kept.append((*(head for _ in shape.parts), *row[1:]))
            else:
                mine = shape_of(head, types[0])
                if mine is not None and mine.key == shape.key and type_is(mine.key, shape.key):
                    kept.append((*parts_of(head), *row[1:]))
        found = self.example(kept, (*parts, *query[1:]), (*shape.parts, *types[1:]))
        if found is None:
            return None
        count = len(shape.parts)
        return [shape.text(found[:count]), *found[count:]]


def type_is(one: object, other: object) -> bool:
    """`True` and 1 are the same key for Python."""
    return type(one) is type(other)


def is_any(pattern: Pattern) -> bool:
    return isinstance(bare(pattern), typed.AnyValue)


def covers_all(pattern: Pattern, head: Pattern, type: Type) -> bool:
    """Whether a pattern fits all that `head`, which is no shape, fits."""
    pattern = bare(pattern)
    if isinstance(pattern, typed.AnyValue) or covers(pattern, head):
        return True
    shape = shape_of(pattern, type)
    return shape is not None and shape.key == OBJECT


def without_alternatives(row: Row) -> list[Row]:
    """A row for each alternative of its first column."""
    head = bare(row[0])
    if not isinstance(head, typed.OneOf):
        return [row]
    return [split for option in head.options for split in without_alternatives((option, *row[1:]))]


def example_of(pattern: Pattern) -> str:
    """A value that fits a pattern."""
    pattern = bare(pattern)
    match pattern:
        case typed.OneOf(options):
            return example_of(options[0])
        case typed.VariantOf(type, variant, parts):
            return Shape(variant, data_types(variant, type)).text([example_of(part) for part in parts])
        case typed.TupleOf(_, parts):
            return Shape(TUPLE).text([example_of(part) for part in parts])
    return "_"
