"""What CPython calls for a formula on not so many elements of NumPy's arrays (x86-64).

    formula(a, b, 2.0)              vectorcall
    formula.map((a, b), out=c)      a method with keywords

Most such calls have plain arrays: exactly `ndarray`, of one dimension, of the wanted dtype, close and of
one length.  For these the arguments are checked, the result allocated, and the kernel called, without any
Python.  Everything else goes on as if this were not here: a vectorcall to the code that takes numbers, a
method to the one in Python.

A formula leads to a *record*, 8 bytes a word:

    0 kernel | 8 variables | 16 dtype of the result | 24 bytes of its elements | 32 most elements | 40 rows

with a row for each variable.

A row is the dtype of an array and the bytes of its elements; or, for a number, `REAL` or `WHOLE` and nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.registers import (
    AE,
    BE,
    NE,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RSI,
    RSP,
    A,
    B,
    E,
    L,
)

KERNEL: Final = 0
COUNT: Final = 8
RESULT_DTYPE: Final = 16
RESULT_SIZE: Final = 24
MOST: Final = 32
ROWS: Final = 40
ROW: Final = 16
REAL: Final = 1
"""of a row: a `float`, or an `int` of one digit, as a double"""
WHOLE: Final = 2
"""of a row: an `int` of one digit"""

# `PyArrayObject_fields` (numpy/ndarraytypes.h).
DATA: Final = 16
DIMENSIONS: Final = 24
SHAPE: Final = 32
STRIDES: Final = 40
DTYPE: Final = 56
FLAGS: Final = 64
WRITABLE: Final = 0x400
WARNS: Final = -0x8000_0000
"""of the flags: NumPy says something when it is written"""

TYPE: Final = 8
"""of objects"""
VALUE: Final = 16
"""of a `float`; and the size of an `int`, a `list` and a `tuple`"""
DIGIT: Final = 24
LIST_ITEMS: Final = 24
FIRST_LONG_TAG: Final = 16

SAVED: Final = (RBX, R12, R13, R14, R15)
# The frame, below what is saved.
ARGUMENTS: Final = -48
ARGUMENT_COUNT: Final = -56
KEYWORDS: Final = -64
LENGTH: Final = -72
OUT: Final = -80
FRAME: Final = 40
"""bytes; with what is pushed and the return address a multiple of 16"""


class ArrayAddresses(NamedTuple):
    """Where CPython and NumPy have what the code needs."""

    ndarray: int
    new: int
    """`PyArray_NewFromDescr`"""
    floats: int
    """the type `float`"""
    ints: int
    tuples: int
    lists: int
    out: int
    """the text "out\""""
    increase: int
    """`Py_IncRef`"""
    decrease: int
    method: int
    """`PyMethod_New`"""
    call: int
    """`PyObject_Vectorcall`"""
    slow_map: int
    """the method in Python"""
    items: int
    """where a tuple has its items"""
    by_tag: bool
    """how small `int`s are read (`embed/layouts.py`)"""
    record: int
    """where a formula has its record"""
    numbers: int
    """and the code that takes numbers"""
    names: int
    """and the tuple of its names"""


class ArrayEntry(Assembler):
    """One of the two ways in.

    rbx is the formula, r12 leads to the arguments, r13 is how many there are, r14 leads to the numbers among
    them, r15 to the record; at rsp is the table for the kernel.
    """

    __slots__ = ("at", "unfit")

    def __init__(self, addresses: ArrayAddresses) -> None:
        super().__init__()
        self.at = addresses
        self.unfit = self.label()

    def begin(self) -> None:
        self.push_r(RBP)
        self.mov64_rr(RBP, RSP)
        for register in SAVED:
            self.push_r(register)
        self.sub64_ri(RSP, FRAME)
        self.mov64_rr(RBX, RDI)
        self.mov64_mr(RBP, ARGUMENTS, RSI)
        self.mov64_mr(RBP, ARGUMENT_COUNT, RDX)
        self.mov64_mr(RBP, KEYWORDS, RCX)
        self.xor32_rr(RAX, RAX)
        self.mov64_mr(RBP, OUT, RAX)
        self.mov64_rm(R15, RBX, self.at.record)
        self.mov64_rr(R12, RSI)

    def end(self) -> None:
        """Take the frame away; rax and what was passed stay."""
        self.lea64_rm(RSP, RBP, -8 * len(SAVED))
        for register in reversed(SAVED):
            self.pop_r(register)
        self.pop_r(RBP)

    def passed(self) -> None:
        """What was passed, in its registers."""
        self.mov64_rr(RDI, RBX)
        self.mov64_rm(RSI, RBP, ARGUMENTS)
        self.mov64_rm(RDX, RBP, ARGUMENT_COUNT)
        self.mov64_rm(RCX, RBP, KEYWORDS)

    def vectorcall(self) -> bytearray:
        """`formula(…)`"""
        self.begin()
        self.mov64_rr(R13, RDX)
        self.shl64_ri(R13, 1)
        self.shr64_ri(R13, 1)
        self.names()
        self.cmp64_rm(R13, R15, COUNT)
        self.jcc(NE, self.unfit)
        self.compute()
        self.bind(self.unfit)
        self.passed()
        self.mov64_rm(RAX, RBX, self.at.numbers)
        self.end()
        self.jmp_r(RAX)
        return self.finish().data

    def names(self) -> None:
        """Names must be those of the last variables, in order."""
        none, again = self.labels(2)
        self.test64_rr(RCX, RCX)
        self.jcc(E, none)
        self.mov64_rm(RAX, RCX, VALUE)
        self.lea64_rx(R8, R13, RAX, 1, 0)
        self.cmp64_rm(R8, R15, COUNT)
        self.jcc(NE, self.unfit)
        self.mov64_rm(RDX, RBX, self.at.names)
        self.lea64_rx(RDX, RDX, R13, 8, 0)
        self.mov64_rr(R13, R8)
        self.test64_rr(RAX, RAX)
        self.jcc(E, none)
        self.bind(again)
        self.mov64_rm(R8, RCX, self.at.items)
        self.cmp64_rm(R8, RDX, self.at.items)
        self.jcc(NE, self.unfit)
        self.add64_ri(RCX, 8)
        self.add64_ri(RDX, 8)
        self.dec64_r(RAX)
        self.jcc(NE, again)
        self.bind(none)

    def method(self) -> bytearray:
        """`formula.map(arguments, out=…)`"""
        no_out, is_tuple, has_size = self.labels(3)
        self.begin()
        self.test64_rr(R15, R15)
        self.jcc(E, self.unfit)
        self.cmp64_ri(RDX, 1)
        self.jcc(NE, self.unfit)
        self.test64_rr(RCX, RCX)
        self.jcc(E, no_out)
        self.cmp64_mi(RCX, VALUE, 1)
        self.jcc(NE, self.unfit)
        self.movabs_ri(RAX, self.at.out)
        self.cmp64_rm(RAX, RCX, self.at.items)
        self.jcc(NE, self.unfit)
        self.mov64_rm(RAX, RSI, 8)
        self.mov64_mr(RBP, OUT, RAX)
        self.bind(no_out)
        self.mov64_rm(R12, RSI, 0)
        self.mov64_rm(RDX, R12, TYPE)
        self.movabs_ri(RAX, self.at.tuples)
        self.cmp64_rr(RDX, RAX)
        self.jcc(E, is_tuple)
        self.movabs_ri(RAX, self.at.lists)
        self.cmp64_rr(RDX, RAX)
        self.jcc(NE, self.unfit)
        self.mov64_rm(R13, R12, VALUE)
        self.mov64_rm(R12, R12, LIST_ITEMS)
        self.jmp(has_size)
        self.bind(is_tuple)
        self.mov64_rm(R13, R12, VALUE)
        self.add64_ri(R12, self.at.items)
        self.bind(has_size)
        self.cmp64_rm(R13, R15, COUNT)
        self.jcc(NE, self.unfit)
        self.compute()
        self.bind(self.unfit)
        self.call_slow_map()
        return self.finish().data

    def call_slow_map(self) -> None:
        """Call the method in Python, bound to the formula."""
        failed = self.label()
        self.movabs_ri(RDI, self.at.slow_map)
        self.mov64_rr(RSI, RBX)
        self.call(self.at.method)
        self.mov64_rr(RBX, RAX)
        self.test64_rr(RAX, RAX)
        self.jcc(E, failed)
        self.passed()
        self.call(self.at.call)
        self.mov64_rr(R12, RAX)
        self.mov64_rr(RDI, RBX)
        self.call(self.at.decrease)
        self.mov64_rr(RAX, R12)
        self.bind(failed)
        self.end()
        self.ret()

    def call(self, address: int) -> None:
        self.movabs_ri(RAX, address)
        self.call_r(RAX)

    def compute(self) -> None:
        """Check the arguments, compute, and return; or go where it does not fit."""
        self.room()
        self.scan()
        self.lea64_rm(RAX, R10, -1)
        self.cmp64_rm(RAX, R15, MOST)
        self.jcc(AE, self.unfit)
        self.mov64_mr(RBP, LENGTH, R10)
        fresh, there = self.labels(2)
        self.mov64_rm(RAX, RBP, OUT)
        self.test64_rr(RAX, RAX)
        self.jcc(E, fresh)
        self.check_out()
        self.overlap()
        self.mov64_rm(RDI, RBP, OUT)
        self.call(self.at.increase)
        self.mov64_rm(RBX, RBP, OUT)
        self.jmp(there)
        self.bind(fresh)
        self.allocate()
        self.bind(there)
        self.mov64_rr(RDI, RSP)
        self.mov64_rm(RSI, RBX, DATA)
        self.mov64_rm(RDX, RBP, LENGTH)
        self.call_m(R15, KERNEL)
        self.mov64_rr(RAX, RBX)
        self.end()
        self.ret()

    def room(self) -> None:
        """Two words for each argument: in the table, and for a number."""
        self.mov64_rr(RAX, R13)
        self.shl64_ri(RAX, 4)
        self.sub64_rr(RSP, RAX)
        self.lea64_rx(R14, RSP, R13, 8, 0)

    def scan(self) -> None:
        """Fill the table.  r10 is the length of all arrays; -1 before the first, which there is."""
        again, number, first, same, then, done = self.labels(6)
        self.movabs_ri(R8, self.at.ndarray)
        self.mov64_ri(R10, -1)
        self.lea64_rm(R11, R15, ROWS)
        self.xor32_rr(RCX, RCX)
        self.bind(again)
        self.cmp64_rr(RCX, R13)
        self.jcc(AE, done)
        self.mov64_rx(RAX, R12, RCX, 8, 0)
        self.mov64_rm(RDX, R11, 0)
        self.cmp64_ri(RDX, WHOLE)
        self.jcc(BE, number)
        self.array(RAX)
        self.cmp64_ri(R10, 0)
        self.jcc(L, first)
        self.cmp64_rr(RDX, R10)
        self.jcc(E, same)
        self.jmp(self.unfit)
        self.bind(first)
        self.mov64_rr(R10, RDX)
        self.bind(same)
        self.mov64_rm(RAX, RAX, DATA)
        self.bind(then)
        self.mov64_xr(RSP, RCX, 8, 0, RAX)
        self.add64_ri(R11, ROW)
        self.inc64_r(RCX)
        self.jmp(again)
        self.bind(number)
        self.number()
        self.lea64_rx(RAX, R14, RCX, 8, 0)
        self.jmp(then)
        self.bind(done)

    def array(self, register: int) -> None:
        """An array must have the dtype in rdx, whose row is at r11; rdx is its length then."""
        self.cmp64_rm(R8, register, TYPE)
        self.jcc(NE, self.unfit)
        self.cmp64_rm(RDX, register, DTYPE)
        self.jcc(NE, self.unfit)
        self.cmp32_mi(register, DIMENSIONS, 1)
        self.jcc(NE, self.unfit)
        self.mov64_rm(RDX, register, STRIDES)
        self.mov64_rm(RDX, RDX, 0)
        self.cmp64_rm(RDX, R11, 8)
        self.jcc(NE, self.unfit)
        self.mov64_rm(RDX, register, SHAPE)
        self.mov64_rm(RDX, RDX, 0)

    def number(self) -> None:
        """The number rax as a word; rdx says what is wanted."""
        whole, integer, done = self.labels(3)
        self.mov64_rm(RSI, RAX, TYPE)
        self.cmp64_ri(RDX, REAL)
        self.jcc(NE, integer)
        self.movabs_ri(R9, self.at.floats)
        self.cmp64_rr(RSI, R9)
        self.jcc(NE, integer)
        self.mov64_rm(RAX, RAX, VALUE)
        self.jmp(done)
        self.bind(integer)
        self.movabs_ri(R9, self.at.ints)
        self.cmp64_rr(RSI, R9)
        self.jcc(NE, self.unfit)
        self.digit()
        self.cmp64_mi(R11, 0, REAL)
        self.jcc(NE, whole)
        self.cvtsi2sd64_rr(0, RAX)
        self.movq_to64_rr(RAX, 0)
        self.bind(whole)
        self.bind(done)
        self.mov64_xr(R14, RCX, 8, 0, RAX)

    def digit(self) -> None:
        """The `int` rax of at most one digit in rax."""
        self.mov64_rm(RDX, RAX, VALUE)
        if self.at.by_tag:
            self.cmp64_ri(RDX, FIRST_LONG_TAG)
            self.jcc(AE, self.unfit)
            self.and32_ri(RDX, 3)
            self.neg64_r(RDX)
            self.inc64_r(RDX)
        else:
            self.lea64_rm(RSI, RDX, 1)
            self.cmp64_ri(RSI, 2)
            self.jcc(A, self.unfit)
        self.mov32_rm(RAX, RAX, DIGIT)
        self.imul64_rr(RAX, RDX)

    def check_out(self) -> None:
        """`out` must be such an array, too, of this length, and be writable."""
        self.mov64_rm(RDX, R15, RESULT_DTYPE)
        self.lea64_rm(R11, R15, RESULT_DTYPE)
        self.array(RAX)
        self.cmp64_rr(RDX, R10)
        self.jcc(NE, self.unfit)
        self.mov32_rm(RDX, RAX, FLAGS)
        self.and32_ri(RDX, WRITABLE | WARNS)
        self.cmp32_ri(RDX, WRITABLE)
        self.jcc(NE, self.unfit)

    def overlap(self) -> None:
        """`out` may be an input, or lie apart: rsi is where it begins, rdi its bytes."""
        again, above, apart, done = self.labels(4)
        self.mov64_rm(RSI, RAX, DATA)
        self.mov64_rm(RDI, R15, RESULT_SIZE)
        self.mov64_rr(R9, RDI)
        self.imul64_rr(RDI, R10)
        self.lea64_rm(R11, R15, ROWS)
        self.xor32_rr(RCX, RCX)
        self.bind(again)
        self.cmp64_rr(RCX, R13)
        self.jcc(AE, done)
        self.mov64_rx(RAX, RSP, RCX, 8, 0)
        self.sub64_rr(RAX, RSI)
        self.jcc(AE, above)
        self.neg64_r(RAX)
        self.mov64_rm(RDX, R11, 8)
        self.imul64_rr(RDX, R10)
        self.cmp64_rr(RAX, RDX)
        self.jcc(B, self.unfit)
        self.jmp(apart)
        self.bind(above)
        self.cmp64_rr(RAX, RDI)
        self.jcc(AE, apart)
        self.test64_rr(RAX, RAX)
        self.jcc(NE, self.unfit)
        self.cmp64_rm(R9, R11, 8)
        self.jcc(NE, self.unfit)
        self.bind(apart)
        self.add64_ri(R11, ROW)
        self.inc64_r(RCX)
        self.jmp(again)
        self.bind(done)

    def allocate(self) -> None:
        """A new array, whose dtype is given away, in rbx; or return that there is none."""
        failed, there = self.labels(2)
        self.mov64_rm(RDI, R15, RESULT_DTYPE)
        self.call(self.at.increase)
        self.movabs_ri(RDI, self.at.ndarray)
        self.mov64_rm(RSI, R15, RESULT_DTYPE)
        self.mov32_ri(RDX, 1)
        self.lea64_rm(RCX, RBP, LENGTH)
        self.xor32_rr(R8, R8)
        self.xor32_rr(R9, R9)
        self.push_r(R8)
        self.push_r(R8)
        self.call(self.at.new)
        self.add64_ri(RSP, 16)
        self.test64_rr(RAX, RAX)
        self.jcc(E, failed)
        self.mov64_rr(RBX, RAX)
        self.jmp(there)
        self.bind(failed)
        self.end()
        self.ret()
        self.bind(there)
