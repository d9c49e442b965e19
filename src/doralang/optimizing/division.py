"""Pass: division by a constant is a multiplication and shifts.

    n5 = int.div(n1, 10)      n6 = long.times(int.toLong(n1), 3435973837)
                              n5 = int.minus(long.toInt(long.shiftRight(n6, 35)), int.shiftRight(n1, 31))
    n7 = int.mod(n1, 8)       n1 less its quotient, times 8

(Granlund, Montgomery: Division by Invariant Integers using Multiplication, 1994, figure 5.1.  For a divisor
d of N bits and l = the bits of d - 1, m = 1 + floor(2 ** (N + l - 1) / d) gives the quotient as the high bits
of m * x, plus one for x below 0.)  Powers of two need no multiplication: what rounds toward zero is added
before the shift.
"""

from __future__ import annotations

from typing import Final

from doralang.bytecode import instructions as i
from doralang.optimizing.graph import Graph, Node, find, floating_nodes, replace, resolve
from doralang.types.kinds import INT, LONG, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

BITS: Final = {INT: 32, LONG: 64}
DIVISIONS: Final[dict[Primitive, Kind]] = {PRIMITIVES[f"{kind.value}.div"]: kind for kind in BITS}
REMAINDERS: Final[dict[Primitive, Kind]] = {PRIMITIVES[f"{kind.value}.mod"]: kind for kind in BITS}


def replace_divisions(graph: Graph) -> int:
    """How many divisions went."""
    found = 0
    for node in floating_nodes(graph):
        if node.op is not i.Compute or node.stand_in is not None:
            continue
        kind = DIVISIONS.get(node.operation) or REMAINDERS.get(node.operation)
        if kind is None:
            continue
        value, divisor = resolve(node)
        if not 2 <= abs(divisor.data[0]) < 1 << BITS[kind] - 1:
            continue
        writer = Writer(graph, node, kind)
        by = divisor.data[0]
        replace(node, writer.quotient(value, by) if node.operation in DIVISIONS else writer.rest(value, by))
        found += 1
    return found


class Writer:
    """Makes the nodes for one division."""

    def __init__(self, graph: Graph, node: Node, kind: Kind) -> None:
        self.graph, self.chain, self.kind, self.bits = graph, node.chain, kind, BITS[kind]

    def compute(self, name: str, *operands: Node | int, kind: Kind | None = None) -> Node:
        kind = kind or self.kind
        row = PRIMITIVES[f"{kind.value}.{name}"]
        inputs = [
            self.graph.constant(one, wanted, self.chain) if isinstance(one, int) else find(one)
            for one, wanted in zip(operands, row.operands, strict=True)
        ]
        return self.graph.compute(row, tuple(inputs), self.chain)

    def quotient(self, value: Node, divisor: int) -> Node:
        """value / divisor, rounded toward zero."""
        size = abs(divisor)
        if size & (size - 1) == 0:
            result = self.shifted(value, size.bit_length() - 1)
        else:
            result = self.multiplied(value, size)
        return result if divisor > 0 else self.compute("unaryMinus", result)

    def shifted(self, value: Node, shift: int) -> Node:
        """By a power of two: numbers below zero are rounded up, so what is lost is added before."""
        lost = self.compute("unsignedShiftRight", self.sign(value), self.bits - shift)
        return self.compute("shiftRight", self.compute("plus", value, lost), shift)

    def multiplied(self, value: Node, divisor: int) -> Node:
        factor, shift = magic(divisor, self.bits)
        if self.kind is INT:
            long = self.compute("toLong", value)
            product = self.compute("times", long, factor, kind=LONG)
            high = self.compute("shiftRight", product, self.bits + shift, kind=LONG)
            result = self.compute("toInt", high, kind=LONG)
        else:
            result = self.high_product(value, factor)
            if shift:
                result = self.compute("shiftRight", result, shift)
        return self.compute("minus", result, self.sign(value))

    def high_product(self, value: Node, factor: int) -> Node:
        """The upper half of a product whose factor needs all bits of a word, and no sign.

        The row multiplies without signs, which counts a value below zero as 2 ** 64 more.
        """
        constant = self.graph.constant(factor - (factor >> 63 << 64), LONG, self.chain)
        high = self.graph.compute(PRIMITIVES["multiplyHigh"], (value, constant), self.chain)
        return self.compute("minus", high, self.compute("bitwiseAnd", self.sign(value), constant))

    def sign(self, value: Node) -> Node:
        """-1 below zero, else 0."""
        return self.compute("shiftRight", value, self.bits - 1)

    def rest(self, value: Node, divisor: int) -> Node:
        """value % divisor, whose sign is that of the value."""
        size = abs(divisor)
        quotient = self.quotient(value, size)
        if size & (size - 1) == 0:
            whole = self.compute("shiftLeft", quotient, size.bit_length() - 1)
        else:
            whole = self.compute("times", quotient, size)
        return self.compute("minus", value, whole)


def magic(divisor: int, bits: int) -> tuple[int, int]:
    """The factor, and by how much the upper half of the product is shifted."""
    length = max((divisor - 1).bit_length(), 1)
    return 1 + (1 << bits + length - 1) // divisor, length - 1
