"""Closures for arrays.

An access that goes wrong is found out in this order: nil, then the index.  Python finds both out by
itself, except for negative indexes, which it takes for places counted from the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doralang.bytecode.entities import ClassRef
from doralang.interpreter.objects import BUFFERS, HEADER_SIZE, REFERENCE_SIZE, Array, Items, Value
from doralang.types.failures import Trapped
from doralang.types.kinds import Kind
from doralang.types.traps import Trap
from doralang.types.types import PRIMITIVE_TYPES
from doralang.vm.code import Op, Registers
from doralang.vm.objects import DEFAULTS

Fill = Callable[[Value, int], Items]


def wrong_access(array: Array | None) -> Trapped:
    return Trapped(Trap.NIL if array is None else Trap.INDEX)


# Making them.


def filler(kind: Kind) -> Fill:
    """What holds elements of a kind, made of a value and a length."""
    return repeated if kind is Kind.REF else BUFFERS[kind]


def repeated(value: Value, length: int) -> Items:
    return [value] * length


def new_array(dst: int, cls: ClassRef, length: int, most_bytes: int) -> Op:
    """`most_bytes` is the size of the heap."""
    assert cls.element is not None, "the class is an array's"
    fill, default = filler(cls.element), DEFAULTS[cls.element]
    most = (most_bytes - HEADER_SIZE) // element_size(cls.element)

    def op(r: Registers) -> None:
        count = r[length]
        if not 0 <= count <= most:
            raise Trapped(Trap.MEMORY)
        r[dst] = Array(cls, fill(default, count))

    return op


def element_size(kind: Kind) -> int:
    return REFERENCE_SIZE if kind is Kind.REF else PRIMITIVE_TYPES[kind.value].size


def fill_array(array: int, value: int, kind: Kind) -> Op:
    """The array is new, so nobody notices that it gets another buffer."""
    fill = filler(kind)

    def op(r: Registers) -> None:
        target = r[array]
        target.items = fill(r[value], len(target.items))

    return op


# Elements.


def array_length(dst: int, array: int) -> Op:
    def op(r: Registers) -> None:
        try:
            r[dst] = len(r[array].items)
        except AttributeError:
            raise Trapped(Trap.NIL) from None

    return op


def load_element(dst: int, array: int, index: int) -> Op:
    def op(r: Registers) -> None:
        at = r[index]
        try:
            if at >= 0:
                r[dst] = r[array].items[at]
                return
        except (AttributeError, IndexError):
            pass
        raise wrong_access(r[array])

    return op


def load_element_constant(dst: int, array: int, index: int) -> Op:
    """`index` is the index itself."""

    def op(r: Registers) -> None:
        try:
            r[dst] = r[array].items[index]
        except (AttributeError, IndexError):
            raise wrong_access(r[array]) from None

    def never(r: Registers) -> None:
        raise wrong_access(r[array])

    return op if index >= 0 else never


def store_element(array: int, index: int, value: int) -> Op:
    def op(r: Registers) -> None:
        at = r[index]
        try:
            if at >= 0:
                r[array].items[at] = r[value]
                return
        except (AttributeError, IndexError):
            pass
        raise wrong_access(r[array])

    return op


_read_flag: Final = bytearray.__getitem__


def load_flag(dst: int, array: int, index: int) -> Op:
    """An element of an `Array<bool>`: as its buffer has it, without the way through Python code."""

    def op(r: Registers) -> None:
        at = r[index]
        try:
            if at >= 0:
                r[dst] = _read_flag(r[array].items, at) != 0
                return
        except (AttributeError, IndexError):
            pass
        raise wrong_access(r[array])

    return op
