"""Calls: of functions through their entry cells, of virtual methods, of what the implementation supplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doralang.baseline.context import FunctionCompilation
from doralang.baseline.emitters import emits
from doralang.baseline.objects import checked_index, checked_reference
from doralang.baseline.raw import RAW
from doralang.baseline.slices import SLICES
from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import NO_REGISTER
from doralang.bytecode.instructions import Register as Virtual
from doralang.code import layout
from doralang.code.symbols import UPCALL, Symbol, entry_of
from doralang.machine.operations import EQUAL
from doralang.types.kinds import BOOL, BYTE, CHAR, FLOATING, INT, LONG, REF, Kind
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Saved = Sequence[Virtual]


def begin_call(context: FunctionCompilation, insn: i.Call | i.CallVirtual | i.CallInternal) -> Saved:
    """Save what the call loses; put the arguments where the callee expects them."""
    frame = context.frame
    saved = frame.save(context.index) if frame.saved else ()
    frame.pass_arguments(context.passing[insn.function.parameters], insn.args)
    return saved


def end_call(
    context: FunctionCompilation, insn: i.Call | i.CallVirtual | i.CallInternal, saved: Saved, address: int
) -> None:
    """Behind the call, which returns to `address`: restore, and take the result."""
    frame = context.frame
    context.point(address, frame.reference_slots(context.index) if frame.references else ())
    if frame.fresh:
        frame.fresh.clear()
    if saved:
        frame.restore(saved)
    result = insn.function.result
    if insn.dst != NO_REGISTER and result is not None:
        frame.written(insn.dst, context.masm.float_result if result in FLOATING else context.masm.result)


@emits(i.Call)
def call(context: FunctionCompilation, insn: i.Call) -> None:
    saved = begin_call(context, insn)
    end_call(context, insn, saved, context.masm.call_cell(entry_of(insn.function)))


@emits(i.CallVirtual)
def call_virtual(context: FunctionCompilation, insn: i.CallVirtual) -> None:
    """The receiver is looked at when it is in its argument register: checked for nil, then its method.

    The arguments are in place by then, perhaps in work registers, so the method goes to a scratch register.
    """
    masm, slot = context.masm, insn.function.slot
    assert slot is not None, f"{insn.function.name} is virtual"
    saved = begin_call(context, insn)
    receiver = masm.arguments[0]
    if not insn.nonnil and insn.args[0] not in context.frame.not_nil:
        masm.branch_immediate(REF, EQUAL, receiver, 0, context.trap(Trap.NIL))
        context.frame.not_nil.add(insn.args[0])
    with masm.scratch() as method:
        masm.load(LONG, method, receiver, layout.HEADER)
        masm.load(LONG, method, method, layout.method_offset(slot))
        address = masm.call_memory(method, 0)
    end_call(context, insn, saved, address)


# What the implementation supplies.


@emits(i.CallInternal)
def call_internal(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """Some are a few instructions; the others are functions of the library's heap files, or stubs."""
    key = insn.function.internal
    assert key is not None
    inline = INLINE.get(key)
    if inline is not None:
        inline(context, insn)
        return
    function = context.environment.internal(insn.function)
    masm, saved = context.masm, begin_call(context, insn)
    if function is not None:
        address = masm.call_cell(entry_of(function))
    else:
        address = call_python(context, Symbol(UPCALL, key), insn.function.result)
    end_call(context, insn, saved, address)


def call_python(context: FunctionCompilation, symbol: Symbol, result: Kind | None) -> int:
    """Call the stub of an internal function that Python supplies, whose result may not be clean."""
    masm = context.masm
    address = masm.call_near(symbol)
    if result in (BOOL, BYTE, CHAR, INT):
        masm.zero_extend(result, masm.result, masm.result)
    return address


def text_length(context: FunctionCompilation, insn: i.CallInternal) -> None:
    text = checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
    target = context.frame.target(insn.dst, context.work[0])
    context.masm.load(INT, target, text, layout.ARRAY_LENGTH)
    context.frame.written(insn.dst, target)


def text_byte(context: FunctionCompilation, insn: i.CallInternal) -> None:
    text = checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
    index = checked_index(context, text, insn.args[1])
    target = context.frame.target(insn.dst, context.work[0])
    context.masm.load_indexed(BYTE, target, text, index, 1, layout.ARRAY_ELEMENTS)
    context.frame.written(insn.dst, target)


def out_of_bounds(context: FunctionCompilation, insn: i.CallInternal) -> None:
    context.masm.jump(context.trap(Trap.INDEX))


def value_missing(context: FunctionCompilation, insn: i.CallInternal) -> None:
    context.masm.jump(context.trap(Trap.MISSING))


INLINE: Final[dict[str, Callable[[FunctionCompilation, i.CallInternal], None]]] = {
    "Str.len": text_length,
    "Str.getByte": text_byte,
    "outOfBounds": out_of_bounds,
    "valueMissing": value_missing,
    **SLICES,
    **RAW,
}
"""Internal functions that are a few instructions, by key."""
