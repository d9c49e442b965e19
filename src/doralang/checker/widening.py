"""Numbers of different types that meet in a formula (reference 1.5).

    n * 1.5     with n: int     ->      double.times(int.toDouble(n), 1.5)

Of two whole numbers the wider type is that of both; any other two are doubles.  A plain whole number that
meets a whole one in a comparison or as an argument is of its type, so nothing is lost.
"""

from __future__ import annotations

from typing import Final

from doralang.checker.body import Operand, Waiting
from doralang.checker.exact import Exact
from doralang.checker.program import Compute, Constant, TypedExpression
from doralang.types.primitives import PRIMITIVES
from doralang.types.types import BYTE, DOUBLE, FLOAT, INT, LONG, PrimitiveType, Type

WHOLE: Final[tuple[Type, ...]] = (BYTE, INT, LONG)
NUMERIC: Final[tuple[Type, ...]] = (*WHOLE, FLOAT, DOUBLE)
RANGES: Final[dict[Type, range]] = {
    BYTE: range(256),
    INT: range(-(1 << 31), 1 << 31),
    LONG: range(-(1 << 63), 1 << 63),
}
STEPS: Final[dict[tuple[Type, Type], tuple[str, ...]]] = {
    (BYTE, INT): ("byte.toInt",),
    (BYTE, LONG): ("byte.toLong",),
    (BYTE, DOUBLE): ("byte.toInt", "int.toDouble"),
    (INT, LONG): ("int.toLong",),
    (INT, DOUBLE): ("int.toDouble",),
    (LONG, DOUBLE): ("long.toDouble",),
    (FLOAT, DOUBLE): ("float.toDouble",),
}
"""the primitives that make a number one of a wider type"""
RESULTS: Final[dict[str, PrimitiveType]] = {
    name: {"Int": INT, "Long": LONG, "Double": DOUBLE}[name.partition(".to")[2]]
    for names in STEPS.values()
    for name in names
}


def type_of(operand: Operand) -> Type | None:
    """The type, which plain numbers have as well; None while it is not known."""
    if isinstance(operand, Exact):
        return DOUBLE
    return None if isinstance(operand, Waiting) else operand.type


def common(types: list[Type]) -> Type:
    """The type in which numbers of these types meet."""
    if all(type in WHOLE for type in types):
        return max(types, key=WHOLE.index)
    return FLOAT if all(type is FLOAT for type in types) else DOUBLE


def widened(value: TypedExpression, wanted: Type) -> TypedExpression:
    """The value as one of this type, if it is a number of a narrower one."""
    names = STEPS.get((value.type, wanted), ())
    if names and isinstance(value, Constant) and isinstance(wanted, PrimitiveType):
        number = float(value.value) if wanted is DOUBLE else value.value
        return Constant(value.span, wanted, number)
    for name in names:
        value = Compute(value.span, RESULTS[name], PRIMITIVES[name], [value])
    return value


def as_whole(operand: Operand, wanted: Type | None) -> Operand:
    """A plain whole number as one of the type that it meets, if that has it."""
    if not isinstance(operand, Exact) or operand.denominator != 1:
        return operand
    if not isinstance(wanted, PrimitiveType) or operand.numerator not in RANGES.get(wanted, ()):
        return operand
    return Constant(operand.span, wanted, operand.numerator)
