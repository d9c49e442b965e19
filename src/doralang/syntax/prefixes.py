"""Parsing what stands in front of a declaration: annotations and modifiers.

They come before anybody knows what they belong to, so they are collected first and judged after.
"""

from __future__ import annotations

from doralang.syntax import tree
from doralang.syntax.cursor import MODIFIERS, Cursor
from doralang.syntax.tokens import NAME
from doralang.syntax.tree import Modifier
from doralang.text.records import field, record
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_FLAGS: Final = {name: Modifier[name.upper()] for name in MODIFIERS}
_ANNOTATIONS: Final = {
    "inline": Modifier.INLINE,
    "noinline": Modifier.NOINLINE,
    "raw": Modifier.RAW,
    "late": Modifier.LATE,
    "private": Modifier.PRIVATE,
}
_HINTS: Final = Modifier.INLINE | Modifier.NOINLINE
ANNOTATIONS: Final = _HINTS | Modifier.RAW | Modifier.LATE | Modifier.PRIVATE
DERIVE: Final = "derive"
"""behind `@`, with the traits in parentheses"""
PREFIX_STARTS: Final = MODIFIERS | {"@"}


@record(eq=True)
class Prefix:
    """The modifiers found, without those that were reported already."""

    flags: Modifier = Modifier.NONE
    found: list[tuple[Modifier, Span]] = field(default_factory=list)
    raw_span: Span | None = None
    derived: list[tree.Derivation] = field(default_factory=list)

    def add(self, flag: Modifier, span: Span) -> None:
        self.flags |= flag
        self.found.append((flag, span))
        if flag is Modifier.RAW:
            self.raw_span = span


NO_PREFIX: Final = Prefix()
"""that of most declarations; never added to"""


def prefix(c: Cursor) -> Prefix:
    """All annotations and modifiers here."""
    if c.kind not in PREFIX_STARTS:
        return NO_PREFIX
    found = Prefix()
    while c.kind in PREFIX_STARTS:
        if c.kind == "@":
            _annotation(c, found)
        else:
            _modifier(c, found)
    return found


def _modifier(c: Cursor, found: Prefix) -> None:
    flag, name, span = _FLAGS[c.kind], c.kind, c.take()
    if flag in found.flags:
        c.report("E0207", span, f"`{name}` is given twice")
    else:
        found.add(flag, span)


def _annotation(c: Cursor, found: Prefix) -> None:
    span = c.take()
    if c.kind != NAME:
        c.name()
        return
    name = c.take_text()
    if name == DERIVE:
        _derivation(c, found, span)
        return
    flag = _ANNOTATIONS.get(name)
    if flag is None:
        c.report("E0214", span, f"unknown annotation `@{name}`")
    elif flag in found.flags:
        c.report("E0214", span, f"`@{name}` is given twice")
    elif flag in _HINTS and found.flags & _HINTS:
        c.report("E0214", span, "`@inline` and `@noinline` contradict each other")
    elif found.flags & ~ANNOTATIONS:
        c.report("E0214", span, f"`@{name}` must stand before the modifiers")
    else:
        found.add(flag, span)


def _derivation(c: Cursor, found: Prefix, span: Span) -> None:
    """`(A, B)` behind `@derive`"""
    traits, fails = [], c.fails
    if c.expect("("):
        if c.kind == ")":
            c.name()  # at least one is needed
        traits = c.comma_list(")", _derived_trait, frozenset({NAME}))
    if c.fails != fails:
        traits.append(tree.NamedType(span, "", []))
    if found.flags & ~ANNOTATIONS:
        c.report("E0214", span, f"`@{DERIVE}` must stand before the modifiers")
    else:
        found.derived.append(c.spanning(tree.Derivation(span, traits), span.start))


def _derived_trait(c: Cursor) -> tree.NamedType:
    span = c.span()
    return tree.NamedType(span, c.name(), [])


def allow(c: Cursor, found: Prefix, allowed: Modifier, what: str, *, derives: bool = False) -> Modifier:
    """The modifiers that are allowed for `what`; the others are reported."""
    if found.derived and not derives:
        c.report("E0214", found.derived[0].span, f"`@{DERIVE}` is not allowed for {what}")
    for flag, span in found.found:
        if flag in allowed:
            continue
        name = (flag.name or "").lower()
        if flag in ANNOTATIONS:
            c.report("E0214", span, f"`@{name}` is not allowed for {what}")
        else:
            c.report("E0208", span, f"`{name}` is not allowed for {what}")
    return found.flags & allowed
