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


def given_arguments(
    body: Body,
    span: Span,
    name: str,
    nodes: Sequence[tree.Type],
    parameters: Sequence[TypeParameter],
    known: dict[Type, Type] | None = None,
) -> tuple[dict[Type, Type], Sequence[TypeParameter]] | None:
    """What is known of type arguments, and the parameters that are open: all of them if none are written.

    None, reported, if their number is wrong.
    """
    before = known or {}
    if not nodes:
        return before, parameters
    explicit = explicit_arguments(body, span, name, nodes, parameters)
    return None if explicit is None else ({**before, **explicit}, ())


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
