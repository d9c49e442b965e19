"""Formulas with whole numbers and floats that give the same if all is computed in doubles.

    n: int, x: double           n * x + 1       the same: each number is a double where it meets one
    n: int, m: int              n * m           not: the product of two ints is an int, which wraps around
    n: int                      n > 3           the same: a double holds every int
    n: long                     n > 3           not: a long meets a whole number as a long

So such a formula can have a kernel of packed code, whose inputs are made doubles when they are gathered.
What is not known to be the same is not; the rules are those of the reference (1.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doralang.types.kinds import BOOL, DOUBLE, FLOAT, FLOATING, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doralang.machine.x64.doubles import Node

SELECTING: Final = ("min", "max", "clamp")
"""functions that give one of their arguments"""


class Different(Exception):
    """In doubles something else might come out."""


def kind_in_doubles(node: Node, kinds: Sequence[Kind]) -> Kind:
    """The kind of a value, for variables of these kinds, if doubles give the same.  Raises Different."""
    kind = node[0]
    if kind == "variable":
        return variable(kinds[node[1]])
    if kind == "number":
        return DOUBLE
    if kind == "negate":
        return only_floating(kind_in_doubles(node[1], kinds))
    if kind == "binary":
        return product(node, kinds)
    if kind == "choice":
        truth(node[1], kinds)
        return met(kind_in_doubles(node[2], kinds), kind_in_doubles(node[3], kinds))
    if kind == "function":
        return function(node, kinds)
    truth(node, kinds)
    return BOOL


def variable(kind: Kind) -> Kind:
    if kind not in (INT, LONG, FLOAT, DOUBLE):
        raise Different
    return kind


def only_floating(kind: Kind) -> Kind:
    """Of an operation on the sign, which is exact."""
    if kind not in FLOATING:
        raise Different
    return kind


def met(left: Kind, right: Kind) -> Kind:
    """The kind in which two values meet."""
    if left is right:
        return left
    return LONG if {left, right} == {INT, LONG} else DOUBLE


def product(node: Node, kinds: Sequence[Kind]) -> Kind:
    """Chains of operations to the left need no recursion."""
    chain = []
    while node[0] == "binary":
        chain.append((node[1], node[3]))
        node = node[2]
    found = kind_in_doubles(node, kinds)
    for operator, right in reversed(chain):
        other = kind_in_doubles(right, kinds)
        is_whole_division = operator == "/" and {found, other} <= {INT, LONG}
        if met(found, other) is not DOUBLE and not is_whole_division:
            raise Different
        found = DOUBLE
    return found


def function(node: Node, kinds: Sequence[Kind]) -> Kind:
    name, arguments = node[1], [kind_in_doubles(argument, kinds) for argument in node[2]]
    if name in SELECTING:
        found = arguments[0]
        for other in arguments[1:]:
            found = met(found, other)
        return found
    if name == "abs":
        return only_floating(arguments[0])
    if any(argument is not DOUBLE for argument in arguments):
        raise Different
    return DOUBLE


def truth(node: Node, kinds: Sequence[Kind]) -> None:
    """Raises Different if a condition might be another in doubles."""
    if node[0] != "compare":
        for part in node[1:]:
            truth(part, kinds)
        return
    left, right = (kind_in_doubles(side, kinds) for side in node[2:])
    has_long = LONG in (left, right)
    beside_number = has_long and any(side[0] == "number" for side in node[2:])
    if beside_number or (has_long and met(left, right) is LONG):
        raise Different
