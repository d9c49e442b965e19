"""Trait objects: values of a trait as a type (reference, 8.3).

    trait Named { fun name() -> Str; }          class Named { object: Object   abstract name() -> Str }
                                                class Named::Self<S>: Named { value: S
                                                  name() -> Str { self.value.name() } }       by the bound
    let n: Named = 4;               ->          Convert 4  (Record Named::Self<int> nil 4)

A trait as a type is a hidden class, its *form*, with the methods that are dispatched; what is converted
stands in an object of the form's one subclass, the *holder*.  `object` is the value again if that is a
reference, for `is` and `as`.  An unsafe trait has no holder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.bounds import as_trait, may_have_more, same, trait_of, why_unsafe, with_supertraits
from doralang.checker.program import (
    Class,
    Dispatch,
    Field,
    Function,
    FunctionKind,
    Instantiation,
    Local,
    Trait,
    TypedExpression,
)
from doralang.checker.scopes import Context, Unit
from doralang.syntax.tree import Modifier
from doralang.text.source import Span
from doralang.types.types import (
    BOOL,
    NEVER,
    NIL,
    UNIT,
    ClassType,
    Type,
    TypeParameter,
    has_error,
    is_assignable,
    is_reference,
    is_trait_type,
    lineage,
    substitute,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OBJECT: Final = "object"
VALUE: Final = "value"

# The hidden classes.


def declare_forms(unit: Unit, traits: Iterable[Trait]) -> None:
    """Give traits their form and, if they are safe, their holder."""
    for trait in traits:
        if why_unsafe(trait) is None:
            declare_form(unit, trait)


def declare_form(unit: Unit, trait: Trait) -> None:
    form = trait.form
    form.modifiers = Modifier.ABSTRACT | Modifier.OPEN
    form.fields[OBJECT] = Field(
        OBJECT, unit.library_class("Object").of(), False, form, trait.span, internal=True
    )
    held = TypeParameter("Self")
    holder = Class(f"{trait.name}::Self", (*trait.parameters, held), trait.source, trait.span)
    holder.parent = form.self_type
    holder.fields[VALUE] = Field(VALUE, held, False, holder, trait.span, internal=True)
    trait.set_holder(holder)
    for bound in with_supertraits([form.self_type]):
        above = trait_of(bound)
        held.traits.append(bound)
        if above is not trait and above not in trait.conversions:
            trait.conversions[above] = conversion(trait, holder, held, bound)
        for method in above.methods.values():
            if not method.is_final:
                trait.dispatched[method] = dispatched(trait, holder, held, bound, method)


def dispatched(
    trait: Trait, holder: Class, held: TypeParameter, bound: ClassType, method: Function
) -> Function:
    """A method of the form, abstract, and that of the holder, which calls on."""
    mapping: dict[Type, Type] = dict(zip(trait_of(bound).parameters, bound.arguments, strict=True))
    name = method.name if method.name not in trait.form.methods else f"{trait_of(bound).name}.{method.name}"
    types = [substitute(parameter.type, mapping) for parameter in method.parameters]
    result = substitute(method.result, mapping)
    upper = hidden_method(trait.form, name, method, types, result)
    lower = hidden_method(holder, name, method, types, result, overridden=upper)
    values: list[TypedExpression] = [held_value(holder, lower, held)]
    values += [typed.GetLocal(method.span, one.type, one) for one in lower.parameters]
    call = typed.Call(
        method.span, result, Instantiation(method, (held, *bound.arguments)), Dispatch.TRAIT, values
    )
    statement: typed.Statement = typed.Return(method.span, call)
    if result in (UNIT, NEVER):
        statement = typed.Evaluate(method.span, call)
    lower.set_body(typed.Block(method.span, [statement]))
    return upper


def conversion(trait: Trait, holder: Class, held: TypeParameter, bound: ClassType) -> Function:
    """What makes an object of a supertrait of what is held."""
    like = Function(f"as {bound.head.name}", FunctionKind.METHOD, None, trait.source, trait.span)
    upper = hidden_method(trait.form, like.name, like, [], bound)
    lower = hidden_method(holder, like.name, like, [], bound, overridden=upper)
    made = typed.Convert(trait.span, bound, held_value(holder, lower, held), held)
    lower.set_body(typed.Block(trait.span, [typed.Return(trait.span, made)]))
    return upper


def hidden_method(
    owner: Class,
    name: str,
    like: Function,
    types: Sequence[Type],
    result: Type,
    overridden: Function | None = None,
) -> Function:
    """A method of a form or holder that is called like a method of the trait."""
    function = Function(name, FunctionKind.METHOD, owner, owner.source, like.span)
    function.modifiers = Modifier.OPEN | Modifier.ABSTRACT if overridden is None else Modifier.OVERRIDE
    function.overridden = overridden
    function.is_hidden = True
    function.throws, function.rethrows = like.throws, like.rethrows
    function.result = result
    function.locals.append(Local("self", owner.self_type, False, 0))
    for parameter, type in zip(like.parameters, types, strict=True):
        function.locals.append(Local(parameter.name, type, False, len(function.locals)))
    function.parameters = function.locals[1:]
    function.signature = like.signature
    owner.methods[name] = function
    return function


def held_value(holder: Class, function: Function, held: TypeParameter) -> TypedExpression:
    receiver = typed.GetLocal(function.span, holder.self_type, function.locals[0])
    return typed.GetField(function.span, held, receiver, holder.fields[VALUE])


# Conversion.


def held_type(context: Context, source: Type, target: Type) -> Type | None:
    """The type whose `impl` makes a value of type `source` one of the trait `target`: its own or the nearest
    parent's; None if there is no such conversion."""
    if not isinstance(target, ClassType) or not is_trait_type(target):
        return None
    steps = satisfying(context, source, trait_of(target))
    return next((step for step, found in steps if same(found, target)), None)


def satisfying(context: Context, source: Type, trait: Trait) -> Iterator[tuple[Type, ClassType]]:
    """A type and its parents as far as they satisfy a trait, the nearest first, and with which arguments."""
    steps: Iterable[Type] = [source]
    if isinstance(source, ClassType) and not is_trait_type(source):
        steps = lineage(source)
    for step in steps:
        found = as_trait(context, step, trait)
        if found is not None:
            yield step, found


def fits(context: Context, source: Type, target: Type) -> bool:
    """Whether a value may be put in a place of type `target`, perhaps converted (section 4)."""
    if is_assignable(source, target) or held_type(context, source, target) is not None:
        return True
    if not isinstance(target, ClassType) or not is_trait_type(target):
        return False
    return may_have_more(context, source, trait_of(target))


def coerce(body: Body, value: TypedExpression, target: Type) -> TypedExpression | None:
    """A value as one of type `target`; None if it does not fit."""
    source = value.type
    if is_assignable(source, target) or has_error(source) or has_error(target):
        return value
    held = held_type(body.context, source, target)
    if held is None:
        return value if fits(body.context, source, target) else None
    assert isinstance(target, ClassType)
    return typed.Convert(value.span, target, value, held) if trait_of(target).holder else value


# is, as.


def type_of_holder(source: ClassType, target: Type) -> ClassType:
    """The class of what was converted to the trait `source` from exactly `target`."""
    holder = trait_of(source).holder
    assert holder is not None
    return holder.of((*source.arguments, target))


def type_target(body: Body, span: Span, source: ClassType, target: Type) -> bool:
    """Whether `is` and `as` may ask a value of a trait for a type; if not, that is reported."""
    if is_trait_type(target) or isinstance(target, TypeParameter):
        body.error("E0418", span, type=target)
        return False
    if is_reference(target):
        return trait_of(source).holder is not None
    found = as_trait(body.context, target, trait_of(source))
    if found is None or not same(found, source):
        body.error("E0419", span, left=source, right=target)
        return False
    return trait_of(source).holder is not None


def test_type(body: Body, span: Span, value: TypedExpression, target: Type) -> TypedExpression:
    """`value is C` of a value of a trait."""
    assert isinstance(value.type, ClassType)
    if not is_reference(target):
        return typed.IsInstance(span, BOOL, value, type_of_holder(value.type, target))
    assert isinstance(target, ClassType)
    return with_object(body, span, value, BOOL, lambda object: typed.IsInstance(span, BOOL, object, target))


def cast_type(body: Body, span: Span, value: TypedExpression, target: Type) -> TypedExpression:
    """`value as C` of a value of a trait."""
    assert isinstance(value.type, ClassType)
    if is_reference(target):
        return with_object(body, span, value, target, lambda object: typed.Cast(span, target, object))
    parts: list[typed.Statement] = []
    value = body.held(value, parts)
    made = type_of_holder(value.type, target)  # type: ignore[arg-type]
    holder = made.head
    assert isinstance(holder, Class)
    none: TypedExpression = typed.TextConstant(span, body.unit.library_class("Str").of(), "")
    present = typed.Choice(span, value.type, [(is_nil(span, value), none)], value)  # a text is never one
    found = typed.GetField(span, target, typed.Cast(span, made, present), holder.fields[VALUE])
    return typed.BlockValue(span, target, typed.Block(span, parts), found)


def with_object(
    body: Body,
    span: Span,
    value: TypedExpression,
    type: Type,
    ask: Callable[[TypedExpression], TypedExpression],
) -> TypedExpression:
    """What is asked of the object that was converted: nil for `nil`, the holder itself if it is none."""
    parts: list[typed.Statement] = []
    value = body.held(value, parts)
    form = value.type
    assert isinstance(form, ClassType) and isinstance(form.head, Class)
    field = form.head.fields[OBJECT]
    object = typed.GetField(span, field.type, value, field)
    nothing = typed.NilConstant(span, field.type)
    chosen = typed.Choice(
        span, field.type, [(is_nil(span, value), nothing), (is_nil(span, object), value)], object
    )
    return typed.BlockValue(span, type, typed.Block(span, parts), ask(chosen))


def is_nil(span: Span, value: TypedExpression) -> TypedExpression:
    return typed.Identical(span, BOOL, value, typed.NilConstant(span, NIL), False)
