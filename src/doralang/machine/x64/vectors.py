"""The assembler with packed instructions (AVX, AVX2): one line for each form, in the manual's wording.

    vmulpd_rrx = vex("rrx", "vmulpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 59 /r")

What has to give the same bits as the scalar code fuses no product with a sum.
"""

from __future__ import annotations

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.vex import vex


class VectorAssembler(Assembler):
    """Appends packed instructions, too.  Vector registers are `ymm0` to `ymm15`."""

    __slots__ = ()

    # Double arithmetic
    vaddpd_rrr = vex("rrr", "vaddpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 58 /r")
    vaddpd_rrx = vex("rrx", "vaddpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 58 /r")
    vmulpd_rrr = vex("rrr", "vmulpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 59 /r")
    vmulpd_rrx = vex("rrx", "vmulpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 59 /r")
    vsubpd_rrr = vex("rrr", "vsubpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5C /r")
    vsubpd_rrx = vex("rrx", "vsubpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5C /r")
    vdivpd_rrr = vex("rrr", "vdivpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5E /r")
    vdivpd_rrx = vex("rrx", "vdivpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5E /r")
    vminpd_rrr = vex("rrr", "vminpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5D /r")
    vminpd_rrx = vex("rrx", "vminpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5D /r")
    vmaxpd_rrr = vex("rrr", "vmaxpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5F /r")
    vmaxpd_rrx = vex("rrx", "vmaxpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5F /r")
    vsqrtpd_rr = vex("rr", "vsqrtpd ymm, ymm/m256", "VEX.256.66.0F.WIG 51 /r")
    vroundpd_rri = vex("rri", "vroundpd ymm, ymm/m256, imm8", "VEX.256.66.0F3A.WIG 09 /r ib")

    # Float arithmetic
    vaddps_rrr = vex("rrr", "vaddps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 58 /r")
    vaddps_rrx = vex("rrx", "vaddps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 58 /r")
    vmulps_rrr = vex("rrr", "vmulps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 59 /r")
    vmulps_rrx = vex("rrx", "vmulps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 59 /r")
    vsubps_rrr = vex("rrr", "vsubps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5C /r")
    vsubps_rrx = vex("rrx", "vsubps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5C /r")
    vdivps_rrr = vex("rrr", "vdivps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5E /r")
    vdivps_rrx = vex("rrx", "vdivps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5E /r")
    vminps_rrr = vex("rrr", "vminps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5D /r")
    vminps_rrx = vex("rrx", "vminps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5D /r")
    vmaxps_rrr = vex("rrr", "vmaxps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5F /r")
    vmaxps_rrx = vex("rrx", "vmaxps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 5F /r")
    vsqrtps_rr = vex("rr", "vsqrtps ymm, ymm/m256", "VEX.256.NP.0F.WIG 51 /r")
    vroundps_rri = vex("rri", "vroundps ymm, ymm/m256, imm8", "VEX.256.66.0F3A.WIG 08 /r ib")

    # With a constant in memory
    vaddpd_rrl = vex("rrl", "vaddpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 58 /r")
    vmulpd_rrl = vex("rrl", "vmulpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 59 /r")
    vsubpd_rrl = vex("rrl", "vsubpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5C /r")
    vandpd_rrl = vex("rrl", "vandpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 54 /r")
    vandnpd_rrl = vex("rrl", "vandnpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 55 /r")
    vorpd_rrl = vex("rrl", "vorpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 56 /r")
    vxorpd_rrl = vex("rrl", "vxorpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 57 /r")
    vminpd_rrl = vex("rrl", "vminpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5D /r")
    vmaxpd_rrl = vex("rrl", "vmaxpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 5F /r")
    vpaddd_rrl = vex("rrl", "vpaddd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG FE /r")
    vpaddq_rrl = vex("rrl", "vpaddq ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG D4 /r")

    # A product and a sum, rounded once (FMA): for what need not be the same everywhere
    vfmadd213pd_rrr = vex("rrr", "vfmadd213pd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 A8 /r")
    vfmadd213pd_rrl = vex("rrl", "vfmadd213pd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 A8 /r")
    vfmadd132pd_rrl = vex("rrl", "vfmadd132pd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 98 /r")
    vfmadd231pd_rrl = vex("rrl", "vfmadd231pd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 B8 /r")
    vfmadd231pd_rrr = vex("rrr", "vfmadd231pd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 B8 /r")

    # Comparisons to masks, bits, choices by a mask
    vcmppd_rrri = vex("rrri", "vcmppd ymm, ymm, ymm/m256, imm8", "VEX.256.66.0F.WIG C2 /r ib")
    vcmpps_rrri = vex("rrri", "vcmpps ymm, ymm, ymm/m256, imm8", "VEX.256.NP.0F.WIG C2 /r ib")
    vandpd_rrr = vex("rrr", "vandpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 54 /r")
    vandnpd_rrr = vex("rrr", "vandnpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 55 /r")
    vorpd_rrr = vex("rrr", "vorpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 56 /r")
    vxorpd_rrr = vex("rrr", "vxorpd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 57 /r")
    vandps_rrr = vex("rrr", "vandps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 54 /r")
    vandnps_rrr = vex("rrr", "vandnps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 55 /r")
    vorps_rrr = vex("rrr", "vorps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 56 /r")
    vxorps_rrr = vex("rrr", "vxorps ymm, ymm, ymm/m256", "VEX.256.NP.0F.WIG 57 /r")
    vblendvpd_rrrr = vex("rrrr", "vblendvpd ymm, ymm, ymm/m256, ymm", "VEX.256.66.0F3A.W0 4B /r /is4")
    vblendvps_rrrr = vex("rrrr", "vblendvps ymm, ymm, ymm/m256, ymm", "VEX.256.66.0F3A.W0 4A /r /is4")
    vmovmskpd_rr = vex("rr", "vmovmskpd r32, ymm", "VEX.256.66.0F.WIG 50 /r")
    vmovmskps_rr = vex("rr", "vmovmskps r32, ymm", "VEX.256.NP.0F.WIG 50 /r")

    # Integer arithmetic, comparisons, shifts
    vpaddd_rrr = vex("rrr", "vpaddd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG FE /r")
    vpaddq_rrr = vex("rrr", "vpaddq ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG D4 /r")
    vpsubd_rrr = vex("rrr", "vpsubd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG FA /r")
    vpsubq_rrr = vex("rrr", "vpsubq ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG FB /r")
    vpmulld_rrr = vex("rrr", "vpmulld ymm, ymm, ymm/m256", "VEX.256.66.0F38.WIG 40 /r")
    vpmuludq_rrr = vex("rrr", "vpmuludq ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG F4 /r")
    vpand_rrr = vex("rrr", "vpand ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG DB /r")
    vpandn_rrr = vex("rrr", "vpandn ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG DF /r")
    vpor_rrr = vex("rrr", "vpor ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG EB /r")
    vpxor_rrr = vex("rrr", "vpxor ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG EF /r")
    vpcmpeqd_rrr = vex("rrr", "vpcmpeqd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 76 /r")
    vpcmpeqq_rrr = vex("rrr", "vpcmpeqq ymm, ymm, ymm/m256", "VEX.256.66.0F38.WIG 29 /r")
    vpcmpgtd_rrr = vex("rrr", "vpcmpgtd ymm, ymm, ymm/m256", "VEX.256.66.0F.WIG 66 /r")
    vpcmpgtq_rrr = vex("rrr", "vpcmpgtq ymm, ymm, ymm/m256", "VEX.256.66.0F38.WIG 37 /r")
    vpsllvd_rrr = vex("rrr", "vpsllvd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W0 47 /r")
    vpsllvq_rrr = vex("rrr", "vpsllvq ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 47 /r")
    vpsrlvd_rrr = vex("rrr", "vpsrlvd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W0 45 /r")
    vpsrlvq_rrr = vex("rrr", "vpsrlvq ymm, ymm, ymm/m256", "VEX.256.66.0F38.W1 45 /r")
    vpsravd_rrr = vex("rrr", "vpsravd ymm, ymm, ymm/m256", "VEX.256.66.0F38.W0 46 /r")

    # Conversions
    vcvtdq2pd_rr = vex("rr", "vcvtdq2pd ymm, xmm/m128", "VEX.256.F3.0F.WIG E6 /r")
    vcvtdq2pd_rx = vex("rx", "vcvtdq2pd ymm, xmm/m128", "VEX.256.F3.0F.WIG E6 /r")
    vcvtps2pd_rr = vex("rr", "vcvtps2pd ymm, xmm/m128", "VEX.256.NP.0F.WIG 5A /r")
    vcvtps2pd_rx = vex("rx", "vcvtps2pd ymm, xmm/m128", "VEX.256.NP.0F.WIG 5A /r")
    vcvtpd2ps_rr = vex("rr", "vcvtpd2ps xmm, ymm", "VEX.256.66.0F.WIG 5A /r")
    vcvtdq2ps_rr = vex("rr", "vcvtdq2ps ymm, ymm/m256", "VEX.256.NP.0F.WIG 5B /r")
    vpmovsxdq_rr = vex("rr", "vpmovsxdq ymm, xmm/m128", "VEX.256.66.0F38.WIG 25 /r")
    vpmovsxbq_rl = vex("rl", "vpmovsxbq ymm, xmm/m32", "VEX.256.66.0F38.WIG 22 /r")
    vpmovsxbd_rl = vex("rl", "vpmovsxbd ymm, xmm/m64", "VEX.256.66.0F38.WIG 21 /r")
    vpmovzxbd_rx = vex("rx", "vpmovzxbd ymm, xmm/m64", "VEX.256.66.0F38.WIG 31 /r")
    vpmovzxbq_rx = vex("rx", "vpmovzxbq ymm, xmm/m32", "VEX.256.66.0F38.WIG 32 /r")

    vpmovzxbd_rr = vex("rr", "vpmovzxbd ymm, xmm/m64", "VEX.256.66.0F38.WIG 31 /r")
    vpmovzxbq_rr = vex("rr", "vpmovzxbq ymm, xmm/m32", "VEX.256.66.0F38.WIG 32 /r")
    vpinsrb_rrxi = vex("rrxi", "vpinsrb xmm, xmm, r/m8, imm8", "VEX.128.66.0F3A.W0 20 /r ib")

    # Moves, broadcasts, masked moves, halves
    vmovapd_rr = vex("rr", "vmovapd ymm, ymm/m256", "VEX.256.66.0F.WIG 28 /r")
    vmovupd_rx = vex("rx", "vmovupd ymm, ymm/m256", "VEX.256.66.0F.WIG 10 /r")
    vmovupd_xr = vex("xr", "vmovupd ymm/m256, ymm", "VEX.256.66.0F.WIG 11 /r")
    vmovupd_rm = vex("rm", "vmovupd ymm, ymm/m256", "VEX.256.66.0F.WIG 10 /r")
    vmovupd_mr = vex("mr", "vmovupd ymm/m256, ymm", "VEX.256.66.0F.WIG 11 /r")
    vmovupd_rl = vex("rl", "vmovupd ymm, ymm/m256", "VEX.256.66.0F.WIG 10 /r")
    vmovups128_rx = vex("rx", "vmovups xmm, xmm/m128", "VEX.128.NP.0F.WIG 10 /r")
    vmovups128_xr = vex("xr", "vmovups xmm/m128, xmm", "VEX.128.NP.0F.WIG 11 /r")
    vmovaps_rr = vex("rr", "vmovaps ymm, ymm/m256", "VEX.256.NP.0F.WIG 28 /r")
    vmovups_rx = vex("rx", "vmovups ymm, ymm/m256", "VEX.256.NP.0F.WIG 10 /r")
    vmovups_xr = vex("xr", "vmovups ymm/m256, ymm", "VEX.256.NP.0F.WIG 11 /r")
    vbroadcastsd_rr = vex("rr", "vbroadcastsd ymm, xmm/m64", "VEX.256.66.0F38.W0 19 /r")
    vbroadcastsd_rm = vex("rm", "vbroadcastsd ymm, xmm/m64", "VEX.256.66.0F38.W0 19 /r")
    vbroadcastsd_rl = vex("rl", "vbroadcastsd ymm, xmm/m64", "VEX.256.66.0F38.W0 19 /r")
    vbroadcastss_rr = vex("rr", "vbroadcastss ymm, xmm/m32", "VEX.256.66.0F38.W0 18 /r")
    vbroadcastss_rm = vex("rm", "vbroadcastss ymm, xmm/m32", "VEX.256.66.0F38.W0 18 /r")
    vbroadcastss_rl = vex("rl", "vbroadcastss ymm, xmm/m32", "VEX.256.66.0F38.W0 18 /r")
    vpbroadcastq_rr = vex("rr", "vpbroadcastq ymm, xmm/m64", "VEX.256.66.0F38.W0 59 /r")
    vpbroadcastd_rr = vex("rr", "vpbroadcastd ymm, xmm/m32", "VEX.256.66.0F38.W0 58 /r")
    vmaskmovpd_rrx = vex("rrx", "vmaskmovpd ymm, ymm, m256", "VEX.256.66.0F38.W0 2D /r")
    vmaskmovpd_xrr = vex("xrr", "vmaskmovpd m256, ymm, ymm", "VEX.256.66.0F38.W0 2F /r")
    vmaskmovps_rrx = vex("rrx", "vmaskmovps ymm, ymm, m256", "VEX.256.66.0F38.W0 2C /r")
    vmaskmovps_xrr = vex("xrr", "vmaskmovps m256, ymm, ymm", "VEX.256.66.0F38.W0 2E /r")
    vmovq_from64_rr = vex("rr", "vmovq xmm, r/m64", "VEX.128.66.0F.W1 6E /r")
    vmovq_to64_rr = vex("rr", "vmovq r/m64, xmm", "VEX.128.66.0F.W1 7E /r")
    vmovd_from32_rr = vex("rr", "vmovd xmm, r/m32", "VEX.128.66.0F.W0 6E /r")
    vmovd_to32_rr = vex("rr", "vmovd r/m32, xmm", "VEX.128.66.0F.W0 7E /r")
    vmovd_xr = vex("xr", "vmovd r/m32, xmm", "VEX.128.66.0F.W0 7E /r")
    vextractf128_rri = vex("rri", "vextractf128 xmm/m128, ymm, imm8", "VEX.256.66.0F3A.W0 19 /r ib")
    vshufps128_rrri = vex("rrri", "vshufps xmm, xmm, xmm/m128, imm8", "VEX.128.NP.0F.WIG C6 /r ib")
    vpackssdw128_rrr = vex("rrr", "vpackssdw xmm, xmm, xmm/m128", "VEX.128.66.0F.WIG 6B /r")
    vpacksswb128_rrr = vex("rrr", "vpacksswb xmm, xmm, xmm/m128", "VEX.128.66.0F.WIG 63 /r")
    vpabsb128_rr = vex("rr", "vpabsb xmm, xmm/m128", "VEX.128.66.0F38.WIG 1C /r")

    def vzeroupper(self) -> None:
        """Forget the upper halves: who goes on with SSE instructions would wait for them."""
        self.code += b"\xc5\xf8\x77"
