"""Bodies of functions, constructors and initialisers of globals.

A constructor's body is put together here, so that engines see plain statements:

    class Derived(let a: int, b: int): Base(a + b) { let c: int = self.a * b; }

    Construct  Base(a + b)
    SetField   self.a = a
    SetField   self.c = self.a * b
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.arguments import check_anyway
from doralang.checker.body import Body, Handlers
from doralang.checker.calls import constructor_callee
from doralang.checker.classes import has_primary_parameters
from doralang.checker.declarations import (
    ClassDeclaration,
    ConstructorDeclaration,
    FunctionDeclaration,
    GlobalDeclaration,
)
from doralang.checker.flow import falls_through, returns
from doralang.checker.generics import check_overloaded, must_finish
from doralang.checker.messages import article
from doralang.checker.operators import mismatch
from doralang.checker.program import (
    Class,
    Construct,
    Function,
    FunctionKind,
    Instantiation,
    Statement,
    TypedExpression,
)
from doralang.checker.raw import check_raw
from doralang.checker.rethrows import sources
from doralang.checker.scopes import Context
from doralang.checker.trait_objects import coerce
from doralang.checker.values import split
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.types import ERROR, UNIT, ClassType, Type


def parse(node: tree.Block | tree.DeferredBlock) -> tree.Block:
    return node.parse() if isinstance(node, tree.DeferredBlock) else node


def new_body(handlers: Handlers, context: Context, function: Function) -> Body:
    """A body with the parameters in scope; the first of a name counts."""
    body = Body(context, function, handlers)
    for parameter in reversed(function.parameters):
        body.scopes[0][parameter.name] = parameter
    body.has_self = function.has_self
    body.is_constructor = function.kind is FunctionKind.CONSTRUCTOR
    body.warns = not function.throws
    body.rethrown = sources(function) if function.rethrows else ""
    return body


# Functions.


def check_function(handlers: Handlers, declaration: FunctionDeclaration) -> None:
    function, node = declaration.function, declaration.node
    if node.body is None:
        return
    block = parse(node.body)
    body = new_body(handlers, declaration.context, function)
    block = returning(function, block)
    set_body(body, function, body.block(block))
    check_returns(body, function, block)


def returning(function: Function, block: tree.Block) -> tree.Block:
    """The body of a function with a result: `{ … e }` means `{ … return e; }`."""
    statements, tail = split(block)
    if tail is None or function.result in (UNIT, ERROR):
        return block
    return tree.Block(block.span, [*statements, tree.Return(tail.span, tail)])


def set_body(body: Body, function: Function, block: typed.Block) -> None:
    """The body is complete.  Programs have no raw functions: there, `@raw` is reported as such (E0905)."""
    function.set_body(block)
    if function.raw and body.context.is_library:
        check_raw(body.context, block)


def check_returns(body: Body, function: Function, block: tree.Block) -> None:
    if function.result in (UNIT, ERROR) or returns(block, body.returning):
        return
    type = str(function.result)
    body.error(
        "E0702", falls_through(block, body.returning), name=function.name, article=article(type), type=type
    )


# Globals.


def check_global(handlers: Handlers, declaration: GlobalDeclaration) -> None:
    """The initialiser of a global is a function that returns its first value."""
    variable, node = declaration.variable, declaration.node
    if node.value is None:
        if not node.mutable:
            declaration.context.error("E0406", node.span, name=node.name)
        return
    function = Function(node.name, FunctionKind.GLOBAL, None, declaration.context.source, node.span)
    function.signature = f"global {node.name}"
    function.result = variable.type
    body = new_body(handlers, declaration.context, function)
    value = body.expression(node.value, variable.type)
    made = coerce(body, value, variable.type)
    if made is None:
        mismatch(body, "E0401", node.value.span, node.name, variable.type, value.type)
    function.set_body(typed.Block(node.span, [typed.Return(node.span, made)]))
    variable.initializer = function


# Constructors.


def check_constructor(
    handlers: Handlers, declaration: ClassDeclaration, constructor: ConstructorDeclaration
) -> None:
    function, node = constructor.function, constructor.node
    if function.internal:
        return
    body = new_body(handlers, declaration.context, function)
    if node is None:
        statements = primary_statements(body, declaration)
        function.set_body(typed.Block(function.span, statements))
        return
    statements = []
    if not has_primary_parameters(declaration):
        statements += secondary_initializers(body, declaration, constructor)
    if node.delegation is not None:
        statements += delegation(body, declaration, node.delegation)
    if node.body is not None:
        statements.append(body.block(parse(node.body)))
    set_body(body, function, typed.Block(node.span, statements))


def primary_statements(body: Body, declaration: ClassDeclaration) -> list[Statement]:
    """Parent's constructor, fields from parameters, field initialisers (7.2)."""
    entity, node = declaration.entity, declaration.node
    statements: list[Statement] = []
    if node.parent is not None:
        statements += parent_call(body, declaration, node.parent)
    for index, parameter in enumerate(node.parameters):
        field = entity.fields.get(parameter.name)
        if parameter.is_field and field is not None and field.span == parameter.name_span:
            local = body.function.parameters[index]
            value = typed.GetLocal(parameter.span, local.type, local)
            statements.append(store(body, parameter.name_span, field, value))
    return statements + initializers(body, declaration)


def parent_call(body: Body, declaration: ClassDeclaration, node: tree.Parent) -> list[Statement]:
    parent = declaration.entity.parent
    if declaration.entity in body.unit.incomplete_classes or parent is None:
        check_anyway(body, node.arguments, node.span)
        return []
    return construct(body, node.span, parent, node.arguments)


def construct(body: Body, span: Span, type: ClassType, nodes: Sequence[tree.Expression]) -> list[Statement]:
    """The call of a constructor of `type` on the object under construction."""
    head = type.head
    assert isinstance(head, Class)
    made: list[Statement] = []

    def build(
        function: Function, arguments: tuple[Type, ...], result: Type, values: list[TypedExpression]
    ) -> TypedExpression:
        made[:] = [Construct(span, Instantiation(function, arguments), values)]
        return typed.GetLocal(span, result, body.function.locals[0])

    known: dict[Type, Type] = dict(zip(head.parameters, type.arguments, strict=True))
    callees = [
        constructor_callee(constructor, known, (), build, type, False) for constructor in head.constructors
    ]
    if not callees:
        check_anyway(body, nodes, span)
        return []
    must_finish(check_overloaded(body, span, callees, nodes, None))
    return made


def delegation(body: Body, declaration: ClassDeclaration, node: tree.Delegation) -> list[Statement]:
    entity = declaration.entity
    if not node.to_super:
        return construct(body, node.span, entity.self_type, node.arguments)
    if entity in body.unit.incomplete_classes or entity.parent is None:
        check_anyway(body, node.arguments, node.span)
        return []
    return construct(body, node.span, entity.parent, node.arguments)


def secondary_initializers(
    body: Body, declaration: ClassDeclaration, constructor: ConstructorDeclaration
) -> list[Statement]:
    """The initialisers at the start of an `init`; they see `self` and no parameters.

    Each `init` has its own copy; what is wrong in them is reported with the first.
    """
    scope, body.scopes[0] = body.scopes[0], {}
    reports = body.unit.diagnostics.reports
    before = len(reports)
    statements = initializers(body, declaration)
    if constructor is not declaration.constructors[0]:
        del reports[before:]
    body.scopes[0] = scope
    return statements


def initializers(body: Body, declaration: ClassDeclaration) -> list[Statement]:
    statements: list[Statement] = []
    for node in declaration.node.members:
        if isinstance(node, tree.Field) and node.value is not None:
            field = declaration.entity.fields[node.name]
            value = body.expression(node.value, field.type)
            made = coerce(body, value, field.type)
            if made is None:
                body.error("E0402", node.value.span, name=node.name, expected=field.type, found=value.type)
            elif field.span == node.span:
                statements.append(store(body, node.span, field, made))
    return statements


def store(body: Body, span: Span, field: typed.Field, value: TypedExpression) -> Statement:
    """`self.field = value`"""
    local = body.function.locals[0]
    receiver = typed.GetLocal(span, local.type, local)
    return typed.Evaluate(span, typed.SetField(span, UNIT, receiver, field, value))
