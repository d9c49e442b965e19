"""Packed operations of AArch64: instructions, where the primitives name those of AVX2.

    x > 1.0 ? a : b         fcmgt v1.2d, v0.2d, v2.2d
                            bsl   v1.16b, v3.16b, v4.16b        the mask's register has the result

Masks are vectors: all bits of a lane.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.arm64.packed_kernels import VALUES, VECTOR, PackedEmitter
from doralang.machine.packed.primitives import SHIFTS, NotPacked, Packer, Term
from doralang.machine.packed.programs import FUSED, NARROW, WIDE, VectorUnit
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from doralang.machine.packed.emitting import StepEmitter
    from doralang.machine.packed.programs import Value

SELECT: Final = "bsl_16b"
"""a mask, whose register has the result, and what is taken where it is set, and where it is not"""
NEON: Final = VectorUnit(
    "neon",
    vector=VECTOR,
    registers=len(VALUES),
    masks=0,
    folds=frozenset(),
    changes=frozenset({SELECT}),
    accumulates=True,
)
WHOLE: Final = (("add", "add"), ("sub", "sub"), ("cmpeq", "cmeq"), ("cmpgt", "cmgt"), ("sllv", "ushl"))
RENAMED: Final = {
    **{
        f"v{stem}{theirs}": f"f{stem}_{ours}"
        for stem in ("add", "sub", "mul", "div", "sqrt")
        for theirs, ours in (("pd", "2d"), ("ps", "4s"))
    },
    **{
        f"vp{theirs}{suffix}": f"{ours}_{lanes}"
        for theirs, ours in (
            ("add", "add"),
            ("sub", "sub"),
            ("cmpeq", "cmeq"),
            ("cmpgt", "cmgt"),
            ("sllv", "ushl"),
        )
        for suffix, lanes in (("q", "2d"), ("d", "4s"))
    },
    **{f"vp{name}": f"{ours}_16b" for name, ours in (("and", "and"), ("or", "orr"), ("xor", "eor"))},
    **{f"v{name}pd": f"{ours}_16b" for name, ours in (("and", "and"), ("or", "orr"), ("xor", "eor"))},
    FUSED: FUSED,
    "vpmulld": "mul_4s",
    "vpmovsxdq": "sxtl_2d",
    "vcvtdq2ps": "scvtf_4s",
    "vcvtps2pd": "fcvtl_2d",
    "vcvtpd2ps": "fcvtn_2s",
}
"""what AVX2 calls an instruction, and what it is here"""
ROUNDINGS: Final = {8: "frintn_2d", 9: "frintm_2d", 10: "frintp_2d", 11: "frintz_2d"}
"""by the immediates of vroundpd"""
COMPARISONS: Final = {
    "equals": ("fcmeq", False),
    "greater": ("fcmgt", False),
    "greaterEquals": ("fcmge", False),
    "less": ("fcmgt", True),
    "lessEquals": ("fcmge", True),
}
"""instructions, and whether the operands are the other way round"""
ONES: Final = 0x0101_0101
WORD: Final = {NARROW: Struct("<i"), WIDE: Struct("<q")}


def lanes(size: int) -> str:
    """What names of instructions say of lanes of so many bytes."""
    return "2d" if size == WIDE else "4s"


class NeonPacker(Packer):
    """Adds primitives to a program for AArch64."""

    unit: ClassVar[VectorUnit] = NEON

    def new_emitter(self) -> StepEmitter:
        return PackedEmitter(self.program)

    def raw(self, name: str, *values: Value, extra: int | None = None) -> Value:
        """Raises NotPacked if nothing does the same as an instruction of AVX2."""
        if name == "vroundpd" and extra is not None:
            return self.program.op(ROUNDINGS[extra], *values)
        if name in SEVERAL:
            return SEVERAL[name](self, *values)
        own = RENAMED.get(name)
        if own is None or extra is not None:
            raise NotPacked(name)
        return self.program.op(own, *values)

    def each(self, stem: str, kind: Kind, *terms: Term) -> Term:
        """An instruction for the lanes of its operands."""
        size = terms[0].size
        return self.term(self.program.op(f"{stem}_{lanes(size)}", *[one.value for one in terms]), kind, size)

    # What are several instructions here.

    def int_to_double(self, value: Value) -> Value:
        return self.program.op("scvtf_2d", self.program.op("sxtl_2d", value))

    def greater_one(self, left: Value, right: Value) -> Value:
        """The second one if one is no number, or both are equal, as vmaxpd has it."""
        return self.program.op(SELECT, self.program.op("fcmgt_2d", left, right), left, right)

    def lesser_one(self, left: Value, right: Value) -> Value:
        return self.program.op(SELECT, self.program.op("fcmgt_2d", right, left), left, right)

    def shifted_right(self, name: str, value: Value, count: Value) -> Value:
        """Shifts to the right are shifts by negative numbers."""
        return self.program.op(name, value, self.negated(count, WIDE if name.endswith("2d") else NARROW))

    def negated(self, count: Value, size: int) -> Value:
        name, _, data = self.program.operations[count]
        if name == "constant" and isinstance(data, bytes):
            return self.bits(-WORD[size].unpack_from(data)[0], size).value
        return self.program.op(f"neg_{lanes(size)}", count)

    # Leaves and masks.

    def variable(self, index: int, kind: Kind) -> Term:
        if kind is not BOOL:
            return super().variable(index, kind)
        byte = Term(self.program.load(index, BOOL), INT, NARROW)
        return self.compare_whole("greater", byte, self.bits(0, NARROW))

    def narrow(self, value: Value) -> Value:
        return self.program.op("xtn_2s", value)

    def signs(self, term: Term) -> Term:
        return self.term(self.program.op("cmltz_2d", term.value), BOOL, WIDE)

    def opposite(self, term: Term) -> Term:
        return self.term(self.program.op("not_16b", term.value), BOOL, term.size)

    def choice(self, condition: Term, then: Term, otherwise: Term) -> Term:
        size = max(condition.size, then.size, otherwise.size) if then.kind is BOOL else then.size
        if then.kind is BOOL:
            then, otherwise = self.mask(then, size), self.mask(otherwise, size)
        mask = self.mask(condition, size)
        return self.term(self.program.op(SELECT, mask.value, then.value, otherwise.value), then.kind, size)

    def store(self, term: Term) -> None:
        value = term.value
        if term.kind is BOOL:
            value = self.mask(term, NARROW).value
            for name in ("xtn_4h", "xtn_8b"):
                value = self.program.op(name, value)
            value = self.program.op("and_16b", value, self.bits(ONES, NARROW).value)
        self.program.store(value, term.kind)

    # Primitives.

    def compare(self, name: str, left: Term, right: Term) -> Term:
        if left.kind not in (FLOAT, DOUBLE):
            return super().compare(name, left, right)
        if name == "notEquals":
            return self.opposite(self.compare("equals", left, right))
        instruction, is_turned = COMPARISONS[name]
        if is_turned:
            left, right = right, left
        return self.each(instruction, BOOL, left, right)

    def is_no_number(self, term: Term) -> Term:
        return self.compare("notEquals", term, term)

    def shift(self, name: str, left: Term, right: Term) -> Term:
        count = self.op("vpand", left.kind, right, self.bits(8 * left.size - 1, left.size))
        stem = "ushl" if name in SHIFTS else "sshl"
        if name != "shiftLeft":
            count = Term(self.negated(count.value, left.size), left.kind, left.size)
        return self.each(stem, left.kind, left, count)

    def product_of_longs(self, left: Term, right: Term) -> Term:
        """Halves h, l: l*l + (h*l + l*h << 32); products of words side by side are added in pairs."""
        op = self.program.op
        crossed = op("uaddlp_2d", op("mul_4s", left.value, op("rev64_4s", right.value)))
        upper = op("ushl_2d", crossed, self.bits(8 * NARROW, WIDE).value)
        return self.term(
            op("add_2d", op("umull_2d", self.narrow(left.value), self.narrow(right.value)), upper), LONG
        )

    def upper_half(self, term: Term) -> Term:
        return self.term(self.program.op("ushr32_2d", term.value), LONG)

    def long_to_double(self, term: Term) -> Term:
        return self.term(self.program.op("scvtf_2d", term.value), DOUBLE)

    def negative(self, term: Term) -> Term:
        return self.each("neg", term.kind, term)

    def inverted(self, term: Term) -> Term:
        return self.term(self.program.op("not_16b", term.value), term.kind)

    def other_sign(self, term: Term) -> Term:
        return self.each("fneg", term.kind, term)

    def absolute(self, term: Term) -> Term:
        return self.each("fabs", term.kind, term)

    def rounded(self, term: Term) -> Term:
        """To the nearest whole number, halves away from zero."""
        return self.term(self.program.op("frinta_2d", term.value), DOUBLE)


SEVERAL: Final[dict[str, Callable[..., Value]]] = {
    "vcvtdq2pd": NeonPacker.int_to_double,
    "vmaxpd": NeonPacker.greater_one,
    "vminpd": NeonPacker.lesser_one,
    "vpsrlvq": lambda packer, value, count: packer.shifted_right("ushl_2d", value, count),
    "vpsrlvd": lambda packer, value, count: packer.shifted_right("ushl_4s", value, count),
    "vpsravd": lambda packer, value, count: packer.shifted_right("sshl_4s", value, count),
}
"""instructions of AVX2 that take several here"""
