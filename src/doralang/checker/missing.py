"""Missing values in formulas: what is there, and what is not.

    coalesce(x, 0) + y    with x missing    ->    value: (false ? x : 0) + y    there: true
    b ? x : y             with x missing    ->    value: b ? x : y              there: b ? false : true

A formula is checked as if nothing were missing.  If an argument is, a host has it compiled once more for the
names that are, as two expressions: one says whether the result is there, the other has the value.  An
operation is missing if an operand is; of `and`, `or` and choices only what is evaluated counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doralang.syntax import tree
from doralang.text.records import all_fields_of
from doralang.text.recursion import HOP, on_fresh_stack

COALESCE: Final = "coalesce"
IS_MISSING: Final = "isMissing"

Missing = frozenset[str]
NOTHING: Final[Missing] = frozenset()
Expression = tree.Expression


def nothing_missing(node: Expression) -> Expression:
    """A formula whose `coalesce` and `isMissing` have nothing to look for."""
    waiting: list[tree.Node] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tree.Call) and one.name in (COALESCE, IS_MISSING):
            return Rewriter(NOTHING).value(node)
        waiting += tree.children(one)
    return node


class Rewriter:
    """Rewrites a formula for names that are missing.  Each node is rewritten once."""

    def __init__(self, missing: Missing) -> None:
        self.missing = missing
        self.values: dict[int, Expression] = {}
        self.truths: dict[int, Expression] = {}
        self.depth = 0

    def value(self, node: Expression) -> Expression:
        """The expression for the value, if it is there."""
        return self.rewritten(node, self.values, self._value)

    def rewritten(
        self, node: Expression, known: dict[int, Expression], rewrite: Callable[[Expression], Expression]
    ) -> Expression:
        found = known.get(id(node))
        if found is None:
            self.depth += 1
            found = rewrite(node) if self.depth % HOP else on_fresh_stack(lambda: rewrite(node))
            self.depth -= 1
            known[id(node)] = found
        return found

    def _value(self, node: Expression) -> Expression:
        if isinstance(node, tree.Call) and node.name == IS_MISSING and len(node.arguments) == 1:
            return negated(node, self.is_there(node.arguments[0]))
        if isinstance(node, tree.Call) and node.name == COALESCE and node.arguments:
            *others, last = node.arguments
            made = self.value(last)
            for argument in reversed(others):
                made = tree.Choice(node.span, self.is_there(argument), self.value(argument), made)
            return made
        return rebuilt(node, self.value)

    def is_there(self, node: Expression) -> Expression:
        """The expression for whether the value is there."""
        return self.rewritten(node, self.truths, self._is_there)

    def _is_there(self, node: Expression) -> Expression:
        if isinstance(node, tree.Name):
            return truth(node, node.name not in self.missing)
        if isinstance(node, tree.Call) and node.name == IS_MISSING:
            return truth(node, True)
        if isinstance(node, tree.Call) and node.name == COALESCE:
            made = truth(node, False)
            for argument in reversed(node.arguments):
                made = either(node, self.is_there(argument), made)
            return made
        if isinstance(node, tree.Choice):
            chosen = choice(
                node, self.value(node.condition), self.is_there(node.then), self.is_there(node.otherwise)
            )
            return both(node, self.is_there(node.condition), chosen)
        if isinstance(node, tree.Binary) and node.operator in ("&&", "||"):
            decides = self.value(node.left) if node.operator == "||" else negated(node, self.value(node.left))
            right = self.is_there(node.right)
            if not is_literal(right, True):
                right = either(node, decides, right)
            return both(node, self.is_there(node.left), right)
        made = truth(node, True)
        for child in tree.children(node):
            if isinstance(child, tree.Expression):
                made = both(node, made, self.is_there(child))
        return made


def rebuilt(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The node with other expressions in it; itself if nothing changes."""
    changed = {}
    for name in all_fields_of(node):
        old = getattr(node, name, None)
        if isinstance(old, list):
            new: object = [change(one) if isinstance(one, tree.Expression) else one for one in old]
            different = any(one is not other for one, other in zip(old, new, strict=True))  # type: ignore[call-overload]
        elif isinstance(old, tree.Expression):
            new = change(old)
            different = new is not old
        else:
            continue
        if different:
            changed[name] = new
    if not changed:
        return node
    made = object.__new__(type(node))
    for name in all_fields_of(node):
        if hasattr(node, name):
            setattr(made, name, changed.get(name, getattr(node, name)))
    return made


# Truth, computed as far as it is known.


def truth(node: Expression, value: bool) -> Expression:
    return tree.Boolean(node.span, value)


def is_literal(node: Expression, value: bool) -> bool:
    return isinstance(node, tree.Boolean) and node.value is value


def negated(node: Expression, operand: Expression) -> Expression:
    if isinstance(operand, tree.Boolean):
        return truth(node, not operand.value)
    return tree.Unary(node.span, "!", operand)


def both(node: Expression, left: Expression, right: Expression) -> Expression:
    if is_literal(left, True) or is_literal(right, False):
        return right
    if is_literal(right, True) or is_literal(left, False):
        return left
    return tree.Binary(node.span, "&&", left, right)


def either(node: Expression, left: Expression, right: Expression) -> Expression:
    if is_literal(left, False) or is_literal(right, True):
        return right
    if is_literal(right, False) or is_literal(left, True):
        return left
    return tree.Binary(node.span, "||", left, right)


def choice(node: Expression, condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    if any(is_literal(then, value) and is_literal(otherwise, value) for value in (True, False)):
        return then
    return tree.Choice(node.span, condition, then, otherwise)
