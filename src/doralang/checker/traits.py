"""Traits and impls (reference, section 8).

An `impl` has, for each method of its trait, one of its own, one that the class has anyway (it is *adopted*),
or the default of the trait.
"""

from __future__ import annotations

from collections.abc import Iterator

from doralang.checker.bounds import meaning_in, same, satisfies_trait, self_type, trait_of, with_supertraits
from doralang.checker.declarations import (
    Declarations,
    FunctionDeclaration,
    ImplDeclaration,
    TraitDeclaration,
    bound_trait,
    check_body_present,
    declare_signature,
    described,
    new_function,
    parameter_types,
    resolve_bounds,
    resolve_bounds_of,
    share_unknown,
    signature,
    trait_type,
)
from doralang.checker.nearness import suggestion
from doralang.checker.program import Adopted, Class, Function, FunctionKind, Impl, Local, Trait
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.syntax.tree import Modifier
from doralang.types.types import ClassType, Type, TypeParameter, lineage, substitute

# Traits.


def declare_traits(declarations: Declarations) -> list[FunctionDeclaration]:
    """Supertraits and methods of all traits; returns the default methods, whose bodies are to be checked."""
    traits = declarations.traits
    for declaration in traits:
        resolve_bounds(declaration.context, declaration.node.type_parameters)
        declare_supertraits(declaration)
    for declaration in traits:
        if is_own_supertrait(declaration.trait):
            declaration.context.error("E0620", declaration.node.span, name=declaration.trait.name)
            declaration.trait.supertraits.clear()
    defaults = [default for declaration in traits for default in declare_methods(declaration)]
    for declaration in traits:
        check_inherited_names(declaration)
    return defaults


def declare_supertraits(declaration: TraitDeclaration) -> None:
    context, trait = declaration.context, declaration.trait
    for node in declaration.node.supertraits:
        found = bound_trait(context, node)
        if found is None:
            name = node.name if isinstance(node, tree.NamedType) else "(…)"
            if not context.unit.incomplete:
                context.error("E0604", node.span, name=name, hint=None)
        elif any(one.head is found.head for one in trait.supertraits):
            context.error("E0612", node.span, name=found)
        else:
            trait.supertraits.append(found)


def is_own_supertrait(trait: Trait) -> bool:
    waiting, seen = [trait_of(one) for one in trait.supertraits], set()
    while waiting:
        above = waiting.pop()
        if above is trait:
            return True
        if above not in seen:
            seen.add(above)
            waiting += [trait_of(one) for one in above.supertraits]
    return False


def declare_methods(declaration: TraitDeclaration) -> Iterator[FunctionDeclaration]:
    trait, context = declaration.trait, declaration.context
    for node in declaration.node.methods:
        if isinstance(node, tree.InvalidMember):
            context.unit.incomplete = True
            context.unit.incomplete_classes.add(trait.form)
            continue
        function = new_function(context, node, kind_of(node), None)
        function.trait = trait
        function.has_default = node.body is not None
        inner = declare_signature(context, function, node)
        for having in conditional(node):
            if node.body is None:
                context.error("E0616", node.span, having=having, what="without a body")
        add_method(context, trait.name, trait.methods, trait.statics, function)
        if function.has_default:
            yield FunctionDeclaration(function, node, inner)


def conditional(node: tree.Function) -> Iterator[str]:
    """What a method has that makes it one of several, if it does."""
    if node.type_parameters:
        yield "type parameters"
    elif node.conditions:
        yield "a `where`"


def check_inherited_names(declaration: TraitDeclaration) -> None:
    """A method must not have the name of one of a supertrait (E0314)."""
    trait, context = declaration.trait, declaration.context
    for bound in with_supertraits(trait.supertraits):
        above = trait_of(bound)
        pairs = ((trait.methods, above.methods), (trait.statics, above.statics))
        for mine, theirs in pairs:
            for name in [name for name in mine if context.visible(theirs.get(name)) is not None]:
                earlier = theirs[name]
                position = earlier.source.position(earlier.span.start)
                context.error("E0314", mine[name].span, type=bound, name=name, position=position)


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


# Impls.


def declare_impl(declarations: Declarations, declaration: ImplDeclaration) -> list[FunctionDeclaration]:
    """Check one `impl` and enter it; returns its functions, whose bodies are still to be checked."""
    context, node = declaration.context, declaration.node
    trait = find_trait(context, node)
    owner = find_class(context, node)
    if owner is None:
        if trait is not None:
            context.unit.unknown_impls.add(trait)
        return []
    impl, inner = new_impl(context, node, trait, owner)
    functions = [
        declare_method(inner, impl, method) for method in node.methods if isinstance(method, tree.Function)
    ]
    if len(functions) < len(node.methods):
        context.unit.incomplete_classes.add(owner)
    elif trait is not None:
        check_impl(inner, impl)
    if trait is not None:
        enter_impl(context, impl)
    else:
        context.unit.incomplete_classes.add(owner)
    return functions


def new_impl(context: Context, node: tree.Impl, trait: Trait | None, owner: Class) -> tuple[Impl, Context]:
    """An impl without its methods, and the context inside it."""
    bounds: dict[TypeParameter, list[ClassType]] = {}
    inner = context.inner({parameter.name: parameter for parameter in owner.parameters})
    if node.type_parameters or (isinstance(node.target, tree.NamedType) and node.target.arguments):
        inner = declare_bounds(context, node, owner, bounds)
    implemented = trait or Trait(node.trait.name, context.source, node.span)
    form = implemented_form(inner, node, trait) if trait else implemented.form.self_type
    impl = Impl(form, owner, context.source, node.span)
    impl.bounds = bounds
    return impl, inner


def implemented_form(context: Context, node: tree.Impl, trait: Trait) -> ClassType:
    """The trait with its arguments; for `impl Iterator for C` what `next` gives decides (reference, 14.8)."""
    if not node.trait.arguments and trait is context.unit.library_trait("Iterator"):
        for method in node.methods:
            if isinstance(method, tree.Function) and method.name == "next" and method.result is not None:
                context.note(node.trait.span.start, trait)
                return trait.form.of((resolve_type(context, method.result),))
    return trait_type(context, node.trait, trait)


def declare_bounds(
    context: Context, node: tree.Impl, owner: Class, bounds: dict[TypeParameter, list[ClassType]]
) -> Context:
    """`impl<A: R, …> … for C<A, …>`: the bounds hold inside, and decide where the `impl` is there at all."""
    target = node.target
    written = target.elements if isinstance(target, tree.TupleType) else target.arguments
    names = [one.name if isinstance(one, tree.NamedType) and not one.arguments else "" for one in written]
    wanted = [parameter.name for parameter in node.type_parameters]
    if names != wanted or len(wanted) != len(owner.parameters):
        shown = ", ".join(wanted or [parameter.name for parameter in owner.parameters])
        context.error("E0623", node.span, type=f"{owner.name}<{shown}>" if shown else owner.name)
        return context.inner({name: TypeParameter(name) for name in wanted})
    inner = context.inner(dict(zip(wanted, owner.parameters, strict=True)))
    for parameter, written_one, argument in zip(owner.parameters, node.type_parameters, written, strict=True):
        context.note(written_one.span.start, parameter)
        context.note(argument.span.start, parameter)
        found = TypeParameter(parameter.name)
        resolve_bounds_of(inner, written_one, found)
        share_unknown(inner, found, parameter)
        if found.class_bound is not None:
            context.error("E0624", written_one.span, what="an `impl`")
        if found.traits:
            bounds[parameter] = found.traits
    return inner.knowing(bounds)


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
    for having in conditional(node):
        if not is_final_there(impl, function):
            context.error("E0616", node.span, having=having, what="in an `impl`")
    add_method(context, impl.owner.name, impl.methods, impl.statics, function)
    return FunctionDeclaration(function, node, inner)


def is_final_there(impl: Impl, function: Function) -> bool:
    """Whether the trait has a final default of the name of a method."""
    is_static = function.kind is FunctionKind.STATIC
    theirs = (impl.trait.statics if is_static else impl.trait.methods).get(function.name)
    return theirs is not None and theirs.is_final


def check_impl(context: Context, impl: Impl) -> None:
    """Report what the trait does not let it define, lacks, or asks for."""
    trait = impl.trait
    pairs = ((impl.methods, trait.methods), (impl.statics, trait.statics))
    for mine, theirs in pairs:
        for name, function in mine.items():
            wanted = context.visible(theirs.get(name))
            if is_final_there(impl, function):
                context.error("E0618", function.span, trait=trait.name, name=name)
            elif wanted is None or not same_parameters(impl, function, wanted):
                if function.type_parameters or trait.form in context.unit.incomplete_classes:
                    continue
                method = described(name, parameter_types(function))
                context.error("E0602", function.span, trait=trait.name, method=method)
    adopt(impl)
    for mine, theirs in pairs:
        for name, function in theirs.items():
            if name in mine or function.has_default or is_adopted(impl, function):
                continue
            if context.unit.knows_members(impl.owner):
                method = described(name, wanted_types(impl, function))
                context.error("E0603", impl.span, trait=trait.name, method=method)
                mine[name] = method_like(impl, function)  # nobody else is to miss it
    context.unit.when_declared(lambda: check_supertraits(context, impl))


def method_like(impl: Impl, theirs: Function) -> Function:
    """A method of an impl as the trait wants it, without a body."""
    mapping = meaning_in(impl)
    function = Function(theirs.name, theirs.kind, impl.owner, impl.source, impl.span)
    function.modifiers = theirs.modifiers
    function.throws, function.rethrows = theirs.throws, theirs.rethrows
    function.impl_of = impl.trait
    function.result = substitute(theirs.result, mapping)
    if theirs.kind is not FunctionKind.STATIC:
        function.locals.append(Local("self", self_type(impl.owner), False, 0))
    for parameter in theirs.parameters:
        type = substitute(parameter.type, mapping)
        function.parameters.append(Local(parameter.name, type, False, len(function.locals)))
        function.locals.append(function.parameters[-1])
    function.signature = signature(function)
    return function


def check_supertraits(context: Context, impl: Impl) -> None:
    """The class must satisfy the supertraits, too (E0619)."""
    mapping = meaning_in(impl)
    for bound in impl.trait.supertraits:
        wanted = substitute(bound, mapping)
        assert isinstance(wanted, ClassType)
        if not satisfies_trait(context, self_type(impl.owner), wanted):
            context.error("E0619", impl.span, type=impl.owner.name, trait=wanted)


# Adoption.


def adopt(impl: Impl) -> None:
    """Take what the class has anyway for methods of the trait that the impl leaves out."""
    for name, theirs in impl.trait.methods.items():
        if name in impl.methods or theirs.is_final or theirs.is_private:
            continue
        found = own_method(impl.owner, name)
        if found is not None and not found.function.is_private and is_same_method(impl, found, theirs):
            impl.adopted[name] = found


def is_adopted(impl: Impl, theirs: Function) -> bool:
    return theirs.kind is not FunctionKind.STATIC and theirs.name in impl.adopted


def own_method(owner: Class, name: str) -> Adopted | None:
    """The instance method of a name that a class or one of its parents declares."""
    for step in lineage(owner.self_type):
        head = step.head
        assert isinstance(head, Class)
        method = head.methods.get(name) or head.late.get(name)
        if method is not None:
            return Adopted(method, step)
    return None


def is_same_method(impl: Impl, found: Adopted, theirs: Function) -> bool:
    """Whether parameters, result and `throws` are exactly those of the trait."""
    mine, mapping = found.function, dict(zip(found.owner.head.parameters, found.owner.arguments, strict=True))
    if (
        mine.type_parameters
        or mine.conditions
        or (mine.throws, mine.rethrows) != (theirs.throws, theirs.rethrows)
    ):
        return False
    types = [*parameter_types(mine), mine.result]
    wanted = [*wanted_types(impl, theirs), substitute(theirs.result, meaning_in(impl))]
    return len(types) == len(wanted) and all(
        same(substitute(one, mapping), other) for one, other in zip(types, wanted, strict=True)
    )


def wanted_types(impl: Impl, function: Function) -> list[Type]:
    mapping = meaning_in(impl)
    return [substitute(type, mapping) for type in parameter_types(function)]


def same_parameters(impl: Impl, mine: Function, theirs: Function) -> bool:
    wanted, found = wanted_types(impl, theirs), parameter_types(mine)
    return len(wanted) == len(found) and all(map(same, wanted, found))


def enter_impl(context: Context, impl: Impl) -> None:
    unit = context.unit
    impls = unit.impls.get(impl.owner)
    if impls is None:
        impls = unit.impls[impl.owner] = dict(unit.impls_of(impl.owner))
    earlier = impls.get(impl.trait)
    if earlier is None or (impl.source.main and not earlier.source.main):
        impls[impl.trait] = impl
        return
    position = context.position(earlier.span)
    context.error("E0615", impl.span, type=impl.owner.name, trait=impl.trait.name, position=position)
