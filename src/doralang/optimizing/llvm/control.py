"""Control flow: jumps, branches, exceptions, leaving; and moves and constants."""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.bytecode.instructions import NO_REGISTER
from doralang.code import layout
from doralang.optimizing.llvm.context import (
    MOSTLY,
    REFERENCE,
    FunctionLowering,
    entry_label,
    floating,
    passed_type,
)
from doralang.optimizing.llvm.emitters import lowers
from doralang.types.kinds import FLOATING, REF
from doralang.types.traps import Trap

# Moves and constants.


@lowers(i.Move)
def move(context: FunctionLowering, insn: i.Move) -> None:
    is_nil = insn.src in context.nil
    context.write(insn.dst, context.read(insn.src))
    if is_nil:
        context.nil.add(insn.dst)


@lowers(i.LoadConstant)
def load_constant(context: FunctionLowering, insn: i.LoadConstant) -> None:
    kind, value = context.kinds[insn.dst], insn.value
    if kind is REF:
        context.write(insn.dst, "null")
        context.nil.add(insn.dst)
    elif kind in FLOATING:
        assert value is not None, "numbers are never nil"
        context.write(insn.dst, floating(float(value)))
    else:
        context.write(insn.dst, str(int(value or 0)))


# Branches.


@lowers(i.Goto)
def goto(context: FunctionLowering, insn: i.Goto) -> None:
    context.jump(context.label_of(insn.target))


@lowers(i.BranchIf)
def branch_if(context: FunctionLowering, insn: i.BranchIf) -> None:
    further = context.label()
    context.branch(context.condition(insn.condition), context.label_of(insn.target), further)
    context.begin(further)


@lowers(i.BranchUnless)
def branch_unless(context: FunctionLowering, insn: i.BranchUnless) -> None:
    further = context.label()
    context.branch(context.condition(insn.condition), further, context.label_of(insn.target))
    context.begin(further)


@lowers(i.BranchEqual)
def branch_equal(context: FunctionLowering, insn: i.BranchEqual) -> None:
    further = context.label()
    constant = int(insn.constant or 0)
    bit = context.value(f"icmp eq i32 {context.read(insn.value)}, {constant}")
    context.branch(bit, context.label_of(insn.target), further)
    context.begin(further)


@lowers(i.Poll)
def poll(context: FunctionLowering, insn: i.Poll) -> None:
    context.poll(context.place)
    if context.index in context.polls_passed:
        context.begin(entry_label(context.index))


# Exceptions.


def exception(context: FunctionLowering) -> str:
    """The address of the pending exception."""
    return context.thread(layout.THREAD_EXCEPTION)


@lowers(i.CheckException)
def check_exception(context: FunctionLowering, insn: i.CheckException) -> None:
    pending = context.value(f"load {REFERENCE}, ptr {exception(context)}")
    further = context.label()
    bit = context.value(f"icmp eq {REFERENCE} {pending}, null")
    context.branch(bit, further, context.label_of(insn.target), MOSTLY)
    context.begin(further)


@lowers(i.TakeException)
def take_exception(context: FunctionLowering, insn: i.TakeException) -> None:
    place = exception(context)
    context.write(insn.dst, context.value(f"load {REFERENCE}, ptr {place}"))
    context.emit(f"store {REFERENCE} null, ptr {place}")


@lowers(i.SetException)
def set_exception(context: FunctionLowering, insn: i.SetException) -> None:
    value = context.checked(insn.value, insn.nonnil)
    context.emit(f"store {REFERENCE} {value}, ptr {exception(context)}")


@lowers(i.LeaveException)
def leave_exception(context: FunctionLowering, insn: i.LeaveException) -> None:
    if context.function.ref.throws:
        leave_without_value(context)
        return
    line = "0"
    if insn.line != NO_REGISTER:
        line = context.value(f"zext i32 {context.read(insn.line)} to i64")
    context.emit(f"store i64 {line}, ptr {context.thread(layout.THREAD_ARGUMENT)}")
    context.jump(context.trap(Trap.UNCAUGHT))


# Leaving.


def leave_without_value(context: FunctionLowering) -> None:
    """What is returned does not matter."""
    kind = context.function.ref.result
    if kind is None:
        context.emit("ret void")
    else:
        context.emit(
            f"ret {passed_type(kind)} {'0.0' if kind in FLOATING else 'null' if kind is REF else '0'}"
        )
    context.is_open = False


@lowers(i.Return)
def return_value(context: FunctionLowering, insn: i.Return) -> None:
    kind = context.function.ref.result
    if insn.value == NO_REGISTER or kind is None:
        leave_without_value(context)
        return
    context.emit(f"ret {passed_type(kind)} {context.passed(insn.value)}")
    context.is_open = False


@lowers(i.Trap)
def trap(context: FunctionLowering, insn: i.Trap) -> None:
    context.jump(context.trap(insn.kind))
