"""What CPython calls for formulas on numbers and truth values, for every processor.

    vectorcall(self, args, count, names)

One piece of code for each kind of result.  A formula's words say how many variables there are, where its code
is and what each variable is: two bits, from the lowest ones up.  Values are read where CPython has them, into
the frame; large `int`s are read by CPython.  Whatever else there is, and an operation that fails, goes to a
function of Python's, as a method of the formula.

`machine/x64/doubles.py` has the quick way for formulas on nothing but doubles.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.machine.buffer import Label
from doralang.machine.code import Code
from doralang.machine.macro import BinaryOperation, Condition, MacroAssembler
from doralang.types.kinds import BOOL, DOUBLE, INT, LONG, Kind

WORD: Final = 8
KIND_BITS: Final = 2
KIND_CODES: Final[dict[Kind, int]] = {DOUBLE: 0, INT: 1, LONG: 2, BOOL: 3}
"""what the bits of a variable say"""
MOST_KINDS: Final = 64 // KIND_BITS
"""variables that have bits; all further ones are doubles"""
RESULTS: Final = {DOUBLE: "PyFloat_FromDouble", INT: "PyLong_FromLongLong", LONG: "PyLong_FromLongLong"}
"""what makes an object of a result; of another one "PyBool_FromLong" does"""


class Layouts(NamedTuple):
    """Where things are in objects: CPython's, and the formula's own."""

    by_tag: bool
    """whether an `int` has a tag, not a size"""
    items: int
    """of a tuple"""
    type: int
    value: int
    """of a `float`; of an `int` it is the size or tag"""
    digit: int
    tuple_size: int
    most_variables: int
    variables: int
    """where a formula says how many it has"""
    code: int
    kinds: int
    names: int


class FormulaEntry:
    """The code in the making.

    The frame, downwards: the saved registers, the count, the names, a word for CPython to write, the values
    of the variables (the first one lowest), and the word in which their code says that something failed.
    """

    def __init__(self, masm: MacroAssembler, layouts: Layouts) -> None:
        self.masm = masm
        self.at = layouts
        self.saved = masm.callee_saved[:4]
        self.function, self.args, self.index, self.kinds = self.saved
        self.object, self.work, self.more = masm.temporaries[-3:]
        self.slow, self.store_whole, self.next = masm.labels(3)
        self.count_place, self.names_place, self.room = (-WORD * (len(self.saved) + 1 + n) for n in range(3))
        self.values = self.room - WORD * (layouts.most_variables + 1)

    def code(self, result: Kind) -> Code:
        """For formulas with a result of this kind."""
        masm = self.masm
        masm.prologue(self.saved)
        masm.set_frame_size(-self.values - WORD * len(self.saved) + 2 * WORD + 15 & -16)
        self.take_arguments()
        masm.store_constant(LONG, 0, masm.frame_pointer, self.values - WORD)
        masm.load_address(masm.arguments[0], masm.frame_pointer, self.values)
        masm.call_memory(self.function, self.at.code)
        failed = masm.frame_pointer, self.values - WORD
        masm.branch_memory_immediate(LONG, Condition.NOT_EQUAL, *failed, 0, self.slow)
        if result is DOUBLE:
            masm.move(DOUBLE, masm.float_arguments[0], masm.float_result)
        else:
            masm.move(LONG, masm.arguments[0], masm.result)
        masm.leave_frame()
        masm.jump_symbol(RESULTS.get(result, "PyBool_FromLong"))
        self.go_slowly()
        return masm.finish()

    def take_arguments(self) -> None:
        masm, arguments = self.masm, self.masm.arguments
        named, ready, done = masm.labels(3)
        masm.move(LONG, self.function, arguments[0])
        masm.move(LONG, self.args, arguments[1])
        masm.store(LONG, arguments[2], masm.frame_pointer, self.count_place)
        masm.store(LONG, arguments[3], masm.frame_pointer, self.names_place)
        masm.binary_immediate(BinaryOperation.SHIFT_LEFT, LONG, arguments[2], arguments[2], 1)
        masm.binary_immediate(BinaryOperation.UNSIGNED_SHIFT_RIGHT, LONG, arguments[2], arguments[2], 1)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, arguments[3], 0, named)
        count = self.function, self.at.variables
        masm.branch_memory(LONG, Condition.NOT_EQUAL, arguments[2], *count, self.slow)
        masm.bind(ready)
        masm.out_of_line(lambda: self.look_at_names(named, ready))
        masm.load(LONG, self.kinds, self.function, self.at.kinds)
        masm.load_constant(LONG, self.index, 0)
        again = masm.bound()
        masm.branch_memory(LONG, Condition.EQUAL, self.index, *count, done)
        masm.load_indexed(LONG, self.object, self.args, self.index, WORD, 0)
        self.take_one()
        masm.bind(self.next)
        masm.binary_immediate(BinaryOperation.UNSIGNED_SHIFT_RIGHT, LONG, self.kinds, self.kinds, KIND_BITS)
        masm.binary_immediate(BinaryOperation.ADD, LONG, self.index, self.index, 1)
        masm.jump(again)
        masm.bind(done)

    def look_at_names(self, named: Label, ready: Label) -> None:
        """Keywords follow the positional arguments: are they the names of the variables from there on?"""
        masm, items = self.masm, self.at.items
        masm.bind(named)
        positional, names = masm.arguments[2], masm.arguments[3]
        left, mine, work = self.kinds, self.index, self.work
        masm.load(LONG, left, names, self.at.tuple_size)
        masm.binary(BinaryOperation.ADD, LONG, work, left, positional)
        masm.branch_memory(LONG, Condition.NOT_EQUAL, work, self.function, self.at.variables, self.slow)
        masm.load(LONG, mine, self.function, self.at.names)
        masm.load_address_indexed(mine, mine, positional, WORD, 0)
        again = masm.bound()
        masm.branch_immediate(LONG, Condition.EQUAL, left, 0, ready)
        masm.load(LONG, work, names, items)
        masm.branch_memory(LONG, Condition.NOT_EQUAL, work, mine, items, self.slow)
        for register in (names, mine):
            masm.binary_immediate(BinaryOperation.ADD, LONG, register, register, WORD)
        masm.binary_immediate(BinaryOperation.SUB, LONG, left, left, 1)
        masm.jump(again)

    def take_one(self) -> None:
        """The value of an object, by what the bits say."""
        masm, work, more = self.masm, self.work, self.more
        whole, truth, int_for_double = masm.labels(3)
        value = masm.float_temporaries[0]
        masm.binary_immediate(BinaryOperation.AND, LONG, work, self.kinds, (1 << KIND_BITS) - 1)
        masm.branch_immediate(LONG, Condition.EQUAL, work, KIND_CODES[BOOL], truth)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, work, KIND_CODES[DOUBLE], whole)
        self.branch_type("PyFloat_Type", int_for_double)
        masm.load(DOUBLE, value, self.object, self.at.value)
        store = masm.bound()
        masm.load_address(more, masm.frame_pointer, self.values)
        masm.store_indexed(DOUBLE, value, more, self.index, WORD, 0)
        masm.jump(self.next)

        masm.bind(int_for_double)
        self.branch_type("PyLong_Type", self.slow)
        self.read_small_int(self.slow)
        masm.convert(LONG, DOUBLE, value, work)
        masm.jump(store)

        masm.bind(whole)
        self.take_whole()

        masm.bind(truth)
        masm.load_symbol(more, "_Py_TrueStruct")
        masm.compare(LONG, Condition.EQUAL, work, self.object, more)
        masm.branch_immediate(LONG, Condition.NOT_EQUAL, work, 0, self.store_whole)
        masm.load_symbol(more, "_Py_FalseStruct")
        masm.branch(LONG, Condition.EQUAL, self.object, more, self.store_whole)
        masm.jump(self.slow)

    def take_whole(self) -> None:
        """An `int`, of one digit or read by CPython."""
        masm, work, more = self.masm, self.work, self.more
        large, room = masm.label(), (masm.frame_pointer, self.room)
        self.branch_type("PyLong_Type", self.slow)
        self.read_small_int(large)
        masm.bind(self.store_whole)
        masm.load_address(more, masm.frame_pointer, self.values)
        masm.store_indexed(LONG, work, more, self.index, WORD, 0)
        masm.jump(self.next)

        masm.bind(large)
        masm.move(LONG, masm.arguments[0], self.object)
        masm.load_address(masm.arguments[1], *room)
        masm.call_symbol("PyLong_AsLongLongAndOverflow")
        masm.branch_memory_immediate(INT, Condition.NOT_EQUAL, *room, 0, self.slow)
        masm.move(LONG, work, masm.result)
        masm.binary_immediate(BinaryOperation.AND, LONG, more, self.kinds, (1 << KIND_BITS) - 1)
        masm.branch_immediate(LONG, Condition.EQUAL, more, KIND_CODES[LONG], self.store_whole)
        masm.convert(INT, LONG, more, work)
        masm.branch(LONG, Condition.EQUAL, more, work, self.store_whole)
        masm.jump(self.slow)

    def branch_type(self, name: str, other: Label) -> None:
        """Go to a label if the object's type is another one."""
        masm = self.masm
        masm.load_symbol(self.more, name)
        masm.branch_memory(LONG, Condition.NOT_EQUAL, self.more, self.object, self.at.type, other)

    def read_small_int(self, large: Label) -> None:
        """size * digit, or (1 - sign) * digit."""
        masm, work, more = self.masm, self.work, self.more
        masm.load(LONG, work, self.object, self.at.value)
        if self.at.by_tag:
            masm.branch_immediate(LONG, Condition.ABOVE_EQUAL, work, FIRST_LONG_TAG, large)
            masm.binary_immediate(BinaryOperation.AND, LONG, work, work, SIGN_MASK)
            masm.negate(LONG, work, work)
            masm.binary_immediate(BinaryOperation.ADD, LONG, work, work, 1)
        else:
            masm.binary_immediate(BinaryOperation.ADD, LONG, more, work, 1)
            masm.branch_immediate(LONG, Condition.ABOVE, more, 2, large)
        masm.load(INT, more, self.object, self.at.digit)
        masm.binary(BinaryOperation.MUL, LONG, work, work, more)

    def go_slowly(self) -> None:
        """Call the function of Python's as a method of the formula."""
        masm, arguments = self.masm, self.masm.arguments
        method, result, end = self.index, self.kinds, masm.label()
        masm.bind(self.slow)
        masm.load_symbol(arguments[0], "SLOW")
        masm.move(LONG, arguments[1], self.function)
        masm.call_symbol("PyMethod_New")
        masm.move(LONG, method, masm.result)
        masm.branch_immediate(LONG, Condition.EQUAL, method, 0, end)
        masm.move(LONG, arguments[0], method)
        masm.move(LONG, arguments[1], self.args)
        masm.load(LONG, arguments[2], masm.frame_pointer, self.count_place)
        masm.load(LONG, arguments[3], masm.frame_pointer, self.names_place)
        masm.call_symbol("PyObject_Vectorcall")
        masm.move(LONG, result, masm.result)
        masm.move(LONG, arguments[0], method)
        masm.call_symbol("Py_DecRef")
        masm.move(LONG, masm.result, result)
        masm.bind(end)
        masm.epilogue()


FIRST_LONG_TAG: Final = 16
"""tags from here on have more than one digit"""
SIGN_MASK: Final = 3
"""of a tag: 0 positive, 1 zero, 2 negative"""
