"""The AArch64 assembler: one line for each form of an instruction, in the manual's wording.

    ldr_64 = three("LDR <Xt>, [<Xn|SP>, #<imm*8>]", "1111100101iiiiiiiiiiiinnnnnttttt")

    asm.ldr_64(X[0], SP, 24)          f9400fe0      ldr x0, [sp, #24]

Names are the mnemonic, the width in bits, and what the operands are where there are several forms (`encoding`
explains the rows).  What refers to symbols is a method at the end.
"""

from __future__ import annotations

from collections.abc import Hashable

from doralang.machine.arm64.encoding import (
    four,
    none,
    one,
    one_and_label,
    pack_word,
    three,
    to_label,
    two,
)
from doralang.machine.buffer import Buffer, Label
from doralang.machine.code import ABSOLUTE_64, CALL_26, LOW_12, LOW_12_OF_8, PAGE_21

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ADRP: Final = 0x9000_0000
"""without its distance"""
BL_WORD: Final = pack_word(0x9400_0000)
B_WORD: Final = pack_word(0x1400_0000)


class Assembler(Buffer):
    """Appends instructions of AArch64 to the buffer."""

    FILLER = pack_word(0xD420_0000)

    __slots__ = ("addresses", "far")

    # Addition and subtraction
    add32_rr = three("ADD <Wd>, <Wn>, <Wm>", "00001011000mmmmm000000nnnnnddddd")
    add64_rr = three("ADD <Xd>, <Xn>, <Xm>", "10001011000mmmmm000000nnnnnddddd")
    adds32_rr = three("ADDS <Wd>, <Wn>, <Wm>", "00101011000mmmmm000000nnnnnddddd")
    adds64_rr = three("ADDS <Xd>, <Xn>, <Xm>", "10101011000mmmmm000000nnnnnddddd")
    sub32_rr = three("SUB <Wd>, <Wn>, <Wm>", "01001011000mmmmm000000nnnnnddddd")
    sub64_rr = three("SUB <Xd>, <Xn>, <Xm>", "11001011000mmmmm000000nnnnnddddd")
    subs32_rr = three("SUBS <Wd>, <Wn>, <Wm>", "01101011000mmmmm000000nnnnnddddd")
    subs64_rr = three("SUBS <Xd>, <Xn>, <Xm>", "11101011000mmmmm000000nnnnnddddd")
    add32_shifted = four("ADD <Wd>, <Wn>, <Wm>, LSL #<shift>", "00001011000mmmmm0hhhhhnnnnnddddd")
    add64_shifted = four("ADD <Xd>, <Xn>, <Xm>, LSL #<shift>", "10001011000mmmmmhhhhhhnnnnnddddd")
    sub32_shifted = four("SUB <Wd>, <Wn>, <Wm>, LSL #<shift>", "01001011000mmmmm0hhhhhnnnnnddddd")
    sub64_shifted = four("SUB <Xd>, <Xn>, <Xm>, LSL #<shift>", "11001011000mmmmmhhhhhhnnnnnddddd")
    add64_extended = three("ADD <Xd|SP>, <Xn|SP>, <Xm>, UXTX", "10001011001mmmmm011000nnnnnddddd")
    sub64_extended = three("SUB <Xd|SP>, <Xn|SP>, <Xm>, UXTX", "11001011001mmmmm011000nnnnnddddd")
    add32_ri = three("ADD <Wd|WSP>, <Wn|WSP>, #<imm>", "0001000100iiiiiiiiiiiinnnnnddddd")
    add64_ri = three("ADD <Xd|SP>, <Xn|SP>, #<imm>", "1001000100iiiiiiiiiiiinnnnnddddd")
    add32_ri12 = three("ADD <Wd|WSP>, <Wn|WSP>, #<imm>, LSL #12", "0001000101iiiiiiiiiiiinnnnnddddd")
    add64_ri12 = three("ADD <Xd|SP>, <Xn|SP>, #<imm>, LSL #12", "1001000101iiiiiiiiiiiinnnnnddddd")
    sub32_ri = three("SUB <Wd|WSP>, <Wn|WSP>, #<imm>", "0101000100iiiiiiiiiiiinnnnnddddd")
    sub64_ri = three("SUB <Xd|SP>, <Xn|SP>, #<imm>", "1101000100iiiiiiiiiiiinnnnnddddd")
    sub32_ri12 = three("SUB <Wd|WSP>, <Wn|WSP>, #<imm>, LSL #12", "0101000101iiiiiiiiiiiinnnnnddddd")
    sub64_ri12 = three("SUB <Xd|SP>, <Xn|SP>, #<imm>, LSL #12", "1101000101iiiiiiiiiiiinnnnnddddd")
    adds32_ri = three("ADDS <Wd>, <Wn|WSP>, #<imm>", "0011000100iiiiiiiiiiiinnnnnddddd")
    adds64_ri = three("ADDS <Xd>, <Xn|SP>, #<imm>", "1011000100iiiiiiiiiiiinnnnnddddd")
    subs32_ri = three("SUBS <Wd>, <Wn|WSP>, #<imm>", "0111000100iiiiiiiiiiiinnnnnddddd")
    subs64_ri = three("SUBS <Xd>, <Xn|SP>, #<imm>", "1111000100iiiiiiiiiiiinnnnnddddd")
    neg32_r = two("NEG <Wd>, <Wm>", "01001011000mmmmm00000011111ddddd")
    neg64_r = two("NEG <Xd>, <Xm>", "11001011000mmmmm00000011111ddddd")

    # Comparison
    cmp32_rr = two("CMP <Wn>, <Wm>", "01101011000mmmmm000000nnnnn11111")
    cmp64_rr = two("CMP <Xn>, <Xm>", "11101011000mmmmm000000nnnnn11111")
    cmp32_ri = two("CMP <Wn|WSP>, #<imm>", "0111000100iiiiiiiiiiiinnnnn11111")
    cmp64_ri = two("CMP <Xn|SP>, #<imm>", "1111000100iiiiiiiiiiiinnnnn11111")
    cmp32_ri12 = two("CMP <Wn|WSP>, #<imm>, LSL #12", "0111000101iiiiiiiiiiiinnnnn11111")
    cmp64_ri12 = two("CMP <Xn|SP>, #<imm>, LSL #12", "1111000101iiiiiiiiiiiinnnnn11111")
    cmn32_rr = two("CMN <Wn>, <Wm>", "00101011000mmmmm000000nnnnn11111")
    cmn64_rr = two("CMN <Xn>, <Xm>", "10101011000mmmmm000000nnnnn11111")
    cmn32_ri = two("CMN <Wn|WSP>, #<imm>", "0011000100iiiiiiiiiiiinnnnn11111")
    cmn64_ri = two("CMN <Xn|SP>, #<imm>", "1011000100iiiiiiiiiiiinnnnn11111")
    cmn32_ri12 = two("CMN <Wn|WSP>, #<imm>, LSL #12", "0011000101iiiiiiiiiiiinnnnn11111")
    cmn64_ri12 = two("CMN <Xn|SP>, #<imm>, LSL #12", "1011000101iiiiiiiiiiiinnnnn11111")
    tst32_rr = two("TST <Wn>, <Wm>", "01101010000mmmmm000000nnnnn11111")
    tst64_rr = two("TST <Xn>, <Xm>", "11101010000mmmmm000000nnnnn11111")

    # Bits
    and32_rr = three("AND <Wd>, <Wn>, <Wm>", "00001010000mmmmm000000nnnnnddddd")
    and64_rr = three("AND <Xd>, <Xn>, <Xm>", "10001010000mmmmm000000nnnnnddddd")
    bic32_rr = three("BIC <Wd>, <Wn>, <Wm>", "00001010001mmmmm000000nnnnnddddd")
    bic64_rr = three("BIC <Xd>, <Xn>, <Xm>", "10001010001mmmmm000000nnnnnddddd")
    orr32_rr = three("ORR <Wd>, <Wn>, <Wm>", "00101010000mmmmm000000nnnnnddddd")
    orr64_rr = three("ORR <Xd>, <Xn>, <Xm>", "10101010000mmmmm000000nnnnnddddd")
    orn32_rr = three("ORN <Wd>, <Wn>, <Wm>", "00101010001mmmmm000000nnnnnddddd")
    orn64_rr = three("ORN <Xd>, <Xn>, <Xm>", "10101010001mmmmm000000nnnnnddddd")
    eor32_rr = three("EOR <Wd>, <Wn>, <Wm>", "01001010000mmmmm000000nnnnnddddd")
    eor64_rr = three("EOR <Xd>, <Xn>, <Xm>", "11001010000mmmmm000000nnnnnddddd")
    eon32_rr = three("EON <Wd>, <Wn>, <Wm>", "01001010001mmmmm000000nnnnnddddd")
    eon64_rr = three("EON <Xd>, <Xn>, <Xm>", "11001010001mmmmm000000nnnnnddddd")
    ands32_rr = three("ANDS <Wd>, <Wn>, <Wm>", "01101010000mmmmm000000nnnnnddddd")
    ands64_rr = three("ANDS <Xd>, <Xn>, <Xm>", "11101010000mmmmm000000nnnnnddddd")
    mvn32_r = two("MVN <Wd>, <Wm>", "00101010001mmmmm00000011111ddddd")
    mvn64_r = two("MVN <Xd>, <Xm>", "10101010001mmmmm00000011111ddddd")
    and32_ri = three("AND <Wd|WSP>, <Wn>, #<bimm>", "0001001000iiiiiiiiiiiinnnnnddddd")
    and64_ri = three("AND <Xd|SP>, <Xn>, #<bimm>", "100100100iiiiiiiiiiiiinnnnnddddd")
    orr32_ri = three("ORR <Wd|WSP>, <Wn>, #<bimm>", "0011001000iiiiiiiiiiiinnnnnddddd")
    orr64_ri = three("ORR <Xd|SP>, <Xn>, #<bimm>", "101100100iiiiiiiiiiiiinnnnnddddd")
    eor32_ri = three("EOR <Wd|WSP>, <Wn>, #<bimm>", "0101001000iiiiiiiiiiiinnnnnddddd")
    eor64_ri = three("EOR <Xd|SP>, <Xn>, #<bimm>", "110100100iiiiiiiiiiiiinnnnnddddd")
    tst32_ri = two("TST <Wn>, #<bimm>", "0111001000iiiiiiiiiiiinnnnn11111")
    tst64_ri = two("TST <Xn>, #<bimm>", "111100100iiiiiiiiiiiiinnnnn11111")
    clz32_rr = two("CLZ <Wd>, <Wn>", "0101101011000000000100nnnnnddddd")
    clz64_rr = two("CLZ <Xd>, <Xn>", "1101101011000000000100nnnnnddddd")
    rbit32_rr = two("RBIT <Wd>, <Wn>", "0101101011000000000000nnnnnddddd")
    rbit64_rr = two("RBIT <Xd>, <Xn>", "1101101011000000000000nnnnnddddd")
    lsl32_rr = three("LSL <Wd>, <Wn>, <Wm>", "00011010110mmmmm001000nnnnnddddd")
    lsl64_rr = three("LSL <Xd>, <Xn>, <Xm>", "10011010110mmmmm001000nnnnnddddd")
    lsr32_rr = three("LSR <Wd>, <Wn>, <Wm>", "00011010110mmmmm001001nnnnnddddd")
    lsr64_rr = three("LSR <Xd>, <Xn>, <Xm>", "10011010110mmmmm001001nnnnnddddd")
    asr32_rr = three("ASR <Wd>, <Wn>, <Wm>", "00011010110mmmmm001010nnnnnddddd")
    asr64_rr = three("ASR <Xd>, <Xn>, <Xm>", "10011010110mmmmm001010nnnnnddddd")
    ror32_rr = three("ROR <Wd>, <Wn>, <Wm>", "00011010110mmmmm001011nnnnnddddd")
    ror64_rr = three("ROR <Xd>, <Xn>, <Xm>", "10011010110mmmmm001011nnnnnddddd")
    sbfm32_rr = four("SBFM <Wd>, <Wn>, #<immr>, #<imms>", "00010011000rrrrr0sssssnnnnnddddd")
    sbfm64_rr = four("SBFM <Xd>, <Xn>, #<immr>, #<imms>", "1001001101rrrrrrssssssnnnnnddddd")
    ubfm32_rr = four("UBFM <Wd>, <Wn>, #<immr>, #<imms>", "01010011000rrrrr0sssssnnnnnddddd")
    ubfm64_rr = four("UBFM <Xd>, <Xn>, #<immr>, #<imms>", "1101001101rrrrrrssssssnnnnnddddd")

    # Multiplication, division
    mul32_rr = three("MUL <Wd>, <Wn>, <Wm>", "00011011000mmmmm011111nnnnnddddd")
    mul64_rr = three("MUL <Xd>, <Xn>, <Xm>", "10011011000mmmmm011111nnnnnddddd")
    madd32_rr = four("MADD <Wd>, <Wn>, <Wm>, <Wa>", "00011011000mmmmm0aaaaannnnnddddd")
    madd64_rr = four("MADD <Xd>, <Xn>, <Xm>, <Xa>", "10011011000mmmmm0aaaaannnnnddddd")
    msub32_rr = four("MSUB <Wd>, <Wn>, <Wm>, <Wa>", "00011011000mmmmm1aaaaannnnnddddd")
    msub64_rr = four("MSUB <Xd>, <Xn>, <Xm>, <Xa>", "10011011000mmmmm1aaaaannnnnddddd")
    umulh_rr = three("UMULH <Xd>, <Xn>, <Xm>", "10011011110mmmmm011111nnnnnddddd")
    smulh_rr = three("SMULH <Xd>, <Xn>, <Xm>", "10011011010mmmmm011111nnnnnddddd")
    sdiv32_rr = three("SDIV <Wd>, <Wn>, <Wm>", "00011010110mmmmm000011nnnnnddddd")
    sdiv64_rr = three("SDIV <Xd>, <Xn>, <Xm>", "10011010110mmmmm000011nnnnnddddd")
    udiv32_rr = three("UDIV <Wd>, <Wn>, <Wm>", "00011010110mmmmm000010nnnnnddddd")
    udiv64_rr = three("UDIV <Xd>, <Xn>, <Xm>", "10011010110mmmmm000010nnnnnddddd")

    # Moves and constants
    mov32_rr = two("MOV <Wd>, <Wm>", "00101010000mmmmm00000011111ddddd")
    mov64_rr = two("MOV <Xd>, <Xm>", "10101010000mmmmm00000011111ddddd")
    movn32_ri = three("MOVN <Wd>, #<imm>, LSL #<shift*16>", "0001001010hiiiiiiiiiiiiiiiiddddd")
    movn64_ri = three("MOVN <Xd>, #<imm>, LSL #<shift*16>", "100100101hhiiiiiiiiiiiiiiiiddddd")
    movz32_ri = three("MOVZ <Wd>, #<imm>, LSL #<shift*16>", "0101001010hiiiiiiiiiiiiiiiiddddd")
    movz64_ri = three("MOVZ <Xd>, #<imm>, LSL #<shift*16>", "110100101hhiiiiiiiiiiiiiiiiddddd")
    movk32_ri = three("MOVK <Wd>, #<imm>, LSL #<shift*16>", "0111001010hiiiiiiiiiiiiiiiiddddd")
    movk64_ri = three("MOVK <Xd>, #<imm>, LSL #<shift*16>", "111100101hhiiiiiiiiiiiiiiiiddddd")

    # Conditions
    csel32_rr = four("CSEL <Wd>, <Wn>, <Wm>, <cond>", "00011010100mmmmmcccc00nnnnnddddd")
    csel64_rr = four("CSEL <Xd>, <Xn>, <Xm>, <cond>", "10011010100mmmmmcccc00nnnnnddddd")
    csinc32_rr = four("CSINC <Wd>, <Wn>, <Wm>, <cond>", "00011010100mmmmmcccc01nnnnnddddd")
    csinc64_rr = four("CSINC <Xd>, <Xn>, <Xm>, <cond>", "10011010100mmmmmcccc01nnnnnddddd")
    csinv32_rr = four("CSINV <Wd>, <Wn>, <Wm>, <cond>", "01011010100mmmmmcccc00nnnnnddddd")
    csinv64_rr = four("CSINV <Xd>, <Xn>, <Xm>, <cond>", "11011010100mmmmmcccc00nnnnnddddd")
    csneg32_rr = four("CSNEG <Wd>, <Wn>, <Wm>, <cond>", "01011010100mmmmmcccc01nnnnnddddd")
    csneg64_rr = four("CSNEG <Xd>, <Xn>, <Xm>, <cond>", "11011010100mmmmmcccc01nnnnnddddd")

    # Memory at a base and a displacement: a multiple of the size without sign, or 9 bits with a sign
    ldr_8 = three("LDRB <Wt>, [<Xn|SP>, #<imm>]", "0011100101iiiiiiiiiiiinnnnnttttt")
    str_8 = three("STRB <Wt>, [<Xn|SP>, #<imm>]", "0011100100iiiiiiiiiiiinnnnnttttt")
    ldr_16 = three("LDRH <Wt>, [<Xn|SP>, #<imm*2>]", "0111100101iiiiiiiiiiiinnnnnttttt")
    str_16 = three("STRH <Wt>, [<Xn|SP>, #<imm*2>]", "0111100100iiiiiiiiiiiinnnnnttttt")
    ldr_32 = three("LDR <Wt>, [<Xn|SP>, #<imm*4>]", "1011100101iiiiiiiiiiiinnnnnttttt")
    str_32 = three("STR <Wt>, [<Xn|SP>, #<imm*4>]", "1011100100iiiiiiiiiiiinnnnnttttt")
    ldr_64 = three("LDR <Xt>, [<Xn|SP>, #<imm*8>]", "1111100101iiiiiiiiiiiinnnnnttttt")
    str_64 = three("STR <Xt>, [<Xn|SP>, #<imm*8>]", "1111100100iiiiiiiiiiiinnnnnttttt")
    ldr_float = three("LDR <St>, [<Xn|SP>, #<imm*4>]", "1011110101iiiiiiiiiiiinnnnnttttt")
    str_float = three("STR <St>, [<Xn|SP>, #<imm*4>]", "1011110100iiiiiiiiiiiinnnnnttttt")
    ldr_double = three("LDR <Dt>, [<Xn|SP>, #<imm*8>]", "1111110101iiiiiiiiiiiinnnnnttttt")
    str_double = three("STR <Dt>, [<Xn|SP>, #<imm*8>]", "1111110100iiiiiiiiiiiinnnnnttttt")
    ldur_8 = three("LDURB <Wt>, [<Xn|SP>, #<simm>]", "00111000010iiiiiiiii00nnnnnttttt")
    stur_8 = three("STURB <Wt>, [<Xn|SP>, #<simm>]", "00111000000iiiiiiiii00nnnnnttttt")
    ldur_16 = three("LDURH <Wt>, [<Xn|SP>, #<simm>]", "01111000010iiiiiiiii00nnnnnttttt")
    stur_16 = three("STURH <Wt>, [<Xn|SP>, #<simm>]", "01111000000iiiiiiiii00nnnnnttttt")
    ldur_32 = three("LDUR <Wt>, [<Xn|SP>, #<simm>]", "10111000010iiiiiiiii00nnnnnttttt")
    stur_32 = three("STUR <Wt>, [<Xn|SP>, #<simm>]", "10111000000iiiiiiiii00nnnnnttttt")
    ldur_64 = three("LDUR <Xt>, [<Xn|SP>, #<simm>]", "11111000010iiiiiiiii00nnnnnttttt")
    stur_64 = three("STUR <Xt>, [<Xn|SP>, #<simm>]", "11111000000iiiiiiiii00nnnnnttttt")
    ldur_float = three("LDUR <St>, [<Xn|SP>, #<simm>]", "10111100010iiiiiiiii00nnnnnttttt")
    stur_float = three("STUR <St>, [<Xn|SP>, #<simm>]", "10111100000iiiiiiiii00nnnnnttttt")
    ldur_double = three("LDUR <Dt>, [<Xn|SP>, #<simm>]", "11111100010iiiiiiiii00nnnnnttttt")
    stur_double = three("STUR <Dt>, [<Xn|SP>, #<simm>]", "11111100000iiiiiiiii00nnnnnttttt")

    # Memory behind which the base then points
    ldr_8_post = three("LDRB <Wt>, [<Xn|SP>], #<simm>", "00111000010iiiiiiiii01nnnnnttttt")
    str_8_post = three("STRB <Wt>, [<Xn|SP>], #<simm>", "00111000000iiiiiiiii01nnnnnttttt")
    ldr_64_post = three("LDR <Xt>, [<Xn|SP>], #<simm>", "11111000010iiiiiiiii01nnnnnttttt")
    str_64_post = three("STR <Xt>, [<Xn|SP>], #<simm>", "11111000000iiiiiiiii01nnnnnttttt")

    # Memory at a base and an index, as it is or times the size
    ldr_8_x = three("LDRB <Wt>, [<Xn|SP>, <Xm>]", "00111000011mmmmm011010nnnnnttttt")
    str_8_x = three("STRB <Wt>, [<Xn|SP>, <Xm>]", "00111000001mmmmm011010nnnnnttttt")
    ldr_16_x = three("LDRH <Wt>, [<Xn|SP>, <Xm>]", "01111000011mmmmm011010nnnnnttttt")
    str_16_x = three("STRH <Wt>, [<Xn|SP>, <Xm>]", "01111000001mmmmm011010nnnnnttttt")
    ldr_32_x = three("LDR <Wt>, [<Xn|SP>, <Xm>]", "10111000011mmmmm011010nnnnnttttt")
    str_32_x = three("STR <Wt>, [<Xn|SP>, <Xm>]", "10111000001mmmmm011010nnnnnttttt")
    ldr_64_x = three("LDR <Xt>, [<Xn|SP>, <Xm>]", "11111000011mmmmm011010nnnnnttttt")
    str_64_x = three("STR <Xt>, [<Xn|SP>, <Xm>]", "11111000001mmmmm011010nnnnnttttt")
    ldr_float_x = three("LDR <St>, [<Xn|SP>, <Xm>]", "10111100011mmmmm011010nnnnnttttt")
    str_float_x = three("STR <St>, [<Xn|SP>, <Xm>]", "10111100001mmmmm011010nnnnnttttt")
    ldr_double_x = three("LDR <Dt>, [<Xn|SP>, <Xm>]", "11111100011mmmmm011010nnnnnttttt")
    str_double_x = three("STR <Dt>, [<Xn|SP>, <Xm>]", "11111100001mmmmm011010nnnnnttttt")
    ldr_16_scaled = three("LDRH <Wt>, [<Xn|SP>, <Xm>, LSL #1]", "01111000011mmmmm011110nnnnnttttt")
    str_16_scaled = three("STRH <Wt>, [<Xn|SP>, <Xm>, LSL #1]", "01111000001mmmmm011110nnnnnttttt")
    ldr_32_scaled = three("LDR <Wt>, [<Xn|SP>, <Xm>, LSL #2]", "10111000011mmmmm011110nnnnnttttt")
    str_32_scaled = three("STR <Wt>, [<Xn|SP>, <Xm>, LSL #2]", "10111000001mmmmm011110nnnnnttttt")
    ldr_64_scaled = three("LDR <Xt>, [<Xn|SP>, <Xm>, LSL #3]", "11111000011mmmmm011110nnnnnttttt")
    str_64_scaled = three("STR <Xt>, [<Xn|SP>, <Xm>, LSL #3]", "11111000001mmmmm011110nnnnnttttt")
    ldr_float_scaled = three("LDR <St>, [<Xn|SP>, <Xm>, LSL #2]", "10111100011mmmmm011110nnnnnttttt")
    str_float_scaled = three("STR <St>, [<Xn|SP>, <Xm>, LSL #2]", "10111100001mmmmm011110nnnnnttttt")
    ldr_double_scaled = three("LDR <Dt>, [<Xn|SP>, <Xm>, LSL #3]", "11111100011mmmmm011110nnnnnttttt")
    str_double_scaled = three("STR <Dt>, [<Xn|SP>, <Xm>, LSL #3]", "11111100001mmmmm011110nnnnnttttt")

    # Two registers at once
    ldp_64 = four("LDP <Xt1>, <Xt2>, [<Xn|SP>, #<simm*8>]", "1010100101iiiiiiiuuuuunnnnnttttt")
    stp_64 = four("STP <Xt1>, <Xt2>, [<Xn|SP>, #<simm*8>]", "1010100100iiiiiiiuuuuunnnnnttttt")
    ldp_64_post = four("LDP <Xt1>, <Xt2>, [<Xn|SP>], #<simm*8>", "1010100011iiiiiiiuuuuunnnnnttttt")
    stp_64_pre = four("STP <Xt1>, <Xt2>, [<Xn|SP>, #<simm*8>]!", "1010100110iiiiiiiuuuuunnnnnttttt")

    # Memory and addresses at a label
    ldr_32_l = one_and_label("LDR <Wt>, <label>", "00011000iiiiiiiiiiiiiiiiiiittttt")
    ldr_64_l = one_and_label("LDR <Xt>, <label>", "01011000iiiiiiiiiiiiiiiiiiittttt")
    ldr_float_l = one_and_label("LDR <St>, <label>", "00011100iiiiiiiiiiiiiiiiiiittttt")
    ldr_double_l = one_and_label("LDR <Dt>, <label>", "01011100iiiiiiiiiiiiiiiiiiittttt")
    adr = one_and_label("ADR <Xd>, <label>", "0ii10000iiiiiiiiiiiiiiiiiiiddddd")

    # Order of memory, atomics
    ldar_64 = two("LDAR <Xt>, [<Xn|SP>]", "1100100011011111111111nnnnnttttt")
    stlr_64 = two("STLR <Xt>, [<Xn|SP>]", "1100100010011111111111nnnnnttttt")
    ldaxr_64 = two("LDAXR <Xt>, [<Xn|SP>]", "1100100001011111111111nnnnnttttt")
    stlxr_64 = three("STLXR <Ws>, <Xt>, [<Xn|SP>]", "11001000000sssss111111nnnnnttttt")
    clrex = none("CLREX", "11010101000000110011111101011111")
    dmb_ish = none("DMB ISH", "11010101000000110011101110111111")

    # Caches (B2.7.4 has the protocol)
    dsb_ish = none("DSB ISH", "11010101000000110011101110011111")
    isb = none("ISB", "11010101000000110011111111011111")
    dc_cvau = one("DC CVAU, <Xt>", "110101010000101101111011001ttttt")
    ic_ivau = one("IC IVAU, <Xt>", "110101010000101101110101001ttttt")
    mrs_ctr_el0 = one("MRS <Xt>, CTR_EL0", "110101010011101100000000001ttttt")

    # Jumps and calls
    b = to_label("B <label>", "000101iiiiiiiiiiiiiiiiiiiiiiiiii")
    bl = to_label("BL <label>", "100101iiiiiiiiiiiiiiiiiiiiiiiiii")
    b_cond = one_and_label("B.<cond> <label>", "01010100iiiiiiiiiiiiiiiiiii0cccc")
    cbz32 = one_and_label("CBZ <Wt>, <label>", "00110100iiiiiiiiiiiiiiiiiiittttt")
    cbz64 = one_and_label("CBZ <Xt>, <label>", "10110100iiiiiiiiiiiiiiiiiiittttt")
    cbnz32 = one_and_label("CBNZ <Wt>, <label>", "00110101iiiiiiiiiiiiiiiiiiittttt")
    cbnz64 = one_and_label("CBNZ <Xt>, <label>", "10110101iiiiiiiiiiiiiiiiiiittttt")
    br = one("BR <Xn>", "1101011000011111000000nnnnn00000")
    blr = one("BLR <Xn>", "1101011000111111000000nnnnn00000")
    ret = none("RET", "11010110010111110000001111000000")
    brk = one("BRK #<imm>", "11010100001iiiiiiiiiiiiiiii00000")
    udf = one("UDF #<imm>", "0000000000000000iiiiiiiiiiiiiiii")
    nop = none("NOP", "11010101000000110010000000011111")
    csdb = none("CSDB", "11010101000000110010001010011111")

    # Scalar floating point
    fmul_float = three("FMUL <Sd>, <Sn>, <Sm>", "00011110001mmmmm000010nnnnnddddd")
    fmul_double = three("FMUL <Dd>, <Dn>, <Dm>", "00011110011mmmmm000010nnnnnddddd")
    fdiv_float = three("FDIV <Sd>, <Sn>, <Sm>", "00011110001mmmmm000110nnnnnddddd")
    fdiv_double = three("FDIV <Dd>, <Dn>, <Dm>", "00011110011mmmmm000110nnnnnddddd")
    fadd_float = three("FADD <Sd>, <Sn>, <Sm>", "00011110001mmmmm001010nnnnnddddd")
    fadd_double = three("FADD <Dd>, <Dn>, <Dm>", "00011110011mmmmm001010nnnnnddddd")
    fsub_float = three("FSUB <Sd>, <Sn>, <Sm>", "00011110001mmmmm001110nnnnnddddd")
    fsub_double = three("FSUB <Dd>, <Dn>, <Dm>", "00011110011mmmmm001110nnnnnddddd")
    fmov_float = two("FMOV <Sd>, <Sn>", "0001111000100000010000nnnnnddddd")
    fmov_double = two("FMOV <Dd>, <Dn>", "0001111001100000010000nnnnnddddd")
    fabs_float = two("FABS <Sd>, <Sn>", "0001111000100000110000nnnnnddddd")
    fabs_double = two("FABS <Dd>, <Dn>", "0001111001100000110000nnnnnddddd")
    fneg_float = two("FNEG <Sd>, <Sn>", "0001111000100001010000nnnnnddddd")
    fneg_double = two("FNEG <Dd>, <Dn>", "0001111001100001010000nnnnnddddd")
    fsqrt_float = two("FSQRT <Sd>, <Sn>", "0001111000100001110000nnnnnddddd")
    fsqrt_double = two("FSQRT <Dd>, <Dn>", "0001111001100001110000nnnnnddddd")
    frintp_float = two("FRINTP <Sd>, <Sn>", "0001111000100100110000nnnnnddddd")
    frintp_double = two("FRINTP <Dd>, <Dn>", "0001111001100100110000nnnnnddddd")
    frintm_float = two("FRINTM <Sd>, <Sn>", "0001111000100101010000nnnnnddddd")
    frintm_double = two("FRINTM <Dd>, <Dn>", "0001111001100101010000nnnnnddddd")
    frintz_float = two("FRINTZ <Sd>, <Sn>", "0001111000100101110000nnnnnddddd")
    frintz_double = two("FRINTZ <Dd>, <Dn>", "0001111001100101110000nnnnnddddd")
    fcmp_float = two("FCMP <Sn>, <Sm>", "00011110001mmmmm001000nnnnn00000")
    fcmp_double = two("FCMP <Dn>, <Dm>", "00011110011mmmmm001000nnnnn00000")
    fmov_float_i = two("FMOV <Sd>, #<fimm>", "00011110001iiiiiiii10000000ddddd")
    fmov_double_i = two("FMOV <Dd>, #<fimm>", "00011110011iiiiiiii10000000ddddd")
    fcvt_to_double = two("FCVT <Dd>, <Sn>", "0001111000100010110000nnnnnddddd")
    fcvt_to_float = two("FCVT <Sd>, <Dn>", "0001111001100010010000nnnnnddddd")
    fmov_from_32 = two("FMOV <Sd>, <Wn>", "0001111000100111000000nnnnnddddd")
    fmov_from_64 = two("FMOV <Dd>, <Xn>", "1001111001100111000000nnnnnddddd")
    fmov_to_32 = two("FMOV <Wd>, <Sn>", "0001111000100110000000nnnnnddddd")
    fmov_to_64 = two("FMOV <Xd>, <Dn>", "1001111001100110000000nnnnnddddd")
    scvtf_float_32 = two("SCVTF <Sd>, <Wn>", "0001111000100010000000nnnnnddddd")
    scvtf_double_32 = two("SCVTF <Dd>, <Wn>", "0001111001100010000000nnnnnddddd")
    scvtf_float_64 = two("SCVTF <Sd>, <Xn>", "1001111000100010000000nnnnnddddd")
    scvtf_double_64 = two("SCVTF <Dd>, <Xn>", "1001111001100010000000nnnnnddddd")
    fcvtzs_32_float = two("FCVTZS <Wd>, <Sn>", "0001111000111000000000nnnnnddddd")
    fcvtzs_32_double = two("FCVTZS <Wd>, <Dn>", "0001111001111000000000nnnnnddddd")
    fcvtzs_64_float = two("FCVTZS <Xd>, <Sn>", "1001111000111000000000nnnnnddddd")
    fcvtzs_64_double = two("FCVTZS <Xd>, <Dn>", "1001111001111000000000nnnnnddddd")
    cnt_8b = two("CNT <Vd>.8B, <Vn>.8B", "0000111000100000010110nnnnnddddd")
    addv_8b = two("ADDV <Bd>, <Vn>.8B", "0000111000110001101110nnnnnddddd")

    # Symbols: calls within the arena, pages of what is near, and words behind the code with any address

    def __init__(self, far: bool = False) -> None:
        super().__init__()
        self.far = far
        """whether labels may be farther than 1 MB; for those who choose instructions"""
        self.addresses: dict[tuple[Hashable, int], Label] = {}

    def bl_s(self, symbol: Hashable) -> None:
        self.relocations.append((len(self.code), CALL_26, symbol, 0))
        self.code += BL_WORD

    def b_s(self, symbol: Hashable) -> None:
        self.relocations.append((len(self.code), CALL_26, symbol, 0))
        self.code += B_WORD

    def adrp_s(self, target: int, symbol: Hashable) -> None:
        """The page of 4096 bytes that the symbol is in."""
        self.relocations.append((len(self.code), PAGE_21, symbol, 0))
        self.code += pack_word(ADRP | target)

    def add_low_s(self, target: int, base: int, symbol: Hashable) -> None:
        """base + where the symbol is in its page."""
        self.relocations.append((len(self.code), LOW_12, symbol, 0))
        self.add64_ri(target, base, 0)

    def ldr_64_low_s(self, target: int, base: int, symbol: Hashable) -> None:
        """Load a word from base + where the symbol is in its page."""
        self.relocations.append((len(self.code), LOW_12_OF_8, symbol, 0))
        self.ldr_64(target, base, 0)

    def address(self, symbol: Hashable, addend: int = 0) -> Label:
        """The label of a word behind the code that holds an address."""
        label = self.addresses.get((symbol, addend))
        if label is None:
            label = self.addresses[symbol, addend] = self.label()
        return label

    def _place_constants(self) -> None:
        """The addresses come first."""
        if self.addresses:
            self.code += self.FILLER * (-len(self.code) % 8 // 4)
        for (symbol, addend), label in self.addresses.items():
            self.positions[label] = len(self.code)
            self.relocations.append((len(self.code), ABSOLUTE_64, symbol, addend))
            self.code += bytes(8)
        super()._place_constants()
