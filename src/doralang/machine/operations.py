"""The operations and conditions that a macro assembler knows, by name."""

from __future__ import annotations

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class BinaryOperation(IntEnum):
    """Integer operations of two operands.  Shifts use the low 5 bits (6 for 64 bits) of the count."""

    ADD = 0
    SUB = 1
    MUL = 2
    AND = 3
    OR = 4
    XOR = 5
    SHIFT_LEFT = 6
    SHIFT_RIGHT = 7
    UNSIGNED_SHIFT_RIGHT = 8


class FloatBinary(IntEnum):
    """Operations of two floats."""

    ADD = 0
    SUB = 1
    MUL = 2
    DIV = 3


class Rounding(IntEnum):
    """Direction in which `float_round` goes to a whole number."""

    DOWN = 0
    UP = 1
    TOWARDS_ZERO = 2


class Condition(IntEnum):
    """How integers compare; `BELOW` and `ABOVE` are unsigned.  `negated` has the opposites."""

    EQUAL = 0
    NOT_EQUAL = 1
    LESS = 2
    GREATER_EQUAL = 3
    LESS_EQUAL = 4
    GREATER = 5
    BELOW = 6
    ABOVE_EQUAL = 7
    BELOW_EQUAL = 8
    ABOVE = 9


# What emits code all the time takes the conditions from here: reaching them through their class is slow.
EQUAL, NOT_EQUAL, LESS, GREATER_EQUAL, LESS_EQUAL, GREATER, BELOW, ABOVE_EQUAL, BELOW_EQUAL, ABOVE = Condition


class FloatCondition(IntEnum):
    """How floats compare.  With a NaN, `EQUAL` to `GREATER_EQUAL` are false, the others true.

    `NOT_LESS` and so on are what a branch around the code for "if a < b" needs.
    """

    EQUAL = 0
    NOT_EQUAL = 1
    LESS = 2
    NOT_LESS = 3
    LESS_EQUAL = 4
    NOT_LESS_EQUAL = 5
    GREATER = 6
    NOT_GREATER = 7
    GREATER_EQUAL = 8
    NOT_GREATER_EQUAL = 9


OPPOSITES: Final = tuple(Condition(condition ^ 1) for condition in Condition)
FLOAT_OPPOSITES: Final = tuple(FloatCondition(condition ^ 1) for condition in FloatCondition)


def negated(condition: Condition) -> Condition:
    """The condition that holds exactly if this one does not.  Opposites are neighbours."""
    return OPPOSITES[condition]


def float_negated(condition: FloatCondition) -> FloatCondition:
    """The condition that holds exactly if this one does not, NaNs included."""
    return FLOAT_OPPOSITES[condition]


SWAPPED: Final[dict[Condition, Condition]] = {
    Condition.EQUAL: Condition.EQUAL,
    Condition.NOT_EQUAL: Condition.NOT_EQUAL,
    Condition.LESS: Condition.GREATER,
    Condition.GREATER_EQUAL: Condition.LESS_EQUAL,
    Condition.LESS_EQUAL: Condition.GREATER_EQUAL,
    Condition.GREATER: Condition.LESS,
    Condition.BELOW: Condition.ABOVE,
    Condition.ABOVE_EQUAL: Condition.BELOW_EQUAL,
    Condition.BELOW_EQUAL: Condition.ABOVE_EQUAL,
    Condition.ABOVE: Condition.BELOW,
}
"""The condition for `b ? a` that holds exactly if this one holds for `a ? b`."""
