"""The checker: from syntax trees to a typed program, or a list of errors.

check_library()             the library, its bodies checked when first asked for
check_program(...)          a program on top of it; `checker.formula_programs` has formulas
check_around(...)           functions of the implementation around one of a program
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

from doralang.checker import (
    assignments,
    calls,
    enums,
    expressions,
    function_calls,
    jumps,
    matches,
    operators,
    statements,
    tuples,
    values,
)
from doralang.checker.bodies import check_constructor, check_function, check_global
from doralang.checker.body import Handlers, Leaves, Ready
from doralang.checker.classes import declare_class_bounds, declare_members, declare_parents, find_overridden
from doralang.checker.constants import ConstantChecker
from doralang.checker.declarations import (
    ClassDeclaration,
    Declarations,
    EnumDeclaration,
    FunctionDeclaration,
    check_body_present,
    collect,
    declare_signature,
)
from doralang.checker.function_types import function_class
from doralang.checker.hosts import HostFunction
from doralang.checker.program import Class, Function, Global, Library, Program, Trait
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import Context, NameRecorder, Unit
from doralang.checker.trait_objects import declare_forms
from doralang.checker.traits import declare_impl, declare_traits
from doralang.optional import load
from doralang.syntax import tree
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.records import record
from doralang.text.source import NOWHERE, Source
from doralang.types.types import ERROR, INT, UNIT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


def when_met(module: str) -> Callable[..., Any]:
    """What checks an expression by a module that is loaded when the first such one is met."""

    def check(body: Any, node: tree.Expression, expected: Type | None) -> Any:
        return load(module).LEAVES[type(node)](body, node, expected)

    return check


RARE: Final[Leaves] = {
    tree.Lambda: when_met("doralang.checker.lambdas"),
    tree.ListLiteral: when_met("doralang.checker.lists"),
    tree.Template: when_met("doralang.checker.templates"),
}
"""expressions that short programs do without"""

HANDLERS: Final = Handlers(
    plain={**expressions.PLAIN, **operators.PLAIN, Ready: lambda body, node, expected: node.value},
    leaves={
        **expressions.LEAVES,
        **calls.LEAVES,
        **operators.LEAVES,
        **assignments.LEAVES,
        **values.LEAVES,
        **jumps.LEAVES,
        **tuples.LEAVES,
        **matches.LEAVES,
        **RARE,
    },
    links={**calls.LINKS, **operators.LINKS, **function_calls.LINKS},
    statements={**statements.STATEMENTS, **matches.STATEMENTS},
)


class MainRule(Enum):
    """What is said about `main`: `dora check` does not miss it, `dora test` has no use for it.

    `dora test` says of functions that are named like tests why they are none.
    """

    REQUIRED = 0
    OPTIONAL = 1
    TESTS = 2


PRELUDE_ENUMS: Final = ("Option", "Result")
"""whose variants are names of the prelude by themselves"""

Completion = tuple[Function | None, Callable[[], None]]


@record(eq=True)
class CheckedLibrary:
    """The library as programs are checked against it."""

    unit: Unit
    library: Library
    public: frozenset[str]
    """the names that programs see"""


def declare(declarations: Declarations) -> list[Completion]:
    """Make everything known that declarations say; returns what checks the bodies, in order."""
    unit = declarations.unit
    for enum in declarations.enums:
        if not enum.entity.variants:
            enums.declare_form(enum)
    declare_parents(declarations)
    declare_class_bounds(declarations)
    bodies = [function_completion(one) for one in declare_traits(declarations)]
    declare_forms(unit, [declaration.trait for declaration in declarations.traits])
    bodies += [function_completion(declare_function(one)) for one in declarations.functions]
    for declaration in declarations.classes:
        declare_members(declaration)
        bodies += class_completions(declaration)
    for enum in declarations.enums:
        enums.declare_variants(enum)
        enums.declare_methods(enum)
        bodies += [function_completion(one) for one in enum.methods]
    with_impls: list[ClassDeclaration | EnumDeclaration] = [*declarations.classes, *declarations.enums]
    for deriving in with_impls:
        if deriving.node.derived:
            bodies += load("doralang.checker.derivation").derive(deriving)
    for impl in declarations.impls:
        bodies += [function_completion(one) for one in declare_impl(declarations, impl)]
    for variable in declarations.globals:
        variable.variable.type = resolve_type(variable.context, variable.node.type)
    unit.declared()
    find_overridden([declaration.entity for declaration in declarations.classes])
    for declaration in declarations.classes:
        load("doralang.checker.inheritance").check_inheritance(declaration)
    constants = ConstantChecker(unit)
    for constant in declarations.constants:
        constants.compute(constant)
    for variable in declarations.globals:
        bodies.append((None, lambda variable=variable: check_global(HANDLERS, variable)))  # type: ignore[misc]
    return bodies


def declare_function(declaration: FunctionDeclaration) -> FunctionDeclaration:
    node, function = declaration.node, declaration.function
    inner = declare_signature(declaration.context, function, node)
    check_body_present(declaration.context, function, node.body is not None, node.span)
    return FunctionDeclaration(function, node, inner)


def function_completion(declaration: FunctionDeclaration) -> Completion:
    return declaration.function, lambda: check_function(HANDLERS, declaration)


def class_completions(declaration: ClassDeclaration) -> list[Completion]:
    completions: list[Completion] = [
        (
            constructor.function,
            lambda constructor=constructor: check_constructor(HANDLERS, declaration, constructor),  # type: ignore[misc]
        )
        for constructor in declaration.constructors
    ]
    return completions + [function_completion(one) for one in declaration.methods]


# The library.


def check_library(
    files: Sequence[tuple[Source, tree.File]], public: frozenset[str], diagnostics: Diagnostics
) -> CheckedLibrary:
    """Declare the whole library, and report what is wrong.

    Its bodies are checked, and reported about, when they are first asked for.  `checker.on_demand` declares
    the same piece by piece.
    """
    unit = Unit(diagnostics)
    declarations = Declarations(unit)
    tuples.declare_tuples(unit)
    for source, file in files:
        collect(declarations, source, file)
    enums.enter_variants(declarations, PRELUDE_ENUMS)
    for function, complete in declare(declarations):
        if function is not None:
            function.complete = partial(function.check_body, complete)
    names = unit.names.items()
    classes = {name: entity for name, entity in names if isinstance(entity, Class)}
    library = Library(
        functions={name: entity for name, entity in names if isinstance(entity, Function)},
        classes=classes,
        traits={name: entity for name, entity in names if isinstance(entity, Trait)},
        globals={name: entity for name, entity in names if isinstance(entity, Global)},
        impls_of=unit.impls_of,
        function_class=partial(function_class, unit),
        overriding=classes.values,
    )
    return CheckedLibrary(unit, library, public)


def program_unit(diagnostics: Diagnostics, library: CheckedLibrary, granted: frozenset[str] | None) -> Unit:
    """A unit that sees the library."""
    return Unit(diagnostics, (library.unit,), visible=library.public, granted=granted)


# Programs.


def check_program(
    source: Source,
    file: tree.File,
    diagnostics: Diagnostics,
    library: CheckedLibrary,
    *,
    main: MainRule = MainRule.REQUIRED,
    granted: frozenset[str] | None = None,
    hosts: Sequence[HostFunction] = (),
    recorder: NameRecorder | None = None,
) -> Program:
    """Check a file, which may call the functions of its host.

    The program is good only if `diagnostics` has no errors afterwards.
    """
    syntax_errors = diagnostics.errors
    unit = program_unit(diagnostics, library, granted)
    unit.names |= {function.name: function for function in hosts}
    unit.recorder = recorder
    declarations = Declarations(unit)
    collect(declarations, source, file)
    for _, complete in declare(declarations):
        complete()
    if main is MainRule.TESTS:
        check_tests(Context(unit, source), unit, library.library)
    else:
        check_main(Context(unit, source), unit, missing=main is MainRule.REQUIRED and not syntax_errors)
    return make_program(source, library, unit, declarations)


def make_program(source: Source, library: CheckedLibrary, unit: Unit, declarations: Declarations) -> Program:
    program = Program(source, library.library, impls=unit.impls, granted=unit.granted)
    for name, entity in unit.names.items():
        if isinstance(entity, Function):
            program.functions[name] = entity
        elif isinstance(entity, Class):
            program.classes[name] = entity
        elif isinstance(entity, Trait):
            program.traits[name] = entity
    program.globals = [declaration.variable for declaration in declarations.globals]
    return program


def check_main(context: Context, unit: Unit, *, missing: bool) -> None:
    main = unit.names.get("main")
    if not isinstance(main, Function):
        if missing:
            context.error("E0901", NOWHERE)
    elif main.parameters or main.type_parameters or main.result not in (UNIT, INT, ERROR):
        context.error("E0902", main.span)


def check_tests(context: Context, unit: Unit, library: Library) -> None:
    """Warn about functions that nobody would call: they are named like tests, and are none (W0901)."""
    for name, entity in unit.names.items():
        promises = name.startswith("test") and not name[4:5].islower()  # `testPush`, but not `tester`
        if promises and isinstance(entity, Function) and not is_test(entity, library):
            types = [parameter.type for parameter in entity.parameters]
            if ERROR not in (*types, entity.result):
                context.error("W0901", entity.span, name=name)


def is_test(function: Function, library: Library) -> bool:
    """Whether `dora test` runs a top-level function (reference, 1.4)."""
    return (
        function.name.startswith("test")
        and function.result is UNIT
        and not function.type_parameters
        and [parameter.type for parameter in function.parameters] == [library.classes["Testing"].of()]
    )


# Functions around those of a program.


def check_around(program: Program, called: Function, source: Source, library: CheckedLibrary) -> Function:
    """Check a text, which must be right, around a function of a program; returns its last function.

    It sees the whole library, as the library's own files do, and the function by the name `called`.  The
    program does not know what is in it, and stack traces leave it out.
    """
    diagnostics = Diagnostics()
    unit = Unit(diagnostics, (library.unit,), visible=library.unit.all_names())
    unit.impls = {head: dict(impls) for head, impls in program.impls.items()}
    declarations = Declarations(unit)
    collect(declarations, source, parse_file(source, diagnostics))
    unit.names["called"] = called
    for _, complete in declare(declarations):
        complete()
    assert not diagnostics.errors, f"{source.name} has errors: {diagnostics.reports}"
    functions = [one.function for one in declarations.functions]
    for function in functions:
        function.is_hidden = True
        function.name = f"{function.name} of {called.name}"
    return functions[-1]
