"""Short texts in wrappers: copied in both directions without a call of the C library.

A text is padded to whole words, as the objects of Dora are, so it may be looked at word by word.
"""

from __future__ import annotations

from typing import Final

from doralang.code import layout
from doralang.code.symbols import NATIVE, Symbol
from doralang.embed.layouts import TextLayout
from doralang.machine.buffer import Label
from doralang.machine.macro import BinaryOperation, Condition, MacroAssembler, Register
from doralang.types.kinds import LONG

LONGEST_COPIED: Final = 64
"""bytes of a text that are copied here; more are copied by the C library"""
NOT_ASCII: Final = 0x8080_8080_8080_8080
LAST_ASCII: Final = 127


def copy_bytes(masm: MacroAssembler) -> None:
    """As `memcpy` does, whose arguments are there."""
    many, done = masm.labels(2)
    target, source, size = masm.arguments[:3]
    masm.branch_immediate(LONG, Condition.ABOVE, size, LONGEST_COPIED, many)
    masm.copy_memory(target, source, size)
    masm.bind(done)

    def copy_many() -> None:
        masm.bind(many)
        masm.call_symbol(Symbol(NATIVE, "memcpy"))
        masm.jump(done)

    masm.out_of_line(copy_many)


def give_ascii(masm: MacroAssembler, place: int, made: Register, known: TextLayout, other: Label) -> None:
    """Give the text at a place in the frame, if it is all ASCII, word by word; go to the label if it is none.

    `made` is a register that calls keep and that nobody needs any more.  Of one character CPython has objects
    already, so it is asked for those.
    """
    text, at, end, bits, word = masm.temporaries[:5]
    again, none = masm.labels(2)
    masm.load(LONG, text, masm.frame_pointer, place)
    masm.load(LONG, end, text, layout.ARRAY_LENGTH)
    masm.binary_immediate(BinaryOperation.SUB, LONG, word, end, 2)
    masm.branch_immediate(LONG, Condition.ABOVE, word, LONGEST_COPIED - 2, other)
    masm.load_address(at, text, layout.ARRAY_ELEMENTS)
    masm.binary(BinaryOperation.ADD, LONG, end, end, at)
    masm.load_constant(LONG, bits, NOT_ASCII)
    masm.bind(again)
    masm.load(LONG, word, at, 0)
    masm.binary(BinaryOperation.AND, LONG, word, word, bits)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, word, 0, other)
    masm.binary_immediate(BinaryOperation.ADD, LONG, at, at, layout.WORD)
    masm.branch(LONG, Condition.BELOW, at, end, again)
    masm.load(LONG, masm.arguments[0], text, layout.ARRAY_LENGTH)
    masm.load_constant(LONG, masm.arguments[1], LAST_ASCII)
    masm.call_symbol(Symbol(NATIVE, "PyUnicode_New"))
    target, source, size = masm.arguments[:3]
    masm.move(LONG, made, masm.result)
    masm.branch_immediate(LONG, Condition.EQUAL, made, 0, none)
    masm.load(LONG, source, masm.frame_pointer, place)
    masm.load(LONG, size, source, layout.ARRAY_LENGTH)
    masm.binary_immediate(BinaryOperation.ADD, LONG, source, source, layout.ARRAY_ELEMENTS)
    masm.load_address(target, made, known.data)
    masm.copy_memory(target, source, size)
    masm.bind(none)
    masm.move(LONG, masm.result, made)
    masm.epilogue()
