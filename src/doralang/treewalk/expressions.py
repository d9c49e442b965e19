"""What expressions mean: one short function for each kind.

    EVALUATORS[type(node)](machine, node, frame)  ->  value

Left operands nest without limit (`1 + 1 + …`, `a.f().g()…`).  Expressions that have one are
therefore not evaluated by recursion: `climb` goes down to the leftmost operand and comes back up in a
loop, and a function of `FINISHERS` does what is left of each once its first operand has a value.

Failures may happen at `frame.span`, so that is set before whatever can fail, and again after operands,
which may have moved it, have been evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from doralang.checker.program import (
    BlockValue,
    Call,
    Capture,
    Cast,
    Choice,
    Closure,
    Compute,
    Constant,
    Convert,
    DefaultValue,
    Destructure,
    Dispatch,
    Expression,
    GetField,
    GetGlobal,
    GetLocal,
    Identical,
    IsInstance,
    Leave,
    Logic,
    Logical,
    Match,
    New,
    NilConstant,
    NotNil,
    Record,
    SetField,
    SetGlobal,
    SetLocal,
    TextConstant,
    Trait,
    TryElse,
    TryForce,
    TypedExpression,
)
from doralang.interpreter.internals import CONSTRUCTORS
from doralang.interpreter.objects import Array, ClassInstance, Str, Value, default_value
from doralang.library.internals import CHECKS_RECEIVER
from doralang.text.source import Span
from doralang.treewalk.frames import Activation
from doralang.treewalk.machine import Leaving, ThrownObject, WalkState
from doralang.treewalk.patterns import Parts, match, parts_of
from doralang.treewalk.variables import bind, change, content
from doralang.types.failures import Trapped
from doralang.types.traps import Trap
from doralang.types.types import ClassType, is_reference, may_be_nil, nil_is_value


def evaluate(machine: WalkState, node: TypedExpression, frame: Activation) -> Value:
    return EVALUATORS[type(node)](machine, node, frame)


def trap(trap: Trap, frame: Activation, span: Span) -> Trapped:
    """A failure at a place of the innermost function."""
    frame.span = span
    return Trapped(trap)


# Leaves.


def constant(machine: WalkState, node: Constant, frame: Activation) -> Value:
    return node.value


def text_constant(machine: WalkState, node: TextConstant, frame: Activation) -> Value:
    return machine.literal(node.value)


def nil_constant(machine: WalkState, node: NilConstant, frame: Activation) -> Value:
    return None


def default_of_type(machine: WalkState, node: DefaultValue, frame: Activation) -> Value:
    return default_value(frame.bindings.of(node.type))


def get_local(machine: WalkState, node: GetLocal, frame: Activation) -> Value:
    value = frame.locals[node.local.index]
    return content(value) if node.local.shared else value


def get_global(machine: WalkState, node: GetGlobal, frame: Activation) -> Value:
    return machine.globals[node.variable]


# Assignments.


def set_local(machine: WalkState, node: SetLocal, frame: Activation) -> Value:
    value = evaluate(machine, node.value, frame)
    if node.local.shared:
        change(frame, node.local, value)
    else:
        frame.locals[node.local.index] = value
    return None


def set_global(machine: WalkState, node: SetGlobal, frame: Activation) -> Value:
    machine.globals[node.variable] = evaluate(machine, node.value, frame)
    return None


def set_field(machine: WalkState, node: SetField, frame: Activation) -> Value:
    object = evaluate(machine, node.object, frame)
    value = evaluate(machine, node.value, frame)
    if object is None:
        raise trap(Trap.NIL, frame, node.span)
    assert isinstance(object, ClassInstance)
    object.fields[machine.classes.slot(node.field)] = value
    return None


# Expressions with a first operand.


def climb(machine: WalkState, node: TypedExpression, frame: Activation) -> Value:
    spine = []
    while (first := first_operand(node)) is not None:
        spine.append(node)
        node = first
    value = EVALUATORS[type(node)](machine, node, frame)
    while spine:
        node = spine.pop()
        value = FINISHERS[type(node)](machine, node, frame, value)
    return value


def first_operand(node: TypedExpression) -> TypedExpression | None:
    """The operand that is evaluated first and that an expression may be nested in without limit."""
    if isinstance(node, Compute):
        return node.arguments[0]
    if isinstance(node, Call):
        return node.arguments[0] if node.arguments else None
    if isinstance(node, GetField):
        return node.object
    if isinstance(node, Logical):
        return node.left
    return node.value if isinstance(node, (Cast, IsInstance)) else None


def finish_compute(machine: WalkState, node: Compute, frame: Activation, first: Value) -> Value:
    arguments = node.arguments
    if len(arguments) == 1:
        return node.primitive.meaning(first)
    second = EVALUATORS[type(arguments[1])](machine, arguments[1], frame)
    frame.span = node.span
    return node.primitive.meaning(first, second)


def finish_get_field(machine: WalkState, node: GetField, frame: Activation, first: Value) -> Value:
    if first is None:
        if node.field.owner.nil_is_value:
            return default_value(frame.bindings.of(node.type))
        raise trap(Trap.NIL, frame, node.span)
    assert isinstance(first, ClassInstance)
    return first.fields[machine.classes.slot(node.field)]


def match_value(machine: WalkState, node: Match, frame: Activation) -> Value:
    value = evaluate(machine, node.value, frame)
    for arm in node.arms:
        frame.span = node.span
        found: Parts = []
        if not match(machine, arm.pattern, value, frame, found):
            continue
        for local, part in found:
            bind(machine, frame, local, part)
        if arm.guard is None or evaluate(machine, arm.guard, frame):
            return evaluate(machine, arm.body, frame)
    raise AssertionError("no arm fits, though all is covered")


def destructure(machine: WalkState, node: Destructure, frame: Activation) -> Value:
    value = evaluate(machine, node.value, frame)
    frame.span = node.span
    for local, part in parts_of(machine, node.pattern, value, frame):
        bind(machine, frame, local, part)
    return None


def finish_logical(machine: WalkState, node: Logical, frame: Activation, first: Value) -> Value:
    if first is (node.operator is Logic.OR):
        return first
    return evaluate(machine, node.right, frame)


def finish_is_instance(machine: WalkState, node: IsInstance, frame: Activation, first: Value) -> Value:
    return first is not None and is_a(machine, first, frame, node.target)


def finish_cast(machine: WalkState, node: Cast, frame: Activation, first: Value) -> Value:
    if first is not None and not is_a(machine, first, frame, node.type):
        raise trap(Trap.CAST, frame, node.span)
    return first


def is_a(machine: WalkState, value: Value, frame: Activation, wanted: Any) -> bool:
    assert isinstance(value, ClassInstance | Str | Array)
    return machine.classes.is_instance(value.type, frame.bindings.class_of(wanted))


# Calls.


def call(machine: WalkState, node: Call, frame: Activation) -> Value:
    if node.arguments:
        return climb(machine, node, frame)
    frame.span = node.span
    bindings = machine.classes.bindings_of(node.target, frame.bindings)
    return machine.invoke(node.target.function, bindings, [])


def finish_call(machine: WalkState, node: Call, frame: Activation, first: Value) -> Value:
    dispatch, function = node.dispatch, node.target.function
    unchecked = first is None and dispatch is not Dispatch.STATIC
    if unchecked and nil_is_value(frame.bindings.of(node.arguments[0].type)):
        unchecked = False
    if unchecked and dispatch is not Dispatch.VIRTUAL and function.key not in CHECKS_RECEIVER:
        raise trap(Trap.NIL, frame, node.span)
    arguments = [first]
    for argument in node.arguments[1:]:
        arguments.append(EVALUATORS[type(argument)](machine, argument, frame))
    frame.span = node.span
    if unchecked:
        raise Trapped(Trap.NIL)
    virtual = dispatch is Dispatch.VIRTUAL
    if dispatch is Dispatch.TRAIT:
        types = tuple(map(frame.bindings.of, node.target.arguments))
        function, bindings, virtual = machine.classes.trait_method(function, types)
    elif not virtual:
        bindings = machine.classes.bindings_of(node.target, frame.bindings)
    if virtual:
        assert isinstance(first, ClassInstance)
        function, bindings = machine.classes.virtual_method(first.type, function.name)
    return machine.invoke(function, bindings, arguments)


def new(machine: WalkState, node: New, frame: Activation) -> Value:
    arguments: list[Value] = []
    for argument in node.arguments:
        arguments.append(EVALUATORS[type(argument)](machine, argument, frame))
    frame.span = node.span
    made, constructor = frame.bindings.class_of(node.type), node.target.function
    if constructor.internal:
        return CONSTRUCTORS[constructor.key](machine.context, made, *arguments)
    object = ClassInstance(made, machine.classes.default_fields(made))
    bindings = machine.classes.bindings_of(node.target, frame.bindings)
    machine.invoke(constructor, bindings, [object, *arguments])
    return object


def record(machine: WalkState, node: Record, frame: Activation) -> Value:
    values = [evaluate(machine, value, frame) for value in node.values]
    frame.span = node.span
    return ClassInstance(node.made.of(frame.bindings.class_of(node.type).arguments), values)


def closure(machine: WalkState, node: Closure, frame: Activation) -> Value:
    values = [evaluate(machine, value, frame) for value in node.values]
    frame.span = node.span
    return ClassInstance(frame.bindings.class_of(node.made), values)


def capture(machine: WalkState, node: Capture, frame: Activation) -> Value:
    return frame.locals[node.local.index]


def not_nil(machine: WalkState, node: NotNil, frame: Activation) -> Value:
    value = evaluate(machine, node.value, frame)
    if value is None and may_be_nil(frame.bindings.of(node.type)):
        raise trap(Trap.NIL, frame, node.span)
    return value


def convert(machine: WalkState, node: Convert, frame: Activation) -> Value:
    value = evaluate(machine, node.value, frame)
    frame.span = node.span
    held, target = frame.bindings.of(node.held), frame.bindings.class_of(node.type)
    trait = target.head.trait
    assert isinstance(trait, Trait) and trait.holder is not None
    is_value = not isinstance(held, ClassType) or held.head.is_value
    if held is target or (value is None and not is_value):
        return value
    if isinstance(held, ClassType) and isinstance(held.head.trait, Trait):
        assert isinstance(value, ClassInstance)
        name = held.head.trait.conversions[trait].name
        function, bindings = machine.classes.virtual_method(value.type, name)
        return machine.invoke(function, bindings, [value])
    object = value if is_reference(held) else None
    return ClassInstance(trait.holder.of((*target.arguments, held)), [object, value])


# The rest.


def identical(machine: WalkState, node: Identical, frame: Activation) -> Value:
    left = evaluate(machine, node.left, frame)
    right = evaluate(machine, node.right, frame)
    return (left is right) is not node.negated


def try_else(machine: WalkState, node: TryElse, frame: Activation) -> Value:
    try:
        return evaluate(machine, node.operand, frame)
    except ThrownObject:
        pass
    return evaluate(machine, node.otherwise, frame)


def try_force(machine: WalkState, node: TryForce, frame: Activation) -> Value:
    try:
        return evaluate(machine, node.operand, frame)
    except ThrownObject:
        pass
    raise trap(Trap.UNEXPECTED, frame, node.span)


def choice(machine: WalkState, node: Choice, frame: Activation) -> Value:
    for condition, value in node.arms:
        if evaluate(machine, condition, frame):
            return evaluate(machine, value, frame)
    return evaluate(machine, node.otherwise, frame)


def block_value(machine: WalkState, node: BlockValue, frame: Activation) -> Value:
    jump = machine.execute(node.block, frame)
    if jump is not None:
        raise Leaving(jump)
    return evaluate(machine, node.value, frame) if node.value is not None else None


def leave(machine: WalkState, node: Leave, frame: Activation) -> Value:
    jump = machine.execute(node.statement, frame)
    assert jump is not None, "a jump goes somewhere"
    raise Leaving(jump)


# The two tables; nodes are of the type of their row, hence `Any`.

EVALUATORS: Final[dict[type[Expression], Callable[[WalkState, Any, Activation], Value]]] = {
    Constant: constant,
    TextConstant: text_constant,
    NilConstant: nil_constant,
    DefaultValue: default_of_type,
    GetLocal: get_local,
    SetLocal: set_local,
    GetGlobal: get_global,
    SetGlobal: set_global,
    GetField: climb,
    SetField: set_field,
    Compute: climb,
    Logical: climb,
    Identical: identical,
    Call: call,
    New: new,
    Record: record,
    Closure: closure,
    Capture: capture,
    NotNil: not_nil,
    Convert: convert,
    Destructure: destructure,
    Match: match_value,
    IsInstance: climb,
    Cast: climb,
    TryElse: try_else,
    TryForce: try_force,
    Choice: choice,
    BlockValue: block_value,
    Leave: leave,
}

FINISHERS: Final[dict[type[Expression], Callable[[WalkState, Any, Activation, Value], Value]]] = {
    Compute: finish_compute,
    Call: finish_call,
    GetField: finish_get_field,
    Logical: finish_logical,
    IsInstance: finish_is_instance,
    Cast: finish_cast,
}
