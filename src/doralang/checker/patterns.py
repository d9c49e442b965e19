"""Patterns: what they bind, and whether they go with a type (section 5.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.messages import count
from doralang.checker.program import Class, Local, Pattern
from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.types import ERROR, ClassType, Type


@dataclass(slots=True)
class Binder:
    """What the patterns of one place bind; all of it is visible once the whole pattern is checked."""

    body: Body
    mutable: bool = False
    locals: dict[str, Local] = field(default_factory=dict)
    depth: int = 0

    def bind(self, name: str, span: Span, type: Type) -> Pattern:
        """The pattern of a new variable."""
        body = self.body
        if name in self.locals:
            body.error("E0710", span, name=name)
            return typed.AnyValue()
        if isinstance(body.unit.names.get(name), Class):
            body.error("E0305", span, name=name)
            type = ERROR
        local = self.locals[name] = body.temporary(name, type, self.mutable, span)
        body.context.note(span.start, local)
        return typed.Bound(local, typed.AnyValue())

    def enter(self) -> None:
        """Make the variables visible in the innermost scope."""
        self.body.scopes[-1].update(self.locals)


def check_pattern(binder: Binder, node: tree.Pattern, type: Type) -> Pattern:
    """The pattern for values of a type."""
    binder.depth += 1
    try:
        if binder.depth % HOP == 0:
            return on_fresh_stack(lambda: pattern_here(binder, node, type))
        return pattern_here(binder, node, type)
    finally:
        binder.depth -= 1


def pattern_here(binder: Binder, node: tree.Pattern, type: Type) -> Pattern:
    if isinstance(node, tree.NamePattern):
        return binder.bind(node.name, node.span, type)
    if isinstance(node, tree.TuplePattern):
        return tuple_pattern(binder, node, type)
    if isinstance(node, tree.InvalidPattern):
        binder.body.incomplete = True
    return typed.AnyValue()


def tuple_pattern(binder: Binder, node: tree.TuplePattern, type: Type) -> Pattern:
    if isinstance(type, ClassType) and type.head.is_tuple:
        return typed.TupleOf(type, check_parts(binder, node, str(type), type.arguments))
    check_anyway(binder, node.parts)
    if not binder.body.is_unknown(type):
        binder.body.error("E0704", node.span, expected=type, found="a tuple")
    return typed.AnyValue()


def check_parts(binder: Binder, node: tree.TuplePattern, name: str, types: tuple[Type, ...]) -> list[Pattern]:
    """The patterns of all parts; `..` stands for those that are left."""
    parts = node.parts
    if len(parts) > len(types) or (len(parts) < len(types) and not node.rest):
        found, expected = str(len(parts)), count(len(types), "part")
        binder.body.error("E0705", node.span, name=name, expected=expected, found=found)
        check_anyway(binder, parts)
        return [typed.AnyValue() for _ in types]
    checked = [check_pattern(binder, part, type) for part, type in zip(parts, types, strict=False)]
    return checked + [typed.AnyValue() for _ in types[len(parts) :]]


def check_anyway(binder: Binder, nodes: list[tree.Pattern]) -> None:
    """Bind the names of patterns that are wrong already."""
    for node in nodes:
        check_pattern(binder, node, ERROR)
