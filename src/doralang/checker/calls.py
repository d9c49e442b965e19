"""Calls of functions, constructors, methods and static methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doralang.checker import program as typed
from doralang.checker.arguments import check_anyway, explicit_arguments, given_arguments
from doralang.checker.body import Body, Checked, Leaves
from doralang.checker.function_calls import call_value
from doralang.checker.generics import GenericCallee, callee, check_call, check_overloaded
from doralang.checker.lookup import (
    Ambiguous,
    Found,
    dispatch_of,
    find_field,
    find_method,
    find_static,
    members_known,
    method_names,
)
from doralang.checker.making import make_call, note_throws
from doralang.checker.nearness import suggestion
from doralang.checker.program import (
    Class,
    Dispatch,
    Function,
    Global,
    Instantiation,
    New,
    TypedExpression,
    Variant,
)
from doralang.checker.scopes import kind_name
from doralang.library.files import GRANTED
from doralang.library.internals import RAW
from doralang.optional import load
from doralang.syntax import tree
from doralang.syntax.tree import Modifier
from doralang.text.source import Span
from doralang.types.types import (
    ERROR,
    NEVER,
    NIL,
    UNIT,
    ClassType,
    PrimitiveType,
    Type,
    TypeParameter,
    is_function,
    substitute,
)
from doralang.typing_forms import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


# f(a), C(a)


def check_named_call(body: Body, node: tree.Call, expected: Type | None) -> Checked:
    local = body.find_local(node.name)
    if local is not None and (is_function(local.type) or local.type is ERROR):
        body.context.note(node.span.start, local.declared)
        value = typed.GetLocal(node.span, local.type, local)
        return call_value(body, node.span, node.name, value, node.arguments, expected)
    if local is not None:
        body.error("E0302", node.span, name=node.name, hint=f"`{node.name}` is a variable here")
        return check_anyway(body, node.arguments, node.span)
    entity = body.global_name(node.name)
    if entity is not None:
        body.context.note(node.span.start, entity)
    if isinstance(entity, Function):
        if not is_granted(body, node.name, node.span):
            return check_anyway(body, node.arguments, node.span)
        return call_function(body, node, entity, expected)
    if isinstance(entity, Class):
        if not is_granted(body, node.name, node.span):
            return check_anyway(body, node.arguments, node.span)
        return construct(body, node, entity, expected)
    if isinstance(entity, Variant):
        return of_variant(body, node.span, entity, node.type_arguments, node.arguments, expected)
    if isinstance(entity, Global) and is_function(entity.type):
        read = typed.GetGlobal(node.span, entity.type, entity)
        return call_value(body, node.span, node.name, read, node.arguments, expected)
    if body.formula and entity is None and node.arguments and node.name not in RAW:
        receiver = body.expression(node.arguments[0])
        call = tree.MethodCall(
            node.span, node.arguments[0], node.name, node.type_arguments, node.arguments[1:]
        )
        return check_method_call(body, call, receiver, expected)
    report_unknown_function(body, node, entity)
    return check_anyway(body, node.arguments, node.span)


def is_granted(body: Body, name: str, span: Span) -> bool:
    """Whether a name of the library may be used here (E0907)."""
    unit = body.unit
    if unit.granted is None or name not in GRANTED or name in unit.names or name in unit.granted:
        return True
    hint = "formulas compute: nothing in them reaches the process or native code" if body.formula else None
    body.error("E0907", span, name=name, hint=hint)
    return False


def report_unknown_function(body: Body, node: tree.Call, entity: object) -> None:
    if entity is None and node.name in RAW:
        body.error("E0905", node.span)
    elif entity is not None:
        body.error("E0302", node.span, name=node.name, hint=f"`{node.name}` is {kind_name(entity)}")  # type: ignore[arg-type]
    elif body.unit.incomplete or body.incomplete or not body.is_news("function", node.name):
        body.wrong(node.span)
    else:
        body.error("E0302", node.span, name=node.name, hint=method_hint(body, node.name))


def method_hint(body: Body, name: str) -> str | None:
    """A method that was called without its object, or a function with a name like it."""
    owner = body.root.owner
    if owner is not None and name in owner.statics:
        return f"a static method is called `{owner.name}::{name}(…)`"
    if body.has_self and isinstance(find_method(body.context, body.self_type, name), Found):
        return f"a method is called `self.{name}(…)`"
    return suggestion(body.unit, name, body.unit.names_of(Function, Class))


def call_function(body: Body, node: tree.Call, function: Function, expected: Type | None) -> Checked:
    note_throws(body, node.span, function)
    if body.formula and function.result is NEVER:
        body.error("E0407", node.span, type=NEVER)  # it would fit everywhere
        return check_anyway(body, node.arguments, node.span)
    given = given_arguments(body, node.span, node.name, node.type_arguments, function.type_parameters)
    if given is None:
        return check_anyway(body, node.arguments, node.span)
    known, open = given
    build = make_call(node.span, function, Dispatch.STATIC, [])
    target = callee(function, known, open, build, chosen=bool(node.type_arguments))
    return check_call(body, node.span, target, node.arguments, expected)


def construct(body: Body, node: tree.Call, entity: Class, expected: Type | None) -> Checked:
    """`C(a)`, `C::<T>(a)`"""
    if Modifier.ABSTRACT in entity.modifiers:
        body.error("E0515", node.span, name=entity.name)
        return check_anyway(body, node.arguments, node.span)
    given = given_arguments(body, node.span, node.name, node.type_arguments, entity.parameters)
    if given is None:
        return check_anyway(body, node.arguments, node.span)
    known, open = given

    def build(
        function: Function, arguments: tuple[Type, ...], type: Type, values: list[TypedExpression]
    ) -> TypedExpression:
        return New(node.span, type, Instantiation(function, arguments), values)

    candidates = [
        constructor_callee(constructor, known, open, build, entity.self_type, bool(node.type_arguments))
        for constructor in entity.constructors
    ]
    if not candidates:
        checked = [body.expression(argument) for argument in node.arguments]
        found = ", ".join(f"`{argument.type}`" for argument in checked)
        if any(argument.type is ERROR for argument in checked) or entity in body.unit.incomplete_classes:
            return body.wrong(node.span)
        hint = "values are converted with methods such as `.toInt()`" if entity.internal else None
        return body.error("E0417", node.span, type=entity.name, found=f"({found})", hint=hint)
    return check_overloaded(body, node.span, candidates, node.arguments, expected)


ConstructorBuild = Callable[[Function, tuple[Type, ...], Type, list[TypedExpression]], TypedExpression]


def constructor_callee(
    constructor: Function,
    known: dict[Type, Type],
    open: Sequence[TypeParameter],
    build: ConstructorBuild,
    result: Type,
    chosen: bool,
) -> GenericCallee:
    def make(arguments: tuple[Type, ...], type: Type, values: list[TypedExpression]) -> TypedExpression:
        return build(constructor, arguments, type, values)

    return callee(constructor, known, open, make, result=result, chosen=chosen, code="E0417")


# C::f(a)


def check_static_call(body: Body, node: tree.StaticCall, expected: Type | None) -> Checked:
    entity = None if node.owner in body.context.parameters else body.global_name(node.owner)
    if not isinstance(entity, Class):
        if entity is None and (body.unit.incomplete and node.owner not in body.context.parameters):
            return check_anyway(body, node.arguments, node.span)
        hint = suggestion(body.unit, node.owner, body.unit.names_of(Class)) if entity is None else None
        body.error("E0308", node.span, name=node.owner, hint=hint)
        return check_anyway(body, node.arguments, node.span)
    if not is_granted(body, node.owner, node.span):
        return check_anyway(body, node.arguments, node.span)
    body.context.note(node.span.start, entity)
    variant = entity.variants.get(node.name)
    if variant is not None and not node.type_arguments:
        body.context.note(node.name_span.start, variant)
        return of_variant(body, node.span, variant, node.owner_arguments, node.arguments, expected)
    found = find_static(body.context, entity.self_type, node.name)
    if found is None and entity.variants and body.unit.knows_members(entity):
        load("doralang.checker.variants").unknown_variant(body, node.span, entity, node.name)
        return check_anyway(body, node.arguments, node.span)
    if found is None:
        if body.unit.knows_members(entity) and body.is_news(entity, node.name):
            hint = suggestion(body.unit, node.name, method_names(body.context, entity.self_type, static=True))
            if node.name in entity.methods:
                hint = f"`{node.name}` needs an object"
            body.error("E0312", node.span, type=entity.name, name=node.name, hint=hint)
        return check_anyway(body, node.arguments, node.span)
    if isinstance(found, Ambiguous):
        report_ambiguous(body, node.span, node.name, found)
        return check_anyway(body, node.arguments, node.span)
    return call_static(body, node, entity, found, expected)


def call_static(
    body: Body, node: tree.StaticCall, entity: Class, found: Found, expected: Type | None
) -> Checked:
    note_throws(body, node.span, found.function)
    target = static_target(body, node, entity, found)
    if target is None:
        return check_anyway(body, node.arguments, node.span)
    return check_call(body, node.span, target, node.arguments, expected)


def static_target(
    body: Body, node: tree.StaticCall | tree.StaticName, entity: Class, found: Found
) -> GenericCallee | None:
    """Type arguments of the class and of the method are written or left out each by themselves."""
    function = found.function
    body.context.note(node.name_span.start, function)
    known: dict[Type, Type] = {}
    open: list[TypeParameter] = []
    lists = (
        (node.owner, node.owner_arguments, entity.parameters),
        (node.name, node.type_arguments, function.type_parameters),
    )
    for name, nodes, parameters in lists:
        if not nodes:
            open.extend(parameters)
            continue
        explicit = explicit_arguments(body, node.span, name, nodes, parameters)
        if explicit is None:
            return None
        known.update(explicit)
    return static_callee(node.span, found, known, open, bool(known))


def static_callee(
    span: Span, found: Found, known: dict[Type, Type], open: Sequence[TypeParameter], chosen: bool
) -> GenericCallee:
    """A callee whose owner's arguments are those of the class named at the call, or of a parent."""
    function = found.function
    build = make_call(span, function, Dispatch.STATIC, [])
    target = callee(function, known, open, build, chosen=chosen)
    owner = found.mapping()
    if all(parameter is argument for parameter, argument in owner.items()):
        return target
    inherited: dict[Type, Type] = dict(known)
    inherited.update(zip(open, target.open, strict=True))
    mapping = {parameter: substitute(argument, inherited) for parameter, argument in owner.items()}
    mapping.update({p: inherited[p] for p in function.type_parameters})
    again = callee(function, mapping, (), build, chosen=chosen or bool(open))
    again.open = target.open
    return again


def check_static_name(body: Body, node: tree.StaticName, expected: Type | None) -> Checked:
    """`E::V`, `C::m`"""
    entity = None if node.owner in body.context.parameters else body.global_name(node.owner)
    if not isinstance(entity, Class):
        if entity is None and (body.unit.incomplete and node.owner not in body.context.parameters):
            return body.wrong(node.span)
        hint = suggestion(body.unit, node.owner, body.unit.names_of(Class)) if entity is None else None
        return body.error("E0308", node.span, name=node.owner, hint=hint)
    if not is_granted(body, node.owner, node.span):
        return body.wrong(node.span)
    body.context.note(node.span.start, entity)
    variant = entity.variants.get(node.name)
    if variant is not None and not node.type_arguments:
        body.context.note(node.name_span.start, variant)
        return of_variant(body, node.span, variant, node.owner_arguments, None, expected)
    found = find_static(body.context, entity.self_type, node.name)
    if isinstance(found, Ambiguous):
        return report_ambiguous(body, node.span, node.name, found)
    if found is None or body.formula:
        return unknown_static_name(body, node, entity)
    target = static_target(body, node, entity, found)
    if target is None:
        return body.wrong(node.span)
    return cast(Checked, load("doralang.checker.function_values").value_of(body, node.span, target, expected))


def of_variant(
    body: Body,
    span: Span,
    variant: Variant,
    types: Sequence[tree.Type],
    nodes: Sequence[tree.Expression] | None,
    expected: Type | None,
) -> Checked:
    """A value of an enum, checked by a module that programs without enums do not load."""
    variants = load("doralang.checker.variants")
    return cast(Checked, variants.variant_value(body, span, variant, types, nodes, expected))


def unknown_static_name(body: Body, node: tree.StaticName, entity: Class) -> TypedExpression:
    if not body.unit.knows_members(entity):
        return body.wrong(node.span)
    if entity.variants:
        variants = load("doralang.checker.variants")
        return cast(TypedExpression, variants.unknown_variant(body, node.span, entity, node.name))
    if not body.is_news(entity, node.name):
        return body.wrong(node.span)
    hint = suggestion(body.unit, node.name, method_names(body.context, entity.self_type, static=True))
    if node.name in entity.methods:
        hint = f"`{node.name}` needs an object"
    return body.error("E0312", node.span, type=entity.name, name=node.name, hint=hint)


def report_ambiguous(body: Body, span: Span, name: str, found: Ambiguous) -> TypedExpression:
    traits = " and ".join(f"`{trait.name}`" for trait in found.traits)
    return body.error("E0319", span, name=name, traits=traits)


# o.m(a)


def check_method_call(
    body: Body, node: tree.MethodCall, receiver: TypedExpression, expected: Type | None
) -> Checked:
    if body.is_unknown(receiver.type):
        return check_anyway(body, node.arguments, node.span)
    found = find_method(body.context, receiver.type, node.name)
    if found is None:
        return unknown_method(body, node, receiver.type)
    if isinstance(found, Ambiguous):
        report_ambiguous(body, node.span, node.name, found)
        return check_anyway(body, node.arguments, node.span)
    return call_method(body, node.span, node, receiver, found, expected)


def unknown_method(body: Body, node: tree.MethodCall, type: Type) -> TypedExpression:
    if members_known(body.context, type) and body.is_news(type, f"{node.name}()"):
        hint = None
        field = find_field(body.context, type, node.name)
        if field is not None and is_function(field[0].type):
            extent = node.receiver.extent
            text = body.context.source.text[extent.start : extent.end]
            hint = f"it is a field: write `({text}.{node.name})(…)`"
        elif isinstance(find_static(body.context, type, node.name), Found):
            hint = f"it is static: write `{type}::{node.name}(…)`"
        elif isinstance(type, PrimitiveType | ClassType) and node.name == "toString":
            hint = "this type has no text of its own"
        elif type not in (NIL, UNIT):
            hint = suggestion(body.unit, node.name, method_names(body.context, type))
        body.error("E0311", node.span, type=type, name=node.name, hint=hint)
    return check_anyway(body, node.arguments, node.span)


def call_method(
    body: Body,
    span: Span,
    node: tree.MethodCall,
    receiver: TypedExpression,
    found: Found,
    expected: Type | None,
) -> Checked:
    function = found.function
    body.context.note(span.end - len(node.name), function)
    note_throws(body, span, function)
    own = function.type_parameters
    given = given_arguments(body, span, node.name, node.type_arguments, own, found.mapping())
    if given is None:
        return check_anyway(body, node.arguments, span)
    known, open = given
    dispatch = Dispatch.DIRECT if isinstance(node.receiver, tree.Super) else dispatch_of(found)
    build = make_call(span, function, dispatch, [receiver])
    target = callee(function, known, open, build, chosen=bool(node.type_arguments))
    return check_call(body, span, target, node.arguments, expected)


def check_super(
    body: Body, node: tree.Super, expected: Type | None, link: tree.Link | None = None
) -> TypedExpression:
    """`super` as the receiver of the method call `link`: `self` as its parent."""
    if not isinstance(link, tree.MethodCall):
        return body.error("E0317", node.span)
    owner = body.root.owner
    if not body.has_self or owner is None or body.root.impl_of is not None:
        body.error("E0318", link.span)
        return body.wrong(node.span)
    parent = owner.self_type.parent
    if not body.unit.knows_members(owner):
        return body.wrong(node.span)
    if parent is None:
        return body.error("E0318", link.span)
    found = find_method(body.context, parent, link.name)
    if isinstance(found, Found) and Modifier.ABSTRACT in found.function.modifiers:
        hint = "it is abstract there"
        return body.error("E0311", link.span, type=parent, name=link.name, hint=hint)
    return typed.GetLocal(node.span, parent, body.self_local())


LEAVES: Final[Leaves] = {
    tree.Call: check_named_call,
    tree.StaticCall: check_static_call,
    tree.StaticName: check_static_name,
    tree.Super: check_super,
}
LINKS: Final[Leaves] = {tree.MethodCall: check_method_call}
