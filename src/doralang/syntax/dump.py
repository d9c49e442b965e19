"""Printing tokens and trees for people who look inside (`--emit=tokens`, `--emit=ast`).

1 + x;      ->      ExpressionStatement 1:1
                      expression: Binary 1:3 operator=+
                        left: Number 1:1 kind=int value=1
                        right: Name 1:5 name=x
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, Flag
from typing import Final, NamedTuple

from doralang.syntax import tree
from doralang.syntax.tokens import END, Tokens
from doralang.text.records import fields_of
from doralang.text.source import Source

_PLAIN: Final = re.compile(r"\w+|[^\w\s'\"]{1,3}")
_LONG_SPINE: Final = 50
"""Chains of more links are printed flat: indented, they would fill the disk."""


def dump_tokens(tokens: Tokens) -> str:
    """One line a token: position, kind, and the text where the kind does not say it."""
    return "".join(_token_line(tokens, index) for index in range(len(tokens.kinds)))


def _token_line(tokens: Tokens, index: int) -> str:
    kind, text = tokens.kinds[index], tokens.text(index)
    position = tokens.source.position(tokens.starts[index])
    shown = "" if kind is END or kind == text else " " + text.replace("\n", "\\n")
    return f"{position} {kind}{shown}\n"


class _Entry(NamedTuple):
    depth: int
    label: str
    node: tree.Node
    omitted: tuple[str, ...] = ()
    """fields that are printed elsewhere"""


def dump(node: tree.Node, source: Source | None = None) -> str:
    """The tree as indented lines, with positions if the source is given."""
    lines: list[str] = []
    stack = [_Entry(0, "", node)]
    while stack:
        entry = stack.pop()
        links = _long_spine(entry)
        if links is None:
            lines.append(_line(entry, source))
            stack.extend(reversed(list(_children(entry))))
        else:
            lines.append(f"{'  ' * entry.depth}{entry.label}Chain\n")
            stack.extend(reversed(links))
    return "".join(lines)


def _long_spine(entry: _Entry) -> list[_Entry] | None:
    """The leftmost operand and the links of a long chain, each without what is on its left."""
    if entry.omitted or not isinstance(entry.node, tree.Link):
        return None
    first, links = tree.spine(entry.node)
    if len(links) <= _LONG_SPINE:
        return None
    depth = entry.depth + 1
    chain = [_Entry(depth, "", link, ("left", "receiver")) for link in links]
    return [_Entry(depth, "", first), *chain]


def _line(entry: _Entry, source: Source | None) -> str:
    node = entry.node
    parts = [type(node).__name__]
    if source:
        parts.append(str(source.position(node.span.start)))
    for name, value in _values(node):
        if shown := _scalar(value):
            parts.append(f"{name}={shown}")
    return f"{'  ' * entry.depth}{entry.label}{' '.join(parts)}\n"


def _scalar(value: object) -> str:
    """A value that is no node; empty if it says nothing."""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, Flag):
        return "|".join((flag.name or "").lower() for flag in value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else repr(value)
    return str(value) if isinstance(value, int | float) else ""


def _values(node: tree.Node) -> Iterator[tuple[str, object]]:
    for name in fields_of(node):
        yield name, getattr(node, name)


def _children(entry: _Entry) -> Iterator[_Entry]:
    depth = entry.depth + 1
    for name, value in _values(entry.node):
        if name in entry.omitted:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, tree.Node):
                yield _Entry(depth, f"{name}: ", item)
