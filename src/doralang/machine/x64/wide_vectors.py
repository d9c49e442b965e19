"""The assembler with packed instructions of 512 bits (AVX-512 F, DQ, BW, VL), in the manual's wording.

    vmulpd_rrb = evex("rrb", "vmulpd zmm, zmm, m64", "EVEX.512.66.0F.W1 59 /r")

The letter b is one element at a label, for all lanes.  Vector registers are `zmm0` to `zmm31`; truth values
are in mask registers, `k0` to `k7`, of which `k0` cannot say which lanes are written.
"""

from __future__ import annotations

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.evex import evex
from doralang.machine.x64.vex import vex


class WideAssembler(Assembler):
    """Appends packed instructions, too."""

    __slots__ = ()

    # Arithmetic of doubles and floats
    vaddpd_rrr = evex("rrr", "vaddpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 58 /r")
    vaddpd_rrb = evex("rrb", "vaddpd zmm, zmm, m64", "EVEX.512.66.0F.W1 58 /r")
    vmulpd_rrr = evex("rrr", "vmulpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 59 /r")
    vmulpd_rrb = evex("rrb", "vmulpd zmm, zmm, m64", "EVEX.512.66.0F.W1 59 /r")
    vsubpd_rrr = evex("rrr", "vsubpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 5C /r")
    vsubpd_rrb = evex("rrb", "vsubpd zmm, zmm, m64", "EVEX.512.66.0F.W1 5C /r")
    vdivpd_rrr = evex("rrr", "vdivpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 5E /r")
    vdivpd_rrb = evex("rrb", "vdivpd zmm, zmm, m64", "EVEX.512.66.0F.W1 5E /r")
    vminpd_rrr = evex("rrr", "vminpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 5D /r")
    vminpd_rrb = evex("rrb", "vminpd zmm, zmm, m64", "EVEX.512.66.0F.W1 5D /r")
    vmaxpd_rrr = evex("rrr", "vmaxpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 5F /r")
    vmaxpd_rrb = evex("rrb", "vmaxpd zmm, zmm, m64", "EVEX.512.66.0F.W1 5F /r")
    vaddps_rrr = evex("rrr", "vaddps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 58 /r")
    vaddps_rrb = evex("rrb", "vaddps zmm, zmm, m32", "EVEX.512.NP.0F.W0 58 /r")
    vmulps_rrr = evex("rrr", "vmulps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 59 /r")
    vmulps_rrb = evex("rrb", "vmulps zmm, zmm, m32", "EVEX.512.NP.0F.W0 59 /r")
    vsubps_rrr = evex("rrr", "vsubps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 5C /r")
    vsubps_rrb = evex("rrb", "vsubps zmm, zmm, m32", "EVEX.512.NP.0F.W0 5C /r")
    vdivps_rrr = evex("rrr", "vdivps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 5E /r")
    vdivps_rrb = evex("rrb", "vdivps zmm, zmm, m32", "EVEX.512.NP.0F.W0 5E /r")
    vminps_rrr = evex("rrr", "vminps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 5D /r")
    vminps_rrb = evex("rrb", "vminps zmm, zmm, m32", "EVEX.512.NP.0F.W0 5D /r")
    vmaxps_rrr = evex("rrr", "vmaxps zmm, zmm, zmm/m512", "EVEX.512.NP.0F.W0 5F /r")
    vmaxps_rrb = evex("rrb", "vmaxps zmm, zmm, m32", "EVEX.512.NP.0F.W0 5F /r")
    vsqrtpd_rr = evex("rr", "vsqrtpd zmm, zmm/m512", "EVEX.512.66.0F.W1 51 /r")
    vsqrtps_rr = evex("rr", "vsqrtps zmm, zmm/m512", "EVEX.512.NP.0F.W0 51 /r")
    vrndscalepd_rri = evex("rri", "vrndscalepd zmm, zmm/m512, imm8", "EVEX.512.66.0F3A.W1 09 /r ib")

    # A product and a sum, rounded once: for what need not be the same everywhere
    vfmadd213pd_rrr = evex("rrr", "vfmadd213pd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 A8 /r")
    vfmadd213pd_rrb = evex("rrb", "vfmadd213pd zmm, zmm, m64", "EVEX.512.66.0F38.W1 A8 /r")
    vfmadd132pd_rrr = evex("rrr", "vfmadd132pd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 98 /r")
    vfmadd132pd_rrb = evex("rrb", "vfmadd132pd zmm, zmm, m64", "EVEX.512.66.0F38.W1 98 /r")
    vfmadd231pd_rrr = evex("rrr", "vfmadd231pd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 B8 /r")
    vfmadd231pd_rrb = evex("rrb", "vfmadd231pd zmm, zmm, m64", "EVEX.512.66.0F38.W1 B8 /r")

    # Bits
    vandpd_rrr = evex("rrr", "vandpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 54 /r")
    vandpd_rrb = evex("rrb", "vandpd zmm, zmm, m64", "EVEX.512.66.0F.W1 54 /r")
    vandnpd_rrr = evex("rrr", "vandnpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 55 /r")
    vandnpd_rrb = evex("rrb", "vandnpd zmm, zmm, m64", "EVEX.512.66.0F.W1 55 /r")
    vorpd_rrr = evex("rrr", "vorpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 56 /r")
    vorpd_rrb = evex("rrb", "vorpd zmm, zmm, m64", "EVEX.512.66.0F.W1 56 /r")
    vxorpd_rrr = evex("rrr", "vxorpd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 57 /r")
    vxorpd_rrb = evex("rrb", "vxorpd zmm, zmm, m64", "EVEX.512.66.0F.W1 57 /r")
    vpandq_rrr = evex("rrr", "vpandq zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 DB /r")
    vpandq_rrb = evex("rrb", "vpandq zmm, zmm, m64", "EVEX.512.66.0F.W1 DB /r")
    vporq_rrr = evex("rrr", "vporq zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 EB /r")
    vporq_rrb = evex("rrb", "vporq zmm, zmm, m64", "EVEX.512.66.0F.W1 EB /r")
    vpxorq_rrr = evex("rrr", "vpxorq zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 EF /r")
    vpxorq_rrb = evex("rrb", "vpxorq zmm, zmm, m64", "EVEX.512.66.0F.W1 EF /r")

    # Arithmetic and shifts of whole numbers
    vpaddd_rrr = evex("rrr", "vpaddd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W0 FE /r")
    vpaddd_rrb = evex("rrb", "vpaddd zmm, zmm, m32", "EVEX.512.66.0F.W0 FE /r")
    vpaddq_rrr = evex("rrr", "vpaddq zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 D4 /r")
    vpaddq_rrb = evex("rrb", "vpaddq zmm, zmm, m64", "EVEX.512.66.0F.W1 D4 /r")
    vpsubd_rrr = evex("rrr", "vpsubd zmm, zmm, zmm/m512", "EVEX.512.66.0F.W0 FA /r")
    vpsubd_rrb = evex("rrb", "vpsubd zmm, zmm, m32", "EVEX.512.66.0F.W0 FA /r")
    vpsubq_rrr = evex("rrr", "vpsubq zmm, zmm, zmm/m512", "EVEX.512.66.0F.W1 FB /r")
    vpsubq_rrb = evex("rrb", "vpsubq zmm, zmm, m64", "EVEX.512.66.0F.W1 FB /r")
    vpmulld_rrr = evex("rrr", "vpmulld zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W0 40 /r")
    vpmulld_rrb = evex("rrb", "vpmulld zmm, zmm, m32", "EVEX.512.66.0F38.W0 40 /r")
    vpmullq_rrr = evex("rrr", "vpmullq zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 40 /r")
    vpmullq_rrb = evex("rrb", "vpmullq zmm, zmm, m64", "EVEX.512.66.0F38.W1 40 /r")
    vpsllvd_rrr = evex("rrr", "vpsllvd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W0 47 /r")
    vpsllvd_rrb = evex("rrb", "vpsllvd zmm, zmm, m32", "EVEX.512.66.0F38.W0 47 /r")
    vpsllvq_rrr = evex("rrr", "vpsllvq zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 47 /r")
    vpsllvq_rrb = evex("rrb", "vpsllvq zmm, zmm, m64", "EVEX.512.66.0F38.W1 47 /r")
    vpsrlvd_rrr = evex("rrr", "vpsrlvd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W0 45 /r")
    vpsrlvd_rrb = evex("rrb", "vpsrlvd zmm, zmm, m32", "EVEX.512.66.0F38.W0 45 /r")
    vpsrlvq_rrr = evex("rrr", "vpsrlvq zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 45 /r")
    vpsrlvq_rrb = evex("rrb", "vpsrlvq zmm, zmm, m64", "EVEX.512.66.0F38.W1 45 /r")
    vpsravd_rrr = evex("rrr", "vpsravd zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W0 46 /r")
    vpsravd_rrb = evex("rrb", "vpsravd zmm, zmm, m32", "EVEX.512.66.0F38.W0 46 /r")
    vpsravq_rrr = evex("rrr", "vpsravq zmm, zmm, zmm/m512", "EVEX.512.66.0F38.W1 46 /r")
    vpsravq_rrb = evex("rrb", "vpsravq zmm, zmm, m64", "EVEX.512.66.0F38.W1 46 /r")

    # Comparisons to masks, choices by a mask, operations on masks
    vcmppd_rrri = evex("rrri", "vcmppd k, zmm, zmm/m512, imm8", "EVEX.512.66.0F.W1 C2 /r ib")
    vcmpps_rrri = evex("rrri", "vcmpps k, zmm, zmm/m512, imm8", "EVEX.512.NP.0F.W0 C2 /r ib")
    vpcmpd_rrri = evex("rrri", "vpcmpd k, zmm, zmm/m512, imm8", "EVEX.512.66.0F3A.W0 1F /r ib")
    vpcmpq_rrri = evex("rrri", "vpcmpq k, zmm, zmm/m512, imm8", "EVEX.512.66.0F3A.W1 1F /r ib")
    vpmovq2m_rr = evex("rr", "vpmovq2m k, zmm", "EVEX.512.F3.0F38.W1 39 /r")
    vptestmb128_rrr = evex("rrr", "vptestmb k, xmm, xmm/m128", "EVEX.128.66.0F38.W0 26 /r")
    vblendmpd_rkrr = evex("rkrr", "vblendmpd zmm {k}, zmm, zmm/m512", "EVEX.512.66.0F38.W1 65 /r")
    vblendmpd_rkrb = evex("rkrb", "vblendmpd zmm {k}, zmm, m64", "EVEX.512.66.0F38.W1 65 /r")
    vblendmps_rkrr = evex("rkrr", "vblendmps zmm {k}, zmm, zmm/m512", "EVEX.512.66.0F38.W0 65 /r")
    vblendmps_rkrb = evex("rkrb", "vblendmps zmm {k}, zmm, m32", "EVEX.512.66.0F38.W0 65 /r")
    kandw_rrr = vex("rrr", "kandw k, k, k", "VEX.L1.NP.0F.W0 41 /r")
    kandnw_rrr = vex("rrr", "kandnw k, k, k", "VEX.L1.NP.0F.W0 42 /r")
    korw_rrr = vex("rrr", "korw k, k, k", "VEX.L1.NP.0F.W0 45 /r")
    kxnorw_rrr = vex("rrr", "kxnorw k, k, k", "VEX.L1.NP.0F.W0 46 /r")
    kxorw_rrr = vex("rrr", "kxorw k, k, k", "VEX.L1.NP.0F.W0 47 /r")
    knotw_rr = vex("rr", "knotw k, k", "VEX.L0.NP.0F.W0 44 /r")
    kmovb_to32_rr = vex("rr", "kmovb r32, k", "VEX.L0.66.0F.W0 93 /r")
    kmovw_rm = vex("rm", "kmovw k, k/m16", "VEX.L0.NP.0F.W0 90 /r")
    kmovw_mr = vex("mr", "kmovw m16, k", "VEX.L0.NP.0F.W0 91 /r")

    # Conversions
    vcvtdq2pd_rr = evex("rr", "vcvtdq2pd zmm, ymm/m256", "EVEX.512.F3.0F.W0 E6 /r")
    vcvtqq2pd_rr = evex("rr", "vcvtqq2pd zmm, zmm/m512", "EVEX.512.F3.0F.W1 E6 /r")
    vcvtps2pd_rr = evex("rr", "vcvtps2pd zmm, ymm/m256", "EVEX.512.NP.0F.W0 5A /r")
    vcvtpd2ps_rr = evex("rr", "vcvtpd2ps ymm, zmm/m512", "EVEX.512.66.0F.W1 5A /r")
    vcvtdq2ps_rr = evex("rr", "vcvtdq2ps zmm, zmm/m512", "EVEX.512.NP.0F.W0 5B /r")
    vpmovsxdq_rr = evex("rr", "vpmovsxdq zmm, ymm/m256", "EVEX.512.66.0F38.WIG 25 /r")
    vpmovqd_rr = evex("rr", "vpmovqd ymm/m256, zmm", "EVEX.512.F3.0F38.W0 35 /r")
    vpmovsxbd_rl = evex("rl", "vpmovsxbd zmm, xmm/m128", "EVEX.512.66.0F38.WIG 21 /r")

    # Moves, broadcasts, moves of some lanes
    vmovapd_rr = evex("rr", "vmovapd zmm, zmm/m512", "EVEX.512.66.0F.W1 28 /r")
    vmovupd_rx = evex("rx", "vmovupd zmm, zmm/m512", "EVEX.512.66.0F.W1 10 /r")
    vmovupd_rm = evex("rm", "vmovupd zmm, zmm/m512", "EVEX.512.66.0F.W1 10 /r")
    vmovupd_xr = evex("xr", "vmovupd zmm/m512, zmm", "EVEX.512.66.0F.W1 11 /r")
    vmovupd_mr = evex("mr", "vmovupd zmm/m512, zmm", "EVEX.512.66.0F.W1 11 /r")
    vmovupd_rkx = evex("rkx", "vmovupd zmm {k} {z}, zmm/m512", "EVEX.512.66.0F.W1 10 /r")
    vmovupd_xkr = evex("xkr", "vmovupd zmm/m512 {k}, zmm", "EVEX.512.66.0F.W1 11 /r")
    vmovups_rx = evex("rx", "vmovups zmm, zmm/m512", "EVEX.512.NP.0F.W0 10 /r")
    vmovups_xr = evex("xr", "vmovups zmm/m512, zmm", "EVEX.512.NP.0F.W0 11 /r")
    vmovups_rkx = evex("rkx", "vmovups zmm {k} {z}, zmm/m512", "EVEX.512.NP.0F.W0 10 /r")
    vmovups_xkr = evex("xkr", "vmovups zmm/m512 {k}, zmm", "EVEX.512.NP.0F.W0 11 /r")
    vmovups256_rx = evex("rx", "vmovups ymm, ymm/m256", "EVEX.256.NP.0F.W0 10 /r")
    vmovups256_xr = evex("xr", "vmovups ymm/m256, ymm", "EVEX.256.NP.0F.W0 11 /r")
    vmovups256_rkx = evex("rkx", "vmovups ymm {k} {z}, ymm/m256", "EVEX.256.NP.0F.W0 10 /r")
    vmovups256_xkr = evex("xkr", "vmovups ymm/m256 {k}, ymm", "EVEX.256.NP.0F.W0 11 /r")
    vmovups128_rx = evex("rx", "vmovups xmm, xmm/m128", "EVEX.128.NP.0F.W0 10 /r")
    vmovups128_xr = evex("xr", "vmovups xmm/m128, xmm", "EVEX.128.NP.0F.W0 11 /r")
    vmovsd_rx = evex("rx", "vmovsd xmm, m64", "EVEX.LIG.F2.0F.W1 10 /r")
    vmovsd_xr = evex("xr", "vmovsd m64, xmm", "EVEX.LIG.F2.0F.W1 11 /r")
    vmovdqu8128_rkl = evex("rkl", "vmovdqu8 xmm {k} {z}, xmm/m128", "EVEX.128.F2.0F.W0 6F /r")
    vmovdqu8128_rkx = evex("rkx", "vmovdqu8 xmm {k} {z}, xmm/m128", "EVEX.128.F2.0F.W0 6F /r")
    vmovdqu8128_xkr = evex("xkr", "vmovdqu8 xmm/m128 {k}, xmm", "EVEX.128.F2.0F.W0 7F /r")
    vbroadcastsd_rm = evex("rm", "vbroadcastsd zmm, xmm/m64", "EVEX.512.66.0F38.W1 19 /r")
    vbroadcastsd_rl = evex("rl", "vbroadcastsd zmm, xmm/m64", "EVEX.512.66.0F38.W1 19 /r")
    vbroadcastss_rm = evex("rm", "vbroadcastss zmm, xmm/m32", "EVEX.512.66.0F38.W0 18 /r")
    vpbroadcastd_from32_rr = evex("rr", "vpbroadcastd zmm, r32", "EVEX.512.66.0F38.W0 7C /r")

    def vzeroupper(self) -> None:
        """Forget the upper parts: who goes on with SSE instructions would wait for them."""
        self.code += b"\xc5\xf8\x77"
