"""Closures for comparisons, and for branches on them.

    Compute  r4:bool, int.less, (r3, r1)
    BranchIf r4, ->8                          ->    def end(r): return then if r[3] < r[1] else other

A branch that leaves a block on the result of a comparison, wanted by nobody else, is one closure with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from doralang.types.kinds import KINDS
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.vm.code import ClosureBlock, End, Op, Registers

Compare = Callable[[int, int, int], Op]
"""(dst, left, right)"""
Branch = Callable[[int, int, ClosureBlock, ClosureBlock], End]
"""(left, right, the block if it holds, the block if not)"""
BranchConstant = Callable[[int, Any, ClosureBlock, ClosureBlock], End]
"""the same with a constant on the right"""


# Values.


def equals(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] == r[right]

    return op


def not_equals(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] != r[right]

    return op


def less(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] < r[right]

    return op


def less_equals(dst: int, left: int, right: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = r[left] <= r[right]

    return op


def greater(dst: int, left: int, right: int) -> Op:
    return less(dst, right, left)


def greater_equals(dst: int, left: int, right: int) -> Op:
    return less_equals(dst, right, left)


# Branches on two registers.


def branch_equals(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] == r[right] else other

    return end


def branch_not_equals(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    return branch_equals(left, right, other, then)


def branch_less(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] < r[right] else other

    return end


def branch_less_equals(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] <= r[right] else other

    return end


def branch_greater(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    return branch_less(right, left, then, other)


def branch_greater_equals(left: int, right: int, then: ClosureBlock, other: ClosureBlock) -> End:
    return branch_less_equals(right, left, then, other)


# Branches on a register and a constant.


def branch_equals_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] == constant else other

    return end


def branch_not_equals_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    return branch_equals_constant(left, constant, other, then)


def branch_less_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] < constant else other

    return end


def branch_less_equals_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] <= constant else other

    return end


def branch_greater_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] > constant else other

    return end


def branch_greater_equals_constant(left: int, constant: Any, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[left] >= constant else other

    return end


VALUES: Final[dict[str, Compare]] = {
    "equals": equals,
    "notEquals": not_equals,
    "less": less,
    "lessEquals": less_equals,
    "greater": greater,
    "greaterEquals": greater_equals,
}
BRANCHES: Final[dict[str, tuple[Branch, BranchConstant]]] = {
    "equals": (branch_equals, branch_equals_constant),
    "notEquals": (branch_not_equals, branch_not_equals_constant),
    "less": (branch_less, branch_less_constant),
    "lessEquals": (branch_less_equals, branch_less_equals_constant),
    "greater": (branch_greater, branch_greater_constant),
    "greaterEquals": (branch_greater_equals, branch_greater_equals_constant),
}


def comparisons(name: str) -> list[Primitive]:
    """The rows of a comparison for all types that have it."""
    rows = [PRIMITIVES.get(f"{kind.value}.{name}") for kind in KINDS.values()]
    return [row for row in rows if row is not None]


COMPARISONS: Final = {row: make for name, make in VALUES.items() for row in comparisons(name)}
COMPARING_BRANCHES: Final = {row: makers for name, makers in BRANCHES.items() for row in comparisons(name)}
