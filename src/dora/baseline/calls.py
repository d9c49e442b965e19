"""Calls: of functions through their entry cells, of virtual methods, of what the implementation supplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dora.baseline.allocation import FLOATING
from dora.baseline.context import Context
from dora.baseline.objects import checked_index, checked_reference
from dora.baseline.raw import RAW
from dora.bytecode import instructions as i
from dora.bytecode.instructions import NO_REGISTER
from dora.bytecode.instructions import Register as Virtual
from dora.machine.macro import AnyRegister, Condition
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


INLINE: Final[dict[str, Callable[[Context, i.CallInternal], None]]] = {
    "Str.len": text_length,
    "Str.getByte": text_byte,
    "outOfBounds": out_of_bounds,
    **RAW,
}
"""Internal functions that are a few instructions, by key."""
