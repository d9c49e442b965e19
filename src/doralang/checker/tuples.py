"""Tuples: `(a, b)` is an object of a hidden class with a field for each element.

(f(), 2)    ->      Record Tuple2  f()  2
t.1         ->      GetField t.1
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves, Waiting
from doralang.checker.program import Class, Field, TypedExpression
from doralang.checker.resolve import tuple_of
from doralang.checker.scopes import Unit
from doralang.checker.trait_objects import coerce, fits
from doralang.syntax import tree
from doralang.syntax.types import MOST_ELEMENTS
from doralang.text.source import LIBRARY, NOWHERE, Source
from doralang.types.types import (
    ERROR,
    LARGEST,
    NEVER,
    NIL,
    UNIT,
    ClassType,
    Type,
    TypeParameter,
    size_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def declare_tuples(unit: Unit) -> None:
    """Enter the classes of tuples, which no program can name, into the library."""
    source = Source("tuples", "", unit=LIBRARY)
    for count in range(2, MOST_ELEMENTS + 1):
        parameters = tuple(TypeParameter(letter) for letter in "ABCDEFGH"[:count])
        entity = Class(f"Tuple{count}", parameters, source, NOWHERE)
        entity.is_value = entity.nil_is_value = entity.is_tuple = True
        for index, parameter in enumerate(parameters):
            entity.fields[str(index)] = Field(str(index), parameter, False, entity, NOWHERE)
        unit.names[entity.name] = entity


def check_tuple(body: Body, node: tree.Tuple, expected: Type | None) -> Checked:
    """One of whose elements a type argument is open may wait for it."""
    wanted = element_types(expected, len(node.elements))
    elements = [body.argument(one, type) for one, type in zip(node.elements, wanted, strict=True)]
    if expected is None and any(isinstance(one, Waiting) for one in elements):
        return Waiting(body, node.span, "(…)", elements, lambda type: make_tuple(body, node, elements, type))
    return make_tuple(body, node, elements, expected)


def element_types(expected: Type | None, count: int) -> Sequence[Type | None]:
    """What the elements of a tuple are expected to be."""
    if isinstance(expected, ClassType) and expected.head.is_tuple and len(expected.arguments) == count:
        return expected.arguments
    return [None] * count


def make_tuple(
    body: Body, node: tree.Tuple, elements: Sequence[Checked], expected: Type | None
) -> TypedExpression:
    wanted = element_types(expected, len(elements))
    values = [
        one.finish(type) if isinstance(one, Waiting) else one
        for one, type in zip(elements, wanted, strict=True)
    ]
    if body.is_unknown(*(value.type for value in values)):
        return body.wrong(node.span)
    if any(value.type is NEVER for value in values):
        return not_made(node, values)
    types: list[Type] = []
    for index, (part, type) in enumerate(zip(node.elements, wanted, strict=True)):
        types.append(element_type(body, part, values[index], type))
        values[index] = coerce(body, values[index], types[-1]) or values[index]
    if ERROR in types:
        return body.wrong(node.span)
    made = tuple_of(body.unit, types)
    if size_of(made) > LARGEST:
        return body.error("E0617", node.span)
    assert isinstance(made.head, Class)
    return typed.Record(node.span, made, made.head, values)


def element_type(body: Body, node: tree.Expression, value: TypedExpression, wanted: Type | None) -> Type:
    """The type that an element has in the tuple; ERROR, reported, if there is none."""
    if value.type is UNIT:
        body.error("E0407", node.span, type=UNIT)
        return ERROR
    if wanted is not None and not body.is_unknown(wanted):
        if fits(body.context, value.type, wanted):
            return wanted
        body.error("E0401", node.span, expected=wanted, found=value.type, hint=None)
        return ERROR
    if value.type is NIL:
        body.error("E0430", node.span, hint="declare the type of the tuple")
        return ERROR
    return value.type


def not_made(node: tree.Tuple, values: Sequence[TypedExpression]) -> TypedExpression:
    """A tuple whose evaluation does not end: its elements up to the one that leaves."""
    first = next(index for index, value in enumerate(values) if value.type is NEVER)
    before: list[typed.Statement] = [typed.Evaluate(value.span, value) for value in values[:first]]
    return typed.BlockValue(node.span, NEVER, typed.Block(node.span, before), values[first])


LEAVES: Final[Leaves] = {tree.Tuple: check_tuple}
