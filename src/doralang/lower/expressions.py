"""Expressions to bytecode."""

from __future__ import annotations

from collections.abc import Callable

from doralang.bytecode import instructions as i
from doralang.bytecode.builder import Label
from doralang.bytecode.entities import FieldRef
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import Dispatch, Logic, TypedExpression
from doralang.library.internals import CHECKS_RECEIVER
from doralang.lower.body import BodyLowering, Handler
from doralang.lower.counting import call_of_counter, counter_of
from doralang.lower.variables import new_record, read_shared, write_shared
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES
from doralang.types.traps import Trap
from doralang.types.types import (
    NEVER,
    ClassType,
    PrimitiveType,
    Type,
    has_value,
    is_reference,
    nil_is_value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


def first_operand(node: Any) -> TypedExpression | None:
    """The operand that a link evaluates first; such operands nest without limit."""
    if isinstance(node, typed.Compute | typed.Call):
        return node.arguments[0] if node.arguments else None
    if isinstance(node, typed.GetField):
        return node.object
    if isinstance(node, typed.IsInstance | typed.Cast):
        return node.value
    if isinstance(node, typed.Identical):
        return node.left
    return None


# Leaves.


def constant(body: BodyLowering, node: typed.Constant, into: Register | None) -> Register:
    register = body.into(into, body.kind(node.type))
    body.emit(i.LoadConstant(register, node.value), node.span)
    return register


def text(body: BodyLowering, node: typed.TextConstant, into: Register | None) -> Register:
    register = body.into(into, Kind.REF)
    body.emit(i.LoadText(register, node.value), node.span)
    return register


def nil(body: BodyLowering, node: typed.NilConstant, into: Register | None) -> Register:
    register = body.into(into, Kind.REF)
    body.emit(i.LoadConstant(register, None), node.span)
    return register


DEFAULTS: Final[dict[Kind, bool | int | float | None]] = {
    Kind.BOOL: False,
    Kind.BYTE: 0,
    Kind.CHAR: 0,
    Kind.INT: 0,
    Kind.LONG: 0,
    Kind.FLOAT: 0.0,
    Kind.DOUBLE: 0.0,
    Kind.REF: None,
}


def default(body: BodyLowering, node: typed.DefaultValue, into: Register | None) -> Register:
    kind = body.kind(node.type)
    register = body.into(into, kind)
    body.emit(i.LoadConstant(register, DEFAULTS[kind]), node.span)
    return register


def get_local(body: BodyLowering, node: typed.GetLocal, into: Register | None) -> Register:
    if node.local.shared:
        return read_shared(body, node.local, into, node.span)
    return body.local(node.local)


def set_local(body: BodyLowering, node: typed.SetLocal, into: Register | None) -> Register:
    if node.local.shared:
        write_shared(body, node.local, body.value(node.value), node.span)
    else:
        body.value(node.value, body.local(node.local))
    return NO_REGISTER


def get_global(body: BodyLowering, node: typed.GetGlobal, into: Register | None) -> Register:
    variable = body.specializer.global_ref(node.variable)
    register = body.into(into, variable.kind)
    body.emit(i.LoadGlobal(register, variable), node.span)
    return register


def set_global(body: BodyLowering, node: typed.SetGlobal, into: Register | None) -> Register:
    value = body.value(node.value)
    body.emit(i.StoreGlobal(body.specializer.global_ref(node.variable), value), node.span)
    body.done(value)
    return NO_REGISTER


def set_field(body: BodyLowering, node: typed.SetField, into: Register | None) -> Register:
    target, value = body.operands([], [node.object, node.value])
    field = body.specializer.field_ref(body.type(node.object.type), node.field)
    body.emit(i.StoreField(target, field, value), node.span)
    body.done(target, value)
    return NO_REGISTER


# Operations.


def compute(body: BodyLowering, node: typed.Compute, first: Register, into: Register | None) -> Register:
    arguments = body.operands([first], node.arguments[1:])
    body.done(*arguments)
    register = body.into(into, node.primitive.result)
    body.emit(i.Compute(register, node.primitive, tuple(arguments)), node.span)
    return register


def identical(body: BodyLowering, node: typed.Identical, first: Register, into: Register | None) -> Register:
    first, second = body.operands([first], [node.right])
    body.done(first, second)
    register = body.into(into, Kind.BOOL)
    body.emit(i.Same(register, first, second), node.span)
    if node.negated:
        body.emit(i.Compute(register, PRIMITIVES["bool.not"], (register,)), node.span)
    return register


def get_field(body: BodyLowering, node: typed.GetField, first: Register, into: Register | None) -> Register:
    field = body.specializer.field_ref(body.type(node.object.type), node.field)
    if node.field.owner.nil_is_value and not isinstance(node.object, typed.Record):
        register = load_element(body, first, field, node.span)
        body.done(first)
        return register
    body.done(first)
    register = body.into(into, field.kind)
    body.emit(i.LoadField(register, first, field), node.span)
    return register


def load_element(body: BodyLowering, object: Register, field: FieldRef, span: Span) -> Register:
    """An element of a tuple: where that is the nil of zeroed memory, the default."""
    register = body.temporary(field.kind)
    default, end = body.builder.label(), body.builder.label()
    jump_if_nil(body, object, default, span)
    body.emit(i.LoadField(register, object, field), span)
    body.emit(i.Goto(end.target), span)
    body.builder.bind(default)
    body.emit(i.LoadConstant(register, DEFAULTS[field.kind]), span)
    body.builder.bind(end)
    return register


def jump_if_nil(body: BodyLowering, object: Register, target: Label, span: Span) -> None:
    nothing, is_nil = body.constant(Kind.REF, None, span), body.temporary(Kind.BOOL)
    body.emit(i.Same(is_nil, object, nothing), span)
    body.emit(i.BranchIf(is_nil, target.target), span)
    body.done(nothing, is_nil)


def is_instance(
    body: BodyLowering, node: typed.IsInstance, first: Register, into: Register | None
) -> Register:
    cls = body.specializer.class_ref(body.class_type(node.target))
    body.done(first)
    register = body.into(into, Kind.BOOL)
    body.emit(i.IsInstance(register, first, cls), node.span)
    return register


def cast(body: BodyLowering, node: typed.Cast, first: Register, into: Register | None) -> Register:
    cls = body.specializer.class_ref(body.class_type(node.type))
    body.done(first)
    register = body.into(into, Kind.REF)
    body.emit(i.CheckCast(register, first, cls), node.span)
    return register


# Conditions.


def jump_if(body: BodyLowering, node: TypedExpression, target: Label, sense: bool) -> None:
    """Go to `target` if the value of a condition is `sense`, else on."""
    while isinstance(node, typed.Compute) and node.primitive is PRIMITIVES["bool.not"]:
        node, sense = node.arguments[0], not sense
    if isinstance(node, typed.Logical):
        jump_if_logical(body, node, target, sense)
    elif isinstance(node, typed.Constant):
        if node.value is sense:
            body.emit(i.Goto(target.target), node.span)
    else:
        condition = body.value(node)
        branch = i.BranchIf if sense else i.BranchUnless
        body.emit(branch(condition, target.target), node.span)
        body.done(condition)


def jump_if_logical(body: BodyLowering, node: typed.Logical, target: Label, sense: bool) -> None:
    """A chain of one operator: its operands one after the other, each may decide."""
    decides = node.operator is Logic.OR
    operands: list[TypedExpression] = []
    inner: TypedExpression = node
    while isinstance(inner, typed.Logical) and inner.operator is node.operator:
        operands.append(inner.right)
        inner = inner.left
    operands.append(inner)
    past = body.builder.label()
    for operand in reversed(operands[1:]):
        jump_if(body, operand, target if sense is decides else past, decides)
    jump_if(body, operands[0], target, sense)
    body.builder.bind(past)


def logical(body: BodyLowering, node: typed.Logical, into: Register | None) -> Register:
    """The value of a condition."""
    register = body.temporary(Kind.BOOL)
    otherwise, end = body.builder.label(), body.builder.label()
    jump_if(body, node, otherwise, False)
    body.emit(i.LoadConstant(register, True), node.span)
    body.emit(i.Goto(end.target), node.span)
    body.builder.bind(otherwise)
    body.emit(i.LoadConstant(register, False), node.span)
    body.builder.bind(end)
    return register


def choice(body: BodyLowering, node: typed.Choice, into: Register | None) -> Register:
    register = result_of_branches(body, node.type)
    wanted = None if register == NO_REGISTER else register
    end = body.builder.label()
    for condition, value in node.arms:
        if not body.builder.reachable:
            break
        otherwise = body.builder.label()
        jump_if(body, condition, otherwise, False)
        body.value(value, wanted)
        body.emit(i.Goto(end.target), node.span)
        body.builder.bind(otherwise)
    if body.builder.reachable:
        body.value(node.otherwise, wanted)
    body.builder.bind(end)
    return register


def result_of_branches(body: BodyLowering, type: Type) -> Register:
    """Where all branches put their value, if they have one."""
    return body.temporary(body.kind(type)) if has_value(type) else NO_REGISTER


def block_value(body: BodyLowering, node: typed.BlockValue, into: Register | None) -> Register:
    body.block(node.block)
    return NO_REGISTER if node.value is None else body.value(node.value, into)


# Calls.


def call(body: BodyLowering, node: typed.Call, into: Register | None) -> Register:
    """A call without arguments."""
    return finish_call(body, node, [], into)


def call_with(body: BodyLowering, node: typed.Call, first: Register, into: Register | None) -> Register:
    """A call whose first argument, perhaps the receiver, is there."""
    counter = counter_of(body, node.arguments[0])
    if counter is not None:
        return call_of_counter(body, node, counter, into)
    checked = node.dispatch in (Dispatch.DIRECT, Dispatch.TRAIT) and may_be_nil(body, node.arguments[0])
    if checked and node.target.function.key not in CHECKS_RECEIVER:
        body.emit(i.CheckNil(first), node.span)
    arguments = body.operands([first], node.arguments[1:])
    return finish_call(body, node, arguments, into)


def may_be_nil(body: BodyLowering, node: TypedExpression) -> bool:
    """Whether a receiver needs a check."""
    type = body.type(node.type)
    if isinstance(type, PrimitiveType) or nil_is_value(type):
        return False
    if isinstance(node, typed.New | typed.TextConstant | typed.Record):
        return False
    is_self = isinstance(node, typed.GetLocal) and node.local.index == 0 and body.function.has_self
    return not is_self


def finish_call(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    register = make_call(body, node, arguments, into)
    if node.type is NEVER:
        body.emit(i.Trap(Trap.UNEXPECTED), node.span)  # nobody comes here
    return register


def make_call(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    function = node.target.function
    types = tuple(body.type(argument) for argument in node.target.arguments)
    virtual = node.dispatch is Dispatch.VIRTUAL
    if node.dispatch is Dispatch.TRAIT:
        found = body.specializer.implementation(function, types)
        function, types, virtual = found.function, found.arguments, found.virtual
    if function.internal:
        return call_internal(body, node, function, types, arguments, into)
    callee = body.specializer.function_ref(function, types)
    make = i.CallVirtual if virtual else i.Call
    if virtual:
        body.specializer.class_ref(body.class_type(node.arguments[0].type))  # gives the slot
    return emit_call(body, make, callee, arguments, node.span, into)


def emit_call(
    body: BodyLowering, make: Any, callee: Any, arguments: list[Register], span: Span, into: Register | None
) -> Register:
    """The call and, if it may throw, what follows it.

    The result of a call that throws is undefined, so it must not go to where an old value is needed.
    """
    body.done(*arguments)
    register = NO_REGISTER
    if callee.result is not None:
        register = body.temporary(callee.result) if callee.throws else body.into(into, callee.result)
    body.emit(make(register, callee, tuple(arguments)), span)
    if callee.throws:
        body.check_exception(span)
    return register


def call_internal(
    body: BodyLowering,
    node: typed.Call,
    function: typed.Function,
    types: tuple[Any, ...],
    arguments: list[Register],
    into: Register | None,
) -> Register:
    """Internal functions: some are instructions, the others have rows in the engines."""
    primitive = PRIMITIVES.get(function.key)
    if primitive is not None:
        body.done(*arguments)
        register = body.into(into, primitive.result)
        body.emit(i.Compute(register, primitive, tuple(arguments)), node.span)
        return register
    special = AS_INSTRUCTIONS.get(function.key)
    if special is not None:
        return special(body, node, arguments, into)
    callee = body.specializer.function_ref(function, types)
    return emit_call(body, i.CallInternal, callee, arguments, node.span, into)


def array_length(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    body.done(*arguments)
    register = body.into(into, Kind.INT)
    body.emit(i.ArrayLength(register, arguments[0]), node.span)
    return register


def array_get(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    body.done(*arguments)
    register = body.into(into, body.kind(node.type))
    body.emit(i.LoadElement(register, arguments[0], arguments[1]), node.span)
    return register


def array_set(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    body.emit(i.StoreElement(arguments[0], arguments[1], arguments[2]), node.span)
    body.done(*arguments)
    return NO_REGISTER


def assertion(
    body: BodyLowering, node: typed.Call, arguments: list[Register], into: Register | None
) -> Register:
    """`assert` is no frame: the failure is that of the function that calls it."""
    failed = body.builder.label()
    body.emit(i.BranchUnless(arguments[0], failed.target), node.span)
    body.done(*arguments)

    def fail() -> None:
        body.builder.bind(failed)
        body.emit(i.Trap(Trap.ASSERT), node.span)

    body.deferred.append(fail)
    return NO_REGISTER


AS_INSTRUCTIONS: Final = {
    "Array.len": array_length,
    "Array.get": array_get,
    "Array.set": array_set,
    "assert": assertion,
}


def new(body: BodyLowering, node: typed.New, into: Register | None) -> Register:
    """Arguments first, then the object, then its constructor."""
    arguments = body.operands([], node.arguments)
    cls = body.specializer.class_ref(body.class_type(node.type))
    register = body.temporary(Kind.REF)
    if cls.element is not None:
        return new_array(body, node, arguments, register)
    body.emit(i.NewObject(register, cls), node.span)
    types = tuple(body.type(argument) for argument in node.target.arguments)
    callee = body.specializer.function_ref(node.target.function, types)
    body.emit(i.Call(NO_REGISTER, callee, (register, *arguments)), node.span)
    body.done(*arguments)
    return register


def new_array(body: BodyLowering, node: typed.New, arguments: list[Register], register: Register) -> Register:
    """`Array()`, `Array(length)`, `Array(length, value)`"""
    cls = body.specializer.class_ref(body.class_type(node.type))
    length = arguments[0] if arguments else body.constant(Kind.INT, 0, node.span)
    body.emit(i.NewArray(register, cls, length), node.span)
    if len(arguments) == 2:
        body.emit(i.FillArray(register, arguments[1]), node.span)
    body.done(length, *arguments)
    return register


def record(body: BodyLowering, node: typed.Record, into: Register | None) -> Register:
    return new_record(body, node, node.made.of(body.class_type(node.type).arguments))


def convert(body: BodyLowering, node: typed.Convert, into: Register | None) -> Register:
    """An object of a trait; `nil` stays what it is, unless it is a value."""
    held, target = body.type(node.held), body.class_type(node.type)
    value = body.value(node.value)
    if held is target or not body.builder.reachable:
        return value
    register = body.temporary(Kind.REF)
    if isinstance(held, PrimitiveType) or (isinstance(held, ClassType) and held.head.is_value):
        make_holder(body, node, held, register, value)
        return register
    nothing, end = body.builder.label(), body.builder.label()
    jump_if_nil(body, value, nothing, node.span)
    make_holder(body, node, held, register, value)
    body.emit(i.Goto(end.target), node.span)
    body.builder.bind(nothing)
    body.emit(i.LoadConstant(register, None), node.span)
    body.builder.bind(end)
    return register


def make_holder(
    body: BodyLowering, node: typed.Convert, held: Type, register: Register, value: Register
) -> None:
    target = body.class_type(node.type)
    trait = target.head.trait
    assert isinstance(trait, typed.Trait) and trait.holder is not None
    if isinstance(held, ClassType) and isinstance(held.head.trait, typed.Trait):
        body.specializer.class_ref(held)  # gives the slot
        method = body.specializer.function_ref(held.head.trait.conversions[trait], held.arguments)
        body.emit(i.CallVirtual(register, method, (value,)), node.span)
        body.done(value)
        return
    cls = body.specializer.class_ref(trait.holder.of((*target.arguments, held)))
    body.emit(i.NewObject(register, cls), node.span)
    object, inner = cls.fields
    if is_reference(held):
        body.emit(i.StoreField(register, object, value), node.span)
    body.emit(i.StoreField(register, inner, value), node.span)
    body.done(value)


# try


def try_else(body: BodyLowering, node: typed.TryElse, into: Register | None) -> Register:
    failed, end = body.builder.label(), body.builder.label()
    register = result_of_branches(body, node.type)
    wanted = None if register == NO_REGISTER else register
    body.handlers.append(Handler(failed))
    body.value(node.operand, wanted)
    body.handlers.pop()
    body.emit(i.Goto(end.target), node.span)
    body.builder.bind(failed)
    if body.builder.reachable:
        dropped = body.temporary(Kind.REF)
        body.emit(i.TakeException(dropped), node.span)
        body.done(dropped)
        body.value(node.otherwise, wanted)
    body.builder.bind(end)
    return register


def try_force(body: BodyLowering, node: typed.TryForce, into: Register | None) -> Register:
    failed = body.builder.label()

    def fail() -> None:
        body.builder.bind(failed)
        body.emit(i.Trap(Trap.UNEXPECTED), node.span)

    body.handlers.append(Handler(failed))
    register = body.value(node.operand, into)
    body.handlers.pop()
    body.deferred.append(fail)
    return register


LEAVES: Final[dict[type, Callable[..., Register]]] = {
    typed.Constant: constant,
    typed.TextConstant: text,
    typed.NilConstant: nil,
    typed.DefaultValue: default,
    typed.GetLocal: get_local,
    typed.SetLocal: set_local,
    typed.GetGlobal: get_global,
    typed.SetGlobal: set_global,
    typed.SetField: set_field,
    typed.Logical: logical,
    typed.Choice: choice,
    typed.BlockValue: block_value,
    typed.Call: call,
    typed.New: new,
    typed.Record: record,
    typed.Convert: convert,
    typed.TryElse: try_else,
    typed.TryForce: try_force,
}
LINKS: Final = {
    typed.Compute: compute,
    typed.Identical: identical,
    typed.GetField: get_field,
    typed.IsInstance: is_instance,
    typed.Cast: cast,
    typed.Call: call_with,
}
