"""Whether all paths of a function return, and where not (10.3)."""

from __future__ import annotations

from doralang.syntax import tree
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span


@record(eq=True)
class Known:
    """What is known about the nodes of one body, by their identity.

    `endless` are nodes that control never gets behind, as their types say or because no `break` leaves the
    loop.  `blocks` is what was found out, so that deep nesting is not walked again at each level.  A function
    is left by `return` and `throw` only, and a `loop` counts by its body (10.3).  `strict` is for blocks as
    operands: any jump leaves them, and nothing counts that control could get behind.
    """

    strict: bool = False
    endless: set[int] = field(default_factory=set)
    blocks: dict[int, bool] = field(default_factory=dict)


def returns(node: tree.Statement | tree.Expression, known: Known, depth: int = 1) -> bool:
    """Whether a statement or tail never lets the path go on behind it.

    What the parser skipped may have returned, so it counts as returning.
    """
    if isinstance(node, tree.Return | tree.Throw | tree.InvalidStatement):
        return True
    if id(node) in known.endless:
        return True
    if isinstance(node, tree.Break | tree.Continue):
        return known.strict
    if isinstance(node, tree.Block):
        found = known.blocks.get(id(node))
        if found is None:
            found = known.blocks[id(node)] = _block_returns(node, known, depth + 1)
        return found
    if isinstance(node, tree.If):
        return node.otherwise is not None and all(
            returns(body, known, depth) for body in [*(arm.body for arm in node.arms), node.otherwise]
        )
    if isinstance(node, tree.Match):
        return all(returns(arm.body, known, depth) for arm in node.arms)
    if isinstance(node, tree.Loop):
        return not known.strict and returns(node.body, known, depth)
    if isinstance(node, tree.Do):
        if node.last is not None and returns(node.last, known, depth):
            return True
        return all(returns(body, known, depth) for body in [node.body, *(one.body for one in node.catches)])
    return False


def _block_returns(node: tree.Block, known: Known, depth: int) -> bool:
    parts = [*node.statements, node.tail] if node.tail is not None else node.statements
    if depth % HOP == 0:
        return on_fresh_stack(lambda: any(returns(one, known, depth) for one in parts))
    return any(returns(one, known, depth) for one in parts)


def falls_through(node: tree.Statement | tree.Expression, known: Known) -> Span:
    """The place to blame in a statement that does not return: a loop down to the last one."""
    while True:
        inner: tree.Statement | tree.Expression | None = None
        if isinstance(node, tree.Block):
            statements = [one for one in node.statements if not isinstance(one, tree.Empty)]
            inner = node.tail or (statements[-1] if statements else None)
        elif isinstance(node, tree.If):
            inner = next((arm.body for arm in node.arms if not returns(arm.body, known)), node.otherwise)
            if inner is None:
                return missing_else(node)
        elif isinstance(node, tree.Match):
            inner = next(arm.body for arm in node.arms if not returns(arm.body, known))
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
