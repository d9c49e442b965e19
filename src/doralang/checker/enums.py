"""The declaration of enums (section 7.6).

enum Tree { Leaf, Node(left: Tree, value: int) }    ->      class Tree(tag: int)                Leaf is nil
                                                            class Tree::Node(left, value): Tree
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.bounds import self_type
from doralang.checker.classes import declare_method
from doralang.checker.declarations import (
    Declarations,
    EnumDeclaration,
    declare_parameters,
    described,
    parameter_types,
)
from doralang.checker.program import TAG, Class, Field, Function, FunctionKind, Variant
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import INT, EnumType


def declare_form(declaration: EnumDeclaration) -> None:
    """Make the variants, without their data, and decide how values of the enum look in memory."""
    entity, node, context = declaration.entity, declaration.node, declaration.context
    if not node.variants and all(isinstance(one, tree.Function) for one in node.methods):
        context.error("E0520", node.span, what="an enum has at least one variant")
    for index, one in enumerate(node.variants):
        if one.parameters is not None and not one.parameters:
            context.error("E0520", one.span, what="a variant without data has no parentheses")
        function = Function(one.name, FunctionKind.STATIC, entity, context.source, one.span)
        variant = Variant(one.name, index, entity, function, has_data=bool(one.parameters))
        context.note(one.span.start, variant)
        earlier = entity.variants.get(one.name)
        if earlier is None:
            entity.variants[one.name] = variant
        else:
            report_second(declaration, one.span, one.name, earlier.span)
    variants = entity.variants.values()
    entity.is_value = True
    if not entity.parameters and not any(variant.has_data for variant in variants):
        entity.plain_type = EnumType(entity)
        return
    entity.fields[TAG] = Field(TAG, INT, False, entity, node.span, internal=True)
    nil = next((variant for variant in variants if not variant.has_data), None)
    entity.nil_is_value = nil is not None
    for variant in variants:
        if variant is not nil:
            variant.made = Class(
                f"{entity.name}::{variant.name}", entity.parameters, context.source, variant.span
            )
            variant.made.parent = entity.self_type
            variant.made.is_value = True


def report_second(declaration: EnumDeclaration, span: Span, name: str, earlier: Span) -> None:
    context = declaration.context
    context.error("E0321", span, type=declaration.entity.name, name=name, position=context.position(earlier))


def enter_variants(declarations: Declarations, names: Sequence[str]) -> None:
    """Let the variants of some enums be names by themselves; these are made here."""
    for declaration in declarations.enums:
        if declaration.entity.name in names:
            declare_form(declaration)
            declarations.unit.names |= declaration.entity.variants


def declare_variants(declaration: EnumDeclaration) -> None:
    """The data of all variants."""
    entity, context = declaration.entity, declaration.context
    done: set[str] = set()
    for node in declaration.node.variants:
        variant = entity.variants[node.name]
        if node.name in done:
            continue
        done.add(node.name)
        function = variant.function
        function.result = self_type(entity)
        declare_parameters(context, function, node.parameters or [])
        function.signature = described(variant.name, parameter_types(function))
        if variant.made is not None:
            for parameter in function.parameters:
                one = Field(parameter.name, parameter.type, False, variant.made, parameter.span)
                variant.made.fields[parameter.name] = one


def declare_methods(declaration: EnumDeclaration) -> None:
    entity, context = declaration.entity, declaration.context
    for method in declaration.node.methods:
        if isinstance(method, tree.InvalidMember):
            context.unit.incomplete_classes.add(entity)
            continue
        declare_method(declaration, method)
    for static in entity.statics.values():
        if static.name in entity.variants:
            report_second(declaration, static.span, static.name, entity.variants[static.name].span)
