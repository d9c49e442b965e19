"""Code for the raw memory functions, which only the heap files of the library use.

storeLong(to + 8L, loadLong(from))      mov rax, [rsi]; mov [rdi + 8], rax
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.baseline.context import FunctionCompilation
from doralang.baseline.objects import allocate_array
from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import NO_REGISTER
from doralang.bytecode.instructions import Register as Virtual
from doralang.code import layout
from doralang.code.symbols import NATIVE, Symbol
from doralang.machine.macro import Register
from doralang.machine.operations import NOT_EQUAL
from doralang.types.kinds import BYTE, INT, LONG, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Emit = Callable[[FunctionCompilation, i.CallInternal], None]

NATIVE_ARGUMENTS: Final = 6
"""most arguments of `callNative…`"""


def read(context: FunctionCompilation, register: Virtual, number: int) -> Register:
    """The value of an integer, in its home or in the work register of this number."""
    frame = context.frame
    return frame.where[register] or frame.read(register, context.work[number])


def target(context: FunctionCompilation, insn: i.CallInternal) -> Register:
    """Where the result goes; `written` must follow."""
    return context.frame.target(insn.dst, context.work[0])


# Memory.


def load(kind: Kind) -> Emit:
    def emit(context: FunctionCompilation, insn: i.CallInternal) -> None:
        frame, work, register = context.frame, context.work[0], insn.args[0]
        result = frame.target(insn.dst, work)
        context.masm.load(kind, result, frame.where[register] or frame.read(register, work), 0)
        if frame.where[insn.dst] != result:
            frame.written(insn.dst, result)

    return emit


def store(kind: Kind) -> Emit:
    def emit(context: FunctionCompilation, insn: i.CallInternal) -> None:
        address, value = read(context, insn.args[0], 0), read(context, insn.args[1], 1)
        context.masm.store(kind, value, address, 0)

    return emit


def load_short(context: FunctionCompilation, insn: i.CallInternal) -> None:
    address, result = read(context, insn.args[0], 0), target(context, insn)
    context.masm.load_short(result, address, 0)
    context.frame.written(insn.dst, result)


def store_short(context: FunctionCompilation, insn: i.CallInternal) -> None:
    address, value = read(context, insn.args[0], 0), read(context, insn.args[1], 1)
    context.masm.store_short(value, address, 0)


def compare_and_swap(context: FunctionCompilation, insn: i.CallInternal) -> None:
    address, expected, value = (read(context, register, n) for n, register in enumerate(insn.args))
    result = target(context, insn)
    context.masm.compare_and_swap(result, address, 0, expected, value)
    context.frame.written(insn.dst, result)


def fence(context: FunctionCompilation, insn: i.CallInternal) -> None:
    context.masm.fence()


def copy_memory(context: FunctionCompilation, insn: i.CallInternal) -> None:
    for register, work in zip(insn.args, context.work, strict=True):
        context.frame.read_into(register, work)
    source, to, size = context.work
    context.masm.copy_memory(to, source, size)


def clear_memory(context: FunctionCompilation, insn: i.CallInternal) -> None:
    to, size, _ = context.work
    context.frame.read_into(insn.args[0], to)
    context.frame.read_into(insn.args[1], size)
    context.masm.clear_memory(to, size)


# Addresses.


def copy_reference(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """`addressOf` and `fromAddress`: a reference is its address."""
    context.frame.written(insn.dst, read(context, insn.args[0], 0))


def thread_address(context: FunctionCompilation, insn: i.CallInternal) -> None:
    context.frame.written(insn.dst, context.masm.thread)


def frame_pointer(context: FunctionCompilation, insn: i.CallInternal) -> None:
    work = context.work[0]
    context.masm.move(LONG, work, context.masm.frame_pointer)
    context.frame.written(insn.dst, work)


def attention_wanted(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """Whether the limit is not the one that the stack has."""
    masm, (limit, real, _) = context.masm, context.work
    masm.load(LONG, limit, masm.thread, layout.THREAD_LIMIT)
    masm.load(LONG, real, masm.thread, layout.THREAD_REAL_LIMIT)
    masm.compare(LONG, NOT_EQUAL, limit, limit, real)
    context.frame.written(insn.dst, limit)


def native_address(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """The name is the literal that the instruction before this one has loaded."""
    literal = context.function.code[context.index - 1]
    assert isinstance(literal, i.LoadText) and literal.dst == insn.args[0], "the name is a literal"
    result = target(context, insn)
    context.masm.load_symbol(result, Symbol(NATIVE, literal.text))
    context.frame.written(insn.dst, result)


# Calls and allocation.


def call_native(context: FunctionCompilation, insn: i.CallInternal) -> None:
    """By the C calling convention.  No collection can happen, so it is no GC point."""
    frame, masm = context.frame, context.masm
    saved = frame.save(context.index)
    function, passing = context.passing.natives[len(insn.args) - 1]
    frame.pass_arguments(passing, insn.args)
    masm.call(function)
    frame.restore(saved)
    if insn.dst != NO_REGISTER:
        frame.written(insn.dst, masm.result)


def new_text(context: FunctionCompilation, insn: i.CallInternal) -> None:
    allocate_array(context, insn.dst, context.environment.text_shape, insn.args[0], 1)


RAW: Final[dict[str, Emit]] = {
    "loadByte": load(BYTE),
    "loadShort": load_short,
    "loadInt": load(INT),
    "loadLong": load(LONG),
    "storeByte": store(BYTE),
    "storeShort": store_short,
    "storeInt": store(INT),
    "storeLong": store(LONG),
    "compareAndSwapLong": compare_and_swap,
    "fence": fence,
    "copyMemory": copy_memory,
    "clearMemory": clear_memory,
    "addressOf": copy_reference,
    "fromAddress": copy_reference,
    "threadAddress": thread_address,
    "framePointer": frame_pointer,
    "attentionWanted": attention_wanted,
    "nativeAddress": native_address,
    **{f"callNative{count}": call_native for count in range(NATIVE_ARGUMENTS + 1)},
    "newText": new_text,
}
