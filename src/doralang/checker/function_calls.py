"""Calls of function values (section 11.13 of the reference): variables, elements, other expressions."""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.arguments import check_anyway
from doralang.checker.body import Body, Checked, Leaves
from doralang.checker.function_types import call_of
from doralang.checker.generics import callee, check_call
from doralang.checker.making import make_call
from doralang.checker.program import Dispatch, TypedExpression
from doralang.checker.rethrows import is_passed
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import ClassType, Type, is_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def call_value(
    body: Body,
    span: Span,
    name: str,
    value: TypedExpression,
    nodes: Sequence[tree.Expression],
    expected: Type | None,
) -> Checked:
    """The call of a value, which messages call `name`."""
    type = value.type
    if body.is_unknown(type):
        return check_anyway(body, nodes, span)
    if not is_function(type):
        body.error("E0432", span, type=type)
        return check_anyway(body, nodes, span)
    assert isinstance(type, ClassType)
    if type.head.may_throw:
        body.call_throws(span, name, passed=is_passed(body, value))
    function = call_of(type)
    build = make_call(span, function, Dispatch.VIRTUAL, [value])
    target = callee(function, dict(zip(type.head.parameters, type.arguments, strict=True)), (), build)
    target.name = name
    return check_call(body, span, target, nodes, expected)


def check_value_call(
    body: Body, node: tree.ValueCall, left: TypedExpression, expected: Type | None
) -> Checked:
    """`a[i](b)`, `f(1)(2)`, `(o.f)(x)`"""
    extent = node.receiver.extent
    text = body.context.source.text[extent.start : extent.end]
    name = text if len(text) <= LONGEST and "\n" not in text else "(…)"
    return call_value(body, node.span, name, left, node.arguments, expected)


LONGEST: Final = 30
"""characters of an expression that stands in a message"""

LINKS: Final[Leaves] = {tree.ValueCall: check_value_call}
