"""Evaluating formulas (reference, 1.5).

    formulas = Formulas(streams, Settings(engine="vm"))
    two = formulas.check(Source("<x>", "1 + 1"), {}, diagnostics)
    formulas.value(two, {})   ->   2

One engine serves any number of formulas: what their library needs is made ready once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from doralang.checker.formula_programs import check_formula
from doralang.checker.program import Function, Program
from doralang.engines.door import Door
from doralang.engines.rows import machine
from doralang.interpreter.objects import Value
from doralang.optional import load
from doralang.pipeline import Stage
from doralang.session.checking import library_for
from doralang.settings import Settings, Streams
from doralang.syntax.formula_parser import parse_formula
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES
from doralang.text.source import Source
from doralang.types.failures import Exit, Failure
from doralang.types.types import Type

GENERATED: Final = (Stage.C, Stage.GO)
"""stages that are shown for any engine: the formula in another language"""


class Formula(NamedTuple):
    """A checked formula: a function whose parameters are its variables."""

    program: Program
    function: Function


class Formulas:
    """Formulas in one engine, which is made for the first of them."""

    def __init__(self, streams: Streams, settings: Settings) -> None:
        self.streams = streams
        self.settings = settings
        self.library = library_for(settings.engine)
        self.made: Door | None = None

    def check(self, source: Source, types: Mapping[str, Type], diagnostics: Diagnostics) -> Formula:
        """Read and check a formula whose variables have these types."""
        with NO_CYCLES:
            tree = parse_formula(source, diagnostics)
            return Formula(*check_formula(source, tree, diagnostics, self.library, types))

    def value(self, formula: Formula, variables: Mapping[str, Value]) -> Value:
        """The value of a formula without errors.  Raises Failure and Exit."""
        function = formula.function
        arguments = [variables[parameter.name] for parameter in function.parameters]
        return self.engine(formula).call(function, arguments)

    def engine(self, formula: Formula) -> Door:
        if self.made is None:
            self.made = machine(formula.program, [], self.streams, self.settings)
        return self.made

    def close(self) -> None:
        if self.made is not None:
            self.made.close()


def run_formula(
    variables: list[tuple[str, Source]],
    formula: Source,
    diagnostics: Diagnostics,
    streams: Streams,
    settings: Settings,
) -> int:
    """Evaluate a formula after its variables, print its value, and return the exit status.

    With errors in `diagnostics` nothing is evaluated and the status means nothing.
    """
    formulas = Formulas(streams, settings)
    types: dict[str, Type] = {}
    checked: list[tuple[str, Formula]] = []
    for name, source in [*variables, ("", formula)]:
        checked.append((name, formulas.check(source, types, diagnostics)))
        types = {**types, name: checked[-1][1].function.result}
    if diagnostics.errors:
        return 1
    show(checked[-1][1], formulas)
    try:
        return evaluate(checked, formulas)
    finally:
        formulas.close()


def evaluate(checked: list[tuple[str, Formula]], formulas: Formulas) -> int:
    """The values of formulas, each known to the later ones by its name; prints the last one."""
    values: dict[str, Value] = {}
    try:
        for name, formula in checked:
            values[name] = formulas.value(formula, values)
        formulas.engine(formula).print_value(formula.function.result, values[name])
    except Exit as exit:
        return exit.status
    except Failure as failure:
        formulas.engine(formula).report(failure)
        return failure.status
    return 0


def show(formula: Formula, formulas: Formulas) -> None:
    """Print the stages of the formula that the settings name, as far as no engine does."""
    settings, write = formulas.settings, formulas.streams.stdout.write
    if Stage.PROGRAM.value in settings.emit:
        write(load("doralang.checker.printer").dump_program(formula.program).encode())
    for stage in GENERATED:
        if stage.value in settings.emit and stage.value != settings.engine:
            write(
                load("doralang.engines.showing")
                .generated(stage.value, formula.program, formula.function)
                .encode()
            )
