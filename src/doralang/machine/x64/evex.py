"""Encodings of AVX-512 instructions, from rows in the wording of the manual (volume 2, 2.7).

    vaddpd_rrr = evex("rrr", "vaddpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 58 /r")
    asm.vaddpd_rrr(0, 17, 9)        ->      62 d1 f5 40 58 c1

To the letters of `vex` come k, the mask register that says which lanes are written, and b, one element of
memory at a label that goes to all lanes.  Lanes that are not written keep what they had; they become zero if
the syntax says `{z}`.  Displacements of one byte count in units of what is read from memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from doralang.machine.x64.encoding import Row, pattern
from doralang.machine.x64.vex import (
    MAPS,
    MEMORY,
    NEARBY,
    NONE,
    PREFIXES,
    WIDTHS,
    Encoder,
    Place,
    method,
    register_place,
)

EVEX_ROWS: Final[dict[object, Row]] = {}
"""The row behind each emitting function."""
LENGTHS: Final = {"128": 0x00, "LIG": 0x00, "256": 0x20, "512": 0x40}
BROADCAST: Final = 0x10
ZEROING: Final = 0x80


class EvexForm(NamedTuple):
    """A parsed row.

    `middle` is the second byte of the prefix without `vvvv`, `last` the third one without mask and broadcast,
    `has_third` whether a register stands in `vvvv`, `register_first` whether the first operand of the syntax
    is that of `reg`, `unit` the bytes that displacements count.
    """

    map: int
    middle: int
    last: int
    opcode: int
    has_third: bool
    register_first: bool
    unit: int


def parse(syntax: str, encoding: str) -> EvexForm:
    """Take apart a row such as ("vaddpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 58 /r")."""
    head, opcode, *_ = encoding.split()
    _, length, prefix, map_, width = head.split(".")
    operands = syntax.replace(",", " ").split()[1:]
    registers = [operand for operand in operands if operand != "imm8" and not operand.startswith("{")]
    memory = [operand.rpartition("m")[2] for operand in registers if "/m" in operand or operand[0] == "m"]
    return EvexForm(
        MAPS[map_],
        WIDTHS[width] | 4 | PREFIXES[prefix],
        LENGTHS[length] | (ZEROING if "{z}" in syntax else 0),
        int(opcode, 16),
        len(registers) == 3,
        "/m" not in registers[0] and not registers[0].startswith("m"),
        int(memory[0]) // 8 if memory else 1,
    )


def prefix_bytes(form: EvexForm, reg: int, third: int, place: Place, last: int) -> bytes:
    """The four bytes in front of the opcode; high bits of registers are stored inverted."""
    high = reg >> 3 & 1, place.index_high, place.base_high, reg >> 4
    first = sum((1 - bit) << 7 - at for at, bit in enumerate(high)) | form.map
    return bytes((0x62, first, form.middle | (~third & 15) << 3, form.last | last | (1 - (third >> 4)) << 3))


def encode(form: EvexForm, shape: str, operands: tuple[int, ...]) -> bytes:
    """The bytes of an instruction; memory at a label has its distance still zero."""
    registers: list[int] = []
    place: Place | None = None
    immediate = b""
    at = last = 0
    for letter in shape:
        if letter in MEMORY:
            count, read = MEMORY[letter]
            place = read(*operands[at : at + count], form.unit)
            at += count
            continue
        if letter in "lb":
            place = NEARBY
            last |= BROADCAST if letter == "b" else 0
            continue
        if letter == "i":
            immediate = pattern(operands[at], 1)
        elif letter == "k":
            last |= operands[at]
        else:
            registers.append(operands[at])
        at += 1
    if place is None:
        place = register_place(registers.pop(-1 if form.register_first else 0))
    reg = registers.pop(0 if form.register_first else -1)
    third = registers[0] if form.has_third else NONE
    head = prefix_bytes(form, reg, third, place, last)
    return head + bytes((form.opcode, place.modrm | (reg & 7) << 3)) + place.tail + immediate


def evex(shape: str, syntax: str, encoding: str) -> Callable[..., None]:
    """The method for a row whose operands have this shape."""

    def encoder() -> Encoder:
        form = parse(syntax, encoding)
        return lambda operands: encode(form, shape, operands)

    return method(EVEX_ROWS, Row(shape, syntax, (encoding,)), encoder)
