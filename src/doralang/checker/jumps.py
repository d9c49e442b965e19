"""Jumps: `return`, `throw`, `break`, `continue`, as statements and as operands of type `Never`."""

from __future__ import annotations

from collections.abc import Callable

from doralang.checker import program as typed
from doralang.checker.body import Body, Enclosing, Leaves
from doralang.checker.program import TypedExpression
from doralang.checker.trait_objects import coerce
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import NEVER, NIL, UNIT, Type, is_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


def check_break(body: Body, node: tree.Break) -> typed.Break:
    jump_in_loop(body, node, "break")
    if body.loops:
        body.loops[-1] = True
    return typed.Break(node.span)


def check_continue(body: Body, node: tree.Continue) -> typed.Continue:
    jump_in_loop(body, node, "continue")
    return typed.Continue(node.span)


def jump_in_loop(body: Body, node: tree.Node, name: str) -> None:
    body.jumps += 1
    if not body.loops:
        body.error("E0701", node.span, name=name)


def check_return(body: Body, node: tree.Return) -> typed.Return:
    function = body.function
    if body.enclosing is not None and body.enclosing.returns is not None:
        return return_of_open(body, node, body.enclosing, body.enclosing.returns)
    wanted = function.result
    value = body.expression(node.value, wanted) if node.value is not None else None
    found = value.type if value is not None else UNIT
    returned = None if value is None else coerce(body, value, wanted)
    if returned is None and not (value is None and wanted is UNIT) and not body.is_unknown(wanted, found):
        hint = None
        if function.kind in (
            typed.FunctionKind.FUNCTION,
            typed.FunctionKind.METHOD,
            typed.FunctionKind.STATIC,
        ):
            hint = f"`{function.name}` is declared to return `{wanted}`"
            if wanted is UNIT:
                hint = f"`{function.name}` is declared without a result"
        span = node.span if node.value is None else node.value.span
        body.error("E0404", span, expected=wanted, found=found, hint=hint)
    return typed.Return(node.span, returned)


def return_of_open(body: Body, node: tree.Return, enclosing: Enclosing, returns: list[Span]) -> typed.Return:
    """A `return` in a lambda whose result nobody has said; what its body gives is not known yet."""
    value = body.expression(node.value) if node.value is not None else None
    if value is None:
        returns.append(node.span)
    elif not body.is_unknown(value.type):
        if not enclosing.returns_value:
            body.error("E0404", value.span, expected=UNIT, found=value.type, hint=RESULT_HINT)
        enclosing.returns_value = True
    return typed.Return(node.span, None)


RESULT_HINT: Final = "write the result of the lambda: `-> T`"


def check_throw(body: Body, node: tree.Throw) -> typed.Throw:
    value = body.expression(node.value)
    if value.type is NIL:
        body.error("E0804", node.span)
    elif not (is_reference(value.type) or value.type is NEVER) and not body.is_unknown(value.type):
        body.error("E0418", node.span, type=value.type)
    else:
        body.exception_may_leave(node.span)
    return typed.Throw(node.span, value)


JUMPS: Final[dict[type, Callable[[Body, Any], typed.Return | typed.Throw | typed.Break | typed.Continue]]] = {
    tree.Break: check_break,
    tree.Continue: check_continue,
    tree.Return: check_return,
    tree.Throw: check_throw,
}


def check_jump(
    body: Body, node: tree.Return | tree.Throw | tree.Break | tree.Continue, expected: Type | None
) -> TypedExpression:
    """A jump as an operand."""
    return typed.Leave(node.span, NEVER, JUMPS[type(node)](body, node))


LEAVES: Final[Leaves] = dict.fromkeys(JUMPS, check_jump)
