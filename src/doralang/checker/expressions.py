"""Literals, names, `self`, `try` and the choice of formulas."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from doralang.checker import program as typed
from doralang.checker.arguments import explicit_arguments
from doralang.checker.body import Body, Checked, Leaves, TryContext, Waiting
from doralang.checker.calls import is_granted, of_variant
from doralang.checker.lookup import find_field
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Function, Global, TypedExpression, Variant
from doralang.checker.scopes import ConstantName, kind_name
from doralang.checker.trait_objects import coerce
from doralang.optional import load
from doralang.syntax import tree
from doralang.types.types import BOOL, CHAR, ERROR, INT, NEVER, NIL, UNIT, ClassType, Type, is_assignable
from doralang.typing_forms import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


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
    if node.type_arguments and (local is not None or not isinstance(body.global_name(node.name), GENERIC)):
        explicit_arguments(body, node.span, node.name, node.type_arguments, ())
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
        return of_variant(body, node.span, entity, node.type_arguments, None, expected)
    if isinstance(entity, Function) and not body.formula:
        if not is_granted(body, node.name, node.span):
            return body.wrong(node.span)
        values = load("doralang.checker.function_values")
        return cast(Checked, values.function_value(body, node, entity, expected))
    return unknown_name(body, node, entity)


GENERIC: Final = (Function, Variant)
"""what type arguments may stand behind"""


def unknown_name(body: Body, node: tree.Name, entity: object) -> TypedExpression:
    hint = None
    if entity is not None:
        hint = f"`{node.name}` is {kind_name(entity)}, not a value"  # type: ignore[arg-type]
        if isinstance(entity, Class) and entity.constructors:
            hint = f"a constructor is no value: write `|…| {node.name}(…)`"
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
    otherwise = node.otherwise
    if otherwise is not None:
        return tried(
            body, node, expected, lambda operand, _: finish_else(body, node, operand, otherwise), keeps=True
        )

    def leave(operand: TypedExpression, context: TryContext) -> TypedExpression:
        if context.calls:
            body.exception_may_leave(node.span, own=context.own > 0)
        return operand

    return tried(body, node, expected, leave, keeps=False)


Finish = Callable[[TypedExpression, TryContext], TypedExpression]
"""Makes the whole of a `try` from its operand."""


def tried(
    body: Body,
    node: tree.Try | tree.ForcedTry | tree.OptionalTry,
    expected: Type | None,
    finish: Finish,
    *,
    keeps: bool,
) -> Checked:
    """Check the operand of a `try`; if it waits for its type, the whole does, and what can throw in it is
    known then.  `keeps` says that no exception gets out of this `try`."""
    context, start = TryContext(), wrong_so_far(body)
    operand = check_operand(body, node.operand, expected, context, keeps=keeps)
    is_wrong = changed(body, start, keeps)

    def complete(wanted: Type | None) -> TypedExpression:
        start = wrong_so_far(body)
        known = operand.finish(wanted) if isinstance(operand, Waiting) else operand
        if context.calls == 0 and not is_wrong and not changed(body, start, keeps):
            body.error("E0802", node.span)
        return finish(known, context)

    if not isinstance(operand, Waiting):
        return complete(expected)
    return Waiting(body, node.span, operand.head, [operand], complete)


def wrong_so_far(body: Body) -> tuple[int, int]:
    return body.invalid, len(body.unit.diagnostics.reports)


def changed(body: Body, start: tuple[int, int], keeps: bool) -> bool:
    """Whether something was found wrong since; where exceptions get out, any report counts."""
    invalid, reported = wrong_so_far(body)
    return invalid != start[0] or (not keeps and reported != start[1])


def check_operand(
    body: Body, node: tree.Expression, expected: Type | None, context: TryContext, *, keeps: bool
) -> Checked:
    body.tries.append(context)
    outer = body.in_operand
    body.in_operand = outer or keeps
    try:
        return body.argument(node, expected)
    finally:
        body.in_operand = outer
        body.tries.pop()


def finish_else(
    body: Body, node: tree.Try, operand: TypedExpression, otherwise: tree.Expression
) -> TypedExpression:
    value = body.expression(otherwise, operand.type if operand.type not in (UNIT, NIL, ERROR) else None)
    if body.is_unknown(operand.type, value.type):
        return body.wrong(node.span)
    made = coerce(body, value, operand.type)
    if made is None:
        return body.error("E0803", otherwise.span, expected=operand.type, found=value.type)
    return typed.TryElse(node.span, operand.type, operand, made)


def check_forced_try(body: Body, node: tree.ForcedTry, expected: Type | None) -> Checked:
    return tried(body, node, expected, lambda operand, _: force(node, operand), keeps=True)


def force(node: tree.ForcedTry, operand: TypedExpression) -> TypedExpression:
    return operand if operand.type is ERROR else typed.TryForce(node.span, operand.type, operand)


def check_optional_try(body: Body, node: tree.OptionalTry, expected: Type | None) -> TypedExpression:
    """`Some` of the value, or `None` if an exception leaves the operand."""
    option = body.unit.library_class("Option")
    is_option = isinstance(expected, ClassType) and expected.head is option
    inner = expected.arguments[0] if is_option and isinstance(expected, ClassType) else None
    checked = tried(body, node, inner, lambda operand, _: some_of(body, node, operand, inner), keeps=True)
    return checked.finish(inner) if isinstance(checked, Waiting) else checked


def some_of(
    body: Body, node: tree.OptionalTry, value: TypedExpression, inner: Type | None
) -> TypedExpression:
    option = body.unit.library_class("Option")
    if body.is_unknown(value.type):
        return body.wrong(node.span)
    if value.type in (UNIT, NIL, NEVER):
        return body.error("E0407", node.operand.span, type=value.type)
    made = None if inner is None else coerce(body, value, inner)
    value = made or value
    type = option.of((value.type if inner is None or made is None else inner,))
    some = option.variants["Some"].made
    assert some is not None
    whole = typed.Record(node.span, type, some, [typed.Constant(node.span, INT, SOME), value])
    return typed.TryElse(node.span, type, whole, typed.DefaultValue(node.span, type))


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
