"""Blocks and `if`s that give a value (3.6 of the reference), and conditions.

A block whose value is wanted has a tail: the expression at its end, or an `if` or block there, of which a
branch has one.

    let x = if c { f(); 1 } else { 2 };     ->      Let x
                                                      Choice  if: c  then: BlockValue [f()] 1  otherwise: 2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves, Waiting
from doralang.checker.flow import returns
from doralang.checker.program import TypedExpression
from doralang.checker.trait_objects import coerce, fits
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import BOOL, ERROR, NEVER, NIL, UNIT, Type, has_sought

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def check_condition(body: Body, node: tree.Expression) -> TypedExpression:
    condition = body.expression(node)
    if condition.type not in (BOOL, NEVER) and not body.is_unknown(condition.type):
        return body.error("E0403", node.span, found=condition.type)
    return condition


def split(node: tree.Block) -> tuple[Sequence[tree.Statement], tree.Expression | None]:
    """The statements of a block whose value is wanted, and its tail if it has one."""
    if node.tail is not None:
        return node.statements, node.tail
    last = node.statements[-1] if node.statements else None
    if isinstance(last, tree.If | tree.Match | tree.Block) and last.has_value:
        return node.statements[:-1], last
    return node.statements, None


def check_block_value(body: Body, node: tree.Block, expected: Type | None) -> Checked:
    """A block whose value is wanted."""
    body.function.has_block_values = True
    return body.inside(node, lambda: block_value(body, node, expected))


def block_value(body: Body, node: tree.Block, expected: Type | None) -> Checked:
    nodes, tail = split(node)
    block = typed.Block(node.span, body.statements(nodes))
    if tail is not None:
        value = body.argument(tail, expected)
        if isinstance(value, Waiting):
            return waiting_block(body, node, block, value)
        return typed.BlockValue(node.span, value.type, block, value)
    if any(returns(one, body.leaving) for one in nodes):
        return typed.BlockValue(node.span, NEVER, block, None)
    if expected is not None and expected not in (UNIT, ERROR):
        return body.error("E0424", node.span)
    return typed.BlockValue(node.span, UNIT, block, None)


def waiting_block(body: Body, node: tree.Block, block: typed.Block, tail: Waiting) -> Waiting:
    """A block whose tail waits for its type waits, too."""

    def finish(wanted: Type | None) -> TypedExpression:
        value = tail.finish(wanted)
        return typed.BlockValue(node.span, value.type, block, value)

    return Waiting(
        body,
        node.span,
        tail.head,
        [tail],
        finish,
        is_function=tail.is_function,
        takes_open=tail.takes_open,
    )


def check_if_value(body: Body, node: tree.If, expected: Type | None) -> Checked:
    arms = [
        (check_condition(body, arm.condition), check_block_value(body, arm.body, expected))
        for arm in node.arms
    ]
    if node.otherwise is None:
        return body.error("E0422", node.arms[-1].span)
    otherwise = check_block_value(body, node.otherwise, expected)
    conditions = [condition for condition, _ in arms]

    def build(type: Type, values: list[TypedExpression]) -> TypedExpression:
        if any(condition.type is ERROR for condition in conditions):
            return body.wrong(node.span)
        chosen = list(zip(conditions, values[:-1], strict=True))
        return typed.Choice(node.span, type, chosen, values[-1])

    return alternatives(body, node.span, [*(value for _, value in arms), otherwise], expected, build)


Build = Callable[[Type, list[TypedExpression]], TypedExpression]
"""Makes the whole from its type and the values, one of which it has."""


def alternatives(
    body: Body,
    span: Span,
    values: Sequence[Checked],
    expected: Type | None,
    build: Build,
    what: str = "branches",
) -> Checked:
    """What is one of several values; those that wait for their type get that of the first other one.

    If all of them wait, the whole does.
    """

    def finish(wanted: Type | None) -> TypedExpression:
        if wanted is None and all_wait:
            value = next(one for one in values if isinstance(one, Waiting)).finish(None)
            if body.is_unknown(value.type):
                return value
            wanted = value.type
        if wanted is not None and has_sought(wanted):
            wanted = closed(body, values, wanted)
        finished = [one.finish(wanted) if isinstance(one, Waiting) else one for one in values]
        type = joined(body, finished, wanted if expected is None and all_wait else expected, what)
        return body.wrong(span) if type is ERROR else build(type, converted(body, finished, type))

    known = [
        one.type for one in values if not isinstance(one, Waiting) and one.type not in (NIL, NEVER, UNIT)
    ]
    all_wait = not known and any(isinstance(one, Waiting) for one in values)
    if all_wait and expected is None:
        first = next(one for one in values if isinstance(one, Waiting))
        takes_open = all(isinstance(one, Waiting) and one.takes_open for one in values)
        return Waiting(body, span, first.head, values, finish, takes_open=takes_open)
    return finish(expected or (known[0] if known and known[0] is not ERROR else None))


def closed(body: Body, values: Sequence[Checked], wanted: Type) -> Type | None:
    """The type of the first value for which it is enough that not all of the wanted type is known."""
    reports = body.unit.diagnostics.reports
    for value in values:
        if isinstance(value, Waiting):
            before, invalid = len(reports), body.invalid
            type = value.finish(wanted).type
            if len(reports) == before and type not in (NIL, NEVER, UNIT):
                return type
            del reports[before:]
            body.invalid = invalid
    return None


def joined(
    body: Body, values: Sequence[TypedExpression], expected: Type | None, what: str = "branches"
) -> Type:
    """The type of what is one of several values; ERROR, reported, if there is none that all fit.

    Values of type `Never` do not count.  The expected type is that of all; without one it is the first
    of theirs that all others fit.
    """
    values = [value for value in values if value.type is not NEVER]
    if body.is_unknown(*(value.type for value in values)):
        return ERROR
    if not values:
        return NEVER
    if expected is not None and not body.is_unknown(expected):
        wrong = next((value for value in values if coerce(body, value, expected) is None), None)
        if wrong is None:
            return expected
        body.error("E0401", place(wrong), expected=expected, found=wrong.type, hint=None)
        return ERROR
    first = values[0].type
    for value in values:
        type = value.type
        if (type is not NIL or first is NIL) and all(fits(body.context, one.type, type) for one in values):
            return type
    odd = next(value for value in values if not fits(body.context, value.type, first))
    body.error("E0421", place(odd), expected=first, found=odd.type, what=what)
    return ERROR


def converted(body: Body, values: Sequence[TypedExpression], type: Type) -> list[TypedExpression]:
    """Values that all fit a type, as values of it."""
    return [coerce(body, value, type) or value for value in values]


def place(value: TypedExpression) -> Span:
    """Where a report about the value of a branch points: at its tail."""
    while isinstance(value, typed.BlockValue) and value.value is not None:
        value = value.value
    return value.span


LEAVES: Final[Leaves] = {tree.Block: check_block_value, tree.If: check_if_value}
