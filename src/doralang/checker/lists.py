"""List literals: `[a, b]` is a new `Vec`, or an `Array` where one is expected.

[f(), 2]    ->      BlockValue  Let array = Array::<int>(2)
                                array.set(0, f());  array.set(1, 2)
                                vecOf(array)
"""

from __future__ import annotations

from typing import Final

from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves, Waiting
from doralang.checker.program import Class, Dispatch, Instantiation, TypedExpression
from doralang.checker.values import alternatives, converted, joined
from doralang.syntax import tree
from doralang.types.types import ERROR, INT, LARGEST, NIL, UNIT, ClassType, Type, has_value, size_of


def check_list(body: Body, node: tree.ListLiteral, expected: Type | None) -> Checked:
    """An empty one has the expected type, and may wait for it."""
    if not node.elements and expected is None:
        head = body.unit.library_class("Vec").self_type
        return Waiting(body, node.span, head, [], lambda wanted: must_finish(make_list(body, node, wanted)))
    return make_list(body, node, expected)


def make_list(body: Body, node: tree.ListLiteral, expected: Type | None) -> Checked:
    wanted = expected_element(body, expected)
    if not node.elements:
        return list_of(body, node, expected, wanted, [])
    elements = [body.argument(element, wanted) for element in node.elements]
    first = next((one for one in elements if isinstance(one, Waiting)), None)
    if first is None or wanted is not None or any(not isinstance(one, Waiting) for one in elements):
        return must_finish(
            alternatives(
                body,
                node.span,
                elements,
                wanted,
                lambda type, values: list_of(body, node, expected, type, values),
                "elements",
            )
        )

    def finish(whole: Type | None) -> TypedExpression:
        type = expected_element(body, whole)
        if type is None:
            value = first.finish(None)
            if body.is_unknown(value.type):
                return value
            type = value.type
        values = [one.finish(type) if isinstance(one, Waiting) else one for one in elements]
        found = joined(body, values, type, "elements")
        if found is ERROR:
            return body.wrong(node.span)
        return list_of(body, node, whole, found, converted(body, values, found))

    return Waiting(body, node.span, body.unit.library_class("Vec").self_type, elements, finish)


def must_finish(checked: Checked) -> TypedExpression:
    return checked.finish(None) if isinstance(checked, Waiting) else checked


def list_of(
    body: Body,
    node: tree.ListLiteral,
    expected: Type | None,
    type: Type | None,
    elements: list[TypedExpression],
) -> TypedExpression:
    """The list of elements of a type, or an array if one is expected."""
    if type is UNIT:
        return body.error("E0407", node.span, type=UNIT)
    if type is None or type is NIL or not has_value(type):
        return body.error("E0613", node.span, parameters="`T`", name="Vec", hint="write `Vec::<…>(…)`")
    array, vec = body.unit.library_class("Array"), body.unit.library_class("Vec")
    if size_of(type) + size_of(array.self_type) > LARGEST:
        return body.error("E0617", node.span)
    is_array = isinstance(expected, ClassType) and expected.head is array
    local = body.temporary("array", array.of((type,)))
    made = typed.GetLocal(node.span, local.type, local)
    block = typed.Block(node.span, filled(node, array, local, type, elements))
    if is_array:
        return typed.BlockValue(node.span, local.type, block, made)
    function = body.unit.library_function("vecOf")
    whole = typed.Call(node.span, vec.of((type,)), Instantiation(function, (type,)), Dispatch.STATIC, [made])
    return typed.BlockValue(node.span, whole.type, block, whole)


def expected_element(body: Body, expected: Type | None) -> Type | None:
    """The type of the elements, if a `Vec` or `Array` is expected."""
    heads = (body.unit.library_class("Vec"), body.unit.library_class("Array"))
    if isinstance(expected, ClassType) and expected.head in heads:
        return expected.arguments[0]
    return None


def filled(
    node: tree.ListLiteral, array: Class, local: typed.Local, type: Type, elements: list[TypedExpression]
) -> list[typed.Statement]:
    """A new array in a local, and its elements put in."""
    constructor = next(one for one in array.constructors if len(one.parameters) == 1)
    length = typed.Constant(node.span, INT, len(elements))
    store = Instantiation(array.methods["set"], (type,))
    statements: list[typed.Statement] = [
        typed.Let(
            node.span, local, typed.New(node.span, local.type, Instantiation(constructor, (type,)), [length])
        )
    ]
    for index, element in enumerate(elements):
        receiver = typed.GetLocal(element.span, local.type, local)
        operands: list[TypedExpression] = [receiver, typed.Constant(element.span, INT, index), element]
        call = typed.Call(element.span, UNIT, store, Dispatch.DIRECT, operands)
        statements.append(typed.Evaluate(element.span, call))
    return statements


LEAVES: Final[Leaves] = {tree.ListLiteral: check_list}
