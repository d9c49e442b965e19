"""Making calls of functions that are known."""

from __future__ import annotations

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.generics import Build
from doralang.checker.program import Call, Compute, Dispatch, Function, Instantiation, TypedExpression
from doralang.text.source import Span
from doralang.types.primitives import PRIMITIVES
from doralang.types.types import Type


def make_call(span: Span, function: Function, dispatch: Dispatch, receiver: list[TypedExpression]) -> Build:
    """A `Build` for a call: a primitive operation where the function is one."""

    def build(arguments: tuple[Type, ...], result: Type, values: list[TypedExpression]) -> TypedExpression:
        if function.internal:
            if function.key == "defaultValue":
                return typed.DefaultValue(span, result)
            primitive = PRIMITIVES.get(function.key)
            if primitive is not None:
                return Compute(span, result, primitive, [*receiver, *values])
        return Call(span, result, Instantiation(function, arguments), dispatch, [*receiver, *values])

    return build


def note_throws(body: Body, span: Span, function: Function) -> None:
    """What a `rethrows` function throws is known with its arguments (`generics.finish_call`)."""
    if function.throws and not function.rethrows:
        body.call_throws(span, function.name)
