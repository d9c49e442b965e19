"""What patterns mean: whether a value fits, and what its parts are then called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from doralang.checker.program import (
    AnyValue,
    Between,
    Bound,
    Equal,
    FieldOf,
    InstanceOf,
    Local,
    NilConstant,
    OneOf,
    Pattern,
    TextConstant,
    TupleOf,
    VariantOf,
)
from doralang.interpreter.objects import Array, ClassInstance, Str, Value, default_value
from doralang.treewalk.frames import Activation
from doralang.treewalk.machine import WalkState
from doralang.types.failures import Trapped
from doralang.types.traps import Trap

Parts = list[tuple[Local, Value]]
"""what the variables of a pattern get"""


def parts_of(machine: WalkState, pattern: Pattern, value: Value, frame: Activation) -> Parts:
    """The variables of a pattern that always fits, with the parts of the value."""
    found: Parts = []
    fits = match(machine, pattern, value, frame, found)
    assert fits, "this pattern always fits"
    return found


def match(machine: WalkState, pattern: Pattern, value: Value, frame: Activation, found: Parts) -> bool:
    """Whether a value fits a pattern; parts are tested from left to right, and only as far as needed."""
    return MATCHERS[type(pattern)](machine, pattern, value, frame, found)


def any_value(machine: WalkState, pattern: AnyValue, value: Value, frame: Activation, found: Parts) -> bool:
    return True


def bound(machine: WalkState, pattern: Bound, value: Value, frame: Activation, found: Parts) -> bool:
    found.append((pattern.local, value))
    return match(machine, pattern.pattern, value, frame, found)


def one_of(machine: WalkState, pattern: OneOf, value: Value, frame: Activation, found: Parts) -> bool:
    for option in pattern.options:
        mine: Parts = []
        if match(machine, option, value, frame, mine):
            found += mine
            return True
    return False


def all_parts(
    machine: WalkState, patterns: Sequence[Pattern], values: Sequence[Value], frame: Activation, found: Parts
) -> bool:
    parts = zip(patterns, values, strict=True)
    return all(match(machine, part, value, frame, found) for part, value in parts)


def tuple_of(machine: WalkState, pattern: TupleOf, value: Value, frame: Activation, found: Parts) -> bool:
    """The tuple of all defaults is nil in memory."""
    if value is None:
        elements = [default_value(frame.bindings.of(type)) for type in pattern.type.arguments]
    else:
        assert isinstance(value, ClassInstance)
        elements = value.fields
    return all_parts(machine, pattern.parts, elements, frame, found)


def variant_of(machine: WalkState, pattern: VariantOf, value: Value, frame: Activation, found: Parts) -> bool:
    variant = pattern.variant
    if variant.made is None:
        return value is None if variant.is_nil else value == variant.index
    if value is None:
        if not variant.owner.nil_is_value:
            raise Trapped(Trap.NIL)
        return False
    assert isinstance(value, ClassInstance)
    tag, *data = value.fields
    return tag == variant.index and all_parts(machine, pattern.parts, data, frame, found)


def equal(machine: WalkState, pattern: Equal, value: Value, frame: Activation, found: Parts) -> bool:
    wanted = pattern.value
    if isinstance(wanted, NilConstant):
        return value is None
    if isinstance(wanted, TextConstant):
        return isinstance(value, Str) and value.data == wanted.value.encode()
    return value == wanted.value


def between(machine: WalkState, pattern: Between, value: Value, frame: Activation, found: Parts) -> bool:
    assert isinstance(value, int)
    return pattern.low <= value <= pattern.high


def instance_of(
    machine: WalkState, pattern: InstanceOf, value: Value, frame: Activation, found: Parts
) -> bool:
    if value is None:
        return False
    assert isinstance(value, ClassInstance | Str | Array)
    return machine.classes.is_instance(value.type, frame.bindings.class_of(pattern.target))


def field_of(machine: WalkState, pattern: FieldOf, value: Value, frame: Activation, found: Parts) -> bool:
    if value is None:
        return False
    assert isinstance(value, ClassInstance)
    if not machine.classes.is_instance(value.type, frame.bindings.class_of(pattern.type)):
        return False
    inner = value.fields[machine.classes.slot(pattern.field)]
    return match(machine, pattern.pattern, inner, frame, found)


MATCHERS: Final[dict[type, Callable[[WalkState, Any, Value, Activation, Parts], bool]]] = {
    AnyValue: any_value,
    Bound: bound,
    OneOf: one_of,
    TupleOf: tuple_of,
    VariantOf: variant_of,
    Equal: equal,
    Between: between,
    InstanceOf: instance_of,
    FieldOf: field_of,
}
