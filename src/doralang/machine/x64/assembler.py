"""The x86-64 assembler: one line for each form of an instruction, in the manual's wording.

    add64_rm = rm("add r64, r/m64", "REX.W 03 /r")        asm.add64_rm(RAX, RBP, -24)

Names are the mnemonic, the width in bits where the manual leaves it to the operands, and the shapes of
the operands (`encoding` explains the letters).  Jumps to labels are methods at the end.
"""

from __future__ import annotations

from collections.abc import Hashable

from doralang.machine.buffer import Buffer, Label
from doralang.machine.code import ABSOLUTE_64, RELATIVE_32
from doralang.machine.x64.encoding import (
    cr,
    crr,
    m,
    mi,
    mr,
    none,
    patch_relative,
    patch_short,
    r,
    ri,
    rl,
    rm,
    rr,
    rri,
    rs,
    rx,
    s,
    xr,
)
from doralang.machine.x64.registers import ConditionCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

JCC_NEAR: Final = tuple(bytes((0x0F, 0x80 | code, 0, 0, 0, 0)) for code in range(16))
JCC_SHORT: Final = tuple(bytes((0x70 | code, 0)) for code in range(16))
NOPS: Final = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "90",
        "66 90",
        "0F 1F 00",
        "0F 1F 40 00",
        "0F 1F 44 00 00",
        "66 0F 1F 44 00 00",
        "0F 1F 80 00 00 00 00",
        "0F 1F 84 00 00 00 00 00",
        "66 0F 1F 84 00 00 00 00 00",
    )
)
"""Instructions without effect by size, as the manual recommends them (NOP, table 4-12)."""


class Assembler(Buffer):
    """Appends instructions of x86-64 to the buffer."""

    FILLER = b"\xcc"

    __slots__ = ()

    # Addition
    add8_rr = rr("add r/m8, r8", "00 /r")
    add8_rm = rm("add r8, r/m8", "02 /r")
    add8_mr = mr("add r/m8, r8", "00 /r")
    add8_ri = ri("add r/m8, imm8", "80 /0 ib")
    add8_mi = mi("add r/m8, imm8", "80 /0 ib")
    add32_rr = rr("add r/m32, r32", "01 /r")
    add32_rm = rm("add r32, r/m32", "03 /r")
    add32_mr = mr("add r/m32, r32", "01 /r")
    add32_ri = ri("add r/m32, imm32", "83 /0 ib", "81 /0 id")
    add32_mi = mi("add r/m32, imm32", "83 /0 ib", "81 /0 id")
    add64_rr = rr("add r/m64, r64", "REX.W 01 /r")
    add64_rm = rm("add r64, r/m64", "REX.W 03 /r")
    add64_mr = mr("add r/m64, r64", "REX.W 01 /r")
    add64_ri = ri("add r/m64, imm32", "REX.W 83 /0 ib", "REX.W 81 /0 id")
    add64_mi = mi("add r/m64, imm32", "REX.W 83 /0 ib", "REX.W 81 /0 id")

    # Or
    or8_rr = rr("or r/m8, r8", "08 /r")
    or8_rm = rm("or r8, r/m8", "0A /r")
    or8_mr = mr("or r/m8, r8", "08 /r")
    or8_ri = ri("or r/m8, imm8", "80 /1 ib")
    or8_mi = mi("or r/m8, imm8", "80 /1 ib")
    or32_rr = rr("or r/m32, r32", "09 /r")
    or32_rm = rm("or r32, r/m32", "0B /r")
    or32_mr = mr("or r/m32, r32", "09 /r")
    or32_ri = ri("or r/m32, imm32", "83 /1 ib", "81 /1 id")
    or32_mi = mi("or r/m32, imm32", "83 /1 ib", "81 /1 id")
    or64_rr = rr("or r/m64, r64", "REX.W 09 /r")
    or64_rm = rm("or r64, r/m64", "REX.W 0B /r")
    or64_mr = mr("or r/m64, r64", "REX.W 09 /r")
    or64_ri = ri("or r/m64, imm32", "REX.W 83 /1 ib", "REX.W 81 /1 id")
    or64_mi = mi("or r/m64, imm32", "REX.W 83 /1 ib", "REX.W 81 /1 id")

    # Addition with carry
    adc32_rr = rr("adc r/m32, r32", "11 /r")
    adc32_rm = rm("adc r32, r/m32", "13 /r")
    adc32_mr = mr("adc r/m32, r32", "11 /r")
    adc32_ri = ri("adc r/m32, imm32", "83 /2 ib", "81 /2 id")
    adc32_mi = mi("adc r/m32, imm32", "83 /2 ib", "81 /2 id")
    adc64_rr = rr("adc r/m64, r64", "REX.W 11 /r")
    adc64_rm = rm("adc r64, r/m64", "REX.W 13 /r")
    adc64_mr = mr("adc r/m64, r64", "REX.W 11 /r")
    adc64_ri = ri("adc r/m64, imm32", "REX.W 83 /2 ib", "REX.W 81 /2 id")
    adc64_mi = mi("adc r/m64, imm32", "REX.W 83 /2 ib", "REX.W 81 /2 id")

    # Subtraction with borrow
    sbb32_rr = rr("sbb r/m32, r32", "19 /r")
    sbb32_rm = rm("sbb r32, r/m32", "1B /r")
    sbb32_mr = mr("sbb r/m32, r32", "19 /r")
    sbb32_ri = ri("sbb r/m32, imm32", "83 /3 ib", "81 /3 id")
    sbb32_mi = mi("sbb r/m32, imm32", "83 /3 ib", "81 /3 id")
    sbb64_rr = rr("sbb r/m64, r64", "REX.W 19 /r")
    sbb64_rm = rm("sbb r64, r/m64", "REX.W 1B /r")
    sbb64_mr = mr("sbb r/m64, r64", "REX.W 19 /r")
    sbb64_ri = ri("sbb r/m64, imm32", "REX.W 83 /3 ib", "REX.W 81 /3 id")
    sbb64_mi = mi("sbb r/m64, imm32", "REX.W 83 /3 ib", "REX.W 81 /3 id")

    # And
    and8_rr = rr("and r/m8, r8", "20 /r")
    and8_rm = rm("and r8, r/m8", "22 /r")
    and8_mr = mr("and r/m8, r8", "20 /r")
    and8_ri = ri("and r/m8, imm8", "80 /4 ib")
    and8_mi = mi("and r/m8, imm8", "80 /4 ib")
    and32_rr = rr("and r/m32, r32", "21 /r")
    and32_rm = rm("and r32, r/m32", "23 /r")
    and32_mr = mr("and r/m32, r32", "21 /r")
    and32_ri = ri("and r/m32, imm32", "83 /4 ib", "81 /4 id")
    and32_mi = mi("and r/m32, imm32", "83 /4 ib", "81 /4 id")
    and64_rr = rr("and r/m64, r64", "REX.W 21 /r")
    and64_rm = rm("and r64, r/m64", "REX.W 23 /r")
    and64_mr = mr("and r/m64, r64", "REX.W 21 /r")
    and64_ri = ri("and r/m64, imm32", "REX.W 83 /4 ib", "REX.W 81 /4 id")
    and64_mi = mi("and r/m64, imm32", "REX.W 83 /4 ib", "REX.W 81 /4 id")

    # Subtraction
    sub8_rr = rr("sub r/m8, r8", "28 /r")
    sub8_rm = rm("sub r8, r/m8", "2A /r")
    sub8_mr = mr("sub r/m8, r8", "28 /r")
    sub8_ri = ri("sub r/m8, imm8", "80 /5 ib")
    sub8_mi = mi("sub r/m8, imm8", "80 /5 ib")
    sub32_rr = rr("sub r/m32, r32", "29 /r")
    sub32_rm = rm("sub r32, r/m32", "2B /r")
    sub32_mr = mr("sub r/m32, r32", "29 /r")
    sub32_ri = ri("sub r/m32, imm32", "83 /5 ib", "81 /5 id")
    sub32_mi = mi("sub r/m32, imm32", "83 /5 ib", "81 /5 id")
    sub64_rr = rr("sub r/m64, r64", "REX.W 29 /r")
    sub64_rm = rm("sub r64, r/m64", "REX.W 2B /r")
    sub64_mr = mr("sub r/m64, r64", "REX.W 29 /r")
    sub64_ri = ri("sub r/m64, imm32", "REX.W 83 /5 ib", "REX.W 81 /5 id")
    sub64_mi = mi("sub r/m64, imm32", "REX.W 83 /5 ib", "REX.W 81 /5 id")

    # Exclusive or
    xor8_rr = rr("xor r/m8, r8", "30 /r")
    xor8_rm = rm("xor r8, r/m8", "32 /r")
    xor8_mr = mr("xor r/m8, r8", "30 /r")
    xor8_ri = ri("xor r/m8, imm8", "80 /6 ib")
    xor8_mi = mi("xor r/m8, imm8", "80 /6 ib")
    xor32_rr = rr("xor r/m32, r32", "31 /r")
    xor32_rm = rm("xor r32, r/m32", "33 /r")
    xor32_mr = mr("xor r/m32, r32", "31 /r")
    xor32_ri = ri("xor r/m32, imm32", "83 /6 ib", "81 /6 id")
    xor32_mi = mi("xor r/m32, imm32", "83 /6 ib", "81 /6 id")
    xor64_rr = rr("xor r/m64, r64", "REX.W 31 /r")
    xor64_rm = rm("xor r64, r/m64", "REX.W 33 /r")
    xor64_mr = mr("xor r/m64, r64", "REX.W 31 /r")
    xor64_ri = ri("xor r/m64, imm32", "REX.W 83 /6 ib", "REX.W 81 /6 id")
    xor64_mi = mi("xor r/m64, imm32", "REX.W 83 /6 ib", "REX.W 81 /6 id")

    # Comparison
    cmp8_rr = rr("cmp r/m8, r8", "38 /r")
    cmp8_rm = rm("cmp r8, r/m8", "3A /r")
    cmp8_mr = mr("cmp r/m8, r8", "38 /r")
    cmp8_rx = rx("cmp r8, r/m8", "3A /r")
    cmp8_ri = ri("cmp r/m8, imm8", "80 /7 ib")
    cmp8_mi = mi("cmp r/m8, imm8", "80 /7 ib")
    cmp32_rr = rr("cmp r/m32, r32", "39 /r")
    cmp32_rm = rm("cmp r32, r/m32", "3B /r")
    cmp32_mr = mr("cmp r/m32, r32", "39 /r")
    cmp32_rx = rx("cmp r32, r/m32", "3B /r")
    cmp32_ri = ri("cmp r/m32, imm32", "83 /7 ib", "81 /7 id")
    cmp32_mi = mi("cmp r/m32, imm32", "83 /7 ib", "81 /7 id")
    cmp64_rr = rr("cmp r/m64, r64", "REX.W 39 /r")
    cmp64_rm = rm("cmp r64, r/m64", "REX.W 3B /r")
    cmp64_mr = mr("cmp r/m64, r64", "REX.W 39 /r")
    cmp64_rx = rx("cmp r64, r/m64", "REX.W 3B /r")
    cmp64_ri = ri("cmp r/m64, imm32", "REX.W 83 /7 ib", "REX.W 81 /7 id")
    cmp64_mi = mi("cmp r/m64, imm32", "REX.W 83 /7 ib", "REX.W 81 /7 id")

    # Bits tested
    test8_rr = rr("test r/m8, r8", "84 /r")
    test8_ri = ri("test r/m8, imm8", "F6 /0 ib")
    test8_mi = mi("test r/m8, imm8", "F6 /0 ib")
    test32_rr = rr("test r/m32, r32", "85 /r")
    test32_ri = ri("test r/m32, imm32", "F7 /0 id")
    test32_mi = mi("test r/m32, imm32", "F7 /0 id")
    test64_rr = rr("test r/m64, r64", "REX.W 85 /r")
    test64_ri = ri("test r/m64, imm32", "REX.W F7 /0 id")
    test64_mi = mi("test r/m64, imm32", "REX.W F7 /0 id")

    # Multiplication, division
    not32_r = r("not r/m32", "F7 /2")
    not32_m = m("not r/m32", "F7 /2")
    not64_r = r("not r/m64", "REX.W F7 /2")
    not64_m = m("not r/m64", "REX.W F7 /2")
    neg32_r = r("neg r/m32", "F7 /3")
    neg32_m = m("neg r/m32", "F7 /3")
    neg64_r = r("neg r/m64", "REX.W F7 /3")
    neg64_m = m("neg r/m64", "REX.W F7 /3")
    mul32_r = r("mul r/m32", "F7 /4")
    mul32_m = m("mul r/m32", "F7 /4")
    mul64_r = r("mul r/m64", "REX.W F7 /4")
    mul64_m = m("mul r/m64", "REX.W F7 /4")
    imul32_r = r("imul r/m32", "F7 /5")
    imul64_r = r("imul r/m64", "REX.W F7 /5")
    div32_r = r("div r/m32", "F7 /6")
    div32_m = m("div r/m32", "F7 /6")
    div64_r = r("div r/m64", "REX.W F7 /6")
    div64_m = m("div r/m64", "REX.W F7 /6")
    idiv32_r = r("idiv r/m32", "F7 /7")
    idiv32_m = m("idiv r/m32", "F7 /7")
    idiv64_r = r("idiv r/m64", "REX.W F7 /7")
    idiv64_m = m("idiv r/m64", "REX.W F7 /7")
    inc32_r = r("inc r/m32", "FF /0")
    inc32_m = m("inc r/m32", "FF /0")
    inc64_r = r("inc r/m64", "REX.W FF /0")
    inc64_m = m("inc r/m64", "REX.W FF /0")
    dec32_r = r("dec r/m32", "FF /1")
    dec32_m = m("dec r/m32", "FF /1")
    dec64_r = r("dec r/m64", "REX.W FF /1")
    dec64_m = m("dec r/m64", "REX.W FF /1")
    imul32_rr = rr("imul r32, r/m32", "0F AF /r")
    imul32_rm = rm("imul r32, r/m32", "0F AF /r")
    imul32_rri = rri("imul r32, r/m32, imm32", "6B /r ib", "69 /r id")
    imul64_rr = rr("imul r64, r/m64", "REX.W 0F AF /r")
    imul64_rm = rm("imul r64, r/m64", "REX.W 0F AF /r")
    imul64_rri = rri("imul r64, r/m64, imm32", "REX.W 6B /r ib", "REX.W 69 /r id")
    cdq = none("cdq", "99")
    cqo = none("cqo", "REX.W 99")

    # Shifts by cl and by a constant
    rol32_r = r("rol r/m32, cl", "D3 /0")
    rol32_ri = ri("rol r/m32, imm8", "C1 /0 ib")
    rol64_r = r("rol r/m64, cl", "REX.W D3 /0")
    rol64_ri = ri("rol r/m64, imm8", "REX.W C1 /0 ib")
    ror32_r = r("ror r/m32, cl", "D3 /1")
    ror32_ri = ri("ror r/m32, imm8", "C1 /1 ib")
    ror64_r = r("ror r/m64, cl", "REX.W D3 /1")
    ror64_ri = ri("ror r/m64, imm8", "REX.W C1 /1 ib")
    shl32_r = r("shl r/m32, cl", "D3 /4")
    shl32_ri = ri("shl r/m32, imm8", "C1 /4 ib")
    shl64_r = r("shl r/m64, cl", "REX.W D3 /4")
    shl64_ri = ri("shl r/m64, imm8", "REX.W C1 /4 ib")
    shr32_r = r("shr r/m32, cl", "D3 /5")
    shr32_ri = ri("shr r/m32, imm8", "C1 /5 ib")
    shr64_r = r("shr r/m64, cl", "REX.W D3 /5")
    shr64_ri = ri("shr r/m64, imm8", "REX.W C1 /5 ib")
    sar32_r = r("sar r/m32, cl", "D3 /7")
    sar32_ri = ri("sar r/m32, imm8", "C1 /7 ib")
    sar64_r = r("sar r/m64, cl", "REX.W D3 /7")
    sar64_ri = ri("sar r/m64, imm8", "REX.W C1 /7 ib")

    # Bits counted
    popcnt32_rr = rr("popcnt r32, r/m32", "F3 0F B8 /r")
    popcnt64_rr = rr("popcnt r64, r/m64", "F3 REX.W 0F B8 /r")
    tzcnt32_rr = rr("tzcnt r32, r/m32", "F3 0F BC /r")
    tzcnt64_rr = rr("tzcnt r64, r/m64", "F3 REX.W 0F BC /r")
    lzcnt32_rr = rr("lzcnt r32, r/m32", "F3 0F BD /r")
    lzcnt64_rr = rr("lzcnt r64, r/m64", "F3 REX.W 0F BD /r")
    bsf32_rr = rr("bsf r32, r/m32", "0F BC /r")
    bsf64_rr = rr("bsf r64, r/m64", "REX.W 0F BC /r")
    bsr32_rr = rr("bsr r32, r/m32", "0F BD /r")
    bsr64_rr = rr("bsr r64, r/m64", "REX.W 0F BD /r")
    bswap32_r = r("bswap r32", "0F C8+rd")
    bswap64_r = r("bswap r64", "REX.W 0F C8+rd")
    bt32_ri = ri("bt r/m32, imm8", "0F BA /4 ib")
    bt64_ri = ri("bt r/m64, imm8", "REX.W 0F BA /4 ib")

    # Moves, extensions, addresses
    mov8_rm = rm("mov r8, r/m8", "8A /r")
    mov8_rx = rx("mov r8, r/m8", "8A /r")
    mov8_mr = mr("mov r/m8, r8", "88 /r")
    mov8_xr = xr("mov r/m8, r8", "88 /r")
    mov8_mi = mi("mov r/m8, imm8", "C6 /0 ib")
    mov16_mr = mr("mov r/m16, r16", "66 89 /r")
    mov16_xr = xr("mov r/m16, r16", "66 89 /r")
    mov16_mi = mi("mov r/m16, imm16", "66 C7 /0 iw")
    mov32_rr = rr("mov r/m32, r32", "89 /r")
    mov32_rm = rm("mov r32, r/m32", "8B /r")
    mov32_rx = rx("mov r32, r/m32", "8B /r")
    mov32_mr = mr("mov r/m32, r32", "89 /r")
    mov32_xr = xr("mov r/m32, r32", "89 /r")
    mov32_mi = mi("mov r/m32, imm32", "C7 /0 id")
    mov64_rr = rr("mov r/m64, r64", "REX.W 89 /r")
    mov64_rm = rm("mov r64, r/m64", "REX.W 8B /r")
    mov64_rx = rx("mov r64, r/m64", "REX.W 8B /r")
    mov64_mr = mr("mov r/m64, r64", "REX.W 89 /r")
    mov64_xr = xr("mov r/m64, r64", "REX.W 89 /r")
    mov64_mi = mi("mov r/m64, imm32", "REX.W C7 /0 id")
    mov32_rl = rl("mov r32, r/m32", "8B /r")
    mov32_rs = rs("mov r32, r/m32", "8B /r")
    mov64_rl = rl("mov r64, r/m64", "REX.W 8B /r")
    mov64_rs = rs("mov r64, r/m64", "REX.W 8B /r")
    mov32_ri = ri("mov r32, imm32", "B8+rd id")
    mov64_ri = ri("mov r/m64, imm32", "REX.W C7 /0 id")
    movabs_ri = ri("movabs r64, imm64", "REX.W B8+rd io")
    movzx32_8_rr = rr("movzx r32, r/m8", "0F B6 /r")
    movzx32_8_rm = rm("movzx r32, r/m8", "0F B6 /r")
    movzx32_8_rx = rx("movzx r32, r/m8", "0F B6 /r")
    movzx32_16_rr = rr("movzx r32, r/m16", "0F B7 /r")
    movzx32_16_rm = rm("movzx r32, r/m16", "0F B7 /r")
    movzx32_16_rx = rx("movzx r32, r/m16", "0F B7 /r")
    movsx32_8_rr = rr("movsx r32, r/m8", "0F BE /r")
    movsx32_8_rm = rm("movsx r32, r/m8", "0F BE /r")
    movsx32_8_rx = rx("movsx r32, r/m8", "0F BE /r")
    movsx64_8_rr = rr("movsx r64, r/m8", "REX.W 0F BE /r")
    movsx64_8_rm = rm("movsx r64, r/m8", "REX.W 0F BE /r")
    movsx64_8_rx = rx("movsx r64, r/m8", "REX.W 0F BE /r")
    movsx32_16_rr = rr("movsx r32, r/m16", "0F BF /r")
    movsx32_16_rm = rm("movsx r32, r/m16", "0F BF /r")
    movsx32_16_rx = rx("movsx r32, r/m16", "0F BF /r")
    movsx64_16_rr = rr("movsx r64, r/m16", "REX.W 0F BF /r")
    movsx64_16_rm = rm("movsx r64, r/m16", "REX.W 0F BF /r")
    movsx64_16_rx = rx("movsx r64, r/m16", "REX.W 0F BF /r")
    movsxd_rr = rr("movsxd r64, r/m32", "REX.W 63 /r")
    movsxd_rm = rm("movsxd r64, r/m32", "REX.W 63 /r")
    movsxd_rx = rx("movsxd r64, r/m32", "REX.W 63 /r")
    lea32_rm = rm("lea r32, m", "8D /r")
    lea32_rx = rx("lea r32, m", "8D /r")
    lea64_rm = rm("lea r64, m", "REX.W 8D /r")
    lea64_rx = rx("lea r64, m", "REX.W 8D /r")
    lea64_rl = rl("lea r64, m", "REX.W 8D /r")
    lea64_rs = rs("lea r64, m", "REX.W 8D /r")

    # Conditions
    set_r = cr("setcc r/m8", "0F 90+cc")
    cmov32_rr = crr("cmovcc r32, r/m32", "0F 40+cc /r")
    cmov64_rr = crr("cmovcc r64, r/m64", "REX.W 0F 40+cc /r")

    # Stack, calls, jumps
    push_r = r("push r64", "50+rd")
    pop_r = r("pop r64", "58+rd")
    push_m = m("push r/m64", "FF /6")
    pop_m = m("pop r/m64", "8F /0")
    call_r = r("call r/m64", "FF /2")
    call_m = m("call r/m64", "FF /2")
    call_s = s("call r/m64", "FF /2")
    jmp_r = r("jmp r/m64", "FF /4")
    jmp_m = m("jmp r/m64", "FF /4")
    jmp_s = s("jmp r/m64", "FF /4")
    ret = none("ret", "C3")
    leave = none("leave", "C9")
    int3 = none("int3", "CC")
    ud2 = none("ud2", "0F 0B")
    pause = none("pause", "F3 90")
    ldmxcsr_m = m("ldmxcsr m32", "0F AE /2")
    stmxcsr_m = m("stmxcsr m32", "0F AE /3")
    cpuid = none("cpuid", "0F A2")
    xgetbv = none("xgetbv", "0F 01 D0")

    # Atomics, fences, strings of memory
    mfence = none("mfence", "0F AE F0")
    lock_cmpxchg32_mr = mr("lock cmpxchg r/m32, r32", "F0 0F B1 /r")
    lock_xadd32_mr = mr("lock xadd r/m32, r32", "F0 0F C1 /r")
    xchg32_mr = mr("xchg r/m32, r32", "87 /r")
    xchg32_rr = rr("xchg r/m32, r32", "87 /r")
    lock_cmpxchg64_mr = mr("lock cmpxchg r/m64, r64", "F0 REX.W 0F B1 /r")
    lock_xadd64_mr = mr("lock xadd r/m64, r64", "F0 REX.W 0F C1 /r")
    xchg64_mr = mr("xchg r/m64, r64", "REX.W 87 /r")
    xchg64_rr = rr("xchg r/m64, r64", "REX.W 87 /r")
    cld = none("cld", "FC")
    rep_movsb = none("rep movsb", "F3 A4")
    rep_movsq = none("rep movsq", "F3 REX.W A5")
    rep_stosb = none("rep stosb", "F3 AA")
    rep_stosq = none("rep stosq", "F3 REX.W AB")

    # Scalar floating point (SSE2; round is SSE4.1)
    addss_rr = rr("addss xmm, xmm/m32", "F3 0F 58 /r")
    addss_rm = rm("addss xmm, xmm/m32", "F3 0F 58 /r")
    mulss_rr = rr("mulss xmm, xmm/m32", "F3 0F 59 /r")
    mulss_rm = rm("mulss xmm, xmm/m32", "F3 0F 59 /r")
    subss_rr = rr("subss xmm, xmm/m32", "F3 0F 5C /r")
    subss_rm = rm("subss xmm, xmm/m32", "F3 0F 5C /r")
    divss_rr = rr("divss xmm, xmm/m32", "F3 0F 5E /r")
    divss_rm = rm("divss xmm, xmm/m32", "F3 0F 5E /r")
    sqrtss_rr = rr("sqrtss xmm, xmm/m32", "F3 0F 51 /r")
    sqrtss_rm = rm("sqrtss xmm, xmm/m32", "F3 0F 51 /r")
    ucomiss_rr = rr("ucomiss xmm, xmm/m32", "0F 2E /r")
    ucomiss_rm = rm("ucomiss xmm, xmm/m32", "0F 2E /r")
    movss_rm = rm("movss xmm, xmm/m32", "F3 0F 10 /r")
    movss_rx = rx("movss xmm, xmm/m32", "F3 0F 10 /r")
    movss_rl = rl("movss xmm, xmm/m32", "F3 0F 10 /r")
    movss_mr = mr("movss xmm/m32, xmm", "F3 0F 11 /r")
    movss_xr = xr("movss xmm/m32, xmm", "F3 0F 11 /r")
    cvtsi2ss32_rr = rr("cvtsi2ss xmm, r/m32", "F3 0F 2A /r")
    cvttss2si32_rr = rr("cvttss2si r32, xmm/m32", "F3 0F 2C /r")
    cvtss2si32_rr = rr("cvtss2si r32, xmm/m32", "F3 0F 2D /r")
    cvtsi2ss64_rr = rr("cvtsi2ss xmm, r/m64", "F3 REX.W 0F 2A /r")
    cvttss2si64_rr = rr("cvttss2si r64, xmm/m32", "F3 REX.W 0F 2C /r")
    cvtss2si64_rr = rr("cvtss2si r64, xmm/m32", "F3 REX.W 0F 2D /r")
    cvtss2sd_rr = rr("cvtss2sd xmm, xmm/m32", "F3 0F 5A /r")
    roundss_rri = rri("roundss xmm, xmm/m32, imm8", "66 0F 3A 0A /r ib")
    addsd_rr = rr("addsd xmm, xmm/m64", "F2 0F 58 /r")
    addsd_rm = rm("addsd xmm, xmm/m64", "F2 0F 58 /r")
    mulsd_rr = rr("mulsd xmm, xmm/m64", "F2 0F 59 /r")
    mulsd_rm = rm("mulsd xmm, xmm/m64", "F2 0F 59 /r")
    subsd_rr = rr("subsd xmm, xmm/m64", "F2 0F 5C /r")
    subsd_rm = rm("subsd xmm, xmm/m64", "F2 0F 5C /r")
    divsd_rr = rr("divsd xmm, xmm/m64", "F2 0F 5E /r")
    divsd_rm = rm("divsd xmm, xmm/m64", "F2 0F 5E /r")
    sqrtsd_rr = rr("sqrtsd xmm, xmm/m64", "F2 0F 51 /r")
    sqrtsd_rm = rm("sqrtsd xmm, xmm/m64", "F2 0F 51 /r")
    ucomisd_rr = rr("ucomisd xmm, xmm/m64", "66 0F 2E /r")
    ucomisd_rm = rm("ucomisd xmm, xmm/m64", "66 0F 2E /r")
    movsd_rm = rm("movsd xmm, xmm/m64", "F2 0F 10 /r")
    movsd_rx = rx("movsd xmm, xmm/m64", "F2 0F 10 /r")
    movsd_rl = rl("movsd xmm, xmm/m64", "F2 0F 10 /r")
    movsd_mr = mr("movsd xmm/m64, xmm", "F2 0F 11 /r")
    movsd_xr = xr("movsd xmm/m64, xmm", "F2 0F 11 /r")
    cvtsi2sd32_rr = rr("cvtsi2sd xmm, r/m32", "F2 0F 2A /r")
    cvttsd2si32_rr = rr("cvttsd2si r32, xmm/m64", "F2 0F 2C /r")
    cvtsd2si32_rr = rr("cvtsd2si r32, xmm/m64", "F2 0F 2D /r")
    cvtsi2sd64_rr = rr("cvtsi2sd xmm, r/m64", "F2 REX.W 0F 2A /r")
    cvttsd2si64_rr = rr("cvttsd2si r64, xmm/m64", "F2 REX.W 0F 2C /r")
    cvtsd2si64_rr = rr("cvtsd2si r64, xmm/m64", "F2 REX.W 0F 2D /r")
    cvtsd2ss_rr = rr("cvtsd2ss xmm, xmm/m64", "F2 0F 5A /r")
    roundsd_rri = rri("roundsd xmm, xmm/m64, imm8", "66 0F 3A 0B /r ib")
    andps_rr = rr("andps xmm, xmm/m128", "0F 54 /r")
    andps_rl = rl("andps xmm, xmm/m128", "0F 54 /r")
    andpd_rr = rr("andpd xmm, xmm/m128", "66 0F 54 /r")
    andpd_rl = rl("andpd xmm, xmm/m128", "66 0F 54 /r")
    andnps_rr = rr("andnps xmm, xmm/m128", "0F 55 /r")
    andnps_rl = rl("andnps xmm, xmm/m128", "0F 55 /r")
    andnpd_rr = rr("andnpd xmm, xmm/m128", "66 0F 55 /r")
    andnpd_rl = rl("andnpd xmm, xmm/m128", "66 0F 55 /r")
    orps_rr = rr("orps xmm, xmm/m128", "0F 56 /r")
    orps_rl = rl("orps xmm, xmm/m128", "0F 56 /r")
    orpd_rr = rr("orpd xmm, xmm/m128", "66 0F 56 /r")
    orpd_rl = rl("orpd xmm, xmm/m128", "66 0F 56 /r")
    xorps_rr = rr("xorps xmm, xmm/m128", "0F 57 /r")
    xorps_rl = rl("xorps xmm, xmm/m128", "0F 57 /r")
    xorpd_rr = rr("xorpd xmm, xmm/m128", "66 0F 57 /r")
    xorpd_rl = rl("xorpd xmm, xmm/m128", "66 0F 57 /r")
    movaps_rr = rr("movaps xmm, xmm/m128", "0F 28 /r")
    movups_rm = rm("movups xmm, xmm/m128", "0F 10 /r")
    movups_mr = mr("movups xmm/m128, xmm", "0F 11 /r")
    movd_from32_rr = rr("movd xmm, r/m32", "66 0F 6E /r")
    movd_to32_rr = rr("movd r/m32, xmm", "66 0F 7E /r")
    movq_from64_rr = rr("movq xmm, r/m64", "66 REX.W 0F 6E /r")
    movq_to64_rr = rr("movq r/m64, xmm", "66 REX.W 0F 7E /r")

    # Jumps.  Backward ones take the short form if it reaches, forward ones the long form unless the
    # caller promises that the label is within 127 bytes.

    def jmp(self, label: Label) -> None:
        code, target = self.code, self.positions[label]
        if target < 0 or target - len(code) < -126:
            self.fixups.append((len(code) + 1, label, patch_relative))
            code += b"\xe9\0\0\0\0"
        else:
            code += bytes((0xEB, target - len(code) - 2 & 0xFF))

    def jmp_short(self, label: Label) -> None:
        self.code += b"\xeb\0"
        self.fixups.append((len(self.code) - 1, label, patch_short))

    def jcc(self, condition: ConditionCode, label: Label) -> None:
        code, target = self.code, self.positions[label]
        if target < 0 or target - len(code) < -126:
            self.fixups.append((len(code) + 2, label, patch_relative))
            code += JCC_NEAR[condition]
        else:
            code += bytes((0x70 | condition, target - len(code) - 2 & 0xFF))

    def jcc_short(self, condition: ConditionCode, label: Label) -> None:
        self.code += JCC_SHORT[condition]
        self.fixups.append((len(self.code) - 1, label, patch_short))

    def call_l(self, label: Label) -> None:
        self.code += b"\xe8\0\0\0\0"
        self.fixups.append((len(self.code) - 4, label, patch_relative))

    def call_near_s(self, symbol: Hashable) -> None:
        self.code += b"\xe8\0\0\0\0"
        self.relocations.append((len(self.code) - 4, RELATIVE_32, symbol, -4))

    def jmp_near_s(self, symbol: Hashable) -> None:
        self.code += b"\xe9\0\0\0\0"
        self.relocations.append((len(self.code) - 4, RELATIVE_32, symbol, -4))

    def movabs_rs(self, register: int, symbol: Hashable, addend: int = 0) -> None:
        """movabs r64, imm64 with the address of a symbol."""
        self.movabs_ri(register, 0)
        self.relocate(len(self.code) - 8, ABSOLUTE_64, symbol, addend)

    def nop(self, size: int) -> None:
        """`size` bytes without effect, in as few instructions as possible."""
        while size > 0:
            self.code += NOPS[min(size, 9)]
            size -= 9
