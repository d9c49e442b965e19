"""Algebraic laws, as rows that can be read: what is on the left is computed as what is on the right.

    x * 0  ->  0
    (x + c) + d  ->  x + (c + d)
    x * c  ->  x << log2(c)        if power(c)

`x` and `y` are any values, `c` and `d` constants; what is made of constants alone is computed now.  `x / c`
rounds toward zero as the language says, shifts take the low bits of their counts.  `ushr(x, y)` is the shift
that brings in zeros.  Integer laws hold for `int` and `long`.  A test checks each row for all values of a
small width, in which all integers have few bits; floating ones for values that are known to make trouble.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

INTEGER_LAWS: Final = """
x + 0  ->  x
x - 0  ->  x
x - x  ->  0
x - c  ->  x + -c
(x + c) + d  ->  x + (c + d)
(x + y) - y  ->  x
(x + y) - x  ->  y
(x - y) + y  ->  x
x - (x - y)  ->  y
c - (x + d)  ->  (c - d) - x
x + -y  ->  x - y
x - -y  ->  x + y
- -x  ->  x
0 - x  ->  -x
-(x - y)  ->  y - x
x * 0  ->  0
x * 1  ->  x
x * -1  ->  -x
(x * c) * d  ->  x * (c * d)
x * c  ->  x << log2(c)                    if power(c)
x / 1  ->  x
x / -1  ->  -x
x % 1  ->  0
x % -1  ->  0
x & 0  ->  0
x & -1  ->  x
x & x  ->  x
(x & c) & d  ->  x & (c & d)
x | 0  ->  x
x | -1  ->  -1
x | x  ->  x
(x | c) | d  ->  x | (c | d)
x ^ 0  ->  x
x ^ x  ->  0
x ^ -1  ->  ~x
(x ^ c) ^ d  ->  x ^ (c ^ d)
~~x  ->  x
x << 0  ->  x
x >> 0  ->  x
ushr(x, 0)  ->  x
x == x  ->  true
x != x  ->  false
x < x  ->  false
x <= x  ->  true
x > x  ->  false
x >= x  ->  true
x + c == d  ->  x == d - c
x + c != d  ->  x != d - c
x ^ y == 0  ->  x == y
x ^ y != 0  ->  x != y
x - y == 0  ->  x == y
x - y != 0  ->  x != y
x % c == 0  ->  x & (c - 1) == 0           if power(c)
x % c != 0  ->  x & (c - 1) != 0           if power(c)
not (x == y)  ->  x != y
not (x != y)  ->  x == y
not (x < y)  ->  x >= y
not (x <= y)  ->  x > y
not (x > y)  ->  x <= y
not (x >= y)  ->  x < y
"""

BOOL_LAWS: Final = """
not not x  ->  x
x == true  ->  x
x == false  ->  not x
x != true  ->  not x
x != false  ->  x
x == x  ->  true
x != x  ->  false
"""

FLOATING_LAWS: Final = """
x * 1.0  ->  x
x - 0.0  ->  x
x / 1.0  ->  x
x / c  ->  x * (1.0 / c)                   if exact(c)
- -x  ->  x
"""

CONVERSION_LAWS: Final = """
long_toInt(int_toLong(x))  ->  x
int_toByte(byte_toInt(x))  ->  x
int_toCharUnchecked(char_toInt(x))  ->  x
long_toByte(byte_toLong(x))  ->  x
int_toLong(byte_toInt(x))  ->  byte_toLong(x)
"""
"""names of rows, with `_` for the dot"""

ORDERS: Final = {
    "less": "greater",
    "lessEquals": "greaterEquals",
    "greater": "less",
    "greaterEquals": "lessEquals",
}
"""what a comparison becomes with its operands exchanged"""

BINARY: Final = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "div",
    ast.Mod: "mod",
    ast.BitAnd: "bitwiseAnd",
    ast.BitOr: "bitwiseOr",
    ast.BitXor: "bitwiseXor",
    ast.LShift: "shiftLeft",
    ast.RShift: "shiftRight",
    ast.Eq: "equals",
    ast.NotEq: "notEquals",
    ast.Lt: "less",
    ast.LtE: "lessEquals",
    ast.Gt: "greater",
    ast.GtE: "greaterEquals",
}
UNARY: Final = {ast.USub: "unaryMinus", ast.Invert: "not"}
COMPARISONS: Final = frozenset(["equals", "notEquals", *ORDERS])
CONSTANTS: Final = ("c", "d")
NAMED: Final = {"true": True, "false": False}


class Operation(NamedTuple):
    row: Primitive
    operands: tuple[Any, ...]
    """each an `Operation`, a `LawVariable`, or a constant"""


class LawVariable(NamedTuple):
    name: str
    is_constant: bool
    kind: Kind


Term = Operation | LawVariable | bool | int | float


class Law(NamedTuple):
    """`text` is the row; the condition is a function of the constants' values."""

    text: str
    left: Operation
    right: Term
    condition: Callable[[dict[str, Any]], bool] | None


# The functions of constants.


def power(value: int) -> bool:
    """Whether a constant is a power of two, and more than 1: 2, 4, … that have a sign bit of zero."""
    return value > 1 and value & (value - 1) == 0


def log2(value: int) -> int:
    return value.bit_length() - 1


def exact(value: float) -> bool:
    """Whether 1 / value has no error and is an ordinary number: a power of two that is not too far out."""
    if value != value or value in (0.0, math.inf, -math.inf):
        return False
    above, below = abs(value).as_integer_ratio()
    return above & (above - 1) == below & (below - 1) == 0 and max(above, below) < 1 << 100


FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {"power": power, "log2": log2, "exact": exact}


class Reading:
    """One law, read for a kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def term(self, node: ast.expr, kind: Kind | None = None) -> Any:
        """A term; of the kind of the law where nothing says more."""
        kind = kind or self.kind
        match node:
            case ast.Name(id=name) if name in NAMED:
                return NAMED[name]
            case ast.Name(id=name):
                return LawVariable(name, name in CONSTANTS, kind)
            case ast.Constant(value=value):
                assert isinstance(value, int | float)
                return value
            case ast.BinOp(left, operator, right):
                return self.operation(BINARY[type(operator)], left, right)
            case ast.Compare(left, [comparison], [right]):
                return self.operation(BINARY[type(comparison)], left, right)
            case ast.UnaryOp(ast.USub(), ast.Constant(value=value)):
                assert isinstance(value, int | float)
                return -value
            case ast.UnaryOp(ast.Not(), operand):
                return Operation(PRIMITIVES["bool.not"], (self.term(operand),))
            case ast.UnaryOp(operator, operand):
                return self.operation(UNARY[type(operator)], operand)
            case ast.Call(ast.Name(id="ushr"), [left, right]):
                return self.operation("unsignedShiftRight", left, right)
            case ast.Call(ast.Name(id=name), [operand]) if name in FUNCTIONS:
                return (FUNCTIONS[name], self.term(operand))
            case ast.Call(ast.Name(id=name), [operand]):
                row = PRIMITIVES[name.replace("_", ".")]
                return Operation(row, (self.term(operand, row.operands[0]),))
        raise AssertionError(f"no law is made of {ast.dump(node)}")

    def operation(self, name: str, *operands: ast.expr) -> Operation:
        row = PRIMITIVES[f"{self.kind.value}.{name}"]
        return Operation(
            row, tuple([self.term(one, kind) for one, kind in zip(operands, row.operands, strict=True)])
        )


def read_law(text: str, kind: Kind) -> Law:
    law, _, condition = text.partition("   if ")
    left, right = (ast.parse(side.strip(), mode="eval").body for side in law.split("->"))
    reading = Reading(kind)
    read = reading.term(left)
    assert isinstance(read, Operation)
    test = None
    if condition:
        wanted = reading.term(ast.parse(condition.strip(), mode="eval").body)
        test = conditions(wanted)
    return Law(" ".join(text.split()), read, reading.term(right), test)


def conditions(wanted: Any) -> Callable[[dict[str, Any]], bool]:
    function, variable = wanted

    def holds(values: dict[str, Any]) -> bool:
        return bool(function(values[variable.name]))

    return holds


def lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line)


def all_laws() -> Iterator[Law]:
    for kind in (INT, LONG):
        yield from (read_law(line, kind) for line in lines(INTEGER_LAWS))
    yield from (read_law(line, BOOL) for line in lines(BOOL_LAWS))
    for kind in (FLOAT, DOUBLE):
        yield from (read_law(line, kind) for line in lines(FLOATING_LAWS))
    yield from (read_law(line, INT) for line in lines(CONVERSION_LAWS))


@cache
def laws_by_row() -> dict[Primitive, list[Law]]:
    """The laws by the operation on the left."""
    result: dict[Primitive, list[Law]] = {}
    for law in all_laws():
        result.setdefault(law.left.row, []).append(law)
    return result
