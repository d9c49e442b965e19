"""What all calls have in common: written type arguments, and arguments of calls that are wrong already."""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.body import Body
from doralang.checker.messages import count
from doralang.checker.program import TypedExpression
from doralang.checker.resolve import resolve_type
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import Type, TypeParameter


def explicit_arguments(
    body: Body, span: Span, name: str, nodes: Sequence[tree.Type], parameters: Sequence[TypeParameter]
) -> dict[Type, Type] | None:
    """Written type arguments as a mapping; None, reported, if their number is wrong."""
    types = [resolve_type(body.context, node) for node in nodes]
    if len(types) != len(parameters):
        wanted = count(len(parameters), "type argument")
        body.error("E0607", span, name=name, expected=wanted, found=len(types))
        return None
    return dict(zip(parameters, types, strict=True))


def check_anyway(body: Body, nodes: Sequence[tree.Expression], span: Span) -> TypedExpression:
    """Look for mistakes in the arguments of a call that is wrong already."""
    for node in nodes:
        body.argument(node)
    return body.wrong(span)
