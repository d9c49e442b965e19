"""`rethrows` (section 12.3 of the reference): a function that throws only what functions given to it throw.

fun each(v: Vec<int>, f: (int) throws -> ()) rethrows { for x in v { try f(x); } }

each(v, |x| print(x));              needs no `try`
try each(v, |x| throw e);           needs one
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.program import CALL, Class, Function, Local, TypedExpression
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import Type, has_error, is_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def may_throw(type: Type) -> bool:
    """Whether a type is one of functions with `throws`."""
    return is_function(type) and type.head.may_throw  # type: ignore[union-attr]


def is_source(parameter: Local) -> bool:
    """Whether a `rethrows` function may let out the exceptions of a parameter."""
    return may_throw(parameter.type) and not parameter.mutable


def check_rethrows(context: Context, function: Function, node: tree.Function) -> None:
    """E0807: without a function that throws among the parameters there is nothing to rethrow."""
    if not function.rethrows or any(has_error(one.type) for one in function.parameters):
        return
    if not any(map(is_source, function.parameters)):
        context.error("E0807", node.span)


def note_rethrows(body: Body, span: Span, function: Function, arguments: Sequence[TypedExpression]) -> None:
    """A call of a `rethrows` function throws if it is given a function that does."""
    given = [
        argument
        for argument, parameter in zip(arguments, function.parameters, strict=True)
        if is_source(parameter) and may_throw(argument.type)
    ]
    if given:
        body.call_throws(span, function.name, passed=all(is_passed(body, one) for one in given))


def is_passed(body: Body, value: TypedExpression) -> bool:
    """Whether what a function value throws may leave the `rethrows` function around: it was given to that,
    or is a lambda that throws nothing else."""
    if isinstance(value, typed.Closure):
        assert isinstance(value.made.head, Class)
        return value.made.head.methods[CALL].rethrows
    if not isinstance(value, typed.GetLocal):
        return False
    local, root = value.local.declared, body.root
    return root.rethrows and local in root.parameters and is_source(local)


def sources(function: Function) -> str:
    """The parameters whose exceptions a function may let out, as messages list them."""
    return " and ".join(f"`{one.name}`" for one in function.parameters if is_source(one))


MARKS: Final = {
    (False, False): "not marked `throws`",
    (True, False): "marked `throws`",
    (True, True): "marked `rethrows`",
}


def mark_of(function: Function) -> str:
    """How a function is marked, as messages say it."""
    return MARKS[function.throws, function.rethrows]


def same_mark(one: Function, other: Function) -> bool:
    return one.throws == other.throws and one.rethrows == other.rethrows
