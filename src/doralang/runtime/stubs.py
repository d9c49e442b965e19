"""The few pieces of machine code that are written by hand, with the macro assembler.

    claim      a call into an instance begins, `release` ends it (`runtime.turns`)
    enter      the host calls it: switches to the instance's stack, calls a function, notes its result
    enterFree  the same, and others may run Python meanwhile
    compile    has a function compiled, and goes on in it; an entry cell leads there first
    attention  somebody wants the program to look up, or the stack is full
    allocate   the allocation buffer is full
    allocateForC  the same for code that calls as C does
    trap:…     a failure
    upcall:…   an internal function that Python supplies
    callByName a function found by its name at run time

All but those that the host calls leave Dora code through `upcall`: back on the host's stack, the one Python
object in the thread block is called, which finds the reason there.  If it raises, the stub cuts back to
where the host has entered, whose caller finds the exception set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from doralang.bytecode.entities import FunctionRef
from doralang.code import layout
from doralang.code.layout import Reason
from doralang.code.symbols import ALLOCATE, CALL_BY_NAME, NATIVE, STUB, Symbol, trap_of
from doralang.machine.code import Code
from doralang.machine.macro import Argument, BinaryOperation, Condition, MacroAssembler
from doralang.machine.targets import Target
from doralang.runtime import ticking, turns
from doralang.types.kinds import DOUBLE, FLOATING, LONG, Kind
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


def enter(masm: MacroAssembler, *, releases: bool = False) -> None:
    """enter(thread, code, arguments): call `code` on the instance's stack, with the GIL released or not.

    `arguments` points to a block: a word for each argument register, and at `layout.FLOATS_AT` the
    `layout.FLOAT_ARGUMENTS` doubles.  Arguments on the stack are there, from `THREAD_STACK_TOP` on.
    The chain of frames goes on with `THREAD_LAST_FRAME`, which is 0 unless an upcall enters again.
    """
    kept = masm.callee_saved
    masm.prologue((*kept, masm.thread))
    masm.set_frame_size(0)
    code, arguments = kept[0], kept[1]
    masm.move(LONG, masm.thread, masm.arguments[0])
    masm.move(LONG, code, masm.arguments[1])
    masm.move(LONG, arguments, masm.arguments[2])
    with masm.scratch() as stack:
        masm.move(LONG, stack, masm.stack_pointer)
        masm.store(LONG, stack, masm.thread, layout.THREAD_HOST_STACK)
    masm.store(LONG, masm.frame_pointer, masm.thread, layout.THREAD_HOST_FRAME)
    landing = masm.label()
    with masm.scratch() as place:
        masm.load_label(place, landing)
        masm.store(LONG, place, masm.thread, layout.THREAD_LANDING)
    if releases:
        release_gil(masm)
    for index, register in enumerate(masm.arguments):
        masm.load(LONG, register, arguments, layout.WORD * index)
    for index in range(layout.FLOAT_ARGUMENTS):
        masm.load(DOUBLE, masm.float_arguments[index], arguments, layout.FLOATS_AT + layout.WORD * index)
    switch_stack(masm, layout.THREAD_STACK_TOP)
    masm.load(LONG, masm.frame_pointer, masm.thread, layout.THREAD_LAST_FRAME)
    masm.call(code)
    masm.store(LONG, masm.result, masm.thread, layout.THREAD_RESULT)
    masm.store(DOUBLE, masm.float_result, masm.thread, layout.THREAD_FLOAT_RESULT)
    to_host(masm)
    take_gil(masm)
    masm.bind(landing)
    masm.epilogue()


def enter_free(masm: MacroAssembler) -> None:
    """For what runs long: an upcall takes the GIL, which is released again behind the next tick."""
    enter(masm, releases=True)


def switch_stack(masm: MacroAssembler, place: int) -> None:
    """Set the stack pointer from the thread block."""
    with masm.scratch() as stack:
        masm.load(LONG, stack, masm.thread, place)
        masm.move(LONG, masm.stack_pointer, stack)


def argument_place(masm: MacroAssembler, argument: Argument) -> int:
    """Where `enter` expects an argument: the number of a word in the block, or ~offset on the stack."""
    if argument.register is None:
        return ~argument.stack
    if argument.kind in (Kind.FLOAT, Kind.DOUBLE):
        return layout.FLOATS_AT // layout.WORD + masm.float_arguments.index(argument.register)
    return masm.arguments.index(argument.register)


def to_host(masm: MacroAssembler) -> None:
    """Back to the host's stack and frame, from wherever Dora code is."""
    switch_stack(masm, layout.THREAD_HOST_STACK)
    masm.load(LONG, masm.frame_pointer, masm.thread, layout.THREAD_HOST_FRAME)


def take_gil(masm: MacroAssembler) -> None:
    """On the host's stack: take the GIL back if it is released."""
    held = masm.label()
    state = masm.arguments[0]
    masm.load(LONG, state, masm.thread, layout.THREAD_GIL)
    masm.branch_immediate(LONG, Condition.EQUAL, state, 0, held)
    masm.store_constant(LONG, 0, masm.thread, layout.THREAD_GIL)
    masm.call_symbol(Symbol(NATIVE, "PyEval_RestoreThread"))
    masm.bind(held)


def release_gil(masm: MacroAssembler) -> None:
    """On the host's stack: let others run Python until `take_gil`."""
    masm.call_symbol(Symbol(NATIVE, "PyEval_SaveThread"))
    masm.store(LONG, masm.result, masm.thread, layout.THREAD_GIL)


def cut(masm: MacroAssembler) -> None:
    """Where upcalls go when Python has raised an exception: back to where the host has entered."""
    to_host(masm)
    take_gil(masm)
    with masm.scratch() as landing:
        masm.load(LONG, landing, masm.thread, layout.THREAD_LANDING)
        masm.jump_register(landing)


def upcall(masm: MacroAssembler, reason: int, frame_size: int, *, keeps_argument: bool = False) -> None:
    """Call Python on the host's stack; the frame's prologue has run and what matters is saved in it."""
    if not keeps_argument:
        masm.store(LONG, masm.temporaries[1], masm.thread, layout.THREAD_ARGUMENT)
    masm.store_constant(LONG, reason, masm.thread, layout.THREAD_REASON)
    masm.store(LONG, masm.frame_pointer, masm.thread, layout.THREAD_LAST_FRAME)
    switch_stack(masm, layout.THREAD_HOST_STACK)
    masm.call_symbol(Symbol(STUB, "python"))
    masm.load_address(masm.stack_pointer, masm.frame_pointer, -frame_size)


def python(masm: MacroAssembler) -> None:
    """On the host's stack: call the Python object; if it raises, cut back to the host."""
    failed = masm.label()
    masm.prologue()
    masm.set_frame_size(0)
    take_gil(masm)
    masm.load(LONG, masm.arguments[0], masm.thread, layout.THREAD_UPCALL)
    masm.call_symbol(Symbol(NATIVE, "PyObject_CallNoArgs"))
    masm.branch_immediate(LONG, Condition.EQUAL, masm.result, 0, failed)
    masm.move(LONG, masm.arguments[0], masm.result)
    masm.call_symbol(Symbol(NATIVE, "Py_DecRef"))
    masm.epilogue()
    masm.bind(failed)
    masm.jump_symbol(Symbol(STUB, "cut"))


class Saved:
    """Registers that a stub keeps in its frame, integers first, then floats."""

    def __init__(self, masm: MacroAssembler, *, everything: bool) -> None:
        self.masm = masm
        self.integers = masm.temporaries if everything else masm.arguments
        self.floats = masm.float_temporaries if everything else masm.float_arguments
        self.size = layout.align(layout.WORD * (len(self.integers) + len(self.floats)), 16)

    def store(self) -> None:
        masm, base = self.masm, -layout.WORD * len(self.integers)
        for index, register in enumerate(self.integers, 1):
            masm.store(LONG, register, masm.frame_pointer, -layout.WORD * index)
        for index, float_register in enumerate(self.floats, 1):
            masm.store(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * index)

    def load(self) -> None:
        masm, base = self.masm, -layout.WORD * len(self.integers)
        for index, register in enumerate(self.integers, 1):
            masm.load(LONG, register, masm.frame_pointer, -layout.WORD * index)
        for index, float_register in enumerate(self.floats, 1):
            masm.load(DOUBLE, float_register, masm.frame_pointer, base - layout.WORD * index)


def attention(masm: MacroAssembler) -> None:
    """The frame is below the limit.  Nothing that the program has in registers is lost.

    The stack may really be full: Python reports that.  Otherwise it was the ticker: each `THREAD_PATIENCE`th
    tick asks Python, which looks at signals and limits.  Behind every tick the GIL is released.
    """
    saved = Saved(masm, everything=True)
    masm.prologue()
    masm.set_frame_size(saved.size)
    saved.store()
    ask, release, done = masm.labels(3)
    work, caller = masm.temporaries[:2]
    masm.load(LONG, caller, masm.frame_pointer, 0)
    masm.load(LONG, work, masm.thread, layout.THREAD_REAL_LIMIT)
    masm.branch(LONG, Condition.BELOW, caller, work, ask)
    masm.store(LONG, work, masm.thread, layout.THREAD_LIMIT)
    masm.add_to_memory(LONG, 1, masm.thread, layout.THREAD_TICKS)
    masm.load(LONG, work, masm.thread, layout.THREAD_TICKS)
    masm.branch_memory(LONG, Condition.LESS, work, masm.thread, layout.THREAD_PATIENCE, release)
    masm.bind(ask)
    upcall(masm, Reason.ATTENTION, saved.size)
    masm.bind(release)
    masm.branch_memory_immediate(LONG, Condition.NOT_EQUAL, masm.thread, layout.THREAD_GIL, 0, done)
    switch_stack(masm, layout.THREAD_HOST_STACK)
    release_gil(masm)
    masm.load_address(masm.stack_pointer, masm.frame_pointer, -saved.size)
    masm.bind(done)
    saved.load()
    masm.epilogue()


def compile_first(target: Target, first: int, count: int) -> tuple[Code, list[int]]:
    """Where entry cells lead until their functions, with numbers from `first` on, are compiled.

    The code, and the place of each in it.  Of a number it has what is over `first`, so that but for one
    instruction all such blocks are alike, and most of them is assembled once.
    """
    masm = target.assembler()
    numbering, places = load_numbers(target, count)
    masm.append(numbering)
    with masm.scratch() as register:
        if first:
            masm.load_address(register, register, first)
        masm.jump_near(Symbol(STUB, "compile"))
    return masm.finish(), places


@cache
def load_numbers(target: Target, count: int) -> tuple[bytes, list[int]]:
    """The code that loads a number below `count` into the scratch register, and the place of each."""
    masm = target.assembler()
    places, end = [], masm.label()
    with masm.scratch() as register:
        for number in range(count):
            places.append(masm.position)
            masm.load_constant(LONG, register, number)
            masm.jump(end)
    masm.bind(end)
    return bytes(masm.finish().data), places


def compile_and_go_on(masm: MacroAssembler) -> None:
    """The number of the function is in the scratch register; its arguments are in place."""
    saved = Saved(masm, everything=False)
    masm.prologue()
    masm.set_frame_size(saved.size)
    with masm.scratch() as number:
        masm.store(LONG, number, masm.thread, layout.THREAD_ARGUMENT)
    saved.store()
    upcall(masm, Reason.COMPILE, saved.size, keeps_argument=True)
    saved.load()
    masm.leave_frame()
    with masm.scratch() as code:
        masm.load(LONG, code, masm.thread, layout.THREAD_RESULT)
        masm.jump_register(code)


def allocate(masm: MacroAssembler) -> None:
    """Size in the second work register; the address comes back in the first, the third is kept.

    The collector's function looks for room, which it may make by a collection; if it finds none, Python
    is told.
    """
    kept, found = masm.temporaries[2], masm.label()
    masm.prologue()
    masm.set_frame_size(16)
    masm.store(LONG, kept, masm.frame_pointer, -layout.WORD)
    masm.move(LONG, masm.arguments[0], masm.temporaries[1])
    masm.store(LONG, masm.arguments[0], masm.thread, layout.THREAD_ARGUMENT)
    with masm.scratch() as cell:
        masm.load(LONG, cell, masm.thread, layout.THREAD_ALLOCATE)
        masm.call_memory(cell, 0)
    masm.move(LONG, masm.temporaries[0], masm.result)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, masm.temporaries[0], 0, found)
    upcall(masm, Reason.ALLOCATE, 16, keeps_argument=True)
    masm.load(LONG, masm.temporaries[0], masm.thread, layout.THREAD_RESULT)
    masm.bind(found)
    masm.load(LONG, kept, masm.frame_pointer, -layout.WORD)
    masm.epilogue()


def allocate_for_c(masm: MacroAssembler) -> None:
    """The same by the C calling convention: the size is the argument, the address the result."""
    assert masm.result == masm.temporaries[0]
    masm.move(LONG, masm.temporaries[1], masm.arguments[0])
    masm.jump_near(ALLOCATE)


def fail(index: int) -> Callable[[MacroAssembler], None]:
    """Never comes back.  The argument in the thread block may hold the line of an exception."""

    def emit(masm: MacroAssembler) -> None:
        masm.prologue()
        masm.set_frame_size(0)
        upcall(masm, Reason.TRAP + index, 0, keeps_argument=True)
        masm.trap()

    return emit


def internal(number: int, function: FunctionRef) -> Callable[[MacroAssembler], None]:
    """An internal function: its arguments go into the frame, a word each; its result is in the thread."""

    def emit(masm: MacroAssembler) -> None:
        kinds = function.parameters
        arguments, _ = masm.call_layout(kinds)
        size = layout.align(layout.WORD * len(kinds), 16)
        masm.prologue()
        masm.set_frame_size(size)
        for index, (kind, argument) in enumerate(zip(kinds, arguments, strict=True)):
            store_argument(masm, kind, argument, layout.WORD * index - size)
        with masm.scratch() as start:
            masm.load_address(start, masm.frame_pointer, -size)
            masm.store(LONG, start, masm.thread, layout.THREAD_ARGUMENTS)
        masm.store_constant(LONG, number, masm.thread, layout.THREAD_ARGUMENT)
        upcall(masm, Reason.INTERNAL, size, keeps_argument=True)
        if function.result in FLOATING:
            masm.load(function.result, masm.float_result, masm.thread, layout.THREAD_RESULT)
        else:
            masm.load(LONG, masm.result, masm.thread, layout.THREAD_RESULT)
        masm.epilogue()

    return emit


def c_entry(function: FunctionRef, cell: Symbol) -> Callable[[MacroAssembler], None]:
    """A function for callers who know the platform's convention only; the thread block is the first argument.

    It keeps the caller's thread register, and lets the chain of Dora frames end here.  It stays on the
    caller's stack, so who calls it has entered the instance, or the function neither calls nor polls.
    """

    def emit(masm: MacroAssembler) -> None:
        frame = masm.callee_saved[0]
        (_, *given), _ = masm.call_layout((LONG, *function.parameters))
        wanted, size = masm.call_layout(function.parameters)
        masm.prologue((masm.thread, frame))
        masm.set_frame_size(size)
        masm.move(LONG, masm.thread, masm.arguments[0])
        for source, target in zip(given, wanted, strict=True):  # each by one down: the first goes first
            pass_on(masm, source, target)
        masm.move(LONG, frame, masm.frame_pointer)
        masm.load_constant(LONG, masm.frame_pointer, 0)
        masm.call_cell(cell)
        masm.move(LONG, masm.frame_pointer, frame)
        masm.epilogue()

    return emit


def pass_on(masm: MacroAssembler, source: Argument, target: Argument) -> None:
    """Bring an argument from where the caller of this frame put it to where the next callee expects it."""
    place, kind = masm.incoming_arguments + source.stack, source.kind if source.kind in FLOATING else LONG
    if source.register is not None:
        if source.register != target.register:
            assert target.register is not None, "what is behind fewer arguments has a register, too"
            masm.move(LONG, target.register, source.register)  # floats do not move
    elif target.register is not None:
        masm.load(kind, target.register, masm.frame_pointer, place)
    else:
        with masm.scratch() as work:
            masm.load(LONG, work, masm.frame_pointer, place)
            masm.store(LONG, work, masm.stack_pointer, target.stack)


def store_argument(masm: MacroAssembler, kind: Kind, argument: Argument, place: int) -> None:
    """Store an argument of the calling convention into the frame; the rest of its word is rubbish."""
    if argument.register is not None:
        masm.store(kind if kind in FLOATING else LONG, argument.register, masm.frame_pointer, place)
        return
    with masm.scratch() as work:
        masm.load(LONG, work, masm.frame_pointer, masm.incoming_arguments + argument.stack)
        masm.store(LONG, work, masm.frame_pointer, place)


def call_by_name(masm: MacroAssembler) -> None:
    """Have the function found and go on in it, as if whoever called this had called it."""
    masm.prologue()
    masm.set_frame_size(0)
    masm.store(LONG, masm.arguments[0], masm.thread, layout.THREAD_ARGUMENT)
    upcall(masm, Reason.FIND, 0, keeps_argument=True)
    masm.leave_frame()
    with masm.scratch() as code:
        masm.load(LONG, code, masm.thread, layout.THREAD_RESULT)
        masm.jump_register(code)


def walk(masm: MacroAssembler) -> None:
    """walk(frame, most, left): the frame that is `most` steps further out, or where the chain ends before.

    The word at `left` becomes the number of steps that were not gone.  A recursion without end has millions
    of frames, too many for Python.  Callers' frames are above those of their callees, and 0 is the last.
    """
    masm.prologue()
    masm.set_frame_size(0)
    frame, most, left = masm.arguments[:3]
    again, done, further = masm.label(), masm.label(), masm.temporaries[-1]
    assert further not in (frame, most, left)
    masm.bind(again)
    masm.branch_immediate(LONG, Condition.EQUAL, most, 0, done)
    masm.load(LONG, further, frame, 0)
    masm.branch(LONG, Condition.BELOW_EQUAL, further, frame, done)
    masm.move(LONG, frame, further)
    masm.binary_immediate(BinaryOperation.SUB, LONG, most, most, 1)
    masm.jump(again)
    masm.bind(done)
    masm.store(LONG, most, left, 0)
    masm.move(LONG, masm.result, frame)
    masm.epilogue()


def tally(masm: MacroAssembler) -> None:
    """tally(frame, table, end): count how often each return address is in the chain of frames.

    The table has pairs of words, an address and its count, which are zero at first.  The result is the frame
    at which the table was full, or 0 at the end of the chain.
    """
    masm.prologue()
    masm.set_frame_size(0)
    frame, table, end = masm.arguments[:3]
    address, cursor, entry = [one for one in masm.temporaries if one not in masm.arguments[:3]][:3]
    again, find, fresh, found, ended, done = masm.labels(6)
    masm.bind(again)
    masm.load(LONG, address, frame, layout.WORD)
    masm.move(LONG, cursor, table)
    masm.bind(find)
    masm.load(LONG, entry, cursor, 0)
    masm.branch(LONG, Condition.EQUAL, entry, address, found)
    masm.branch_immediate(LONG, Condition.EQUAL, entry, 0, fresh)
    masm.binary_immediate(BinaryOperation.ADD, LONG, cursor, cursor, 2 * layout.WORD)
    masm.branch(LONG, Condition.BELOW, cursor, end, find)
    masm.jump(done)
    masm.bind(fresh)
    masm.store(LONG, address, cursor, 0)
    masm.bind(found)
    masm.add_to_memory(LONG, 1, cursor, layout.WORD)
    masm.load(LONG, entry, frame, 0)
    masm.branch(LONG, Condition.BELOW_EQUAL, entry, frame, ended)
    masm.move(LONG, frame, entry)
    masm.jump(again)
    masm.bind(ended)
    masm.load_constant(LONG, frame, 0)
    masm.bind(done)
    masm.move(LONG, masm.result, frame)
    masm.epilogue()


def assemble(make: Callable[[], MacroAssembler], emit: Callable[[MacroAssembler], None]) -> Code:
    masm = make()
    emit(masm)
    return masm.finish()


STUBS: Final = {
    Symbol(STUB, "cut"): cut,
    Symbol(STUB, "python"): python,
    Symbol(STUB, "attention"): attention,
    Symbol(STUB, "compile"): compile_and_go_on,
    Symbol(STUB, "allocate"): allocate,
    Symbol(STUB, "allocateForC"): allocate_for_c,
    Symbol(STUB, "enter"): enter,
    Symbol(STUB, "enterFree"): enter_free,
    Symbol(STUB, "walk"): walk,
    Symbol(STUB, "tally"): tally,
    Symbol(STUB, "claim"): turns.claim,
    Symbol(STUB, "release"): turns.release,
    Symbol(STUB, "takeSpare"): turns.take_spare,
    Symbol(STUB, "addSpare"): turns.add_spare,
    Symbol(STUB, "ticker"): ticking.ticker,
    CALL_BY_NAME: call_by_name,
    **{trap_of(trap): fail(index) for index, trap in enumerate(Trap)},
}
"""all that do not depend on a program; each refers to others only that do not lead back to it"""


def emitter(symbol: tuple[str, str], *arguments: Any) -> Callable[[MacroAssembler], None]:
    """What makes a stub; for an internal function, with its number and itself.  Raises KeyError."""
    return internal(*arguments) if arguments else STUBS[symbol]  # type: ignore[index]
