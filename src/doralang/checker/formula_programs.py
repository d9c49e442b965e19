"""Formulas as programs: one expression with named variables on top of the library.

Programs do not need this, so it stands in a module of its own, as the rules do (`checker.formulas`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from doralang.checker import formulas
from doralang.checker import program as typed
from doralang.checker.bodies import new_body
from doralang.checker.body import Handlers
from doralang.checker.checker import HANDLERS, CheckedLibrary, program_unit
from doralang.checker.hosts import HostFunction
from doralang.checker.missing import nothing_missing
from doralang.checker.program import Function, FunctionKind, Local, Program
from doralang.checker.scopes import ConstantName, Context, Progress
from doralang.syntax import tree
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import NOWHERE, Source
from doralang.types.types import NIL, EnumType, PrimitiveType, Type

NOTHING: Final[frozenset[str]] = frozenset()
"""granted to formulas"""

FORMULA_HANDLERS: Final = Handlers(
    plain={**HANDLERS.plain, **formulas.PLAIN},
    leaves={**HANDLERS.leaves, **formulas.LEAVES},
    links={**HANDLERS.links, **formulas.LINKS},
    statements=HANDLERS.statements,
)

NO_CONSTANTS: Final[Mapping[str, tuple[Type, bool | int | float | str]]] = MappingProxyType({})


def known_constant(context: Context, name: str, type: Type, value: bool | int | float | str) -> ConstantName:
    """A constant whose value the host has given."""
    node = tree.Constant(NOWHERE, name, NOWHERE, tree.UnitType(NOWHERE), tree.Nil(NOWHERE))
    return ConstantName(node, context.source, context, type, value, Progress.DONE)


def check_formula(
    source: Source,
    node: tree.Expression,
    diagnostics: Diagnostics,
    library: CheckedLibrary,
    variables: Mapping[str, Type],
    *,
    granted: frozenset[str] | None = NOTHING,
    hosts: Sequence[HostFunction] = (),
    constants: Mapping[str, tuple[Type, bool | int | float | str]] = NO_CONSTANTS,
) -> tuple[Program, Function]:
    """Check an expression whose free names are `variables`: a function with these parameters.

    Formulas compute; what reaches the process is granted only if the host names it.
    """
    unit = program_unit(diagnostics, library, granted)
    unit.names |= {function.name: function for function in hosts}
    unit.declared()
    context = Context(unit, source)
    for name, (type, constant) in {**formulas.CONSTANTS, **constants}.items():
        unit.names[name] = known_constant(context, name, type, constant)
    function = Function(source.name, FunctionKind.FORMULA, None, source, node.span)
    for name, type in variables.items():
        local = Local(name, type, False, len(function.locals))
        function.locals.append(local)
        function.parameters.append(local)
    body = new_body(FORMULA_HANDLERS, context, function)
    body.formula = True
    value = body.expression(nothing_missing(node))
    text = library.library.classes["Str"].of()
    plain = isinstance(value.type, PrimitiveType) and not isinstance(value.type, EnumType)
    if not (plain or value.type is text or body.is_unknown(value.type)):
        found = "nil" if value.type is NIL else value.type
        body.error("E0401", node.span, expected="a primitive type or Str", found=found, hint=None)
    function.result = value.type
    function.set_body(typed.Block(node.span, [typed.Return(node.span, value)]))
    functions = {source.name: function}
    return Program(source, library.library, functions, impls=unit.impls, granted=granted), function
