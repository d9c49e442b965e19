"""Literals, names, `self`, `try` and the choice of formulas."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Final

from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves, TryContext, Waiting
from doralang.checker.lookup import find_field
from doralang.checker.nearness import suggestion
from doralang.checker.program import Global, TypedExpression, Variant
from doralang.checker.scopes import ConstantName, kind_name
from doralang.checker.variants import variant_value
from doralang.syntax import tree
from doralang.types.types import BOOL, CHAR, ERROR, INT, NEVER, NIL, UNIT, ClassType, Type, is_assignable


def check_character(body: Body, node: tree.Character, expected: Type | None) -> TypedExpression:
    return typed.Constant(node.span, CHAR, node.value)


def check_boolean(body: Body, node: tree.Boolean, expected: Type | None) -> TypedExpression:
    return typed.Constant(node.span, BOOL, node.value)


def check_text(body: Body, node: tree.Text, expected: Type | None) -> TypedExpression:
    return typed.TextConstant(node.span, body.unit.library_class("Str").of(), node.value)


def check_nil(body: Body, node: tree.Nil, expected: Type | None) -> TypedExpression:
    return typed.NilConstant(node.span, NIL)


def check_invalid(body: Body, node: tree.InvalidExpression, expected: Type | None) -> TypedExpression:
    return body.wrong(node.span)


def check_self(body: Body, node: tree.Self, expected: Type | None) -> TypedExpression:
    if not body.has_self:
        return body.error("E0316", node.span)
    local = body.self_local()
    return typed.GetLocal(node.span, local.type, local)


def check_name(body: Body, node: tree.Name, expected: Type | None) -> Checked:
    local = body.find_local(node.name)
    if local is not None:
        body.context.note(node.span.start, local.declared)
        if local.type is ERROR:
            return body.wrong(node.span)
        return typed.GetLocal(node.span, local.type, local)
    entity = body.global_name(node.name)
    if entity is not None:
        body.context.note(node.span.start, entity)
    if isinstance(entity, Global):
        if entity.type is ERROR:
            return body.wrong(node.span)
        return typed.GetGlobal(node.span, entity.type, entity)
    if isinstance(entity, ConstantName):
        return body.constant(entity, node.span)
    if isinstance(entity, Variant):
        return variant_value(body, node.span, entity, [], None, expected)
    return unknown_name(body, node, entity)


def unknown_name(body: Body, node: tree.Name, entity: object) -> TypedExpression:
    hint = None
    if entity is not None:
        hint = f"`{node.name}` is {kind_name(entity)}, not a value"  # type: ignore[arg-type]
    elif body.unit.incomplete or body.incomplete or not body.is_news("name", node.name):
        return body.wrong(node.span)
    elif body.has_self and find_field(body.context, body.self_type, node.name):
        hint = f"a field is written `self.{node.name}`"
    else:
        hint = suggestion(
            body.unit, node.name, chain(body.local_names(), body.unit.names_of(Global, ConstantName))
        )
    return body.error("E0301", node.span, name=node.name, hint=hint)


# try


def check_try(body: Body, node: tree.Try, expected: Type | None) -> Checked:
    """A plain `try` leaves no trace but its checks; `try … else` becomes a node."""
    if node.otherwise is not None:
        return check_try_else(body, node, expected)
    before, reported = body.invalid, len(body.unit.diagnostics.reports)
    operand, calls = check_operand(body, node.operand, expected, keeps=False)
    if calls == 0 and body.invalid == before and len(body.unit.diagnostics.reports) == reported:
        body.error("E0802", node.span)
    elif calls:
        body.exception_may_leave(node.span)
    return operand


def check_operand(
    body: Body, node: tree.Expression, expected: Type | None, *, keeps: bool
) -> tuple[Checked, int]:
    """Check the operand of a `try`; also tells how many throwing calls belong to it.

    `keeps` says that no exception gets out of this `try`.
    """
    context = TryContext()
    body.tries.append(context)
    outer = body.in_operand
    body.in_operand = outer or keeps
    try:
        return body.argument(node, expected), context.calls
    finally:
        body.in_operand = outer
        body.tries.pop()


def check_try_else(body: Body, node: tree.Try, expected: Type | None) -> Checked:
    assert node.otherwise is not None
    otherwise = node.otherwise
    before = body.invalid
    operand, calls = check_operand(body, node.operand, expected, keeps=True)
    if calls == 0 and body.invalid == before:
        body.error("E0802", node.span)
    return when_known(body, node, operand, lambda known: finish_else(body, node, known, otherwise))


def when_known(
    body: Body, node: tree.Expression, operand: Checked, finish: Callable[[TypedExpression], TypedExpression]
) -> Checked:
    """What a construct makes of its operand, as soon as the type of that is known."""
    if not isinstance(operand, Waiting):
        return finish(operand)
    return Waiting(body, node.span, operand.head, [operand], lambda wanted: finish(operand.finish(wanted)))


def finish_else(
    body: Body, node: tree.Try, operand: TypedExpression, otherwise: tree.Expression
) -> TypedExpression:
    value = body.expression(otherwise, operand.type if operand.type not in (UNIT, NIL, ERROR) else None)
    if body.is_unknown(operand.type, value.type):
        return body.wrong(node.span)
    if not is_assignable(value.type, operand.type):
        return body.error("E0803", otherwise.span, expected=operand.type, found=value.type)
    return typed.TryElse(node.span, operand.type, operand, value)


def check_forced_try(body: Body, node: tree.ForcedTry, expected: Type | None) -> Checked:
    before = body.invalid
    operand, calls = check_operand(body, node.operand, expected, keeps=True)
    if calls == 0 and body.invalid == before:
        body.error("E0802", node.span)
    return when_known(body, node, operand, lambda known: force(node, known))


def force(node: tree.ForcedTry, operand: TypedExpression) -> TypedExpression:
    return operand if operand.type is ERROR else typed.TryForce(node.span, operand.type, operand)


def check_optional_try(body: Body, node: tree.OptionalTry, expected: Type | None) -> Checked:
    """`Some` of the value, or `None` if an exception leaves the operand."""
    option = body.unit.library_class("Option")
    is_option = isinstance(expected, ClassType) and expected.head is option
    inner = expected.arguments[0] if is_option and isinstance(expected, ClassType) else None
    before = body.invalid
    operand, calls = check_operand(body, node.operand, inner, keeps=True)
    if calls == 0 and body.invalid == before:
        body.error("E0802", node.span)
    value = operand.finish(inner) if isinstance(operand, Waiting) else operand
    if body.is_unknown(value.type):
        return body.wrong(node.span)
    if value.type in (UNIT, NIL, NEVER):
        return body.error("E0407", node.operand.span, type=value.type)
    type = option.of((inner if inner is not None and is_assignable(value.type, inner) else value.type,))
    some = option.variants["Some"].made
    assert some is not None
    made = typed.Record(node.span, type, some, [typed.Constant(node.span, INT, SOME), value])
    return typed.TryElse(node.span, type, made, typed.DefaultValue(node.span, type))


SOME: Final = 1
"""the tag of `Some`"""


# C ? A : B


def check_choice(body: Body, node: tree.Choice, expected: Type | None) -> TypedExpression:
    condition = body.expression(node.condition)
    then = body.expression(node.then, expected)
    otherwise = body.expression(node.otherwise, expected)
    if body.is_unknown(condition.type, then.type, otherwise.type):
        return body.wrong(node.span)
    if condition.type is not BOOL:
        return body.error("E0403", node.condition.span, found=condition.type)
    for one, other in ((then, otherwise), (otherwise, then)):
        if is_assignable(other.type, one.type) and one.type not in (UNIT, NIL):
            return typed.Choice(node.span, one.type, [(condition, then)], otherwise)
    return body.error("E0401", node.span, expected=then.type, found=otherwise.type, hint=None)


PLAIN: Final[Leaves] = {
    tree.Character: check_character,
    tree.Boolean: check_boolean,
    tree.Text: check_text,
    tree.Nil: check_nil,
    tree.InvalidExpression: check_invalid,
    tree.Self: check_self,
    tree.Name: check_name,
}
LEAVES: Final[Leaves] = {
    **PLAIN,
    tree.Try: check_try,
    tree.ForcedTry: check_forced_try,
    tree.OptionalTry: check_optional_try,
    tree.Choice: check_choice,
}
