"""Calls: of functions through their entry cells, of virtual methods, of what the implementation supplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.code import layout
from doralang.code.symbols import NATIVE, UPCALL, Symbol, entry_of
from doralang.optimizing.llvm.context import FUNCTION, REFERENCE, TYPES, FunctionLowering, passed_type
from doralang.optimizing.llvm.emitters import NotLowered, lowers
from doralang.optimizing.llvm.objects import (
    HEADER,
    SHAPE,
    SLICE,
    allocate_array,
    element,
    length_of,
)
from doralang.types.kinds import BOOL, BYTE, CHAR, INT, LONG, REF, Kind
from doralang.types.traps import Trap

NATIVE_ARGUMENTS: Final = 6
"""most arguments of `callNative…`"""


def call_function(
    context: FunctionLowering, callee: str, function: FunctionRef, args: Sequence[Register], dst: Register
) -> None:
    types = [passed_type(kind) for kind in function.parameters]
    arguments = [context.passed(register) for register in args]
    kind = function.result
    result = context.call(callee, types, arguments, None if kind is None else passed_type(kind))
    if kind is not None and dst != NO_REGISTER:
        context.write(dst, context.received(kind, result))


def entry(context: FunctionLowering, function: FunctionRef) -> str:
    """The address that the entry cell of a function holds.

    A function that calls itself needs no cell: better code of it than this there will not be.
    """
    if function is context.function.ref:
        return f"@{FUNCTION}"
    return context.value(f"load ptr, ptr {context.symbol(entry_of(function), 'ptr')}{context.tag('cells')}")


@lowers(i.Call)
def call(context: FunctionLowering, insn: i.Call) -> None:
    call_function(context, entry(context, insn.function), insn.function, insn.args, insn.dst)


@lowers(i.CallVirtual)
def call_virtual(context: FunctionLowering, insn: i.CallVirtual) -> None:
    """Behind a nil check of the receiver: the method is in the table of its shape."""
    slot = insn.function.slot
    assert slot is not None, f"{insn.function.name} is virtual"
    receiver = context.checked(insn.args[0], insn.nonnil)
    shape = context.value(f"load ptr, {REFERENCE} {receiver}{context.tag(HEADER)}")
    cell = context.value(f"load ptr, ptr {context.at(shape, layout.method_offset(slot))}{context.tag(SHAPE)}")
    callee = context.value(f"load ptr, ptr {cell}{context.tag('cells')}")
    call_function(context, callee, insn.function, insn.args, insn.dst)


# What the implementation supplies.

Internal = Callable[[FunctionLowering, i.CallInternal], None]


@lowers(i.CallInternal)
def call_internal(context: FunctionLowering, insn: i.CallInternal) -> None:
    """Some are a few instructions; the others are functions of the library's heap files, or stubs."""
    key = insn.function.internal
    assert key is not None
    inline = INLINE.get(key)
    if inline is not None:
        inline(context, insn)
        return
    function = context.environment.internal(insn.function)
    if function is not None:
        call_function(context, entry(context, function), function, insn.args, insn.dst)
    else:
        call_function(context, context.code(Symbol(UPCALL, key)), insn.function, insn.args, insn.dst)


def text_length(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.write(insn.dst, length_of(context, context.checked(insn.args[0], insn.nonnil)))


def text_byte(context: FunctionLowering, insn: i.CallInternal) -> None:
    text = context.checked(insn.args[0], insn.nonnil)
    place = element(context, text, context.read(insn.args[1]), "i8", False)
    context.write(insn.dst, context.value(f"load i8, {REFERENCE} {place}"))


def out_of_bounds(context: FunctionLowering, insn: i.CallInternal | None = None) -> None:
    context.jump(context.trap(Trap.INDEX))
    context.begin(context.label())


def value_missing(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.jump(context.trap(Trap.MISSING))
    context.begin(context.label())


# Slices, as in `baseline.slices`.

CALLS: Final = "calls"
"""the class of the number of the call, which no code writes"""
LENT: Final = "lent"
"""the class of all memory that is lent: none of the program's, but perhaps lent twice, under two kinds"""


def is_other_call(context: FunctionLowering, slice: str) -> str:
    """Whether a slice is of another call, so that it has no elements."""
    place, tag = context.thread(layout.THREAD_CALLS), context.tag(CALLS)
    calls = context.value(f"load i64, ptr {place}{tag}")
    return context.value(f"icmp ne i64 {calls}, {slice_part(context, slice, 'i64', layout.SLICE_CALL)}")


def slice_part(context: FunctionLowering, slice: str, type: str, offset: int) -> str:
    place, tag = context.at(slice, offset, REFERENCE), context.tag(SLICE)
    return context.value(f"load {type}, {REFERENCE} {place}{tag}")


def slice_length(context: FunctionLowering, insn: i.CallInternal) -> None:
    slice = context.checked(insn.args[0], insn.nonnil)
    length = slice_part(context, slice, "i32", layout.SLICE_LENGTH)
    is_other = is_other_call(context, slice)
    context.write(insn.dst, context.value(f"select i1 {is_other}, i32 0, i32 {length}"))


def never_lent(context: FunctionLowering, kind: Kind | None) -> bool:
    """Fail if there are no slices of this kind; whether that is so."""
    if kind in (CHAR, REF, None):
        out_of_bounds(context)
        return True
    return False


def lent_place(context: FunctionLowering, insn: i.CallInternal, slice: str) -> str:
    """The address of an element, behind the checks."""
    context.trap_if(is_other_call(context, slice), Trap.INDEX)
    index = context.read(insn.args[1])
    length = slice_part(context, slice, "i32", layout.SLICE_LENGTH)
    context.trap_if(context.value(f"icmp uge i32 {index}, {length}"), Trap.INDEX)
    wide = context.value(f"zext i32 {index} to i64")
    stride = slice_part(context, slice, "i64", layout.SLICE_STRIDE)
    offset = context.value(f"mul i64 {wide}, {stride}")
    first = slice_part(context, slice, "i64", layout.SLICE_ADDRESS)
    return context.value(f"inttoptr i64 {context.value(f'add i64 {first}, {offset}')} to ptr")


def load_lent(context: FunctionLowering, dst: Register, kind: Kind, place: str) -> None:
    """Load an element; a `bool` is true if its byte is not 0."""
    value = context.value(f"load {TYPES[kind]}, ptr {place}, align 1{context.tag(LENT)}")
    if kind is BOOL:
        context.write_condition(dst, context.value(f"icmp ne i8 {value}, 0"))
    else:
        context.write(dst, value)


def store_lent(context: FunctionLowering, register: Register, place: str) -> None:
    type = TYPES[context.kinds[register]]
    context.emit(f"store {type} {context.read(register)}, ptr {place}, align 1{context.tag(LENT)}")


def slice_get(context: FunctionLowering, insn: i.CallInternal) -> None:
    kind, slice = insn.function.result, context.checked(insn.args[0], insn.nonnil)
    if kind is not None and not never_lent(context, kind):
        load_lent(context, insn.dst, kind, lent_place(context, insn, slice))


def slice_set(context: FunctionLowering, insn: i.CallInternal) -> None:
    kind, slice = context.kinds[insn.args[2]], context.checked(insn.args[0], insn.nonnil)
    if not never_lent(context, kind):
        store_lent(context, insn.args[2], lent_place(context, insn, slice))


def lent_element(context: FunctionLowering, insn: i.CallInternal) -> None:
    kind = insn.function.result
    if kind is not None and not never_lent(context, kind):
        load_lent(context, insn.dst, kind, address(context, insn.args[0]))


def lent_together(context: FunctionLowering, insn: i.CallInternal) -> None:
    slice = context.checked(insn.args[0], insn.nonnil)
    stride, first = (
        slice_part(context, slice, "i64", offset) for offset in (layout.SLICE_STRIDE, layout.SLICE_ADDRESS)
    )
    is_size = context.value(f"icmp eq i64 {stride}, {context.read(insn.args[1])}")
    context.write(insn.dst, context.value(f"select i1 {is_size}, i64 {first}, i64 0"))


def place_of_lent(context: FunctionLowering, insn: i.CallInternal, kind: Kind) -> str:
    """Where an element is that stands at once behind the one before it."""
    wide = context.value(f"zext i32 {context.read(insn.args[1])} to i64")
    return context.value(f"getelementptr {TYPES[kind]}, ptr {address(context, insn.args[0])}, i64 {wide}")


def lent_at(context: FunctionLowering, insn: i.CallInternal) -> None:
    kind = insn.function.result
    assert kind is not None, "it is an element"
    load_lent(context, insn.dst, kind, place_of_lent(context, insn, kind))


def set_lent_at(context: FunctionLowering, insn: i.CallInternal) -> None:
    store_lent(context, insn.args[2], place_of_lent(context, insn, context.kinds[insn.args[2]]))


# Raw memory, which code that is inlined from the heap files uses.  Its accesses have no tag: they may
# overlap with anything.


def address(context: FunctionLowering, register: Register) -> str:
    return context.value(f"inttoptr i64 {context.read(register)} to ptr")


def load(kind: Kind) -> Internal:
    def emit(context: FunctionLowering, insn: i.CallInternal) -> None:
        context.write(
            insn.dst, context.value(f"load {TYPES[kind]}, ptr {address(context, insn.args[0])}, align 1")
        )

    return emit


def store(kind: Kind) -> Internal:
    def emit(context: FunctionLowering, insn: i.CallInternal) -> None:
        place, value = address(context, insn.args[0]), context.read(insn.args[1])
        context.emit(f"store {TYPES[kind]} {value}, ptr {place}, align 1")

    return emit


def load_short(context: FunctionLowering, insn: i.CallInternal) -> None:
    short = context.value(f"load i16, ptr {address(context, insn.args[0])}, align 1")
    context.write(insn.dst, context.value(f"zext i16 {short} to i32"))


def store_short(context: FunctionLowering, insn: i.CallInternal) -> None:
    short = context.value(f"trunc i32 {context.read(insn.args[1])} to i16")
    context.emit(f"store i16 {short}, ptr {address(context, insn.args[0])}, align 1")


def copy_memory(context: FunctionLowering, insn: i.CallInternal) -> None:
    """What overlaps is right, too."""
    context.declare("declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)")
    source, to = address(context, insn.args[0]), address(context, insn.args[1])
    size = context.read(insn.args[2])
    context.emit(f"call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {source}, i64 {size}, i1 false)")


def clear_memory(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.declare("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    to, size = address(context, insn.args[0]), context.read(insn.args[1])
    context.emit(f"call void @llvm.memset.p0.i64(ptr {to}, i8 0, i64 {size}, i1 false)")


def address_of(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.write(insn.dst, context.value(f"ptrtoint {REFERENCE} {context.read(insn.args[0])} to i64"))


def from_address(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.write(insn.dst, context.value(f"inttoptr i64 {context.read(insn.args[0])} to {REFERENCE}"))


def thread_address(context: FunctionLowering, insn: i.CallInternal) -> None:
    context.write(insn.dst, context.value("ptrtoint ptr %thread to i64"))


def attention_wanted(context: FunctionLowering, insn: i.CallInternal) -> None:
    """Whether the limit is not the one that the stack has."""
    limit = context.value("load volatile i64, ptr %thread")
    real = context.value(f"load i64, ptr {context.thread(layout.THREAD_REAL_LIMIT)}")
    context.write_condition(insn.dst, context.value(f"icmp ne i64 {limit}, {real}"))


def native_address(context: FunctionLowering, insn: i.CallInternal) -> None:
    """The name is the literal that the instruction before this one has loaded."""
    literal = context.function.code[context.index - 1]
    assert isinstance(literal, i.LoadText) and literal.dst == insn.args[0], "the name is a literal"
    function = context.code(Symbol(NATIVE, literal.text))
    context.write(insn.dst, context.value(f"ptrtoint ptr {function} to i64"))


def call_native(context: FunctionLowering, insn: i.CallInternal) -> None:
    """By the C calling convention.  No collection can happen, so it is no GC point."""
    function, *arguments = (context.read(register) for register in insn.args)
    callee = context.value(f"inttoptr i64 {function} to ptr")
    result = context.value(f"call i64 {callee}({', '.join(f'i64 {one}' for one in arguments)}) nounwind")
    context.write(insn.dst, result)


def new_text(context: FunctionLowering, insn: i.CallInternal) -> None:
    allocate_array(context, insn.dst, context.environment.text_shape, insn.args[0], 1)


def not_lowered(context: FunctionLowering, insn: i.CallInternal) -> None:
    raise NotLowered(str(insn.function.internal))


INLINE: Final[dict[str, Internal]] = {
    "Str.len": text_length,
    "Str.getByte": text_byte,
    "outOfBounds": out_of_bounds,
    "valueMissing": value_missing,
    "LentElements.len": slice_length,
    "LentElements.get": slice_get,
    "MutSlice.set": slice_set,
    "lentElement": lent_element,
    "lentTogether": lent_together,
    "lentAt": lent_at,
    "setLentAt": set_lent_at,
    "loadByte": load(BYTE),
    "loadShort": load_short,
    "loadInt": load(INT),
    "loadLong": load(LONG),
    "storeByte": store(BYTE),
    "storeShort": store_short,
    "storeInt": store(INT),
    "storeLong": store(LONG),
    "copyMemory": copy_memory,
    "clearMemory": clear_memory,
    "addressOf": address_of,
    "fromAddress": from_address,
    "threadAddress": thread_address,
    "attentionWanted": attention_wanted,
    "nativeAddress": native_address,
    **{f"callNative{count}": call_native for count in range(NATIVE_ARGUMENTS + 1)},
    "newText": new_text,
    # What only collectors and walkers of frames use, which stay with the other lowering:
    **dict.fromkeys(("compareAndSwapLong", "fence", "framePointer"), not_lowered),
}
"""Internal functions that are a few instructions, by key; the others are called."""
