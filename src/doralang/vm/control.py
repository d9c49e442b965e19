"""Closures that end a block, and those for exceptions.

The pending exception is in a list that is empty as long as there is none.
"""

from __future__ import annotations

from doralang.interpreter.objects import Value
from doralang.types.failures import Trapped
from doralang.types.traps import Trap
from doralang.vm.code import ClosureBlock, End, Op, Registers

Pending = list[Value]


def goto(block: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return block

    return end


def branch(condition: int, then: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return then if r[condition] else other

    return end


def give(value: int) -> End:
    def end(r: Registers) -> None:
        r[0] = r[value]

    return end


def give_first(r: Registers) -> None:
    """The result stands where it belongs already, or there is none."""


def give_constant(value: Value) -> End:
    def end(r: Registers) -> None:
        r[0] = value

    return end


def trap(kind: Trap) -> End:
    def end(r: Registers) -> None:
        raise Trapped(kind)

    return end


# Exceptions.


def check_exception(pending: Pending, handler: ClosureBlock, other: ClosureBlock) -> End:
    def end(r: Registers) -> ClosureBlock:
        return handler if pending else other

    return end


def take_exception(dst: int, pending: Pending) -> Op:
    def op(r: Registers) -> None:
        r[dst] = pending.pop()

    return op


def set_exception(pending: Pending, value: int) -> Op:
    def op(r: Registers) -> None:
        exception = r[value]
        if exception is None:
            raise Trapped(Trap.NIL)
        pending.append(exception)

    return op
