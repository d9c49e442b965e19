"""Parsing what stands at top level: functions, classes, traits, `impl`s, globals and constants."""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import DECLARING, Cursor, NestedTooDeep
from doralang.syntax.expressions import arguments, full_expression
from doralang.syntax.members import (
    class_member,
    end_of_line,
    enum_member,
    impl_member,
    member_list,
    open_again,
    top_level_function,
    trait_member,
    type_parameter_list,
    type_sum,
    typed_value,
)
from doralang.syntax.prefixes import Prefix, allow, prefix
from doralang.syntax.reserved import DECLARATIONS, begins_reserved, reserved_block
from doralang.syntax.tokens import END, NAME
from doralang.syntax.tree import Modifier
from doralang.syntax.types import annotated_type, complete_type, type_arguments
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CLASS: Final = Modifier.ABSTRACT | Modifier.OPEN | Modifier.INTERNAL
_CLASS_PARAMETER_STARTS: Final = frozenset({NAME, "let", "var"})
_STARTS: Final = (DECLARING - {"init"}) | DECLARATIONS | {"@"}


def file(c: Cursor) -> tree.File:
    """All declarations up to the end of the file."""
    declarations: list[tree.Declaration] = []
    while c.kind is not END:
        before, skips = c.at, c.skips
        if c.kind == "}":
            disown(c, declarations)
        try:
            declarations.append(c.spanning(declaration(c), c.starts[before]))
            if isinstance(declarations[-1], tree.InvalidDeclaration) and len(declarations) > 1:
                open_again(c, declarations[-2], before)
        except NestedTooDeep:
            declarations.append(tree.InvalidDeclaration(c.tokens.span(before)))
            skip_declaration(c)
        c.start_over()
        if c.at == before:
            c.skip()
        if c.skips != skips:
            declarations.append(tree.InvalidDeclaration(c.tokens.span(before)))
    if c.tokens.unclosed:
        declarations.append(tree.InvalidDeclaration(c.span()))
    return tree.File(Span(0, len(c.source.text)), declarations, c.tokens)


def disown(c: Cursor, declarations: list[tree.Declaration]) -> None:
    """One `}` too many: indented declarations before it were members once, and are not judged."""
    for index in reversed(range(len(declarations))):
        start = declarations[index].span.start
        if isinstance(declarations[index], tree.InvalidDeclaration):
            break
        if not c.source.text[c.source.text.rfind("\n", 0, start) + 1 : start].startswith((" ", "\t")):
            break
        declarations[index] = tree.InvalidDeclaration(declarations[index].span)
    for earlier in reversed(declarations):
        if isinstance(earlier, tree.Class):
            earlier.members.append(tree.InvalidMember(earlier.span))
        if not isinstance(earlier, tree.InvalidDeclaration):
            break


def declaration(c: Cursor) -> tree.Declaration:
    c.declaration = c.at
    start = c.span()
    found = prefix(c)
    parse = _DECLARATIONS.get(c.kind)
    if parse:
        return parse(c, found) or tree.InvalidDeclaration(start)
    if begins_reserved(c):
        reserved_block(c)
    else:
        c.fail("E0205", "a declaration")
        skip_declaration(c)
    return tree.InvalidDeclaration(start)


def skip_declaration(c: Cursor) -> None:
    """Go to where the next declaration may begin; what is indented belongs to this one."""
    skips = c.skips
    while c.kind is not END:
        c.skip()
        if c.kind in _STARTS or (c.column(c.at) == 1 and c.kind != "}" and c.first_on_line()):
            break
    c.skips = skips


def class_declaration(c: Cursor, found: Prefix) -> tree.Class | None:
    """`class C<T>(let x: T): Base<T>(x) { … }`"""
    modifiers = allow(c, found, _CLASS, "a class", derives=True)
    owner, skips, fails, span = c.at, c.skips, c.fails, c.take()
    name_span = c.span()
    name = c.name()
    type_parameters = type_parameter_list(c, span)
    parameters = class_parameter_list(c)
    base = parent(c) if c.accept(":") else None
    end_of_class_header(c)
    broken, c.skips = c.skips != skips or c.fails != fails, skips
    members = member_list(c, owner, class_member, tree.InvalidMember) if c.kind == "{" else []
    if broken:
        return None
    derived = found.derived
    return tree.Class(span, name, name_span, modifiers, type_parameters, parameters, base, members, derived)


def end_of_class_header(c: Cursor) -> None:
    """Behind a header come the members or the next declaration; `extends B` is neither."""
    if c.kind in ("{", "}", ";", END) or c.kind in _DECLARATIONS or c.kind in _STARTS or c.first_on_line():
        return
    if begins_reserved(c):
        return
    c.fail("E0205", "a declaration")
    while c.kind not in ("{", "}", END) and c.kind not in _STARTS:
        if c.accept(";"):
            return
        c.skip()


def class_parameter_list(c: Cursor) -> list[tree.ClassParameter]:
    if not c.accept("("):
        return []
    return c.comma_list(")", class_parameter, _CLASS_PARAMETER_STARTS)


def class_parameter(c: Cursor) -> tree.ClassParameter:
    span, kind = c.span(), c.kind
    is_field = kind == "let" or kind == "var"
    if is_field:
        c.advance()
    name_span = c.span()
    name = c.name()
    parameter = tree.ClassParameter(span, name, name_span, annotated_type(c), is_field, kind == "var")
    return c.spanning(parameter, span.start)


def parent(c: Cursor) -> tree.Parent:
    span = c.span()
    name = c.name()
    types = type_arguments(c) if c.kind == "<" else []
    base = tree.Parent(span, name, types, arguments(c) if c.kind == "(" else [])
    return c.spanning(base, span.start)


def enum(c: Cursor, found: Prefix) -> tree.Enum | None:
    """`enum E<T> { V, W(x: T), fun m() { … } }`"""
    allow(c, found, Modifier.NONE, "an enum", derives=True)
    owner, skips, fails, span = c.at, c.skips, c.fails, c.take()
    name_span = c.span()
    name = c.name()
    type_parameters = type_parameter_list(c, span)
    if c.kind == ":" or c.kind == "(":
        what = "parent" if c.kind == ":" else "constructor"
        c.report("E0519", c.span(), f"an enum has no {what}")
        while c.kind not in ("{", ";", "}", END) and c.kind not in DECLARING:
            c.skip()
        c.skips = skips
    to_brace(c)
    broken, c.skips = c.skips != skips or c.fails != fails, skips
    members = member_list(c, owner, enum_member, tree.InvalidMember) if c.kind == "{" else []
    if broken:
        return None
    variants = [one for one in members if isinstance(one, tree.Variant)]
    methods = [one for one in members if not isinstance(one, tree.Variant)]
    first = next((one for one in members if isinstance(one, tree.Function)), None)
    late = next((one for one in variants if first and one.span.start > first.span.start), None)
    if late is not None:
        c.report(
            "E0206", late.span, f"expected a method, found `{late.name}`", "variants stand before methods"
        )
    return tree.Enum(span, name, name_span, type_parameters, variants, methods, found.derived)


def trait(c: Cursor, found: Prefix) -> tree.Trait | None:
    """`trait R<T>: A + B<T> { … }`"""
    allow(c, found, Modifier.NONE, "a trait")
    owner, skips, fails, span = c.at, c.skips, c.fails, c.take()
    name_span = c.span()
    name = c.name()
    type_parameters = type_parameter_list(c, span)
    supertraits = type_sum(c) if c.accept(":") else []
    to_brace(c)
    broken, c.skips = c.skips != skips or c.fails != fails, skips
    methods = member_list(c, owner, trait_member, tree.InvalidMember)
    return None if broken else tree.Trait(span, name, name_span, type_parameters, supertraits, methods)


def impl(c: Cursor, found: Prefix) -> tree.Impl | None:
    """`impl<T: A> R<B> for C<T> { … }`"""
    allow(c, found, Modifier.NONE, "an `impl`")
    owner, skips, span = c.at, c.skips, c.take()
    parameters = type_parameter_list(c, span)
    implemented = named_type(c)
    if not c.expect("for"):
        c.skips += 1
    target = target_type(c) if parameters or c.kind == "(" else named_type(c)
    to_brace(c)
    broken, c.skips = c.skips != skips, skips
    methods = member_list(c, owner, impl_member, tree.InvalidMember)
    return None if broken else tree.Impl(span, parameters, implemented, target, methods)


def target_type(c: Cursor) -> tree.NamedType | tree.TupleType:
    """What an `impl` with type parameters is for."""
    parsed = complete_type(c)
    if isinstance(parsed, tree.NamedType | tree.TupleType):
        return parsed
    c.skips += 1
    return tree.NamedType(parsed.span, "", [])


def named_type(c: Cursor) -> tree.NamedType:
    """A name, perhaps with type arguments."""
    span = c.span()
    name = c.name()
    arguments = type_arguments(c) if c.kind == "<" else []
    return c.spanning(tree.NamedType(span, name, arguments), span.start)


def to_brace(c: Cursor) -> None:
    """Be at the `{`, skipping what stands in front of it."""
    if c.kind == "{":
        return
    c.fail("E0201", "`{`")
    c.skips += 1
    while c.kind not in ("{", ";", "}", END) and c.kind not in DECLARING:
        c.skip()


def global_variable(c: Cursor, found: Prefix) -> tree.Global | None:
    allow(c, found, Modifier.NONE, "a global")
    mutable = c.kind == "var"
    span, name_span = c.take(), c.span()
    name = c.name()
    declared, value = typed_value(c)
    return tree.Global(span, name, name_span, mutable, declared, value) if name else None


def constant(c: Cursor, found: Prefix) -> tree.Constant | None:
    allow(c, found, Modifier.NONE, "a constant")
    span, name_span = c.take(), c.span()
    name = c.name()
    declared = annotated_type(c)
    if c.expect("="):
        value = full_expression(c)
    else:
        value = tree.InvalidExpression(c.span())
    end_of_line(c)
    return tree.Constant(span, name, name_span, declared, value) if name else None


_DECLARATIONS: Final[dict[str, Callable[[Cursor, Prefix], tree.Declaration | None]]] = {
    "fun": top_level_function,
    "class": class_declaration,
    "enum": enum,
    "trait": trait,
    "impl": impl,
    "let": global_variable,
    "var": global_variable,
    "const": constant,
}
