"""Assignments: `a = b`, and `a += b`, which means `a = a + b` with the parts of `a` evaluated once.

a[i()] += e;    ->      Let  index = i()
                        Call a.set(index, a.get(index) + e)
"""

from __future__ import annotations

from doralang.checker import program as typed
from doralang.checker.body import Body, Leaves, ready
from doralang.checker.operators import check_field, check_operation, index_call, mismatch
from doralang.checker.program import Global, Local, TypedExpression
from doralang.checker.scopes import ConstantName
from doralang.checker.trait_objects import coerce
from doralang.syntax import tree
from doralang.types.types import ERROR, UNIT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def check_assign(body: Body, node: tree.Assign, expected: Type | None) -> TypedExpression:
    target = node.target
    if isinstance(target, tree.Name):
        return assign_name(body, node, target)
    if isinstance(target, tree.Member):
        return assign_field(body, node, target)
    if isinstance(target, tree.Index):
        return assign_element(body, node, target)
    before = body.invalid
    body.expression(target)
    body.expression(node.value)
    return body.wrong(node.span) if body.invalid > before else body.error("E0410", node.span)


def new_value(body: Body, node: tree.Assign, old: TypedExpression) -> TypedExpression:
    """What is assigned: the value, or what the operator makes of it and the old one."""
    if node.operator:
        return check_operation(
            body, tree.Binary(node.span, node.operator, node.target, node.value), old, None
        )
    return body.expression(node.value, None if old.type is ERROR else old.type)


def assign_name(body: Body, node: tree.Assign, target: tree.Name) -> TypedExpression:
    local = body.find_local(target.name)
    entity = local or body.global_name(target.name)
    if entity is not None:
        meant = entity.declared if isinstance(entity, Local) else entity
        body.context.note(target.span.start, meant)
    if isinstance(entity, Local | Global):
        return assign_variable(body, node, entity)
    body.expression(node.value)
    if isinstance(entity, ConstantName):
        return body.error("E0409", node.span, name=target.name)
    if entity is not None:
        return body.error("E0410", node.span)
    return body.expression(target)  # an unknown name


def assign_variable(body: Body, node: tree.Assign, variable: Local | Global) -> TypedExpression:
    old: TypedExpression
    if isinstance(variable, Local):
        old = typed.GetLocal(node.target.span, variable.type, variable)
    else:
        old = typed.GetGlobal(node.target.span, variable.type, variable)
    value = new_value(body, node, old)
    if not variable.mutable and variable.type is not ERROR:
        hint = "declare it `var`"
        if isinstance(variable, Local) and variable in body.function.parameters:
            hint = f"declare the parameter `var {variable.name}`"
        return body.error("E0408", node.span, name=variable.name, hint=hint)
    made = coerce(body, value, variable.type)
    if made is None:
        return mismatch(body, "E0401", node.span, variable.name, variable.type, value.type)
    if isinstance(variable, Local):
        return typed.SetLocal(node.span, UNIT, variable, made)
    return typed.SetGlobal(node.span, UNIT, variable, made)


def assign_field(body: Body, node: tree.Assign, target: tree.Member) -> TypedExpression:
    parts: list[typed.Statement] = []
    receiver = body.expression(target.receiver)
    if node.operator:
        receiver = body.held(receiver, parts)
    place = check_field(body, target, receiver)
    value = new_value(body, node, place)
    if not isinstance(place, typed.GetField):
        return body.wrong(node.span)
    if not place.field.mutable and (place.field.owner.is_tuple or not body.is_constructor):
        hint = "a `let` field is assigned in constructors only; declare it `var`"
        if place.field.owner.is_tuple:
            hint = "tuples do not change; make a new one"
        return body.error("E0408", node.span, name=target.name, hint=hint)
    made = coerce(body, value, place.type)
    if made is None:
        return body.error("E0402", node.span, name=target.name, expected=place.type, found=value.type)
    return behind(parts, node, typed.SetField(node.span, UNIT, place.object, place.field, made))


def assign_element(body: Body, node: tree.Assign, target: tree.Index) -> TypedExpression:
    """The call of `set`; for a compound assignment that of `get` before."""
    parts: list[typed.Statement] = []
    receiver = body.expression(target.receiver)
    operands = [target.index, node.value]
    if node.operator:
        receiver = body.held(receiver, parts)
        index = body.held(body.expression(target.index), parts)
        old = index_call(body, node.span, receiver, "get", [ready(index)])
        if body.is_unknown(old.type):
            body.argument(node.value)
            return body.wrong(node.span)
        operands = [ready(index), ready(new_value(body, node, old))]
    call = index_call(body, node.span, receiver, "set", operands)
    if call.type is not UNIT and not body.is_unknown(call.type):
        return body.error("E0416", node.span, name="set", expected="no result", found=f"`{call.type}`")
    return behind(parts, node, call)


def behind(parts: list[typed.Statement], node: tree.Assign, assignment: TypedExpression) -> TypedExpression:
    """An assignment, behind what gives its parts their values."""
    if not parts or assignment.type is ERROR:
        return assignment
    return typed.BlockValue(node.span, UNIT, typed.Block(node.span, parts), assignment)


LEAVES: Final[Leaves] = {tree.Assign: check_assign}
