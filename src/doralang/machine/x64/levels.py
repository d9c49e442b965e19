"""The levels of packed code: which instructions a processor has, and whose registers its system saves.

(Intel manual, volume 1, 14.3, 14.5.3, 14.7.1 and 15.2 to 15.4.)
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.registers import R8, RAX, RBX, RCX, RDI, E

OSXSAVE: Final = 1 << 27
"""of cpuid 1, ecx"""
FMA_BIT: Final = 1 << 12
AVX: Final = 1 << 28
AVX2_BIT: Final = 1 << 5
"""of cpuid 7, ebx"""
AVX512_BITS: Final = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31
"""F, DQ, BW, VL"""
XMM_AND_YMM: Final = 0b110
"""of the control register 0 of xsave"""
MASKS_AND_ZMM: Final = 0b1110_0000


class Level(IntEnum):
    """Each has what those before it have; all processors have SSE2."""

    SSE2 = 0
    AVX2 = 1
    FMA = 2
    AVX512 = 3


def detector() -> bytearray:
    """A function that fills three words of 32 bits, the arguments of `level_of`."""
    asm = Assembler()
    end = asm.label()
    asm.push_r(RBX)
    asm.xor32_rr(R8, R8)
    for word, leaf, register in ((0, 1, RCX), (1, 7, RBX)):
        asm.mov32_ri(RAX, leaf)
        asm.xor32_rr(RCX, RCX)
        asm.cpuid()
        asm.mov32_mr(RDI, 4 * word, register)
    asm.mov32_mr(RDI, 8, R8)
    asm.mov32_rm(RCX, RDI, 0)
    asm.and32_ri(RCX, OSXSAVE)
    asm.jcc(E, end)
    asm.xor32_rr(RCX, RCX)
    asm.xgetbv()
    asm.mov32_mr(RDI, 8, RAX)
    asm.bind(end)
    asm.pop_r(RBX)
    asm.ret()
    return asm.finish().data


def level_of(basic: int, extended: int, saved: int) -> Level:
    """What ecx of cpuid 1, ebx of cpuid 7 and the control register 0 of xsave, zero if there is none, say."""
    if not basic & AVX or not extended & AVX2_BIT or ~saved & XMM_AND_YMM:
        return Level.SSE2
    if not basic & FMA_BIT:
        return Level.AVX2
    if ~extended & AVX512_BITS or ~saved & MASKS_AND_ZMM:
        return Level.FMA
    return Level.AVX512
