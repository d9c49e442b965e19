"""Templates: `"${a} of ${b}"` is the texts of all, one behind the other.

"${n} of"       ->      Call n.toString() . plus(" of")
"""

from __future__ import annotations

from typing import Final

from doralang.checker import program as typed
from doralang.checker.body import Body, Leaves
from doralang.checker.bounds import check_conditions
from doralang.checker.generics import callee
from doralang.checker.lookup import Found, Lookup, dispatch_of, find_method, members_known
from doralang.checker.making import make_call, note_throws
from doralang.checker.program import Dispatch, Instantiation, TypedExpression
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import NEVER, NIL, UNIT, ClassType, Type


def check_template(body: Body, node: tree.Template, expected: Type | None) -> TypedExpression:
    """Each hole is turned into text before the next is evaluated."""
    text = body.unit.library_class("Str")
    parts: list[TypedExpression] = []
    for index, piece in enumerate(node.pieces):
        if piece:
            parts.append(typed.TextConstant(node.span, text.of(), piece))
        if index < len(node.holes):
            parts.append(shown(body, node.holes[index], node.places[index]))
    if body.is_unknown(*(part.type for part in parts)):
        return body.wrong(node.span)
    plus = Instantiation(text.methods["plus"])
    whole = parts[0] if parts else typed.TextConstant(node.span, text.of(), "")
    for part in parts[1:]:
        whole = typed.Call(node.span, text.of(), plus, Dispatch.DIRECT, [whole, part])
    return whole


def shown(body: Body, node: tree.Expression, place: Span) -> TypedExpression:
    """The text of what stands in a hole."""
    value = body.expression(node)
    if body.is_unknown(value.type) or value.type is NEVER:
        return value
    text = body.unit.library_class("Str").of()
    found = None if value.type in (UNIT, NIL) else text_method(body, value.type, text)
    if not isinstance(found, Found) or found.function.parameters or found.function.result is not text:
        if not members_known(body.context, value.type):
            return body.wrong(node.span)
        return body.error("E0423", node.span, type=value.type)
    note_throws(body, place, found.function)
    build = make_call(place, found.function, dispatch_of(found), [value])
    target = callee(found.function, found.mapping(), (), build)
    if not check_conditions(body.context, node.span, found.function, target.arguments):
        return body.wrong(node.span)
    return target.build(target.arguments, target.result, [])


def text_method(body: Body, type: Type, text: ClassType) -> Lookup:
    """What turns a value into text.  A text is its own, whatever `toString` the program gives it."""
    if type is not text:
        return find_method(body.context, type, "toString")
    library = body.unit.base
    return Found(library.impls_of(text.head)[library.library_trait("Show")].methods["toString"], ())


LEAVES: Final[Leaves] = {tree.Template: check_template}
