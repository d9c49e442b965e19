"""Parsing functions, and the members of classes, traits and `impl`s.

Where the header of a function is not all there, nobody can say how it is called: it becomes an
invalid member or declaration.  Its body is parsed for the errors in it all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import (
    DECLARING,
    STATEMENT_KEYWORDS,
    STATEMENT_STARTS,
    Cursor,
    NestedTooDeep,
)
from doralang.syntax.expressions import arguments, full_expression
from doralang.syntax.lexer import lex
from doralang.syntax.prefixes import ANNOTATIONS, Prefix, allow, prefix
from doralang.syntax.reserved import begins_reserved, reserved_block
from doralang.syntax.statements import block, open_block, skip_statement
from doralang.syntax.tokens import BODY, END, NAME
from doralang.syntax.tree import Modifier
from doralang.syntax.types import angle_list, annotated_type, closing_end, complete_type, parse_type
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    M = TypeVar("M", bound=tree.Node)

_METHOD: Final = (
    Modifier.ABSTRACT
    | Modifier.OPEN
    | Modifier.OVERRIDE
    | Modifier.FINAL
    | Modifier.INTERNAL
    | Modifier.PUB
    | Modifier.STATIC
    | ANNOTATIONS
)
_IMPL_METHOD: Final = Modifier.STATIC | Modifier.INTERNAL | ANNOTATIONS
TRAIT_METHOD: Final = "a method of a trait"
WHERE: Final = "where"
"""a word that begins the conditions of a method, and a name elsewhere"""
_INTERNAL: Final = Modifier.INTERNAL | ANNOTATIONS

# Declarations that are no members: a brace is missing in front of them, if they are laid out so.
_OUTSIDE: Final = frozenset({"class", "enum", "trait", "impl", "const"})
RETHROWS: Final = "rethrows"
_NAME_STARTS: Final = frozenset({NAME})
_PARAMETER_STARTS: Final = frozenset({NAME, "var", "let", "@"})


# Functions.


def function(c: Cursor, found: Prefix, allowed: Modifier, what: str) -> tree.Function | None:
    """`fun f<T>(x: T) throws -> int { … }`; none if its header is broken."""
    modifiers = allow(c, found, allowed, what)
    raw_span = found.raw_span if Modifier.RAW in modifiers else None
    skips, fails, span = c.skips, c.fails, c.take()
    name_span = c.span()
    name = c.name()
    type_parameters = type_parameter_list(c, span)
    parameters = parameter_list(c)
    throws, rethrows = c.accept("throws"), accept_rethrows(c)
    result = complete_type(c) if c.accept("->") else None
    if c.kind == "throws":
        c.expect("{")
        throws = c.accept("throws")
    conditions = where_clause(c)
    misses_body = c.kind not in ("{", BODY, ";", *STATEMENT_KEYWORDS) and not c.first_on_line()
    broken, c.skips = c.skips != skips or c.fails != fails or misses_body, skips
    if ends_here(c) if what == TRAIT_METHOD else misses_semicolon(c, modifiers):
        c.fail("E0201", "`;`")
        end_of_line(c)
        body = None
    else:
        body = function_body(c)
    if broken:
        return None
    return tree.Function(
        span,
        name,
        name_span,
        modifiers,
        type_parameters,
        parameters,
        throws or rethrows,
        result,
        body,
        raw_span,
        conditions,
        rethrows,
    )


def accept_rethrows(c: Cursor) -> bool:
    """Go past `rethrows`, which is a word of its own only behind the parameters of a function."""
    found = c.kind is NAME and c.text() == RETHROWS
    if found:
        c.advance()
    return found


def misses_semicolon(c: Cursor, modifiers: Modifier) -> bool:
    """Whether an abstract method goes on behind its signature."""
    return Modifier.ABSTRACT in modifiers and c.kind not in ("{", BODY, ";")


def ends_here(c: Cursor) -> bool:
    """Whether the next member follows upon the signature of a method, which may have a body or not."""
    return c.kind in DECLARING or c.kind in ("}", "@", END)


def where_clause(c: Cursor) -> list[tree.TypeParameter]:
    """`where T: A + B, U: C` behind a signature; `where` is a name elsewhere."""
    conditions: list[tree.TypeParameter] = []
    if c.kind != NAME or c.text() != WHERE:
        return conditions
    c.advance()
    while True:
        span = c.span()
        name = c.name()
        bounds = type_sum(c) if c.expect(":") else []
        conditions.append(c.spanning(tree.TypeParameter(span, name, bounds), span.start))
        if not c.accept(","):
            return conditions


def top_level_function(c: Cursor, found: Prefix) -> tree.Function | None:
    return function(c, found, _INTERNAL, "a function")


def type_parameter_list(c: Cursor, declaration: Span) -> list[tree.TypeParameter]:
    if c.kind != "<":
        return []
    if c.peek() == ">":
        c.report("E0213", declaration, "the list of type parameters is empty")
        c.skips += 1
    return angle_list(c, type_parameter, _NAME_STARTS)


def type_parameter(c: Cursor) -> tree.TypeParameter:
    span = c.span()
    name = c.name()
    bounds = type_sum(c) if c.accept(":") else []
    parameter = c.spanning(tree.TypeParameter(span, name, bounds), span.start)
    parameter.end = closing_end(c)
    return parameter


def type_sum(c: Cursor) -> list[tree.Type]:
    """`A + B`"""
    types = [parse_type(c)]
    while c.accept("+"):
        types.append(parse_type(c))
    return types


def parameter_list(c: Cursor) -> list[tree.Parameter]:
    if not c.expect("("):
        return []
    if c.kind == "(":  # one too many
        c.fail("E0202", "a name")
        c.advance()
    return c.comma_list(")", parameter, _PARAMETER_STARTS)


def parameter(c: Cursor) -> tree.Parameter:
    span = c.span()
    if c.kind == "@":
        prefix_of_nothing(c, "a parameter")
    if c.kind == "let":
        c.fail("E0202", "a name")
        c.advance()
    mutable = c.accept("var")
    name_span = c.span()
    name = c.name()
    if name and c.kind in (",", ")"):
        c.fail("E0201", "`:`", "parameters and the data of variants have names: `name: Type`")
    return c.spanning(tree.Parameter(span, name, name_span, annotated_type(c), mutable), span.start)


def prefix_of_nothing(c: Cursor, what: str) -> None:
    """Annotations and modifiers in front of something that cannot have any."""
    allow(c, prefix(c), Modifier.NONE, what)


# Bodies.


def function_body(c: Cursor) -> tree.Block | tree.DeferredBlock | None:
    """`{ … }`, or `;` for none"""
    if c.kind == "{":
        return block(c)
    if c.kind is BODY:
        return deferred_block(c)
    if c.accept(";"):
        return None
    return missing_body(c)


def deferred_block(c: Cursor) -> tree.DeferredBlock:
    whole = c.take()
    brace = Span(whole.start, whole.start + 1)

    read: list[tree.Block] = []

    def parse() -> tree.Block:
        if not read:  # reading it reports errors: once is enough
            try:
                read.append(block(Cursor(lex(c.source, c.diagnostics, part=whole), c.diagnostics, c.block)))
            except NestedTooDeep:
                read.append(tree.Block(brace, [tree.InvalidStatement(brace)]))
        return read[0]

    return c.spanning(tree.DeferredBlock(brace, parse), whole.start)


def missing_body(c: Cursor) -> tree.Block:
    """A body without its `{`, or something else in its place."""
    span = c.span()
    c.fail("E0201", "`{`")
    invalid = tree.InvalidStatement(span)
    if c.kind in STATEMENT_KEYWORDS or (c.kind in STATEMENT_STARTS and c.first_on_line()):
        body = c.deeper(lambda c: open_block(c, span))
        return tree.Block(span, [invalid, *body.statements])
    skips = c.skips
    while c.kind not in ("{", ";", "}", END) and c.kind not in DECLARING:
        c.skip()
    c.skips = skips
    if c.kind == "{":
        return tree.Block(span, [invalid, *block(c).statements])
    c.accept(";")
    return tree.Block(span, [invalid])


# Members.


def member_list(
    c: Cursor, owner: int, member: Callable[[Cursor], M], invalid: Callable[[Span], M]
) -> list[M]:
    """`{ … }`, the body of what begins at token `owner`."""
    members: list[M] = []
    if not c.expect("{"):
        return members
    while c.kind != "}":
        outside = c.kind in _OUTSIDE and not c.inside(owner)
        if c.kind is END or outside:
            c.fail("E0201", "`}`")
            c.skips += 1
            return members
        before, skips = c.at, c.skips
        c.panic = False
        c.declaration = before
        members.append(c.spanning(member(c), c.starts[before]))
        if isinstance(members[-1], tree.InvalidMember) and len(members) > 1:
            open_again(c, members[-2], before)
        if c.skips != skips and c.kind is not END:
            members.append(invalid(c.tokens.span(before)))
            c.skips = skips
    c.advance()
    c.panic = False
    return members


def open_again(c: Cursor, earlier: object, index: int) -> None:
    """A statement where a declaration must be: the function before has a `}` too many, and is not judged."""
    body = earlier.body if isinstance(earlier, tree.Function) else None
    if c.kinds[index] in STATEMENT_STARTS and isinstance(body, tree.Block):
        body.statements.append(tree.InvalidStatement(c.tokens.span(index)))


def class_member(c: Cursor) -> tree.ClassMember:
    start = c.span()
    found = prefix(c)
    if c.kind == "fun":
        return function(c, found, _METHOD, "a method") or tree.InvalidMember(start)
    if c.kind == "init":
        return init(c, found) or tree.InvalidMember(start)
    if c.kind == "let" or c.kind == "var":
        return class_field(c, found)
    return no_member(c, "a field, method or `init`")


def enum_member(c: Cursor) -> tree.Variant | tree.Function | tree.InvalidMember:
    """A variant with the comma behind it, or a method."""
    if c.kind is NAME and not begins_reserved(c):
        return variant(c)
    start = c.span()
    found = prefix(c)
    if c.kind == "fun":
        return function(c, found, _IMPL_METHOD, "a method of an enum") or tree.InvalidMember(start)
    if c.kind in ("let", "var", "init", "class", "enum"):
        c.report("E0519", c.span(), f"an enum has no `{c.kind}`")
        c.reserved += 1
        c.skips += 1
        if c.kind in ("let", "var"):
            class_field(c, found)
        elif c.kind == "init":
            init(c, found)
        else:
            skip_nested(c)
        c.reserved -= 1
        return tree.InvalidMember(start)
    return no_member(c, "a variant or method")


def skip_nested(c: Cursor) -> None:
    """Go past a declaration that cannot stand here."""
    while c.kind not in ("{", ";", "}", END):
        c.skip()
    if c.kind in ("{", ";"):
        c.skip()


def variant(c: Cursor) -> tree.Variant | tree.InvalidMember:
    """`V`, `V(x: int)`"""
    at, skips, fails = c.at, c.skips, c.fails
    span, name = c.tokens.span(at), c.take_text()
    made = tree.Variant(span, name, parameter_list(c) if c.kind == "(" else None)
    is_whole = (c.skips, c.fails) == (skips, fails)
    c.spanning(made, span.start)
    if c.kind != "}" and not c.accept(",") and c.kind not in DECLARING and c.kind != "@":
        c.fail("E0201", "`,`")
        if not c.first_on_line():
            while c.kind not in (",", "}", ";", END) and c.kind not in DECLARING:
                c.skip()
            c.accept(",")
    return made if is_whole else tree.InvalidMember(span)


def trait_member(c: Cursor) -> tree.Function | tree.InvalidMember:
    return only_function(c, Modifier.STATIC | Modifier.PRIVATE, TRAIT_METHOD)


def impl_member(c: Cursor) -> tree.Function | tree.InvalidMember:
    return only_function(c, _IMPL_METHOD, "a method of an `impl`")


def only_function(c: Cursor, allowed: Modifier, what: str) -> tree.Function | tree.InvalidMember:
    start = c.span()
    found = prefix(c)
    if c.kind == "fun":
        return function(c, found, allowed, what) or tree.InvalidMember(start)
    return no_member(c, "a function")


def no_member(c: Cursor, expected: str) -> tree.InvalidMember:
    span = c.span()
    if begins_reserved(c):
        reserved_block(c)
        return tree.InvalidMember(span)
    c.fail("E0206", expected)
    if c.kind == ";":
        c.advance()
        return tree.InvalidMember(span)
    while c.kind not in ("}", END):
        is_block = c.kind == "{"
        if c.accept(";"):
            break
        c.skip()
        if is_block and c.kind not in ("else", "catch", "finally"):
            break
        if c.kind in DECLARING or (c.kind in ("let", "var", "@") and c.first_on_line()):
            break
    return tree.InvalidMember(span)


def init(c: Cursor, found: Prefix) -> tree.Init | None:
    """`init(n: int): self(n, 0) { … }`"""
    modifiers = allow(c, found, _INTERNAL, "`init`")
    raw_span = found.raw_span if Modifier.RAW in modifiers else None
    skips, fails, span = c.skips, c.fails, c.take()
    parameters = parameter_list(c)
    call = delegation(c) if c.accept(":") else None
    broken, c.skips = c.skips != skips or c.fails != fails, skips
    body = function_body(c)
    return None if broken else tree.Init(span, modifiers, parameters, call, body, raw_span)


def delegation(c: Cursor) -> tree.Delegation | None:
    if c.kind != "self" and c.kind != "super":
        c.fail("E0210", "`self` or `super`")
        while c.kind not in ("{", ";", "}", END) and c.kind not in DECLARING:
            c.skip()
        c.skips += 1
        return None
    to_super = c.kind == "super"
    span = c.take()
    return c.spanning(tree.Delegation(span, to_super, arguments(c)), span.start)


def class_field(c: Cursor, found: Prefix) -> tree.Field | tree.InvalidMember:
    modifiers = allow(c, found, Modifier.INTERNAL, "a field")
    mutable = c.kind == "var"
    span, name_span = c.take(), c.span()
    name = c.name()
    declared, value = typed_value(c)
    if not name:
        return tree.InvalidMember(span)
    return tree.Field(span, modifiers, name, name_span, mutable, declared, value)


def typed_value(c: Cursor) -> tuple[tree.Type, tree.Expression | None]:
    """`: T = e;` of a field or global, the value being optional."""
    declared = annotated_type(c)
    value = full_expression(c) if c.accept("=") else None
    skips, span = c.skips, c.span()
    if value is not None and not (c.kind == ";" or c.kind == "}" or c.first_on_line()):
        value = tree.InvalidExpression(value.span)  # it may be half of one
    end_of_line(c)
    if value is None and c.skips != skips:
        # What was skipped may have said more about the type, and a value.
        return tree.InvalidType(span), tree.InvalidExpression(span)
    return declared, value


def end_of_line(c: Cursor) -> None:
    """The `;` behind a field, global or constant."""
    if c.expect(";") or c.first_on_line() or c.kind in DECLARING or c.kind == "}":
        return
    skip_statement(c)
