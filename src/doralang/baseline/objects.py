"""What knows the language: objects, arrays, globals, literals, casts.

Composed from the macro assembler's neutral operations, once for all processors.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.baseline.context import FunctionCompilation
from doralang.baseline.emitters import emits
from doralang.bytecode import instructions as i
from doralang.bytecode.entities import ClassRef
from doralang.bytecode.instructions import Register as Virtual
from doralang.code import layout
from doralang.code.symbols import ALLOCATE, LITERAL, Symbol, class_of, shape_of
from doralang.machine.buffer import Label
from doralang.machine.macro import AnyRegister, BinaryOperation, Register
from doralang.machine.operations import ABOVE, ABOVE_EQUAL, EQUAL, LESS, NOT_EQUAL
from doralang.types.kinds import BOOL, BYTE, FLOATING, INT, LONG, REF, Kind
from doralang.types.traps import Trap


def work_for(context: FunctionCompilation, kind: Kind, number: int = 0) -> AnyRegister:
    """A register that is nobody's home, for a value of this kind."""
    return context.float_work[0] if kind in FLOATING else context.work[number]


def read_reference(context: FunctionCompilation, register: Virtual, work: Register) -> Register:
    """The value of a reference."""
    frame = context.frame
    return frame.where[register] or frame.read(register, work)


def checked_reference(
    context: FunctionCompilation, register: Virtual, work: Register, nonnil: bool = False
) -> Register:
    """The value of a reference, after the nil check, unless it has been checked before or need not be."""
    value = read_reference(context, register, work)
    not_nil = context.frame.not_nil
    if not nonnil and register not in not_nil:
        context.masm.branch_immediate(REF, EQUAL, value, 0, context.trap(Trap.NIL))
        not_nil.add(register)
    return value


# Fields.


@emits(i.LoadField)
def load_field(context: FunctionCompilation, insn: i.LoadField) -> None:
    frame = context.frame
    kind = insn.field.kind
    target = checked_reference(context, insn.object, context.work[0], insn.nonnil)
    value = frame.target(insn.dst, work_for(context, kind))
    context.masm.load(kind, value, target, context.environment.field_offset(insn.field))
    if kind is REF or frame.where[insn.dst] != value:
        frame.written(insn.dst, value)


@emits(i.StoreField)
def store_field(context: FunctionCompilation, insn: i.StoreField) -> None:
    target = checked_reference(context, insn.object, context.work[0], insn.nonnil)
    kind, offset = insn.field.kind, context.environment.field_offset(insn.field)
    constants = context.frame.constants
    if insn.value in constants and kind not in FLOATING:
        context.masm.store_constant(kind, int(constants[insn.value]), target, offset)
    else:
        value = context.frame.read(insn.value, work_for(context, kind, 1))
        context.masm.store(kind, value, target, offset)
        if kind is REF and needs_barrier(context, insn.object):
            mark_card(context, target)


# The write barrier: marks the card of what a reference is stored into.  Not for nil, nor for an object
# that has been made since the last collection could have been.


def needs_barrier(context: FunctionCompilation, object: Virtual) -> bool:
    return context.environment.marks_cards and object not in context.frame.fresh


def mark_card(context: FunctionCompilation, address: Register) -> None:
    """Loses the second work register, which the address may be in."""
    masm, work = context.masm, context.work[1]
    masm.binary_immediate(BinaryOperation.UNSIGNED_SHIFT_RIGHT, LONG, work, address, layout.CARD_SHIFT)
    masm.binary_memory(BinaryOperation.ADD, LONG, work, work, masm.thread, layout.THREAD_CARDS)
    masm.store_constant(BYTE, layout.CARD_DIRTY, work, 0)


# Arrays.


def checked_index(
    context: FunctionCompilation, array: Register, index: Virtual, unchecked: bool = False
) -> Register:
    """The value of an index, after the bounds check: one unsigned comparison.

    If indexes are masked, so are those that the optimizer knows to be good: it knows that of branches, which
    the processor guesses.
    """
    masm, environment = context.masm, context.environment
    value = context.frame.read(index, context.work[1])
    if environment.masks_indexes:
        masked = context.work[1]
        masm.mask_index(masked, value, array, layout.ARRAY_LENGTH, context.trap(Trap.INDEX))
        return masked
    if environment.bounds_checks and not unchecked:
        outside = context.trap(Trap.INDEX)
        masm.branch_memory(INT, ABOVE_EQUAL, value, array, layout.ARRAY_LENGTH, outside)
    return value


@emits(i.LoadElement)
def load_element(context: FunctionCompilation, insn: i.LoadElement) -> None:
    frame, kind = context.frame, context.frame.kinds[insn.dst]
    array = checked_reference(context, insn.array, context.work[0], insn.nonnil)
    index = checked_index(context, array, insn.index, insn.unchecked)
    target = frame.target(insn.dst, work_for(context, kind))
    scale = layout.SIZES[kind]
    context.masm.load_indexed(kind, target, array, index, scale, layout.ARRAY_ELEMENTS)
    frame.written(insn.dst, target)


@emits(i.StoreElement)
def store_element(context: FunctionCompilation, insn: i.StoreElement) -> None:
    kind = context.frame.kinds[insn.value]
    array = checked_reference(context, insn.array, context.work[0], insn.nonnil)
    index = checked_index(context, array, insn.index, insn.unchecked)
    marks = kind is REF and insn.value not in context.frame.constants
    value = context.frame.read(insn.value, work_for(context, kind, 2))
    scale = layout.SIZES[kind]
    context.masm.store_indexed(kind, value, array, index, scale, layout.ARRAY_ELEMENTS)
    if marks and needs_barrier(context, insn.array):
        work = context.work[1]
        context.masm.load_address_indexed(work, array, index, scale, layout.ARRAY_ELEMENTS)
        mark_card(context, work)


@emits(i.ArrayLength)
def array_length(context: FunctionCompilation, insn: i.ArrayLength) -> None:
    array = checked_reference(context, insn.array, context.work[0], insn.nonnil)
    target = context.frame.target(insn.dst, context.work[0])
    context.masm.load(INT, target, array, layout.ARRAY_LENGTH)
    context.frame.written(insn.dst, target)


@emits(i.FillArray)
def fill_array(context: FunctionCompilation, insn: i.FillArray) -> None:
    """A loop from the last element to the first, of a new array."""
    assert insn.array in context.frame.fresh, "so there is no write barrier"
    frame, masm, work = context.frame, context.masm, context.work
    kind = frame.kinds[insn.value]
    value = frame.read(insn.value, work_for(context, kind, 2))
    array = read_reference(context, insn.array, work[0])
    masm.load(INT, work[1], array, layout.ARRAY_LENGTH)
    end = masm.label()
    again = masm.bound()
    masm.branch_immediate(INT, EQUAL, work[1], 0, end)
    masm.binary_immediate(BinaryOperation.SUB, INT, work[1], work[1], 1)
    masm.store_indexed(kind, value, array, work[1], layout.SIZES[kind], layout.ARRAY_ELEMENTS)
    masm.jump(again)
    masm.bind(end)


# Allocation: bump the thread's pointer; the memory is zero already.


@emits(i.NewObject)
def new_object(context: FunctionCompilation, insn: i.NewObject) -> None:
    masm, work = context.masm, context.work
    size = context.environment.instance_size(insn.cls)
    saved = context.frame.save(context.index)
    full, done = masm.label(), masm.label()
    masm.load(LONG, work[0], masm.thread, layout.THREAD_TOP)
    masm.binary_immediate(BinaryOperation.ADD, LONG, work[1], work[0], size)
    masm.branch_memory(LONG, ABOVE, work[1], masm.thread, layout.THREAD_END, full)
    masm.store(LONG, work[1], masm.thread, layout.THREAD_TOP)
    masm.bind(done)
    set_header(context, work[0], work[1], shape_of(insn.cls))
    masm.out_of_line(allocate_slowly(context, full, done, size))
    context.frame.restore(saved)
    made(context, insn.dst, work[0])


def made(context: FunctionCompilation, dst: Virtual, address: Register) -> None:
    """A new object; a collection may have been before it."""
    frame = context.frame
    frame.written(dst, address)
    frame.not_nil.add(dst)
    frame.fresh.clear()
    frame.fresh.add(dst)


def set_header(context: FunctionCompilation, target: Register, work: Register, shape: Symbol) -> None:
    context.masm.load_near(work, shape)
    context.masm.store(LONG, work, target, layout.HEADER)


def allocate_slowly(
    context: FunctionCompilation, full: Label, done: Label, size: int | None
) -> Callable[[], None]:
    """The buffer is full: the allocation stub finds room for `size` bytes (or those in the second work

    register) and returns their address, or fails.
    """
    masm, place = context.masm, context.place
    slots = context.frame.reference_slots(context.index)

    def emit() -> None:
        masm.bind(full)
        if size is not None:
            masm.load_constant(LONG, context.work[1], size)
        context.add_point(masm.call_near(ALLOCATE), place, slots)
        masm.jump(done)

    return emit


@emits(i.NewArray)
def new_array(context: FunctionCompilation, insn: i.NewArray) -> None:
    element = insn.cls.element
    assert element is not None
    shape = shape_of(insn.cls)
    allocate_array(context, insn.dst, shape, insn.length, layout.SIZES[element])


def allocate_array(
    context: FunctionCompilation, dst: Virtual, shape: Symbol, elements: Virtual, scale: int
) -> None:
    """Size from the length, which must not be negative; then as for objects.

    The length is not made at home if it is a constant: behind `save`, the call would lose it there.
    """
    masm, work, frame = context.masm, context.work, context.frame
    saved = frame.save(context.index)
    frame.read_into(elements, work[2])
    masm.branch_immediate(INT, LESS, work[2], 0, context.trap(Trap.MEMORY))
    full, done = masm.label(), masm.label()
    array_size(context, work[1], work[2], scale)
    masm.load(LONG, work[0], masm.thread, layout.THREAD_TOP)
    masm.binary(BinaryOperation.ADD, LONG, work[1], work[1], work[0])
    masm.branch_memory(LONG, ABOVE, work[1], masm.thread, layout.THREAD_END, full)
    masm.store(LONG, work[1], masm.thread, layout.THREAD_TOP)
    masm.bind(done)
    set_header(context, work[0], work[1], shape)
    masm.store(LONG, work[2], work[0], layout.ARRAY_LENGTH)

    def emit() -> None:
        masm.bind(full)
        masm.binary(BinaryOperation.SUB, LONG, work[1], work[1], work[0])
        context.add_point(masm.call_near(ALLOCATE), place, slots)
        masm.jump(done)

    slots, place = frame.reference_slots(context.index), context.place
    masm.out_of_line(emit)
    frame.restore(saved)
    made(context, dst, work[0])


def array_size(context: FunctionCompilation, target: Register, length: Register, scale: int) -> None:
    """Bytes of an array, a multiple of 8; at most some 17 billion, so nothing overflows."""
    masm = context.masm
    shift = scale.bit_length() - 1
    masm.binary_immediate(BinaryOperation.SHIFT_LEFT, LONG, target, length, shift)
    masm.binary_immediate(BinaryOperation.ADD, LONG, target, target, layout.ARRAY_ELEMENTS + 7)
    masm.binary_immediate(BinaryOperation.AND, LONG, target, target, -8)


# Globals and literals.


@emits(i.LoadGlobal)
def load_global(context: FunctionCompilation, insn: i.LoadGlobal) -> None:
    masm, work, kind = context.masm, context.work[0], insn.variable.kind
    masm.load(LONG, work, masm.thread, layout.THREAD_GLOBALS)
    target = context.frame.target(insn.dst, work_for(context, kind))
    masm.load(kind, target, work, layout.WORD * insn.variable.index)
    context.frame.written(insn.dst, target)


@emits(i.StoreGlobal)
def store_global(context: FunctionCompilation, insn: i.StoreGlobal) -> None:
    masm, work, kind = context.masm, context.work[0], insn.variable.kind
    masm.load(LONG, work, masm.thread, layout.THREAD_GLOBALS)
    value = context.frame.read(insn.value, work_for(context, kind, 1))
    masm.store(kind, value, work, layout.WORD * insn.variable.index)


@emits(i.LoadText)
def load_text(context: FunctionCompilation, insn: i.LoadText) -> None:
    masm, work = context.masm, context.work[0]
    target = context.frame.target(insn.dst, work)
    masm.load_near(target, Symbol(LITERAL, insn.text))
    context.frame.written(insn.dst, target)
    context.frame.not_nil.add(insn.dst)


# Classes.


def branch_unless_extends(context: FunctionCompilation, value: Register, cls: ClassRef, label: Label) -> None:
    """Go to the label if the object, which is not nil, is not of the class.  Loses two work registers."""
    masm, (_, shape, wanted) = context.masm, context.work
    masm.load(LONG, shape, value, layout.HEADER)
    if cls.depth >= layout.DISPLAY_MINIMUM:
        masm.branch_memory_immediate(LONG, LESS, shape, layout.SHAPE_DEPTH, cls.depth, label)
    masm.load_near(wanted, class_of(cls))
    offset = layout.display_offset(cls.depth)
    masm.branch_memory(LONG, NOT_EQUAL, wanted, shape, offset, label)


@emits(i.IsInstance)
def is_instance(context: FunctionCompilation, insn: i.IsInstance) -> None:
    masm, work = context.masm, context.work
    value = read_reference(context, insn.object, work[0])
    no, end = masm.label(), masm.label()
    masm.branch_immediate(REF, EQUAL, value, 0, no)
    branch_unless_extends(context, value, insn.cls, no)
    masm.load_constant(BOOL, work[0], 1)
    masm.jump(end)
    masm.bind(no)
    masm.load_constant(BOOL, work[0], 0)
    masm.bind(end)
    context.frame.written(insn.dst, work[0])


@emits(i.CheckCast)
def check_cast(context: FunctionCompilation, insn: i.CheckCast) -> None:
    masm = context.masm
    value = read_reference(context, insn.object, context.work[0])
    checked = insn.object in context.frame.not_nil
    good = masm.label()
    if not checked:
        masm.branch_immediate(REF, EQUAL, value, 0, good)
    branch_unless_extends(context, value, insn.cls, context.trap(Trap.CAST))
    masm.bind(good)
    context.frame.written(insn.dst, value)
    if checked:
        context.frame.not_nil.add(insn.dst)


@emits(i.CheckNil)
def check_nil(context: FunctionCompilation, insn: i.CheckNil) -> None:
    if insn.object in context.frame.not_nil:
        return
    checked_reference(context, insn.object, context.work[0])


@emits(i.Same)
def same(context: FunctionCompilation, insn: i.Same) -> None:
    frame, work = context.frame, context.work
    left, right = read_reference(context, insn.left, work[0]), read_reference(context, insn.right, work[1])
    context.masm.compare(REF, EQUAL, work[2], left, right)
    frame.written(insn.dst, work[2])
