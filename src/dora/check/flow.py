"""Whether all paths of a function return, and where not (10.3)."""

from __future__ import annotations

from dora.syntax import tree
from dora.text.recursion import HOP, on_fresh_stack
from dora.text.source import Span


def returns(node: tree.Statement, depth: int = 1) -> bool:
    """Whether a statement never lets the path go on behind it.

    What the parser skipped may have returned, so it counts as returning.
    """
    if depth % HOP == 0:
        return on_fresh_stack(lambda: returns(node, depth + 1))
    depth += 1
    if isinstance(node, tree.Return | tree.Throw | tree.InvalidStatement):
        return True
    if isinstance(node, tree.Block):
        return any(returns(statement, depth) for statement in node.statements)
    if isinstance(node, tree.If):
        return node.otherwise is not None and all(
            returns(body, depth) for body in [*(arm.body for arm in node.arms), node.otherwise]
        )
    if isinstance(node, tree.Loop):
        return returns(node.body, depth)
    if isinstance(node, tree.Do):
        if node.last is not None and returns(node.last, depth):
            return True
        return returns(node.body, depth) and all(returns(catch.body, depth) for catch in node.catches)
    return False


def falls_through(node: tree.Statement) -> Span:
    """The place to blame in a statement that does not return: a loop down to the last one."""
    while True:
        inner: tree.Statement | None = None
        if isinstance(node, tree.Block):
            statements = [one for one in node.statements if not isinstance(one, tree.Empty)]
            inner = statements[-1] if statements else None
        elif isinstance(node, tree.If):
            inner = next((arm.body for arm in node.arms if not returns(arm.body)), node.otherwise)
            if inner is None:
                return missing_else(node)
        elif isinstance(node, tree.Loop):
            inner = node.body
        elif isinstance(node, tree.Do):
            bodies = [node.body, *(catch.body for catch in node.catches)]
            inner = next(body for body in bodies if not returns(body))
        if inner is None:
            return node.span
        node = inner


def missing_else(node: tree.If) -> Span:
    """A chain without `else`: its last `if` is the one that lacks it."""
    return node.arms[-1].span
