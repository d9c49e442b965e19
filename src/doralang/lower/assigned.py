"""Which locals an expression assigns to, through the blocks in it.

x + { x = 5; x }      the right operand assigns to `x`: the left one must be a copy
"""

from __future__ import annotations

from collections.abc import Iterator

from doralang.checker import program as typed
from doralang.text.records import fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_NODES: Final = (typed.Expression, typed.StatementBase, typed.Catch, typed.MatchArm)


def assigned_locals(node: Any) -> Iterator[typed.Local]:
    """Each local that is set somewhere in a node, perhaps several times."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += node
        elif isinstance(node, _NODES):
            if isinstance(node, typed.SetLocal):
                yield node.local
            waiting += (getattr(node, name) for name in fields_of(node) if name not in ("span", "type"))
