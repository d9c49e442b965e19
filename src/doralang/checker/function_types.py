"""The types of functions: hidden abstract classes with a method `call`, two for each number of parameters.

(int, Str) throws -> bool   ->      fun/2/throws<int, Str, bool>
(int, Str) -> bool          ->      fun/2<int, Str, bool>, which extends the former

The result is the last type argument, and may be `()` or `Never` here.  No program can write these names.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.program import CALL, FUNCTION_CLASS, Class, Function, FunctionKind, Local
from doralang.checker.scopes import Unit
from doralang.syntax.tree import Modifier
from doralang.text.source import LIBRARY, NOWHERE, Source
from doralang.types.types import ClassType, Type, TypeParameter


def function_type(unit: Unit, parameters: Sequence[Type], result: Type, *, throws: bool) -> ClassType:
    """The type of functions with these parameters and this result."""
    return function_class(unit.base, len(parameters), throws).of((*parameters, result))


def function_class(library: Unit, count: int, throws: bool) -> Class:
    """The class of functions with so many parameters."""
    made = library.functions.get((count, throws))
    if made is None:  # another thread may make one, too
        made = library.functions.setdefault((count, throws), make_class(library, count, throws))
    return made


def make_class(library: Unit, count: int, throws: bool) -> Class:
    parameters = tuple(TypeParameter(f"P{index}") for index in range(count)) + (TypeParameter("R"),)
    source = Source("functions", "", unit=LIBRARY)
    made = Class(f"{FUNCTION_CLASS}{count}{'/throws' if throws else ''}", parameters, source, NOWHERE)
    made.is_function, made.may_throw = True, throws
    made.modifiers = Modifier.ABSTRACT
    call = Function(CALL, FunctionKind.METHOD, made, source, NOWHERE)
    call.modifiers = Modifier.ABSTRACT | Modifier.OPEN
    call.throws = throws
    call.locals.append(Local("self", made.self_type, False, 0))
    call.parameters = [Local(one.name, one, False, index) for index, one in enumerate(parameters[:-1], 1)]
    call.locals += call.parameters
    call.result = parameters[-1]
    made.methods[CALL] = call
    if not throws:
        parent = function_class(library, count, True)
        made.parent = parent.of(parameters)
        call.overridden = parent.methods[CALL]
    return made


def parts_of(type: ClassType) -> tuple[tuple[Type, ...], Type]:
    """The types of the parameters and of the result of a function type."""
    return type.arguments[:-1], type.arguments[-1]


def call_of(type: ClassType) -> Function:
    """The method that a call of a value of a function type calls."""
    assert isinstance(type.head, Class)
    return type.head.methods[CALL]
