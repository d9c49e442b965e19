"""Patterns to bytecode: the parts of a value are loaded where a variable gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FieldRef
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import Pattern
from doralang.lower.body import BodyLowering
from doralang.lower.expressions import load_element
from doralang.lower.variables import bind
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def destructure(body: BodyLowering, node: typed.Destructure, into: Register | None) -> Register:
    value = body.value(node.value)
    if not body.builder.reachable:
        return NO_REGISTER
    bind_parts(body, node.pattern, value, node.span)
    body.done(value)
    return NO_REGISTER


def bind_parts(body: BodyLowering, pattern: Pattern, value: Register, span: Span) -> None:
    """Give the variables of a pattern that always fits the parts of a value."""
    while isinstance(pattern, typed.Bound):
        bind(body, pattern.local, value, span)
        pattern = pattern.pattern
    if isinstance(pattern, typed.TupleOf):
        fields = body.specializer.class_ref(body.class_type(pattern.type)).fields
    elif isinstance(pattern, typed.VariantOf) and pattern.variant.made is not None:
        made = pattern.variant.made.of(body.class_type(pattern.type).arguments)
        fields = body.specializer.class_ref(made).fields[1:]
    else:
        return
    for part, field in zip(pattern.parts, fields, strict=True):
        if binds(part):
            element = load_part(body, pattern, value, field, span)
            bind_parts(body, part, element, span)
            body.done(element)


def load_part(body: BodyLowering, pattern: Pattern, value: Register, field: FieldRef, span: Span) -> Register:
    if isinstance(pattern, typed.TupleOf):
        return load_element(body, value, field, span)
    register = body.temporary(field.kind)
    body.emit(i.LoadField(register, value, field), span)
    return register


def binds(pattern: Pattern) -> bool:
    """Whether a pattern has variables."""
    return any(isinstance(one, typed.Bound) for one in within(pattern))


def within(pattern: Pattern) -> Iterator[Pattern]:
    """A pattern and those in it."""
    waiting = [pattern]
    while waiting:
        pattern = waiting.pop()
        yield pattern
        if isinstance(pattern, typed.Bound):
            waiting.append(pattern.pattern)
        elif isinstance(pattern, typed.TupleOf | typed.VariantOf):
            waiting += pattern.parts
        elif isinstance(pattern, typed.FieldOf):
            waiting.append(pattern.pattern)


LEAVES: Final[dict[type, Callable[..., Register]]] = {typed.Destructure: destructure}
