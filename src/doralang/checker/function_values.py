"""Functions, methods and variants as values (section 11.13 of the reference): a hidden class that calls on.

let f = max::<int>;     ->      class main#1: fun/2<int, int, int>
                                  fun call(a: int, b: int) -> int { return max(a, b); }
                                Closure main#1

Stack traces leave the methods of these classes out.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.checker import program as typed
from doralang.checker.arguments import given_arguments
from doralang.checker.body import Body, Checked, Waiting
from doralang.checker.bounds import check_bounds
from doralang.checker.closures import add_parameter, closure, new_call
from doralang.checker.function_types import function_type, parts_of
from doralang.checker.generics import Build, GenericCallee, bind, callee, put_in
from doralang.checker.lookup import Found, dispatch_of
from doralang.checker.making import make_call
from doralang.checker.program import Dispatch, Function, Local, TypedExpression
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import (
    LARGEST,
    ClassType,
    Type,
    TypeParameter,
    has_sought,
    has_value,
    is_function,
    size_of,
    substitute,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

BuildWith: TypeAlias = Callable[[list[TypedExpression]], Build]
"""what makes the call, given the receiver if there is one"""


def function_value(body: Body, node: tree.Name, function: Function, expected: Type | None) -> Checked:
    """`f`, `f::<T>`"""
    given = given_arguments(body, node.span, node.name, node.type_arguments, function.type_parameters)
    if given is None:
        return body.wrong(node.span)
    known, open = given
    build = make_call(node.span, function, Dispatch.STATIC, [])
    return value_of(body, node.span, callee(function, known, open, build, chosen=bool(known)), expected)


def method_value(
    body: Body, node: tree.Member, receiver: TypedExpression, found: Found, expected: Type | None
) -> Checked:
    """`o.m`, `o.m::<T>`: the receiver is evaluated now, and the method is looked up at each call."""
    function, span = found.function, node.span
    body.context.note(span.end - len(node.name), function)
    own = function.type_parameters
    given = given_arguments(body, span, node.name, node.type_arguments, own, found.mapping())
    if given is None:
        return body.wrong(span)
    known, open = given

    def build(receiver: list[TypedExpression]) -> Build:
        return make_call(span, function, dispatch_of(found), receiver)

    target = callee(function, known, open, build([]), chosen=bool(node.type_arguments))
    return wait(body, span, target, build, typed.NotNil(span, receiver.type, receiver), expected)


def value_of(body: Body, span: Span, target: GenericCallee, expected: Type | None) -> Checked:
    """The value of something that is called without a receiver."""
    return wait(body, span, target, lambda _: target.build, None, expected)


def wait(
    body: Body,
    span: Span,
    target: GenericCallee,
    build: BuildWith,
    receiver: TypedExpression | None,
    expected: Type | None,
) -> Checked:
    """A generic function waits for the expected type, as a lambda does."""

    def finish(wanted: Type | None) -> TypedExpression:
        return make(body, span, target, build, receiver, wanted)

    if expected is None and target.open:
        return Waiting(body, span, target.name, [], finish, is_function=True)
    return finish(expected)


def make(
    body: Body,
    span: Span,
    target: GenericCallee,
    build: BuildWith,
    receiver: TypedExpression | None,
    expected: Type | None,
) -> TypedExpression:
    mapping = bind_expected(body.context, target, expected)
    missing = [parameter for parameter in target.open if parameter not in mapping]
    if missing:
        names = ", ".join(f"`{parameter}`" for parameter in missing)
        hint = f"write `{target.name}::<…>(…)`"
        return body.error("E0613", span, parameters=names, name=target.name, hint=hint)
    chosen = tuple(put_in(target.arguments, mapping))
    if target.bounded and not check_bounds(body.context, span, target.function.all_type_parameters, chosen):
        return body.wrong(span)
    types, result = put_in(target.parameters, mapping), substitute(target.result, mapping)
    if body.is_unknown(*types, result):
        return body.wrong(span)
    type = function_type(body.unit, types, result, throws=target.function.throws)
    if size_of(type) > LARGEST:
        return body.error("E0617", span)
    return wrapper(body, span, type, receiver, lambda given, values: build(given)(chosen, result, values))


def bind_expected(
    context: Context, target: GenericCallee, expected: Type | None
) -> dict[TypeParameter, Type]:
    """What the expected type says about the type arguments, as far as it is known itself."""
    mapping: dict[TypeParameter, Type] = {}
    if isinstance(expected, ClassType) and is_function(expected):
        parameters, result = parts_of(expected)
        if len(parameters) == len(target.parameters):
            pairs = zip([*target.parameters, target.result], [*parameters, result], strict=True)
            for own, wanted in pairs:
                if not has_sought(wanted):
                    bind(context, target.open, mapping, own, wanted)
    return mapping


def wrapper(
    body: Body,
    span: Span,
    type: ClassType,
    receiver: TypedExpression | None,
    call: Callable[[list[TypedExpression], list[TypedExpression]], TypedExpression],
) -> TypedExpression:
    """A function value whose method does nothing but a call, of its receiver and parameters."""
    function = new_call(body, span)
    function.is_hidden, function.throws = True, type.head.may_throw
    parameters, function.result = parts_of(type)
    values: list[TypedExpression] = []
    for index, parameter in enumerate(parameters):
        local = add_parameter(function, str(index), parameter, span)
        values.append(typed.GetLocal(span, parameter, local))
    captured: list[tuple[Local, TypedExpression]] = []
    if receiver is not None:
        local = Local("receiver", receiver.type, False, len(function.locals), span)
        function.locals.append(local)
        captured = [(local, receiver)]
    value = call([typed.GetLocal(span, local.type, local) for local, _ in captured], values)
    made: typed.Statement = (
        typed.Return(span, value) if has_value(function.result) else typed.Evaluate(span, value)
    )
    return closure(body, span, function, type, [made], captured)
