"""Operations of the macro assembler that AArch64 has no one instruction for.

Constants and displacements beyond what an instruction holds, frames, conversions of floats to integers,
atomic operations, loops over memory.  `OWN` holds values and `OWN_ADDRESS` displacements and addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache, lru_cache

from doralang.machine.arm64 import registers as a
from doralang.machine.arm64 import selection as s
from doralang.machine.arm64.assembler import Assembler
from doralang.machine.arm64.immediates import bitmask, fits_add, float_immediate, pieces
from doralang.machine.arm64.registers import FP, LR, SP, ZR, X
from doralang.machine.arm64.selection import Access
from doralang.machine.buffer import Label
from doralang.machine.code import ABSOLUTE_64, RangeError
from doralang.machine.macro import FloatRegister, Move, Register
from doralang.machine.moves import KEPT, in_order
from doralang.machine.values import float_pattern, signed32, signed64
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OWN: Final = X[16]
"""The macro assembler's own, for values."""

OWN_ADDRESS: Final = X[15]
"""The macro assembler's own, for addresses."""

FLOAT_OWN: Final = FloatRegister(31)

SCRATCH: Final = X[17]
FLOAT_SCRATCH: Final = a.D[30]
"""What the macro assembler lends."""

LARGEST_FRAME: Final = 1 << 24


# ---- Constants ----


def constant(asm: Assembler, wide: bool, target: int, value: int) -> None:
    """One to four instructions; a bitmask takes one where pieces take more."""
    width = 64 if wide else 32
    value &= (1 << width) - 1
    made = pieces(value, width)
    if len(made) > 1 and bitmask(value, width) is not None:
        (asm.orr64_ri if wide else asm.orr32_ri)(target, ZR, value)
        return
    for mnemonic, bits, shift in made:
        if mnemonic == "movz":
            (asm.movz64_ri if wide else asm.movz32_ri)(target, bits, shift)
        elif mnemonic == "movn":
            (asm.movn64_ri if wide else asm.movn32_ri)(target, bits, shift)
        else:
            (asm.movk64_ri if wide else asm.movk32_ri)(target, bits, shift)


def float_constant(asm: Assembler, kind: Kind, target: int, value: float) -> None:
    """Zero from the zero register, few others in the instruction, the rest from behind the code."""
    data = float_pattern(kind, value)
    double = kind is Kind.DOUBLE
    small = float_immediate(value)
    if not any(data):
        (asm.fmov_from_64 if double else asm.fmov_from_32)(target, ZR)
    elif small is not None:
        (asm.fmov_double_i if double else asm.fmov_float_i)(target, small)
    else:
        load = asm.ldr_double_l if double else asm.ldr_float_l
        if not asm.far:
            load(target, asm.constant(data))
            return
        with_data(asm, data, lambda label: load(target, label))


def add_constant(asm: Assembler, wide: bool, target: int, left: int, value: int) -> None:
    """left + value, a signed number.  Loses `OWN` if the value is large."""
    forms = s.ADD_IMMEDIATE if value >= 0 else s.SUB_IMMEDIATE
    low, high = forms[wide]
    size = abs(value)
    if size < 1 << 12:
        low(asm, target, left, size)
    elif size < 1 << 24:
        high(asm, target, left, size >> 12)
        if size & 0xFFF:
            low(asm, target, target, size & 0xFFF)
    else:
        constant(asm, wide, OWN, value)
        add_register(asm, wide, target, left, OWN)


def add_register(asm: Assembler, wide: bool, target: int, left: int, right: int) -> None:
    """`left` and `target` may be the stack pointer."""
    if SP in (target, left):
        asm.add64_extended(target, left, right)
    else:
        (asm.add64_rr if wide else asm.add32_rr)(target, left, right)


def compare_constant(asm: Assembler, wide: bool, left: int, value: int, spare: int = OWN) -> None:
    """Set the flags; a large value goes to `spare`."""
    value = signed64(value) if wide else signed32(value)
    forms = s.CMP_IMMEDIATE if value >= 0 else s.CMN_IMMEDIATE
    low, high = forms[wide]
    size = abs(value)
    if size < 1 << 12:
        low(asm, left, size)
    elif fits_add(size):
        high(asm, left, size >> 12)
    else:
        constant(asm, wide, spare, value)
        (asm.cmp64_rr if wide else asm.cmp32_rr)(left, spare)


# ---- Code of any size: what reaches 1 MB only ----


def branch_if(asm: Assembler, condition: a.ConditionCode, label: Label) -> None:
    """`b.cond`; in large code around a jump, which reaches 128 MB."""
    if not asm.far:
        asm.b_cond(condition, label)
        return
    over = asm.label()
    asm.b_cond(condition ^ 1, over)
    asm.b(label)
    asm.bind(over)


def branch_if_zero(asm: Assembler, wide: bool, zero: bool, register: int, label: Label) -> None:
    """`cbz` or, unless `zero`, `cbnz`."""
    if asm.far:
        over = asm.label()
        compare_with_zero(asm, wide, not zero, register, over)
        asm.b(label)
        asm.bind(over)
    else:
        compare_with_zero(asm, wide, zero, register, label)


def compare_with_zero(asm: Assembler, wide: bool, zero: bool, register: int, label: Label) -> None:
    if zero:
        (asm.cbz64 if wide else asm.cbz32)(register, label)
    else:
        (asm.cbnz64 if wide else asm.cbnz32)(register, label)


def with_data(asm: Assembler, data: bytes, load: Callable[[Label], None]) -> None:
    """Data in the middle of the code, behind the instruction that loads it, and a jump over it."""
    place, over = asm.label(), asm.label()
    load(place)
    asm.b(over)
    asm.bind(place)
    asm.code += data
    asm.bind(over)


def load_address_of(asm: Assembler, target: int, symbol: Hashable, addend: int = 0) -> None:
    """The address of a symbol, from a word behind the code."""
    if not asm.far:
        asm.ldr_64_l(target, asm.address(symbol, addend))
        return
    asm.relocations.append((len(asm.code) + 8, ABSOLUTE_64, symbol, addend))
    with_data(asm, bytes(8), lambda label: asm.ldr_64_l(target, label))


# ---- Memory ----


def access(asm: Assembler, how: Access, register: int, base: int, displacement: int) -> None:
    """Load or store at base + displacement."""
    size = how.size
    if displacement >= 0 and displacement % size == 0 and displacement < size << 12:
        how.scaled(asm, register, base, displacement)
    elif -256 <= displacement < 256:
        how.unscaled(asm, register, base, displacement)
    else:
        constant(asm, True, OWN_ADDRESS, displacement)
        how.indexed(asm, register, base, OWN_ADDRESS)


def access_indexed(
    asm: Assembler, how: Access, register: int, base: int, index: int, scale: int, displacement: int
) -> None:
    """Load or store at base + index * scale + displacement."""
    emit = how.indexed if scale == 1 else how.times_size if scale == how.size else None
    if emit is None:
        indexed_address(asm, OWN_ADDRESS, base, index, scale, displacement)
        how.scaled(asm, register, OWN_ADDRESS, 0)
        return
    if displacement:
        add_constant(asm, True, OWN_ADDRESS, base, displacement)
        base = OWN_ADDRESS
    emit(asm, register, base, index)


def indexed_address(
    asm: Assembler, target: int, base: int, index: int, scale: int, displacement: int
) -> None:
    """base + index * scale + displacement."""
    asm.add64_shifted(target, base, index, scale.bit_length() - 1)
    if displacement:
        add_constant(asm, True, target, target, displacement)


def address(asm: Assembler, base: int, displacement: int) -> int:
    """A register with base + displacement, for instructions that know no displacement."""
    if not displacement:
        return base
    add_constant(asm, True, OWN_ADDRESS, base, displacement)
    return OWN_ADDRESS


def compare_and_swap(
    asm: Assembler, target: int, base: int, displacement: int, expected: int, value: int
) -> None:
    """The store fails if somebody else has written there since the load."""
    place = address(asm, base, displacement)
    again, done = asm.bound(), asm.label()
    asm.ldaxr_64(OWN, place)
    asm.cmp64_rr(OWN, expected)
    asm.b_cond(a.NE, done)
    asm.stlxr_64(OWN, value, place)
    asm.cbnz32(OWN, again)
    asm.bind(done)
    set_condition(asm, target, a.EQ)


def copy_memory(asm: Assembler, target: int, source: int, size: int) -> None:
    """Words, then the bytes that are left."""
    words, rest, byte, done = asm.label(), asm.label(), asm.label(), asm.label()
    asm.bind(words)
    asm.subs64_ri(size, size, 8)
    asm.b_cond(a.LO, rest)
    asm.ldr_64_post(OWN, source, 8)
    asm.str_64_post(OWN, target, 8)
    asm.b(words)
    asm.bind(rest)
    asm.adds64_ri(size, size, 8)
    asm.b_cond(a.EQ, done)
    asm.bind(byte)
    asm.ldr_8_post(OWN, source, 1)
    asm.str_8_post(OWN, target, 1)
    asm.subs64_ri(size, size, 1)
    asm.b_cond(a.NE, byte)
    asm.bind(done)


def clear_memory(asm: Assembler, target: int, size: int) -> None:
    """Words, then the bytes that are left."""
    words, rest, byte, done = asm.label(), asm.label(), asm.label(), asm.label()
    asm.bind(words)
    asm.subs64_ri(size, size, 8)
    asm.b_cond(a.LO, rest)
    asm.str_64_post(ZR, target, 8)
    asm.b(words)
    asm.bind(rest)
    asm.adds64_ri(size, size, 8)
    asm.b_cond(a.EQ, done)
    asm.bind(byte)
    asm.str_8_post(ZR, target, 1)
    asm.subs64_ri(size, size, 1)
    asm.b_cond(a.NE, byte)
    asm.bind(done)


def synchronize_code(asm: Assembler, start: int, end: int) -> None:
    """Clean the data cache, then drop the instruction cache, line by line (the manual's B2.7.4).

    `ctr_el0` has the sizes of lines as powers of two of words: data from bit 16, instructions from bit 0.
    """
    asm.mrs_ctr_el0(OWN)
    for lowest_bit, maintain in ((16, asm.dc_cvau), (0, asm.ic_ivau)):
        asm.ubfm64_rr(OWN_ADDRESS, OWN, lowest_bit, lowest_bit + 3)
        asm.movz64_ri(SCRATCH, 4, 0)
        asm.lsl64_rr(SCRATCH, SCRATCH, OWN_ADDRESS)
        asm.sub64_ri(OWN_ADDRESS, SCRATCH, 1)
        asm.bic64_rr(OWN_ADDRESS, start, OWN_ADDRESS)
        again = asm.bound()
        maintain(OWN_ADDRESS)
        asm.add64_rr(OWN_ADDRESS, OWN_ADDRESS, SCRATCH)
        asm.cmp64_rr(OWN_ADDRESS, end)
        asm.b_cond(a.LO, again)
        asm.dsb_ish()
    asm.isb()


# ---- Frames ----


@cache
def prologue() -> bytes:
    """Return address and frame pointer, and `sub sp` without its amount."""
    asm = Assembler()
    asm.stp_64_pre(FP, LR, SP, -16)
    asm.add64_ri(FP, SP, 0)
    return bytes(asm.code)


@cache
def save(saved: tuple[Register, ...]) -> bytes:
    """Store registers below the frame pointer, two at once where there are two."""
    asm = Assembler()
    for number in range(0, len(saved) - 1, 2):
        asm.stp_64(saved[number + 1], saved[number], FP, -8 * number - 16)
    if len(saved) % 2:
        asm.stur_64(saved[-1], FP, -8 * len(saved))
    return bytes(asm.code)


@cache
def leaving(saved: tuple[Register, ...]) -> bytes:
    """Loads what was saved, and takes down the frame."""
    asm = Assembler()
    for number in range(0, len(saved) - 1, 2):
        asm.ldp_64(saved[number + 1], saved[number], FP, -8 * number - 16)
    if len(saved) % 2:
        asm.ldur_64(saved[-1], FP, -8 * len(saved))
    asm.add64_ri(SP, FP, 0)
    asm.ldp_64_post(FP, LR, SP, 16)
    return bytes(asm.code)


@lru_cache(KEPT)
def frame_room(size: int) -> bytes:
    """`sub sp, sp, #size`; what 12 bits cannot hold is rounded up to pages of 4096 bytes."""
    asm = Assembler()
    if size < 1 << 12:
        asm.sub64_ri(SP, SP, size)
    elif size < LARGEST_FRAME:
        asm.sub64_ri12(SP, SP, size + 0xFFF >> 12)
    else:
        raise RangeError(f"a frame of {size} bytes")
    return bytes(asm.code)


@lru_cache(KEPT)
def encode_moves(moves: tuple[Move, ...]) -> bytes:
    """Moves as if all at once.  There are few combinations: those of arguments."""
    asm = Assembler()
    for kind, target, source in in_order(moves, SCRATCH, FLOAT_SCRATCH):
        move(asm, kind, target, source)
    return bytes(asm.code)


def move(asm: Assembler, kind: Kind, target: int, source: int) -> None:
    if kind is Kind.DOUBLE or kind is Kind.FLOAT:
        asm.fmov_double(target, source)
    elif kind is not Kind.LONG and kind is not Kind.REF:
        asm.mov32_rr(target, source)
    elif SP in (target, source):
        asm.add64_ri(target, source, 0)
    else:
        asm.mov64_rr(target, source)


# ---- Arithmetic ----


def shift_constant(asm: Assembler, wide: bool, name: str, target: int, left: int, count: int) -> None:
    """`lsl`, `lsr` and `asr` by a constant are moves of bit fields."""
    last = 63 if wide else 31
    count &= last
    unsigned = asm.ubfm64_rr if wide else asm.ubfm32_rr
    if name == "left":
        unsigned(target, left, -count & last, last - count)
    elif name == "unsigned":
        unsigned(target, left, count, last)
    else:
        (asm.sbfm64_rr if wide else asm.sbfm32_rr)(target, left, count, last)


def remainder(asm: Assembler, wide: bool, target: int, left: int, right: int) -> None:
    """left - quotient * right; the minimum by -1 is the minimum, so the remainder is 0."""
    (asm.sdiv64_rr if wide else asm.sdiv32_rr)(OWN, left, right)
    (asm.msub64_rr if wide else asm.msub32_rr)(target, OWN, right, left)


def set_condition(asm: Assembler, target: int, condition: a.ConditionCode) -> None:
    """`cset`: 1 if the condition holds, else 0."""
    asm.csinc32_rr(target, ZR, ZR, condition ^ 1)


LIMITS: Final = {
    (Kind.FLOAT, Kind.INT): 0x4F00_0000,
    (Kind.FLOAT, Kind.LONG): 0x5F00_0000,
    (Kind.DOUBLE, Kind.INT): 0x41E0_0000_0000_0000,
    (Kind.DOUBLE, Kind.LONG): 0x43E0_0000_0000_0000,
}
"""The bits of 2^31 and 2^63, the least that is too large."""


def truncate(asm: Assembler, source_kind: Kind, target_kind: Kind, target: int, source: int) -> None:
    """`fcvtzs` takes NaN for 0 and stops at the largest integer; both must give the smallest."""
    double, wide = source_kind is Kind.DOUBLE, target_kind is Kind.LONG
    constant(asm, double, OWN, LIMITS[source_kind, target_kind])
    (asm.fmov_from_64 if double else asm.fmov_from_32)(FLOAT_OWN, OWN)
    (asm.fcmp_double if double else asm.fcmp_float)(source, FLOAT_OWN)
    if wide:
        (asm.fcvtzs_64_double if double else asm.fcvtzs_64_float)(target, source)
    else:
        (asm.fcvtzs_32_double if double else asm.fcvtzs_32_float)(target, source)
    constant(asm, wide, OWN, 1 << (63 if wide else 31))
    (asm.csel64_rr if wide else asm.csel32_rr)(target, target, OWN, a.MI)


def convert(asm: Assembler, source_kind: Kind, target_kind: Kind, target: int, source: int) -> None:
    """All pairs that the interface names."""
    from_float = source_kind is Kind.FLOAT or source_kind is Kind.DOUBLE
    to_double = target_kind is Kind.DOUBLE
    if to_double or target_kind is Kind.FLOAT:
        if from_float:
            (asm.fcvt_to_double if to_double else asm.fcvt_to_float)(target, source)
        elif source_kind is Kind.LONG:
            (asm.scvtf_double_64 if to_double else asm.scvtf_float_64)(target, source)
        else:
            (asm.scvtf_double_32 if to_double else asm.scvtf_float_32)(target, source)
    elif from_float:
        truncate(asm, source_kind, target_kind, target, source)
    elif target_kind is Kind.BYTE:
        asm.and32_ri(target, source, 0xFF)
    elif source_kind is Kind.INT and target_kind is Kind.LONG:
        asm.sbfm64_rr(target, source, 0, 31)
    elif source_kind is Kind.LONG and target_kind is Kind.LONG:
        move(asm, Kind.LONG, target, source)
    else:
        asm.mov32_rr(target, source)
