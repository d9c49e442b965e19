"""What patterns mean: whether a value fits, and what its parts are then called."""

from __future__ import annotations

from doralang.checker.program import AnyValue, Bound, Local, Pattern, TupleOf
from doralang.interpreter.objects import ClassInstance, Value, default_value
from doralang.treewalk.frames import Frame
from doralang.treewalk.machine import WalkState

Parts = list[tuple[Local, Value]]
"""what the variables of a pattern get"""


def parts_of(machine: WalkState, pattern: Pattern, value: Value, frame: Frame) -> Parts:
    """The variables of a pattern that always fits, with the parts of the value."""
    found: Parts = []
    fits = match(machine, pattern, value, frame, found)
    assert fits, "this pattern always fits"
    return found


def match(machine: WalkState, pattern: Pattern, value: Value, frame: Frame, found: Parts) -> bool:
    """Whether a value fits a pattern; parts are tested from left to right, and only as far as needed."""
    if isinstance(pattern, AnyValue):
        return True
    if isinstance(pattern, Bound):
        found.append((pattern.local, value))
        return match(machine, pattern.pattern, value, frame, found)
    assert isinstance(pattern, TupleOf)
    return all(
        match(machine, part, element, frame, found)
        for part, element in zip(pattern.parts, elements(pattern, value, frame), strict=True)
    )


def elements(pattern: TupleOf, value: Value, frame: Frame) -> list[Value]:
    """The elements of a tuple, of which the one of all defaults is nil."""
    if value is None:
        return [default_value(frame.bindings.of(type)) for type in pattern.type.arguments]
    assert isinstance(value, ClassInstance)
    return value.fields
