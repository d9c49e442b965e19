"""Bounds: which traits a type satisfies, and with which type arguments (reference, 9.2).

    trait Into<T> { fun into() -> T; }
    impl Into<Str> for Money { … }            Money  satisfies  Into<Str>

A bound is a type of the trait's hidden class, `Into.form.of((STR,))`.  A class has at most one `impl` of a
trait, so the class decides the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from doralang.checker.program import Class, Function, FunctionKind, Impl, Trait
from doralang.checker.scopes import Context
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.types import (
    PRIMITIVE_TYPES,
    ClassType,
    EnumType,
    PrimitiveType,
    TraitHead,
    Type,
    TypeParameter,
    has_error,
    is_subclass,
    is_trait_type,
    mentions,
    substitute,
)

# Traits and their supertraits.


def trait_of(bound: ClassType) -> Trait:
    """The trait of a bound, or of a type of trait objects."""
    trait = bound.head.trait
    assert isinstance(trait, Trait)
    return trait


def with_supertraits(bounds: Iterable[ClassType]) -> Iterator[ClassType]:
    """Bounds and all that they imply, each once."""
    waiting, seen = list(reversed(list(bounds))), set()
    while waiting:
        bound = waiting.pop()
        if bound in seen:
            continue
        seen.add(bound)
        yield bound
        trait = trait_of(bound)
        mapping = dict(zip(trait.parameters, bound.arguments, strict=True))
        above = [substitute(one, mapping) for one in reversed(trait.supertraits)]
        waiting += [one for one in above if isinstance(one, ClassType)]


def traits_known(context: Context, parameter: TypeParameter) -> list[ClassType]:
    """All traits that a type parameter is known to satisfy here."""
    return list(with_supertraits(context.traits_of(parameter)))


def why_unsafe(trait: Trait) -> tuple[Function, str] | None:
    """A method that keeps a trait from being a type, and what it has; supertraits count."""
    for bound in with_supertraits([trait.form.self_type]):
        above = trait_of(bound)
        for method in (*above.statics.values(), *above.methods.values()):
            if method.has_default:
                continue
            if method.kind is FunctionKind.STATIC:
                return method, "is static"
            if method.type_parameters or method.conditions:
                return method, "is one of several"
            types = [method.result, *(parameter.type for parameter in method.parameters)]
            if any(mentions(type, {above.own_self}) for type in types):
                return method, "mentions `Self`"
    return None


# Satisfying.


@record
class Search:
    """What is known about the types within a type, of which each is looked at once, and how deep it is."""

    found: dict[tuple[Type, TraitHead], ClassType | None] = field(default_factory=dict)
    depth: int = 0


def as_trait(context: Context, type: Type, trait: Trait, search: Search | None = None) -> ClassType | None:
    """The trait with the arguments with which a type satisfies it; None if it does not."""
    if isinstance(type, TypeParameter):
        return next((one for one in traits_known(context, type) if one.head.trait is trait), None)
    if isinstance(type, ClassType) and is_trait_type(type):
        return next((one for one in with_supertraits([type]) if one.head.trait is trait), None)
    search = search or Search()
    # What is found lasts once all impls are known: of the first link of a chain each further one asks.
    known = search.found if context.unit.later is not None else context.satisfied
    if (type, trait) not in known:
        known[type, trait] = by_impl(context, type, trait, search)
    return known[type, trait]


def by_impl(context: Context, type: Type, trait: Trait, search: Search) -> ClassType | None:
    """The trait with the arguments that an `impl` gives to a type, if there is one and its bounds hold."""
    head = class_of(context, type)
    impl = context.unit.impls_of(head).get(trait) if head else None
    if impl is None or not agrees(impl):
        return None
    arguments = type.arguments if isinstance(type, ClassType) else ()
    if not satisfies_bounds(context, impl, arguments, search):
        return None
    found = substitute(impl.trait_type, dict(zip(impl.owner.parameters, arguments, strict=True)))
    assert isinstance(found, ClassType)
    return found


def may_have_more(context: Context, type: Type, trait: Trait) -> bool:
    """Whether a type may have an impl of a trait that could not be read, or that has errors."""
    unit = context.unit
    if trait in unit.unknown_impls:
        return True
    if isinstance(type, TypeParameter) and type in unit.unknown_bounds:
        return True
    head = None if isinstance(type, TypeParameter) else class_of(context, type)
    return has_error(type) or unit.incomplete or (head is not None and head in unit.incomplete_classes)


def satisfies_trait(context: Context, type: Type, bound: ClassType, search: Search | None = None) -> bool:
    """A type parameter must have the bound, a class an `impl` that agrees with the trait."""
    if may_have_more(context, type, trait_of(bound)):
        return True
    found = as_trait(context, type, trait_of(bound), search)
    return found is not None and same(found, bound)


def satisfies_bounds(
    context: Context, impl: Impl, arguments: Sequence[Type], search: Search | None = None
) -> bool:
    """Whether the type arguments of a class satisfy the bounds of an `impl` for it.

    It ends, as each of them is smaller than the type that they are part of.
    """
    if not impl.bounds:
        return True
    given, within = dict(zip(impl.owner.parameters, arguments, strict=True)), search or Search()
    within.depth += 1
    if within.depth % HOP == 0:
        satisfied = on_fresh_stack(lambda: all(holds(context, given, impl.bounds, within)))
    else:
        satisfied = all(holds(context, given, impl.bounds, within))
    within.depth -= 1
    return satisfied


def holds(
    context: Context,
    given: dict[TypeParameter, Type],
    bounds: dict[TypeParameter, list[ClassType]],
    search: Search,
) -> Iterator[bool]:
    """Whether what stands for type parameters satisfies each of their bounds."""
    for parameter, traits in bounds.items():
        for trait in traits:
            wanted = substitute(trait, given)
            assert isinstance(wanted, ClassType)
            yield satisfies_trait(context, given[parameter], wanted, search)


def agrees(impl: Impl) -> bool:
    """Whether the methods of an `impl` are all there, with the results and `throws` of the trait."""
    mapping = meaning_in(impl)
    for theirs in (*impl.trait.methods.values(), *impl.trait.statics.values()):
        is_static = theirs.kind is FunctionKind.STATIC
        mine = (impl.statics if is_static else impl.methods).get(theirs.name)
        if mine is None:
            if not theirs.has_default and (is_static or theirs.name not in impl.adopted):
                return False
        elif (mine.throws, mine.rethrows) != (theirs.throws, theirs.rethrows) or not same(
            mine.result, substitute(theirs.result, mapping)
        ):
            return False
    return True


def meaning_in(impl: Impl) -> dict[Type, Type]:
    """What `Self` and the parameters of the trait are in an `impl`."""
    return dict(zip(impl.trait.all_parameters, trait_arguments(impl), strict=True))


def trait_arguments(impl: Impl) -> tuple[Type, ...]:
    """`Self` and the arguments of the trait, for the class with its own parameters."""
    return (self_type(impl.owner), *impl.trait_type.arguments)


def satisfies_class(argument: Type, bound: Type) -> bool:
    if has_error(argument) or has_error(bound):
        return True
    if isinstance(argument, TypeParameter):
        return argument.class_bound is not None and satisfies_class(argument.class_bound, bound)
    return isinstance(argument, ClassType) and isinstance(bound, ClassType) and is_subclass(argument, bound)


# Reports.


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
        if not check_traits(context, span, argument, parameter.traits, mapping):
            return False
    return True


def check_conditions(context: Context, span: Span, function: Function, arguments: Sequence[Type]) -> bool:
    """Report the first condition of a `where` that a call does not satisfy."""
    mapping = dict(zip(function.all_type_parameters, arguments, strict=True))
    return all(
        check_traits(context, span, mapping[parameter], traits, mapping)
        for parameter, traits in function.conditions.items()
    )


def check_traits(
    context: Context,
    span: Span,
    argument: Type,
    traits: Sequence[ClassType],
    mapping: dict[TypeParameter, Type],
) -> bool:
    """Report the first of some traits that a type does not satisfy (E0609)."""
    for trait in traits:
        wanted = substitute(trait, mapping)
        assert isinstance(wanted, ClassType)
        if not satisfies_trait(context, argument, wanted):
            context.error("E0609", span, type=argument, trait=wanted, hint=None)
            return False
    return True


# Types of classes.


def same(left: Type, right: Type) -> bool:
    """Whether two types are the same, or unknown because of an error."""
    return left is right or has_error(left) or has_error(right)


def self_type(entity: Class) -> Type:
    """The type of `self` in a class."""
    if entity.plain_type is not None:
        return entity.plain_type
    if entity.internal and entity.name in PRIMITIVE_TYPES:
        return PRIMITIVE_TYPES[entity.name]
    return entity.self_type


def class_of(context: Context, type: Type) -> Class | None:
    """The class whose members a value of `type` has, if it is not a type parameter."""
    if isinstance(type, ClassType | EnumType):
        assert isinstance(type.head, Class)
        return type.head
    if isinstance(type, PrimitiveType):
        return context.unit.library_class(type.name)
    return None
