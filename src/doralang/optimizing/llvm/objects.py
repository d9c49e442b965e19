"""What knows the language: objects, arrays, globals, literals, casts.  As in `baseline.objects`."""

from __future__ import annotations

from collections.abc import Callable

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import ClassRef, FieldRef
from doralang.bytecode.instructions import Register
from doralang.code import layout
from doralang.code.symbols import ALLOCATE_FOR_C, LITERAL, Symbol, class_of, shape_of
from doralang.optimizing.llvm.context import MOSTLY, RARELY, REFERENCE, TYPES, FunctionLowering
from doralang.optimizing.llvm.emitters import lowers
from doralang.types.kinds import REF, Kind
from doralang.types.traps import Trap

LENGTH, HEADER, SHAPE, BUFFER, SLICE = "length", "header", "shape", "buffer", "slice"
"""classes of memory, besides fields, elements and globals; slices are one, whatever is lent"""


def field_tag(field: FieldRef) -> str:
    owner = field.owner
    is_of_slice = owner.shared and owner.symbol.startswith(layout.SLICE_CLASS)
    return SLICE if is_of_slice else f"field {owner.symbol}.{field.name}"


@lowers(i.LoadField)
def load_field(context: FunctionLowering, insn: i.LoadField) -> None:
    target = context.checked(insn.object, insn.nonnil)
    place = context.at(target, context.environment.field_offset(insn.field), REFERENCE)
    type, tag = TYPES[insn.field.kind], context.tag(field_tag(insn.field))
    context.write(insn.dst, context.value(f"load {type}, {REFERENCE} {place}{tag}"))


@lowers(i.StoreField)
def store_field(context: FunctionLowering, insn: i.StoreField) -> None:
    target = context.checked(insn.object, insn.nonnil)
    kind = insn.field.kind
    place = context.at(target, context.environment.field_offset(insn.field), REFERENCE)
    tag = context.tag(field_tag(insn.field))
    context.emit(f"store {TYPES[kind]} {context.read(insn.value)}, {REFERENCE} {place}{tag}")
    if needs_barrier(context, insn.object, insn.value, kind):
        mark_card(context, target)


def needs_barrier(context: FunctionLowering, object: Register, value: Register, kind: Kind) -> bool:
    """Not for nil, nor for an object that has been made since the last collection could have been."""
    marks = kind is REF and context.environment.marks_cards
    return marks and value not in context.nil and object not in context.fresh


def mark_card(context: FunctionLowering, address: str) -> None:
    cards = context.value(f"load i64, ptr {context.thread(layout.THREAD_CARDS)}{context.tag('cards')}")
    number = context.value(f"ptrtoint {REFERENCE} {address} to i64")
    shifted = context.value(f"lshr i64 {number}, {layout.CARD_SHIFT}")
    place = context.value(f"inttoptr i64 {context.value(f'add i64 {shifted}, {cards}')} to ptr")
    context.emit(f"store i8 {layout.CARD_DIRTY}, ptr {place}{context.tag('card')}")


# Arrays.


def length_of(context: FunctionLowering, array: str) -> str:
    place = context.at(array, layout.ARRAY_LENGTH, REFERENCE)
    return context.value(f"load i32, {REFERENCE} {place}{context.tag(LENGTH)}")


def element(context: FunctionLowering, array: str, index: str, type: str, unchecked: bool) -> str:
    """The address of an element, behind the bounds check: one unsigned comparison."""
    if context.environment.bounds_checks and not unchecked:
        outside = context.value(f"icmp uge i32 {index}, {length_of(context, array)}")
        context.trap_if(outside, Trap.INDEX)
    wide = context.value(f"zext i32 {index} to i64")
    first = context.at(array, layout.ARRAY_ELEMENTS, REFERENCE)
    return context.value(f"getelementptr {type}, {REFERENCE} {first}, i64 {wide}")


def element_tag(context: FunctionLowering, kind: Kind) -> str:
    return context.tag(f"elements {kind.value}")


@lowers(i.LoadElement)
def load_element(context: FunctionLowering, insn: i.LoadElement) -> None:
    kind = context.kinds[insn.dst]
    array = context.checked(insn.array, insn.nonnil)
    place = element(context, array, context.read(insn.index), TYPES[kind], insn.unchecked)
    context.write(
        insn.dst, context.value(f"load {TYPES[kind]}, {REFERENCE} {place}{element_tag(context, kind)}")
    )


@lowers(i.StoreElement)
def store_element(context: FunctionLowering, insn: i.StoreElement) -> None:
    kind = context.kinds[insn.value]
    array = context.checked(insn.array, insn.nonnil)
    place = element(context, array, context.read(insn.index), TYPES[kind], insn.unchecked)
    value = context.read(insn.value)
    context.emit(f"store {TYPES[kind]} {value}, {REFERENCE} {place}{element_tag(context, kind)}")
    if needs_barrier(context, insn.array, insn.value, kind):
        mark_card(context, place)


@lowers(i.ArrayLength)
def array_length(context: FunctionLowering, insn: i.ArrayLength) -> None:
    context.write(insn.dst, length_of(context, context.checked(insn.array, insn.nonnil)))


@lowers(i.FillArray)
def fill_array(context: FunctionLowering, insn: i.FillArray) -> None:
    """A loop over the elements of a new array."""
    assert insn.array in context.fresh, "so there is no write barrier"
    kind = context.kinds[insn.value]
    array, value = context.read(insn.array), context.read(insn.value)
    length = context.value(f"zext i32 {length_of(context, array)} to i64")
    first = context.at(array, layout.ARRAY_ELEMENTS, REFERENCE)
    tag = element_tag(context, kind)

    def store(offset: str) -> None:
        place = context.value(f"getelementptr {TYPES[kind]}, {REFERENCE} {first}, i64 {offset}")
        context.emit(f"store {TYPES[kind]} {value}, {REFERENCE} {place}{tag}")

    count_up(context, length, store)


def count_up(context: FunctionLowering, end: str, body: Callable[[str], None]) -> None:
    """`body(n)` for n from 0 below `end`, an i64."""
    counter, head, inside, done = context.slot("i64"), context.label(), context.label(), context.label()
    context.emit(f"store i64 0, ptr {counter}")
    context.begin(head)
    number = context.value(f"load i64, ptr {counter}")
    context.branch(context.value(f"icmp ult i64 {number}, {end}"), inside, done)
    context.begin(inside)
    body(number)
    context.emit(f"store i64 {context.value(f'add i64 {number}, 1')}, ptr {counter}")
    context.jump(head)
    context.begin(done)


# Allocation: bump the thread's pointer; the memory is zero already.


def allocate(context: FunctionLowering, size: str, shape: Symbol) -> str:
    """Room for `size` bytes, an i64, with a header."""
    result = context.slot(REFERENCE)
    full, free, done = context.label(), context.label(), context.label()
    tag, top_place = context.tag(BUFFER), context.thread(layout.THREAD_TOP)
    top = context.value(f"load {REFERENCE}, ptr {top_place}{tag}")
    new = context.value(f"getelementptr i8, {REFERENCE} {top}, i64 {size}")
    end = context.value(f"load {REFERENCE}, ptr {context.thread(layout.THREAD_END)}{tag}")
    context.branch(context.value(f"icmp ugt {REFERENCE} {new}, {end}"), full, free, RARELY)
    context.begin(free)
    context.emit(f"store {REFERENCE} {new}, ptr {top_place}{tag}")
    context.emit(f"store {REFERENCE} {top}, ptr {result}")
    context.jump(done)
    context.begin(full)
    found = context.call(context.code(ALLOCATE_FOR_C), ["i64"], [size], REFERENCE)
    context.emit(f"store {REFERENCE} {found}, ptr {result}")
    context.begin(done)
    made = context.value(f"load {REFERENCE}, ptr {result}")
    context.emit(f"store ptr {context.symbol(shape)}, {REFERENCE} {made}{context.tag(HEADER)}")
    return made


def made(context: FunctionLowering, dst: Register, address: str) -> None:
    """A new object; a collection may have been before it."""
    context.write(dst, address)
    context.fresh.clear()
    context.fresh.add(dst)


@lowers(i.NewObject)
def new_object(context: FunctionLowering, insn: i.NewObject) -> None:
    size = context.environment.instance_size(insn.cls)
    made(context, insn.dst, allocate(context, str(size), shape_of(insn.cls)))


@lowers(i.NewArray)
def new_array(context: FunctionLowering, insn: i.NewArray) -> None:
    element = insn.cls.element
    assert element is not None
    allocate_array(context, insn.dst, shape_of(insn.cls), insn.length, layout.SIZES[element])


def allocate_array(
    context: FunctionLowering, dst: Register, shape: Symbol, elements: Register, scale: int
) -> None:
    """Size from the length, which must not be negative; then as for objects."""
    length = context.read(elements)
    context.trap_if(context.value(f"icmp slt i32 {length}, 0"), Trap.MEMORY)
    wide = context.value(f"zext i32 {length} to i64")
    bytes = context.value(f"mul i64 {wide}, {scale}")
    rounded = context.value(f"add i64 {bytes}, {layout.ARRAY_ELEMENTS + 7}")
    array = allocate(context, context.value(f"and i64 {rounded}, -8"), shape)
    place = context.at(array, layout.ARRAY_LENGTH, REFERENCE)
    context.emit(f"store i64 {wide}, {REFERENCE} {place}{context.tag(LENGTH)}")
    made(context, dst, array)


# Globals and literals.


def global_place(context: FunctionLowering, index: int) -> str:
    table = context.value(f"load ptr, ptr {context.thread(layout.THREAD_GLOBALS)}{context.tag('globals')}")
    return context.at(table, layout.WORD * index)


@lowers(i.LoadGlobal)
def load_global(context: FunctionLowering, insn: i.LoadGlobal) -> None:
    variable = insn.variable
    place, tag = global_place(context, variable.index), context.tag(f"global {variable.index}")
    context.write(insn.dst, context.value(f"load {TYPES[variable.kind]}, ptr {place}{tag}"))


@lowers(i.StoreGlobal)
def store_global(context: FunctionLowering, insn: i.StoreGlobal) -> None:
    variable = insn.variable
    place, tag = global_place(context, variable.index), context.tag(f"global {variable.index}")
    context.emit(f"store {TYPES[variable.kind]} {context.read(insn.value)}, ptr {place}{tag}")


@lowers(i.LoadText)
def load_text(context: FunctionLowering, insn: i.LoadText) -> None:
    context.write(insn.dst, context.symbol(Symbol(LITERAL, insn.text), space="addrspace(1) "))


# Classes.


def branch_if_extends(
    context: FunctionLowering, value: str, cls: ClassRef, yes: str, no: str, weight: str
) -> None:
    """Go to one of two blocks by whether the object, which is not nil, is of the class."""
    shape = context.value(f"load ptr, {REFERENCE} {value}{context.tag(HEADER)}")
    tag = context.tag(SHAPE)
    if cls.depth >= layout.DISPLAY_MINIMUM:
        depth = context.value(f"load i64, ptr {context.at(shape, layout.SHAPE_DEPTH)}{tag}")
        deep = context.label()
        context.branch(context.value(f"icmp slt i64 {depth}, {cls.depth}"), no, deep)
        context.begin(deep)
    entry = context.value(f"load ptr, ptr {context.at(shape, layout.display_offset(cls.depth))}{tag}")
    found = context.value(f"icmp eq ptr {entry}, {context.symbol(class_of(cls))}")
    context.branch(found, yes, no, weight)


@lowers(i.IsInstance)
def is_instance(context: FunctionLowering, insn: i.IsInstance) -> None:
    value, result = context.read(insn.object), context.slot("i8")
    some, yes, done = context.label(), context.label(), context.label()
    context.emit(f"store i8 0, ptr {result}")
    context.branch(context.value(f"icmp eq {REFERENCE} {value}, null"), done, some)
    context.begin(some)
    branch_if_extends(context, value, insn.cls, yes, done, "")
    context.begin(yes)
    context.emit(f"store i8 1, ptr {result}")
    context.begin(done)
    context.write(insn.dst, context.value(f"load i8, ptr {result}"))


@lowers(i.CheckCast)
def check_cast(context: FunctionLowering, insn: i.CheckCast) -> None:
    value = context.read(insn.object)
    some, good = context.label(), context.label()
    context.branch(context.value(f"icmp eq {REFERENCE} {value}, null"), good, some)
    context.begin(some)
    branch_if_extends(context, value, insn.cls, good, context.trap(Trap.CAST), MOSTLY)
    context.begin(good)
    fresh = insn.object in context.fresh and insn.dst == insn.object
    context.write(insn.dst, value)
    if fresh:
        context.fresh.add(insn.dst)


@lowers(i.CheckNil)
def check_nil(context: FunctionLowering, insn: i.CheckNil) -> None:
    context.checked(insn.object, False)


@lowers(i.Same)
def same(context: FunctionLowering, insn: i.Same) -> None:
    left, right = context.read(insn.left), context.read(insn.right)
    context.write_condition(insn.dst, context.value(f"icmp eq {REFERENCE} {left}, {right}"))
