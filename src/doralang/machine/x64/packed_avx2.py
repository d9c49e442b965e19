"""Packed kernels with AVX2: vectors of 256 bits, whose masks are vectors, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.packed.primitives import Packer
from doralang.machine.packed.programs import NARROW, SIZES, WIDE, VectorUnit
from doralang.machine.x64.packed_kernels import HARD_BITS, PackedEmitter
from doralang.machine.x64.registers import RAX, RDX, RSI, RSP, E
from doralang.machine.x64.vectors import VectorAssembler

if TYPE_CHECKING:
    from doralang.machine.buffer import Label
    from doralang.machine.packed.emitting import StepEmitter
    from doralang.types.kinds import Kind

AVX2: Final = VectorUnit(
    "avx2",
    vector=32,
    registers=14,
    masks=0,
    folds=frozenset(f"v{name}" for name in ("addpd", "subpd", "mulpd", "maxpd", "minpd", "paddq", "paddd"))
    | frozenset(f"v{name}pd" for name in ("and", "andn", "or", "xor")),
)
VECTORS: Final = 16
MASK_64: Final = 15
"""lanes that are there, where some are not"""
MASK_32: Final = 14
LANE_NUMBERS_64: Final = bytes(range(AVX2.vector // WIDE))
NARROW_LANES: Final = AVX2.vector // NARROW
BEYOND: Final = 127
"""the number of a lane that is never there"""


class Avx2Emitter(PackedEmitter, VectorAssembler):
    """The kernel of a program with AVX2."""

    __slots__ = ()

    def repeated(self, data: bytes) -> Label:
        return self.constant(data * (AVX2.vector // len(data)))

    def mask_rest(self) -> None:
        lanes = self.program.lanes
        self.vmovq_from64_rr(MASK_64, RDX)
        self.vpbroadcastd_rr(MASK_32, MASK_64)
        self.vpmovsxbd_rl(0, self.constant(bytes(range(lanes)) + bytes([BEYOND]) * (NARROW_LANES - lanes)))
        self.vpcmpgtd_rrr(MASK_32, MASK_32, 0)
        self.vpbroadcastq_rr(MASK_64, MASK_64)
        self.vpmovsxbq_rl(0, self.constant(LANE_NUMBERS_64))
        self.vpcmpgtq_rrr(MASK_64, MASK_64, 0)

    def leave(self) -> None:
        self.vzeroupper()

    def scalar(self, register: int, variable: int, kind: Kind) -> None:
        pointer = self.pointer(variable)
        broadcast = self.vbroadcastsd_rm if SIZES[kind] == WIDE else self.vbroadcastss_rm
        broadcast(register, pointer, 0)

    def everywhere(self, register: int, data: bytes) -> None:
        self.vmovupd_rl(register, self.repeated(data))

    def load(self, register: int, variable: int, kind: Kind, copy: int) -> None:
        size, lanes = SIZES[kind], self.program.lanes
        at = self.at(self.pointer(variable), size, copy)
        if size == 1:
            self.load_bytes(register, at)
        elif self.is_masked:
            masked, mask = (self.vmaskmovpd_rrx, MASK_64) if size == 8 else (self.vmaskmovps_rrx, MASK_32)
            masked(register, mask, *at)
        elif size * lanes == AVX2.vector:
            self.vmovupd_rx(register, *at)
        else:
            self.vmovups128_rx(register, *at)

    def load_bytes(self, register: int, at: tuple[int, int, int, int]) -> None:
        """One in each lane; of those that are not there, anything."""
        lanes = self.program.lanes
        if not self.is_masked:
            (self.vpmovzxbd_rx if lanes == NARROW_LANES else self.vpmovzxbq_rx)(register, *at)
            return
        done, (pointer, index, scale, _) = self.label(), at
        for lane in range(lanes):
            self.vpinsrb_rrxi(register, register, pointer, index, scale, lane, lane)
            if lane < lanes - 1:
                self.cmp64_ri(RDX, lane + 1)
                self.jcc(E, done)
        self.bind(done)
        (self.vpmovzxbd_rr if lanes == NARROW_LANES else self.vpmovzxbq_rr)(register, register)

    def store(self, register: int, copy: int) -> None:
        size, lanes = self.program.result_size, self.program.lanes
        at = self.at(RSI, size, copy)
        if size == 1:
            self.store_truth(register, at)
        elif self.is_masked:
            if size == WIDE:
                self.vmaskmovpd_xrr(*at, MASK_64, register)
            else:
                self.vmaskmovps_xrr(*at, MASK_32, register)
        elif size * lanes == AVX2.vector:
            self.vmovupd_xr(*at, register)
        else:
            self.vmovups128_xr(*at, register)

    def store_truth(self, register: int, at: tuple[int, int, int, int]) -> None:
        if self.is_masked:
            self.vmovq_to64_rr(RAX, register)
            self.store_bytes(RAX)
        elif self.program.lanes == NARROW_LANES:
            self.vmovq_to64_rr(RAX, register)
            self.mov64_xr(*at, RAX)
        else:
            self.vmovd_xr(*at, register)

    def copy(self, target: int, source: int) -> None:
        self.vmovapd_rr(target, source)

    def keep(self, register: int, place: int) -> None:
        self.vmovupd_mr(RSP, place, register)

    def bring(self, register: int, place: int) -> None:
        self.vmovupd_rm(register, RSP, place)

    def kept(self) -> int:
        return VECTORS * AVX2.vector

    def places(self) -> list[tuple[int, int]]:
        return [(register, AVX2.vector * register) for register in range(VECTORS)]

    def bits_of(self, mask: int) -> None:
        self.vmovmskpd_rr(RAX, mask)
        if self.is_masked:
            self.vmovmskpd_rr(HARD_BITS, MASK_64)
            self.and32_rr(RAX, HARD_BITS)


class Avx2Packer(Packer):
    """Adds primitives to a program for AVX2."""

    unit: ClassVar[VectorUnit] = AVX2

    def new_emitter(self) -> StepEmitter:
        return Avx2Emitter(self.program)
