"""Finding members: fields, methods of classes and impls, static methods (7.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doralang.checker.program import Class, Dispatch, Field, Function, Impl, Trait
from doralang.checker.resolve import class_of, satisfies_bounds
from doralang.checker.scopes import Context
from doralang.text.records import record
from doralang.types.types import SELF, ClassType, Type, TypeParameter, is_function, lineage


@record(eq=True)
class Found:
    """A method, and what its declaration's type parameters (or `Self`) stand for at the receiver."""

    function: Function
    owner_arguments: tuple[Type, ...] = ()
    own_self: Type | None = None
    """for a method of a trait bound: the type parameter that is `Self`"""

    def mapping(self) -> dict[Type, Type]:
        if self.own_self is not None:
            return {SELF: self.own_self}
        owner = self.function.owner
        return dict(zip(owner.parameters, self.owner_arguments, strict=True)) if owner else {}


@record(eq=True)
class Ambiguous:
    """Several traits give a method of the name."""

    traits: list[Trait]


Lookup = Found | Ambiguous | None


def dispatch_of(found: Found) -> Dispatch:
    """How a method that was found is called."""
    if found.own_self is not None:
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
    steps = classes_of(context, type)
    for head, arguments in steps:
        if name in head.methods:
            return Found(head.methods[name], arguments)
    found = find_in_impls(context, steps, name, static=False)
    if found is None:
        for head, arguments in steps:
            if name in head.late:
                return Found(head.late[name], arguments)
        found = find_in_impls(context, steps, name, static=False, of_library=True)
    return found


def find_bound_method(context: Context, type: TypeParameter, name: str) -> Lookup:
    """A method of the trait bounds of a type parameter."""
    known = context.traits_of(type)
    traits = [trait for trait in known if isinstance(trait, Trait) and name in trait.methods]
    if len(traits) > 1:
        return Ambiguous(traits)
    return Found(traits[0].methods[name], (), type) if traits else None


def find_in_impls(
    context: Context,
    steps: Sequence[tuple[Class, tuple[Type, ...]]],
    name: str,
    *,
    static: bool,
    of_library: bool = False,
) -> Lookup:
    """The first class whose impls, of the program or of the library, have the name must have it once."""
    for head, arguments in steps:
        impls = [
            impl
            for impl in context.unit.impls_of(head).values()
            if impl.source.main is not of_library
            and name in members(impl, static)
            and satisfies_bounds(context, impl, arguments)
        ]
        if len(impls) > 1:
            return Ambiguous([impl.trait for impl in impls])
        if impls:
            return Found(members(impls[0], static)[name], arguments)
    return None


def members(impl: Impl, static: bool) -> dict[str, Function]:
    return impl.statics if static else impl.methods


def find_static(context: Context, type: Type, name: str) -> Lookup:
    """The static method that `C::name(…)` means; `type` is the type that `C` stands for."""
    steps = classes_of(context, type)
    for head, arguments in steps:
        if name in head.statics:
            return Found(head.statics[name], arguments)
    found = find_in_impls(context, steps, name, static=True)
    return found or find_in_impls(context, steps, name, static=True, of_library=True)


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
    return not isinstance(type, ClassType) or context.unit.knows_members(type.head)


def field_names(context: Context, type: Type) -> Iterator[str]:
    """The fields that a value of `type` has."""
    for head, _ in classes_of(context, type):
        yield from head.fields


def method_names(context: Context, type: Type, *, static: bool = False) -> Iterator[str]:
    """The methods that a value of `type` has, or the static ones of its class."""
    if isinstance(type, TypeParameter):
        for trait in context.traits_of(type):
            if isinstance(trait, Trait):
                yield from trait.methods
        return
    for head, _ in classes_of(context, type):
        yield from head.statics if static else (*head.methods, *head.late)
        for impl in context.unit.impls_of(head).values():
            yield from members(impl, static)
