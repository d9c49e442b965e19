"""Numbers in lanes, written like numbers: what packed functions are made of.

    x * x + 1.0         vmulpd, vaddpd          as AVX2 of x86-64 calls them
    x.times_plus(y, z)  vfmadd213pd

Behind them are sums and products in two parts, which lose nothing: Dekker, "A floating-point technique for
extending the available precision", Numer. Math. 18, 1971; Knuth, The Art of Computer Programming 2, 4.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doralang.machine.packed.primitives import Packer, Term
from doralang.types.kinds import DOUBLE, LONG

if TYPE_CHECKING:
    from collections.abc import Sequence


class Lanes:
    """A double in each lane; operators are rounded as usual."""

    __slots__ = ("packer", "term")

    def __init__(self, packer: Packer, term: Term) -> None:
        self.packer = packer
        self.term = term

    def of(self, value: Lanes | float) -> Term:
        if isinstance(value, Lanes):
            return value.term
        return self.packer.constant(value, DOUBLE)

    def op(self, name: str, *others: Lanes | float, extra: int | None = None) -> Lanes:
        terms = [self.of(other) for other in others]
        return Lanes(self.packer, self.packer.double(name, self.term, *terms, extra=extra))

    def __add__(self, other: Lanes | float) -> Lanes:
        return self.op("vaddpd", other)

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self.op("vsubpd", other)

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self.op("vmulpd", other)

    def __truediv__(self, other: Lanes | float) -> Lanes:
        return self.op("vdivpd", other)

    def __neg__(self) -> Lanes:
        return Lanes(self.packer, self.packer.other_sign(self.term))

    def lifted(self, value: float) -> Lanes:
        """A number in all lanes."""
        return Lanes(self.packer, self.packer.constant(value, DOUBLE))

    def times_plus(self, factor: Lanes | float, summand: Lanes | float) -> Lanes:
        """self * factor + summand, rounded once."""
        return Lanes(self.packer, self.packer.fma(self.term, self.of(factor), self.of(summand)))

    def square_root(self) -> Lanes:
        return self.op("vsqrtpd")

    def absolute(self) -> Lanes:
        return Lanes(self.packer, self.packer.absolute(self.term))

    def whole(self) -> Lanes:
        """The nearest whole number."""
        return self.op("vroundpd", extra=8)

    def down(self) -> Lanes:
        return self.op("vroundpd", extra=9)

    def sign(self) -> Lanes:
        """Its sign bit alone."""
        return self.bits_and(1 << 63)

    def bits_and(self, bits: int) -> Lanes:
        return Lanes(self.packer, self.packer.double("vandpd", self.term, self.word(bits)))

    def with_bits(self, other: Lanes) -> Lanes:
        return self.op("vorpd", other)

    def flipped(self, sign: Lanes) -> Lanes:
        """The other sign where a sign bit is set."""
        return self.op("vxorpd", sign)

    def word(self, bits: int) -> Term:
        return self.packer.bits(bits, 8)

    def as_word(self, name: str, other: Term) -> Lanes:
        """An operation on the bits."""
        return Lanes(self.packer, self.packer.op(name, LONG, self.term, other))

    def is_(self, comparison: str, other: Lanes | float) -> Term:
        return self.packer.compare(
            comparison, Term(self.term.value, DOUBLE, 8), Term(self.of(other).value, DOUBLE, 8)
        )

    def chosen(self, condition: Term, other: Lanes | float) -> Lanes:
        """This where a condition holds, else another."""
        then = Term(self.term.value, DOUBLE, 8)
        return Lanes(self.packer, self.packer.choice(condition, then, Term(self.of(other).value, DOUBLE, 8)))

    def at_most(self, other: float) -> Lanes:
        """NaN stays: vminpd gives its second operand then."""
        return self.lifted(other).op("vminpd", self)

    def at_least(self, other: float) -> Lanes:
        return self.lifted(other).op("vmaxpd", self)

    def hard_if(self, condition: Term) -> None:
        self.packer.hard_if(condition)


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """By Horner's rule; the first coefficient is that of the highest power."""
    first, *rest = coefficients
    result = x.lifted(first)
    for coefficient in rest:
        result = result.times_plus(x, coefficient)
    return result


Pair = tuple[Lanes, Lanes]
"""a number as the sum of two, the second of which is far below the first"""


def product(x: Lanes, y: Lanes | float) -> Pair:
    """x * y exactly."""
    high = x * y
    return high, x.times_plus(y, -high)


def quick_sum(x: Lanes, y: Lanes) -> Pair:
    """x + y exactly, where x is the greater one."""
    total = x + y
    return total, y - (total - x)


def quotient(above: Pair, below: Pair) -> Pair:
    """The quotient of two numbers in two parts; what the first division leaves is divided again."""
    q = above[0] / below[0]
    left = q.times_plus(-below[0], above[0]) + (above[1] - q * below[1])
    return q, left / below[0]


def exact_sum(x: Lanes, y: Lanes) -> Pair:
    """x + y exactly (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)
