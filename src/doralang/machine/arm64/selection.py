"""Which instruction does what: tables from kinds, operations and conditions to the rows of the assembler.

BINARY[BinaryOperation.ADD][kind is LONG](masm, target, left, right)
"""

from __future__ import annotations

from doralang.machine.arm64 import registers as a
from doralang.machine.arm64.assembler import Assembler as Asm
from doralang.machine.arm64.registers import ConditionCode
from doralang.machine.macro import BinaryOperation
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, REF, Kind
from doralang.typing_forms import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from doralang.machine.arm64.encoding import Emit

    Two: TypeAlias = tuple[Emit[[int, int]], Emit[[int, int]]]
    Three: TypeAlias = tuple[Emit[[int, int, int]], Emit[[int, int, int]]]

CONDITIONS: Final[tuple[ConditionCode, ...]] = (
    a.EQ,
    a.NE,
    a.LT,
    a.GE,
    a.LE,
    a.GT,
    a.LO,
    a.HS,
    a.LS,
    a.HI,
)
"""By `Condition`."""

FLOAT_CONDITIONS: Final[tuple[ConditionCode, ...]] = (
    a.EQ,
    a.NE,
    a.MI,
    a.PL,
    a.LS,
    a.HI,
    a.GT,
    a.LE,
    a.GE,
    a.LT,
)
"""By `FloatCondition`: `fcmp` sets C and V for "unordered", so MI and LS are "less" and "less or equal"."""


# Each with the form for 32 bits first.
BINARY: Final[tuple[Three, ...]] = (
    (Asm.add32_rr, Asm.add64_rr),
    (Asm.sub32_rr, Asm.sub64_rr),
    (Asm.mul32_rr, Asm.mul64_rr),
    (Asm.and32_rr, Asm.and64_rr),
    (Asm.orr32_rr, Asm.orr64_rr),
    (Asm.eor32_rr, Asm.eor64_rr),
    (Asm.lsl32_rr, Asm.lsl64_rr),
    (Asm.asr32_rr, Asm.asr64_rr),
    (Asm.lsr32_rr, Asm.lsr64_rr),
)
LOGICAL_IMMEDIATE: Final[dict[BinaryOperation, Three]] = {
    BinaryOperation.AND: (Asm.and32_ri, Asm.and64_ri),
    BinaryOperation.OR: (Asm.orr32_ri, Asm.orr64_ri),
    BinaryOperation.XOR: (Asm.eor32_ri, Asm.eor64_ri),
}
ADD_IMMEDIATE: Final[tuple[Three, Three]] = ((Asm.add32_ri, Asm.add32_ri12), (Asm.add64_ri, Asm.add64_ri12))
SUB_IMMEDIATE: Final[tuple[Three, Three]] = ((Asm.sub32_ri, Asm.sub32_ri12), (Asm.sub64_ri, Asm.sub64_ri12))
CMP_IMMEDIATE: Final[tuple[Two, Two]] = ((Asm.cmp32_ri, Asm.cmp32_ri12), (Asm.cmp64_ri, Asm.cmp64_ri12))
CMN_IMMEDIATE: Final[tuple[Two, Two]] = ((Asm.cmn32_ri, Asm.cmn32_ri12), (Asm.cmn64_ri, Asm.cmn64_ri12))

FLOAT_BINARY: Final[tuple[Three, ...]] = (
    (Asm.fadd_float, Asm.fadd_double),
    (Asm.fsub_float, Asm.fsub_double),
    (Asm.fmul_float, Asm.fmul_double),
    (Asm.fdiv_float, Asm.fdiv_double),
)
ROUND: Final[tuple[Two, ...]] = (
    (Asm.frintm_float, Asm.frintm_double),
    (Asm.frintp_float, Asm.frintp_double),
    (Asm.frintz_float, Asm.frintz_double),
)
"""By `Rounding`."""


class Access(NamedTuple):
    """How values of some size are loaded or stored, by the form of the address.

    The register is followed by base and displacement (`scaled`: a multiple of the size), or by base and
    index (`times_size`: times the size).
    """

    size: int
    scaled: Emit[[int, int, int]]
    unscaled: Emit[[int, int, int]]
    indexed: Emit[[int, int, int]]
    times_size: Emit[[int, int, int]] | None


LOAD_8: Final = Access(1, Asm.ldr_8, Asm.ldur_8, Asm.ldr_8_x, None)
LOAD_16: Final = Access(2, Asm.ldr_16, Asm.ldur_16, Asm.ldr_16_x, Asm.ldr_16_scaled)
LOAD_32: Final = Access(4, Asm.ldr_32, Asm.ldur_32, Asm.ldr_32_x, Asm.ldr_32_scaled)
LOAD_64: Final = Access(8, Asm.ldr_64, Asm.ldur_64, Asm.ldr_64_x, Asm.ldr_64_scaled)
LOAD_FLOAT: Final = Access(4, Asm.ldr_float, Asm.ldur_float, Asm.ldr_float_x, Asm.ldr_float_scaled)
LOAD_DOUBLE: Final = Access(8, Asm.ldr_double, Asm.ldur_double, Asm.ldr_double_x, Asm.ldr_double_scaled)
STORE_8: Final = Access(1, Asm.str_8, Asm.stur_8, Asm.str_8_x, None)
STORE_16: Final = Access(2, Asm.str_16, Asm.stur_16, Asm.str_16_x, Asm.str_16_scaled)
STORE_32: Final = Access(4, Asm.str_32, Asm.stur_32, Asm.str_32_x, Asm.str_32_scaled)
STORE_64: Final = Access(8, Asm.str_64, Asm.stur_64, Asm.str_64_x, Asm.str_64_scaled)
STORE_FLOAT: Final = Access(4, Asm.str_float, Asm.stur_float, Asm.str_float_x, Asm.str_float_scaled)
STORE_DOUBLE: Final = Access(8, Asm.str_double, Asm.stur_double, Asm.str_double_x, Asm.str_double_scaled)

LOAD: Final[dict[Kind, Access]] = {
    INT: LOAD_32,
    REF: LOAD_64,
    LONG: LOAD_64,
    DOUBLE: LOAD_DOUBLE,
    FLOAT: LOAD_FLOAT,
    CHAR: LOAD_32,
    BYTE: LOAD_8,
    BOOL: LOAD_8,
}
STORE: Final[dict[Kind, Access]] = {
    INT: STORE_32,
    REF: STORE_64,
    LONG: STORE_64,
    DOUBLE: STORE_DOUBLE,
    FLOAT: STORE_FLOAT,
    CHAR: STORE_32,
    BYTE: STORE_8,
    BOOL: STORE_8,
}
