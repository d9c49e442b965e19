"""Counted loops: `for i in range(a, b)` needs no objects.

    let it = range(a, b).makeIterator();          current = a; upper = b
    while it.hasNext() {                    ->    while current < upper {
      let i = it.next(); …                          i = current; current = current + 1; …

The iterator is a temporary that only the loop knows, so nobody can tell.  `current` stands where the iterator
would, and `Body.counters` has `upper`.
"""

from __future__ import annotations

from typing import NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import Register
from doralang.checker import program as typed
from doralang.checker.program import TypedExpression
from doralang.lower.body import BodyLowering
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES


class CountedLoop(NamedTuple):
    """A loop over numbers."""

    iterator: typed.Local
    lower: TypedExpression
    upper: TypedExpression
    loop: typed.While


def counted_loop(body: BodyLowering, node: typed.Block) -> CountedLoop | None:
    """What the block of a `for` counts, if it is a loop over a range made on the spot."""
    match node.statements:
        case [
            typed.Let(local=local, value=typed.Call(arguments=[typed.Call() as range]) as make),
            typed.While() as loop,
        ]:
            library = body.specializer.program.library
            if (
                loop.iterator is local
                and make.target.function is library.classes["IntRange"].methods["makeIterator"]
                and range.target.function is library.functions["range"]
            ):
                lower, upper = range.arguments
                return CountedLoop(local, lower, upper, loop)
    return None


def count(body: BodyLowering, counted: CountedLoop) -> None:
    current, upper = body.builder.register(Kind.INT), body.builder.register(Kind.INT)
    body.value(counted.lower, current)
    body.value(counted.upper, upper)
    body.locals[counted.iterator.index] = current
    body.counters[counted.iterator.index] = upper
    body.statement(counted.loop)


def counter_of(body: BodyLowering, receiver: TypedExpression) -> tuple[Register, Register] | None:
    """The two registers that stand for an iterator, if the receiver of a call is one."""
    if not isinstance(receiver, typed.GetLocal) or receiver.local.index not in body.counters:
        return None
    return body.locals[receiver.local.index], body.counters[receiver.local.index]


def call_of_counter(
    body: BodyLowering, node: typed.Call, counter: tuple[Register, Register], into: Register | None
) -> Register:
    """`hasNext` or `next`."""
    current, upper = counter
    if node.target.function.name == "hasNext":
        result = body.into(into, Kind.BOOL)
        body.emit(i.Compute(result, PRIMITIVES["int.less"], (current, upper)), node.span)
        return result
    result = body.into(into, Kind.INT)
    body.emit(i.Move(result, current), node.span)
    one = body.constant(Kind.INT, 1, node.span)
    body.emit(i.Compute(current, PRIMITIVES["int.plus"], (current, one)), node.span)
    body.done(one)
    return result
