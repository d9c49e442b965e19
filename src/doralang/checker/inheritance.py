"""The rules of inheritance (7.3): what overrides what, and what must be.

For one method at most one rule is reported, in the order of the reference's table of errors.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.checker.bounds import same
from doralang.checker.classes import parent_class
from doralang.checker.declarations import ClassDeclaration, FunctionDeclaration, parameter_types
from doralang.checker.messages import type_list
from doralang.checker.program import Class, Function
from doralang.checker.rethrows import mark_of, same_mark
from doralang.syntax.tree import Modifier
from doralang.types.types import ClassType, Type, ancestor_of, mentions, substitute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ABSTRACT, OPEN, OVERRIDE, FINAL = Modifier.ABSTRACT, Modifier.OPEN, Modifier.OVERRIDE, Modifier.FINAL
STATIC = Modifier.STATIC
WORDS: Final = {ABSTRACT: "abstract", OPEN: "open", OVERRIDE: "override", FINAL: "final"}


def check_inheritance(declaration: ClassDeclaration) -> None:
    """Report each method that breaks a rule, and what a concrete class leaves abstract."""
    broken = False
    for method in declaration.methods:
        broken |= any(rule(declaration, method) for rule in RULES)
    if not broken:
        check_all_overridden(declaration)


Rule = Callable[[ClassDeclaration, FunctionDeclaration], bool]
"""Reports and returns True if the method breaks it."""


def abstract_with_body(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    if ABSTRACT in method.function.modifiers and method.node.body is not None:
        declaration.context.error("E0504", method.node.span)
        return True
    return False


def abstract_in_concrete_class(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    entity = declaration.entity
    if ABSTRACT in method.function.modifiers and ABSTRACT not in entity.modifiers:
        declaration.context.error("E0505", method.node.span, type=entity.name)
        return True
    return False


def static_and_overridable(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    if STATIC not in method.function.modifiers:
        return False
    for modifier, word in WORDS.items():
        if modifier in method.function.modifiers:
            declaration.context.error("E0506", method.node.span, modifier=word)
            return True
    return False


def open_without_subclasses(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    modifiers, entity, name = method.function.modifiers, declaration.entity, method.function.name
    word = "abstract" if ABSTRACT in modifiers else "open"
    if not modifiers & (OPEN | ABSTRACT):
        return False
    if FINAL in modifiers:
        declaration.context.error(
            "E0507", method.node.span, name=name, modifier=word, reason="it is `final`", hint=None
        )
        return True
    if OPEN not in entity.modifiers:
        reason, hint = f"`{entity.name}` has no subclasses", "declare the class `open`"
        declaration.context.error(
            "E0507", method.node.span, name=name, modifier=word, reason=reason, hint=hint
        )
        return True
    return False


def overriding(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    """E0508 to E0510: `override` exactly where there is something to override."""
    function, context = method.function, declaration.context
    if STATIC in function.modifiers or not context.unit.knows_members(declaration.entity):
        return False
    inherited = declaration.entity.methods.get(function.name, function).overridden  # a late one is alone
    if inherited is None:
        if OVERRIDE in function.modifiers:
            context.error("E0508", method.node.span, name=function.name)
            return True
        return False
    name = method_name(inherited)
    if OVERRIDE not in function.modifiers:
        context.error("E0510", method.node.span, name=function.name, method=name)
        return True
    if not inherited.virtual:
        context.error("E0509", method.node.span, method=name)
        return True
    return differs_from(declaration, method, inherited)


def differs_from(declaration: ClassDeclaration, method: FunctionDeclaration, inherited: Function) -> bool:
    """E0511 to E0513: `throws`, result and parameters must equal those of the overridden method."""
    function, context, span = method.function, declaration.context, method.node.span
    parent = owner_type(declaration.entity, inherited)
    mapping = dict(zip(parent.head.parameters, parent.arguments, strict=True))
    name = method_name(inherited)
    if not same_mark(function, inherited):
        context.error("E0511", span, method=name, marked=mark_of(inherited))
        return True
    result = substitute(inherited.result, mapping)
    if not same(function.result, result) and not is_generic(function, function.result):
        context.error("E0512", span, method=name, expected=result, found=function.result)
        return True
    expected = [substitute(type, mapping) for type in parameter_types(inherited)]
    found = parameter_types(function)
    if len(expected) == len(found) and all(map(same, expected, found)):
        return False
    if any(is_generic(function, type) for type in found):
        return False
    context.error("E0513", span, method=name, expected=texts(expected), found=texts(found))
    return True


def owner_type(entity: Class, inherited: Function) -> ClassType:
    """The class that has an inherited method, as a type seen from a class below it."""
    owner = inherited.owner
    assert owner is not None
    if not owner.parameters:
        return owner.of()
    type = ancestor_of(entity.self_type, owner)
    assert type is not None
    return type


def is_generic(function: Function, type: Type) -> bool:
    return mentions(type, set(function.type_parameters))


def texts(types: list[Type]) -> str:
    return type_list(types)


def method_name(method: Function) -> str:
    assert method.owner is not None
    return f"{method.owner.name}.{method.name}"


def body_missing(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    modifiers = method.function.modifiers
    if method.node.body is None and not modifiers & (ABSTRACT | Modifier.INTERNAL):
        declaration.context.error("E0516", method.node.span, name=method.function.name)
        return True
    return False


def generic_and_overridable(declaration: ClassDeclaration, method: FunctionDeclaration) -> bool:
    having = "type parameters" if method.function.type_parameters else "a `where`"
    if not method.function.type_parameters and not method.node.conditions:
        return False
    for modifier in (ABSTRACT, OPEN, OVERRIDE):
        if modifier in method.function.modifiers:
            declaration.context.error("E0616", method.node.span, having=having, what=f"`{WORDS[modifier]}`")
            return True
    return False


RULES: Final[tuple[Rule, ...]] = (
    abstract_with_body,
    abstract_in_concrete_class,
    static_and_overridable,
    open_without_subclasses,
    overriding,
    body_missing,
    generic_and_overridable,
)


def check_all_overridden(declaration: ClassDeclaration) -> None:
    """E0514: a concrete class with an abstract parent overrides what is still abstract."""
    entity = declaration.entity
    parent = parent_class(entity)
    unit = declaration.context.unit
    if ABSTRACT in entity.modifiers or parent is None or ABSTRACT not in parent.modifiers:
        return
    if not unit.knows_members(entity):
        return
    missing = first_abstract(entity)
    if missing is not None:
        assert missing.owner is not None
        declaration.context.error(
            "E0514", declaration.node.span, type=entity.name, name=missing.name, parent=missing.owner.name
        )


def first_abstract(entity: Class) -> Function | None:
    """An abstract method that nobody between its class and `entity` overrides."""
    seen: set[str] = set()
    current: Class | None = entity
    while current is not None:
        for name, method in current.methods.items():
            if name not in seen and ABSTRACT in method.modifiers:
                return method
            seen.add(name)
        current = parent_class(current)
    return None
