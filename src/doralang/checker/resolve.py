"""From types as written to types: names, numbers of arguments, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from doralang.checker.function_types import function_type
from doralang.checker.messages import count
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Impl, Trait
from doralang.checker.scopes import Context, Unit, kind_name
from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.types import (
    ERROR,
    LARGEST,
    NEVER,
    PRIMITIVE_TYPES,
    SELF,
    UNIT,
    ClassType,
    EnumType,
    PrimitiveType,
    Type,
    TypeParameter,
    has_error,
    is_subclass,
    size_of,
    substitute,
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
        if context.in_trait:
            return SELF
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
    for argument in node.arguments:
        resolve_type(context, argument, depth=depth + 1)
    if entity is None:
        if not context.unit.incomplete:
            context.error("E0303", node.span, name=node.name, hint=type_hint(context, node.name))
    elif isinstance(entity, Trait):
        context.error("E0220", node.span, what="traits as types are")
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


def class_type(context: Context, entity: Class, arguments: tuple[Type, ...]) -> Type:
    """The type of a class; that of the library's `int` is the primitive type."""
    if entity.plain_type is not None:
        return entity.plain_type
    if not arguments and entity.internal and entity.name in PRIMITIVE_TYPES:
        return PRIMITIVE_TYPES[entity.name]
    return entity.of(arguments)


def self_type(entity: Class) -> Type:
    """The type of `self` in a class."""
    if entity.plain_type is not None:
        return entity.plain_type
    if entity.internal and entity.name in PRIMITIVE_TYPES:
        return PRIMITIVE_TYPES[entity.name]
    return entity.self_type


def wrong_count(context: Context, span: Span, name: str, expected: int, found: int) -> None:
    context.error("E0607", span, name=name, expected=count(expected, "type argument"), found=found)


def check_bounds(
    context: Context, span: Span, parameters: Sequence[TypeParameter], arguments: Sequence[Type]
) -> bool:
    """Report the first type argument that does not satisfy the bounds of its parameter."""
    mapping = dict(zip(parameters, arguments, strict=True))
    for parameter, argument in mapping.items():
        bound = parameter.class_bound
        if bound is not None:
            wanted = substitute(bound, mapping)
            if not satisfies_class(argument, wanted):
                context.error("E0608", span, type=argument, bound=wanted)
                return False
        for trait in parameter.traits:
            if not satisfies_trait(context, argument, trait):
                context.error("E0609", span, type=argument, trait=trait.name, hint=None)
                return False
    return True


def satisfies_class(argument: Type, bound: Type) -> bool:
    if has_error(argument) or has_error(bound):
        return True
    if isinstance(argument, TypeParameter):
        return argument.class_bound is not None and satisfies_class(argument.class_bound, bound)
    return isinstance(argument, ClassType) and isinstance(bound, ClassType) and is_subclass(argument, bound)


def satisfies_trait(context: Context, argument: Type, trait: object, depth: int = 0) -> bool:
    """A type parameter must have the bound, a class an `impl` that agrees with the trait."""
    if has_error(argument):
        return True
    if isinstance(argument, TypeParameter):
        return trait in context.traits_of(argument)
    head = class_of(context, argument)
    assert isinstance(trait, Trait)
    impl = context.unit.impls_of(head).get(trait) if head else None
    if impl is None or not agrees(impl, argument):
        return False
    arguments = argument.arguments if isinstance(argument, ClassType) else ()
    return satisfies_bounds(context, impl, arguments, depth + 1)


DEEPEST_BOUNDS: Final = 64
"""So deep may impls with bounds lead to others."""


def satisfies_bounds(context: Context, impl: Impl, arguments: Sequence[Type], depth: int = 1) -> bool:
    """Whether the type arguments of a class satisfy the bounds of an `impl` for it."""
    if not impl.bounds:
        return True
    given = dict(zip(impl.owner.parameters, arguments, strict=True))
    return depth <= DEEPEST_BOUNDS and all(
        satisfies_trait(context, given[parameter], trait, depth)
        for parameter, traits in impl.bounds.items()
        for trait in traits
    )


def agrees(impl: Impl, type: Type) -> bool:
    """Whether results and `throws` of an impl's methods are those of the trait."""
    pairs = [(impl.methods.get(name), method) for name, method in impl.trait.methods.items()]
    pairs += [(impl.statics.get(name), method) for name, method in impl.trait.statics.items()]
    own: dict[Type, Type] = {SELF: self_type(impl.owner)}
    return all(
        mine is not None
        and (mine.throws, mine.rethrows) == (theirs.throws, theirs.rethrows)
        and same(mine.result, substitute(theirs.result, own))
        for mine, theirs in pairs
    )


def same(left: Type, right: Type) -> bool:
    """Whether two types are the same, or unknown because of an error."""
    return left is right or has_error(left) or has_error(right)


def class_of(context: Context, type: Type) -> Class | None:
    """The class whose members a value of `type` has, if it is not a type parameter."""
    if isinstance(type, ClassType):
        assert isinstance(type.head, Class)
        return type.head
    if isinstance(type, EnumType):
        assert isinstance(type.head, Class)
        return type.head
    if isinstance(type, PrimitiveType):
        return context.unit.library_class(type.name)
    return None
