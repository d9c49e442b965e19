"""Printing the typed program for people who look inside (`--emit=program`).

let sum = 1 + x;    ->    Let 2:3 sum#1
                            value: Compute 2:15 int.plus : int
                              Constant 2:13 1 : int
                              GetLocal 2:17 x#0 : int

Each line is a node: its position, what it refers to, and its type.  A local is shown with its slot
in the frame; functions as in stack traces.  Constants are gone: their values stand where they were used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from doralang.checker import program as typed
from doralang.checker.program import Class, Field, Function, FunctionKind, Global, Impl, Local, Program, Trait
from doralang.syntax.literals import quoted
from doralang.syntax.tree import Modifier
from doralang.text.records import fields_of
from doralang.text.source import Source
from doralang.types.primitives import Primitive
from doralang.types.types import ClassType, TypeParameter

Node: TypeAlias = typed.Expression | typed.StatementBase | typed.Catch | typed.MatchArm

_NODES: Final = (typed.Expression, typed.StatementBase, typed.Catch, typed.MatchArm)
_LONG_SPINE: Final = 50
"""Chains of more links are printed flat: indented, they would fill the disk."""


def dump_program(program: Program | None) -> str:
    """The program's own declarations in the order of the file; nothing for a program with errors."""
    if program is None:
        return ""
    return "".join(line + "\n" for declaration in _own(program) for line in _declaration(declaration))


_Declaration: TypeAlias = Function | Class | Trait | Impl | Global


def _own(program: Program) -> list[_Declaration]:
    found: list[_Declaration] = [
        *program.functions.values(),
        *program.classes.values(),
        *program.traits.values(),
        *program.globals,
        *_own_impls(program),
    ]
    return sorted(found, key=lambda declaration: declaration.span.start)


def _own_impls(program: Program) -> Iterator[Impl]:
    for impls in program.impls.values():
        for impl in impls.values():
            functions = [*impl.methods.values(), *impl.statics.values()]
            sources = [impl.trait.source, *(function.source for function in functions)]
            if any(source is program.source for source in sources):
                yield impl


# Declarations.


def _declaration(declaration: _Declaration) -> Iterator[str]:
    match declaration:
        case Function():
            yield from _function(declaration)
        case Class():
            yield from _class(declaration)
        case Trait():
            above = " + ".join(map(str, declaration.supertraits))
            yield f"trait {declaration.form.self_type}{': ' if above else ''}{above}"
            yield from _indented(_bounds(declaration.parameters))
            yield from _indented(_members(declaration))
        case Impl():
            yield f"impl {declaration.trait_type} for {declaration.owner.self_type}"
            yield from _indented(_conditions(declaration.bounds))
            yield from _indented(_members(declaration))
        case Global():
            yield _variable(declaration)
            if declaration.initializer is not None:
                yield from _indented(_function(declaration.initializer))


def _class(declaration: Class) -> Iterator[str]:
    parent = f": {declaration.parent}" if declaration.parent else ""
    yield f"{_modifiers(declaration.modifiers)}class {declaration.self_type}{parent}"
    yield from _indented(_bounds(declaration.parameters))
    yield from _indented(_variable(field) for field in declaration.fields.values())
    for constructor in declaration.constructors:
        yield from _indented(_function(constructor))
    yield from _indented(_members(declaration))


def _members(owner: Class | Trait | Impl) -> Iterator[str]:
    functions = [*owner.methods.values(), *owner.statics.values()]
    for function in sorted(functions, key=lambda function: function.span.start):
        yield from _function(function)


def _variable(variable: Field | Global | Local) -> str:
    shared = "shared " if isinstance(variable, Local) and variable.shared else ""
    return f"{shared}{'var' if variable.mutable else 'let'} {variable.name}: {variable.type}"


def _function(function: Function) -> Iterator[str]:
    throws = " rethrows" if function.rethrows else " throws" if function.throws else ""
    yield f"{_modifiers(function.modifiers)}{_KINDS[function.kind]}{function.signature}{throws}"
    yield from _indented(_bounds(function.type_parameters))
    yield from _indented(_conditions(function.conditions))
    yield from _indented(f"{local.index} {_variable(local)}" for local in function.locals)
    if function.body is not None:
        for statement in function.body.statements:
            yield from _indented(dump(statement, function.source))
    for made in function.lambdas:
        yield from _indented([f"closure {made.number}: {made.parent}"])
        yield from _indented(_indented(_variable(field) for field in made.fields.values()))
        yield from _indented(_indented(_members(made)))


_KINDS: Final = {
    FunctionKind.FUNCTION: "fun ",
    FunctionKind.METHOD: "fun ",
    FunctionKind.STATIC: "fun ",
    FunctionKind.CONSTRUCTOR: "constructor ",
    FunctionKind.GLOBAL: "initializer of ",
    FunctionKind.FORMULA: "formula ",
}


def _modifiers(modifiers: Modifier) -> str:
    return "".join(f"{(flag.name or '').lower()} " for flag in modifiers)


def _bounds(parameters: Iterable[TypeParameter]) -> Iterator[str]:
    for parameter in parameters:
        bounds = [str(trait) for trait in parameter.traits]
        if parameter.class_bound is not None:
            bounds.insert(0, str(parameter.class_bound))
        if bounds:
            yield f"where {parameter.name}: {' + '.join(bounds)}"


def _conditions(conditions: dict[TypeParameter, list[ClassType]]) -> Iterator[str]:
    """Those of a `where`, or of an `impl`, which the type parameters around do not have themselves."""
    for parameter, traits in conditions.items():
        yield f"where {parameter.name}: {' + '.join(map(str, traits))}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return ("  " + line for line in lines)


# Statements and expressions.


class _Line(NamedTuple):
    depth: int
    label: str
    node: Node
    is_link: bool = False
    """its left operand stands in the line above"""


def dump(node: Node, source: Source) -> Iterator[str]:
    """The lines of a statement or expression."""
    stack = [_Line(0, "", node)]
    while stack:
        entry = stack.pop()
        links = _long_spine(entry)
        if links is None:
            yield _line(entry, source)
            stack.extend(reversed(list(_children(entry))))
        else:
            yield f"{'  ' * entry.depth}{entry.label}Chain"
            stack.extend(reversed(links))


def _long_spine(entry: _Line) -> list[_Line] | None:
    """The leftmost operand and the links of a long chain, each without what is on its left."""
    if entry.is_link:
        return None
    nodes: list[Node] = [entry.node]
    while (left := _left_operand(nodes[-1])) is not None:
        nodes.append(left)
    if len(nodes) <= _LONG_SPINE:
        return None
    nodes.reverse()
    depth = entry.depth + 1
    return [_Line(depth, "", nodes[0]), *(_Line(depth, "", node, True) for node in nodes[1:])]


def _left_operand(node: Node) -> Node | None:
    match node:
        case typed.Compute() | typed.Call() if node.arguments:
            return node.arguments[0]
        case typed.GetField():
            return node.object
        case typed.Logical() | typed.Identical():
            return node.left
        case typed.IsInstance() | typed.Cast():
            return node.value
    return None


def _line(entry: _Line, source: Source) -> str:
    node = entry.node
    parts = [type(node).__name__]
    if not isinstance(node, typed.Catch | typed.MatchArm):
        parts.append(str(source.position(node.span.start)))
    scalars = [_scalar(name, value) for name, value in _values(node)]
    if isinstance(node, typed.Call):
        scalars.reverse()  # how it is dispatched, then what is called
    parts += filter(None, scalars)
    if isinstance(node, typed.Expression):
        parts.append(f": {node.type}")
    return f"{'  ' * entry.depth}{entry.label}{' '.join(parts)}"


def _values(node: Node) -> Iterator[tuple[str, object]]:
    for name in fields_of(node):
        if name != "span" and not (name == "type" and isinstance(node, typed.Expression)):
            yield name, getattr(node, name)


def _scalar(name: str, value: object) -> str:
    """A value that is no node; empty if it says nothing."""
    match value:
        case None | list() | typed.Expression() | typed.StatementBase() | typed.MatchArm():
            return ""
        case bool():
            return (name if value else "") if name == "negated" else str(value).lower()
        case str():
            return quoted(value, '"')
        case Enum():
            return str(value.value)
        case Local():
            return f"{value.name}#{value.index}"
        case Field():
            return f"{value.owner.name}.{value.name}"
        case Global() | Primitive():
            return value.name
        case typed.Instantiation():
            return _target(value)
        case (
            typed.AnyValue()
            | typed.Bound()
            | typed.TupleOf()
            | typed.VariantOf()
            | typed.Equal()
            | typed.Between()
            | typed.InstanceOf()
            | typed.FieldOf()
            | typed.OneOf()
        ):
            return _pattern(value)
        case Class():
            return value.name
        case tuple():
            return " ".join(_scalar(name, one) for one in value)
    return str(value)


def _pattern(pattern: typed.Pattern) -> str:
    match pattern:
        case typed.Bound(local, typed.AnyValue()):
            return f"{local.name}#{local.index}"
        case typed.Bound(local, inner):
            return f"{local.name}#{local.index} @ {_pattern(inner)}"
        case typed.TupleOf(_, parts):
            return f"({', '.join(map(_pattern, parts))})"
        case typed.VariantOf(_, variant, parts):
            return variant.name + (f"({', '.join(map(_pattern, parts))})" if parts else "")
        case typed.Equal(typed.NilConstant()):
            return "nil"
        case typed.Equal(typed.Constant(value=value) | typed.TextConstant(value=value)):
            return _scalar("", value)
        case typed.Between(_, low, high):
            return f"{low}..={high}"
        case typed.InstanceOf(target):
            return f"_: {target}"
        case typed.FieldOf(type, field, inner):
            return f"{type}.{field.name} @ {_pattern(inner)}"
        case typed.OneOf(options):
            return " | ".join(map(_pattern, options))
    return "_"


def _target(target: typed.Instantiation) -> str:
    function = target.function
    named = zip(function.all_type_parameters, target.arguments, strict=True)
    given = ", ".join(f"{parameter}={argument}" for parameter, argument in named)
    return function.signature + (f" with {given}" if given else "")


def _children(entry: _Line) -> Iterator[_Line]:
    children = _operands(entry.node)
    if entry.is_link:
        next(children)
    for label, node in children:
        yield _Line(entry.depth + 1, label, node)


def _operands(node: Node) -> Iterator[tuple[str, Node]]:
    """The nodes that a node is made of, the leftmost first; those of lists speak for themselves."""
    for name, value in _values(node):
        if isinstance(value, _NODES):
            yield f"{name}: ", value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, tuple):
                    yield from zip(("if: ", "then: "), item, strict=True)
                else:
                    yield "", item
