"""Code for slices: memory that others lend for the time of one call (`library/prelude/slices.dora`).

xs[i]      call of the slice = call of the instance, i < length, both or failure 102
           load [address + i * stride]

A slice of another call is one without elements.  Elements are where others have put them: they need not stand
close, and a `bool` may be any byte.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.baseline.context import FunctionCompilation
from doralang.baseline.objects import checked_reference, read_reference, work_for
from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import Register as Virtual
from doralang.code import layout
from doralang.machine.macro import AnyRegister, BinaryOperation, Register
from doralang.machine.operations import ABOVE_EQUAL, EQUAL, NOT_EQUAL
from doralang.types.kinds import BOOL, CHAR, INT, LONG, REF, Kind
from doralang.types.traps import Trap
from doralang.typing_forms import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NEVER_LENT: Final = (CHAR, REF, None)
"""kinds of which there are no slices with elements"""


def slice_length(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """0 in any other call: the length, masked by whether it is the same one."""
    masm, (work, mask, call) = context.masm, context.work
    slice = checked_reference(context, insn.args[0], work, insn.nonnil)
    masm.load(LONG, mask, masm.thread, layout.THREAD_CALLS)
    masm.load(LONG, call, slice, layout.SLICE_CALL)
    masm.compare(LONG, EQUAL, mask, mask, call)
    masm.negate(INT, mask, mask)
    masm.binary_memory(BinaryOperation.AND, INT, mask, mask, slice, layout.SLICE_LENGTH)
    context.frame.written(insn.dst, mask)


def slice_get(context: FunctionCompilation, insn: i.CallInternal) -> None:
    kind = insn.function.result
    slice = checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
    if kind is None or kind in NEVER_LENT:
        context.masm.jump(context.trap(Trap.INDEX))
        return
    load_lent(context, insn.dst, kind, element_address(context, slice, insn))


def slice_set(context: FunctionCompilation, insn: i.CallInternal) -> None:
    kind = context.frame.kinds[insn.args[2]]
    slice = checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
    if kind in NEVER_LENT:
        context.masm.jump(context.trap(Trap.INDEX))
        return
    address = element_address(context, slice, insn)
    value = context.frame.read(insn.args[2], work_for(context, kind))
    context.masm.store(kind, value, address, 0)


def lent_element(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """An element by its address, of which is known that it is there.

    It is known of the branch that ends a loop, which the processor guesses: where indexes are masked, so is
    that of this element.
    """
    kind = insn.function.result
    address, slice, index = insn.args
    if kind is None or kind in NEVER_LENT:
        context.masm.jump(context.trap(Trap.INDEX))
    elif context.environment.masks_indexes:
        elements = read_reference(context, slice, context.work[0])
        load_lent(context, insn.dst, kind, address_behind_check(context, elements, index))
    else:
        load_lent(context, insn.dst, kind, context.frame.read(address, context.work[0]))


def element_address(context: FunctionCompilation, slice: Register, insn: i.CallInternal) -> Register:
    """Where an element is, in the last work register, behind the checks.  Loses the second."""
    masm, frame, call = context.masm, context.frame, context.work[2]
    if insn.args[0] not in frame.lent:
        masm.load(LONG, call, masm.thread, layout.THREAD_CALLS)
        masm.branch_memory(LONG, NOT_EQUAL, call, slice, layout.SLICE_CALL, context.trap(Trap.INDEX))
        frame.lent |= frame.not_nil & {insn.args[0]}
    return address_behind_check(context, slice, insn.args[1])


def address_behind_check(context: FunctionCompilation, slice: Register, index: Virtual) -> Register:
    """The same, of a slice of the present call."""
    masm, frame, (_, work, address) = context.masm, context.frame, context.work
    outside = context.trap(Trap.INDEX)
    value = frame.read(index, work)
    if context.environment.masks_indexes:
        masm.mask_index(work, value, slice, layout.SLICE_LENGTH, outside)
        mask_by_call(context, work, slice)
        value = work
    else:
        masm.branch_memory(INT, ABOVE_EQUAL, value, slice, layout.SLICE_LENGTH, outside)
    # To ask first whether elements stand close, and do without the product, takes as long.
    masm.convert(INT, LONG, address, value)
    masm.binary_memory(BinaryOperation.MUL, LONG, address, address, slice, layout.SLICE_STRIDE)
    masm.binary_memory(BinaryOperation.ADD, LONG, address, address, slice, layout.SLICE_ADDRESS)
    return address


def mask_by_call(context: FunctionCompilation, index: Register, slice: Register) -> None:
    """The index is 0 in any other call, as the processor may guess that check wrongly, too.  Loses the last
    work register."""
    masm, mask = context.masm, context.work[2]
    masm.load(LONG, mask, slice, layout.SLICE_CALL)
    with masm.scratch() as calls:
        masm.load(LONG, calls, masm.thread, layout.THREAD_CALLS)
        masm.compare(LONG, EQUAL, mask, mask, calls)
    masm.negate(LONG, mask, mask)
    masm.binary(BinaryOperation.AND, LONG, index, index, mask)


# Elements that stand together, of loops that are cut into strips.  There are none where indexes are masked.


def lent_together(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """The address, masked by whether the stride is the size."""
    masm, (work, mask, size) = context.masm, context.work
    slice = checked_reference(context, insn.args[0], work, insn.nonnil)
    masm.load(LONG, mask, slice, layout.SLICE_STRIDE)
    masm.compare(LONG, EQUAL, mask, mask, context.frame.read(insn.args[1], size))
    masm.negate(LONG, mask, mask)
    masm.binary_memory(BinaryOperation.AND, LONG, mask, mask, slice, layout.SLICE_ADDRESS)
    context.frame.written(insn.dst, mask)


def lent_at(context: FunctionCompilation, insn: i.CallInternal) -> None:
    kind = insn.function.result
    assert kind is not None and kind not in NEVER_LENT, "it is an element"
    address, index = (context.frame.read(*one) for one in zip(insn.args, context.work, strict=False))
    target = context.frame.target(insn.dst, work_for(context, kind))
    context.masm.load_indexed(kind, target, address, index, layout.SIZES[kind], 0)
    loaded(context, insn.dst, kind, target)


def set_lent_at(context: FunctionCompilation, insn: i.CallInternal) -> None:
    kind, frame = context.frame.kinds[insn.args[2]], context.frame
    address, index = (frame.read(*one) for one in zip(insn.args[:2], context.work, strict=False))
    value = frame.read(insn.args[2], work_for(context, kind, 2))
    context.masm.store_indexed(kind, value, address, index, layout.SIZES[kind], 0)


def load_lent(context: FunctionCompilation, dst: Virtual, kind: Kind, address: Register) -> None:
    target = context.frame.target(dst, work_for(context, kind))
    context.masm.load(kind, target, address, 0)
    loaded(context, dst, kind, target)


def loaded(context: FunctionCompilation, dst: Virtual, kind: Kind, target: AnyRegister) -> None:
    """An element has been loaded; a `bool` is true if its byte is not 0."""
    if kind is BOOL:
        byte = cast(Register, target)
        context.masm.compare_immediate(INT, NOT_EQUAL, byte, byte, 0)
    context.frame.written(dst, target)


SLICES: Final[dict[str, Callable[[FunctionCompilation, i.CallInternal], None]]] = {
    "LentElements.len": slice_length,
    "LentElements.get": slice_get,
    "MutSlice.set": slice_set,
    "lentElement": lent_element,
    "lentTogether": lent_together,
    "lentAt": lent_at,
    "setLentAt": set_lent_at,
}
