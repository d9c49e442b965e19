"""Vectors of 128 bits on AArch64 (Advanced SIMD): rows as `encoding` explains them.

    fadd_2d = three("FADD <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110011mmmmm110101nnnnnddddd")

Names end in the lanes of the result: `2d` are two of 64 bits, `4s` four of 32, `16b` all bits.
"""

from __future__ import annotations

from doralang.machine.arm64.assembler import Assembler
from doralang.machine.arm64.encoding import one_and_label, three, two


class VectorAssembler(Assembler):
    """Appends vector instructions, too."""

    __slots__ = ()

    # Memory
    ldr_quad = three("LDR <Qt>, [<Xn|SP>, #<imm*16>]", "0011110111iiiiiiiiiiiinnnnnttttt")
    str_quad = three("STR <Qt>, [<Xn|SP>, #<imm*16>]", "0011110110iiiiiiiiiiiinnnnnttttt")
    ldr_half = three("LDR <Ht>, [<Xn|SP>, #<imm*2>]", "0111110101iiiiiiiiiiiinnnnnttttt")
    str_half = three("STR <Ht>, [<Xn|SP>, #<imm*2>]", "0111110100iiiiiiiiiiiinnnnnttttt")
    ldr_byte = three("LDR <Bt>, [<Xn|SP>, #<imm>]", "0011110101iiiiiiiiiiiinnnnnttttt")
    str_byte = three("STR <Bt>, [<Xn|SP>, #<imm>]", "0011110100iiiiiiiiiiiinnnnnttttt")
    ldr_quad_l = one_and_label("LDR <Qt>, <label>", "10011100iiiiiiiiiiiiiiiiiiittttt")

    # One lane to all of them
    dup_2d = two("DUP <Vd>.2D, <Vn>.D[0]", "0100111000001000000001nnnnnddddd")
    dup_4s = two("DUP <Vd>.4S, <Vn>.S[0]", "0100111000000100000001nnnnnddddd")

    # Floating point, by two
    fadd_2d = three("FADD <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110011mmmmm110101nnnnnddddd")
    fadd_4s = three("FADD <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110001mmmmm110101nnnnnddddd")
    fsub_2d = three("FSUB <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110111mmmmm110101nnnnnddddd")
    fsub_4s = three("FSUB <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110101mmmmm110101nnnnnddddd")
    fmul_2d = three("FMUL <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110011mmmmm110111nnnnnddddd")
    fmul_4s = three("FMUL <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110001mmmmm110111nnnnnddddd")
    fdiv_2d = three("FDIV <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110011mmmmm111111nnnnnddddd")
    fdiv_4s = three("FDIV <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110001mmmmm111111nnnnnddddd")
    fcmeq_2d = three("FCMEQ <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110011mmmmm111001nnnnnddddd")
    fcmeq_4s = three("FCMEQ <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110001mmmmm111001nnnnnddddd")
    fcmge_2d = three("FCMGE <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110011mmmmm111001nnnnnddddd")
    fcmge_4s = three("FCMGE <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110001mmmmm111001nnnnnddddd")
    fcmgt_2d = three("FCMGT <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110111mmmmm111001nnnnnddddd")
    fcmgt_4s = three("FCMGT <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110101mmmmm111001nnnnnddddd")
    fmla_2d = three("FMLA <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110011mmmmm110011nnnnnddddd")

    # Whole numbers, by two
    add_2d = three("ADD <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110111mmmmm100001nnnnnddddd")
    add_4s = three("ADD <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110101mmmmm100001nnnnnddddd")
    sub_2d = three("SUB <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110111mmmmm100001nnnnnddddd")
    sub_4s = three("SUB <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110101mmmmm100001nnnnnddddd")
    cmgt_2d = three("CMGT <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110111mmmmm001101nnnnnddddd")
    cmgt_4s = three("CMGT <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110101mmmmm001101nnnnnddddd")
    cmeq_2d = three("CMEQ <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110111mmmmm100011nnnnnddddd")
    cmeq_4s = three("CMEQ <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110101mmmmm100011nnnnnddddd")
    sshl_2d = three("SSHL <Vd>.2D, <Vn>.2D, <Vm>.2D", "01001110111mmmmm010001nnnnnddddd")
    sshl_4s = three("SSHL <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110101mmmmm010001nnnnnddddd")
    ushl_2d = three("USHL <Vd>.2D, <Vn>.2D, <Vm>.2D", "01101110111mmmmm010001nnnnnddddd")
    ushl_4s = three("USHL <Vd>.4S, <Vn>.4S, <Vm>.4S", "01101110101mmmmm010001nnnnnddddd")
    mul_4s = three("MUL <Vd>.4S, <Vn>.4S, <Vm>.4S", "01001110101mmmmm100111nnnnnddddd")
    umull_2d = three("UMULL <Vd>.2D, <Vn>.2S, <Vm>.2S", "00101110101mmmmm110000nnnnnddddd")

    # Bits, by two
    and_16b = three("AND <Vd>.16B, <Vn>.16B, <Vm>.16B", "01001110001mmmmm000111nnnnnddddd")
    bic_16b = three("BIC <Vd>.16B, <Vn>.16B, <Vm>.16B", "01001110011mmmmm000111nnnnnddddd")
    orr_16b = three("ORR <Vd>.16B, <Vn>.16B, <Vm>.16B", "01001110101mmmmm000111nnnnnddddd")
    eor_16b = three("EOR <Vd>.16B, <Vn>.16B, <Vm>.16B", "01101110001mmmmm000111nnnnnddddd")
    bsl_16b = three("BSL <Vd>.16B, <Vn>.16B, <Vm>.16B", "01101110011mmmmm000111nnnnnddddd")

    # One operand
    fabs_2d = two("FABS <Vd>.2D, <Vn>.2D", "0100111011100000111110nnnnnddddd")
    fabs_4s = two("FABS <Vd>.4S, <Vn>.4S", "0100111010100000111110nnnnnddddd")
    fneg_2d = two("FNEG <Vd>.2D, <Vn>.2D", "0110111011100000111110nnnnnddddd")
    fneg_4s = two("FNEG <Vd>.4S, <Vn>.4S", "0110111010100000111110nnnnnddddd")
    fsqrt_2d = two("FSQRT <Vd>.2D, <Vn>.2D", "0110111011100001111110nnnnnddddd")
    fsqrt_4s = two("FSQRT <Vd>.4S, <Vn>.4S", "0110111010100001111110nnnnnddddd")
    scvtf_2d = two("SCVTF <Vd>.2D, <Vn>.2D", "0100111001100001110110nnnnnddddd")
    scvtf_4s = two("SCVTF <Vd>.4S, <Vn>.4S", "0100111000100001110110nnnnnddddd")
    frintn_2d = two("FRINTN <Vd>.2D, <Vn>.2D", "0100111001100001100010nnnnnddddd")
    frintm_2d = two("FRINTM <Vd>.2D, <Vn>.2D", "0100111001100001100110nnnnnddddd")
    frintp_2d = two("FRINTP <Vd>.2D, <Vn>.2D", "0100111011100001100010nnnnnddddd")
    frintz_2d = two("FRINTZ <Vd>.2D, <Vn>.2D", "0100111011100001100110nnnnnddddd")
    frinta_2d = two("FRINTA <Vd>.2D, <Vn>.2D", "0110111001100001100010nnnnnddddd")
    neg_2d = two("NEG <Vd>.2D, <Vn>.2D", "0110111011100000101110nnnnnddddd")
    neg_4s = two("NEG <Vd>.4S, <Vn>.4S", "0110111010100000101110nnnnnddddd")
    not_16b = two("NOT <Vd>.16B, <Vn>.16B", "0110111000100000010110nnnnnddddd")
    cmltz_2d = two("CMLT <Vd>.2D, <Vn>.2D, #0", "0100111011100000101010nnnnnddddd")
    rev64_4s = two("REV64 <Vd>.4S, <Vn>.4S", "0100111010100000000010nnnnnddddd")
    uaddlp_2d = two("UADDLP <Vd>.2D, <Vn>.4S", "0110111010100000001010nnnnnddddd")
    shl_2d = three("SHL <Vd>.2D, <Vn>.2D, #<shift>", "0100111101hhhhhh010101nnnnnddddd")
    ushr32_2d = two("USHR <Vd>.2D, <Vn>.2D, #32", "0110111101100000000001nnnnnddddd")

    # Wider and narrower lanes
    fcvtl_2d = two("FCVTL <Vd>.2D, <Vn>.2S", "0000111001100001011110nnnnnddddd")
    fcvtn_2s = two("FCVTN <Vd>.2S, <Vn>.2D", "0000111001100001011010nnnnnddddd")
    xtn_2s = two("XTN <Vd>.2S, <Vn>.2D", "0000111010100001001010nnnnnddddd")
    xtn_4h = two("XTN <Vd>.4H, <Vn>.4S", "0000111001100001001010nnnnnddddd")
    xtn_8b = two("XTN <Vd>.8B, <Vn>.8H", "0000111000100001001010nnnnnddddd")
    sxtl_2d = two("SXTL <Vd>.2D, <Vn>.2S", "0000111100100000101001nnnnnddddd")
    uxtl_4s = two("UXTL <Vd>.4S, <Vn>.4H", "0010111100010000101001nnnnnddddd")
    uxtl_8h = two("UXTL <Vd>.8H, <Vn>.8B", "0010111100001000101001nnnnnddddd")
