"""Control flow: jumps, branches, exceptions, leaving; and moves and constants.

Compute      r6, int.less    (nothing: the branch compares)
BranchIf     r6, loop        cmp edi, r9d; jl loop
"""

from __future__ import annotations

from doralang.baseline.context import FunctionCompilation, LoopPoll
from doralang.baseline.emitters import emits
from doralang.baseline.objects import checked_reference
from doralang.baseline.primitives import COMPARISONS
from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import NO_REGISTER, Instruction
from doralang.code import layout
from doralang.machine.macro import Condition
from doralang.machine.operations import EQUAL, NOT_EQUAL
from doralang.types.kinds import BOOL, FLOATING, INT, LONG, REF
from doralang.types.traps import Trap

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
    frame.constants[register] = value
    frame.where[register] = None


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
    context.masm.branch_immediate(INT, EQUAL, value, insn.constant, label)  # type: ignore[arg-type]


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
