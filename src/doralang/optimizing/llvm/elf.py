"""From an object file to code: text and constants in one piece, with relocations by symbol and GC points.

Only what is known here is taken.  A section, a relocation or a location of another kind is refused, and the
function is compiled by the other lowering.  (System V Application Binary Interface, and its supplements for
AMD64 and for the Arm 64-bit architecture.)
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, pack_into
from typing import Final, NamedTuple

from doralang.code.symbols import NATIVE, OWN, Symbol
from doralang.machine.code import Code, Relocation, RelocationKind
from doralang.machine.memory import CODE_ALIGNMENT
from doralang.machine.targets import ARM64, X64, Target
from doralang.optimizing.llvm.emitters import NotLowered
from doralang.optimizing.llvm.stackmaps import FrameRegisters, StackMapRecord, records, stack_size

K = RelocationKind
FILE: Final = Struct("<16sHHIQQQIHHHHHH")
SECTION: Final = Struct("<IIQQQQIIQQ")
SYMBOL: Final = Struct("<IBBHQQ")
RELOCATION: Final = Struct("<QQq")
ALLOCATED: Final = 2
"""flag of a section: it is a part of the program"""
RELOCATIONS: Final = 4
"""type of a section"""
UNDEFINED: Final = 0
STACK_MAPS: Final = ".llvm_stackmaps"
TAKEN: Final = (".text", ".rodata")
"""how the names of sections begin that are code and its constants"""
LIBRARY: Final = frozenset(["memcpy", "memmove", "memset", "fmod", "memset_pattern16"])
"""functions of the C library that LLVM calls by itself"""
SMALL_FRAME: Final = 8 << 10
"""bytes; the poll at the start of a function is not enough for larger ones"""

KINDS: Final[dict[str, dict[int, str]]] = {
    X64.name: {1: K.ABSOLUTE_64, 2: K.RELATIVE_32, 4: K.RELATIVE_32},
    ARM64.name: {
        257: K.ABSOLUTE_64,
        275: K.PAGE_21,
        277: K.LOW_12,
        282: K.CALL_26,
        283: K.CALL_26,
        285: K.LOW_12_OF_4,
        286: K.LOW_12_OF_8,
        299: K.LOW_12_OF_16,
    },
}
"""relocations by their numbers: R_X86_64_64, PC32, PLT32; R_AARCH64_ABS64, ADR_PREL_PG_HI21, ADD_ABS_LO12_NC,
JUMP26, CALL26, LDST32_, LDST64_ and LDST128_ABS_LO12_NC"""

THUNKS: Final = {X64.name: b"\xff\x25\0\0\0\0", ARM64.name: b"\x50\0\0\x58\0\x02\x1f\xd6"}
"""jmp [rip]; ldr x16, #8 and br x16: go on at the address in the word behind"""

MOVE_TO_FRAME, MOVE_MASK = 0x9100_03FD, 0xFF80_03FF
"""AArch64's add x29, sp, #…"""
PROLOGUE: Final = 64
"""instructions in which it is looked for"""


class Section(NamedTuple):
    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int


class ObjectFile:
    """An object file on its way to code."""

    def __init__(self, image: bytes, target: Target, names: dict[str, Symbol]) -> None:
        self.image = image
        self.target = target
        self.names = names
        self.sections = self.read_sections()
        self.data = bytearray()
        self.bases: dict[int, int] = {}
        """where sections are in the data, by number"""
        self.relocations: list[Relocation] = []
        self.thunks: dict[Symbol, int] = {}

    def read_sections(self) -> list[Section]:
        header = FILE.unpack_from(self.image)
        start, count, strings = header[6], header[12], header[13]
        raw = [SECTION.unpack_from(self.image, start + SECTION.size * number) for number in range(count)]
        names = raw[strings][4]
        return [
            Section(self.text_at(names + name), type, flags, offset, size, link, info, alignment)
            for name, type, flags, _, offset, size, link, info, alignment, _ in raw
        ]

    def text_at(self, offset: int) -> str:
        return self.image[offset : self.image.index(b"\0", offset)].decode()

    def bytes_of(self, section: Section) -> bytes:
        return self.image[section.offset : section.offset + section.size]

    def code(self) -> Code:
        """Text, then constants, with the relocations that are left."""
        text_size = 0
        for prefix in TAKEN:
            for number, section in enumerate(self.sections):
                if section.flags & ALLOCATED and section.name.startswith(prefix) and section.size:
                    self.take(number, section)
            text_size = text_size or len(self.data)
        for section in self.sections:
            if section.type == RELOCATIONS:
                self.relocate(section)
        return Code(self.data, text_size, self.relocations, [])

    def take(self, number: int, section: Section) -> None:
        alignment = max(section.alignment, 1)
        if alignment > CODE_ALIGNMENT:
            raise NotLowered(f"section {section.name} is aligned to {alignment}")
        self.data += bytes(-len(self.data) % alignment)
        self.bases[number] = len(self.data)
        self.data += self.bytes_of(section)

    def relocate(self, section: Section) -> None:
        """The relocations of one section."""
        base = self.bases.get(section.info)
        if base is None:
            if self.sections[section.info].name != STACK_MAPS:
                raise NotLowered(f"section {self.sections[section.info].name}")
            return
        for at in range(section.offset, section.offset + section.size, RELOCATION.size):
            offset, info, addend = RELOCATION.unpack_from(self.image, at)
            kind = KINDS[self.target.name].get(info & 0xFFFF_FFFF)
            if kind is None:
                raise NotLowered(f"relocation {info & 0xFFFF_FFFF}")
            table = self.sections[section.link]
            name, _, _, home, value, _ = SYMBOL.unpack_from(
                self.image, table.offset + SYMBOL.size * (info >> 32)
            )
            if home in self.bases:
                self.relocate_inside(base + offset, kind, self.bases[home] + value + addend)
            elif home == UNDEFINED:
                self.relocate_outside(
                    base + offset, kind, self.text_at(self.sections[table.link].offset + name), addend
                )
            else:
                raise NotLowered(f"symbol in section {home}")

    def relocate_inside(self, place: int, kind: str, target: int) -> None:
        """What is in the same piece: a distance is known now, an address when the piece is placed."""
        if kind is K.RELATIVE_32:
            pack_into("<i", self.data, place, target - place)
        else:
            self.relocations.append((place, kind, OWN, target))

    def relocate_outside(self, place: int, kind: str, name: str, addend: int) -> None:
        symbol = Symbol(NATIVE, name) if name in LIBRARY else self.names.get(name)
        if symbol is None:
            raise NotLowered(f"symbol {name}")
        if symbol.kind == NATIVE:  # which may be anywhere
            self.relocate_inside(place, kind, self.thunk(symbol) + addend)
        else:
            self.relocations.append((place, kind, symbol, addend))

    def thunk(self, symbol: Symbol) -> int:
        """Where the code is that goes on in a C function."""
        at = self.thunks.get(symbol)
        if at is None:
            self.data += bytes(-len(self.data) % 16)
            at = self.thunks[symbol] = len(self.data)
            self.data += THUNKS[self.target.name]
            self.relocations.append((len(self.data), K.ABSOLUTE_64, symbol, 0))
            self.data += bytes(8)
        return at

    # Calls.

    def calls(self, code: Code) -> Sequence[StackMapRecord]:
        """The calls whose frames can be looked at."""
        found = [section for section in self.sections if section.name == STACK_MAPS]
        if not found:
            return ()
        data = self.bytes_of(found[0])
        size = stack_size(data)
        if size > SMALL_FRAME:
            raise NotLowered(f"a frame of {size} bytes")
        return list(records(data, self.frame(code, size)))

    def frame(self, code: Code, size: int) -> FrameRegisters:
        """Where the frame pointer is: below the return address, or where the prologue says."""
        if self.target is X64:
            return FrameRegisters(7, 6, size - 8)
        for at in range(0, min(code.body_size, 4 * PROLOGUE), 4):
            word = int.from_bytes(code.data[at : at + 4], "little")
            if word & MOVE_MASK == MOVE_TO_FRAME & MOVE_MASK:
                return FrameRegisters(31, 29, word >> 10 & 0xFFF)
        raise NotLowered("a prologue without a frame pointer")


def read_object(
    image: bytes, target: Target, names: dict[str, Symbol]
) -> tuple[Code, Sequence[StackMapRecord]]:
    """The code of an object file that has one function, and its calls.  Raises NotLowered."""
    file = ObjectFile(image, target, names)
    code = file.code()
    return code, file.calls(code)
