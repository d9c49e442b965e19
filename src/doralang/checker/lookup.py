"""Finding members: fields, methods of classes and impls, static methods (7.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doralang.checker.bounds import (
    agrees,
    class_of,
    satisfies_bounds,
    trait_arguments,
    trait_of,
    traits_known,
    with_supertraits,
)
from doralang.checker.program import Class, Dispatch, Field, Function, Impl, Trait
from doralang.checker.scopes import Context
from doralang.text.records import record
from doralang.types.types import (
    ClassType,
    Type,
    TypeParameter,
    is_function,
    is_trait_type,
    lineage,
    substitute,
)


@record(eq=True)
class Found:
    """A method, and what the type parameters of its class, or of its trait, stand for at the receiver.

    `by_bound` says that it was found by a trait bound of the receiver's type parameter: which function that
    is, is known only once the type is.
    """

    function: Function
    arguments: tuple[Type, ...] = ()
    by_bound: bool = False

    def mapping(self) -> dict[Type, Type]:
        trait, owner = self.function.trait, self.function.owner
        if trait is not None:
            return dict(zip(trait.all_parameters, self.arguments, strict=True))
        return dict(zip(owner.parameters, self.arguments, strict=True)) if owner else {}


@record(eq=True)
class Ambiguous:
    """Several traits give a method of the name."""

    traits: list[Trait]


Lookup = Found | Ambiguous | None


def dispatch_of(found: Found) -> Dispatch:
    """How a method that was found is called."""
    if found.by_bound:
        return Dispatch.TRAIT
    return Dispatch.VIRTUAL if found.function.virtual else Dispatch.DIRECT


def classes_of(context: Context, type: Type) -> list[tuple[Class, tuple[Type, ...]]]:
    """The class of a type and its parents, each with its type arguments."""
    if isinstance(type, ClassType):
        return [(head, step.arguments) for step in lineage(type) if isinstance(head := step.head, Class)]
    own = class_of(context, type)
    return [(own, ())] if own else []


def find_method(context: Context, type: Type, name: str) -> Lookup:
    """The instance method that `value.name(…)` means for a value of `type`."""
    if isinstance(type, TypeParameter):
        return find_bound_method(context, type, name)
    if is_function(type):
        return None
    if isinstance(type, ClassType) and is_trait_type(type):
        return find_dispatched(type, name)
    steps = classes_of(context, type)
    for head, arguments in steps:
        method = context.visible(head.methods.get(name))
        if method is not None:
            return Found(method, arguments)
    found = find_in_impls(context, steps, name, static=False)
    if found is None:
        for head, arguments in steps:
            late = head.late.get(name)
            if late is not None and late.has_self:
                return Found(late, arguments)
        found = find_in_impls(context, steps, name, static=False, of_library=True)
    return found


def find_bound_method(context: Context, type: TypeParameter, name: str) -> Lookup:
    """A method of the trait bounds of a type parameter."""
    known = traits_known(context, type)
    bounds = [one for one in known if context.visible(trait_of(one).methods.get(name)) is not None]
    if len(bounds) > 1:
        return Ambiguous([trait_of(bound) for bound in bounds])
    if not bounds:
        return None
    return Found(trait_of(bounds[0]).methods[name], (type, *bounds[0].arguments), by_bound=True)


def find_dispatched(type: ClassType, name: str) -> Lookup:
    """A method of a value of a trait: that of the form, which is dispatched, or a final default."""
    bounds = [bound for bound in with_supertraits([type]) if name in trait_of(bound).methods]
    if len(bounds) > 1:
        return Ambiguous([trait_of(bound) for bound in bounds])
    if not bounds:
        return None
    method = trait_of(bounds[0]).methods[name]
    dispatched = trait_of(type).dispatched.get(method)
    if dispatched is None:
        return Found(method, (type, *bounds[0].arguments))
    return Found(dispatched, type.arguments)


def find_in_impls(
    context: Context,
    steps: Sequence[tuple[Class, tuple[Type, ...]]],
    name: str,
    *,
    static: bool,
    of_library: bool = False,
) -> Lookup:
    """The first class whose impls, of the program or of the library, have the name must have it once.

    A default method counts as one of the impl, or of the library if the trait is the library's.
    """
    for head, arguments in steps:
        offers = [
            (impl, method)
            for impl in context.unit.impls_of(head).values()
            if (method := context.visible(offered(impl, name, static, of_library))) is not None
            and satisfies_bounds(context, impl, arguments)
        ]
        if len(offers) > 1:
            return Ambiguous([impl.trait for impl, _ in offers])
        for impl, method in offers:
            if method.trait is None:
                return Found(method, arguments)
            given = dict(zip(head.parameters, arguments, strict=True))
            return Found(method, tuple(substitute(one, given) for one in trait_arguments(impl)))
    return None


def offered(impl: Impl, name: str, static: bool, of_library: bool) -> Function | None:
    """The method of a name that an impl defines or has by default."""
    mine = members(impl, static).get(name)
    if mine is not None:
        return mine if impl.source.main is not of_library else None
    default = members(impl.trait, static).get(name)
    if default is None or not default.has_default or (name in impl.adopted and not static):
        return None
    return default if impl.trait.source.main is not of_library and agrees(impl) else None


def found_for(impl: Impl, type: Type, name: str) -> Found | None:
    """The method that an impl defines or adopts, for a value of `type`."""
    arguments = type.arguments if isinstance(type, ClassType) else ()
    if name in impl.methods:
        return Found(impl.methods[name], arguments)
    adopted = impl.adopted.get(name)
    if adopted is None:
        return None
    given = dict(zip(impl.owner.parameters, arguments, strict=True))
    return Found(adopted.function, tuple(substitute(one, given) for one in adopted.owner.arguments))


def members(owner: Impl | Trait, static: bool) -> dict[str, Function]:
    return owner.statics if static else owner.methods


def find_static(context: Context, type: Type, name: str) -> Lookup:
    """The static method that `C::name(…)` means; `type` is the type that `C` stands for."""
    steps = classes_of(context, type)
    for head, arguments in steps:
        method = context.visible(head.statics.get(name))
        if method is not None:
            return Found(method, arguments)
    found = find_in_impls(context, steps, name, static=True)
    if found is not None:
        return found
    for head, arguments in steps:
        late = head.late.get(name)
        if late is not None and not late.has_self:
            return Found(late, arguments)
    return find_in_impls(context, steps, name, static=True, of_library=True)


def find_field(context: Context, type: Type, name: str) -> tuple[Field, tuple[Type, ...]] | None:
    """The nearest field of a name in a class and its parents, and its class's type arguments.

    Programs do not see the internal fields of the library: with them objects could be made that cannot be.
    """
    for head, arguments in classes_of(context, type):
        field = head.fields.get(name)
        if field is not None and (context.is_library or not field.internal):
            return field, arguments
    return None


def members_known(context: Context, type: Type) -> bool:
    """Whether everything that a value of `type` has is known."""
    bounds: Sequence[ClassType] = ()
    if isinstance(type, TypeParameter):
        if type in context.unit.unknown_bounds:
            return False
        bounds = traits_known(context, type)
    elif isinstance(type, ClassType):
        bounds = list(with_supertraits([type])) if is_trait_type(type) else [type]
    unit = context.unit
    return not unit.incomplete and all(unit.knows_members(bound.head) for bound in bounds)


def field_names(context: Context, type: Type) -> Iterator[str]:
    """The fields that a value of `type` has."""
    for head, _ in classes_of(context, type):
        yield from head.fields


def method_names(context: Context, type: Type, *, static: bool = False) -> Iterator[str]:
    """The methods that a value of `type` has, or the static ones of its class."""
    return (one.name for one in methods_of(context, type, static) if context.visible(one) is not None)


def methods_of(context: Context, type: Type, static: bool) -> Iterator[Function]:
    if isinstance(type, TypeParameter):
        for bound in traits_known(context, type):
            yield from trait_of(bound).methods.values()
        return
    if isinstance(type, ClassType) and is_trait_type(type):
        for bound in with_supertraits([type]):
            yield from trait_of(bound).methods.values()
        return
    for head, _ in classes_of(context, type):
        yield from (head.statics if static else head.methods).values()
        yield from (one for one in head.late.values() if one.has_self is not static)
        for impl in context.unit.impls_of(head).values():
            yield from members(impl, static).values()
            yield from (one for one in members(impl.trait, static).values() if one.has_default)
