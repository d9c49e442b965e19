"""Calls: of functions through their entry cells, of virtual methods, of what the implementation supplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dora.baseline.allocation import FLOATING
from dora.baseline.context import Context
from dora.baseline.objects import checked_index, checked_reference
from dora.bytecode import instructions as i
from dora.bytecode.instructions import NO_REGISTER
from dora.bytecode.instructions import Register as Virtual
from dora.machine.macro import AnyRegister, Condition, Register
from dora.runtime import layout
from dora.types.traps import Trap
from dora.types.types import Kind


def finish_call(
    context: Context, dst: Virtual, args: Sequence[Virtual], result: Kind | None, emit: Callable[[], int]
) -> None:
    """Save, pass arguments, `emit` the call instruction, restore, and take the result."""
    frame, masm = context.frame, context.masm
    saved = frame.save(context.index)
    places = masm.call_layout([Kind.LONG, *(frame.kinds[register] for register in args)])
    frame.outgoing = max(frame.outgoing, places.stack_size)
    frame.pass_arguments(places.arguments, args)
    context.point(emit(), frame.reference_slots(context.index))
    frame.restore(saved)
    if dst == NO_REGISTER or result is None:
        return
    value: AnyRegister = masm.float_result if result in FLOATING else masm.result
    if result in (Kind.BOOL, Kind.BYTE, Kind.CHAR, Kind.INT):
        masm.zero_extend(result, masm.result, masm.result)
    frame.written(dst, value)


def call(context: Context, insn: i.Call) -> None:
    symbol = context.environment.entry(insn.function)
    finish_call(context, insn.dst, insn.args, insn.function.result, lambda: context.masm.call_cell(symbol))


def call_virtual(context: Context, insn: i.CallVirtual) -> None:
    """The receiver is looked at when it is in its argument register: checked for nil, then its method."""
    masm = context.masm
    slot = insn.function.slot
    assert slot is not None, f"{insn.function.name} is virtual"

    def emit() -> int:
        receiver, work = masm.arguments[1], masm.temporaries[0]
        masm.branch_immediate(Kind.REF, Condition.EQUAL, receiver, 0, context.trap(Trap.NIL))
        masm.load(Kind.LONG, work, receiver, layout.HEADER)
        masm.load(Kind.LONG, work, work, layout.method_offset(slot))
        return masm.call_memory(work, 0)

    finish_call(context, insn.dst, insn.args, insn.function.result, emit)


# What the implementation supplies.


def call_internal(context: Context, insn: i.CallInternal) -> None:
    """Some are a few instructions; the others are functions of the library's heap files, or stubs."""
    key = insn.function.internal
    assert key is not None
    inline = INLINE.get(key)
    if inline is not None:
        inline(context, insn)
        return
    function = context.environment.internal(insn.function)
    result = insn.function.result
    if function is not None:
        symbol = context.environment.entry(function)
        finish_call(context, insn.dst, insn.args, result, lambda: context.masm.call_cell(symbol))
    else:
        finish_call(context, insn.dst, insn.args, result, lambda: context.masm.call_symbol(f"upcall:{key}"))


def text_length(context: Context, insn: i.CallInternal) -> None:
    text = checked_reference(context, insn.args[0], context.work[0])
    target = context.frame.target(insn.dst, context.work[0])
    context.masm.load(Kind.INT, target, text, layout.ARRAY_LENGTH)
    context.frame.written(insn.dst, target)


def text_byte(context: Context, insn: i.CallInternal) -> None:
    text = checked_reference(context, insn.args[0], context.work[0])
    index = checked_index(context, text, insn.args[1])
    target = context.frame.target(insn.dst, context.work[0])
    context.masm.load_indexed(Kind.BYTE, target, text, index, 1, layout.ARRAY_ELEMENTS)
    context.frame.written(insn.dst, target)


def out_of_bounds(context: Context, insn: i.CallInternal) -> None:
    context.masm.jump(context.trap(Trap.INDEX))


def load_raw(kind: Kind) -> Callable[[Context, i.CallInternal], None]:
    def emit(context: Context, insn: i.CallInternal) -> None:
        address = Register(context.frame.read(insn.args[0], context.work[0]))
        target = context.frame.target(insn.dst, context.work[0])
        context.masm.load(kind, target, address, 0)
        context.frame.written(insn.dst, target)

    return emit


def store_raw(kind: Kind) -> Callable[[Context, i.CallInternal], None]:
    def emit(context: Context, insn: i.CallInternal) -> None:
        address = Register(context.frame.read(insn.args[0], context.work[0]))
        value = context.frame.read(insn.args[1], context.work[1])
        context.masm.store(kind, value, address, 0)

    return emit


def copy_reference(context: Context, insn: i.CallInternal) -> None:
    """`addressOf` and `fromAddress`: a reference is its address."""
    context.frame.written(insn.dst, context.frame.read(insn.args[0], context.work[0]))


def thread_address(context: Context, insn: i.CallInternal) -> None:
    context.frame.written(insn.dst, context.masm.thread)


def frame_pointer(context: Context, insn: i.CallInternal) -> None:
    work = context.work[0]
    context.masm.move(Kind.LONG, work, context.masm.frame_pointer)
    context.frame.written(insn.dst, work)


INLINE: Final[dict[str, Callable[[Context, i.CallInternal], None]]] = {
    "Str.len": text_length,
    "Str.getByte": text_byte,
    "outOfBounds": out_of_bounds,
    "loadByte": load_raw(Kind.BYTE),
    "loadInt": load_raw(Kind.INT),
    "loadLong": load_raw(Kind.LONG),
    "storeByte": store_raw(Kind.BYTE),
    "storeInt": store_raw(Kind.INT),
    "storeLong": store_raw(Kind.LONG),
    "addressOf": copy_reference,
    "fromAddress": copy_reference,
    "threadAddress": thread_address,
    "framePointer": frame_pointer,
}
