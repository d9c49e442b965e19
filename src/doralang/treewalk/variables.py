"""Variables that lambdas share: what is in their slot is a cell, which leads to the value."""

from __future__ import annotations

from doralang.checker.program import Local
from doralang.interpreter.objects import ClassInstance, Value
from doralang.treewalk.frames import Activation
from doralang.treewalk.machine import WalkState


def content(cell: Value) -> Value:
    """The value of a shared variable."""
    assert isinstance(cell, ClassInstance)
    return cell.fields[0]


def change(frame: Activation, local: Local, value: Value) -> None:
    """Assign to a shared variable."""
    cell = frame.locals[local.index]
    assert isinstance(cell, ClassInstance)
    cell.fields[0] = value


def bind(machine: WalkState, frame: Activation, local: Local, value: Value) -> None:
    """Give a local its first value; a shared one is a new variable with each execution."""
    if local.shared:
        type = machine.program.library.classes["SharedCell"].of((frame.bindings.of(local.type),))
        value = ClassInstance(type, [value])
    frame.locals[local.index] = value
