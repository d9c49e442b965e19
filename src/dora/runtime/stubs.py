"""The few pieces of machine code that are written by hand, with the macro assembler.

    enter      the host calls it: switches to the instance's stack, calls a function, notes its result
    compile    an entry cell's first content: has the function compiled, and goes on in it
    attention  somebody wants the program to look up, or the stack is full
    allocate   the allocation buffer is full
    trap:…     a failure
    upcall:…   an internal function that Python supplies
    callByName a function found by its name at run time

All but `enter` leave Dora code through `upcall`: back on the host's stack, the one Python object in the
thread block is called, which finds the reason there.  If it raises, the stub cuts back to `enter`,
whose caller finds the exception set.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from dora.machine.buffer import Code
from dora.machine.macro import Condition, MacroAssembler
from dora.runtime import layout
from dora.types.traps import Trap
from dora.types.types import Kind

LONG, DOUBLE = Kind.LONG, Kind.DOUBLE

INTEGER_ARGUMENTS: Final = 5
"""integer arguments that `enter` and upcalls pass in registers, the thread block not counted"""
FLOAT_ARGUMENTS: Final = 8
FLOATS_AT: Final = 64
"""where the float arguments begin in the block of arguments that `enter` gets"""


class Reason(IntEnum):
    """Why Dora code calls up."""

    COMPILE = 0
    ATTENTION = 1
    ALLOCATE = 2
    INTERNAL = 3
    FIND = 4
    TRAP = 16
    """plus the index of the trap"""


TRAPS: Final = tuple(Trap)


def enter(masm: MacroAssembler) -> None:
    """enter(thread, code, arguments): call `code` on the instance's stack.

    `arguments` points to `INTEGER_ARGUMENTS` words, and at `FLOATS_AT` to `FLOAT_ARGUMENTS` doubles.
    """
    kept = masm.callee_saved
    masm.prologue((*kept, masm.thread))
    masm.set_frame_size(0)
    code, arguments = kept[0], kept[1]
    masm.move(LONG, masm.thread, masm.arguments[0])
    masm.move(LONG, code, masm.arguments[1])
    masm.move(LONG, arguments, masm.arguments[2])
    masm.store(LONG, masm.stack_pointer, masm.thread, layout.THREAD_HOST_STACK)
    masm.store(LONG, masm.frame_pointer, masm.thread, layout.THREAD_HOST_FRAME)
    for index in range(INTEGER_ARGUMENTS):
        masm.load(LONG, masm.arguments[index + 1], arguments, layout.WORD * index)
    for index in range(FLOAT_ARGUMENTS):
        masm.load(DOUBLE, masm.float_arguments[index], arguments, FLOATS_AT + layout.WORD * index)
    masm.load(LONG, masm.stack_pointer, masm.thread, layout.THREAD_STACK_TOP)
    masm.load_constant(LONG, masm.frame_pointer, 0)
    masm.call(code)
    masm.store(LONG, masm.result, masm.thread, layout.THREAD_RESULT)
    masm.store(DOUBLE, masm.float_result, masm.thread, layout.THREAD_FLOAT_RESULT)
    leave(masm)


def leave(masm: MacroAssembler) -> None:
    """Back to the host, from wherever Dora code is."""
    masm.load(LONG, masm.stack_pointer, masm.thread, layout.THREAD_HOST_STACK)
    masm.load(LONG, masm.frame_pointer, masm.thread, layout.THREAD_HOST_FRAME)
    masm.epilogue()


def cut(masm: MacroAssembler) -> None:
    """Where upcalls go when Python has raised an exception: takes down the frame of `enter`."""
    start = masm.label()
    masm.jump(start)  # the prologue below is never run; it only describes that frame
    masm.prologue((*masm.callee_saved, masm.thread))
    masm.set_frame_size(0)
    masm.bind(start)
    leave(masm)


def upcall(masm: MacroAssembler, reason: int, frame_size: int, *, keeps_argument: bool = False) -> None:
    """Call Python on the host's stack; the frame's prologue has run and what matters is saved in it."""
    if not keeps_argument:
        masm.store(LONG, masm.temporaries[1], masm.thread, layout.THREAD_ARGUMENT)
    masm.store_constant(LONG, reason, masm.thread, layout.THREAD_REASON)
    masm.store(LONG, masm.frame_pointer, masm.thread, layout.THREAD_LAST_FRAME)
    masm.load(LONG, masm.arguments[0], masm.thread, layout.THREAD_UPCALL)
    masm.load(LONG, masm.stack_pointer, masm.thread, layout.THREAD_HOST_STACK)
    masm.call_symbol("native:PyObject_CallNoArgs")
    masm.call_symbol("stub:returned")
    masm.load_address(masm.stack_pointer, masm.frame_pointer, -frame_size)


def returned(masm: MacroAssembler) -> None:
    """After an upcall, on the host's stack: drop the result, or cut back to the host if there is none."""
    failed = masm.label()
    masm.branch_immediate(LONG, Condition.EQUAL, masm.result, 0, failed)
    masm.move(LONG, masm.arguments[0], masm.result)
    masm.jump_symbol("native:Py_DecRef")
    masm.bind(failed)
    masm.jump_symbol("stub:cut")


def saving(masm: MacroAssembler, reason: int, *, everything: bool) -> int:
    """A frame that keeps argument registers, or all registers, over an upcall; returns its size."""
    integers = masm.temporaries if everything else masm.arguments[1:]
    floats = masm.float_temporaries if everything else masm.float_arguments
    size = layout.align(layout.WORD * (len(integers) + len(floats)), 16)
    masm.prologue()
    masm.set_frame_size(size)
    for index, register in enumerate(integers):
        masm.store(LONG, register, masm.frame_pointer, -layout.WORD * (index + 1))
    base = -layout.WORD * len(integers)
    for index, float_register in enumerate(floats):
        masm.store(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * (index + 1))
    upcall(masm, reason, size, keeps_argument=not everything)
    for index, register in enumerate(integers):
        masm.load(LONG, register, masm.frame_pointer, -layout.WORD * (index + 1))
    for index, float_register in enumerate(floats):
        masm.load(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * (index + 1))
    return size


def attention(masm: MacroAssembler) -> None:
    """Nothing that the program has in registers is lost."""
    saving(masm, Reason.ATTENTION, everything=True)
    masm.epilogue()


def compile_and_go_on(masm: MacroAssembler) -> None:
    """The number of the function is in the second work register; its arguments are in place."""
    masm.prologue()
    size = layout.align(layout.WORD * (len(masm.arguments) - 1 + len(masm.float_arguments)), 16)
    masm.set_frame_size(size)
    with masm.scratch() as number:
        masm.store(LONG, number, masm.thread, layout.THREAD_ARGUMENT)
    registers = masm.arguments[1:]
    for index, register in enumerate(registers):
        masm.store(LONG, register, masm.frame_pointer, -layout.WORD * (index + 1))
    base = -layout.WORD * len(registers)
    for index, float_register in enumerate(masm.float_arguments):
        masm.store(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * (index + 1))
    upcall(masm, Reason.COMPILE, size, keeps_argument=True)
    for index, register in enumerate(registers):
        masm.load(LONG, register, masm.frame_pointer, -layout.WORD * (index + 1))
    for index, float_register in enumerate(masm.float_arguments):
        masm.load(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * (index + 1))
    masm.leave_frame()
    with masm.scratch() as code:
        masm.load(LONG, code, masm.thread, layout.THREAD_RESULT)
        masm.move(LONG, masm.arguments[0], masm.thread)
        masm.jump_register(code)


def allocate(masm: MacroAssembler) -> None:
    """Size in the second work register; the address comes back in the first, the third is kept."""
    kept = masm.temporaries[2]
    masm.prologue()
    masm.set_frame_size(16)
    masm.store(LONG, kept, masm.frame_pointer, -layout.WORD)
    upcall(masm, Reason.ALLOCATE, 16)
    masm.load(LONG, kept, masm.frame_pointer, -layout.WORD)
    masm.load(LONG, masm.temporaries[0], masm.thread, layout.THREAD_RESULT)
    masm.epilogue()


def trap(index: int) -> Callable[[MacroAssembler], None]:
    """Never comes back.  The argument in the thread block may hold the line of an exception."""

    def emit(masm: MacroAssembler) -> None:
        masm.prologue()
        masm.set_frame_size(0)
        upcall(masm, Reason.TRAP + index, 0, keeps_argument=True)
        masm.trap()

    return emit


def internal(number: int, result: Kind | None) -> Callable[[MacroAssembler], None]:
    """An internal function: its integer arguments go into the thread block, its result comes from there."""

    def emit(masm: MacroAssembler) -> None:
        masm.prologue()
        masm.set_frame_size(0)
        for index in range(INTEGER_ARGUMENTS):
            place = layout.THREAD_ARGUMENTS + layout.WORD * index
            masm.store(LONG, masm.arguments[index + 1], masm.thread, place)
        masm.store_constant(LONG, number, masm.thread, layout.THREAD_ARGUMENT)
        upcall(masm, Reason.INTERNAL, 0, keeps_argument=True)
        masm.load(LONG, masm.result, masm.thread, layout.THREAD_RESULT)
        masm.epilogue()

    return emit


def call_by_name(masm: MacroAssembler) -> None:
    """Have the function found and go on in it, as if whoever called this had called it."""
    masm.prologue()
    masm.set_frame_size(0)
    masm.store(LONG, masm.arguments[1], masm.thread, layout.THREAD_ARGUMENT)
    upcall(masm, Reason.FIND, 0, keeps_argument=True)
    masm.leave_frame()
    with masm.scratch() as code:
        masm.load(LONG, code, masm.thread, layout.THREAD_RESULT)
        masm.move(LONG, masm.arguments[0], masm.thread)
        masm.jump_register(code)


def assemble(make: Callable[[], MacroAssembler], emit: Callable[[MacroAssembler], None]) -> Code:
    masm = make()
    emit(masm)
    return masm.finish()
