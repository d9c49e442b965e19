"""Closures for objects and their fields, globals, and questions about classes.

That an object is nil costs nothing to find out: Python says so, since None has no fields.
"""

from __future__ import annotations

from typing import Final

from doralang.bytecode.entities import ClassRef
from doralang.interpreter.objects import ClassInstance, Value
from doralang.types.failures import Trapped
from doralang.types.kinds import Kind
from doralang.types.traps import Trap
from doralang.vm.code import Op, Registers

DEFAULTS: Final[dict[Kind, Value]] = {
    Kind.BOOL: False,
    Kind.BYTE: 0,
    Kind.CHAR: 0,
    Kind.INT: 0,
    Kind.LONG: 0,
    Kind.FLOAT: 0.0,
    Kind.DOUBLE: 0.0,
    Kind.REF: None,
}


def load_constant(dst: int, value: Value) -> Op:
    def op(r: Registers) -> None:
        r[dst] = value

    return op


def same(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] is r[right]

    return op


def new_object(dst: int, cls: ClassRef) -> Op:
    """The fields are copied from those of a new object that nobody sees."""
    defaults = [DEFAULTS[field.kind] for field in cls.fields]
    copy = defaults.copy

    def op(r: Registers) -> None:
        r[dst] = ClassInstance(cls, copy())

    return op


# Fields.


def load_field(dst: int, object: int, index: int) -> Op:
    def op(r: Registers) -> None:
        try:
            r[dst] = r[object].fields[index]
        except AttributeError:
            raise Trapped(Trap.NIL) from None

    return op


def store_field(object: int, index: int, value: int) -> Op:
    def op(r: Registers) -> None:
        try:
            r[object].fields[index] = r[value]
        except AttributeError:
            raise Trapped(Trap.NIL) from None

    return op


def store_field_constant(object: int, index: int, value: Value) -> Op:
    def op(r: Registers) -> None:
        try:
            r[object].fields[index] = value
        except AttributeError:
            raise Trapped(Trap.NIL) from None

    return op


# Globals.


def load_global(dst: int, globals: list[Value], index: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = globals[index]

    return op


def store_global(globals: list[Value], index: int, value: int) -> Op:
    def op(r: Registers) -> None:
        globals[index] = r[value]

    return op


# Classes.  A class extends another exactly if that one stands in its display, at its own depth.


def extends(cls: ClassRef, other: ClassRef, depth: int) -> bool:
    display = cls.display
    return depth < len(display) and display[depth] is other


def is_instance(dst: int, object: int, cls: ClassRef) -> Op:
    depth = cls.depth

    def op(r: Registers) -> None:
        value = r[object]
        r[dst] = value is not None and (value.type is cls or extends(value.type, cls, depth))

    return op


def check_cast(dst: int, object: int, cls: ClassRef) -> Op:
    depth = cls.depth

    def op(r: Registers) -> None:
        value = r[object]
        if value is not None and value.type is not cls and not extends(value.type, cls, depth):
            raise Trapped(Trap.CAST)
        r[dst] = value

    return op


def check_nil(object: int) -> Op:
    def op(r: Registers) -> None:
        if r[object] is None:
            raise Trapped(Trap.NIL)

    return op
