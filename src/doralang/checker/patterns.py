"""Patterns: what they bind, and whether they go with a type (section 10.4)."""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.arguments import explicit_arguments
from doralang.checker.body import Body
from doralang.checker.constants import ConstantChecker
from doralang.checker.messages import count
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Local, Pattern, Variant
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import ConstantName
from doralang.checker.trait_objects import OBJECT, VALUE, type_of_holder, type_target
from doralang.syntax import tree
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.types import (
    BYTE,
    CHAR,
    ERROR,
    INT,
    LONG,
    ClassType,
    EnumType,
    Type,
    is_assignable,
    is_reference,
    is_trait_type,
    may_be_nil,
    substitute,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


@record(eq=True)
class Binder:
    """What the patterns of one place bind; all of it is visible once the whole pattern is checked.

    `bound` are the names that the alternative at hand has; the same names of another one are the same locals.
    """

    body: Body
    mutable: bool = False
    locals: dict[str, Local] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    is_wrong: bool = False
    """whether something was reported about the pattern"""
    depth: int = 0

    def bind(self, name: str, span: Span, type: Type, pattern: Pattern | None = None) -> Pattern:
        """The pattern of a new variable."""
        body = self.body
        if name in self.bound:
            body.error("E0710", span, name=name)
            return pattern or typed.AnyValue()
        self.bound.add(name)
        local = self.locals.get(name)
        if local is None:
            if isinstance(body.unit.names.get(name), Class):
                body.error("E0305", span, name=name)
                type = ERROR
            local = self.locals[name] = body.temporary(name, type, self.mutable, span)
        elif local.type is not type and not body.is_unknown(type, local.type):
            hint = f"it is `{local.type}` on one side and `{type}` on the other"
            body.error("E0707", span, names=f"`{name}` with the same type", hint=hint)
        body.context.note(span.start, local)
        return typed.Bound(local, pattern or typed.AnyValue())

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


def check_variable_pattern(binder: Binder, node: tree.Pattern, type: Type) -> Pattern:
    """The pattern of a `let`, `var` or `for`, where a plain name is always a new variable."""
    if isinstance(node, tree.NamePattern):
        return binder.bind(node.name, node.span, type)
    return check_pattern(binder, node, type)


def pattern_here(binder: Binder, node: tree.Pattern, type: Type) -> Pattern:
    match node:
        case tree.AnyPattern():
            return typed.AnyValue()
        case tree.NamePattern():
            return name_pattern(binder, node, type)
        case tree.BoundPattern():
            inner = check_pattern(binder, node.pattern, type)
            return binder.bind(node.name, node.span, type, inner)
        case tree.TypedPattern():
            return typed_pattern(binder, node, type)
        case tree.LiteralPattern():
            return literal_pattern(binder.body, node.value, type)
        case tree.RangePattern():
            return range_pattern(binder.body, node, type)
        case tree.VariantPattern():
            return variant_pattern(binder, node, type)
        case tree.AlternativePattern():
            return alternatives(binder, node, type)
        case tree.TuplePattern():
            return tuple_pattern(binder, node, type)
    binder.body.incomplete = True
    return typed.AnyValue()


def wrong_type(binder: Binder, span: Span, type: Type, found: str) -> Pattern:
    if not binder.body.is_unknown(type):
        binder.body.error("E0704", span, expected=type, found=found)
    return typed.AnyValue()


# Names and variants.


def variants_of(type: Type) -> dict[str, Variant]:
    """The variants of an enum by name; of other types none."""
    head = type.head if isinstance(type, ClassType | EnumType) else None
    return head.variants if isinstance(head, Class) else {}


def name_pattern(binder: Binder, node: tree.NamePattern, type: Type) -> Pattern:
    """A variant without data, else a constant, else a variable."""
    body = binder.body
    variant = variants_of(type).get(node.name)
    if variant is not None:
        body.context.note(node.span.start, variant)
        return variant_parts(binder, node.span, variant, None, False, type)
    entity = body.global_name(node.name)
    if isinstance(entity, ConstantName) and entity.type is type:
        return literal_pattern(body, tree.Name(node.span, node.name), type)
    return binder.bind(node.name, node.span, type)


def variant_pattern(binder: Binder, node: tree.VariantPattern, type: Type) -> Pattern:
    body, variants = binder.body, variants_of(type)
    head = type.head if isinstance(type, ClassType | EnumType) else None
    if node.owner and body.global_name(node.owner) is not head:
        check_anyway(binder, node.parts or [])
        return wrong_type(binder, node.span, type, f"a variant of `{node.owner}`")
    variant = variants.get(node.name)
    if variant is None:
        check_anyway(binder, node.parts or [])
        if not body.is_unknown(type) and not (isinstance(head, Class) and not body.unit.knows_members(head)):
            hint = suggestion(body.unit, node.name, iter(variants)) if variants else None
            body.error("E0320", node.name_span, type=type, name=node.name, hint=hint)
        return typed.AnyValue()
    if node.type_arguments:
        check_type_arguments(binder, node, type)
    if node.owner and head is not None:
        body.context.note(node.span.start, body.global_name(node.owner))
    body.context.note(node.name_span.start, variant)
    return variant_parts(binder, node.span, variant, node.parts, node.rest, type)


def check_type_arguments(binder: Binder, node: tree.VariantPattern, type: Type) -> None:
    """Those that a pattern writes are those of the value."""
    assert isinstance(type, ClassType | EnumType) and isinstance(type.head, Class)
    head = type.head
    written = explicit_arguments(binder.body, node.span, head.name, node.type_arguments, head.parameters)
    arguments = () if written is None else tuple(written.values())
    differ = isinstance(type, ClassType) and written is not None and arguments != type.arguments
    if differ and not binder.body.is_unknown(*arguments):
        wrong_type(binder, node.span, type, f"a variant of `{head.of(arguments)}`")


def variant_parts(
    binder: Binder, span: Span, variant: Variant, parts: list[tree.Pattern] | None, rest: bool, type: Type
) -> Pattern:
    """The pattern of a variant; `parts` are None without parentheses."""
    assert isinstance(type, ClassType | EnumType)
    types = data_types(variant, type)
    if parts is not None and not types:
        check_anyway(binder, parts)
        binder.body.error(
            "E0705", span, name=variant.name, expected="no parts", found=str(len(parts)), hint=None
        )
        return typed.VariantOf(type, variant, [])
    return typed.VariantOf(type, variant, check_parts(binder, span, variant.name, parts or [], rest, types))


def data_types(variant: Variant, type: ClassType | EnumType) -> tuple[Type, ...]:
    """The types of a variant's data in an enum with type arguments."""
    arguments = type.arguments if isinstance(type, ClassType) else ()
    mapping = dict(zip(variant.owner.parameters, arguments, strict=True))
    return tuple(substitute(parameter.type, mapping) for parameter in variant.function.parameters)


def tuple_pattern(binder: Binder, node: tree.TuplePattern, type: Type) -> Pattern:
    if isinstance(type, ClassType) and type.head.is_tuple:
        parts = check_parts(binder, node.span, str(type), node.parts, node.rest, type.arguments)
        return typed.TupleOf(type, parts)
    check_anyway(binder, node.parts)
    return wrong_type(binder, node.span, type, "a tuple")


def check_parts(
    binder: Binder, span: Span, name: str, parts: list[tree.Pattern], rest: bool, types: Sequence[Type]
) -> list[Pattern]:
    """The patterns of all parts; `..` stands for those that are left."""
    if len(parts) > len(types) or (len(parts) < len(types) and not rest):
        hint = "or end in `..`" if len(parts) < len(types) else None
        expected = count(len(types), "part")
        binder.body.error("E0705", span, name=name, expected=expected, found=str(len(parts)), hint=hint)
        check_anyway(binder, parts)
        return [typed.AnyValue() for _ in types]
    checked = [check_pattern(binder, part, type) for part, type in zip(parts, types, strict=False)]
    return checked + [typed.AnyValue() for _ in types[len(parts) :]]


def check_anyway(binder: Binder, nodes: list[tree.Pattern]) -> None:
    """Bind the names of patterns that are wrong already."""
    for node in nodes:
        check_pattern(binder, node, ERROR)


def alternatives(binder: Binder, node: tree.AlternativePattern, type: Type) -> Pattern:
    """All of them bind the same names."""
    before, first = binder.bound, None
    options: list[Pattern] = []
    for index, option in enumerate(node.options):
        binder.bound = set(before)
        options.append(check_pattern(binder, option, type))
        mine = binder.bound - before
        if first is None:
            first = mine
        elif mine != first:
            if not binder.body.incomplete:
                names = ", ".join(f"`{name}`" for name in sorted(mine ^ first))
                binder.body.error("E0707", node.bars[index - 1], names=names, hint=None)
            first |= mine
    binder.bound = before | (first or set())
    return typed.OneOf(options)


# Values and classes.

ORDERED: Final = (INT, LONG, BYTE, CHAR)
"""types with ranges"""


def constant(body: Body, node: tree.Expression, type: Type) -> typed.Constant | typed.TextConstant | None:
    """The value of a literal or constant of a type; None, reported, if it is none."""
    before = len(body.unit.diagnostics.reports)
    found = ConstantChecker(body.unit).value(body.context, node)
    if found is None:
        body.invalid += len(body.unit.diagnostics.reports) > before
        return None
    if found[0] is not type:
        if not body.is_unknown(type):
            body.error("E0704", node.span, expected=type, found=f"`{found[0]}`")
        return None
    if isinstance(found[1], str):
        return typed.TextConstant(node.span, type, found[1])
    return typed.Constant(node.span, type, found[1])


def literal_pattern(body: Body, node: tree.Expression, type: Type) -> Pattern:
    if isinstance(node, tree.Nil):
        if may_be_nil(type):
            return typed.Equal(typed.NilConstant(node.span, type))
        if not body.is_unknown(type):
            body.error("E0704", node.span, expected=type, found="`nil`")
        return typed.AnyValue()
    value = constant(body, node, type)
    return typed.AnyValue() if value is None else typed.Equal(value)


def range_pattern(body: Body, node: tree.RangePattern, type: Type) -> Pattern:
    if type not in ORDERED:
        if not body.is_unknown(type):
            body.error("E0704", node.span, expected=type, found="a range")
        return typed.AnyValue()
    low, high = constant(body, node.low, type), constant(body, node.high, type)
    if low is None or high is None:
        return typed.AnyValue()
    first, last = int(low.value), int(high.value) - (not node.closed)
    if first > last:
        body.error("E0708", node.span)
    return typed.Between(type, first, last)


def typed_pattern(binder: Binder, node: tree.TypedPattern, type: Type) -> Pattern:
    """`x: C`"""
    body = binder.body
    target = resolve_type(body.context, node.type)
    pattern: Pattern = typed.AnyValue()
    if body.is_unknown(type, target):
        body.invalid += 1
    elif isinstance(type, ClassType) and is_trait_type(type):
        return converted_pattern(binder, node, type, target)
    elif not is_reference(type) or not is_reference(target):
        body.error("E0418", node.type.span, type=target if is_reference(type) else type)
    elif not is_assignable(type, target) and not is_assignable(target, type):
        body.error("E0419", node.span, left=type, right=target)
    else:
        assert isinstance(target, ClassType)
        pattern = typed.InstanceOf(target)
    return binder.bind(node.name, node.span, target, pattern) if node.name else pattern


def converted_pattern(binder: Binder, node: tree.TypedPattern, type: ClassType, target: Type) -> Pattern:
    """`x: C` for a value of a trait: what was converted, if it is a C."""
    pattern: Pattern = typed.AnyValue()
    if not type_target(binder.body, node.type.span, type, target):
        binder.body.invalid += 1
        return binder.bind(node.name, node.span, target) if node.name else pattern
    if is_reference(target):
        assert isinstance(target, ClassType)
        owner, name, pattern = type, OBJECT, typed.InstanceOf(target)
    else:
        owner, name = type_of_holder(type, target), VALUE
    assert isinstance(owner.head, Class)
    if node.name:
        pattern = binder.bind(node.name, node.span, target, pattern)
    return typed.FieldOf(owner, owner.head.fields[name], pattern)


def is_irrefutable(pattern: Pattern) -> bool:
    """Whether a pattern fits all values."""
    waiting = [pattern]
    while waiting:
        pattern = waiting.pop()
        if isinstance(pattern, typed.Bound):
            waiting.append(pattern.pattern)
        elif isinstance(pattern, typed.TupleOf):
            waiting += pattern.parts
        elif isinstance(pattern, typed.VariantOf):
            if len(pattern.variant.owner.variants) > 1:
                return False
            waiting += pattern.parts
        elif not isinstance(pattern, typed.AnyValue):
            return False
    return True
