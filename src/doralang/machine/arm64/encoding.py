"""Encodings of AArch64 instructions, from rows in the wording of the manual.

A row is the syntax as the Arm manual (C6, C7) writes it and the 32 bits of its diagram, a letter for each bit
of an operand's field:

    add64_rr = three("ADD <Xd>, <Xn>, <Xm>", "10001011000mmmmm000000nnnnnddddd")

    masm.add64_rr(X[0], X[1], X[9])  ->  20 00 09 8b

The functions below turn a row into the method that emits it; its parameters are the operands in the order of
the syntax.  What the operands are is told by the syntax:

    <Xd> <Wd>            a general register or the zero register
    <Xn|SP> <Wn|WSP>     a general register or the stack pointer
    <Dd> <Sd> <Bd>       a floating-point register; <Vd> a vector
    <imm> <imm*8>        a number without sign; a multiple, which is divided
    <simm> <simm*8>      with a sign
    <bimm> <fimm>        constants as `immediates` has them: `bitmask`, `float_immediate`
    <cond> <label>       a condition; a place in this code

The letter of a field is that of its operand (`d` for `<Xd>`, `t` and `u` for `<Xt1>` and `<Xt2>`), `i` for
immediates, `h` for shifts, `c` for conditions.  The words of every combination of operands are kept: emitting
one that was met before is one look-up.  Rows are parsed when first used, so importing is cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from struct import Struct

from doralang.machine.arm64.immediates import bitmask
from doralang.machine.arm64.registers import SP, ZR
from doralang.machine.buffer import Buffer, Label, Patch
from doralang.machine.code import RangeError
from doralang.typing_forms import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Concatenate, Final, ParamSpec, TypeAlias

    P = ParamSpec("P")
    Emit: TypeAlias = Callable[Concatenate[Buffer, P], None]

Memo = dict[tuple[int, ...], bytes]

pack_word: Final = Struct("<I").pack
unpack_word: Final = Struct("<I").unpack_from
put_word: Final = Struct("<I").pack_into

MEMO_LIMIT: Final = 4096
"""A memory that grew to this many entries starts anew: immediates are many."""


class Row(NamedTuple):
    """What the rows are made of; tests walk over them through `ROWS`."""

    shape: str
    syntax: str
    pattern: str


ROWS: Final[dict[object, Row]] = {}
"""The row behind each emitting function."""

OPERAND: Final = re.compile(r"<([A-Za-z]+\d?)(?:\*(\d+))?(\|W?SP)?>")
LETTERS: Final = {
    "imm": "i",
    "simm": "i",
    "bimm": "i",
    "fimm": "i",
    "label": "i",
    "shift": "h",
    "cond": "c",
    "immr": "r",
    "imms": "s",
}


class BitField(NamedTuple):
    """Where an operand goes: `kind` is what the syntax calls it, without the letter of registers."""

    kind: str
    shift: int
    width: int
    scale: int


class Form(NamedTuple):
    """A parsed row: the bits that are always there, and the fields of its operands, labels left out."""

    syntax: str
    base: int
    fields: tuple[BitField, ...]


FORMS: Final[dict[tuple[str, str], Form]] = {}


def form_of(syntax: str, pattern: str) -> Form:
    """The parsed row, kept."""
    form = FORMS.get((syntax, pattern))
    if form is None:
        form = FORMS[syntax, pattern] = parse(syntax, pattern)
    return form


def parse(syntax: str, pattern: str) -> Form:
    assert len(pattern) == 32, f"{syntax} has {len(pattern)} bits"
    base = int(re.sub("[a-z]", "0", pattern), 2)
    fields = []
    for name, scale, stack in OPERAND.findall(syntax):
        if name != "label":
            fields.append(field_of(pattern, name, int(scale or 1), bool(stack)))
    return Form(syntax, base, tuple(fields))


def field_of(pattern: str, name: str, scale: int, stack: bool) -> BitField:
    """The field of one operand, whose bits stand side by side."""
    letter, kind = LETTERS.get(name), name
    if letter is None:
        letter = "u" if name[1:] == "t2" else name[1]
        kind = "SP" if stack else name[0]
    first, last = pattern.index(letter), pattern.rindex(letter)
    assert pattern[first : last + 1] == letter * (last + 1 - first), f"the bits of {name} are apart"
    return BitField(kind, 31 - last, last + 1 - first, scale)


# ---- The word of an instruction ----


def encode(syntax: str, pattern: str, operands: tuple[int, ...]) -> bytes:
    """Four bytes.  Raises RangeError for an operand that does not fit."""
    form = form_of(syntax, pattern)
    word = form.base
    for field, operand in zip(form.fields, operands, strict=True):
        value = OPERANDS.get(field.kind, plain)(field, operand)
        if value is None:
            raise RangeError(f"{form.syntax}: {operand} does not fit")
        word |= value << field.shift
    return pack_word(word)


def plain(field: BitField, operand: int) -> int | None:
    """Unsigned numbers, conditions, registers of floats."""
    value, rest = divmod(operand, field.scale)
    return value if not rest and 0 <= value < 1 << field.width else None


def signed(field: BitField, operand: int) -> int | None:
    value, rest = divmod(operand, field.scale)
    half = 1 << field.width - 1
    return value & 2 * half - 1 if not rest and -half <= value < half else None


def general_or_zero(field: BitField, operand: int) -> int | None:
    if operand == ZR:
        return 31
    return operand if 0 <= operand < SP else None


def general_or_stack(field: BitField, operand: int) -> int | None:
    return operand if 0 <= operand <= SP else None


def logical(field: BitField, operand: int) -> int | None:
    """A bitmask; the field has no bit N in the forms for 32 bits."""
    return bitmask(operand, 64 if field.width == 13 else 32)


OPERANDS: Final[dict[str, Callable[[BitField, int], int | None]]] = {
    "X": general_or_zero,
    "W": general_or_zero,
    "SP": general_or_stack,
    "simm": signed,
    "bimm": logical,
}
"""By kind; for all others `plain`."""


# ---- References to labels ----


def distance_in_words(offset: int, target: int, bits: int) -> int:
    words = target - offset >> 2
    if not -1 << bits - 1 <= words < 1 << bits - 1:
        raise RangeError(f"{target - offset} bytes are too far for {bits} bits of words")
    return words & (1 << bits) - 1


def patch_26(code: bytearray, offset: int, target: int) -> None:
    """`b` and `bl`: 128 MB both ways."""
    put_word(code, offset, unpack_word(code, offset)[0] | distance_in_words(offset, target, 26))


def patch_19(code: bytearray, offset: int, target: int) -> None:
    """`b.cond`, `cbz`, `cbnz`, `ldr` of a literal: 1 MB both ways."""
    put_word(code, offset, unpack_word(code, offset)[0] | distance_in_words(offset, target, 19) << 5)


def patch_21(code: bytearray, offset: int, target: int) -> None:
    """`adr`: 1 MB both ways, in bytes; the two low bits stand apart."""
    distance = target - offset
    if not -1 << 20 <= distance < 1 << 20:
        raise RangeError(f"{distance} bytes are too far for adr")
    word = (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5
    put_word(code, offset, unpack_word(code, offset)[0] | word)


PATCHES: Final[dict[int, Patch]] = {26: patch_26, 19: patch_19, 21: patch_21}
"""By how many bits a row has for its label."""


# ---- From rows to methods ----


def keep(memo: Memo, key: tuple[int, ...], data: bytes) -> bytes:
    """Remember the word of one combination of operands."""
    if len(memo) >= MEMO_LIMIT:
        memo.clear()
    memo[key] = data
    return data


def none(syntax: str, pattern: str) -> Emit[[]]:
    """No operands."""
    data = pack_word(int(pattern, 2))

    def emit(self: Buffer) -> None:
        self.code += data

    ROWS[emit] = Row("none", syntax, pattern)
    return emit


def one(syntax: str, pattern: str) -> Emit[[int]]:
    memo: Memo = {}

    def emit(self: Buffer, a: int) -> None:
        try:
            self.code += memo[(a,)]
        except KeyError:
            self.code += keep(memo, (a,), encode(syntax, pattern, (a,)))

    ROWS[emit] = Row("one", syntax, pattern)
    return emit


def two(syntax: str, pattern: str) -> Emit[[int, int]]:
    memo: Memo = {}

    def emit(self: Buffer, a: int, b: int) -> None:
        try:
            self.code += memo[a, b]
        except KeyError:
            self.code += keep(memo, (a, b), encode(syntax, pattern, (a, b)))

    ROWS[emit] = Row("two", syntax, pattern)
    return emit


def three(syntax: str, pattern: str) -> Emit[[int, int, int]]:
    memo: Memo = {}

    def emit(self: Buffer, a: int, b: int, c: int) -> None:
        try:
            self.code += memo[a, b, c]
        except KeyError:
            self.code += keep(memo, (a, b, c), encode(syntax, pattern, (a, b, c)))

    ROWS[emit] = Row("three", syntax, pattern)
    return emit


def four(syntax: str, pattern: str) -> Emit[[int, int, int, int]]:
    memo: Memo = {}

    def emit(self: Buffer, a: int, b: int, c: int, d: int) -> None:
        try:
            self.code += memo[a, b, c, d]
        except KeyError:
            self.code += keep(memo, (a, b, c, d), encode(syntax, pattern, (a, b, c, d)))

    ROWS[emit] = Row("four", syntax, pattern)
    return emit


def to_label(syntax: str, pattern: str) -> Emit[[Label]]:
    """A label alone."""
    data, patch = pack_word(int(pattern.replace("i", "0"), 2)), PATCHES[pattern.count("i")]

    def emit(self: Buffer, label: Label) -> None:
        self.fixups.append((len(self.code), label, patch))
        self.code += data

    ROWS[emit] = Row("to_label", syntax, pattern)
    return emit


def one_and_label(syntax: str, pattern: str) -> Emit[[int, Label]]:
    """A register or condition, and a label."""
    memo: Memo = {}
    patch = PATCHES[pattern.count("i")]

    def emit(self: Buffer, a: int, label: Label) -> None:
        self.fixups.append((len(self.code), label, patch))
        self.code += memo.get((a,)) or keep(memo, (a,), encode(syntax, pattern, (a,)))

    ROWS[emit] = Row("one_and_label", syntax, pattern)
    return emit
