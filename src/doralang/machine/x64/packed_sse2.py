"""Packed kernels with SSE2, which all processors have: vectors of 128 bits, whose masks are vectors, too.

    x > 1.0 ? a : b         cmpltpd xmm1, xmm0              1.0 < x
                            pand, pandn, por                of the mask and both sides

What SSE2 lacks is not packed: `floor`, `ceil`, `trunc`, `round` and shifts.  Elements of the rest are
computed one by one, in the lowest lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.packed.primitives import LOW_HALF, NotPacked, Packer, Term
from doralang.machine.packed.programs import NARROW, SIZES, WIDE, VectorUnit
from doralang.machine.x64.narrow_vectors import NarrowAssembler
from doralang.machine.x64.packed_kernels import PackedEmitter
from doralang.machine.x64.registers import RAX, RSI, RSP
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from doralang.machine.buffer import Label
    from doralang.machine.packed.emitting import StepEmitter
    from doralang.machine.packed.programs import Value

SSE2: Final = VectorUnit(
    "sse2",
    vector=16,
    registers=15,
    masks=0,
    folds=frozenset(
        f"{name}{suffix}" for name in ("add", "sub", "mul", "div", "min", "max") for suffix in ("pd", "ps")
    )
    | frozenset(f"{name}pd" for name in ("and", "andn", "or", "xor")),
    overwrites=True,
)
SCRATCH: Final = 15
"""the register that holds no value"""
SIGNS: Final = 0x50
"""of pshufd: the two lower words of 32 bits, each twice"""
ODD_WORDS: Final = 0xF5
"""the upper words of 32 bits, each in the lower half of its 64 bits, too"""
EVEN_WORDS: Final = 0xA0
SWAPPED_WORDS: Final = 0xB1
LOW_SIGN: Final = 1 << 31
"""the highest bit of the lower half"""
LOWER_WORDS: Final = 0x88
"""the lower words of both halves, in the lower half"""
ONES: Final = 0x0101_0101
TURNED: Final = {"greater": "less", "greaterEquals": "lessEquals"}
"""comparisons that there are with the operands the other way round"""
ORDER: Final = {"equals": 0, "less": 1, "lessEquals": 2, "notEquals": 4}
"""predicates of cmppd"""


class Sse2Emitter(PackedEmitter, NarrowAssembler):
    """The kernel of a program with SSE2."""

    __slots__ = ()

    def repeated(self, data: bytes) -> Label:
        return self.constant(data * (SSE2.vector // len(data)))

    @property
    def rest_lanes(self) -> int:
        return 1

    def mask_rest(self) -> None:
        """There is one lane."""

    def leave(self) -> None:
        """There is nothing to be done."""

    def scalar(self, register: int, variable: int, kind: Kind) -> None:
        pointer = self.pointer(variable)
        if SIZES[kind] == WIDE:
            self.movsd_rm(register, pointer, 0)
            self.unpcklpd_rr(register, register)
        else:
            self.movss_rm(register, pointer, 0)
            self.shufps_rri(register, register, 0)

    def everywhere(self, register: int, data: bytes) -> None:
        self.movups_rl(register, self.repeated(data))

    def load(self, register: int, variable: int, kind: Kind, copy: int) -> None:
        size = SIZES[kind]
        at = self.at(self.pointer(variable), size, copy)
        if size == 1:
            self.load_bytes(at)
            self.movd_from32_rr(register, RAX)
            self.pxor_rr(SCRATCH, SCRATCH)
            self.punpcklbw_rr(register, SCRATCH)
            self.punpcklwd_rr(register, SCRATCH)
        elif self.is_masked:
            (self.movsd_rx if size == WIDE else self.movss_rx)(register, *at)
        elif size * self.program.lanes == SSE2.vector:
            self.movups_rx(register, *at)
        else:
            self.movsd_rx(register, *at)

    def load_bytes(self, at: tuple[int, int, int, int]) -> None:
        """As many as there are lanes, or the one that is there, to rax."""
        if self.is_masked:
            self.movzx32_8_rx(RAX, *at)
        elif self.program.widest == NARROW:
            self.mov32_rx(RAX, *at)
        else:
            self.movzx32_16_rx(RAX, *at)

    def store(self, register: int, copy: int) -> None:
        size = self.program.result_size
        at = self.at(RSI, size, copy)
        if size == 1:
            self.store_truth(register, at)
        elif self.is_masked:
            (self.movsd_xr if size == WIDE else self.movss_xr)(*at, register)
        elif size * self.program.lanes == SSE2.vector:
            self.movups_xr(*at, register)
        else:
            self.movsd_xr(*at, register)

    def store_truth(self, register: int, at: tuple[int, int, int, int]) -> None:
        self.movd_to32_rr(RAX, register)
        if self.is_masked:
            self.mov8_xr(*at, RAX)
        elif self.program.widest == NARROW:
            self.mov32_xr(*at, RAX)
        else:
            self.mov16_xr(*at, RAX)

    def copy(self, target: int, source: int) -> None:
        self.movaps_rr(target, source)

    def keep(self, register: int, place: int) -> None:
        self.movups_mr(RSP, place, register)

    def bring(self, register: int, place: int) -> None:
        self.movups_rm(register, RSP, place)


class Sse2Packer(Packer):
    """Adds primitives to a program for SSE2."""

    unit: ClassVar[VectorUnit] = SSE2

    def new_emitter(self) -> StepEmitter:
        return Sse2Emitter(self.program)

    def raw(self, name: str, *values: Value, extra: int | None = None) -> Value:
        """Raises NotPacked if nothing does the same as an instruction of AVX2."""
        if name in SEVERAL:
            return SEVERAL[name](self, *values)
        own = name.removeprefix("v")
        if not hasattr(Sse2Emitter, f"{own}_rr") and not hasattr(Sse2Emitter, f"{own}_rri"):
            raise NotPacked(name)
        return super().raw(own, *values, extra=extra)

    # Words of 32 and of 64 bits.

    def word(self, bits: int, size: int) -> Value:
        return self.bits(bits, size).value

    def shuffled(self, value: Value, order: int) -> Value:
        return self.program.op("pshufd", value, extra=order)

    def with_signs(self, value: Value) -> Value:
        """The lower words of 32 bits as words of 64."""
        signs = self.program.op("pcmpgtd", self.word(0, NARROW), value)
        return self.program.op("punpckldq", value, signs)

    def product_of_words(self, left: Value, right: Value) -> Value:
        """The lower halves of products of 32 bits: those of even lanes and of odd ones, side by side."""
        op = self.program.op
        even = op("pmuludq", left, right)
        odd = op("pmuludq", self.shuffled(left, ODD_WORDS), self.shuffled(right, ODD_WORDS))
        return op("punpckldq", self.narrow(even), self.narrow(odd))

    def equal(self, left: Value, right: Value) -> Value:
        """Where both halves are."""
        halves = self.program.op("pcmpeqd", left, right)
        return self.program.op("pand", halves, self.shuffled(halves, SWAPPED_WORDS))

    def greater(self, left: Value, right: Value) -> Value:
        """Where the upper half is, or is equal and the lower one is, which has no sign."""
        op, flip = self.program.op, self.word(LOW_SIGN, WIDE)
        left, right = op("pxor", left, flip), op("pxor", right, flip)
        greater, equal = op("pcmpgtd", left, right), op("pcmpeqd", left, right)
        found = op("por", greater, op("pand", equal, self.shuffled(greater, EVEN_WORDS)))
        return self.shuffled(found, ODD_WORDS)

    # Leaves and masks.

    def variable(self, index: int, kind: Kind) -> Term:
        if kind is not BOOL:
            return super().variable(index, kind)
        byte = Term(self.program.load(index, BOOL), INT, NARROW)
        return self.compare_whole("greater", byte, self.bits(0, NARROW))

    def mask(self, term: Term, size: int) -> Term:
        if term.size == size:
            return term
        if size == WIDE:
            return self.term(self.shuffled(term.value, SIGNS), BOOL, WIDE)
        return Term(self.narrow(term.value), BOOL, NARROW)

    def narrow(self, value: Value) -> Value:
        return self.shuffled(value, LOWER_WORDS)

    def choice(self, condition: Term, then: Term, otherwise: Term) -> Term:
        size = max(condition.size, then.size, otherwise.size) if then.kind is BOOL else then.size
        if then.kind is BOOL:
            then, otherwise = self.mask(then, size), self.mask(otherwise, size)
        mask, op = self.mask(condition, size).value, self.program.op
        value = op("por", op("pand", mask, then.value), op("pandn", mask, otherwise.value))
        return self.term(value, then.kind, size)

    def store(self, term: Term) -> None:
        value = term.value
        if term.kind is BOOL:
            value = self.mask(term, NARROW).value
            for name in ("packssdw", "packsswb"):
                value = self.program.op(name, value, value)
            value = self.program.op("pand", value, self.word(ONES, NARROW))
        self.program.store(value, term.kind)

    # Primitives.

    def compare(self, name: str, left: Term, right: Term) -> Term:
        if left.kind not in (FLOAT, DOUBLE):
            return super().compare(name, left, right)
        if name in TURNED:
            name, left, right = TURNED[name], right, left
        instruction = "vcmppd" if left.kind is DOUBLE else "vcmpps"
        value = self.raw(instruction, left.value, right.value, extra=ORDER[name])
        return self.term(value, BOOL, left.size)

    def product_of_longs(self, left: Term, right: Term) -> Term:
        """As with AVX2; products take the lower halves, where the upper ones are brought by shuffling."""
        op = self.program.op
        first = op("pmuludq", self.shuffled(left.value, ODD_WORDS), right.value)
        second = op("pmuludq", left.value, self.shuffled(right.value, ODD_WORDS))
        crossed = self.shuffled(op("paddq", first, second), EVEN_WORDS)
        crossed = op("pand", crossed, self.word(~LOW_HALF, WIDE))
        return self.term(op("paddq", op("pmuludq", left.value, right.value), crossed), LONG)

    def upper_half(self, term: Term) -> Term:
        upper = self.program.op("pand", self.shuffled(term.value, ODD_WORDS), self.word(LOW_HALF, WIDE))
        return self.term(upper, LONG)


SEVERAL: Final[dict[str, Callable[..., Value]]] = {
    "vpmovsxdq": Sse2Packer.with_signs,
    "vpmulld": Sse2Packer.product_of_words,
    "vpcmpeqq": Sse2Packer.equal,
    "vpcmpgtq": Sse2Packer.greater,
}
"""instructions of AVX2 that take several of SSE2"""
