"""Formulas on doubles: from the small tree of the direct path to packed code.

sin(x) * y      ->      a dozen fused products for all lanes, instead of a call of the C library for each
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from doralang.embed.levels import packer
from doralang.machine.packed.primitives import NotPacked, Packer, Term
from doralang.machine.packed.programs import WIDE
from doralang.machine.x64.kernels import CHAINS
from doralang.types.kinds import DOUBLE

if TYPE_CHECKING:
    from doralang.machine.packed.primitives import Functions
    from doralang.machine.x64.doubles import Node

DEEPEST: Final = 120
ARITHMETIC: Final = {"+": "plus", "-": "minus", "*": "times", "/": "div"}
COMPARISONS: Final = {
    "==": "equals",
    "!=": "notEquals",
    "<": "less",
    "<=": "lessEquals",
    ">": "greater",
    ">=": "greaterEquals",
}
SAME_BITS: Final = frozenset({"sqrt", "floor", "ceil", "trunc", "round"})
"""functions that are primitives with a packed form of their own"""


def tree_code(node: Node, scalars: Sequence[bool], functions: Functions | None = None) -> bytearray | None:
    """The kernel for variables of which these are single numbers; none if something has no packed form.

    `functions` are those of fast mathematics; without them all is exact.
    """
    made = packer()(WIDE, scalars, functions)
    try:
        made.store(TreeTranslator(made).value(node))
    except NotPacked:
        return None
    return made.kernel()


class TreeTranslator:
    """Adds a tree to a program."""

    def __init__(self, packer: Packer) -> None:
        self.packer = packer
        self.depth = 0

    def value(self, node: Node) -> Term:
        """Chains to the left need no recursion."""
        chain = []
        while node[0] in CHAINS:
            chain.append(node)
            node = node[-2]
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotPacked
        term = VALUES[node[0]](self, node)
        for link in reversed(chain):
            term = self.joined(link, term, self.value(link[-1]))
        self.depth -= 1
        return term

    def joined(self, node: Node, left: Term, right: Term) -> Term:
        if node[0] == "binary":
            return self.packer.primitive(f"double.{ARITHMETIC[node[1]]}", [left, right])
        return self.packer.both(left, right) if node[0] == "and" else self.packer.either(left, right)

    def primitive(self, name: str, *nodes: Node) -> Term:
        return self.packer.primitive(f"double.{name}", [self.value(node) for node in nodes])

    def variable(self, node: Node) -> Term:
        return self.packer.variable(node[1], DOUBLE)

    def number(self, node: Node) -> Term:
        return self.packer.constant(node[1], DOUBLE)

    def negate(self, node: Node) -> Term:
        return self.primitive("unaryMinus", node[1])

    def compare(self, node: Node) -> Term:
        return self.primitive(COMPARISONS[node[1]], node[2], node[3])

    def choice(self, node: Node) -> Term:
        return self.packer.choice(*[self.value(part) for part in node[1:]])

    def opposite(self, node: Node) -> Term:
        return self.packer.opposite(self.value(node[1]))

    def function(self, node: Node) -> Term:
        name, terms = node[1], [self.value(argument) for argument in node[2]]
        if name in SELECTING:
            return SELECTING[name](self, *terms)
        if name in SAME_BITS:
            return self.packer.primitive(f"double.{name}", terms)
        return self.packer.function(name, terms)

    def extreme(self, left: Term, right: Term, instruction: str, of_equal: str) -> Term:
        """Of equal numbers the sign is that of both together; the first one counts if it is no number."""
        packer = self.packer
        found = packer.double(instruction, left, right)
        equal = packer.compare("equals", left, right)
        found = packer.choice(equal, packer.double(of_equal, left, right), found)
        return packer.choice(packer.is_no_number(left), left, found)

    def maximum(self, left: Term, right: Term) -> Term:
        return self.extreme(left, right, "vmaxpd", "vandpd")

    def minimum(self, left: Term, right: Term) -> Term:
        return self.extreme(left, right, "vminpd", "vorpd")

    def clamp(self, value: Term, low: Term, high: Term) -> Term:
        return self.minimum(self.maximum(value, low), high)

    def absolute(self, value: Term) -> Term:
        return self.packer.absolute(value)


SELECTING: Final[dict[str, Callable[..., Term]]] = {
    "max": TreeTranslator.maximum,
    "min": TreeTranslator.minimum,
    "clamp": TreeTranslator.clamp,
    "abs": TreeTranslator.absolute,
}
VALUES: Final[dict[str, Callable[[TreeTranslator, Node], Term]]] = {
    "variable": TreeTranslator.variable,
    "number": TreeTranslator.number,
    "negate": TreeTranslator.negate,
    "choice": TreeTranslator.choice,
    "function": TreeTranslator.function,
    "compare": TreeTranslator.compare,
    "not": TreeTranslator.opposite,
}
