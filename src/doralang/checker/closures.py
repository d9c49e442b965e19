"""The hidden classes of function values, and the expressions that make objects of them.

|x: int| x + n      ->      class f#1(n: int): fun/1<int, int>
                              fun call(x: int) -> int { Restore n; return x + n; }
                            Closure f#1  n

A lambda in a generic function has a class with the same type parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker import program as typed
from doralang.checker.body import Body
from doralang.checker.declarations import fitting_signature
from doralang.checker.function_types import call_of
from doralang.checker.program import CALL, Class, Field, Function, FunctionKind, Local, TypedExpression
from doralang.syntax.tree import Modifier
from doralang.text.source import Span
from doralang.types.types import UNIT, ClassType, Type


def new_call(body: Body, span: Span) -> Function:
    """The method `call` of a new function value in a body; its first local is the object."""
    root = body.root
    made = Class("lambda", root.all_type_parameters, root.source, span)
    made.inside = root
    made.modifiers = Modifier.FINAL
    function = Function(CALL, FunctionKind.METHOD, made, root.source, span)
    function.modifiers = Modifier.OVERRIDE | Modifier.FINAL
    function.locals.append(Local("function", made.self_type, False, 0))
    return function


def add_parameter(function: Function, name: str, type: Type, span: Span) -> Local:
    local = Local(name, type, False, len(function.locals), span)
    function.locals.append(local)
    function.parameters.append(local)
    return local


def describe(function: Function) -> None:
    """The line of a lambda in stack traces."""
    result = "" if function.result is UNIT else f" -> {function.result}"
    types = [str(parameter.type) for parameter in function.parameters]
    function.signature = fitting_signature("lambda", types, result)


def closure(
    body: Body,
    span: Span,
    function: Function,
    type: ClassType,
    statements: Sequence[typed.Statement],
    captured: Sequence[tuple[Local, TypedExpression]] = (),
) -> TypedExpression:
    """A function value of a type that runs these statements.

    `captured` are locals of its function, and what each of them gets when the value is made.
    """
    made = function.owner
    assert made is not None
    made.parent = type
    made.methods[CALL] = function
    function.overridden = call_of(type)
    describe(function)
    locals = tuple(local for local, _ in captured)
    for index, local in enumerate(locals):
        made.fields[str(index)] = Field(str(index), field_type(body, local), False, made, span)
    restore: list[typed.Statement] = [typed.Restore(span, locals)] if locals else []
    function.set_body(typed.Block(span, [*restore, *statements]))
    root = body.root
    root.lambdas.append(made)
    made.number = len(root.lambdas)
    return typed.Closure(span, type, made.self_type, [value for _, value in captured])


def field_type(body: Body, local: Local) -> Type:
    """What is kept of a captured local: its value, or the cell of a shared variable."""
    return body.unit.library_class("SharedCell").of((local.type,)) if local.shared else local.type
