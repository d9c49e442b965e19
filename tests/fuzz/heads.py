"""What random programs may use of a stock of declarations: only what a program names is written into it.

A program of ten lines would otherwise carry a hundred that nobody calls but everybody parses and checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

_NAME = re.compile(r"\b[A-Za-z_]\w*")
_DECLARED = re.compile(r"(?:@derive\([^)]*\) )?(?:open )?(?:class|enum|trait|fun|var) (\w+)")
_METHOD = re.compile(r"\bfun (\w+)")
_IMPL = re.compile(r"impl(?:<.*?>)? (\w+)(?:<.*>)? for (\w+)")


class Declaration:
    """Some lines, the names that they use, and when they are needed: if of each group of names one is used."""

    def __init__(self, lines: list[str], methods: dict[str, set[str]]) -> None:
        self.lines = lines
        self.named = {name for line in lines for name in _NAME.findall(line)}
        impl, declared = _IMPL.match(lines[0]), _DECLARED.match(lines[0])
        assert impl or declared, lines[0]
        if impl:
            self.groups = [methods.get(impl[1], {impl[1]}), {impl[2]}]
        elif declared:
            self.groups = [methods.get(declared[1], {declared[1]})]


def pieces(lines: Iterable[str]) -> Iterator[list[str]]:
    """Each begins in the first column, and ends where the next one does."""
    found: list[str] = []
    for line in lines:
        if found and not line.startswith((" ", "}")):
            yield found
            found = []
        found.append(line)
    if found:
        yield found


@cache
def stock_of(heads: tuple[str, ...]) -> tuple[list[Declaration], set[str]]:
    """The declarations, and the names that they declare."""
    found = list(pieces(line for head in heads for line in head.strip().splitlines()))
    methods = {}  # of each trait, with its own name: who calls one may not name it
    for lines in found:
        if lines[0].startswith("trait "):
            name = _NAME.findall(lines[0])[1]
            methods[name] = {name, *_METHOD.findall("\n".join(lines))}
    own = {declared[1] for lines in found if (declared := _DECLARED.match(lines[0]))}
    return [Declaration(lines, methods) for lines in found], own


def used(heads: tuple[str, ...], program: list[str]) -> list[str]:
    """The lines of those declarations that a program needs, in their order."""
    stock, own = stock_of(heads)
    named = {name for line in program for name in _NAME.findall(line)}
    needed: set[int] = set()
    while True:
        more = [
            at
            for at, one in enumerate(stock)
            if at not in needed and all(group & named or not group & own for group in one.groups)
        ]
        if not more:
            return [line for at in sorted(needed) for line in stock[at].lines]
        needed.update(more)
        for at in more:
            named |= stock[at].named
