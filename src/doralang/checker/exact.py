"""Exact arithmetic on the plain numbers of a formula (reference 1.5).

    11 + 1.2 - 5        is computed as 36/5 and then rounded to the double 7.2, while
    x + 1.2 - 5         rounds after each operation, as all arithmetic of programs does

While a formula is checked, number literals without a suffix, and sums, products and the like of
nothing but them, are `Exact` rational numbers.  One becomes a constant, rounded once, as soon as it meets
anything else.  Where no exact number can say what the operation gives (a quotient by zero, a
negative zero) or it would grow beyond all use, `combine` and `negate` return None, and the operation is
an ordinary one on the rounded operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from doralang.checker.program import Constant
from doralang.text.source import Span
from doralang.types.types import DOUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LARGEST: Final = 4096
"""Bits of numerator and denominator; more ends exactness."""

_DIGITS: Final = 1300
"""A literal of more digits, counting those that its exponent stands for, is more than `LARGEST`."""


class Exact:
    """A rational number in lowest terms, its denominator positive.  Zero is the positive one."""

    __slots__ = ("denominator", "numerator", "span")

    def __init__(self, span: Span, numerator: int, denominator: int) -> None:
        self.span = span
        self.numerator = numerator
        self.denominator = denominator

    def rounded(self) -> Constant:
        """The nearest double, infinite if it is beyond their range."""
        try:
            value = self.numerator / self.denominator  # Python rounds this correctly, whatever the size
        except OverflowError:
            value = math.inf if self.numerator > 0 else -math.inf
        return Constant(self.span, DOUBLE, value)


def literal(span: Span, text: str) -> Exact | None:
    """The value of a decimal literal; None if it has a suffix."""
    if not text[-1].isdigit() and text[-1] != "_":
        return None
    mantissa, _, exponent = text.replace("_", "").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    if len(digits) + len(exponent) > _DIGITS:
        return None
    scale = int(exponent or "0") - len(fraction)
    if abs(scale) > _DIGITS:
        return None
    return _reduced(span, int(digits) * 10 ** max(scale, 0), 10 ** max(-scale, 0))


def _reduced(span: Span, numerator: int, denominator: int) -> Exact | None:
    common = math.gcd(numerator, denominator)
    return _bounded(span, numerator // common, denominator // common)


def _bounded(span: Span, numerator: int, denominator: int) -> Exact | None:
    if max(numerator.bit_length(), denominator.bit_length()) > LARGEST:
        return None
    return Exact(span, numerator, denominator)


def negate(span: Span, operand: Exact) -> Exact | None:
    """`-x`; None for the negative zero."""
    return Exact(span, -operand.numerator, operand.denominator) if operand.numerator else None


def combine(span: Span, operator: str, left: Exact, right: Exact) -> Exact | None:
    """`left operator right`; None if the operator is another, or exactness ends here."""
    operation = _OPERATIONS.get(operator)
    return operation(span, left, right) if operation else None


def _add(span: Span, left: Exact, right: Exact) -> Exact | None:
    return _sum(span, left, right.numerator, right.denominator)


def _subtract(span: Span, left: Exact, right: Exact) -> Exact | None:
    return _sum(span, left, -right.numerator, right.denominator)


def _sum(span: Span, left: Exact, numerator: int, denominator: int) -> Exact | None:
    """Only the divisors that the denominators share can shorten the result (Knuth, volume 2, 4.5.1)."""
    common = math.gcd(left.denominator, denominator)
    if common == 1:
        total = left.numerator * denominator + numerator * left.denominator
        return _bounded(span, total, left.denominator * denominator)
    factor = left.denominator // common
    total = left.numerator * (denominator // common) + numerator * factor
    rest = math.gcd(total, common)
    return _bounded(span, total // rest, factor * (denominator // rest))


def _multiply(span: Span, left: Exact, right: Exact) -> Exact | None:
    return _product(span, left, right.numerator, right.denominator)


def _divide(span: Span, left: Exact, right: Exact) -> Exact | None:
    if right.numerator == 0:
        return None
    sign = 1 if right.numerator > 0 else -1
    return _product(span, left, sign * right.denominator, abs(right.numerator))


def _product(span: Span, left: Exact, numerator: int, denominator: int) -> Exact | None:
    if (left.numerator == 0 and numerator < 0) or (numerator == 0 and left.numerator < 0):
        return None
    first = math.gcd(left.numerator, denominator)
    second = math.gcd(numerator, left.denominator)
    return _bounded(
        span,
        (left.numerator // first) * (numerator // second),
        (left.denominator // second) * (denominator // first),
    )


_OPERATIONS: Final[dict[str, Callable[[Span, Exact, Exact], Exact | None]]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
}
