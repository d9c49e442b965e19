"""Values of enums: `E::V`, `E::V(a)`, and `Some(a)` of the prelude.

Tree::Node(a, 1)    ->      Record Tree::Node  1  a  1          the tag, then the data
Tree::Leaf          ->      DefaultValue                        nil in memory
Color::Red          ->      Constant 0                          of an enum without any data
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.arguments import check_anyway, given_arguments
from doralang.checker.body import Body, Checked
from doralang.checker.function_values import value_of
from doralang.checker.generics import Build, GenericCallee, bind_result, callee, check_call
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, TypedExpression, Variant
from doralang.checker.scopes import Context
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import ERROR, INT, ClassType, EnumType, Type, TypeParameter, substitute


def unknown_variant(body: Body, span: Span, entity: Class, name: str) -> TypedExpression:
    hint = suggestion(body.unit, name, iter(entity.variants)) if entity.variants else None
    if name in entity.statics:
        hint = f"a static method is called `{entity.name}::{name}(…)`"
    return body.error("E0320", span, type=entity.name, name=name, hint=hint)


def variant_value(
    body: Body,
    span: Span,
    variant: Variant,
    types: Sequence[tree.Type],
    nodes: Sequence[tree.Expression] | None,
    expected: Type | None,
) -> Checked:
    """`E::V`, `E::<T>::V(a)`; `nodes` are None without parentheses, so a variant with data is a function."""
    if nodes is not None and not variant.has_data:
        body.error("E0431", span, name=variant.name, what="no data", hint="write it without parentheses")
        return check_anyway(body, nodes, span)
    if nodes is None and variant.has_data and body.formula:
        return body.error("E0431", span, name=variant.name, what="data", hint=f"write `{variant.name}(…)`")
    owner = variant.owner
    given = given_arguments(body, span, owner.name, types, owner.parameters)
    if given is None:
        return check_anyway(body, nodes or [], span)
    known, open = given
    target = callee(variant.function, known, open, maker(span, variant), chosen=bool(types))
    if nodes is None and variant.has_data:
        return value_of(body, span, target, expected)
    if expected is not None:
        expect(body.context, target, expected)
    return check_call(body, span, target, nodes or [], expected)


def expect(context: Context, target: GenericCallee, expected: Type) -> None:
    """Put the parts of the expected type in first: the data of a variant is checked with them."""
    mapping: dict[TypeParameter, Type] = {}
    bind_result(context, target, mapping, expected)
    if mapping and ERROR not in mapping.values():
        target.parameters = [substitute(parameter, mapping) for parameter in target.parameters]
        target.result = substitute(target.result, mapping)
        target.arguments = tuple(substitute(argument, mapping) for argument in target.arguments)
        target.open = tuple(parameter for parameter in target.open if parameter not in mapping)


def maker(span: Span, variant: Variant) -> Build:
    """Makes the value of a variant from its data."""

    def build(arguments: tuple[Type, ...], result: Type, values: list[TypedExpression]) -> TypedExpression:
        if isinstance(result, EnumType):
            return typed.Constant(span, result, variant.index)
        assert isinstance(result, ClassType)
        if variant.made is None:
            return typed.DefaultValue(span, result)
        return typed.Record(span, result, variant.made, [typed.Constant(span, INT, variant.index), *values])

    return build
