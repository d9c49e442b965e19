"""The primitive operations: one row for each operation on primitive types.

A row has a name, the kinds of its operands and result, its meaning, the trap it may end in, and
the algebra that optimizers may use.  The checker resolves operators and methods of primitive
types to rows; every engine maps every row to code, and a test runs them all against the meaning.

`int.plus` is what `a + b` and `a.plus(b)` mean for two `int`s.  Rows without a method of that
name (`int.less`) are what comparison operators mean.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from enum import Flag, auto

from doralang.text.records import record
from doralang.types import arithmetic as a
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Value = bool | int | float
Meaning = Callable[..., Value]


class Algebra(Flag):
    NONE = 0
    COMMUTES = auto()
    ASSOCIATES = auto()


@record(frozen=True)
class Primitive:
    """One operation; rows are compared by identity."""

    name: str
    operands: tuple[Kind, ...]
    result: Kind
    meaning: Meaning
    trap: Trap | None = None
    algebra: Algebra = Algebra.NONE
    identity: int | None = None
    calls_library: bool = False
    """whether machine code calls a function of the C library for it"""

    def __repr__(self) -> str:
        return self.name


COMMUTES = Algebra.COMMUTES
RING = Algebra.COMMUTES | Algebra.ASSOCIATES


def integer_rows(kind: Kind, wrap: Callable[[int], int], bits: int) -> Iterator[Primitive]:
    """Arithmetic of `int` and `long`."""
    two, mask = (kind, kind), bits - 1

    def row(
        name: str, meaning: Meaning, algebra: Algebra = Algebra.NONE, identity: int | None = None
    ) -> Primitive:
        return Primitive(f"{kind.value}.{name}", two, kind, meaning, None, algebra, identity)

    yield row("plus", lambda x, y: wrap(x + y), RING, 0)
    yield row("minus", lambda x, y: wrap(x - y))
    yield row("times", lambda x, y: wrap(x * y), RING, 1)
    yield Primitive(f"{kind.value}.div", two, kind, lambda x, y: wrap(a.divide(x, y)), Trap.DIVISION)
    yield Primitive(f"{kind.value}.mod", two, kind, a.remainder, Trap.DIVISION)
    yield row("bitwiseOr", operator.or_, RING, 0)
    yield row("bitwiseAnd", operator.and_, RING, -1)
    yield row("bitwiseXor", operator.xor, RING, 0)
    yield row("shiftLeft", lambda x, y: wrap(x << (y & mask)))
    yield row("shiftRight", lambda x, y: x >> (y & mask))
    yield row("unsignedShiftRight", lambda x, y: wrap(a.shift_right_unsigned(x, y & mask, bits)))
    yield Primitive(f"{kind.value}.unaryPlus", (kind,), kind, lambda x: x)
    yield Primitive(f"{kind.value}.unaryMinus", (kind,), kind, lambda x: wrap(-x))
    yield Primitive(f"{kind.value}.not", (kind,), kind, lambda x: ~x)
    yield Primitive(f"{kind.value}.countOneBits", (kind,), INT, lambda x: (x % (1 << bits)).bit_count())
    yield Primitive(f"{kind.value}.leadingZeros", (kind,), INT, lambda x: a.leading_zeros(x, bits))
    yield Primitive(f"{kind.value}.toByte", (kind,), BYTE, lambda x: x & 255)
    yield Primitive(f"{kind.value}.toDouble", (kind,), DOUBLE, float)
    yield Primitive(f"{kind.value}.toFloat", (kind,), FLOAT, a.long_to_float)
    yield Primitive(f"{kind.value}.toCharUnchecked", (kind,), CHAR, lambda x: x & 0xFFFF_FFFF)


def floating_rows(kind: Kind, rounded: Callable[[float], float]) -> Iterator[Primitive]:
    """Arithmetic of `float` and `double`; `rounded` brings a double result into the type."""
    two = (kind, kind)

    def row(name: str, meaning: Meaning, algebra: Algebra = Algebra.NONE) -> Primitive:
        return Primitive(f"{kind.value}.{name}", two, kind, meaning, None, algebra)

    yield row("plus", lambda x, y: rounded(x + y), COMMUTES)
    yield row("minus", lambda x, y: rounded(x - y))
    yield row("times", lambda x, y: rounded(x * y), COMMUTES)
    yield row("div", lambda x, y: rounded(a.divide_double(x, y)))
    yield Primitive(
        f"{kind.value}.mod", two, kind, lambda x, y: rounded(a.remainder_double(x, y)), calls_library=True
    )
    yield Primitive(f"{kind.value}.unaryPlus", (kind,), kind, lambda x: x)
    yield Primitive(f"{kind.value}.unaryMinus", (kind,), kind, operator.neg)
    yield Primitive(f"{kind.value}.sqrt", (kind,), kind, lambda x: rounded(a.square_root(x)))
    yield Primitive(f"{kind.value}.isNan", (kind,), BOOL, lambda x: x != x)
    yield Primitive(f"{kind.value}.toInt", (kind,), INT, lambda x: a.truncate(x, 32))
    yield Primitive(f"{kind.value}.toLong", (kind,), LONG, lambda x: a.truncate(x, 64))


def comparison_rows(kind: Kind) -> Iterator[Primitive]:
    """The operators `==` to `>=`; `char`, `byte` and `bool` compare unsigned."""
    meanings: dict[str, Meaning] = {
        "equals": operator.eq,
        "notEquals": operator.ne,
        "less": operator.lt,
        "lessEquals": operator.le,
        "greater": operator.gt,
        "greaterEquals": operator.ge,
    }
    for name, meaning in meanings.items():
        if kind is BOOL and name not in ("equals", "notEquals"):
            continue
        algebra = COMMUTES if name in ("equals", "notEquals") else Algebra.NONE
        yield Primitive(f"{kind.value}.{name}", (kind, kind), BOOL, meaning, None, algebra)


def compare_to_rows() -> Iterator[Primitive]:
    """`compareTo` by name: a difference for the integers, a sign for the floats (11.3, 11.4)."""
    for kind in (BYTE, CHAR, INT, LONG):
        yield Primitive(f"{kind.value}.compareTo", (kind, kind), INT, lambda x, y: a.wrap_int(x - y))
    for kind in (FLOAT, DOUBLE):
        yield Primitive(f"{kind.value}.compareTo", (kind, kind), INT, a.compare_double)


def conversion_rows() -> Iterator[Primitive]:
    """What is left of the conversions, and the bit patterns of floats."""
    yield Primitive("bool.not", (BOOL,), BOOL, operator.not_)
    yield Primitive("bool.toInt", (BOOL,), INT, int)
    yield Primitive("byte.toInt", (BYTE,), INT, lambda x: x)
    yield Primitive("byte.toLong", (BYTE,), LONG, lambda x: x)
    yield Primitive("char.toInt", (CHAR,), INT, a.wrap_int)
    yield Primitive("char.toLong", (CHAR,), LONG, lambda x: x)
    yield Primitive("int.toLong", (INT,), LONG, lambda x: x)
    yield Primitive("long.toInt", (LONG,), INT, a.wrap_int)
    yield Primitive("float.toDouble", (FLOAT,), DOUBLE, lambda x: x)
    yield Primitive("double.toFloat", (DOUBLE,), FLOAT, a.round_float)
    yield Primitive("double.isInfinite", (DOUBLE,), BOOL, lambda x: x in (math.inf, -math.inf))
    yield Primitive("doubleBits", (DOUBLE,), LONG, a.double_bits)
    yield Primitive("doubleFromBits", (LONG,), DOUBLE, a.double_from_bits)
    yield Primitive("floatBits", (FLOAT,), INT, a.float_bits)
    yield Primitive("floatFromBits", (INT,), FLOAT, a.float_from_bits)
    yield Primitive("multiplyHigh", (LONG, LONG), LONG, a.multiply_high)


C_FUNCTIONS_1: Final = [
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "cbrt",
    "floor",
    "ceil",
    "trunc",
    "round",
]
C_FUNCTIONS_2: Final = ("atan2", "pow", "hypot")
ROUNDINGS: Final = ("floor", "ceil", "trunc")
"""Those of them that processors have an instruction for."""


def mathematical_rows() -> Iterator[Primitive]:
    """The functions of `double` that the C library computes."""
    for name in C_FUNCTIONS_1:
        calls = name not in ROUNDINGS
        yield Primitive(f"double.{name}", (DOUBLE,), DOUBLE, a.c_function(name, 1), calls_library=calls)
    for name in C_FUNCTIONS_2:
        meaning = a.c_function(name, 2)
        yield Primitive(f"double.{name}", (DOUBLE, DOUBLE), DOUBLE, meaning, calls_library=True)


def all_rows() -> Iterator[Primitive]:
    yield from integer_rows(INT, a.wrap_int, 32)
    yield from integer_rows(LONG, a.wrap_long, 64)
    yield from floating_rows(FLOAT, a.round_float)
    yield from floating_rows(DOUBLE, lambda x: x)
    for kind in (BOOL, BYTE, CHAR, INT, LONG, FLOAT, DOUBLE):
        yield from comparison_rows(kind)
    yield from compare_to_rows()
    yield from conversion_rows()
    yield from mathematical_rows()


PRIMITIVES: Final[dict[str, Primitive]] = {row.name: row for row in all_rows()}
