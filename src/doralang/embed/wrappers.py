"""Wrappers: what CPython calls, one piece of machine code for each signature.

    vectorcall(self, args, count, names)

    names            keywords in the order of the parameters leave the arguments in order
    arguments        exact `int`, `float`, `bool`, `str` are read where they are; whatever else there is, a
                     keyword in another place, an object, a number that does not fit, goes to the function's
                     slow path in Python
    begin            the instance's turn, or the slow path, which says why not
    texts            copied into the allocation buffer; if it is full, the slow path, which may collect
    call             on a stack of Dora's, through the function's entry cell
    end              what was printed is written, the stack given back, the result made an object

If Python raises an exception below, the frames of Dora are cut away and `landing` ends the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from doralang.code import layout
from doralang.code.layout import Reason
from doralang.code.symbols import NATIVE, Symbol
from doralang.embed import layouts, native_calls
from doralang.embed.borders import Border
from doralang.embed.layouts import IntLayout, TextLayout
from doralang.embed.short_texts import copy_bytes, give_ascii
from doralang.machine.buffer import Label
from doralang.machine.code import Code
from doralang.machine.macro import BinaryOperation, Condition, FloatCondition, MacroAssembler, Register
from doralang.runtime import stubs, turns
from doralang.runtime.ticker import RUNNING
from doralang.types.kinds import DOUBLE, FLOATING, INT, LONG, Kind

LEAST_TOO_LARGE: Final = 3.4028235677973366e38
"""the least double that rounds to a float out of range"""


class Wrapped(NamedTuple):
    """A signature: how the arguments and the result cross the border."""

    parameters: tuple[Border, ...]
    result: Border


class Surroundings(NamedTuple):
    """What wrappers must know of the process."""

    ticker_state: int
    """the address of the word that says whether the ticker runs"""
    ints: IntLayout
    floats: bool
    """whether the layout of a `float` is known"""
    items: int | None
    """where a `tuple` has its items, if that is known"""
    texts: TextLayout | None


def can_wrap(wrapped: Wrapped, around: Surroundings) -> bool:
    """Whether there is a wrapper for a signature; else each call is a slow one."""
    floats = Border.FLOAT in wrapped.parameters or Border.DOUBLE in wrapped.parameters
    return (
        set(wrapped.parameters) <= {*TAKE, Border.TEXT}
        and wrapped.result in GIVE
        and (around.floats or not floats)
    )


def wrapper(masm: MacroAssembler, wrapped: Wrapped, around: Surroundings) -> Code:
    """The code for a signature."""
    Wrapper(masm, wrapped, around).emit()
    return masm.finish()


class Wrapper:
    """One wrapper in the making.

    The frame, downwards: the saved registers, the count, the names, a word for each argument, and a second
    one for texts: where their bytes are, while the first has their length.
    """

    def __init__(self, masm: MacroAssembler, wrapped: Wrapped, around: Surroundings) -> None:
        self.masm = masm
        self.wrapped = wrapped
        self.around = around
        self.saved = (*masm.callee_saved[:2], masm.thread)
        self.function, self.args, *self.preserved = masm.callee_saved
        """`preserved` are left alone here and by Dora's frames, but not by those that are cut away"""
        self.object, self.work, self.more = masm.temporaries[-3:]
        self.slow, self.slow_ended, self.landing = masm.labels(3)
        self.arguments, self.stack_size = masm.call_layout([border.kind for border in wrapped.parameters])

    def place(self, index: int) -> int:
        """The word of an argument in the frame; count and names are -2 and -1."""
        return -layout.WORD * (len(self.saved) + 3 + index)

    def second(self, index: int) -> int:
        return self.place(len(self.wrapped.parameters) + index)

    @property
    def room(self) -> int:
        """A word for what the collector's function has found."""
        return self.place(2 * len(self.wrapped.parameters) + 1)

    def place_of_preserved(self, index: int) -> int:
        return self.place(2 * len(self.wrapped.parameters) + 2 + index)

    def emit(self) -> None:
        masm, count = self.masm, len(self.wrapped.parameters)
        masm.prologue(self.saved)
        masm.set_frame_size(layout.align(layout.WORD * (4 + 2 * count + len(self.preserved)), 16))
        for index, register in enumerate(self.preserved):
            masm.store(LONG, register, masm.frame_pointer, self.place_of_preserved(index))
        self.take_arguments()
        masm.load(LONG, masm.thread, self.function, native_calls.THREAD)
        masm.branch_immediate(LONG, Condition.EQUAL, masm.thread, 0, self.slow)
        turns.begin(masm, self.slow, self.slow)
        masm.load_constant(LONG, self.work, self.around.ticker_state)
        masm.branch_memory_immediate(LONG, Condition.NOT_EQUAL, self.work, 0, RUNNING, self.slow_ended)
        for index, border in enumerate(self.wrapped.parameters):
            if border is Border.TEXT:
                self.copy_text(index)
        self.call()
        self.write_output()
        turns.end(masm)
        GIVE[self.wrapped.result](self)
        self.emit_slow_paths()

    def emit_slow_paths(self) -> None:
        masm = self.masm
        masm.bind(self.slow_ended)
        turns.end(masm)
        masm.bind(self.slow)
        masm.load(LONG, masm.arguments[0], self.function, native_calls.SLOW)
        masm.move(LONG, masm.arguments[1], self.args)
        masm.load(LONG, masm.arguments[2], masm.frame_pointer, self.place(-2))
        masm.load(LONG, masm.arguments[3], masm.frame_pointer, self.place(-1))
        masm.leave_frame()
        masm.jump_symbol(Symbol(NATIVE, "PyObject_Vectorcall"))
        masm.bind(self.landing)
        for index, register in enumerate(self.preserved):
            masm.load(LONG, register, masm.frame_pointer, self.place_of_preserved(index))
        turns.end_early(masm)
        masm.load_constant(LONG, masm.result, 0)
        masm.epilogue()

    # Arguments.

    def take_arguments(self) -> None:
        """Read all of them into the frame.  The upper bit of the count is a flag."""
        masm, arguments = self.masm, self.masm.arguments
        masm.move(LONG, self.function, arguments[0])
        masm.move(LONG, self.args, arguments[1])
        masm.store(LONG, arguments[2], masm.frame_pointer, self.place(-2))
        masm.store(LONG, arguments[3], masm.frame_pointer, self.place(-1))
        count, named, in_order = len(self.wrapped.parameters), masm.label(), masm.label()
        with_names = named if self.around.items is not None and count else self.slow
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, arguments[3], 0, with_names)
        masm.binary_immediate(BinaryOperation.SHIFT_LEFT, LONG, self.work, arguments[2], 1)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, self.work, 2 * count, self.slow)
        masm.bind(in_order)
        masm.out_of_line(lambda: self.look_at_names(named, in_order))
        for index, border in enumerate(self.wrapped.parameters):
            masm.load(LONG, self.object, self.args, layout.WORD * index)
            if border is Border.TEXT:
                self.take_text(index)
            else:
                TAKE[border](self, index)

    def look_at_names(self, named: Label, in_order: Label) -> None:
        """Keywords follow the positional arguments: are they the names of the parameters from there on?"""
        masm, items = self.masm, self.around.items
        masm.bind(named)
        if items is None:
            masm.jump(self.slow)
            return
        positional, names = masm.arguments[2], masm.arguments[3]
        left, mine, again = masm.temporaries[0], self.object, masm.label()
        masm.binary_immediate(BinaryOperation.SHIFT_LEFT, LONG, positional, positional, 1)
        masm.binary_immediate(BinaryOperation.UNSIGNED_SHIFT_RIGHT, LONG, positional, positional, 1)
        masm.load(LONG, left, names, layouts.TUPLE_SIZE)
        masm.binary(BinaryOperation.ADD, LONG, self.work, left, positional)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, self.work, len(self.wrapped.parameters), self.slow)
        masm.load(LONG, mine, self.function, native_calls.NAMES)
        masm.load_address_indexed(mine, mine, positional, layout.WORD, 0)
        masm.bind(again)
        masm.load(LONG, self.work, names, items)
        masm.branch_memory(LONG, Condition.NOT_EQUAL, self.work, mine, items, self.slow)
        for register in (names, mine):
            masm.binary_immediate(BinaryOperation.ADD, LONG, register, register, layout.WORD)
        masm.binary_immediate(BinaryOperation.SUB, LONG, left, left, 1)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, left, 0, again)
        masm.jump(in_order)

    def branch_type(self, name: str, condition: Condition, label: Label) -> None:
        """Go to a label if the object's type is (not) the one of this name.  Loses both work registers."""
        masm = self.masm
        masm.load(LONG, self.work, self.object, layouts.TYPE)
        masm.load_symbol(self.more, Symbol(NATIVE, name))
        masm.branch(LONG, condition, self.work, self.more, label)

    def read_int(self, index: int, fits: Callable[[], None]) -> None:
        """The value of an `int` in the first work register.  `fits` sees to large ones, which CPython
        reads."""
        masm = self.masm
        if self.around.ints is IntLayout.CALL:
            self.call_for_int(index)
            fits()
            return
        large, done = masm.labels(2)
        self.read_small_int(large)
        masm.bind(done)
        masm.out_of_line(lambda: self.read_large_int(index, large, done, fits))

    def read_small_int(self, large: Label) -> None:
        """size * digit, or (1 - sign) * digit."""
        masm, work, more = self.masm, self.work, self.more
        masm.load(LONG, work, self.object, layouts.INT_SIZE)
        if self.around.ints is IntLayout.SIZE:
            masm.binary_immediate(BinaryOperation.ADD, LONG, more, work, 1)
            masm.branch_immediate(LONG, Condition.ABOVE, more, 2, large)
        else:
            masm.branch_immediate(LONG, Condition.ABOVE_EQUAL, work, layouts.FIRST_LONG_TAG, large)
            masm.binary_immediate(BinaryOperation.AND, LONG, work, work, layouts.SIGN_MASK)
            masm.negate(LONG, work, work)
            masm.binary_immediate(BinaryOperation.ADD, LONG, work, work, 1)
        masm.load(INT, more, self.object, layouts.INT_DIGIT)
        masm.binary(BinaryOperation.MUL, LONG, work, work, more)

    def read_large_int(self, index: int, large: Label, done: Label, fits: Callable[[], None]) -> None:
        masm = self.masm
        masm.bind(large)
        self.call_for_int(index)
        fits()
        masm.jump(done)

    def call_for_int(self, index: int) -> None:
        """Let CPython read it; what does not fit 64 bits goes the slow way."""
        masm, place = self.masm, self.place(index)
        masm.move(LONG, masm.arguments[0], self.object)
        masm.load_address(masm.arguments[1], masm.frame_pointer, place)
        masm.call_symbol(Symbol(NATIVE, "PyLong_AsLongLongAndOverflow"))
        masm.branch_memory_immediate(INT, Condition.NOT_EQUAL, masm.frame_pointer, place, 0, self.slow)
        masm.move(LONG, self.work, masm.result)

    def take_long(self, index: int) -> None:
        self.branch_type("PyLong_Type", Condition.NOT_EQUAL, self.slow)
        self.read_int(index, lambda: None)
        self.keep(index)

    def take_int(self, index: int) -> None:
        self.branch_type("PyLong_Type", Condition.NOT_EQUAL, self.slow)
        self.read_int(index, self.must_be_int)
        self.keep(index)

    def must_be_int(self) -> None:
        """An `int` of one digit always is."""
        masm = self.masm
        masm.convert(INT, LONG, self.more, self.work)
        masm.branch(LONG, Condition.NOT_EQUAL, self.more, self.work, self.slow)

    def take_byte(self, index: int) -> None:
        self.take_long(index)
        self.masm.branch_immediate(LONG, Condition.ABOVE, self.work, 255, self.slow)

    def keep(self, index: int) -> None:
        self.masm.store(LONG, self.work, self.masm.frame_pointer, self.place(index))

    def take_bool(self, index: int) -> None:
        masm = self.masm
        known = masm.label()
        masm.load_symbol(self.more, Symbol(NATIVE, "_Py_TrueStruct"))
        masm.compare(LONG, Condition.EQUAL, self.work, self.object, self.more)
        self.keep(index)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, self.work, 0, known)
        masm.load_symbol(self.more, Symbol(NATIVE, "_Py_FalseStruct"))
        masm.branch(LONG, Condition.NOT_EQUAL, self.object, self.more, self.slow)
        masm.bind(known)

    def take_double(self, index: int) -> None:
        """A `float`, or a small `int`, which is exact."""
        masm = self.masm
        other, done, value = masm.label(), masm.label(), masm.float_temporaries[0]
        self.branch_type("PyFloat_Type", Condition.NOT_EQUAL, other)
        masm.load(DOUBLE, value, self.object, layouts.FLOAT_VALUE)
        masm.bind(done)
        masm.store(DOUBLE, value, masm.frame_pointer, self.place(index))

        def take_whole() -> None:
            masm.bind(other)
            if self.around.ints is IntLayout.CALL:
                masm.jump(self.slow)
                return
            self.branch_type("PyLong_Type", Condition.NOT_EQUAL, self.slow)
            self.read_small_int(self.slow)
            masm.convert(LONG, DOUBLE, value, self.work)
            masm.jump(done)

        masm.out_of_line(take_whole)

    def take_float(self, index: int) -> None:
        """Rounded; what becomes infinite by that goes the slow way, as all infinities do."""
        masm = self.masm
        value, most = masm.float_temporaries[:2]
        self.take_double(index)
        masm.float_absolute(DOUBLE, most, value)
        with masm.float_scratch() as limit:
            masm.load_constant(DOUBLE, limit, LEAST_TOO_LARGE)
            masm.float_branch(DOUBLE, FloatCondition.GREATER_EQUAL, most, limit, self.slow)
        masm.convert(DOUBLE, Kind.FLOAT, value, value)
        masm.store(Kind.FLOAT, value, masm.frame_pointer, self.place(index))

    def take_text(self, index: int) -> None:
        """The place of its UTF-8, which CPython keeps with it, and the length.

        Of what is all ASCII those are read in place.  A lone surrogate goes the slow way.
        """
        masm, known = self.masm, self.around.texts
        self.branch_type("PyUnicode_Type", Condition.NOT_EQUAL, self.slow)
        if known is None:
            self.call_for_text(index)
            return
        other, done = masm.labels(2)
        masm.load(INT, self.work, self.object, layouts.TEXT_STATE)
        masm.binary_immediate(BinaryOperation.AND, INT, self.work, self.work, known.ascii)
        masm.branch_immediate(INT, Condition.NOT_EQUAL, self.work, known.ascii, other)
        masm.load(LONG, self.work, self.object, layouts.TEXT_LENGTH)
        self.keep(index)
        masm.load_address(self.work, self.object, known.data)
        masm.store(LONG, self.work, masm.frame_pointer, self.second(index))
        masm.bind(done)

        def take_other() -> None:
            masm.bind(other)
            self.call_for_text(index)
            masm.jump(done)

        masm.out_of_line(take_other)

    def call_for_text(self, index: int) -> None:
        """Let CPython tell where the UTF-8 is."""
        masm = self.masm
        wrong = masm.label()
        masm.move(LONG, masm.arguments[0], self.object)
        masm.load_address(masm.arguments[1], masm.frame_pointer, self.place(index))
        masm.call_symbol(Symbol(NATIVE, "PyUnicode_AsUTF8AndSize"))
        masm.branch_immediate(LONG, Condition.EQUAL, masm.result, 0, wrong)
        masm.store(LONG, masm.result, masm.frame_pointer, self.second(index))

        def clear() -> None:
            masm.bind(wrong)
            masm.call_symbol(Symbol(NATIVE, "PyErr_Clear"))
            masm.jump(self.slow)

        masm.out_of_line(clear)

    def copy_text(self, index: int) -> None:
        """Make a text object; the first word of the argument becomes its address.

        Where the allocation buffer is full, the collector's function is asked for the first text; others, as
        the first one would have to be found again, go the slow way.
        """
        masm, thread, place = self.masm, self.masm.thread, self.place(index)
        text, end, size = masm.arguments[:3]
        full, found = masm.labels(2)
        is_first = Border.TEXT not in self.wrapped.parameters[:index]
        masm.load(LONG, size, masm.frame_pointer, place)
        masm.binary_immediate(BinaryOperation.ADD, LONG, end, size, layout.ARRAY_ELEMENTS + layout.WORD - 1)
        masm.binary_immediate(BinaryOperation.AND, LONG, end, end, -layout.WORD)
        masm.branch_immediate(LONG, Condition.ABOVE, end, layout.LARGEST_CELL, self.slow_ended)
        masm.load(LONG, text, thread, layout.THREAD_TOP)
        masm.binary(BinaryOperation.ADD, LONG, end, end, text)
        masm.branch_memory(
            LONG, Condition.ABOVE, end, thread, layout.THREAD_END, full if is_first else self.slow_ended
        )
        masm.store(LONG, end, thread, layout.THREAD_TOP)
        masm.bind(found)
        with masm.scratch() as shape:
            masm.load(LONG, shape, self.function, native_calls.TEXT_SHAPE)
            masm.store(LONG, shape, text, layout.HEADER)
        masm.store(LONG, size, text, layout.ARRAY_LENGTH)
        masm.store(LONG, text, masm.frame_pointer, place)
        masm.load(LONG, masm.arguments[1], masm.frame_pointer, self.second(index))
        masm.binary_immediate(BinaryOperation.ADD, LONG, text, text, layout.ARRAY_ELEMENTS)
        copy_bytes(masm)
        masm.out_of_line(lambda: self.make_room(index, full, found))

    def make_room(self, index: int, full: Label, found: Label) -> None:
        """The buffer is full; the second argument register has the size and the top.  There may be no heap
        yet."""
        masm = self.masm
        text, size = masm.arguments[0], masm.arguments[2]
        masm.bind(full)
        masm.binary(BinaryOperation.SUB, LONG, masm.arguments[1], masm.arguments[1], text)
        self.to_stack(self.more)
        masm.move(LONG, masm.stack_pointer, self.more)
        masm.move(LONG, masm.arguments[0], masm.arguments[1])
        masm.load_constant(LONG, masm.frame_pointer, 0)
        with masm.scratch() as cell:
            masm.load(LONG, cell, masm.thread, layout.THREAD_ALLOCATE)
            masm.call_memory(cell, 0)
        stubs.to_host(masm)
        masm.store(LONG, masm.result, masm.frame_pointer, self.room)
        stubs.take_gil(masm)
        masm.load(LONG, text, masm.frame_pointer, self.room)
        masm.branch_immediate(LONG, Condition.EQUAL, text, 0, self.slow_ended)
        masm.load(LONG, size, masm.frame_pointer, self.place(index))
        masm.jump(found)

    # The call.

    def to_stack(self, top: Register) -> None:
        """Note where the host is, and get the top of the stack to go to."""
        masm, thread = self.masm, self.masm.thread
        masm.store(LONG, masm.frame_pointer, thread, layout.THREAD_HOST_FRAME)
        with masm.scratch() as work:
            masm.move(LONG, work, masm.stack_pointer)
            masm.store(LONG, work, thread, layout.THREAD_HOST_STACK)
            masm.load_label(work, self.landing)
            masm.store(LONG, work, thread, layout.THREAD_LANDING)
        masm.load(LONG, top, thread, layout.THREAD_STACK)

    def call(self) -> None:
        """Call the function on a stack of Dora's, and come back with its result in the first word."""
        masm, frame, top = self.masm, self.masm.frame_pointer, self.more
        self.to_stack(top)
        masm.binary_immediate(BinaryOperation.SUB, LONG, top, top, self.stack_size)
        with masm.scratch() as work:
            for index, argument in enumerate(self.arguments):
                if argument.register is None:
                    masm.load(LONG, work, frame, self.place(index))
                    masm.store(LONG, work, top, argument.stack)
        masm.move(LONG, masm.stack_pointer, top)
        for index, (kind, register, _) in enumerate(self.arguments):
            if register is not None:
                masm.load(kind if kind in FLOATING else LONG, register, frame, self.place(index))
        masm.load_constant(LONG, frame, 0)
        with masm.scratch() as cell:
            masm.load(LONG, cell, self.function, native_calls.CELL)
            masm.call_memory(cell, 0)
        stubs.to_host(masm)
        if self.wrapped.result is not Border.UNIT:
            kind = self.wrapped.result.kind
            register = masm.float_result if kind in FLOATING else masm.result
            masm.store(kind if kind in FLOATING else LONG, register, frame, self.place(0))
        stubs.take_gil(masm)

    def write_output(self) -> None:
        """Let Python write what was printed; it may raise."""
        masm = self.masm
        written, printed = masm.label(), masm.label()
        masm.branch_memory_immediate(
            LONG, Condition.NOT_EQUAL, masm.thread, layout.THREAD_OUTPUT_FILL, 0, printed
        )
        masm.bind(written)

        def write() -> None:
            masm.bind(printed)
            masm.store_constant(LONG, Reason.OUTPUT, masm.thread, layout.THREAD_REASON)
            masm.store_constant(LONG, 0, masm.thread, layout.THREAD_LAST_FRAME)
            masm.load(LONG, masm.arguments[0], masm.thread, layout.THREAD_UPCALL)
            masm.call_symbol(Symbol(NATIVE, "PyObject_CallNoArgs"))
            masm.branch_immediate(LONG, Condition.EQUAL, masm.result, 0, self.landing)
            masm.move(LONG, masm.arguments[0], masm.result)
            masm.call_symbol(Symbol(NATIVE, "Py_DecRef"))
            masm.jump(written)

        masm.out_of_line(write)

    # Results.

    def give_by(self, maker: str) -> None:
        """Let a function of CPython make the object of what is in the first argument register."""
        self.masm.leave_frame()
        self.masm.jump_symbol(Symbol(NATIVE, maker))

    def load_result(self, kind: Kind) -> None:
        """A whole number, extended as its kind is, into the first argument register."""
        masm, target = self.masm, self.masm.arguments[0]
        masm.load(kind, target, masm.frame_pointer, self.place(0))
        if kind is INT:
            masm.convert(INT, LONG, target, target)

    def give_whole(self) -> None:
        self.load_result(self.wrapped.result.kind)
        self.give_by("PyLong_FromLongLong")

    def give_bool(self) -> None:
        self.load_result(Kind.BOOL)
        self.give_by("PyBool_FromLong")

    def give_char(self) -> None:
        self.load_result(Kind.CHAR)
        self.give_by("PyUnicode_FromOrdinal")

    def give_floating(self) -> None:
        masm, kind = self.masm, self.wrapped.result.kind
        target = masm.float_arguments[0]
        masm.load(kind, target, masm.frame_pointer, self.place(0))
        if kind is Kind.FLOAT:
            masm.convert(kind, DOUBLE, target, target)
        self.give_by("PyFloat_FromDouble")

    def give_unit(self) -> None:
        self.masm.load_symbol(self.masm.arguments[0], Symbol(NATIVE, "_Py_NoneStruct"))
        self.give_by("Py_NewRef")

    def give_text(self) -> None:
        """`nil` is None.  A short text that is all ASCII is copied here."""
        masm = self.masm
        (nothing, other), (text, size, errors) = masm.labels(2), masm.arguments[:3]
        masm.load(LONG, text, masm.frame_pointer, self.place(0))
        masm.branch_immediate(LONG, Condition.EQUAL, text, 0, nothing)
        if self.around.texts is not None:
            give_ascii(masm, self.place(0), self.function, self.around.texts, other)
        masm.bind(other)
        masm.load(LONG, text, masm.frame_pointer, self.place(0))
        masm.load(LONG, size, text, layout.ARRAY_LENGTH)
        masm.binary_immediate(BinaryOperation.ADD, LONG, text, text, layout.ARRAY_ELEMENTS)
        masm.load_constant(LONG, errors, 0)
        self.give_by("PyUnicode_DecodeUTF8")
        masm.bind(nothing)
        self.give_unit()


TAKE: Final[dict[Border, Callable[[Wrapper, int], None]]] = {
    Border.BOOL: Wrapper.take_bool,
    Border.BYTE: Wrapper.take_byte,
    Border.INT: Wrapper.take_int,
    Border.LONG: Wrapper.take_long,
    Border.FLOAT: Wrapper.take_float,
    Border.DOUBLE: Wrapper.take_double,
}
"""how arguments get in, but for texts"""

GIVE: Final[dict[Border, Callable[[Wrapper], None]]] = {
    Border.BOOL: Wrapper.give_bool,
    Border.BYTE: Wrapper.give_whole,
    Border.CHAR: Wrapper.give_char,
    Border.INT: Wrapper.give_whole,
    Border.LONG: Wrapper.give_whole,
    Border.FLOAT: Wrapper.give_floating,
    Border.DOUBLE: Wrapper.give_floating,
    Border.TEXT: Wrapper.give_text,
    Border.UNIT: Wrapper.give_unit,
}
