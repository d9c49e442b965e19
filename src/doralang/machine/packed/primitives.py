"""The primitives (`types/primitives.py`) as packed operations: lane by lane the same bits.

The forms here are those of AVX2 (x86-64); the packers of other levels and processors say what they do in
another way.

    int.times       vpmulld                                         wraps around as the scalar one does
    long.times      three products of 32 bits each, shifted and added
    bool            a mask, all bits of a lane, as wide as the values that were compared

What can fail (`int.div`), and what has no packed form, is refused: `NotPacked`.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from doralang.machine.packed.programs import FUSED, SIZES, WIDE, PackedProgram, Value, VectorUnit
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doralang.machine.packed.emitting import StepEmitter

    Functions = Callable[["Packer", str, Sequence["Term"]], "Term"]


class NotPacked(Exception):
    """Something has no packed form."""


class Wider(Exception):
    """There are values of 64 bits, so that fewer lanes fit into a vector."""


class Term(NamedTuple):
    """A value of a kind; `size` are the bytes of a lane, which of a mask are those of what it came from."""

    value: Value
    kind: Kind
    size: int


BINARY: Final = {
    **{f"int.{name}": f"vp{stem}d" for name, stem in (("plus", "add"), ("minus", "sub"), ("times", "mull"))},
    **{f"long.{name}": f"vp{stem}q" for name, stem in (("plus", "add"), ("minus", "sub"))},
    **{
        f"{kind}.bitwise{name}": f"vp{stem}"
        for kind in ("int", "long")
        for name, stem in (("And", "and"), ("Or", "or"), ("Xor", "xor"))
    },
    **{
        f"{kind}.{name}": f"v{stem}{suffix}"
        for kind, suffix in (("float", "ps"), ("double", "pd"))
        for name, stem in (("plus", "add"), ("minus", "sub"), ("times", "mul"), ("div", "div"))
    },
}
"""two operands of a kind, and one result of it"""
UNARY: Final = {
    "float.sqrt": "vsqrtps",
    "double.sqrt": "vsqrtpd",
    "int.toLong": "vpmovsxdq",
    "int.toDouble": "vcvtdq2pd",
    "int.toFloat": "vcvtdq2ps",
    "float.toDouble": "vcvtps2pd",
    "double.toFloat": "vcvtpd2ps",
}
SAME_BITS: Final = frozenset(
    ("doubleBits", "doubleFromBits", "floatBits", "floatFromBits", "int.unaryPlus", "long.unaryPlus")
) | {"float.unaryPlus", "double.unaryPlus"}
UNORDERED: Final = 3
# Predicates of vcmppd: "not equal" alone is true of what is no number.
PREDICATES: Final = {
    "equals": 0,
    "less": 1,
    "lessEquals": 2,
    "notEquals": 4,
    "greaterEquals": 13,
    "greater": 14,
}
# Whether whole numbers are compared the other way round, and the opposite is taken; None is equality.
ORDER: Final[dict[str, tuple[bool, bool]]] = {
    "greater": (False, False),
    "less": (True, False),
    "lessEquals": (False, True),
    "greaterEquals": (True, True),
}
ROUNDINGS: Final = {"double.floor": 9, "double.ceil": 10, "double.trunc": 11}
"""immediates of vroundpd: direction, and no exception for what is inexact"""
SHIFTS: Final = {"shiftLeft": "vpsllv", "unsignedShiftRight": "vpsrlv"}
RESULTS: Final[dict[str, Kind]] = {
    "toLong": LONG,
    "toDouble": DOUBLE,
    "toFloat": FLOAT,
    "toInt": INT,
    "doubleBits": LONG,
    "doubleFromBits": DOUBLE,
    "floatBits": INT,
    "floatFromBits": FLOAT,
}
"""of conversions, by what stands behind the point"""
EVEN_LANES: Final = 0x88
"""of vshufps: the lower halves of four words of 64 bits"""
MOST_OPERATIONS: Final = 1000
FORMATS: Final = {INT: "<i", LONG: "<q", FLOAT: "<f", DOUBLE: "<d"}
ONE: Final = 1.0
HALF: Final = 0.5
SIGN_64: Final = -(1 << 63)
SIGN_32: Final = -(1 << 31)
WORD_HALF: Final = 32

# A whole number of 64 bits as a double: its halves are put into the bits of 2^52 and 2^84, both exact, and
# the two are added, which rounds once.
LOW_MAGIC: Final = 0x4330_0000_0000_0000
HIGH_MAGIC: Final = 0x4530_0000_8000_0000
BOTH_MAGIC: Final = 0x4530_0000_8010_0000
LOW_HALF: Final = 0xFFFF_FFFF


class Packer:
    """Adds primitives to a program."""

    unit: ClassVar[VectorUnit]

    def __init__(self, widest: int, scalars: Sequence[bool], functions: Functions | None = None) -> None:
        """`widest` are the bytes of the widest elements; `functions` has what else is packed than what gives
        the same bits."""
        self.program = PackedProgram(self.unit, widest)
        self.scalars = scalars
        self.functions = functions
        self.hard: Term | None = None
        """lanes that the function in the making cannot compute"""

    def kernel(self) -> bytearray:
        """The code for what was stored."""
        return self.new_emitter().kernel(len(self.scalars))

    def new_emitter(self) -> StepEmitter:
        """What makes code of the program."""
        raise NotImplementedError

    # Leaves.

    def term(self, value: Value, kind: Kind, size: int = 0) -> Term:
        size = size or SIZES[kind]
        if size > self.program.widest:
            raise Wider
        if len(self.program.operations) > MOST_OPERATIONS:
            raise NotPacked
        return Term(value, kind, size)

    def variable(self, index: int, kind: Kind) -> Term:
        if kind is BOOL:
            size = self.program.widest
            byte = Term(self.program.load(index, BOOL), LONG if size == WIDE else INT, size)
            return self.compare_whole("greater", byte, self.bits(0, size))
        if kind not in SIZES:
            raise NotPacked
        leaf = self.program.scalar if self.scalars[index] else self.program.load
        return self.term(leaf(index, kind), kind)

    def constant(self, value: float, kind: Kind) -> Term:
        if kind is BOOL:
            return self.term(self.bits(-1 if value else 0, 4).value, BOOL, 4)
        if kind not in FORMATS:
            raise NotPacked
        return self.term(self.program.constant(pack(FORMATS[kind], value)), kind)

    def bits(self, value: int, size: int) -> Term:
        kind = LONG if size == 8 else INT
        return self.constant((value + (1 << 8 * size - 1)) % (1 << 8 * size) - (1 << 8 * size - 1), kind)

    def raw(self, name: str, *values: Value, extra: int | None = None) -> Value:
        """An operation by the name that its instruction has in AVX2."""
        return self.program.op(name, *values, extra=extra)

    def op(self, name: str, kind: Kind, *terms: Term, extra: int | None = None) -> Term:
        return self.term(self.raw(name, *[term.value for term in terms], extra=extra), kind)

    def double(self, name: str, *terms: Term, extra: int | None = None) -> Term:
        return self.op(name, DOUBLE, *terms, extra=extra)

    def fma(self, left: Term, right: Term, third: Term) -> Term:
        """left * right + third, rounded once."""
        return self.op(FUSED, DOUBLE, left, right, third)

    # Masks.

    def mask(self, term: Term, size: int) -> Term:
        """A mask with lanes of this size."""
        if term.size == size:
            return term
        if size == 8:
            return self.term(self.raw("vpmovsxdq", term.value), BOOL, 8)
        return Term(self.narrow(term.value), BOOL, 4)

    def narrow(self, value: Value) -> Value:
        """The lower halves of elements of 64 bits, in the lower half of a vector."""
        upper = self.raw("vextractf128", value, extra=1)
        return self.raw("vshufps128", value, upper, extra=EVEN_LANES)

    def signs(self, term: Term) -> Term:
        """Where the highest bit of a double is set, for choices: they look at just that."""
        return Term(term.value, BOOL, 8)

    def together(self, name: str, left: Term, right: Term) -> Term:
        size = max(left.size, right.size)
        left, right = self.mask(left, size), self.mask(right, size)
        return self.term(self.raw(name, left.value, right.value), BOOL, size)

    def both(self, left: Term, right: Term) -> Term:
        return self.together("vpand", left, right)

    def either(self, left: Term, right: Term) -> Term:
        return self.together("vpor", left, right)

    def opposite(self, term: Term) -> Term:
        return self.together("vpxor", term, self.constant(True, BOOL))

    def choice(self, condition: Term, then: Term, otherwise: Term) -> Term:
        if then.kind is BOOL:
            size = max(condition.size, then.size, otherwise.size)
            then, otherwise = self.mask(then, size), self.mask(otherwise, size)
        size = then.size
        name = "vblendvpd" if size == 8 else "vblendvps"
        mask = self.mask(condition, size)
        return self.term(self.raw(name, otherwise.value, then.value, mask.value), then.kind, size)

    def store(self, term: Term) -> None:
        value = term.value
        if term.kind is BOOL:
            value = self.mask(term, 4).value
            is_full = self.program.widest < WIDE
            upper = self.raw("vextractf128", value, extra=1) if is_full else value
            words = self.raw("vpackssdw128", value, upper)
            value = self.raw("vpabsb128", self.raw("vpacksswb128", words, words))
        self.program.store(value, term.kind)

    # Primitives.

    def primitive(self, name: str, terms: Sequence[Term]) -> Term:
        """Raises NotPacked."""
        if name in BINARY:
            return self.op(BINARY[name], terms[0].kind, *terms)
        family, _, last = name.rpartition(".")
        if name in UNARY:
            return self.op(UNARY[name], RESULTS.get(last, terms[0].kind), *terms)
        if name in SAME_BITS:
            return self.term(terms[0].value, RESULTS.get(last, terms[0].kind))
        if name in ROUNDINGS:
            return self.double("vroundpd", *terms, extra=ROUNDINGS[name])
        if last in PREDICATES:
            return self.compare(last, *terms)
        if last in SHIFTS or last == "shiftRight":
            return self.shift(last, *terms)
        found = OTHERS.get(name)
        if found is not None:
            return found(self, *terms)
        if family != DOUBLE.value:
            raise NotPacked(name)
        return self.function(last, terms)

    def function(self, name: str, terms: Sequence[Term]) -> Term:
        """Of the C library, but for some ulp.  Raises NotPacked."""
        if self.functions is None:
            raise NotPacked(name)
        return self.functions(self, name, terms)

    def hard_if(self, condition: Term) -> None:
        """The function that is being made leaves lanes with a condition to the C library."""
        self.hard = condition if self.hard is None else self.either(self.hard, condition)

    def corrected(self, term: Term, arguments: Sequence[Term], function: int) -> Term:
        """The value of a function, with its hard lanes from one of the C library."""
        if self.hard is None:
            return term
        mask, self.hard = self.mask(self.hard, 8), None
        values = [argument.value for argument in arguments]
        return self.term(self.program.corrected(term.value, mask.value, values, function), DOUBLE)

    def compare(self, name: str, left: Term, right: Term) -> Term:
        if left.kind in (INT, LONG):
            return self.compare_whole(name, left, right)
        if left.kind in (FLOAT, DOUBLE):
            instruction = "vcmppd" if left.kind is DOUBLE else "vcmpps"
            value = self.raw(instruction, left.value, right.value, extra=PREDICATES[name])
            return self.term(value, BOOL, left.size)
        if left.kind is not BOOL:
            raise NotPacked
        different = self.together("vpxor", left, right)
        return different if name == "notEquals" else self.opposite(different)

    def compare_whole(self, name: str, left: Term, right: Term) -> Term:
        suffix = "q" if left.size == 8 else "d"
        if name in ("equals", "notEquals"):
            instruction, is_opposite = f"vpcmpeq{suffix}", name == "notEquals"
        else:
            turned, is_opposite = ORDER[name]
            instruction = f"vpcmpgt{suffix}"
            if turned:
                left, right = right, left
        found = self.term(self.raw(instruction, left.value, right.value), BOOL, left.size)
        return self.opposite(found) if is_opposite else found

    def shift(self, name: str, left: Term, right: Term) -> Term:
        """The number of bits is taken modulo the width.  For 64 bits there is no arithmetic shift to the
        right: what is negative is inverted before and after."""
        kind, suffix = left.kind, "q" if left.size == 8 else "d"
        count = self.op("vpand", kind, right, self.bits(8 * left.size - 1, left.size))
        if name in SHIFTS:
            return self.op(SHIFTS[name] + suffix, kind, left, count)
        if kind is INT:
            return self.op("vpsravd", kind, left, count)
        negative = self.op("vpcmpgtq", kind, self.bits(0, 8), left)
        shifted = self.op("vpsrlvq", kind, self.op("vpxor", kind, left, negative), count)
        return self.op("vpxor", kind, shifted, negative)

    def product_of_longs(self, left: Term, right: Term) -> Term:
        """Halves h, l: l*l + (h*l + l*h << 32); vpmuludq takes the lower halves."""
        half = self.bits(WORD_HALF, 8)
        first = self.op("vpmuludq", LONG, self.upper_half(left), right)
        second = self.op("vpmuludq", LONG, left, self.upper_half(right))
        crossed = self.op("vpsllvq", LONG, self.op("vpaddq", LONG, first, second), half)
        return self.op("vpaddq", LONG, self.op("vpmuludq", LONG, left, right), crossed)

    def upper_half(self, term: Term) -> Term:
        """As a whole number without sign."""
        return self.op("vpsrlvq", LONG, term, self.bits(WORD_HALF, 8))

    def long_to_double(self, term: Term) -> Term:
        low = self.op("vpand", LONG, term, self.bits(LOW_HALF, 8))
        low = self.op("vpor", DOUBLE, low, self.bits(LOW_MAGIC, 8))
        high = self.op("vpxor", DOUBLE, self.upper_half(term), self.bits(HIGH_MAGIC, 8))
        return self.double("vaddpd", self.double("vsubpd", high, self.bits(BOTH_MAGIC, 8)), low)

    def long_to_int(self, term: Term) -> Term:
        return Term(self.narrow(term.value), INT, 4)

    def negative(self, term: Term) -> Term:
        suffix = "q" if term.size == 8 else "d"
        return self.op(f"vpsub{suffix}", term.kind, self.bits(0, term.size), term)

    def inverted(self, term: Term) -> Term:
        return self.op("vpxor", term.kind, term, self.bits(-1, term.size))

    def other_sign(self, term: Term) -> Term:
        sign = self.bits(SIGN_64 if term.size == 8 else SIGN_32, term.size)
        return self.op("vpxor", term.kind, term, sign)

    def is_no_number(self, term: Term) -> Term:
        name = "vcmppd" if term.kind is DOUBLE else "vcmpps"
        value = self.raw(name, term.value, term.value, extra=UNORDERED)
        return self.term(value, BOOL, term.size)

    def absolute(self, term: Term) -> Term:
        return self.double("vandpd", term, self.bits(~SIGN_64, 8))

    def is_infinite(self, term: Term) -> Term:
        return self.compare("equals", self.absolute(term), self.constant(float("inf"), DOUBLE))

    def truth_to_int(self, term: Term) -> Term:
        return self.op("vpand", INT, self.mask(term, 4), self.bits(1, 4))

    def rounded(self, term: Term) -> Term:
        """To the nearest whole number, halves away from zero: what was cut off is exact."""
        cut = self.double("vroundpd", term, extra=ROUNDINGS["double.trunc"])
        lost = self.absolute(self.double("vsubpd", term, cut))
        sign = self.double("vandpd", term, self.bits(SIGN_64, 8))
        one = self.double("vorpd", sign, self.constant(ONE, DOUBLE))
        farther = self.double("vaddpd", cut, one)
        return self.choice(self.compare("greaterEquals", lost, self.constant(HALF, DOUBLE)), farther, cut)


OTHERS: Final[dict[str, Callable[..., Term]]] = {
    "long.times": lambda packer, left, right: packer.product_of_longs(left, right),
    "long.toDouble": lambda packer, term: packer.long_to_double(term),
    "long.toInt": lambda packer, term: packer.long_to_int(term),
    "int.unaryMinus": lambda packer, term: packer.negative(term),
    "long.unaryMinus": lambda packer, term: packer.negative(term),
    "float.unaryMinus": lambda packer, term: packer.other_sign(term),
    "double.unaryMinus": lambda packer, term: packer.other_sign(term),
    "int.not": lambda packer, term: packer.inverted(term),
    "long.not": lambda packer, term: packer.inverted(term),
    "float.isNan": lambda packer, term: packer.is_no_number(term),
    "double.isNan": lambda packer, term: packer.is_no_number(term),
    "double.isInfinite": lambda packer, term: packer.is_infinite(term),
    "double.round": lambda packer, term: packer.rounded(term),
    "bool.not": lambda packer, term: packer.opposite(term),
    "bool.toInt": lambda packer, term: packer.truth_to_int(term),
}
"""primitives that need several operations, by the methods of a level"""
