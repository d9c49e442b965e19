"""Control flow: jumps, branches, exceptions, leaving; and moves and constants.

Compute      r6, int.less    (nothing: the branch compares)
BranchIf     r6, loop        cmp edi, r9d; jl loop
"""

from __future__ import annotations

from math import copysign

from doralang.baseline.context import FunctionCompilation, LoopPoll
from doralang.baseline.emitters import emits
from doralang.baseline.frame import Constant
from doralang.baseline.objects import checked_reference
from doralang.baseline.primitives import COMPARISONS
from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import NO_REGISTER, Instruction
from doralang.bytecode.instructions import Register as Virtual
from doralang.code import layout
from doralang.code.symbols import NUMBER, Symbol
from doralang.machine.macro import Condition
from doralang.machine.operations import EQUAL, NOT_EQUAL
from doralang.machine.values import float_pattern, pattern64
from doralang.types.kinds import BOOL, FLOATING, INT, LONG, REF, Kind
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SHORT: Final = 1 << 16
"""numbers from here on, and from its negative down, are kept out of the code that may not have them"""

# Moves and constants.


@emits(i.Move)
def move(context: FunctionCompilation, insn: i.Move) -> None:
    frame = context.frame
    if insn.src in frame.constants:
        frame.constants[insn.dst] = frame.constants[insn.src]
        frame.where[insn.dst] = None
        frame.forget(insn.dst)
        return
    kind = frame.kinds[insn.dst]
    checked = insn.src in frame.not_nil
    work = context.float_work[0] if kind in FLOATING else context.work[0]
    frame.written(insn.dst, frame.read(insn.src, frame.target(insn.dst, work)))
    if checked:
        frame.not_nil.add(insn.dst)


@emits(i.LoadConstant)
def load_constant(context: FunctionCompilation, insn: i.LoadConstant) -> None:
    frame, register = context.frame, insn.dst
    value = insn.value
    if value is None:
        value = 0
        frame.forget(register)
    if context.environment.hides_numbers and is_long(frame.kinds[register], value):
        load_hidden(context, register, value)
        return
    frame.constants[register] = value
    frame.where[register] = None


def is_long(kind: Kind, value: Constant) -> bool:
    """Whether a number is so long that somebody could make instructions of it."""
    if kind in FLOATING:
        return value != 0 or copysign(1, value) < 0
    return not -SHORT <= value < SHORT


def number_of(kind: Kind, value: Constant) -> Symbol:
    """The symbol of a word with a number in it."""
    if kind in FLOATING:
        return Symbol(NUMBER, f"{int.from_bytes(float_pattern(kind, value), 'little'):x}")
    return Symbol(NUMBER, f"{pattern64(int(value)):x}")


def load_hidden(context: FunctionCompilation, register: Virtual, value: Constant) -> None:
    """Load a number from beside the code."""
    frame, kind = context.frame, context.frame.kinds[register]
    target = frame.target(register, context.float_work[0] if kind in FLOATING else context.work[0])
    context.masm.load_near(context.work[0], number_of(kind, value))
    context.masm.load(kind, target, context.work[0], 0)
    frame.written(register, target)


# Branches.


def fuses(insn: Instruction, branch: i.BranchIf | i.BranchUnless, live: int) -> bool:
    """Whether an instruction is a comparison that is only made for the branch behind it."""
    return (
        type(insn) is i.Compute
        and insn.dst == branch.condition
        and insn.operation.name in COMPARISONS
        and not live >> insn.dst & 1
    )


@emits(i.Goto)
def goto(context: FunctionCompilation, insn: i.Goto) -> None:
    if insn.target != context.index + 1:
        context.masm.jump(context.labels[insn.target])


@emits(i.BranchIf)
def branch_if(context: FunctionCompilation, insn: i.BranchIf) -> None:
    branch(context, insn, NOT_EQUAL)


@emits(i.BranchUnless)
def branch_unless(context: FunctionCompilation, insn: i.BranchUnless) -> None:
    branch(context, insn, EQUAL)


def branch(context: FunctionCompilation, insn: i.BranchIf | i.BranchUnless, condition: Condition) -> None:
    value = context.frame.read(insn.condition, context.work[0])
    context.masm.branch_immediate(BOOL, condition, value, 0, context.labels[insn.target])


@emits(i.BranchEqual)
def branch_equal(context: FunctionCompilation, insn: i.BranchEqual) -> None:
    value, label = context.frame.read(insn.value, context.work[0]), context.labels[insn.target]
    assert isinstance(insn.constant, int), "that is what cases are told apart by"
    if context.environment.hides_numbers and is_long(INT, insn.constant):
        context.masm.load_near(context.work[1], number_of(INT, insn.constant))
        context.masm.branch_memory(INT, EQUAL, value, context.work[1], 0, label)
        return
    context.masm.branch_immediate(INT, EQUAL, value, insn.constant, label)


@emits(i.Poll)
def poll(context: FunctionCompilation, insn: i.Poll) -> None:
    context.poll(context.place, LoopPoll(context.index, context.frame.constants.copy()))


# Exceptions.


@emits(i.CheckException)
def check_exception(context: FunctionCompilation, insn: i.CheckException) -> None:
    masm, label = context.masm, context.labels[insn.target]
    masm.branch_memory_immediate(LONG, NOT_EQUAL, masm.thread, layout.THREAD_EXCEPTION, 0, label)


@emits(i.TakeException)
def take_exception(context: FunctionCompilation, insn: i.TakeException) -> None:
    masm = context.masm
    target = context.frame.target(insn.dst, context.work[0])
    masm.load(REF, target, masm.thread, layout.THREAD_EXCEPTION)
    masm.store_constant(LONG, 0, masm.thread, layout.THREAD_EXCEPTION)
    context.frame.written(insn.dst, target)


@emits(i.SetException)
def set_exception(context: FunctionCompilation, insn: i.SetException) -> None:
    value = checked_reference(context, insn.value, context.work[0], insn.nonnil)
    context.masm.store(REF, value, context.masm.thread, layout.THREAD_EXCEPTION)


@emits(i.LeaveException)
def leave_exception(context: FunctionCompilation, insn: i.LeaveException) -> None:
    masm, work = context.masm, context.work[0]
    if context.function.ref.throws:
        masm.epilogue()
        return
    masm.load_constant(LONG, work, 0)
    if insn.line != NO_REGISTER:
        context.frame.read_into(insn.line, work)
    masm.store(LONG, work, masm.thread, layout.THREAD_ARGUMENT)
    masm.jump(context.trap(Trap.UNCAUGHT))


# Leaving.


@emits(i.Return)
def return_value(context: FunctionCompilation, insn: i.Return) -> None:
    masm = context.masm
    if insn.value != NO_REGISTER:
        floating = context.frame.kinds[insn.value] in FLOATING
        context.frame.read_into(insn.value, masm.float_result if floating else masm.result)
    masm.epilogue()


@emits(i.Trap)
def trap(context: FunctionCompilation, insn: i.Trap) -> None:
    context.masm.jump(context.trap(insn.kind))
