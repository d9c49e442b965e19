"""Closures for `Compute`: arithmetic with its operands bound.

    binary(int.plus, 2, 2, 5)        r[2] = r[2] + r[5], wrapped
    with_constant(int.plus, 2, 2, 1) r[2] = r[2] + 1, wrapped

What programs do most has closures of its own, which say in one expression what the row's meaning says;
everything else calls the meaning.  A test compares the two.  Most results are small, which CPython finds out
much faster than it wraps a number, so that is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from doralang.types.arithmetic import divide, divide_double, remainder, wrap_int, wrap_long
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.vm.code import Op, Registers

Wrap = Callable[[int], int]
Binary = Callable[[int, int, int], Op]
"""(dst, left, right) to the closure"""
WithConstant = Callable[[int, int, Any], Op]
"""(dst, left, constant) to the closure"""


# Any operation.


def unary(primitive: Primitive, dst: int, operand: int) -> Op:
    meaning = primitive.meaning
    if primitive in UNCHANGED:
        return move(dst, operand)

    def op(r: Registers) -> None:
        r[dst] = meaning(r[operand])

    return op


def binary(primitive: Primitive, dst: int, left: int, right: int) -> Op:
    make = BINARY.get(primitive)
    if make is not None:
        return make(dst, left, right)
    meaning = primitive.meaning

    def op(r: Registers) -> None:
        r[dst] = meaning(r[left], r[right])

    return op


def with_constant(primitive: Primitive, dst: int, left: int, constant: Any) -> Op:
    make = WITH_CONSTANT.get(primitive)
    if make is not None:
        return make(dst, left, constant)
    meaning = primitive.meaning

    def op(r: Registers) -> None:
        r[dst] = meaning(r[left], constant)

    return op


def move(dst: int, src: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[src]

    return op


UNCHANGED: Final = frozenset(
    PRIMITIVES[name]
    for name in (
        "byte.toInt",
        "byte.toLong",
        "char.toLong",
        "int.toLong",
        "float.toDouble",
        "int.unaryPlus",
        "long.unaryPlus",
        "float.unaryPlus",
        "double.unaryPlus",
    )
)
"""operations whose result is the operand, as Python has them"""


# Integers; `wrap` is that of the type.


def plus(wrap: Wrap) -> Binary:
    def make(dst: int, left: int, right: int) -> Op:
        def op(r: Registers) -> None:
            value = r[left] + r[right]
            r[dst] = value if -0x3FFF_FFFF <= value <= 0x3FFF_FFFF else wrap(value)

        return op

    return make


def plus_constant(wrap: Wrap) -> WithConstant:
    def make(dst: int, left: int, constant: int) -> Op:
        def op(r: Registers) -> None:
            value = r[left] + constant
            r[dst] = value if -0x3FFF_FFFF <= value <= 0x3FFF_FFFF else wrap(value)

        return op

    return make


def minus(wrap: Wrap) -> Binary:
    def make(dst: int, left: int, right: int) -> Op:
        def op(r: Registers) -> None:
            value = r[left] - r[right]
            r[dst] = value if -0x3FFF_FFFF <= value <= 0x3FFF_FFFF else wrap(value)

        return op

    return make


def minus_constant(wrap: Wrap) -> WithConstant:
    def make(dst: int, left: int, constant: int) -> Op:
        return plus_constant(wrap)(dst, left, -constant)

    return make


def times(wrap: Wrap) -> Binary:
    def make(dst: int, left: int, right: int) -> Op:
        def op(r: Registers) -> None:
            value = r[left] * r[right]
            r[dst] = value if -0x3FFF_FFFF <= value <= 0x3FFF_FFFF else wrap(value)

        return op

    return make


def times_constant(wrap: Wrap) -> WithConstant:
    def make(dst: int, left: int, constant: int) -> Op:
        def op(r: Registers) -> None:
            value = r[left] * constant
            r[dst] = value if -0x3FFF_FFFF <= value <= 0x3FFF_FFFF else wrap(value)

        return op

    return make


def divided(wrap: Wrap) -> Binary:
    """Python rounds down, Dora towards zero: the same if nothing is negative."""

    def make(dst: int, left: int, right: int) -> Op:
        def op(r: Registers) -> None:
            dividend, divisor = r[left], r[right]
            r[dst] = dividend // divisor if dividend >= 0 and divisor > 0 else wrap(divide(dividend, divisor))

        return op

    return make


def divided_by_constant(wrap: Wrap) -> WithConstant:
    def make(dst: int, left: int, constant: int) -> Op:
        def op(r: Registers) -> None:
            dividend = r[left]
            r[dst] = dividend // constant if dividend >= 0 else wrap(divide(dividend, constant))

        def rarely(r: Registers) -> None:
            r[dst] = wrap(divide(r[left], constant))

        return op if constant > 0 else rarely

    return make


def remaining(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        dividend, divisor = r[left], r[right]
        r[dst] = dividend % divisor if dividend >= 0 and divisor > 0 else remainder(dividend, divisor)

    return op


def remaining_by_constant(dst: int, left: int, constant: int) -> Op:
    def op(r: Registers) -> None:
        dividend = r[left]
        r[dst] = dividend % constant if dividend >= 0 else remainder(dividend, constant)

    def rarely(r: Registers) -> None:
        r[dst] = remainder(r[left], constant)

    return op if constant > 0 else rarely


def masked(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] & r[right]

    return op


def masked_by_constant(dst: int, left: int, constant: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] & constant

    return op


def shifted_right(bits: int) -> Binary:
    mask = bits - 1

    def make(dst: int, left: int, right: int) -> Op:
        def op(r: Registers) -> None:
            r[dst] = r[left] >> (r[right] & mask)

        return op

    return make


# `double`, whose numbers are Python's.


def double_plus(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] + r[right]

    return op


def double_minus(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] - r[right]

    return op


def double_times(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] * r[right]

    return op


def double_divided(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        divisor = r[right]
        r[dst] = r[left] / divisor if divisor else divide_double(r[left], divisor)

    return op


def rows(kind: str, wrap: Wrap, bits: int) -> dict[str, Binary]:
    return {
        f"{kind}.plus": plus(wrap),
        f"{kind}.minus": minus(wrap),
        f"{kind}.times": times(wrap),
        f"{kind}.div": divided(wrap),
        f"{kind}.mod": remaining,
        f"{kind}.bitwiseAnd": masked,
        f"{kind}.shiftRight": shifted_right(bits),
    }


def rows_with_constant(kind: str, wrap: Wrap) -> dict[str, WithConstant]:
    return {
        f"{kind}.plus": plus_constant(wrap),
        f"{kind}.minus": minus_constant(wrap),
        f"{kind}.times": times_constant(wrap),
        f"{kind}.div": divided_by_constant(wrap),
        f"{kind}.mod": remaining_by_constant,
        f"{kind}.bitwiseAnd": masked_by_constant,
    }


BY_NAME: Final[dict[str, Binary]] = {
    **rows("int", wrap_int, 32),
    **rows("long", wrap_long, 64),
    "double.plus": double_plus,
    "double.minus": double_minus,
    "double.times": double_times,
    "double.div": double_divided,
}
BY_NAME_WITH_CONSTANT: Final[dict[str, WithConstant]] = {
    **rows_with_constant("int", wrap_int),
    **rows_with_constant("long", wrap_long),
}
BINARY: Final = {PRIMITIVES[name]: make for name, make in BY_NAME.items()}
WITH_CONSTANT: Final = {PRIMITIVES[name]: make for name, make in BY_NAME_WITH_CONSTANT.items()}
