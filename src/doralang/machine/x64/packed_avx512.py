"""Packed kernels with AVX-512: vectors of 512 bits; truth values are bits in mask registers.

    x > 1.0 ? a : b         vcmppd k1, zmm0, zmm1, 14
                            vblendmpd zmm0 {k1}, zmm3, zmm2

What other levels do in several steps is one here: products and shifts of `long`, its conversions to `double`
and `int`.  Constants are folded into instructions, which spread one element over all lanes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.packed.primitives import PREDICATES, UNORDERED, Packer, Term
from doralang.machine.packed.programs import FIRST_MASK, NARROW, SIZES, WIDE, VectorUnit
from doralang.machine.x64.packed_kernels import HARD_BITS, PackedEmitter
from doralang.machine.x64.registers import RAX, RDX, RSI, RSP
from doralang.machine.x64.wide_vectors import WideAssembler
from doralang.types.kinds import BOOL, DOUBLE, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doralang.machine.buffer import Label
    from doralang.machine.packed.emitting import Registers, StepEmitter
    from doralang.machine.packed.programs import Value

LOAD_TRUTH: Final = "load_truth"
ALL_LANES: Final = "kxnorw"
NO_LANES: Final = "kxorw"
"""of a register with itself"""
COMPARISONS: Final = ("vcmppd", "vcmpps", "vpcmpd", "vpcmpq", "vpmovq2m")
CHOICES: Final = ("vblendmpd", "vblendmps")
"""a mask, and what is taken where it is not set, and where it is"""
AVX512: Final = VectorUnit(
    "avx512",
    vector=64,
    registers=31,
    masks=6,
    folds=frozenset(
        f"v{name}{suffix}" for name in ("add", "sub", "mul", "div", "min", "max") for suffix in ("pd", "ps")
    )
    | frozenset(f"v{name}pd" for name in ("and", "andn", "or", "xor"))
    | frozenset(f"vp{name}{suffix}" for name in ("add", "sub", "sllv", "srlv", "srav") for suffix in "dq")
    | frozenset(("vpandq", "vporq", "vpxorq", "vpmulld", "vpmullq", *CHOICES)),
    truths=frozenset((LOAD_TRUTH, "kandw", "kandnw", "korw", "kxorw", "knotw", ALL_LANES, *COMPARISONS)),
)
SCRATCH: Final = 31
"""the vector register that holds no value"""
VECTORS: Final = 32
THERE: Final = 7
"""the mask register with the lanes that are there, where some are not"""
FIRST_OF_VALUES: Final = 1
"""the mask register of the first value: the one before cannot say which lanes are written"""
RENAMED: Final = {"vpand": "vpandq", "vpor": "vporq", "vpxor": "vpxorq", "vroundpd": "vrndscalepd"}
"""what other levels call an instruction, and what it is here"""
WHOLE_PREDICATES: Final = {**PREDICATES, "greaterEquals": 5, "greater": 6}
OF_MASKS: Final = {"vpand": "kandw", "vpor": "korw", "vpxor": "kxorw"}
ONES: Final = bytes([1]) * 16
LANES: Final = 16
"""that masks can have; vectors of wide elements have half of them"""
BEYOND: Final = 127
"""the number of a lane that a vector does not have: no rest is as long"""


class Avx512Emitter(PackedEmitter, WideAssembler):
    """The kernel of a program with AVX-512."""

    __slots__ = ()
    in_memory: ClassVar[str] = "b"

    def instruction(self, name: str, several: Sequence[Registers], extra: bytes | int | None) -> None:
        if name in (ALL_LANES, NO_LANES) and len(several[0]) == 1:
            several = [registers * 3 for registers in several]
        if any(register >= FIRST_MASK for register in several[0]):
            several = [tuple(map(number_of, registers)) for registers in several]
        super().instruction(name, several, extra)

    def shape_of(self, name: str, count: int) -> str:
        return "rk" + "r" * (count - 2) if name in CHOICES else "r" * count

    def repeated(self, data: bytes) -> Label:
        """Instructions read one element."""
        return self.constant(data)

    def mask_rest(self) -> None:
        """Lanes that the vector does not have are masked off even where elements follow: bytes of truth
        values are written as a vector that has them, and what follows there may still be to be read."""
        lanes = self.program.lanes
        self.vpbroadcastd_from32_rr(SCRATCH, RDX)
        self.vpmovsxbd_rl(0, self.constant(bytes(range(lanes)) + bytes([BEYOND]) * (LANES - lanes)))
        self.vpcmpd_rrri(THERE, SCRATCH, 0, WHOLE_PREDICATES["greater"])

    def leave(self) -> None:
        self.vzeroupper()

    def scalar(self, register: int, variable: int, kind: Kind) -> None:
        pointer = self.pointer(variable)
        broadcast = self.vbroadcastsd_rm if SIZES[kind] == WIDE else self.vbroadcastss_rm
        broadcast(register, pointer, 0)

    def everywhere(self, register: int, data: bytes) -> None:
        self.vbroadcastsd_rl(register, self.constant(data))

    def load(self, register: int, variable: int, kind: Kind, copy: int) -> None:
        size = SIZES[kind]
        at = self.at(self.pointer(variable), size, copy)
        if size == 1:
            self.load_truth(number_of(register), at)
            return
        move = self.move_of(size)
        if self.is_masked:
            getattr(self, f"{move}_rkx")(register, THERE, *at)
        else:
            getattr(self, f"{move}_rx")(register, *at)

    def move_of(self, size: int) -> str:
        """The instruction for elements of a size, which may fill half of a vector only."""
        if size == WIDE:
            return "vmovupd"
        return "vmovups" if size * self.program.lanes == AVX512.vector else "vmovups256"

    def load_truth(self, mask: int, at: tuple[int, int, int, int]) -> None:
        if self.is_masked:
            self.vmovdqu8128_rkx(SCRATCH, THERE, *at)
        elif self.program.widest == NARROW:
            self.vmovups128_rx(SCRATCH, *at)
        else:
            self.vmovsd_rx(SCRATCH, *at)
        self.vptestmb128_rrr(mask, SCRATCH, SCRATCH)

    def store(self, register: int, copy: int) -> None:
        size = self.program.result_size
        at = self.at(RSI, size, copy)
        if size == 1:
            self.store_truth(number_of(register), at)
        elif self.is_masked:
            getattr(self, f"{self.move_of(size)}_xkr")(*at, THERE, register)
        else:
            getattr(self, f"{self.move_of(size)}_xr")(*at, register)

    def store_truth(self, mask: int, at: tuple[int, int, int, int]) -> None:
        self.vmovdqu8128_rkl(SCRATCH, mask, self.constant(ONES))
        if self.is_masked:
            self.vmovdqu8128_xkr(*at, THERE, SCRATCH)
        elif self.program.widest == NARROW:
            self.vmovups128_xr(*at, SCRATCH)
        else:
            self.vmovsd_xr(*at, SCRATCH)

    def copy(self, target: int, source: int) -> None:
        self.vmovapd_rr(target, source)

    def keep(self, register: int, place: int) -> None:
        if register < FIRST_MASK:
            self.vmovupd_mr(RSP, place, register)
        else:
            self.kmovw_mr(RSP, place, number_of(register))

    def bring(self, register: int, place: int) -> None:
        if register < FIRST_MASK:
            self.vmovupd_rm(register, RSP, place)
        else:
            self.kmovw_rm(number_of(register), RSP, place)

    # All registers, around calls.

    def kept(self) -> int:
        return (VECTORS + 1) * AVX512.vector

    def places(self) -> list[tuple[int, int]]:
        """Masks are behind the vectors."""
        vectors = [(register, AVX512.vector * register) for register in range(VECTORS)]
        masks = AVX512.vector * VECTORS
        return vectors + [(FIRST_MASK + index, masks + WIDE * index) for index in range(AVX512.masks + 1)]

    def bits_of(self, mask: int) -> None:
        self.kmovb_to32_rr(RAX, number_of(mask))
        if self.is_masked:
            self.kmovb_to32_rr(HARD_BITS, THERE)
            self.and32_rr(RAX, HARD_BITS)


def number_of(register: int) -> int:
    """The number that an instruction has."""
    return register if register < FIRST_MASK else register - FIRST_MASK + FIRST_OF_VALUES


class Avx512Packer(Packer):
    """Adds primitives to a program for AVX-512."""

    unit: ClassVar[VectorUnit] = AVX512

    def new_emitter(self) -> StepEmitter:
        return Avx512Emitter(self.program)

    def raw(self, name: str, *values: Value, extra: int | None = None) -> Value:
        return super().raw(RENAMED.get(name, name), *values, extra=extra)

    def truth(self, name: str, *values: Value, size: int, extra: int | None = None) -> Term:
        """A mask; `size` are the bytes of the lanes that it came from, which here does not matter."""
        return self.term(self.program.op(name, *values, extra=extra), BOOL, size)

    # Leaves.

    def variable(self, index: int, kind: Kind) -> Term:
        if kind is BOOL:
            return self.term(self.program.op(LOAD_TRUTH, extra=(index, BOOL)), BOOL, NARROW)
        return super().variable(index, kind)

    def constant(self, value: float, kind: Kind) -> Term:
        if kind is BOOL:
            return self.truth(ALL_LANES if value else NO_LANES, size=NARROW)
        return super().constant(value, kind)

    # Masks.

    def mask(self, term: Term, size: int) -> Term:
        return term

    def signs(self, term: Term) -> Term:
        return self.truth("vpmovq2m", term.value, size=WIDE)

    def narrow(self, value: Value) -> Value:
        return self.program.op("vpmovqd", value)

    def together(self, name: str, left: Term, right: Term) -> Term:
        return self.truth(OF_MASKS[name], left.value, right.value, size=max(left.size, right.size))

    def opposite(self, term: Term) -> Term:
        return self.truth("knotw", term.value, size=term.size)

    def choice(self, condition: Term, then: Term, otherwise: Term) -> Term:
        if then.kind is BOOL:
            rest = self.truth("kandnw", condition.value, otherwise.value, size=otherwise.size)
            return self.either(self.both(condition, then), rest)
        name = "vblendmpd" if then.size == WIDE else "vblendmps"
        value = self.program.op(name, condition.value, otherwise.value, then.value)
        return self.term(value, then.kind, then.size)

    def store(self, term: Term) -> None:
        self.program.store(term.value, term.kind)

    # Primitives.

    def compare(self, name: str, left: Term, right: Term) -> Term:
        if left.kind in (INT, LONG):
            return self.compare_whole(name, left, right)
        if left.kind is BOOL:
            return super().compare(name, left, right)
        instruction = "vcmppd" if left.kind is DOUBLE else "vcmpps"
        return self.truth(instruction, left.value, right.value, size=left.size, extra=PREDICATES[name])

    def compare_whole(self, name: str, left: Term, right: Term) -> Term:
        instruction = "vpcmpq" if left.size == WIDE else "vpcmpd"
        return self.truth(instruction, left.value, right.value, size=left.size, extra=WHOLE_PREDICATES[name])

    def shift(self, name: str, left: Term, right: Term) -> Term:
        if name != "shiftRight" or left.kind is INT:
            return super().shift(name, left, right)
        return self.op("vpsravq", LONG, left, self.op("vpand", LONG, right, self.bits(63, WIDE)))

    def product_of_longs(self, left: Term, right: Term) -> Term:
        return self.op("vpmullq", LONG, left, right)

    def long_to_double(self, term: Term) -> Term:
        return self.double("vcvtqq2pd", term)

    def is_no_number(self, term: Term) -> Term:
        name = "vcmppd" if term.kind is DOUBLE else "vcmpps"
        return self.truth(name, term.value, term.value, size=term.size, extra=UNORDERED)

    def truth_to_int(self, term: Term) -> Term:
        zero, one = self.bits(0, NARROW), self.bits(1, NARROW)
        return self.choice(term, one, zero)
