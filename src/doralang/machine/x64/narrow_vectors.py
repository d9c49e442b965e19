"""The assembler with packed instructions of 128 bits (SSE2), in the manual's wording.

    mulpd_rr = rr("mulpd xmm, xmm/m128", "66 0F 59 /r")

The first operand is the target, too.
"""

from __future__ import annotations

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.encoding import rl, rr, rri, rx, xr


class NarrowAssembler(Assembler):
    """Appends packed instructions, too."""

    __slots__ = ()

    # Arithmetic of doubles and floats
    addpd_rr = rr("addpd xmm, xmm/m128", "66 0F 58 /r")
    addpd_rl = rl("addpd xmm, xmm/m128", "66 0F 58 /r")
    mulpd_rr = rr("mulpd xmm, xmm/m128", "66 0F 59 /r")
    mulpd_rl = rl("mulpd xmm, xmm/m128", "66 0F 59 /r")
    subpd_rr = rr("subpd xmm, xmm/m128", "66 0F 5C /r")
    subpd_rl = rl("subpd xmm, xmm/m128", "66 0F 5C /r")
    divpd_rr = rr("divpd xmm, xmm/m128", "66 0F 5E /r")
    divpd_rl = rl("divpd xmm, xmm/m128", "66 0F 5E /r")
    minpd_rr = rr("minpd xmm, xmm/m128", "66 0F 5D /r")
    minpd_rl = rl("minpd xmm, xmm/m128", "66 0F 5D /r")
    maxpd_rr = rr("maxpd xmm, xmm/m128", "66 0F 5F /r")
    maxpd_rl = rl("maxpd xmm, xmm/m128", "66 0F 5F /r")
    sqrtpd_rr = rr("sqrtpd xmm, xmm/m128", "66 0F 51 /r")
    addps_rr = rr("addps xmm, xmm/m128", "0F 58 /r")
    addps_rl = rl("addps xmm, xmm/m128", "0F 58 /r")
    mulps_rr = rr("mulps xmm, xmm/m128", "0F 59 /r")
    mulps_rl = rl("mulps xmm, xmm/m128", "0F 59 /r")
    subps_rr = rr("subps xmm, xmm/m128", "0F 5C /r")
    subps_rl = rl("subps xmm, xmm/m128", "0F 5C /r")
    divps_rr = rr("divps xmm, xmm/m128", "0F 5E /r")
    divps_rl = rl("divps xmm, xmm/m128", "0F 5E /r")
    minps_rr = rr("minps xmm, xmm/m128", "0F 5D /r")
    minps_rl = rl("minps xmm, xmm/m128", "0F 5D /r")
    maxps_rr = rr("maxps xmm, xmm/m128", "0F 5F /r")
    maxps_rl = rl("maxps xmm, xmm/m128", "0F 5F /r")
    sqrtps_rr = rr("sqrtps xmm, xmm/m128", "0F 51 /r")

    # Whole numbers
    paddd_rr = rr("paddd xmm, xmm/m128", "66 0F FE /r")
    paddq_rr = rr("paddq xmm, xmm/m128", "66 0F D4 /r")
    psubd_rr = rr("psubd xmm, xmm/m128", "66 0F FA /r")
    psubq_rr = rr("psubq xmm, xmm/m128", "66 0F FB /r")
    pmuludq_rr = rr("pmuludq xmm, xmm/m128", "66 0F F4 /r")
    pand_rr = rr("pand xmm, xmm/m128", "66 0F DB /r")
    pandn_rr = rr("pandn xmm, xmm/m128", "66 0F DF /r")
    por_rr = rr("por xmm, xmm/m128", "66 0F EB /r")
    pxor_rr = rr("pxor xmm, xmm/m128", "66 0F EF /r")
    pcmpeqd_rr = rr("pcmpeqd xmm, xmm/m128", "66 0F 76 /r")
    pcmpgtd_rr = rr("pcmpgtd xmm, xmm/m128", "66 0F 66 /r")

    # Comparisons to masks, halves, packing
    cmppd_rri = rri("cmppd xmm, xmm/m128, imm8", "66 0F C2 /r ib")
    cmpps_rri = rri("cmpps xmm, xmm/m128, imm8", "0F C2 /r ib")
    pshufd_rri = rri("pshufd xmm, xmm/m128, imm8", "66 0F 70 /r ib")
    shufps_rri = rri("shufps xmm, xmm/m128, imm8", "0F C6 /r ib")
    unpcklpd_rr = rr("unpcklpd xmm, xmm/m128", "66 0F 14 /r")
    punpckldq_rr = rr("punpckldq xmm, xmm/m128", "66 0F 62 /r")
    punpcklwd_rr = rr("punpcklwd xmm, xmm/m128", "66 0F 61 /r")
    punpcklbw_rr = rr("punpcklbw xmm, xmm/m128", "66 0F 60 /r")
    packssdw_rr = rr("packssdw xmm, xmm/m128", "66 0F 6B /r")
    packsswb_rr = rr("packsswb xmm, xmm/m128", "66 0F 63 /r")

    # Conversions
    cvtdq2pd_rr = rr("cvtdq2pd xmm, xmm/m64", "F3 0F E6 /r")
    cvtps2pd_rr = rr("cvtps2pd xmm, xmm/m64", "0F 5A /r")
    cvtpd2ps_rr = rr("cvtpd2ps xmm, xmm/m128", "66 0F 5A /r")
    cvtdq2ps_rr = rr("cvtdq2ps xmm, xmm/m128", "0F 5B /r")

    # Moves
    movups_rx = rx("movups xmm, xmm/m128", "0F 10 /r")
    movups_rl = rl("movups xmm, xmm/m128", "0F 10 /r")
    movups_xr = xr("movups xmm/m128, xmm", "0F 11 /r")
    movd_xr = xr("movd r/m32, xmm", "66 0F 7E /r")
