"""Traits and impls: an `impl` has every method of its trait and nothing else (section 8)."""

from __future__ import annotations

from doralang.checker.declarations import (
    Declarations,
    FunctionDeclaration,
    ImplDeclaration,
    TraitDeclaration,
    check_body_present,
    declare_signature,
    described,
    new_function,
    parameter_types,
    resolve_bounds_of,
)
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Function, FunctionKind, Impl, Trait
from doralang.checker.resolve import same, self_type
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.syntax.tree import Modifier
from doralang.types.types import SELF, Type, TypeParameter, substitute


def declare_trait(declaration: TraitDeclaration) -> None:
    trait, context = declaration.trait, declaration.context
    for node in declaration.node.methods:
        if isinstance(node, tree.InvalidMember):
            context.unit.incomplete = True
            continue
        function = new_function(context, node, kind_of(node), None)
        if node.body is not None:
            context.error("E0601", node.span)
        declare_signature(context, function, node)
        if node.type_parameters:
            context.error("E0616", node.span, what="in a trait")
        add_method(context, trait.name, trait.methods, trait.statics, function)


def kind_of(node: tree.Function) -> FunctionKind:
    return FunctionKind.STATIC if Modifier.STATIC in node.modifiers else FunctionKind.METHOD


def add_method(
    context: Context,
    owner: str,
    methods: dict[str, Function],
    statics: dict[str, Function],
    function: Function,
) -> None:
    """Enter a method of a trait or impl under its name (E0314)."""
    mine = statics if function.kind is FunctionKind.STATIC else methods
    earlier = mine.get(function.name)
    if earlier is None:
        mine[function.name] = function
    else:
        position = context.position(earlier.span)
        context.error("E0314", function.span, type=owner, name=function.name, position=position)


def declare_impl(declarations: Declarations, declaration: ImplDeclaration) -> list[FunctionDeclaration]:
    """Check one `impl` and enter it; returns its functions, whose bodies are still to be checked."""
    context, node = declaration.context, declaration.node
    trait = find_trait(context, node)
    owner = find_class(context, node)
    if owner is None:
        return []
    inner = context.inner({parameter.name: parameter for parameter in owner.parameters})
    impl = Impl(trait or Trait(node.trait.name, context.source, node.span), owner, context.source, node.span)
    if node.type_parameters:
        inner = declare_bounds(context, node, impl)
    functions = [
        declare_method(inner, impl, method) for method in node.methods if isinstance(method, tree.Function)
    ]
    if len(functions) < len(node.methods):
        context.unit.incomplete_classes.add(owner)
    elif trait is not None:
        check_impl(context, impl)
    if trait is not None:
        enter_impl(context, impl)
    else:
        context.unit.incomplete_classes.add(owner)
    return functions


def declare_bounds(context: Context, node: tree.Impl, impl: Impl) -> Context:
    """`impl<A: R, …> … for C<A, …>`: the bounds hold inside, and decide where the `impl` is there at all."""
    target, owner = node.target, impl.owner
    written = target.elements if isinstance(target, tree.TupleType) else target.arguments
    names = [one.name if isinstance(one, tree.NamedType) and not one.arguments else "" for one in written]
    wanted = [parameter.name for parameter in node.type_parameters]
    if names != wanted or len(wanted) != len(owner.parameters):
        shown = f"{owner.name}<{', '.join(wanted)}>"
        context.error("E0623", node.span, type=shown)
        return context.inner({name: TypeParameter(name) for name in wanted})
    inner = context.inner(dict(zip(wanted, owner.parameters, strict=True)))
    for parameter, written_one in zip(owner.parameters, node.type_parameters, strict=True):
        found = TypeParameter(parameter.name)
        resolve_bounds_of(inner, written_one, found)
        if found.class_bound is not None:
            context.error("E0624", written_one.span)
        if found.traits:
            impl.bounds[parameter] = found.traits
    inner.bounds = impl.bounds
    return inner


def find_trait(context: Context, node: tree.Impl) -> Trait | None:
    entity = context.unit.find(node.trait.name)
    if entity is not None:
        context.note(node.trait.span.start, entity)
    if isinstance(entity, Trait):
        return entity
    if entity is not None or not context.unit.incomplete:
        name = node.trait.name
        hint = suggestion(context.unit, name, context.unit.names_of(Trait)) if entity is None else None
        context.error("E0604", node.span, name=name, hint=hint)
    return None


def find_class(context: Context, node: tree.Impl) -> Class | None:
    target = node.target
    if isinstance(target, tree.TupleType):
        if context.is_library:
            return context.unit.library_class(f"Tuple{len(target.elements)}")
        context.error("E0605", node.span, name="(…)", hint="tuples implement what their elements do")
        return None
    entity = context.unit.find(target.name)
    if entity is not None:
        context.note(target.span.start, entity)
    if isinstance(entity, Class):
        return entity
    if entity is not None or not context.unit.incomplete:
        name = target.name
        hint = suggestion(context.unit, name, context.unit.names_of(Class)) if entity is None else None
        context.error("E0605", node.span, name=name, hint=hint)
    return None


def declare_method(context: Context, impl: Impl, node: tree.Function) -> FunctionDeclaration:
    function = new_function(context, node, kind_of(node), impl.owner)
    function.impl_of = impl.trait
    inner = declare_signature(context, function, node)
    check_body_present(context, function, node.body is not None, node.span)
    if node.type_parameters:
        context.error("E0616", node.span, what="in an `impl`")
    add_method(context, impl.owner.name, impl.methods, impl.statics, function)
    return FunctionDeclaration(function, node, inner)


def check_impl(context: Context, impl: Impl) -> None:
    """E0602 for what the trait lacks, E0603 for what the impl lacks."""
    trait = impl.trait
    pairs = ((impl.methods, trait.methods), (impl.statics, trait.statics))
    for mine, theirs in pairs:
        for name, function in mine.items():
            if name not in theirs or not same_parameters(impl, function, theirs[name]):
                if function.type_parameters:
                    continue
                method = described(name, parameter_types(function))
                context.error("E0602", function.span, trait=trait.name, method=method)
    for mine, theirs in pairs:
        for name, function in theirs.items():
            if name not in mine:
                method = described(name, wanted_types(impl, function))
                context.error("E0603", impl.span, trait=trait.name, method=method)


def wanted_types(impl: Impl, function: Function) -> list[Type]:
    own: dict[Type, Type] = {SELF: self_type(impl.owner)}
    return [substitute(type, own) for type in parameter_types(function)]


def same_parameters(impl: Impl, mine: Function, theirs: Function) -> bool:
    wanted, found = wanted_types(impl, theirs), parameter_types(mine)
    return len(wanted) == len(found) and all(map(same, wanted, found))


def enter_impl(context: Context, impl: Impl) -> None:
    impls = context.unit.impls.setdefault(impl.owner, {})
    earlier = impls.get(impl.trait)
    if earlier is None or (impl.source.main and not earlier.source.main):
        impls[impl.trait] = impl
        return
    position = context.position(earlier.span)
    context.error("E0615", impl.span, type=impl.owner.name, trait=impl.trait.name, position=position)
