"""Declarations of a file: first all names, then what they say about themselves.

The passes, each over all files before the next begins, because declarations may stand in any order:

1. names: an entity for each declaration, in the unit's scope (E0304);
2. headers: type parameters, then the parents of classes;
3. bounds of type parameters;
4. signatures, fields, constructors, impls.

Bodies come later (`check.bodies`); here they are put on a list with the place they stand in.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.bounds import check_bounds, self_type
from doralang.checker.program import Class, Function, FunctionKind, Global, Local, Trait
from doralang.checker.resolve import resolve_type, wrong_count
from doralang.checker.rethrows import check_rethrows
from doralang.checker.scopes import ConstantName, Context, Entity, Unit, kind_name
from doralang.syntax import tree
from doralang.syntax.tree import Modifier
from doralang.text.records import field, record
from doralang.text.source import Source, Span
from doralang.types.types import ERROR, INT, UNIT, ClassType, Type, TypeParameter, is_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias


@record(eq=True)
class FunctionDeclaration:
    function: Function
    node: tree.Function
    context: Context


@record(eq=True)
class ConstructorDeclaration:
    """A constructor; `node` is None for the primary one."""

    function: Function
    node: tree.Init | None


@record(eq=True)
class ClassDeclaration:
    """A class on its way: what has been made of its members."""

    entity: Class
    node: tree.Class
    context: Context
    methods: list[FunctionDeclaration] = field(default_factory=list)
    constructors: list[ConstructorDeclaration] = field(default_factory=list)


@record(eq=True)
class EnumDeclaration:
    """An enum on its way."""

    entity: Class
    node: tree.Enum
    context: Context
    methods: list[FunctionDeclaration] = field(default_factory=list)


@record(eq=True)
class TraitDeclaration:
    trait: Trait
    node: tree.Trait
    context: Context


@record(eq=True)
class ImplDeclaration:
    node: tree.Impl
    context: Context


@record(eq=True)
class GlobalDeclaration:
    variable: Global
    node: tree.Global
    context: Context


@record(eq=True)
class Declarations:
    """All declarations of a unit, by kind, in the order of the source."""

    unit: Unit
    classes: list[ClassDeclaration] = field(default_factory=list)
    enums: list[EnumDeclaration] = field(default_factory=list)
    functions: list[FunctionDeclaration] = field(default_factory=list)
    traits: list[TraitDeclaration] = field(default_factory=list)
    impls: list[ImplDeclaration] = field(default_factory=list)
    globals: list[GlobalDeclaration] = field(default_factory=list)
    constants: list[ConstantName] = field(default_factory=list)


# Names.

NamedDeclaration: TypeAlias = (
    tree.Function | tree.Class | tree.Enum | tree.Trait | tree.Global | tree.Constant
)


def collect(declarations: Declarations, source: Source, file: tree.File) -> None:
    """Make an entity for each declaration of a file and enter its name."""
    context = Context(declarations.unit, source)
    for node in file.declarations:
        if isinstance(node, tree.InvalidDeclaration):
            declarations.unit.incomplete = True
        elif isinstance(node, tree.Impl):
            declarations.impls.append(ImplDeclaration(node, context))
        else:
            entity = make_entity(declarations, context, node)
            enter(context, node, entity)


def make_entity(
    declarations: Declarations,
    context: Context,
    node: NamedDeclaration,
) -> Entity:
    source = context.source
    if isinstance(node, tree.Function):
        function = new_function(context, node, FunctionKind.FUNCTION, None)
        declarations.functions.append(FunctionDeclaration(function, node, context))
        return function
    if isinstance(node, tree.Class):
        parameters = new_parameters(context, node.type_parameters)
        entity = Class(node.name, tuple(parameters.values()), source, node.span)
        entity.modifiers = node.modifiers
        check_for_library(context, node)
        declarations.classes.append(ClassDeclaration(entity, node, context.inner(parameters)))
        return entity
    if isinstance(node, tree.Enum):
        parameters = new_parameters(context, node.type_parameters)
        entity = Class(node.name, tuple(parameters.values()), source, node.span)
        declarations.enums.append(EnumDeclaration(entity, node, context.inner(parameters)))
        return entity
    if isinstance(node, tree.Trait):
        parameters = new_parameters(context, node.type_parameters)
        trait = Trait(node.name, source, node.span, tuple(parameters.values()))
        inner = Context(context.unit, source, parameters, trait.own_self)
        declarations.traits.append(TraitDeclaration(trait, node, inner))
        return trait
    if isinstance(node, tree.Global):
        variable = Global(node.name, ERROR, node.mutable, source, node.span)
        declarations.globals.append(GlobalDeclaration(variable, node, context))
        return variable
    constant = ConstantName(node, source, context, ERROR)
    declarations.constants.append(constant)
    return constant


def enter(context: Context, node: NamedDeclaration, entity: Entity) -> None:
    """Put a name into the scope, unless it is there already."""
    context.note(node.name_span.start, entity)
    names = context.unit.names
    earlier = names.get(entity.name)
    if earlier is None:
        names[entity.name] = entity
        return
    position = earlier.source.position(earlier.span.start)
    context.error("E0304", node.span, name=entity.name, what=kind_name(earlier), position=position)


def check_for_library(context: Context, node: tree.Function | tree.Init | tree.Class | tree.Field) -> None:
    """Report what only library files may declare."""
    if context.is_library or node.modifiers is Modifier.NONE:
        return
    if Modifier.INTERNAL in node.modifiers:
        context.error("E0904", node.span)
    if Modifier.LATE in node.modifiers:
        context.error("E0906", node.span, what="only library files can have late methods")
    if Modifier.PRIVATE in node.modifiers:
        context.error("E0906", node.span, what="only library files can have private methods")
    if isinstance(node, tree.Function | tree.Init) and node.raw_span is not None:
        context.error("E0905", node.raw_span)


# Functions.


def new_parameters(context: Context, nodes: Sequence[tree.TypeParameter]) -> dict[str, TypeParameter]:
    """A type parameter for each node; their bounds are resolved later."""
    parameters: dict[str, TypeParameter] = {}
    for node in nodes:
        if node.name in parameters:
            context.error("E0315", node.span, name=node.name)
        else:
            parameters[node.name] = TypeParameter(node.name)
            context.note(node.span.start, parameters[node.name])
    return parameters


def new_function(context: Context, node: tree.Function, kind: FunctionKind, owner: Class | None) -> Function:
    function = Function(node.name, kind, owner, context.source, node.span)
    function.modifiers = node.modifiers
    function.throws = node.throws
    function.rethrows = node.rethrows
    context.note(node.name_span.start, function)
    check_for_library(context, node)
    return function


def declare_type_parameters(context: Context, function: Function, node: tree.Function) -> Context:
    """Give a function its type parameters; returns the context inside it."""
    if not node.type_parameters:
        return context
    for parameter in node.type_parameters:
        if parameter.name in context.parameters:
            context.error("E0315", parameter.span, name=parameter.name)
    parameters = new_parameters(context, node.type_parameters)
    function.type_parameters = tuple(parameters.values())
    inner = context.inner(parameters)
    resolve_bounds(inner, node.type_parameters)
    return inner


def resolve_bounds(context: Context, nodes: Sequence[tree.TypeParameter]) -> None:
    """Fill in the bounds of type parameters, of which the first of a name counts."""
    done: set[str] = set()
    for node in nodes:
        if node.name not in done:
            done.add(node.name)
            resolve_bounds_of(context, node, context.parameters[node.name])


def resolve_bounds_of(context: Context, node: tree.TypeParameter, parameter: TypeParameter) -> None:
    for bound in node.bounds:
        trait = bound_trait(context, bound)
        if trait is not None:
            if any(trait.head is one.head for one in parameter.traits):
                context.error("E0612", node.span, name=trait)
            else:
                parameter.traits.append(trait)
            continue
        type = resolve_type(context, bound)
        if isinstance(type, ClassType) and is_reference(type):
            if parameter.class_bound is not None:
                context.error("E0611", node.span)
            else:
                parameter.class_bound = type
            continue
        context.unit.unknown_bounds.add(parameter)
        if type is not ERROR:
            context.error("E0610", bound.span)


def share_unknown(context: Context, found: TypeParameter, parameter: TypeParameter) -> None:
    """What is not known of the bounds of a condition is not known of the parameter that it is for."""
    if found in context.unit.unknown_bounds:
        context.unit.unknown_bounds.add(parameter)


def bound_trait(context: Context, bound: tree.Type) -> ClassType | None:
    """The trait that a bound names, with its arguments, if it does."""
    if not isinstance(bound, tree.NamedType) or bound.name in context.parameters:
        return None
    entity = context.unit.find(bound.name)
    return trait_type(context, bound, entity) if isinstance(entity, Trait) else None


def trait_type(context: Context, node: tree.NamedType, trait: Trait) -> ClassType:
    """A trait with its written arguments."""
    context.note(node.span.start, trait)
    arguments = tuple(resolve_type(context, argument) for argument in node.arguments)
    if not arguments and trait is context.unit.library_trait("Iterator"):
        arguments = (INT,)
    if len(arguments) != len(trait.parameters):
        wrong_count(context, node.span, trait.name, len(trait.parameters), len(arguments))
        arguments = (ERROR,) * len(trait.parameters)
    if arguments:
        context.unit.when_declared(
            lambda: check_bounds(context, node.span, trait.parameters, arguments) and None
        )
    return trait.form.of(arguments)


def declare_conditions(context: Context, inner: Context, function: Function, node: tree.Function) -> Context:
    """`where T: R`: a condition on a parameter of what is around, known inside the function."""
    for condition in node.conditions:
        parameter = context.parameters.get(condition.name)
        if parameter is None:
            own = inner.parameters.get(condition.name)
            hint = "" if own is None else f"; bounds of its own are written `<{own}: Show>`"
            context.error("E0622", condition.span, name=condition.name, hint=hint)
            if own is not None:
                resolve_bounds_of(inner, condition, own)
            continue
        context.note(condition.span.start, parameter)
        found = TypeParameter(condition.name)
        resolve_bounds_of(inner, condition, found)
        share_unknown(context, found, parameter)
        if found.class_bound is not None:
            context.error("E0624", condition.span, what="a `where`")
        function.conditions[parameter] = [*function.conditions.get(parameter, ()), *found.traits]
    return inner.knowing(function.conditions)


def declare_signature(context: Context, function: Function, node: tree.Function) -> Context:
    """Parameters and result of a function; returns the context of its body."""
    inner = declare_type_parameters(context, function, node)
    if node.conditions:
        inner = declare_conditions(context, inner, function, node)
    declare_parameters(inner, function, node.parameters)
    check_rethrows(inner, function, node)
    if node.result is not None:
        function.result = resolve_type(inner, node.result, result=True)
    function.signature = signature(function)
    return inner


def declare_parameters(
    context: Context, function: Function, nodes: Sequence[tree.Parameter | tree.ClassParameter]
) -> None:
    """Make the locals of the parameters, `self` in front where there is one."""
    if function.has_self:
        type = self_type(function.owner) if function.owner else ERROR
        if function.trait is not None:
            type = function.trait.own_self
        function.locals.append(Local("self", type, False, 0))
    seen: set[str] = set()
    for node in nodes:
        type = resolve_type(context, node.type)
        check_parameter_name(context, node, seen)
        seen.add(node.name)
        mutable = node.mutable and isinstance(node, tree.Parameter)
        local = Local(node.name, type, mutable, len(function.locals), node.name_span)
        context.note(node.name_span.start, local)
        function.locals.append(local)
        function.parameters.append(local)


def check_parameter_name(
    context: Context, node: tree.Parameter | tree.ClassParameter, seen: set[str]
) -> None:
    unit = context.unit
    entity = unit.names.get(node.name) if unit.undeclared is None else None
    if node.name in seen:
        context.error("E0306", node.span, name=node.name, what="a parameter")
    elif isinstance(entity, Class):
        context.error("E0305", node.span, name=node.name)
    elif entity is not None and not isinstance(entity, Function):
        context.error("E0306", node.span, name=node.name, what=kind_name(entity))


def signature(function: Function) -> str:
    """The function as stack traces show it (13.1)."""
    name = function.name
    owner = function.owner or function.trait
    if owner is not None:
        separator = "::" if function.kind is FunctionKind.STATIC else "."
        name = f"{owner.name}{separator}{name}"
    if function.type_parameters:
        name += f"<{', '.join(map(str, function.type_parameters))}>"
    result = "" if function.result is UNIT else f" -> {function.result}"
    return fitting_signature(name, [str(parameter.type) for parameter in function.parameters], result)


MOST_LETTERS: Final = 200
"""of a signature, so that the lines of a trace can be read"""


def fitting_signature(name: str, parameters: Sequence[str], result: str) -> str:
    """A signature; if it is too long, as many of the first parameters as fit, and `…` for the others."""
    whole = f"{name}({', '.join(parameters)}){result}"
    if len(whole) <= MOST_LETTERS:
        return whole
    shown, room = "", MOST_LETTERS - len(f"{name}(…){result}")
    for parameter in parameters:
        if len(shown) + len(f"{parameter}, ") > room:
            break
        shown += f"{parameter}, "
    cut = f"{name}({shown}…){result}"
    return cut if len(cut) <= MOST_LETTERS else whole[: MOST_LETTERS - 1] + "…"


def described(name: str, types: Sequence[Type]) -> str:
    """`m(int, Str)`, as messages name a method"""
    return f"{name}({', '.join(map(str, types))})"


def parameter_types(function: Function) -> list[Type]:
    return [parameter.type for parameter in function.parameters]


def check_body_present(context: Context, function: Function, has_body: bool, span: Span) -> bool:
    """Report a missing body (E0516) of what is neither abstract nor internal."""
    if has_body or Modifier.ABSTRACT in function.modifiers or Modifier.INTERNAL in function.modifiers:
        return True
    context.error("E0516", span, name=function.name)
    return False
