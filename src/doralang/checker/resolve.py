"""From types as written to types: names, numbers of arguments, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from doralang.checker.bounds import check_bounds, why_unsafe
from doralang.checker.function_types import function_type
from doralang.checker.messages import count
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Trait
from doralang.checker.scopes import Context, Unit, kind_name
from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.types import (
    ERROR,
    LARGEST,
    NEVER,
    PRIMITIVE_TYPES,
    UNIT,
    ClassType,
    Type,
    size_of,
)


def resolve_type(context: Context, node: tree.Type, *, result: bool = False, depth: int = 1) -> Type:
    """The type that `node` stands for; ERROR, reported, if there is none.  `result` permits `()`.

    `depth` is how many types it stands in.
    """
    if isinstance(node, tree.NamedType):
        if depth % HOP == 0:
            return on_fresh_stack(lambda: resolve_name(context, node, depth, result))
        return resolve_name(context, node, depth, result)
    if isinstance(node, tree.UnitType):
        if not result:
            context.error("E0407", node.span, type=UNIT)
        return UNIT if result else ERROR
    if isinstance(node, tree.TupleType):
        return resolve_tuple(context, node, depth)
    if isinstance(node, tree.FunctionType):
        return resolve_function(context, node, depth)
    if isinstance(node, tree.SelfType):
        if context.own_self is not None:
            return context.own_self
        context.error("E0606", node.span)
    return ERROR


def resolve_tuple(context: Context, node: tree.TupleType, depth: int) -> Type:
    if depth % HOP == 0:
        return on_fresh_stack(lambda: resolve_tuple(context, node, depth + 1))
    elements = [resolve_type(context, element, depth=depth + 1) for element in node.elements]
    type = tuple_of(context.unit, elements)
    if size_of(type) > LARGEST:
        context.error("E0617", node.span)
        return ERROR
    return type


def resolve_function(context: Context, node: tree.FunctionType, depth: int) -> Type:
    if depth % HOP == 0:
        return on_fresh_stack(lambda: resolve_function(context, node, depth + 1))
    parameters = [resolve_type(context, one, depth=depth + 1) for one in node.parameters]
    result = resolve_type(context, node.result, result=True, depth=depth + 1)
    type = function_type(context.unit, parameters, result, throws=node.throws)
    if size_of(type) > LARGEST:
        context.error("E0617", node.span)
        return ERROR
    return type


def tuple_of(unit: Unit, elements: Sequence[Type]) -> ClassType:
    """The type of tuples with elements of these types."""
    return unit.library_class(f"Tuple{len(elements)}").of(tuple(elements))


def resolve_name(context: Context, node: tree.NamedType, depth: int, result: bool) -> Type:
    parameter = context.parameters.get(node.name)
    if parameter is not None:
        context.note(node.span.start, parameter)
        if node.arguments:
            wrong_count(context, node.span, node.name, 0, len(node.arguments))
            return ERROR
        return parameter
    entity = context.unit.find(node.name)
    if entity is not None:
        context.note(node.span.start, entity)
    if isinstance(entity, Class):
        return resolve_class(context, node, entity, depth)
    if entity is None and node.name == NEVER.name and not node.arguments:
        if not result:
            context.error("E0407", node.span, type=NEVER)
        context.note(node.span.start, NEVER)
        return NEVER if result else ERROR
    if isinstance(entity, Trait):
        return resolve_trait(context, node, entity, depth)
    for argument in node.arguments:
        resolve_type(context, argument, depth=depth + 1)
    if entity is None:
        if not context.unit.incomplete:
            context.error("E0303", node.span, name=node.name, hint=type_hint(context, node.name))
    else:
        context.error("E0307", node.span, name=node.name, what=kind_name(entity))
    return ERROR


TYPE_HINTS = {"String": "Str", "string": "Str", "str": "Str", "i32": "int", "i64": "long", "boolean": "bool"}


def type_hint(context: Context, name: str) -> str | None:
    """What somebody coming from another language may have meant, or a type with a name like it."""
    meant = TYPE_HINTS.get(name) or (name.lower() if name.lower() in PRIMITIVE_TYPES else None)
    if meant:
        return f"did you mean `{meant}`?"
    return suggestion(context.unit, name, chain(context.parameters, context.unit.names_of(Class)))


def resolve_class(context: Context, node: tree.NamedType, entity: Class, depth: int) -> Type:
    arguments = tuple(resolve_type(context, argument, depth=depth + 1) for argument in node.arguments)
    if len(arguments) != len(entity.parameters):
        wrong_count(context, node.span, node.name, len(entity.parameters), len(arguments))
        return ERROR
    if arguments:
        context.unit.when_declared(
            lambda: check_bounds(context, node.span, entity.parameters, arguments) and None
        )
    type = class_type(context, entity, arguments)
    if size_of(type) > LARGEST:
        context.error("E0617", node.span)
        return ERROR
    return type


def resolve_trait(context: Context, node: tree.NamedType, trait: Trait, depth: int) -> Type:
    """A trait as a type, which it must be safe for."""
    arguments = tuple(resolve_type(context, argument, depth=depth + 1) for argument in node.arguments)
    if len(arguments) != len(trait.parameters):
        wrong_count(context, node.span, node.name, len(trait.parameters), len(arguments))
        return ERROR
    context.unit.when_declared(lambda: check_trait_type(context, node.span, trait, arguments))
    type = trait.form.of(arguments)
    if size_of(type) > LARGEST:
        context.error("E0617", node.span)
        return ERROR
    return type


def check_trait_type(context: Context, span: Span, trait: Trait, arguments: tuple[Type, ...]) -> None:
    check_bounds(context, span, trait.parameters, arguments)
    found = why_unsafe(trait)
    if found is not None:
        method, why = found
        context.error("E0621", span, trait=trait.name, method=method.name, why=why)


def class_type(context: Context, entity: Class, arguments: tuple[Type, ...]) -> Type:
    """The type of a class; that of the library's `int` is the primitive type."""
    if entity.plain_type is not None:
        return entity.plain_type
    if not arguments and entity.internal and entity.name in PRIMITIVE_TYPES:
        return PRIMITIVE_TYPES[entity.name]
    return entity.of(arguments)


def wrong_count(context: Context, span: Span, name: str, expected: int, found: int) -> None:
    context.error("E0607", span, name=name, expected=count(expected, "type argument"), found=found)
