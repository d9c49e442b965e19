"""Encodings of AVX and AVX2 instructions, from rows in the wording of the manual.

    vaddpd_rrr = vex("rrr", "vaddpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 58 /r")
    asm.vaddpd_rrr(0, 1, 9)         ->      c4 c1 75 58 c1

The shape says what the operands of the method are, in the order of the syntax: r register, m memory at base
and displacement, x memory at base, index, scale and displacement, l memory at a label, i immediate.  The
bytes of each combination of operands are kept, as those of the rows in `encoding` are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from doralang.machine.buffer import Buffer
from doralang.machine.code import RangeError
from doralang.machine.x64.encoding import (
    MEMO_LIMIT,
    SCALES,
    Row,
    displaced,
    patch_relative,
    pattern,
    signed,
)

VEX_ROWS: Final[dict[object, Row]] = {}
"""The row behind each emitting function."""

LENGTHS: Final = {"128": 0, "LIG": 0, "LZ": 0, "L0": 0, "256": 4, "L1": 4}
PREFIXES: Final = {"NP": 0, "66": 1, "F3": 2, "F2": 3}
MAPS: Final = {"0F": 1, "0F38": 2, "0F3A": 3}
WIDTHS: Final = {"WIG": 0, "W0": 0, "W1": 0x80}
NONE: Final = 0
"""the register where there is none; all its bits are stored inverted"""


class VexForm(NamedTuple):
    """A parsed row.

    `low` are the bits of vector length and prefix, `has_third` whether a register stands in `vvvv`,
    `register_first` whether the first operand of the syntax is that of `reg`, `in_immediate` whether the
    last register is written into the immediate.
    """

    low: int
    map: int
    wide: int
    opcode: int
    has_third: bool
    register_first: bool
    in_immediate: bool


class Place(NamedTuple):
    """What ModRM and what follows it say: the high bits of its registers, and the bytes without `reg`."""

    index_high: int
    base_high: int
    modrm: int
    tail: bytes


def parse(syntax: str, encoding: str) -> VexForm:
    """Take apart a row such as ("vaddpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 58 /r")."""
    head, opcode, *rest = encoding.split()
    _, length, prefix, map_, width = head.split(".")
    operands = syntax.replace(",", " ").split()[1:]
    registers = [operand for operand in operands if operand != "imm8"]
    in_immediate = "/is4" in rest
    return VexForm(
        LENGTHS[length] | PREFIXES[prefix],
        MAPS[map_],
        WIDTHS[width],
        int(opcode, 16),
        len(registers) - in_immediate == 3,
        not registers or "/m" not in registers[0] and not registers[0].startswith("m"),
        in_immediate,
    )


def prefix_bytes(form: VexForm, reg: int, third: int, place: Place) -> bytes:
    """The two bytes of the short form where it can say all, else three."""
    low = (~third & 15) << 3 | form.low
    high = (~reg >> 3 & 1) << 7
    if form.map == 1 and not form.wide and not place.index_high and not place.base_high:
        return bytes((0xC5, high | low))
    middle = high | (1 - place.index_high) << 6 | (1 - place.base_high) << 5 | form.map
    return bytes((0xC4, middle, form.wide | low))


def register_place(number: int) -> Place:
    """Of 32 registers the highest bit stands where that of an index would."""
    return Place(number >> 4, number >> 3 & 1, 0xC0 | number & 7, b"")


def scaled(displacement: int, base: int, unit: int) -> tuple[int, bytes]:
    """The `mod` bits and the bytes of a displacement whose short form counts units."""
    if displacement % unit == 0 and -128 <= displacement // unit < 128:
        return displaced(displacement // unit, base)
    return 0x80, signed(displacement, 4)


def memory_place(base: int, displacement: int, unit: int = 1) -> Place:
    mod, tail = scaled(displacement, base, unit)
    sib = b"\x24" if base & 7 == 4 else b""
    return Place(0, base >> 3, mod | base & 7, sib + tail)


def indexed_place(base: int, index: int, scale: int, displacement: int, unit: int = 1) -> Place:
    if index == 4:
        raise RangeError("rsp cannot be an index")
    if scale not in SCALES:
        raise RangeError(f"scale {scale}")
    mod, tail = scaled(displacement, base, unit)
    sib = bytes((SCALES[scale] << 6 | (index & 7) << 3 | base & 7,))
    return Place(index >> 3, base >> 3, mod | 4, sib + tail)


NEARBY: Final = Place(0, 0, 5, bytes(4))
"""memory relative to rip, the distance still zero"""
MEMORY: Final[dict[str, tuple[int, Callable[..., Place]]]] = {
    "m": (2, memory_place),
    "x": (4, indexed_place),
}
"""how many operands memory has, and how they are read"""


def encode(form: VexForm, shape: str, operands: tuple[int, ...]) -> bytes:
    """The bytes of an instruction; memory at a label has its distance still zero."""
    registers: list[int] = []
    place: Place | None = None
    immediate = b""
    at = 0
    for letter in shape:
        if letter in MEMORY:
            count, read = MEMORY[letter]
            place = read(*operands[at : at + count])
            at += count
        elif letter == "l":
            place = NEARBY
        elif letter == "i":
            immediate = pattern(operands[at], 1)
            at += 1
        else:
            registers.append(operands[at])
            at += 1
    if form.in_immediate:
        immediate = bytes((registers.pop() << 4,))
    if place is None:
        place = register_place(registers.pop(-1 if form.register_first else 0))
    reg = registers.pop(0 if form.register_first else -1)
    third = registers[0] if form.has_third else NONE
    head = prefix_bytes(form, reg, third, place)
    return head + bytes((form.opcode, place.modrm | (reg & 7) << 3)) + place.tail + immediate


Encoder = Callable[[tuple[int, ...]], bytes]
"""gives the bytes for some operands"""


def vex(shape: str, syntax: str, encoding: str) -> Callable[..., None]:
    """The method for a row whose operands have this shape."""

    def encoder() -> Encoder:
        form = parse(syntax, encoding)
        return lambda operands: encode(form, shape, operands)

    return method(VEX_ROWS, Row(shape, syntax, (encoding,)), encoder)


def method(rows: dict[object, Row], row: Row, encoder: Callable[[], Encoder]) -> Callable[..., None]:
    """The method for a row, noted among others; the encoder is made when it is first needed."""
    memo: dict[tuple[int, ...], bytes] = {}
    encoders: list[Encoder] = []

    def bytes_of(operands: tuple[int, ...]) -> bytes:
        try:
            return memo[operands]
        except KeyError:
            if not encoders:
                encoders.append(encoder())
            if len(memo) >= MEMO_LIMIT:
                memo.clear()
            data = memo[operands] = encoders[0](operands)
            return data

    def emit(self: Buffer, *operands: int) -> None:
        self.code += bytes_of(operands)

    def emit_nearby(self: Buffer, *operands: Any) -> None:
        *registers, label = operands
        self.code += bytes_of(tuple(registers))
        self.fixups.append((len(self.code) - 4, label, patch_relative))

    made = emit_nearby if row.shape.endswith(("l", "b")) else emit
    rows[made] = row
    return made
