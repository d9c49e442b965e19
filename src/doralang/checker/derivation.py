"""Derivation: `@derive(Equals, Show)` makes an `impl` of each trait over all fields (reference, 8.4).

@derive(Equals) class P(let x: int, let s: Str)

equals(other)   ->    if other === nil { return false; }
                      if !(x equals other.x) { return false; }         by the impl of int
                      if !(s === nil ? other.s === nil : …) { return false; }
                      return true
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from doralang.checker import program as typed
from doralang.checker.bounds import satisfies_trait
from doralang.checker.declarations import ClassDeclaration, EnumDeclaration
from doralang.checker.patterns import data_types
from doralang.checker.program import (
    Class,
    Dispatch,
    Function,
    Impl,
    Instantiation,
    Local,
    Trait,
    TypedExpression,
    Variant,
)
from doralang.checker.scopes import Context
from doralang.checker.traits import check_supertraits, enter_impl, method_like
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.primitives import PRIMITIVES
from doralang.types.types import BOOL, INT, NIL, ClassType, EnumType, Type, is_reference

Derived = tuple[Function, Callable[[], None]]
"""a method, and what makes its body"""
Pair = tuple[TypedExpression, TypedExpression]
"""a field of `self` and that of `other`"""


def derive(declaration: ClassDeclaration | EnumDeclaration) -> Iterator[Derived]:
    """Enter the impls that a class or enum asks for; their bodies are made once all impls are known."""
    context, entity, node = declaration.context, declaration.entity, declaration.node
    done: set[Trait] = set()
    for annotation in node.derived:
        for name in annotation.traits:
            if not name.name:
                context.unit.incomplete_classes.add(entity)
                continue
            trait = context.unit.find(name.name)
            if trait is not None:
                context.note(name.span.start, trait)
            known = trait if isinstance(trait, Trait) and not trait.source.main else None
            is_known = known is not None and known.name in MAKERS
            has_parent = isinstance(node, tree.Class) and node.parent is not None
            if known is None or not is_known or known in done or has_parent:
                hint = "a class with a parent has no derived impls" if has_parent and is_known else None
                if known is not None and known in done:
                    hint = "it is derived already"
                context.error("E0521", annotation.span, name=name.name, hint=hint)
                continue
            done.add(known)
            yield from derive_one(context, entity, known, annotation.span)


def derive_one(context: Context, entity: Class, trait: Trait, span: Span) -> Iterator[Derived]:
    """An impl of one trait: all its methods."""
    bound = trait.form.self_type
    impl = Impl(bound, entity, context.source, span)
    impl.bounds = {parameter: [bound] for parameter in entity.parameters}
    inner = context.knowing(impl.bounds)
    bodies = []
    for name, maker in MAKERS[trait.name].items():
        function = impl.methods[name] = method_like(impl, trait.methods[name])
        bodies.append((DerivedBody(inner, entity, trait, trait.methods[name], function), maker))
    enter_impl(context, impl)
    context.unit.when_declared(lambda: check_supertraits(inner, impl))

    def complete(body: DerivedBody, maker: Maker) -> None:
        if body is bodies[0][0]:
            body.check_fields()
        body.function.set_body(typed.Block(span, list(maker(body))))

    for body, maker in bodies:
        yield body.function, partial(complete, body, maker)


class DerivedBody:
    """A derived method on its way."""

    def __init__(
        self, context: Context, entity: Class, trait: Trait, method: Function, function: Function
    ) -> None:
        self.context = context
        self.entity = entity
        self.trait = trait
        self.method = method
        self.function = function
        self.span = function.span
        self.own = typed.GetLocal(self.span, function.locals[0].type, function.locals[0])
        last = function.locals[-1]
        self.other = typed.GetLocal(self.span, last.type, last)
        self.text = context.unit.library_class("Str")

    @property
    def is_enum(self) -> bool:
        return bool(self.entity.variants)

    def check_fields(self) -> None:
        """Report the first field that does not satisfy the trait (E0522)."""
        fields = [(field.name, field.type) for field in self.entity.fields.values() if not field.internal]
        for variant in self.entity.variants.values():
            fields += [(one.name, one.type) for one in variant.function.parameters]
        bound = self.trait.form.self_type
        for name, type in fields:
            if not satisfies_trait(self.context, type, bound):
                self.context.error("E0522", self.span, name=name, trait=self.trait.name)
                return

    # Parts of bodies.

    def result(self, value: TypedExpression) -> typed.Statement:
        return typed.Return(self.span, value)

    def number(self, value: int) -> TypedExpression:
        return typed.Constant(self.span, INT, value)

    def truth(self, value: bool) -> TypedExpression:
        return typed.Constant(self.span, BOOL, value)

    def compute(self, row: str, type: Type, *operands: TypedExpression) -> TypedExpression:
        return typed.Compute(self.span, type, PRIMITIVES[row], list(operands))

    def is_nil(self, value: TypedExpression) -> TypedExpression:
        return typed.Identical(self.span, BOOL, value, typed.NilConstant(self.span, NIL), False)

    def when(
        self, condition: TypedExpression, then: TypedExpression, otherwise: TypedExpression
    ) -> TypedExpression:
        return typed.Choice(self.span, otherwise.type, [(condition, then)], otherwise)

    def unless(self, condition: TypedExpression, result: TypedExpression) -> typed.Statement:
        """`if !condition { return result; }`"""
        block = typed.Block(self.span, [self.result(result)])
        return typed.If(self.span, [(self.compute("bool.not", BOOL, condition), block)], None)

    def call(self, value: TypedExpression, *arguments: TypedExpression) -> TypedExpression:
        """The trait's method for a field."""
        target = Instantiation(self.method, (value.type,))
        return typed.Call(self.span, self.method.result, target, Dispatch.TRAIT, [value, *arguments])

    def local(self, name: str, type: Type) -> Local:
        local = Local(name, type, True, len(self.function.locals))
        self.function.locals.append(local)
        return local

    def get(self, local: Local) -> TypedExpression:
        return typed.GetLocal(self.span, local.type, local)

    def fields(self, of: TypedExpression) -> list[TypedExpression]:
        fields = [field for field in self.entity.fields.values() if not field.internal]
        return [typed.GetField(self.span, field.type, of, field) for field in fields]

    # Enums.

    def by_variant(
        self,
        value: TypedExpression,
        type: Type,
        make: Callable[[Variant, list[TypedExpression]], TypedExpression],
    ) -> TypedExpression:
        """`match value { V(a, b) => …, … }`"""
        arms = []
        for variant in self.entity.variants.values():
            pattern, data = self.taken_apart(variant)
            arms.append(typed.MatchArm(pattern, None, make(variant, data)))
        return typed.Match(self.span, type, value, arms)

    def taken_apart(self, variant: Variant) -> tuple[typed.Pattern, list[TypedExpression]]:
        """A pattern that binds all data of a variant, and the data."""
        own = self.own.type
        assert isinstance(own, ClassType | EnumType)
        names = [parameter.name for parameter in variant.function.parameters]
        locals = [self.local(name, type) for name, type in zip(names, data_types(variant, own), strict=True)]
        parts: list[typed.Pattern] = [typed.Bound(local, typed.AnyValue()) for local in locals]
        return typed.VariantOf(own, variant, parts), [self.get(local) for local in locals]

    def index(self, value: TypedExpression) -> TypedExpression:
        """The number of the variant that a value is."""
        if isinstance(value.type, EnumType):
            return value
        return self.by_variant(value, INT, lambda variant, _: self.number(variant.index))

    def same_variant(
        self, type: Type, make: Callable[[Sequence[Pair]], TypedExpression], otherwise: TypedExpression
    ) -> TypedExpression:
        """What `make` says of the data of `self` and `other`, if they are the same variant."""

        def inner(variant: Variant, mine: list[TypedExpression]) -> TypedExpression:
            pattern, theirs = self.taken_apart(variant)
            arms = [typed.MatchArm(pattern, None, make(list(zip(mine, theirs, strict=True))))]
            if len(self.entity.variants) > 1:
                arms.append(typed.MatchArm(typed.AnyValue(), None, otherwise))
            return typed.Match(self.span, type, self.other, arms)

        return self.by_variant(self.own, type, inner)


# Equals.


def equals(body: DerivedBody) -> Iterator[typed.Statement]:
    if isinstance(body.own.type, EnumType):
        yield body.result(body.compute("int.equals", BOOL, body.own, body.other))
    elif body.is_enum:
        yield body.result(body.same_variant(BOOL, partial(all_equal, body), body.truth(False)))
    else:
        yield body.unless(body.compute("bool.not", BOOL, body.is_nil(body.other)), body.truth(False))
        for mine, theirs in zip(body.fields(body.own), body.fields(body.other), strict=True):
            yield body.unless(are_equal(body, mine, theirs), body.truth(False))
        yield body.result(body.truth(True))


def all_equal(body: DerivedBody, pairs: Sequence[Pair]) -> TypedExpression:
    whole = body.truth(True)
    for index, (mine, theirs) in enumerate(pairs):
        equal = are_equal(body, mine, theirs)
        whole = typed.Logical(body.span, BOOL, typed.Logic.AND, whole, equal) if index else equal
    return whole


def are_equal(body: DerivedBody, mine: TypedExpression, theirs: TypedExpression) -> TypedExpression:
    """`nil` is equal to `nil` only."""
    equal = body.call(mine, theirs)
    if not is_reference(mine.type):
        return equal
    other_is_nil = body.is_nil(theirs)
    return body.when(body.is_nil(mine), other_is_nil, body.when(other_is_nil, body.truth(False), equal))


# Comparable.


def compare_to(body: DerivedBody) -> Iterator[typed.Statement]:
    if isinstance(body.own.type, EnumType):
        yield body.result(body.compute("int.minus", INT, body.own, body.other))
    elif body.is_enum:
        difference = body.compute("int.minus", INT, body.index(body.own), body.index(body.other))
        yield from if_differs(body, difference)
        yield body.result(body.same_variant(INT, partial(first_difference, body), body.number(0)))
    else:
        yield body.unless(body.compute("bool.not", BOOL, body.is_nil(body.other)), body.number(1))
        for mine, theirs in zip(body.fields(body.own), body.fields(body.other), strict=True):
            yield from if_differs(body, difference_of(body, mine, theirs))
        yield body.result(body.number(0))


def if_differs(body: DerivedBody, difference: TypedExpression) -> Iterator[typed.Statement]:
    """Return what decides."""
    local = body.local("difference", INT)
    yield typed.Let(body.span, local, difference)
    equal = body.compute("int.equals", BOOL, body.get(local), body.number(0))
    yield body.unless(equal, body.get(local))


def first_difference(body: DerivedBody, pairs: Sequence[Pair]) -> TypedExpression:
    whole = body.number(0)
    for mine, theirs in reversed(pairs):
        local = body.local("difference", INT)
        let = typed.Let(body.span, local, difference_of(body, mine, theirs))
        equal = body.compute("int.equals", BOOL, body.get(local), body.number(0))
        value = body.when(equal, whole, body.get(local))
        whole = typed.BlockValue(body.span, INT, typed.Block(body.span, [let]), value)
    return whole


def difference_of(body: DerivedBody, mine: TypedExpression, theirs: TypedExpression) -> TypedExpression:
    """`nil` is before all else."""
    difference = body.call(mine, theirs)
    if not is_reference(mine.type):
        return difference
    other_is_nil = body.is_nil(theirs)
    return body.when(
        body.is_nil(mine),
        body.when(other_is_nil, body.number(0), body.number(-1)),
        body.when(other_is_nil, body.number(1), difference),
    )


# Hash.

FACTOR: Final = 31


def hash_of(body: DerivedBody) -> Iterator[typed.Statement]:
    if isinstance(body.own.type, EnumType):
        yield body.result(body.own)
    elif body.is_enum:
        yield body.result(
            body.by_variant(
                body.own, INT, lambda variant, data: mixed(body, body.number(variant.index), data)
            )
        )
    else:
        yield body.result(mixed(body, body.number(0), body.fields(body.own)))


def mixed(body: DerivedBody, start: TypedExpression, values: Sequence[TypedExpression]) -> TypedExpression:
    """The hash of `start` and all values, with a seed if the method has one."""
    given = [body.other] if body.function.parameters else []
    whole = start
    for value in values:
        one = body.call(value, *given)
        if is_reference(value.type):
            one = body.when(body.is_nil(value), body.number(0), one)
        if given:
            combined = Instantiation(body.context.unit.library_function("combinedHash"))
            whole = typed.Call(body.span, INT, combined, Dispatch.STATIC, [whole, one, *given])
        else:
            whole = body.compute("int.times", INT, whole, body.number(FACTOR))
            whole = body.compute("int.plus", INT, whole, one)
    return whole


# Show.


def to_string(body: DerivedBody) -> Iterator[typed.Statement]:
    if body.is_enum:
        text = body.by_variant(
            body.own, body.text.of(), lambda variant, data: shown(body, variant.name, data)
        )
    else:
        text = shown(body, body.entity.name, body.fields(body.own), always=True)
    yield body.result(text)


def shown(
    body: DerivedBody, name: str, values: Sequence[TypedExpression], *, always: bool = False
) -> TypedExpression:
    """`Name(a, b)`; `Name` for a variant without data"""
    if not values:
        return literal(body, f"{name}()" if always else name)
    whole = literal(body, f"{name}(")
    for index, value in enumerate(values):
        if index:
            whole = plus(body, whole, literal(body, ", "))
        text = body.call(value)
        if is_reference(value.type):
            text = body.when(body.is_nil(value), literal(body, "nil"), text)
        whole = plus(body, whole, text)
    return plus(body, whole, literal(body, ")"))


def literal(body: DerivedBody, text: str) -> TypedExpression:
    return typed.TextConstant(body.span, body.text.of(), text)


def plus(body: DerivedBody, left: TypedExpression, right: TypedExpression) -> TypedExpression:
    target = Instantiation(body.text.methods["plus"])
    return typed.Call(body.span, body.text.of(), target, Dispatch.DIRECT, [left, right])


Maker = Callable[[DerivedBody], Iterator[typed.Statement]]
MAKERS: Final[dict[str, dict[str, Maker]]] = {
    "Equals": {"equals": equals},
    "Comparable": {"compareTo": compare_to},
    "Hash": {"hash": hash_of, "seededHash": hash_of},
    "Show": {"toString": to_string},
}
"""by trait and method: the statements of the method"""
