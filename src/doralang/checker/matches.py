"""`match`: its arms, and whether they cover everything (section 10.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from doralang.checker import program as typed
from doralang.checker.body import Body, Leaves
from doralang.checker.coverage import Coverage, TooInvolved
from doralang.checker.patterns import Binder, check_pattern
from doralang.checker.program import TypedExpression
from doralang.checker.values import check_block_value, check_condition, joined
from doralang.syntax import tree
from doralang.types.types import ERROR, NEVER, NIL, UNIT, Type

CheckBody = Callable[[tree.Block | tree.Expression], TypedExpression]


def check_match_value(body: Body, node: tree.Match, expected: Type | None) -> TypedExpression:
    """A `match` as an operand."""

    def check(arm: tree.Block | tree.Expression) -> TypedExpression:
        if isinstance(arm, tree.Block):
            return check_block_value(body, arm, expected)
        return body.expression(arm, expected)

    value, arms = check_parts(body, node, check)
    type = joined(body, [arm.body for arm in arms], expected, "arms")
    return finish(body, node, value, arms, type)


def check_match(body: Body, node: tree.Match) -> typed.Statement:
    """A `match` as a statement: values of arms are dropped."""

    def check(arm: tree.Block | tree.Expression) -> TypedExpression:
        if isinstance(arm, tree.Block):
            return typed.BlockValue(arm.span, UNIT, body.block(arm), None)
        block = typed.Block(arm.span, [body.dropped(arm)])
        return typed.BlockValue(arm.span, UNIT, block, None)

    value, arms = check_parts(body, node, check)
    if value.type is NEVER:
        body.ends(node, False)
    return typed.Evaluate(node.span, finish(body, node, value, arms, UNIT))


def check_parts(
    body: Body, node: tree.Match, check: CheckBody
) -> tuple[TypedExpression, list[typed.MatchArm]]:
    """The value that is matched, and the arms."""
    body.function.has_block_values = True
    value = body.expression(node.subject)
    type = ERROR if value.type is NEVER else value.type
    if type in (UNIT, NIL):
        body.error("E0407", node.subject.span, type=type)
        type = ERROR
    binders = [Binder(body) for _ in node.arms]
    arms = [check_arm(binder, arm, type, check) for binder, arm in zip(binders, node.arms, strict=True)]
    if not body.is_unknown(type) and not body.incomplete and not any(binder.is_wrong for binder in binders):
        check_coverage(body, node, type, arms)
    return value, arms


def check_arm(binder: Binder, node: tree.MatchArm, type: Type, check: CheckBody) -> typed.MatchArm:
    body = binder.body
    body.scopes.append({})
    before = body.invalid
    pattern = check_pattern(binder, node.pattern, type)
    binder.is_wrong = body.invalid > before
    binder.enter()
    guard = check_condition(body, node.guard) if node.guard is not None else None
    value = check(node.body)
    body.scopes.pop()
    return typed.MatchArm(pattern, guard, value)


def finish(
    body: Body, node: tree.Match, value: TypedExpression, arms: Sequence[typed.MatchArm], type: Type
) -> TypedExpression:
    guards = [arm.guard.type for arm in arms if arm.guard is not None]
    if type is ERROR or body.is_unknown(value.type, *guards):
        return body.wrong(node.span)
    if value.type is NEVER:
        before = typed.Block(node.span, [typed.Evaluate(value.span, value)])
        return typed.BlockValue(node.span, NEVER, before, None)
    return typed.Match(node.span, type, value, list(arms))


def check_coverage(body: Body, node: tree.Match, type: Type, arms: Sequence[typed.MatchArm]) -> None:
    """Every value must fit an arm (E0703), and every arm and alternative some value (W0701)."""
    coverage = Coverage(type)
    try:
        for written, arm in zip(node.arms, arms, strict=True):
            check_reached(body, written, arm, coverage)
        missing = coverage.missing()
    except TooInvolved:
        body.error("E0711", node.span)
        return
    if missing is not None:
        body.error("E0703", node.span, what=f"`{missing}`", hint="add an arm for it, or `_ => …`")


def check_reached(body: Body, node: tree.MatchArm, arm: typed.MatchArm, coverage: Coverage) -> None:
    """Warn about what earlier arms cover; an arm with a guard covers nothing."""
    options, nodes = [arm.pattern], [node.pattern]
    if isinstance(arm.pattern, typed.OneOf) and isinstance(node.pattern, tree.AlternativePattern):
        options, nodes = arm.pattern.options, node.pattern.options
    before = len(coverage.rows)
    for option, written in zip(options, nodes, strict=True):
        if not coverage.reaches(option):
            body.context.error("W0701", written.span)
        coverage.add(option)
    if arm.guard is not None:
        del coverage.rows[before:]


STATEMENTS: Final[dict[type, Callable[..., typed.Statement | None]]] = {tree.Match: check_match}
LEAVES: Final[Leaves] = {tree.Match: check_match_value}
