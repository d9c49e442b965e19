"""`match`: its arms, and whether they cover everything (section 10.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves
from doralang.checker.flow import returns
from doralang.checker.patterns import Binder, check_pattern, is_irrefutable
from doralang.checker.program import TypedExpression
from doralang.checker.resolve import resolve_type
from doralang.checker.statements import check_destructuring as check_plain_destructuring
from doralang.checker.statements import check_if as check_plain_if
from doralang.checker.statements import check_while as check_plain_while
from doralang.checker.trait_objects import coerce
from doralang.checker.values import alternatives, check_block_value, check_condition
from doralang.checker.values import check_if_value as check_plain_if_value
from doralang.optional import load
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import ERROR, NEVER, NIL, UNIT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.checker.coverage import Coverage

CheckBody = Callable[[tree.Block | tree.Expression], TypedExpression]


def check_match_value(body: Body, node: tree.Match, expected: Type | None) -> Checked:
    """A `match` as an operand."""
    bodies: list[Checked] = []

    def check(arm: tree.Block | tree.Expression) -> TypedExpression:
        if isinstance(arm, tree.Block):
            bodies.append(check_block_value(body, arm, expected))
        else:
            bodies.append(body.argument(arm, expected))
        return nothing(arm.span)  # until the types of all are known

    value, arms = check_parts(body, node, check)

    def build(type: Type, values: list[TypedExpression]) -> TypedExpression:
        made = [typed.MatchArm(arm.pattern, arm.guard, one) for arm, one in zip(arms, values, strict=True)]
        return finish(body, node, value, made, type)

    return alternatives(body, node.span, bodies, expected, build, "arms")


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
    written, condition = node.body, node.guard
    if binder.is_wrong:  # names that it would bind are used here
        written, condition = tree.InvalidExpression(written.span), None
    guard = check_condition(body, condition) if condition is not None else None
    value = check(written)
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
    module = load("doralang.checker.coverage")
    coverage: Coverage = module.Coverage(type)
    try:
        for written, arm in zip(node.arms, arms, strict=True):
            check_reached(body, written, arm, coverage)
        missing = coverage.missing()
    except module.TooInvolved:
        body.error("E0711", node.span)
        return
    if missing is not None and not node.is_broken and not body.unit.incomplete_classes:
        body.error("E0703", node.span, what=f"`{missing}`", hint="add an arm for it, or `_ => …`")


def check_reached(body: Body, node: tree.MatchArm, arm: typed.MatchArm, coverage: Coverage) -> None:
    """Warn about what earlier arms cover; an arm with a guard covers nothing."""
    options, nodes = [arm.pattern], [node.pattern]
    if isinstance(arm.pattern, typed.OneOf) and isinstance(node.pattern, tree.AlternativePattern):
        options, nodes = arm.pattern.options, node.pattern.options
    before = coverage.mark()
    for option, written in zip(options, nodes, strict=True):
        if not coverage.reaches(option) and not body.unit.incomplete_classes:
            body.context.error("W0701", written.span)
        coverage.add(option)
    if arm.guard is not None:
        coverage.forget(before)


# `if let`, `while let`, `let … else`


def check_refutable(binder: Binder, node: tree.Pattern, type: Type) -> typed.Pattern:
    """A pattern where there is something else to do if it does not fit (W0702)."""
    body, before = binder.body, binder.body.invalid
    pattern = check_pattern(binder, node, type)
    if is_irrefutable(pattern) and body.invalid == before and not body.is_unknown(type):
        body.context.error("W0702", node.span)
    return pattern


def matched_value(
    body: Body, node: tree.Expression, declared: Type | None = None
) -> tuple[TypedExpression, Type]:
    """The value of a `let` in a condition, and its type as patterns see it."""
    body.function.has_block_values = True
    value = body.expression(node, declared)
    if value.type in (UNIT, NIL):
        return body.error("E0407", node.span, type=value.type), ERROR
    return value, ERROR if value.type is NEVER else value.type


def check_chain(
    body: Body, node: tree.If, check: CheckBody, rest: CheckRest
) -> tuple[Parts, TypedExpression | None]:
    """The arms of an `if`, of which some have patterns, and its `else`."""
    parts: Parts = []
    for arm in node.arms:
        if arm.pattern is None:
            parts.append((None, check_condition(body, arm.condition), check(arm.body)))
            continue
        value, type = matched_value(body, arm.condition)
        body.scopes.append({})
        binder = Binder(body)
        pattern = check_refutable(binder, arm.pattern, type)
        binder.enter()
        parts.append((pattern, value, check(arm.body)))
        body.scopes.pop()
    return parts, rest(node.otherwise)


Parts = list[tuple[typed.Pattern | None, TypedExpression, TypedExpression]]
"""for each arm its pattern, if it has one, the condition or value, and the body"""
CheckRest = Callable[[tree.Block | None], TypedExpression | None]


def folded(node: tree.If, type: Type, parts: Parts, otherwise: TypedExpression) -> TypedExpression:
    """Each arm in the `else` of the one before."""
    for arm, (pattern, tested, value) in zip(reversed(node.arms), reversed(parts), strict=True):
        if pattern is None:
            otherwise = typed.Choice(arm.span, type, [(tested, value)], otherwise)
        else:
            otherwise = either(arm.span, type, tested, pattern, value, otherwise)
    return otherwise


def either(
    span: Span,
    type: Type,
    value: TypedExpression,
    pattern: typed.Pattern,
    then: TypedExpression,
    otherwise: TypedExpression,
) -> TypedExpression:
    """`match value { pattern => then, _ => otherwise }`"""
    if value.type is NEVER:
        return typed.BlockValue(span, type, typed.Block(span, [typed.Evaluate(span, value)]), None)
    arms = [typed.MatchArm(pattern, None, then), typed.MatchArm(typed.AnyValue(), None, otherwise)]
    return typed.Match(span, type, value, arms)


def nothing(span: Span) -> TypedExpression:
    return typed.BlockValue(span, UNIT, typed.Block(span, []), None)


def check_if(body: Body, node: tree.If) -> typed.Statement:
    """An `if` as a statement."""
    if all(arm.pattern is None for arm in node.arms):
        return check_plain_if(body, node)

    def check(block: tree.Block | tree.Expression) -> TypedExpression:
        assert isinstance(block, tree.Block)
        return typed.BlockValue(block.span, UNIT, body.block(block), None)

    parts, rest = check_chain(body, node, check, lambda block: check(block) if block else nothing(node.span))
    assert rest is not None
    return typed.Evaluate(node.span, folded(node, UNIT, parts, rest))


def check_if_value(body: Body, node: tree.If, expected: Type | None) -> Checked:
    """An `if` as an operand."""
    if all(arm.pattern is None for arm in node.arms):
        return check_plain_if_value(body, node, expected)

    bodies: list[Checked] = []

    def check(block: tree.Block | tree.Expression) -> TypedExpression:
        assert isinstance(block, tree.Block)
        bodies.append(check_block_value(body, block, expected))
        return nothing(block.span)  # until the types of all are known

    parts, rest = check_chain(body, node, check, lambda block: check(block) if block else None)
    if rest is None:
        return body.error("E0422", node.arms[-1].span)

    def build(type: Type, values: list[TypedExpression]) -> TypedExpression:
        if body.is_unknown(*(tested.type for _, tested, _ in parts)):
            return body.wrong(node.span)
        made = [(pattern, tested, one) for (pattern, tested, _), one in zip(parts, values, strict=False)]
        return folded(node, type, made, values[-1])

    return alternatives(body, node.span, bodies, expected, build)


def check_while(body: Body, node: tree.While) -> typed.Statement:
    """`while let P = e { … }` is `loop { match e { P => { … }, _ => break } }`."""
    if node.pattern is None:
        return check_plain_while(body, node)
    body.loops.append(False)
    value, type = matched_value(body, node.condition)
    body.scopes.append({})
    binder = Binder(body)
    pattern = check_refutable(binder, node.pattern, type)
    binder.enter()
    block = body.block(node.body)
    body.scopes.pop()
    body.loops.pop()
    then = typed.BlockValue(node.span, UNIT, block, None)
    leave = typed.Leave(node.span, NEVER, typed.Break(node.span))
    round = typed.Evaluate(node.span, either(node.span, UNIT, value, pattern, then, leave))
    return typed.While(node.span, None, typed.Block(node.body.span, [round]))


def check_destructuring(body: Body, node: tree.Destructuring) -> typed.Statement:
    """`let P = e;`, `let P = e else { … };`"""
    if node.otherwise is None:
        return check_plain_destructuring(body, node)
    declared = resolve_type(body.context, node.type) if node.type is not None else None
    value, type = matched_value(body, node.value, declared)
    made = value if declared is None else coerce(body, value, declared)
    if made is None:
        body.error("E0401", node.value.span, expected=declared, found=value.type, hint=None)
    otherwise = typed.BlockValue(node.otherwise.span, NEVER, body.block(node.otherwise), None)
    if not returns(node.otherwise, body.leaving):
        body.error("E0709", node.otherwise.span)
    binder = Binder(body, node.mutable)
    if isinstance(node.pattern, tree.NamePattern):
        pattern = binder.bind(node.pattern.name, node.pattern.span, declared or type)
        body.context.error("W0702", node.pattern.span)
    else:
        pattern = check_refutable(binder, node.pattern, declared or type)
    binder.enter()
    return typed.Evaluate(
        node.span, either(node.span, UNIT, made or value, pattern, nothing(node.span), otherwise)
    )


STATEMENTS: Final[dict[type, Callable[..., typed.Statement | None]]] = {
    tree.Match: check_match,
    tree.If: check_if,
    tree.While: check_while,
    tree.Destructuring: check_destructuring,
}
LEAVES: Final[Leaves] = {tree.Match: check_match_value, tree.If: check_if_value}
