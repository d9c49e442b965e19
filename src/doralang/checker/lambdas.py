"""Lambdas (section 11.11 of the reference): a body of its own in the midst of another one.

Where the expected type is open, a lambda waits for it:

    fold(0, |sum, x| sum + x)       0 says what T is, then `|sum, x| …` is checked with (T, T) -> T
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doralang.checker import program as typed
from doralang.checker.bodies import check_returns, returning
from doralang.checker.body import Body, Checked, Enclosing, Leaves, Waiting
from doralang.checker.closures import add_parameter, closure, new_call
from doralang.checker.function_types import function_type, parts_of
from doralang.checker.jumps import RESULT_HINT
from doralang.checker.messages import count
from doralang.checker.patterns import Binder
from doralang.checker.program import Class, Local, TypedExpression
from doralang.checker.resolve import resolve_type
from doralang.checker.statements import irrefutable
from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.types.types import (
    ERROR,
    LARGEST,
    NEVER,
    NIL,
    UNIT,
    ClassType,
    Type,
    has_sought,
    has_value,
    is_function,
    size_of,
)


def check_lambda(body: Body, node: tree.Lambda, expected: Type | None) -> Checked:
    if expected is not None:
        return make_lambda(body, node, expected)
    head = f"|{', '.join(['…'] * len(node.parameters))}| …"
    return Waiting(
        body, node.span, head, [], lambda wanted: make_lambda(body, node, wanted), is_function=True
    )


def make_lambda(body: Body, node: tree.Lambda, expected: Type | None) -> TypedExpression:
    """The function value; of the expected type not everything may be known yet."""
    if (body.depth + 1) % HOP == 0:
        return on_fresh_stack(lambda: lambda_here(body, node, expected))
    return lambda_here(body, node, expected)


def lambda_here(body: Body, node: tree.Lambda, expected: Type | None) -> TypedExpression:
    wanted = expected if isinstance(expected, ClassType) and is_function(expected) else None
    if wanted is not None and len(node.parameters) != len(parts_of(wanted)[0]):
        expects = count(len(parts_of(wanted)[0]), "parameter")
        return body.error("E0429", node.span, expected=expects, found=len(node.parameters))
    function = new_call(body, node.span)
    inner = Body(body.context, function, body.handlers, enclosing=Enclosing(body), trials=body.trials)
    inner.has_self, inner.incomplete, inner.reported = body.has_self, body.incomplete, body.reported
    inner.depth = body.depth + 1
    parts = declare_parameters(inner, node, parts_of(wanted)[0] if wanted is not None else None)
    statements = [*parts, *check_body(inner, node, result_of(body, node, wanted))]
    body.incomplete = body.incomplete or inner.incomplete
    body.invalid += inner.invalid
    types = [parameter.type for parameter in function.parameters]
    if body.is_unknown(*types, function.result):
        return body.wrong(node.span)
    mark(inner, node, wanted)
    type = function_type(body.unit, types, function.result, throws=function.throws)
    if size_of(type) > LARGEST:
        return body.error("E0617", node.span)
    assert inner.enclosing is not None
    captured = [
        (local, typed.Capture(node.span, outer.type, outer))
        for outer, local in inner.enclosing.captured.items()
    ]
    return closure(body, node.span, function, type, statements, captured)


def declare_parameters(
    inner: Body, node: tree.Lambda, wanted: Sequence[Type] | None
) -> list[typed.Statement]:
    """Make the parameters, in front of all other locals; returns what takes those apart that are patterns."""
    locals = [
        declare_parameter(inner, parameter, wanted[index] if wanted is not None else None)
        for index, parameter in enumerate(node.parameters)
    ]
    binder = Binder(inner)
    taken: list[typed.Statement] = []
    for parameter, local in zip(node.parameters, locals, strict=True):
        pattern, span = parameter.pattern, parameter.pattern.span
        if isinstance(pattern, tree.NamePattern):
            name_parameter(inner, binder, pattern, local)
        elif not isinstance(pattern, tree.AnyPattern):
            value = typed.GetLocal(span, local.type, local)
            bound = irrefutable(binder, pattern, local.type)
            taken.append(typed.Evaluate(span, typed.Destructure(span, UNIT, bound, value)))
    binder.enter()
    return taken


def declare_parameter(inner: Body, node: tree.LambdaParameter, wanted: Type | None) -> Local:
    name = node.pattern.name if isinstance(node.pattern, tree.NamePattern) else "parameter"
    return add_parameter(inner.function, name, parameter_type(inner, node, wanted), node.pattern.span)


def name_parameter(inner: Body, binder: Binder, node: tree.NamePattern, local: Local) -> None:
    """Let the body see a parameter by its name."""
    if node.name in binder.bound:
        inner.error("E0710", node.span, name=node.name)
    elif isinstance(inner.unit.names.get(node.name), Class):
        inner.error("E0305", node.span, name=node.name)
        local.type = ERROR
    binder.bound.add(node.name)
    inner.scopes[0][node.name] = local
    inner.context.note(node.span.start, local)


def parameter_type(inner: Body, node: tree.LambdaParameter, wanted: Type | None) -> Type:
    """The written type, or the expected one; ERROR, reported, if there is something wrong with it."""
    if wanted is not None and has_sought(wanted):
        wanted = None
    if node.type is None:
        if wanted is None and not isinstance(node.pattern, tree.InvalidPattern):
            text = inner.context.source.text[node.extent.start : node.extent.end]
            inner.error("E0428", node.span, name=text)
        return wanted or ERROR
    type = resolve_type(inner.context, node.type)
    if wanted is not None and type is not wanted and not inner.is_unknown(type, wanted):
        inner.error("E0401", node.span, expected=wanted, found=type, hint=None)
        return ERROR
    return type


def result_of(body: Body, node: tree.Lambda, wanted: ClassType | None) -> Type | None:
    """The result that is written or expected, if it is; not all of the latter may be known."""
    if node.result is not None:
        return resolve_type(body.context, node.result, result=True)
    return parts_of(wanted)[1] if wanted is not None else None


def check_body(inner: Body, node: tree.Lambda, result: Type | None) -> list[typed.Statement]:
    """The statements of the body."""
    if result is None or has_sought(result):
        return check_open_body(inner, node, result)
    function, block = inner.function, node.body
    function.result = result
    if not isinstance(block, tree.Block):
        block = tree.Block(block.span, [], block)
    block = returning(function, block)
    checked = inner.block(block)
    check_returns(inner, function, block)
    return checked.statements


def check_open_body(inner: Body, node: tree.Lambda, wanted: Type | None) -> list[typed.Statement]:
    """A body whose value says what the result is, or what is still to be found of it."""
    function = inner.function
    assert inner.enclosing is not None
    returns = inner.enclosing.returns = []
    checked = inner.argument(node.body)
    value = (
        checked.finish(wanted if checked.takes_open else None) if isinstance(checked, Waiting) else checked
    )
    if value.type is NIL:
        value = inner.error("E0430", node.span, hint="write the result: `-> T`")
    function.result = UNIT if value.type is NEVER and returns else value.type
    if inner.enclosing.returns_value:
        function.result = ERROR
    elif returns and has_value(value.type) and value.type is not ERROR:
        inner.error("E0404", returns[0], expected=value.type, found=UNIT, hint=RESULT_HINT)
    if has_value(value.type):
        return [typed.Return(node.span, value)]
    return [typed.Evaluate(node.span, value)]


def mark(inner: Body, node: tree.Lambda, wanted: ClassType | None) -> None:
    """Decide whether the lambda throws; where nobody lets exceptions out, they end the program."""
    function, enclosing = inner.function, inner.enclosing
    assert enclosing is not None
    may_throw = wanted is not None and wanted.head.may_throw and bool(enclosing.leaks)
    function.throws = node.throws or may_throw
    function.rethrows = function.throws and not enclosing.is_own
    if not function.throws:
        for span in enclosing.leaks:
            inner.context.error("W0801", span, name="the lambda")


LEAVES: Final[Leaves] = {tree.Lambda: check_lambda}
