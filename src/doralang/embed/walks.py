"""Elements of an array one after the other, whatever its strides: copied to where they stand close, and back.

A *walk* is where one is in an array, as words that machine code reads and changes:

    0 address | 8 stride | 16 left in the row | 24 size of the row | 32 further dimensions | 40 the first

and for each further dimension, from the inner to the outer ones, three words: how much is left of it, its
size, and the bytes from the end of what lies inside it to its next element.  The index that is last runs
fastest.

The code is made by the macro assembler, once for each pair of kinds, and converts on the way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, Final

from doralang.embed.buffers import SIZES
from doralang.machine.buffer import Label
from doralang.machine.macro import AnyRegister, BinaryOperation, Condition, MacroAssembler, Register
from doralang.machine.memory import CodeArena
from doralang.machine.targets import host
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, FLOATING, INT, LONG, Kind

ADDRESS: Final = 0
STRIDE: Final = 8
LEFT: Final = 16
ROW: Final = 24
DIMENSIONS: Final = 32
FIRST: Final = 40
OF_DIMENSION: Final = 24
"""bytes of its words"""
SIZE_OF_DIMENSION: Final = 8
JUMP: Final = 16

READABLE: Final[dict[Kind, tuple[Kind, ...]]] = {
    DOUBLE: (DOUBLE, FLOAT, INT, LONG, BYTE),
    FLOAT: (FLOAT, BYTE),
    INT: (INT, LONG, BYTE),
    LONG: (LONG, INT, BYTE),
    BOOL: (BOOL,),
    BYTE: (BYTE,),
}
"""of a parameter: arrays that it takes.  A `long` that is no `int` is found when it is met"""
WRITABLE: Final[dict[Kind, tuple[Kind, ...]]] = {
    DOUBLE: (DOUBLE,),
    FLOAT: (FLOAT, DOUBLE),
    INT: (INT, LONG, DOUBLE),
    LONG: (LONG,),
    BOOL: (BOOL,),
    BYTE: (BYTE, INT, LONG, FLOAT, DOUBLE),
}
"""of a result: arrays that hold all its values"""

Copy = Callable[[Any, int, int], int]
Dimensions = list[tuple[int, int]]
"""sizes and strides, from the inner to the outer ones; at least one"""

COPY: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
"""copy(walk, count, close elements) gives how many were not copied, as the next one does not fit"""
COPIES: Final[dict[tuple[Kind, Kind, Kind, bool], Copy]] = {}
"""the code that was made, for as long as the process lives"""
COPY_ARENA: Final[list[CodeArena]] = []
ARENA: Final = 1 << 20


def merged(shape: Sequence[int], strides: Sequence[int]) -> Dimensions:
    """As few dimensions as lead to the same elements in the same order."""
    found: Dimensions = []
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 1:
            continue
        if found and stride == found[-1][0] * found[-1][1]:
            found[-1] = (found[-1][0] * size, found[-1][1])
        else:
            found.append((size, stride))
    return found or [(1, 0)]


def walk(address: int, dimensions: Dimensions, start: int) -> ctypes.Array[ctypes.c_int64]:
    """A walk that begins at the element with this number; there is such an element."""
    (row, stride), *outer = dimensions
    start, index = divmod(start, row)
    address += index * stride
    words = [0, stride, row - index, row, len(outer)]
    inside = row * stride
    for size, step in outer:
        start, index = divmod(start, size)
        address += index * step
        words += [size - index, size, step - inside]
        inside = size * step
    words[0] = address
    return (ctypes.c_int64 * len(words))(*words)


def copier(element: Kind, close: Kind, gathers: bool, between: Kind | None = None) -> Copy:
    """The code that copies elements of the first kind to close ones of the second, or the other way.

    `between` is the kind that they have on the way, if it is another.
    """
    between = between or close
    made = COPIES.get((element, between, close, gathers))
    if made is None:
        target = host()
        assert target is not None, "there is machine code for this processor"
        if not COPY_ARENA:
            COPY_ARENA.append(CodeArena(ARENA))
        masm = target.assembler()
        emit_copy(masm, element, close, gathers, between)
        made = COPIES[element, between, close, gathers] = COPY(COPY_ARENA[0].place(masm.finish().data))
    return made


def emit_copy(masm: MacroAssembler, element: Kind, close: Kind, gathers: bool, between: Kind) -> None:
    """copy(walk, count, close): row by row."""
    place, count, elements = masm.arguments[:3]
    address, stride, left, value = [
        register for register in masm.temporaries if register not in masm.arguments[:3]
    ][:4]
    row, end, again, inside, unfit = masm.labels(5)
    sub, add = BinaryOperation.SUB, BinaryOperation.ADD
    masm.load(LONG, address, place, ADDRESS)
    masm.load_constant(LONG, left, 0)
    masm.branch_immediate(LONG, Condition.EQUAL, count, 0, end)
    masm.bind(row)
    masm.load(LONG, left, place, LEFT)
    masm.load(LONG, stride, place, STRIDE)
    masm.branch(LONG, Condition.LESS_EQUAL, left, count, inside)
    masm.move(LONG, left, count)
    masm.bind(inside)
    masm.load(LONG, value, place, LEFT)
    masm.binary(sub, LONG, value, value, left)
    masm.store(LONG, value, place, LEFT)
    masm.binary(sub, LONG, count, count, left)
    masm.bind(again)
    register: AnyRegister = masm.float_temporaries[0] if element in FLOATING else value
    other: AnyRegister = masm.float_temporaries[0] if close in FLOATING else value
    middle: AnyRegister = masm.float_temporaries[0] if between in FLOATING else value
    if gathers:
        masm.load(element, register, address, 0)
        convert(masm, element, between, middle, register, unfit)
        convert(masm, between, close, other, middle, unfit)
        masm.store(close, other, elements, 0)
    else:
        masm.load(close, other, elements, 0)
        convert(masm, close, element, register, other, unfit)
        masm.store(element, register, address, 0)
    masm.binary(add, LONG, address, address, stride)
    masm.binary_immediate(add, LONG, elements, elements, SIZES[close])
    masm.binary_immediate(sub, LONG, left, left, 1)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, left, 0, again)
    masm.branch_memory_immediate(LONG, Condition.NOT_EQUAL, place, LEFT, 0, end)
    emit_next_row(masm, place, address, stride, left, value)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, count, 0, row)
    masm.bind(end)
    masm.store(LONG, address, place, ADDRESS)
    masm.bind(unfit)
    masm.binary(add, LONG, masm.result, left, count)
    masm.return_()


def emit_next_row(
    masm: MacroAssembler,
    place: Register,
    address: Register,
    spare: Register,
    dimension: Register,
    dimensions: Register,
) -> None:
    """At the end of a row: count on in the dimensions around it, as far as they are at their ends, too."""
    add, outer, done = BinaryOperation.ADD, masm.label(), masm.label()
    masm.load(LONG, spare, place, ROW)
    masm.store(LONG, spare, place, LEFT)
    masm.load(LONG, dimensions, place, DIMENSIONS)
    masm.load_address(dimension, place, FIRST)
    masm.bind(outer)
    masm.branch_immediate(LONG, Condition.EQUAL, dimensions, 0, done)
    masm.load(LONG, spare, dimension, JUMP)
    masm.binary(add, LONG, address, address, spare)
    masm.add_to_memory(LONG, -1, dimension, 0)
    masm.branch_memory_immediate(LONG, Condition.NOT_EQUAL, dimension, 0, 0, done)
    masm.load(LONG, spare, dimension, SIZE_OF_DIMENSION)
    masm.store(LONG, spare, dimension, 0)
    masm.binary_immediate(add, LONG, dimension, dimension, OF_DIMENSION)
    masm.binary_immediate(BinaryOperation.SUB, LONG, dimensions, dimensions, 1)
    masm.jump(outer)
    masm.bind(done)
    masm.load_constant(LONG, dimension, 0)


def convert(
    masm: MacroAssembler, source: Kind, target: Kind, to: AnyRegister, value: AnyRegister, unfit: Label
) -> None:
    """A value of one kind as one of another that holds it; a byte other than 0 is a true `bool`."""
    if source is BOOL:
        masm.compare_immediate(INT, Condition.NOT_EQUAL, to, value, 0)  # type: ignore[arg-type]
    elif source is target:
        return
    elif source is LONG and target is INT:
        with masm.scratch() as again:
            masm.convert(INT, LONG, again, value)
            masm.branch(LONG, Condition.NOT_EQUAL, again, value, unfit)  # type: ignore[arg-type]
    else:
        masm.convert(INT if source is BYTE and target in FLOATING else source, target, to, value)
