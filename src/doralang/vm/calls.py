"""Closures for calls.

    Call r3, total, (r0, r1)    ->    def op(r): r[3] = run(code, [r[0], r[1]])

Nothing between two calls of the program goes through C (`f(*arguments)`, `map`, …), so calls need no C
stack: from 3.11 on CPython runs calls from Python function to Python function in one and the same loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from doralang.bytecode.entities import ClassRef, FunctionRef
from doralang.interpreter.context import HostContext
from doralang.interpreter.objects import Value
from doralang.types.failures import Trapped
from doralang.types.traps import Trap
from doralang.vm.code import ClosureCode, Op, Registers, run


def call(dst: int, code: ClosureCode, arguments: Sequence[int]) -> Op:
    if len(arguments) == 1:
        return call_1(dst, code, arguments[0])
    if len(arguments) == 2:
        return call_2(dst, code, *arguments)
    if len(arguments) == 3:
        return call_3(dst, code, *arguments)

    if not arguments:
        return call_0(dst, code)
    take = itemgetter(*arguments)

    def op(r: Registers) -> None:
        r[dst] = run(code, [*take(r)])

    return op


def call_0(dst: int, code: ClosureCode) -> Op:
    def op(r: Registers) -> None:
        r[dst] = run(code, [])

    return op


def call_1(dst: int, code: ClosureCode, first: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = run(code, [r[first]])

    return op


def call_2(dst: int, code: ClosureCode, first: int, second: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = run(code, [r[first], r[second]])

    return op


def call_3(dst: int, code: ClosureCode, first: int, second: int, third: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = run(code, [r[first], r[second], r[third]])

    return op


# Virtual calls.


class Targets(dict[ClassRef, ClosureCode]):
    """For each class of receivers that a call has met, what it calls.

    A class that is not there yet is asked for its method, so this is a dictionary that fills itself.
    """

    def __init__(self, slot: int, code_of: Callable[[FunctionRef], ClosureCode]) -> None:
        super().__init__()
        self.slot = slot
        self.code_of = code_of

    def __missing__(self, cls: ClassRef) -> ClosureCode:
        code = self[cls] = self.code_of(cls.methods[self.slot])
        return code


def call_virtual(dst: int, targets: Targets, arguments: Sequence[int]) -> Op:
    if len(arguments) == 1:
        return call_virtual_1(dst, targets, arguments[0])
    if len(arguments) == 2:
        return call_virtual_2(dst, targets, *arguments)
    receiver, take = arguments[0], itemgetter(*arguments)

    def op(r: Registers) -> None:
        try:
            code = targets[r[receiver].type]
        except AttributeError:
            raise Trapped(Trap.NIL) from None
        r[dst] = run(code, [*take(r)])

    return op


def call_virtual_1(dst: int, targets: Targets, receiver: int) -> Op:
    def op(r: Registers) -> None:
        object = r[receiver]
        try:
            code = targets[object.type]
        except AttributeError:
            raise Trapped(Trap.NIL) from None
        r[dst] = run(code, [object])

    return op


def call_virtual_2(dst: int, targets: Targets, receiver: int, argument: int) -> Op:
    def op(r: Registers) -> None:
        object = r[receiver]
        try:
            code = targets[object.type]
        except AttributeError:
            raise Trapped(Trap.NIL) from None
        r[dst] = run(code, [object, r[argument]])

    return op


# Internal functions.

Meaning = Callable[..., Value]


def call_internal(dst: int, meaning: Meaning, context: HostContext, arguments: Sequence[int]) -> Op:
    if len(arguments) == 1:
        return call_internal_1(dst, meaning, context, arguments[0])
    if len(arguments) == 2:
        return call_internal_2(dst, meaning, context, *arguments)

    def op(r: Registers) -> None:
        r[dst] = meaning(context, *[r[argument] for argument in arguments])

    return op


def call_internal_1(dst: int, meaning: Meaning, context: HostContext, first: int) -> Op:
    """Calls by name are among these, and must not go through C."""

    def op(r: Registers) -> None:
        r[dst] = meaning(context, r[first])

    return op


def call_internal_2(dst: int, meaning: Meaning, context: HostContext, first: int, second: int) -> Op:
    def op(r: Registers) -> None:
        r[dst] = meaning(context, r[first], r[second])

    return op


def with_receiver(meaning: Meaning) -> Meaning:
    """The meaning of a method, behind a check of its receiver."""

    def checked(context: HostContext, receiver: Value, *arguments: Any) -> Value:
        if receiver is None:
            raise Trapped(Trap.NIL)
        return meaning(context, receiver, *arguments)

    return checked
