"""Which instruction does what: tables from kinds, operations and conditions to the rows of the assembler.

BINARY[BinaryOperation.ADD][kind is LONG](masm, target, right)
"""

from __future__ import annotations

from doralang.machine.buffer import Buffer
from doralang.machine.macro import BinaryOperation
from doralang.machine.x64 import registers as x
from doralang.machine.x64.assembler import Assembler as Asm
from doralang.machine.x64.registers import ConditionCode
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, REF, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from doralang.machine.x64.encoding import Emit

    Two: TypeAlias = tuple[Emit[[int, int]], Emit[[int, int]]]
    Three: TypeAlias = tuple[Emit[[int, int, int]], Emit[[int, int, int]]]

CONDITIONS: Final[tuple[ConditionCode, ...]] = (
    x.E,
    x.NE,
    x.L,
    x.GE,
    x.LE,
    x.G,
    x.B,
    x.AE,
    x.BE,
    x.A,
)
"""By `Condition`."""

FLOAT_CONDITIONS: Final[tuple[tuple[bool, ConditionCode], ...]] = (
    (False, x.E),
    (False, x.NE),
    (True, x.A),
    (True, x.BE),
    (True, x.AE),
    (True, x.B),
    (False, x.A),
    (False, x.BE),
    (False, x.AE),
    (False, x.B),
)
"""By `FloatCondition`: whether to swap the operands, and what holds after `ucomis`."""


# Each with the form for 32 bits first.
BINARY: Final[tuple[Two, ...]] = (
    (Asm.add32_rr, Asm.add64_rr),
    (Asm.sub32_rr, Asm.sub64_rr),
    (Asm.imul32_rr, Asm.imul64_rr),
    (Asm.and32_rr, Asm.and64_rr),
    (Asm.or32_rr, Asm.or64_rr),
    (Asm.xor32_rr, Asm.xor64_rr),
)
BINARY_MEMORY: Final[tuple[Three, ...]] = (
    (Asm.add32_rm, Asm.add64_rm),
    (Asm.sub32_rm, Asm.sub64_rm),
    (Asm.imul32_rm, Asm.imul64_rm),
    (Asm.and32_rm, Asm.and64_rm),
    (Asm.or32_rm, Asm.or64_rm),
    (Asm.xor32_rm, Asm.xor64_rm),
)
BINARY_IMMEDIATE: Final[dict[BinaryOperation, Two]] = {
    BinaryOperation.ADD: (Asm.add32_ri, Asm.add64_ri),
    BinaryOperation.SUB: (Asm.sub32_ri, Asm.sub64_ri),
    BinaryOperation.AND: (Asm.and32_ri, Asm.and64_ri),
    BinaryOperation.OR: (Asm.or32_ri, Asm.or64_ri),
    BinaryOperation.XOR: (Asm.xor32_ri, Asm.xor64_ri),
}
SHIFT: Final[dict[BinaryOperation, tuple[Emit[[int]], Emit[[int]]]]] = {
    BinaryOperation.SHIFT_LEFT: (Asm.shl32_r, Asm.shl64_r),
    BinaryOperation.SHIFT_RIGHT: (Asm.sar32_r, Asm.sar64_r),
    BinaryOperation.UNSIGNED_SHIFT_RIGHT: (Asm.shr32_r, Asm.shr64_r),
}
SHIFT_IMMEDIATE: Final[dict[BinaryOperation, Two]] = {
    BinaryOperation.SHIFT_LEFT: (Asm.shl32_ri, Asm.shl64_ri),
    BinaryOperation.SHIFT_RIGHT: (Asm.sar32_ri, Asm.sar64_ri),
    BinaryOperation.UNSIGNED_SHIFT_RIGHT: (Asm.shr32_ri, Asm.shr64_ri),
}
COMMUTES: Final = (True, False, True, True, True, True)

FLOAT_BINARY: Final[tuple[Two, ...]] = (
    (Asm.addss_rr, Asm.addsd_rr),
    (Asm.subss_rr, Asm.subsd_rr),
    (Asm.mulss_rr, Asm.mulsd_rr),
    (Asm.divss_rr, Asm.divsd_rr),
)
FLOAT_BINARY_MEMORY: Final[tuple[Three, ...]] = (
    (Asm.addss_rm, Asm.addsd_rm),
    (Asm.subss_rm, Asm.subsd_rm),
    (Asm.mulss_rm, Asm.mulsd_rm),
    (Asm.divss_rm, Asm.divsd_rm),
)
FLOAT_COMMUTES: Final = (True, False, True, False)

LOAD: Final[dict[Kind, Emit[[int, int, int]]]] = {
    INT: Asm.mov32_rm,
    REF: Asm.mov64_rm,
    LONG: Asm.mov64_rm,
    DOUBLE: Asm.movsd_rm,
    FLOAT: Asm.movss_rm,
    CHAR: Asm.mov32_rm,
    BYTE: Asm.movzx32_8_rm,
    BOOL: Asm.movzx32_8_rm,
}
STORE: Final[dict[Kind, Emit[[int, int, int]]]] = {
    INT: Asm.mov32_mr,
    REF: Asm.mov64_mr,
    LONG: Asm.mov64_mr,
    DOUBLE: Asm.movsd_mr,
    FLOAT: Asm.movss_mr,
    CHAR: Asm.mov32_mr,
    BYTE: Asm.mov8_mr,
    BOOL: Asm.mov8_mr,
}
LOAD_INDEXED: Final[dict[Kind, Emit[[int, int, int, int, int]]]] = {
    INT: Asm.mov32_rx,
    REF: Asm.mov64_rx,
    LONG: Asm.mov64_rx,
    DOUBLE: Asm.movsd_rx,
    FLOAT: Asm.movss_rx,
    CHAR: Asm.mov32_rx,
    BYTE: Asm.movzx32_8_rx,
    BOOL: Asm.movzx32_8_rx,
}
STORE_INDEXED: Final[dict[Kind, Emit[[int, int, int, int, int]]]] = {
    INT: Asm.mov32_xr,
    REF: Asm.mov64_xr,
    LONG: Asm.mov64_xr,
    DOUBLE: Asm.movsd_xr,
    FLOAT: Asm.movss_xr,
    CHAR: Asm.mov32_xr,
    BYTE: Asm.mov8_xr,
    BOOL: Asm.mov8_xr,
}
MOVE: Final[dict[Kind, Emit[[int, int]]]] = {
    INT: Asm.mov32_rr,
    REF: Asm.mov64_rr,
    LONG: Asm.mov64_rr,
    DOUBLE: Asm.movaps_rr,
    FLOAT: Asm.movaps_rr,
    CHAR: Asm.mov32_rr,
    BYTE: Asm.mov32_rr,
    BOOL: Asm.mov32_rr,
}


def integer_to_float(emit: Emit[[int, int]]) -> Emit[[int, int]]:
    """`cvtsi2sd` keeps the upper half of its target; clearing it first cuts the dependency on it."""

    def convert(asm: Buffer, target: int, source: int) -> None:
        Asm.xorps_rr(asm, target, target)
        emit(asm, target, source)

    return convert


INTEGERS: Final = (BOOL, BYTE, CHAR, INT, LONG)

CONVERT: Final[dict[tuple[Kind, Kind], Emit[[int, int]]]] = {
    (INT, LONG): Asm.movsxd_rr,
    **{(source, LONG): Asm.mov32_rr for source in (BOOL, BYTE, CHAR)},
    **{(source, BYTE): Asm.movzx32_8_rr for source in INTEGERS},
    **{(source, target): Asm.mov32_rr for source in INTEGERS for target in (CHAR, INT)},
    (LONG, LONG): Asm.mov64_rr,
    (INT, FLOAT): integer_to_float(Asm.cvtsi2ss32_rr),
    (LONG, FLOAT): integer_to_float(Asm.cvtsi2ss64_rr),
    (INT, DOUBLE): integer_to_float(Asm.cvtsi2sd32_rr),
    (LONG, DOUBLE): integer_to_float(Asm.cvtsi2sd64_rr),
    # The "integer indefinite" of these is the minimum, for NaN as for what is out of range.
    (FLOAT, INT): Asm.cvttss2si32_rr,
    (FLOAT, LONG): Asm.cvttss2si64_rr,
    (DOUBLE, INT): Asm.cvttsd2si32_rr,
    (DOUBLE, LONG): Asm.cvttsd2si64_rr,
    (FLOAT, DOUBLE): Asm.cvtss2sd_rr,
    (DOUBLE, FLOAT): Asm.cvtsd2ss_rr,
}

SIGN: Final[dict[Kind, bytes]] = {
    FLOAT: bytes.fromhex("00000080") * 4,
    DOUBLE: bytes.fromhex("0000000000000080") * 2,
}
"""Masks of the sign bits."""

ALL_BUT_SIGN: Final[dict[Kind, bytes]] = {
    FLOAT: bytes.fromhex("ffffff7f") * 4,
    DOUBLE: bytes.fromhex("ffffffffffffff7f") * 2,
}

ROUNDING_MODES: Final = (1, 2, 3)
"""By `Rounding`: the immediate of `roundsd`, which then ignores the mode of MXCSR."""
