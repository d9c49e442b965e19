"""Whether all paths of a function return, and where not (10.3)."""

from __future__ import annotations

from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span

Known = dict[int, bool]
"""What was found out about blocks, by their identity: deep nesting is not walked again at each level."""


def returns(node: tree.Statement, known: Known, depth: int = 1) -> bool:
    """Whether a statement never lets the path go on behind it.

    What the parser skipped may have returned, so it counts as returning.
    """
    if isinstance(node, tree.Return | tree.Throw | tree.InvalidStatement):
        return True
    if isinstance(node, tree.Block):
        found = known.get(id(node))
        if found is None:
            found = known[id(node)] = _block_returns(node, known, depth + 1)
        return found
    if isinstance(node, tree.If):
        return node.otherwise is not None and all(
            returns(body, known, depth) for body in [*(arm.body for arm in node.arms), node.otherwise]
        )
    if isinstance(node, tree.Loop):
        return returns(node.body, known, depth)
    if isinstance(node, tree.Do):
        if node.last is not None and returns(node.last, known, depth):
            return True
        return all(returns(body, known, depth) for body in [node.body, *(one.body for one in node.catches)])
    return False


def _block_returns(node: tree.Block, known: Known, depth: int) -> bool:
    if depth % HOP == 0:
        return on_fresh_stack(lambda: any(returns(one, known, depth) for one in node.statements))
    return any(returns(one, known, depth) for one in node.statements)


def falls_through(node: tree.Statement, known: Known) -> Span:
    """The place to blame in a statement that does not return: a loop down to the last one."""
    while True:
        inner: tree.Statement | None = None
        if isinstance(node, tree.Block):
            statements = [one for one in node.statements if not isinstance(one, tree.Empty)]
            inner = statements[-1] if statements else None
        elif isinstance(node, tree.If):
            inner = next((arm.body for arm in node.arms if not returns(arm.body, known)), node.otherwise)
            if inner is None:
                return missing_else(node)
        elif isinstance(node, tree.Loop):
            inner = node.body
        elif isinstance(node, tree.Do):
            bodies = [node.body, *(catch.body for catch in node.catches)]
            inner = next(body for body in bodies if not returns(body, known))
        if inner is None:
            return node.span
        node = inner


def missing_else(node: tree.If) -> Span:
    """A chain without `else`: its last `if` is the one that lacks it."""
    return node.arms[-1].span
