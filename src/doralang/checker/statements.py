"""Statements: variables, control flow, exceptions (sections 10 and 12)."""

from __future__ import annotations

from collections.abc import Callable

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.bounds import check_conditions
from doralang.checker.calls import report_ambiguous
from doralang.checker.flow import returns
from doralang.checker.generics import GenericCallee, callee
from doralang.checker.jumps import JUMPS
from doralang.checker.lookup import Ambiguous, Found, dispatch_of, find_method, found_for, members_known
from doralang.checker.operators import mismatch
from doralang.checker.patterns import Binder, check_variable_pattern, is_irrefutable
from doralang.checker.program import Call, Class, Instantiation, Local, Pattern, TypedExpression
from doralang.checker.resolve import resolve_type
from doralang.checker.trait_objects import coerce, satisfying
from doralang.checker.values import check_condition
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import (
    BOOL,
    ERROR,
    NEVER,
    NIL,
    UNIT,
    ClassType,
    Type,
    TypeParameter,
    is_reference,
    is_trait_type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def check_block(body: Body, node: tree.Block) -> typed.Statement:
    return body.block(node)


def check_empty(body: Body, node: tree.Empty) -> None:
    return None


def check_skipped(body: Body, node: tree.InvalidStatement) -> None:
    body.incomplete = True


def check_expression_statement(body: Body, node: tree.ExpressionStatement) -> typed.Statement:
    return body.evaluate(node.expression, node)


# Variables.


def check_variable(body: Body, node: tree.Variable) -> typed.Statement | None:
    declared = resolve_type(body.context, node.type) if node.type is not None else None
    value = body.expression(node.value, declared) if node.value is not None else None
    if isinstance(body.unit.names.get(node.name), Class):
        body.error("E0305", node.span, name=node.name)
        return None
    type = variable_type(body, node, declared, value)
    if value is not None:
        value = coerce(body, value, type)
    local = body.declare(node.name, node.name_span, type, node.mutable)
    if value is None:
        value = typed.DefaultValue(node.span, type)
    return typed.Let(node.span, local, value)


def variable_type(
    body: Body, node: tree.Variable, declared: Type | None, value: TypedExpression | None
) -> Type:
    """The type of a new variable; ERROR, reported, if there is something wrong with it."""
    if value is None:
        if not node.mutable:
            body.error("E0406", node.span, name=node.name)
        elif declared is None:
            body.error("E0405", node.span, name=node.name)
            return ERROR
        return declared or ERROR
    if declared is None:
        if value.type in (NIL, NEVER):
            body.error("E0405", node.span, name=node.name)
            return ERROR
        if value.type is UNIT:
            body.error("E0407", node.span, type=UNIT)
            return ERROR
        return value.type
    if coerce(body, value, declared) is None:
        assert node.value is not None
        mismatch(body, "E0401", node.value.span, node.name, declared, value.type)
    return declared


def check_destructuring(body: Body, node: tree.Destructuring) -> typed.Statement:
    """`let (a, b) = e;`"""
    declared = resolve_type(body.context, node.type) if node.type is not None else None
    value = body.expression(node.value, declared)
    type = declared or value.type
    made = value if declared is None else coerce(body, value, declared)
    if made is None:
        body.error("E0401", node.value.span, expected=declared, found=value.type, hint=None)
    elif type in (UNIT, NIL):
        body.error("E0407", node.value.span, type=type)
        type = ERROR
    elif value.type is NEVER:
        type = ERROR
        body.ends(node, False)
    binder = Binder(body, node.mutable)
    pattern = irrefutable(binder, node.pattern, type)
    binder.enter()
    return typed.Evaluate(node.span, typed.Destructure(node.span, UNIT, pattern, made or value))


def irrefutable(binder: Binder, node: tree.Pattern, type: Type) -> Pattern:
    """A pattern that must always fit (E0706)."""
    pattern = check_variable_pattern(binder, node, type)
    if not is_irrefutable(pattern) and not binder.body.is_unknown(type):
        binder.body.error("E0706", node.span, hint="a `match` has room for the other cases")
    return pattern


# Control flow.


def check_if(body: Body, node: tree.If) -> typed.Statement:
    arms = []
    for arm in node.arms:
        condition = check_condition(body, arm.condition)
        arms.append((condition, body.block(arm.body)))
    otherwise = body.block(node.otherwise) if node.otherwise is not None else None
    return typed.If(node.span, arms, otherwise)


def check_loop_body(body: Body, node: tree.Block) -> typed.Block:
    body.loops.append(False)
    block = body.block(node)
    body.left = body.loops.pop()
    return block


def check_while(body: Body, node: tree.While) -> typed.Statement:
    condition = check_condition(body, node.condition)
    return typed.While(node.span, condition, check_loop_body(body, node.body))


def check_loop(body: Body, node: tree.Loop) -> typed.Statement:
    block = check_loop_body(body, node.body)
    if not body.left:
        body.ends(node, False)
    return typed.While(node.span, None, block)


def check_for(body: Body, node: tree.For) -> typed.Statement:
    """`for x in e { … }` is `let it = e.makeIterator(); while it.hasNext() { let x = it.next(); … }`."""
    iterable = body.expression(node.iterable)
    calls = iteration(body, node, iterable)
    body.scopes.append({})
    local, parts = check_loop_variable(body, node, calls[2].result if calls else ERROR)
    block = check_loop_body(body, node.body)
    body.scopes.pop()
    if calls is None:
        return block
    make, has_next, next_value = calls
    iterator = body.temporary("iterator", make.result if make else iterable.type)
    first = make.build(make.arguments, make.result, [iterable]) if make else iterable
    start = typed.Let(node.span, iterator, first)
    receiver = typed.GetLocal(node.span, iterator.type, iterator)
    condition = has_next.build(has_next.arguments, BOOL, [receiver])
    value = typed.Let(node.span, local, next_value.build(next_value.arguments, next_value.result, [receiver]))
    round = typed.Block(node.body.span, [value, *parts, block])
    loop = typed.While(node.span, condition, round, iterator)
    return typed.Block(node.span, [start, loop])


def check_loop_variable(body: Body, node: tree.For, type: Type) -> tuple[Local, list[typed.Statement]]:
    """The variable of a `for`, or a temporary and what takes it apart."""
    if isinstance(node.pattern, tree.NamePattern):
        name = node.pattern.name
        if isinstance(body.unit.names.get(name), Class):
            body.error("E0305", node.span, name=name)
            return body.temporary(name, ERROR), []
        return body.declare(name, node.pattern.span, type, False), []
    local = body.temporary("element", type)
    binder = Binder(body)
    pattern = irrefutable(binder, node.pattern, type)
    binder.enter()
    value = typed.GetLocal(node.span, type, local)
    return local, [typed.Evaluate(node.span, typed.Destructure(node.span, UNIT, pattern, value))]


Iteration = tuple[GenericCallee | None, GenericCallee, GenericCallee]


def iteration(body: Body, node: tree.For, iterable: TypedExpression) -> Iteration | None:
    """The calls of `makeIterator` (none for an iterator), `hasNext`, `next`; None, reported, if they lack."""
    type = iterable.type
    if body.is_unknown(type):
        return None
    found = None if type in (NIL, UNIT) else find_method(body.context, type, "makeIterator")
    if isinstance(found, Ambiguous):
        report_ambiguous(body, node.span, "makeIterator", found)
        return None
    if found is None:
        if as_iterator(body, type) is not None:
            return steps(body, node, type, None)
        if members_known(body.context, type):
            body.error("E0311", node.span, type=type, name="makeIterator", hint=None)
        return None
    if found.function.parameters:
        body.error("E0416", node.span, name="makeIterator", expected="arguments", found="()")
        return None
    make = receiver_callee(found, node.span)
    holds = check_conditions(body.context, node.span, found.function, make.arguments)
    if not holds or body.is_unknown(make.result):
        return None
    return steps(body, node, type, make, found.function.throws)


def steps(
    body: Body, node: tree.For, type: Type, make: GenericCallee | None, throws: bool = False
) -> Iteration | None:
    """The calls of an iterator: what `make` gives, or the value itself."""
    made = make.result if make else type
    iterator = as_iterator(body, made)
    methods = [iterator_method(body, iterator, name) for name in ("hasNext", "next")] if iterator else []
    if throws or not all(methods) or not methods or not loopable(methods):
        hint = f"`{made}` does not implement `Iterator`" if iterator is None else None
        body.error("E0614", iterable_span(node.iterable), type=type, hint=hint)
        return None
    assert methods[0] is not None and methods[1] is not None
    return make, receiver_callee(methods[0], node.span), receiver_callee(methods[1], node.span)


def as_iterator(body: Body, type: Type) -> Type | None:
    """A type or the nearest parent of it that is an iterator."""
    found = satisfying(body.context, type, body.unit.library_trait("Iterator"))
    return next((step for step, _ in found), None)


def iterator_method(body: Body, type: Type, name: str) -> Found | None:
    """A method of what is an iterator, as its `impl` has it if it is an object of a class."""
    head = type.head if isinstance(type, ClassType) and not is_trait_type(type) else None
    if head is not None:
        return found_for(body.unit.impls_of(head)[body.unit.library_trait("Iterator")], type, name)
    found = find_method(body.context, type, name)
    return found if isinstance(found, Found) else None


def loopable(methods: list[Found | None]) -> bool:
    has_next, next_value = methods
    assert has_next is not None and next_value is not None
    return (
        has_next.function.result is BOOL
        and next_value.function.result is not UNIT
        and not (has_next.function.throws or next_value.function.throws)
    )


def iterable_span(node: tree.Expression) -> Span:
    return node.span


def receiver_callee(found: Found, span: Span) -> GenericCallee:
    """A callee for a method without parameters; its `build` takes the receiver as the only value."""
    function, dispatch = found.function, dispatch_of(found)

    def build(arguments: tuple[Type, ...], result: Type, values: list[TypedExpression]) -> TypedExpression:
        return Call(span, result, Instantiation(function, arguments), dispatch, values)

    no_parameters: tuple[TypeParameter, ...] = ()
    return callee(function, found.mapping(), no_parameters, build)


# do


def check_do(body: Body, node: tree.Do) -> typed.Statement:
    outer = body.guarded
    swallowed = node.last is not None and returns(node.last, body.swallowing)
    body.guarded = outer or swallowed or bool(node.catches)
    block = body.block(node.body)
    body.guarded = outer or swallowed
    catches = [catch for one in node.catches if (catch := check_catch(body, one)) is not None]
    body.guarded = outer
    last = body.block(node.last) if node.last is not None else None
    return typed.Do(node.span, block, catches, last)


def check_catch(body: Body, node: tree.Catch) -> typed.Catch | None:
    type = resolve_type(body.context, node.type)
    if type is not ERROR and not is_reference(type):
        body.error("E0805", node.type.span)
        type = ERROR
    body.scopes.append({})
    if isinstance(body.unit.names.get(node.name), Class):
        body.error("E0305", node.span, name=node.name)
        local = body.temporary(node.name, type)
    else:
        local = body.declare(node.name, node.name_span, type, False)
    block = body.block(node.body)
    body.scopes.pop()
    return typed.Catch(local, type, block) if isinstance(type, ClassType) else None


STATEMENTS: Final[dict[type, Callable[..., typed.Statement | None]]] = {
    tree.Block: check_block,
    tree.Empty: check_empty,
    tree.InvalidStatement: check_skipped,
    tree.ExpressionStatement: check_expression_statement,
    tree.Variable: check_variable,
    tree.Destructuring: check_destructuring,
    tree.If: check_if,
    tree.While: check_while,
    tree.Loop: check_loop,
    tree.For: check_for,
    tree.Do: check_do,
    **JUMPS,
}
