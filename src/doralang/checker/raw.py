"""The rules of `@raw` functions (reference, 16.4): no collection can happen in them.

They allocate nothing, have no local variables of class type, and call only functions that are `@raw`,
internal ones included.  That they never poll is the business of lowering, which leaves it out.

    @raw fun f(a: Str) { let b = a; println(b); }      two times E0906
"""

from __future__ import annotations

from collections.abc import Iterator

from doralang.checker import program as typed
from doralang.checker.program import Dispatch
from doralang.checker.scopes import Context
from doralang.text.records import fields_of
from doralang.text.source import Span
from doralang.types.types import ERROR, NIL, PrimitiveType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

LISTS: Final = (list, tuple)
NODES: Final = (typed.Expression, typed.StatementBase, typed.Catch, typed.MatchArm)


def check_raw(context: Context, block: typed.Block) -> None:
    """Report what a `@raw` function must not do."""
    for node in walk(block):
        complaint = complaint_about(node)
        if complaint is not None:
            context.error("E0906", complaint[0], what=complaint[1])


def walk(node: Any) -> Iterator[Any]:
    """A node and everything within, from left to right."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, LISTS):
            waiting.extend(reversed(node))
        elif isinstance(node, NODES):
            yield node
            waiting.extend([getattr(node, name) for name in reversed(fields_of(node))])


Complaint = tuple[Span, str] | None


def complaint_about(node: Any) -> Complaint:
    """What is wrong with a node, apart from what is within it."""
    if isinstance(node, typed.New | typed.Record | typed.Closure | typed.Convert):
        return node.span, "a raw function cannot allocate"
    if isinstance(node, typed.Call | typed.Construct):
        return complaint_about_call(node)
    if isinstance(node, typed.Let):
        return complaint_about_local(node.span, node.local)
    if isinstance(node, typed.Catch):
        return complaint_about_local(node.body.span, node.local)
    return None


def complaint_about_call(node: typed.Call | typed.Construct) -> Complaint:
    function = node.target.function
    dispatch = node.dispatch if isinstance(node, typed.Call) else Dispatch.STATIC
    if dispatch in (Dispatch.VIRTUAL, Dispatch.TRAIT):
        return node.span, f"a raw function cannot call `{function.name}`, which can be overridden"
    if not function.raw:
        return node.span, f"a raw function cannot call `{function.name}`, which is not raw"
    return None


def complaint_about_local(span: Span, local: typed.Local) -> Complaint:
    if isinstance(local.type, PrimitiveType) or local.type is ERROR:
        return None
    what = "nil" if local.type is NIL else local.type
    return span, f"a raw function cannot have the variable `{local.name}` of type `{what}`"
