"""Variables that lambdas share, and the objects of lambdas.

var n = 1;      ->      NewObject   n, SharedCell<int>
n = 2;                  StoreField  n, SharedCell.value, 1
                        StoreField  n, SharedCell.value, 2
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FieldRef
from doralang.bytecode.instructions import Register
from doralang.checker import program as typed
from doralang.checker.program import Local
from doralang.lower.body import BodyLowering
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.types import ClassType, may_be_nil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def content(body: BodyLowering, local: Local) -> FieldRef:
    """The field of a shared variable's cell."""
    cell = body.specializer.program.library.classes["SharedCell"]
    return body.specializer.class_ref(cell.of((body.type(local.type),))).fields[0]


def read_shared(body: BodyLowering, local: Local, into: Register | None, span: Span) -> Register:
    field = content(body, local)
    register = body.into(into, field.kind)
    body.emit(i.LoadField(register, body.local(local), field), span)
    return register


def write_shared(body: BodyLowering, local: Local, value: Register, span: Span) -> None:
    body.emit(i.StoreField(body.local(local), content(body, local), value), span)
    body.done(value)


def bind(body: BodyLowering, local: Local, value: Register, span: Span) -> None:
    """Give a local its first value; a shared one is a new variable with each execution."""
    if not local.shared:
        body.emit(i.Move(body.local(local), value), span)
        return
    body.emit(i.NewObject(body.local(local), content(body, local).owner), span)
    write_shared(body, local, value, span)


def share(body: BodyLowering, node: typed.Share) -> None:
    """A parameter that is shared moves into a cell."""
    value = body.locals.pop(node.local.index)
    bind(body, node.local, value, node.span)


def restore(body: BodyLowering, node: typed.Restore) -> None:
    """What a lambda has captured, from its object into registers."""
    owner = body.function.owner
    assert owner is not None
    cls = body.specializer.class_ref(body.class_type(owner.self_type))
    for field, local in zip(cls.fields, node.locals, strict=True):
        body.emit(i.LoadField(body.local(local), Register(0), field), node.span)


def capture(body: BodyLowering, node: typed.Capture, into: Register | None) -> Register:
    return body.local(node.local)


def closure(body: BodyLowering, node: typed.Closure, into: Register | None) -> Register:
    return new_record(body, node, body.class_type(node.made))


def new_record(body: BodyLowering, node: typed.Closure | typed.Record, made: ClassType) -> Register:
    """Values first, then the object and its fields."""
    values = body.operands([], node.values)
    cls = body.specializer.class_ref(made)
    register = body.temporary(Kind.REF)
    body.emit(i.NewObject(register, cls), node.span)
    for field, value in zip(cls.fields, values, strict=True):
        body.emit(i.StoreField(register, field, value), node.span)
    body.done(*values)
    return register


def not_nil(body: BodyLowering, node: typed.NotNil, into: Register | None) -> Register:
    register = body.value(node.value, into)
    type = body.type(node.type)
    if may_be_nil(type):
        body.emit(i.CheckNil(register), node.span)
    return register


STATEMENTS: Final = {typed.Share: share, typed.Restore: restore}
LEAVES: Final[dict[type, Callable[..., Register]]] = {
    typed.Closure: closure,
    typed.Capture: capture,
    typed.NotNil: not_nil,
}
