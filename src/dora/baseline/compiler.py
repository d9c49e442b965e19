"""The second pass: bytecode to machine code, one method an instruction.

    for i in range(0, n) { sum = sum + a[i]; }     with a, i, n, sum at home in registers

    LoadElement  r5, a, i        test rsi, rsi; je nil; cmp edi, [rsi + 8]; jae bounds
                                 mov eax, [rsi + 4*rdi + 16]
    Compute      sum, int.plus   add r8d, eax
    …
    Compute      r6, int.less    (nothing: the branch compares)
    BranchIf     r6, loop        cmp edi, r9d; jl loop

What fails or is rare stands behind the body.  Every call has a GC point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dora.baseline import calls, objects
from dora.baseline.allocation import FLOATING, Pool, allocate
from dora.baseline.context import Context, Environment
from dora.baseline.frame import Frame
from dora.baseline.primitives import COMPARISONS, EMITTERS, branch_on
from dora.baseline.result import CompiledFunction
from dora.bytecode import instructions as i
from dora.bytecode.function import Function
from dora.bytecode.instructions import NO_REGISTER, Instruction, use_bits
from dora.bytecode.printer import print_instruction
from dora.machine.buffer import Label
from dora.machine.macro import Condition, MacroAssembler
from dora.runtime import layout
from dora.types.traps import Trap
from dora.types.types import Kind


def compile_function(
    function: Function, masm: MacroAssembler, environment: Environment, *, comments: bool = False
) -> CompiledFunction:
    """The machine code of a function; with `comments`, each instruction is named in the listing."""
    allocation = allocate(function, *pools(masm))
    frame = Frame(masm, function, allocation)
    compiler = Compiler(Context(masm, function, frame, environment))
    compiler.comments = comments
    compiler.run()
    masm.set_frame_size(frame.size)
    return CompiledFunction(function.ref, masm.finish(), compiler.context.points)


def pools(masm: MacroAssembler) -> tuple[Pool, Pool]:
    """The machine registers that can be homes: all but those that the compiler works with."""
    integers = Pool(masm.callee_saved, masm.temporaries[3:])
    return integers, Pool((), masm.float_temporaries[2:])


class Compiler:
    """Walks over the instructions of one function."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.masm = context.masm
        self.frame = context.frame
        self.function = context.function
        self.labels: dict[int, Label] = {}
        self.comments = False

    def run(self) -> None:
        liveness = self.frame.allocation.liveness
        self.enter()
        self.labels = {block.start: self.masm.label() for block in liveness.blocks}
        for block, live in zip(liveness.blocks, liveness.live_out, strict=True):
            self.masm.bind(self.labels[block.start])
            self.block(block.start, block.end - 1, live)

    def block(self, start: int, last: int, live: int) -> None:
        """The instructions from `start` to `last`; `live` are the registers needed behind them, as bits."""
        context, code, methods = self.context, self.function.code, METHODS
        fused = self.fuses(start, last, live)
        for index in range(start, last - fused):
            insn = code[index]
            context.index = index
            if self.comments:
                self.masm.comment(print_instruction(self.function, insn))
            methods[type(insn)](self, insn)
        insn = code[last]
        context.index = last - fused
        if self.comments:
            self.masm.comment(print_instruction(self.function, code[last - fused]))
        if fused:
            self.branch_on_comparison(code[last - 1], insn, live)
        elif insn.jumps or insn.ends:
            self.before_jump(insn, live)
            methods[type(insn)](self, insn)
        else:
            methods[type(insn)](self, insn)
            self.frame.flush(live)

    def enter(self) -> None:
        """Prologue, stack check, parameters."""
        masm, frame = self.masm, self.frame
        masm.prologue(tuple(frame.allocation.kept_used))  # type: ignore[arg-type]
        if not self.function.ref.raw:
            self.poll()
        places = masm.call_layout([Kind.LONG, *self.function.ref.parameters])
        frame.take_arguments(places.arguments)

    def poll(self) -> None:
        """Compare the frame with the limit: too deep, or somebody wants attention."""
        masm, context = self.masm, self.context
        slow, back = masm.label(), masm.label()
        masm.branch_memory(
            Kind.LONG, Condition.BELOW, masm.frame_pointer, masm.thread, layout.THREAD_LIMIT, slow
        )
        masm.bind(back)
        line = context.line

        def emit() -> None:
            masm.bind(slow)
            masm.comment(f"attention, line {line}")
            context.point(masm.call_symbol("stub:attention"), (), line)
            masm.jump(back)

        masm.out_of_line(emit)

    # Branches.

    def before_jump(self, insn: Instruction, live: int) -> None:
        """Constants that are needed where the code goes on must be made before the jump."""
        if not self.frame.constants or isinstance(insn, i.Return | i.LeaveException):
            return
        self.frame.flush(live | use_bits(insn))

    def fuses(self, start: int, last: int, live: int) -> bool:
        """Whether the block ends in a comparison that is only made for the branch behind it."""
        branch = self.function.code[last]
        if start == last or not isinstance(branch, i.BranchIf | i.BranchUnless):
            return False
        insn = self.function.code[last - 1]
        return (
            isinstance(insn, i.Compute)
            and insn.dst == branch.condition
            and insn.operation.name in COMPARISONS
            and not live >> insn.dst & 1
        )

    def branch_on_comparison(self, insn: Instruction, branch: Instruction, live: int) -> None:
        assert isinstance(insn, i.Compute) and isinstance(branch, i.BranchIf | i.BranchUnless)
        frame = self.frame
        if frame.constants:
            operands = {one: frame.constants[one] for one in insn.args if one in frame.constants}
            frame.flush(live)
            frame.constants.update({one: value for one, value in operands.items() if not live >> one & 1})
        branch_on(self.context, insn, self.labels[branch.target], isinstance(branch, i.BranchIf))
        frame.constants.clear()

    def goto(self, insn: i.Goto) -> None:
        if insn.target != self.context.index + 1:
            self.masm.jump(self.labels[insn.target])

    def branch_if(self, insn: i.BranchIf) -> None:
        self.branch(insn, Condition.NOT_EQUAL)

    def branch_unless(self, insn: i.BranchUnless) -> None:
        self.branch(insn, Condition.EQUAL)

    def branch(self, insn: i.BranchIf | i.BranchUnless, condition: Condition) -> None:
        value = self.frame.read(insn.condition, self.context.work[0])
        self.masm.branch_immediate(Kind.BOOL, condition, value, 0, self.labels[insn.target])  # type: ignore[arg-type]

    def branch_equal(self, insn: i.BranchEqual) -> None:
        value, label = self.frame.read(insn.value, self.context.work[0]), self.labels[insn.target]
        self.masm.branch_immediate(Kind.INT, Condition.EQUAL, value, insn.constant, label)  # type: ignore[arg-type]

    # Moves, constants, arithmetic.

    def move(self, insn: i.Move) -> None:
        frame = self.frame
        if insn.src in frame.constants:
            frame.constants[insn.dst] = frame.constants[insn.src]
            return
        kind = frame.kinds[insn.dst]
        work = self.context.float_work[0] if kind in FLOATING else self.context.work[0]
        frame.written(insn.dst, frame.read(insn.src, work))

    def load_constant(self, insn: i.LoadConstant) -> None:
        self.frame.constants[insn.dst] = insn.value

    def compute(self, insn: i.Compute) -> None:
        EMITTERS[insn.operation.name](self.context, insn)

    # Exceptions.

    def check_exception(self, insn: i.CheckException) -> None:
        self.masm.branch_memory_immediate(
            Kind.LONG,
            Condition.NOT_EQUAL,
            self.masm.thread,
            layout.THREAD_EXCEPTION,
            0,
            self.labels[insn.target],
        )

    def take_exception(self, insn: i.TakeException) -> None:
        target = self.frame.target(insn.dst, self.context.work[0])
        self.masm.load(Kind.REF, target, self.masm.thread, layout.THREAD_EXCEPTION)
        self.masm.store_constant(Kind.LONG, 0, self.masm.thread, layout.THREAD_EXCEPTION)
        self.frame.written(insn.dst, target)

    def set_exception(self, insn: i.SetException) -> None:
        value = objects.checked_reference(self.context, insn.value, self.context.work[0])
        self.masm.store(Kind.REF, value, self.masm.thread, layout.THREAD_EXCEPTION)

    def leave_exception(self, insn: i.LeaveException) -> None:
        if self.function.ref.throws:
            self.masm.epilogue()
            return
        masm, work = self.masm, self.context.work[0]
        masm.load_constant(Kind.LONG, work, 0)
        if insn.line != NO_REGISTER:
            self.frame.read_into(insn.line, work)
        masm.store(Kind.LONG, work, masm.thread, layout.THREAD_ARGUMENT)
        masm.jump(self.context.trap(Trap.UNCAUGHT))

    # Leaving.

    def poll_loop(self, insn: i.Poll) -> None:
        self.poll()

    def return_value(self, insn: i.Return) -> None:
        if insn.value != NO_REGISTER:
            floating = self.frame.kinds[insn.value] in FLOATING
            self.frame.read_into(insn.value, self.masm.float_result if floating else self.masm.result)
        self.masm.epilogue()

    def trap(self, insn: i.Trap) -> None:
        self.masm.jump(self.context.trap(insn.kind))


def on_context(emit: Callable[[Context, Any], None]) -> Callable[[Compiler, Any], None]:
    return lambda compiler, insn: emit(compiler.context, insn)


METHODS: Final[dict[type[Instruction], Callable[[Compiler, Any], None]]] = {
    i.Move: Compiler.move,
    i.LoadConstant: Compiler.load_constant,
    i.LoadText: on_context(objects.load_text),
    i.Compute: Compiler.compute,
    i.Same: on_context(objects.same),
    i.NewObject: on_context(objects.new_object),
    i.NewArray: on_context(objects.new_array),
    i.LoadField: on_context(objects.load_field),
    i.StoreField: on_context(objects.store_field),
    i.LoadElement: on_context(objects.load_element),
    i.StoreElement: on_context(objects.store_element),
    i.ArrayLength: on_context(objects.array_length),
    i.FillArray: on_context(objects.fill_array),
    i.LoadGlobal: on_context(objects.load_global),
    i.StoreGlobal: on_context(objects.store_global),
    i.IsInstance: on_context(objects.is_instance),
    i.CheckCast: on_context(objects.check_cast),
    i.CheckNil: on_context(objects.check_nil),
    i.Call: on_context(calls.call),
    i.CallVirtual: on_context(calls.call_virtual),
    i.CallInternal: on_context(calls.call_internal),
    i.CheckException: Compiler.check_exception,
    i.TakeException: Compiler.take_exception,
    i.SetException: Compiler.set_exception,
    i.LeaveException: Compiler.leave_exception,
    i.Goto: Compiler.goto,
    i.BranchIf: Compiler.branch_if,
    i.BranchUnless: Compiler.branch_unless,
    i.BranchEqual: Compiler.branch_equal,
    i.Poll: Compiler.poll_loop,
    i.Return: Compiler.return_value,
    i.Trap: Compiler.trap,
}
