"""Classes: parents, fields, methods and constructors as declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from doralang.checker.bounds import check_bounds
from doralang.checker.declarations import (
    ClassDeclaration,
    ConstructorDeclaration,
    Declarations,
    EnumDeclaration,
    FunctionDeclaration,
    check_body_present,
    check_for_library,
    declare_parameters,
    declare_signature,
    new_function,
    resolve_bounds,
    signature,
)
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Field, Function, FunctionKind
from doralang.checker.resolve import resolve_type, wrong_count
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.syntax.tree import Modifier
from doralang.text.source import Span
from doralang.types.types import PRIMITIVE_TYPES, ClassHead, Type

# Parents.


def declare_parents(declarations: Declarations) -> None:
    """Resolve the parents of all classes and break cycles."""
    for declaration in declarations.classes:
        declare_parent(declaration)
    settled: set[ClassHead] = set()
    for declaration in declarations.classes:
        if in_cycle(declaration.entity, settled):
            report_cycle(declaration)


def declare_parent(declaration: ClassDeclaration) -> None:
    context, entity, node = declaration.context, declaration.entity, declaration.node.parent
    unit = context.unit
    if node is None:
        root = unit.library_class("Object")
        if entity is not root and not is_primitive(entity):
            entity.parent = root.of()
        return
    entity.parent = unit.library_class("Object").of()
    head = unit.find(node.name) if node.name not in context.parameters else None
    if head is not None:
        context.note(node.span.start, head)
    if not isinstance(head, Class):
        misses_parent(context, entity)
        if head is not None or not unit.incomplete or node.name in context.parameters:
            hint = suggestion(unit, node.name, unit.names_of(Class)) if head is None else None
            context.error("E0501", node.span, name=node.name, hint=hint)
        return
    arguments = tuple(resolve_type(context, argument) for argument in node.type_arguments)
    if Modifier.OPEN not in head.modifiers:
        hint = None if not head.source.main else "declare it `open`"
        context.error("E0502", node.span, name=node.name, hint=hint)
        misses_parent(context, entity)
    elif len(arguments) != len(head.parameters):
        wrong_count(context, node.span, node.name, len(head.parameters), len(arguments))
        misses_parent(context, entity)
    else:
        entity.parent = head.of(arguments)
        unit.when_declared(lambda: check_bounds(context, node.span, head.parameters, arguments) and None)


def misses_parent(context: Context, entity: Class) -> None:
    """The parent of a class is wrong, as is reported: nobody knows what it inherits and where it fits."""
    context.unit.incomplete_classes.add(entity)
    entity.parent_is_wrong = True


def is_primitive(entity: Class) -> bool:
    return entity.internal and entity.name in PRIMITIVE_TYPES


def in_cycle(entity: Class, settled: set[ClassHead]) -> bool:
    """Whether a class is its own ancestor.

    `settled` are classes known to be in no cycle; ancestors are not looked at again and again.
    """
    path: list[ClassHead] = []
    seen: set[ClassHead] = set()
    current: ClassHead | None = entity
    while current is not None and current not in settled and current not in seen:
        path.append(current)
        seen.add(current)
        current = current.parent.head if current.parent else None
    if current is entity and seen:
        return True
    # Either there is no cycle, or one further up, where `current` is.
    settled.update(path[: path.index(current)] if current in seen else path)
    return False


def report_cycle(declaration: ClassDeclaration) -> None:
    """Report a cycle at its first class, and cut it there."""
    context, entity = declaration.context, declaration.entity
    context.error("E0503", declaration.node.span, name=entity.name)
    misses_parent(context, entity)
    entity.parent = context.unit.library_class("Object").of()


# Members.


def declare_class_bounds(declarations: Declarations) -> None:
    generic: list[ClassDeclaration | EnumDeclaration] = [*declarations.classes, *declarations.enums]
    for declaration in generic:
        resolve_bounds(declaration.context, declaration.node.type_parameters)


def declare_members(declaration: ClassDeclaration) -> None:
    """Fields, methods and constructors of a class."""
    for parameter in declaration.node.parameters:
        if parameter.is_field:
            type = resolve_quietly(declaration.context, parameter.type)
            declare_field(declaration, parameter.name, type, parameter.mutable, parameter.name_span)
    for member in declaration.node.members:
        if isinstance(member, tree.Field):
            declare_member_field(declaration, member)
        elif isinstance(member, tree.Function):
            declare_method(declaration, member)
        elif isinstance(member, tree.Init):
            declare_init(declaration, member)
        else:
            declaration.context.unit.incomplete_classes.add(declaration.entity)
    declare_primary(declaration)


def resolve_quietly(context: Context, node: tree.Type) -> Type:
    """The type of a constructor parameter that is a field too; the constructor reports what is wrong."""
    reports = context.unit.diagnostics.reports
    waiting = context.unit.later
    before, later_before = len(reports), len(waiting) if waiting is not None else 0
    type = resolve_type(context, node)
    del reports[before:]
    if waiting is not None:
        del waiting[later_before:]
    return type


def declare_field(
    declaration: ClassDeclaration,
    name: str,
    type: Type,
    mutable: bool,
    span: Span,
    *,
    name_span: Span | None = None,
    internal: bool = False,
) -> None:
    """A new field.  The name of one that is a parameter, too, means the parameter (`name_span` is None)."""
    entity = declaration.entity
    if name in entity.fields:
        is_parameter = any(node.name_span == span for node in declaration.node.parameters)
        if not is_parameter:  # two parameters of a name are reported as such
            declaration.context.error("E0310", span, type=entity.name, name=name)
        return
    entity.fields[name] = Field(name, type, mutable, entity, span, internal=internal)
    if name_span is not None:
        declaration.context.note(name_span.start, entity.fields[name])


def declare_member_field(declaration: ClassDeclaration, node: tree.Field) -> None:
    context = declaration.context
    type = resolve_type(context, node.type)
    if node.value is None and not node.mutable:
        context.error("E0406", node.span, name=node.name)
    check_for_library(context, node)
    internal = context.is_library and Modifier.INTERNAL in node.modifiers
    declare_field(
        declaration, node.name, type, node.mutable, node.span, name_span=node.name_span, internal=internal
    )


def declare_method(declaration: ClassDeclaration | EnumDeclaration, node: tree.Function) -> None:
    entity, context = declaration.entity, declaration.context
    is_static = Modifier.STATIC in node.modifiers
    kind = FunctionKind.STATIC if is_static else FunctionKind.METHOD
    function = new_function(context, node, kind, entity)
    inner = declare_signature(context, function, node)
    declaration.methods.append(FunctionDeclaration(function, node, inner))
    methods = entity.statics if is_static else entity.methods
    if context.is_library and Modifier.LATE in node.modifiers:
        methods = entity.late
    earlier = methods.get(node.name)
    if earlier is None:
        methods[node.name] = function
    else:
        position = context.position(earlier.span)
        context.error("E0314", node.span, type=entity.name, name=node.name, position=position)


def declare_init(declaration: ClassDeclaration, node: tree.Init) -> None:
    entity, context = declaration.entity, declaration.context
    function = Function(entity.name, FunctionKind.CONSTRUCTOR, entity, context.source, node.span)
    function.modifiers = node.modifiers
    check_for_library(context, node)
    declare_parameters(context, function, node.parameters)
    function.signature = signature(function)
    entity.constructors.append(function)
    declaration.constructors.append(ConstructorDeclaration(function, node))
    check_body_present(context, function, node.body is not None, node.span)
    if node.delegation and node.delegation.to_super and has_primary_parameters(declaration):
        context.error("E0517", node.delegation.span)


def has_primary_parameters(declaration: ClassDeclaration) -> bool:
    return bool(declaration.node.parameters)


def has_primary(declaration: ClassDeclaration) -> bool:
    """Whether the class has a primary constructor (7.2)."""
    if declaration.entity.internal:
        return False
    has_init = any(isinstance(member, tree.Init) for member in declaration.node.members)
    return has_primary_parameters(declaration) or not has_init


def declare_primary(declaration: ClassDeclaration) -> None:
    if not has_primary(declaration):
        return
    entity, context, node = declaration.entity, declaration.context, declaration.node
    function = Function(entity.name, FunctionKind.CONSTRUCTOR, entity, context.source, node.name_span)
    declare_parameters(context, function, node.parameters)
    function.signature = signature(function)
    entity.constructors.append(function)
    declaration.constructors.append(ConstructorDeclaration(function, None))


def parent_class(entity: Class) -> Class | None:
    """The class that a class extends."""
    if entity.parent is None:
        return None
    head = entity.parent.head
    assert isinstance(head, Class)
    return head


def find_overridden(classes: Sequence[Class]) -> None:
    """Note for each instance method which inherited one it overrides, or would if it were marked.

    The tree of classes is walked once, with the methods that are visible at each place by name, so that a
    deep hierarchy is not walked up again for every method.
    """
    children: dict[Class | None, list[Class]] = {}
    for entity in classes:
        children.setdefault(parent_class(entity), []).append(entity)
    visible: dict[str, list[Function]] = {}
    for parent in children.keys() - set(classes):
        above = list(reversed(list(parents_of(parent))))
        for entity in above:
            enter_methods(entity, visible)
        walk_down(children[parent], children, visible)
        for entity in above:
            leave_methods(entity, visible)


def overridden_by(method: Function) -> Function | None:
    """The nearest method of its name in the parents of its class."""
    assert isinstance(method.owner, Class)
    above = parents_of(parent_class(method.owner))
    return next((one.methods[method.name] for one in above if method.name in one.methods), None)


def walk_down(
    start: Sequence[Class],
    children: Mapping[Class | None, Sequence[Class]],
    visible: dict[str, list[Function]],
) -> None:
    """Classes with all that descend from them; below those that are `visible` by now."""
    waiting = [(entity, False) for entity in start]
    while waiting:
        entity, done = waiting.pop()
        if done:
            leave_methods(entity, visible)
            continue
        for method in entity.methods.values():
            above = visible.get(method.name)
            method.overridden = above[-1] if above else None
        enter_methods(entity, visible)
        waiting.append((entity, True))
        waiting += [(child, False) for child in children.get(entity, ())]


def enter_methods(entity: Class, visible: dict[str, list[Function]]) -> None:
    for name, method in entity.methods.items():
        visible.setdefault(name, []).append(method)


def leave_methods(entity: Class, visible: dict[str, list[Function]]) -> None:
    for name in entity.methods:
        visible[name].pop()


def parents_of(entity: Class | None) -> Iterator[Class]:
    """A class and its parents."""
    while entity is not None:
        yield entity
        entity = parent_class(entity)
