"""Counted loops: a `for` over numbers or elements needs no iterator.

    let it = range(a, b).makeIterator();          at = a; upper = b
    while it.hasNext() {                    ->    while at < upper {
      let i = it.next(); …                          i = at; at = at + 1; …

    let it = array.makeIterator();                elements = array; at = 0; length = elements.len()
    while it.hasNext() {                    ->    while at < length {
      let x = it.next(); …                          x = elements[at]; at = at + 1; …

A range that includes its last number ends there, not behind it, where there may be no number.  The length of
a `Vec` is read in each round; a slice has the address of its next element besides.  The iterator is a
temporary that only the loop knows, so nobody can tell.
`Body.counters` has what stands for it; the register of its local is `at`.
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FieldRef, FunctionRef
from doralang.bytecode.instructions import Register
from doralang.checker import program as typed
from doralang.checker.program import TypedExpression
from doralang.lower.body import BodyLowering, LoopCounter
from doralang.text.records import record
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES


@record
class Numbers:
    """Those of a range."""

    at: Register
    upper: Register

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None:
        less(body, into, self.at, self.upper, span)

    def next(self, body: BodyLowering, into: Register, span: Span) -> None:
        body.emit(i.Move(into, self.at), span)
        step(body, self.at, span)


@record
class ClosedNumbers:
    """Those of a range up to and including the last one, behind which there may be no number."""

    at: Register
    last: Register
    more: Register

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None:
        body.emit(i.Move(into, self.more), span)

    def next(self, body: BodyLowering, into: Register, span: Span) -> None:
        body.emit(i.Move(into, self.at), span)
        less(body, self.more, self.at, self.last, span)
        step(body, self.at, span)


@record
class Elements:
    """Those of an array."""

    elements: Register
    at: Register
    length: Register

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None:
        less(body, into, self.at, self.length, span)

    def next(self, body: BodyLowering, into: Register, span: Span) -> None:
        body.emit(i.LoadElement(into, self.elements, self.at), span)
        step(body, self.at, span)


@record
class Listed:
    """The elements of a `Vec`, with its fields."""

    list: Register
    at: Register
    size: FieldRef
    items: FieldRef

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None:
        size = body.temporary(Kind.INT)
        body.emit(i.LoadField(size, self.list, self.size), span)
        less(body, into, self.at, size, span)
        body.done(size)

    def next(self, body: BodyLowering, into: Register, span: Span) -> None:
        items = body.temporary(Kind.REF)
        body.emit(i.LoadField(items, self.list, self.items), span)
        body.emit(i.LoadElement(into, items, self.at), span)
        body.done(items)
        step(body, self.at, span)


@record
class Lent:
    """The elements of a slice, by their addresses.  How many there are is known where the loop begins: it is
    the same throughout a call."""

    elements: Register
    address: Register
    at: Register
    length: Register
    stride: Register
    element: FunctionRef

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None:
        less(body, into, self.at, self.length, span)

    def next(self, body: BodyLowering, into: Register, span: Span) -> None:
        place = self.address, self.elements, self.at
        body.emit(i.CallInternal(into, self.element, place), span)
        body.emit(i.Compute(self.address, PRIMITIVES["long.plus"], (self.address, self.stride)), span)
        step(body, self.at, span)


def less(body: BodyLowering, into: Register, left: Register, right: Register, span: Span) -> None:
    body.emit(i.Compute(into, PRIMITIVES["int.less"], (left, right)), span)


def step(body: BodyLowering, counter: Register, span: Span) -> None:
    one = body.constant(Kind.INT, 1, span)
    body.emit(i.Compute(counter, PRIMITIVES["int.plus"], (counter, one)), span)
    body.done(one)


def count(body: BodyLowering, node: typed.Block) -> bool:
    """Lower the block of a `for` if it needs no iterator; tells whether it did."""
    match node.statements:
        case [
            typed.Let(local=local, value=typed.Call(arguments=[looped]) as make),
            typed.While(iterator=iterator) as loop,
        ] if iterator is local:
            counter = counter_for(body, make, looped)
            if counter is not None:
                body.counters[local.index] = counter
                body.locals[local.index] = counter.at
                body.statement(loop)
                return True
    return False


def counter_for(body: BodyLowering, make: typed.Call, looped: TypedExpression) -> LoopCounter | None:
    """What stands for the iterator that a call makes, if that is `makeIterator` of a type known here."""
    library, function = body.specializer.program.library, make.target.function
    if function is library.classes["IntRange"].methods["makeIterator"]:
        return numbers(body, looped) if is_call(looped, library.functions["range"]) else None
    if function is library.classes["ClosedIntRange"].methods["makeIterator"]:
        return closed_numbers(body, looped) if isinstance(looped, typed.New) else None
    if function is library.classes["Array"].late["makeIterator"]:
        return elements(body, looped, make.span)
    if function is library.classes["Vec"].late["makeIterator"]:
        return listed(body, looped, make.span)
    if function is library.classes["LentElements"].late["makeIterator"]:
        return lent(body, looped, make.span)
    return None


def is_call(node: TypedExpression, function: typed.Function) -> bool:
    return isinstance(node, typed.Call) and node.target.function is function


def numbers(body: BodyLowering, range: TypedExpression) -> LoopCounter:
    assert isinstance(range, typed.Call)
    at, upper = body.builder.register(Kind.INT), body.builder.register(Kind.INT)
    body.value(range.arguments[0], at)
    body.value(range.arguments[1], upper)
    return Numbers(at, upper)


def closed_numbers(body: BodyLowering, range: typed.New) -> LoopCounter:
    at, last, more = (body.builder.register(kind) for kind in (Kind.INT, Kind.INT, Kind.BOOL))
    body.value(range.arguments[0], at)
    body.value(range.arguments[1], last)
    body.emit(i.Compute(more, PRIMITIVES["int.lessEquals"], (at, last)), range.span)
    return ClosedNumbers(at, last, more)


def elements(body: BodyLowering, array: TypedExpression, span: Span) -> LoopCounter:
    elements, at, length = (body.builder.register(kind) for kind in (Kind.REF, Kind.INT, Kind.INT))
    body.value(array, elements)
    body.emit(i.ArrayLength(length, elements), span)
    body.emit(i.LoadConstant(at, 0), span)
    return Elements(elements, at, length)


def listed(body: BodyLowering, vec: TypedExpression, span: Span) -> LoopCounter:
    list, at = body.builder.register(Kind.REF), body.builder.register(Kind.INT)
    body.value(vec, list)
    body.emit(i.CheckNil(list), span)
    body.emit(i.LoadConstant(at, 0), span)
    type, fields = body.class_type(vec.type), body.specializer.program.library.classes["Vec"].fields
    size, items = (body.specializer.field_ref(type, fields[name]) for name in ("size", "items"))
    return Listed(list, at, size, items)


def lent(body: BodyLowering, slice: TypedExpression, span: Span) -> LoopCounter:
    kinds = (Kind.REF, Kind.LONG, Kind.INT, Kind.INT, Kind.LONG)
    object, address, at, length, stride = (body.builder.register(kind) for kind in kinds)
    body.value(slice, object)
    type, specializer = body.class_type(slice.type), body.specializer
    library = specializer.program.library
    head, arguments = library.classes["LentElements"], type.arguments
    count = specializer.function_ref(head.methods["len"], arguments)
    body.emit(i.CallInternal(length, count, (object,)), span)
    for register, name in ((address, "address"), (stride, "stride")):
        field = specializer.field_ref(type, head.fields[name])
        body.emit(i.LoadField(register, object, field), span)
    body.emit(i.LoadConstant(at, 0), span)
    element = specializer.function_ref(library.functions["lentElement"], arguments)
    return Lent(object, address, at, length, stride, element)


def counter_of(body: BodyLowering, receiver: TypedExpression) -> LoopCounter | None:
    """What stands for an iterator, if the receiver of a call is one that is not there."""
    return body.counters.get(receiver.local.index) if isinstance(receiver, typed.GetLocal) else None


def call_of_counter(
    body: BodyLowering, node: typed.Call, counter: LoopCounter, into: Register | None
) -> Register:
    """`hasNext` or `next`."""
    result = body.into(into, body.kind(node.type))
    advance = counter.has_next if node.target.function.name == "hasNext" else counter.next
    advance(body, result, node.span)
    return result
