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

from doralang.baseline import calls, control, objects, primitives
from doralang.baseline.allocation import Allocation, allocate
from doralang.baseline.context import FunctionCompilation
from doralang.baseline.convention import convention_of
from doralang.baseline.emitters import EMITTERS
from doralang.baseline.frame import SLOT, FrameLayout
from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction
from doralang.bytecode.liveness import Liveness
from doralang.code import layout
from doralang.code.environment import Environment
from doralang.code.objects import CodeObject
from doralang.machine.code import RangeError
from doralang.machine.macro import MacroAssembler
from doralang.machine.operations import BELOW
from doralang.machine.targets import Target
from doralang.optional import load
from doralang.text.records import record
from doralang.types.kinds import LONG
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.baseline.emitters import Emitter

MODULES: Final = (calls, control, objects, primitives)
"""that have emitters, in `EMITTERS` once they are loaded"""

SMALL_FRAME: Final = 8 << 10
"""Bytes: such a frame, another of a function that calls nobody, and what stubs need fit below the limit of
the stack (`runtime.stacks.STACK_RESERVE`).  Larger ones are compared with it before they are made."""


class LargeFrame(Exception):
    """A function turns out to need a larger frame than was told when its prologue was made."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


@record(eq=True, frozen=True)
class Options:
    """How one function is compiled."""

    comments: bool = False
    """whether each instruction is named in the listing"""
    breakpoint: bool = False
    """whether the code begins with one"""
    stops_at_polls: bool = False
    """whether each round of a loop asks for attention"""


PLAIN: Final = Options()


def compile_in_room(
    function: Function, masm: MacroAssembler, environment: Environment, options: Options, room: int
) -> tuple[CodeObject, FunctionCompilation]:
    """The machine code of a function, and what is known of its frame.

    Raises LargeFrame if its frame has more bytes than `room`, which is not less than SMALL_FRAME.
    """
    if options.breakpoint:
        masm.breakpoint()
    convention = convention_of(masm)
    allocation = allocate(function, convention)
    frame = FrameLayout(masm, function, allocation)
    context = FunctionCompilation(masm, function, convention, frame, environment)
    context.comments, context.stops_at_polls = options.comments, options.stops_at_polls
    enter(context, allocation, room)
    compile_blocks(context, allocation.liveness)
    context.emit_slow_paths()
    if frame.size > room:
        raise LargeFrame(frame.size)
    if room == SMALL_FRAME:
        masm.set_frame_size(frame.size)
    return CodeObject(function.ref, masm.finish(), context.points), context


def compile_for(
    target: Target, function: Function, environment: Environment, options: Options = PLAIN
) -> CodeObject:
    """The machine code of a function for a processor."""
    code, _ = compile_with_context(target, function, environment, options)
    return code


def compile_with_context(
    target: Target, function: Function, environment: Environment, options: Options = PLAIN
) -> tuple[CodeObject, FunctionCompilation]:
    """The same, and what is known of its frame.

    Made again with long branches if short ones do not reach, and with room for its frame if that is large.
    """
    far, room = False, SMALL_FRAME
    while True:
        masm = target.assembler(far)
        try:
            return compile_in_room(function, masm, environment, options, room)
        except RangeError:
            if far:
                raise
            far = True
        except LargeFrame as frame:
            room = frame.size


def enter(context: FunctionCompilation, allocation: Allocation, room: int) -> None:
    """Prologue, stack check, parameters."""
    ref, frame = context.function.ref, context.frame
    context.masm.prologue(allocation.kept_used)
    if room > SMALL_FRAME:
        make_large_frame(context, room + SLOT * len(allocation.kept_used))
    # Who calls nobody cannot be part of a recursion, and its caller's check serves it.
    if (allocation.across or context.environment.counts_fuel) and not ref.raw:
        context.poll(context.function.entry_line)
    if ref.parameters:
        passing = context.passing[ref.parameters]
        if frame.homes[: len(ref.parameters)] != passing.arrivals:
            frame.take_arguments(passing)


def make_large_frame(context: FunctionCompilation, size: int) -> None:
    """Move the stack pointer `size` bytes below the frame pointer, unless that is below the limit."""
    masm = context.masm
    masm.set_frame_size(0)
    with masm.scratch() as end:
        masm.load_address(end, masm.frame_pointer, -layout.align(size, 16))
        overflow = context.trap(Trap.STACK)
        masm.branch_memory(LONG, BELOW, end, masm.thread, layout.THREAD_REAL_LIMIT, overflow)
        masm.move(LONG, masm.stack_pointer, end)


CONDITIONAL: Final = frozenset([i.BranchIf, i.BranchUnless])


def compile_blocks(context: FunctionCompilation, liveness: Liveness) -> None:
    """The instructions, block by block.

    If the last one leaves the block, constants that are needed elsewhere are made before it.  A comparison
    before it that is only made for it becomes a part of it.
    """
    masm, frame, code, targets = context.masm, context.frame, context.function.code, context.function.targets
    emitters = COMMENTING if context.comments else EMITTERS
    if targets:
        context.labels = dict(zip(targets, masm.labels(len(targets)), strict=True))
    for (start, end, _), live in zip(liveness.blocks, liveness.live_out, strict=True):
        if start in targets:
            masm.bind(context.labels[start])
            frame.forget_checks()
        last = code[end - 1]
        body = end - 1 if last.leaves else end
        if type(last) in CONDITIONAL and start < body and control.fuses(code[body - 1], last, live):  # type: ignore[arg-type]
            body -= 1
        for index in range(start, body):
            context.index = index
            insn = code[index]
            emitters[type(insn)](context, insn)
        if live:
            frame.flush(live)
        if body < end:
            context.index = body
            if body == end - 1:
                emitters[type(last)](context, last)
            else:
                if context.comments:
                    comment(context)
                primitives.branch_on(context, code[body], last)
        if frame.constants:
            frame.forget_constants()


# Listings.


def comment(context: FunctionCompilation) -> None:
    """Name the present instruction in the listing."""
    insn = context.function.code[context.index]
    context.masm.comment(load("doralang.bytecode.printer").print_instruction(context.function, insn))


def commented(emit: Emitter) -> Emitter:
    """The emitter that names its instruction before."""

    def emit_with_comment(context: FunctionCompilation, insn: Instruction) -> None:
        comment(context)
        emit(context, insn)

    return emit_with_comment


COMMENTING: Final = {cls: commented(emit) for cls, emit in EMITTERS.items()}
