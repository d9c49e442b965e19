"""`dora compare`: one program or formula in every engine, with a table and perhaps a plot.

engine      first result    each further    break-even  code
walk            0.41 ms         6.1 us               -  none
vm              0.62 ms         2.2 us              55  24 closures
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from doralang.cli.eval import formula_source, variable_source
from doralang.cli.invocation import Invocation, UsageError
from doralang.cli.output import complain, report, write
from doralang.optional import load
from doralang.session.checking import compile_program
from doralang.session.comparing import (
    REFERENCE,
    FormulaVariable,
    Measured,
    break_even,
    compare_formula,
    compare_program,
    differing,
    ending,
    engines_that_work,
    raise_if_interrupted,
)
from doralang.session.formulas import Formulas
from doralang.settings import Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import load_source
from doralang.text.source import Source
from doralang.types.failures import Exit, Failure

SUFFIX = ".dora"
UNITS = ((1.0, "s "), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def main(invocation: Invocation, streams: Streams) -> int:
    operand, *arguments = invocation.operands
    engines = chosen_engines(invocation)
    if invocation.plot is not None:
        load("doralang.cli.plot").figures()  # complains before anything is measured
    if operand.endswith(SUFFIX) or os.path.exists(operand):
        if invocation.variables:
            raise UsageError("`--let` does nothing for a program")
        results = program_results(invocation, streams, engines)
    elif arguments:
        raise UsageError(f"one expression expected, found `{arguments[0]}` as well")
    else:
        results = formula_results(invocation, streams, engines)
    if results is None:
        return 1
    write(streams.stdout, table(results))
    if invocation.plot is not None:
        load("doralang.cli.plot").draw(results, operand, invocation.plot)
    wrong = differing(results)
    if wrong:
        complain(streams, f"dora: {', '.join(wrong)}: not the result of {results[0].engine}\n")
        return 1
    return tell_ending(results, streams)


def tell_ending(results: Sequence[Measured], streams: Streams) -> int:
    """Show once how it ended everywhere, if it failed, and return the status that `run` would have."""
    ended = ending(results)
    if ended is None:
        return 0
    report = ended.report.decode("utf-8", "surrogateescape")
    complain(streams, report or f"dora: every engine ends with status {ended.status}\n")
    return ended.status


def chosen_engines(invocation: Invocation) -> list[str]:
    """The engines that were asked for, the reference always among them and first."""
    there = engines_that_work()
    if not invocation.engines:
        return there
    for name in sorted(invocation.engines):
        if name not in there:
            raise UsageError(f"engine `{name}` cannot be compared here; there are {', '.join(there)}")
    return [name for name in there if name in invocation.engines or name == REFERENCE]


def program_results(
    invocation: Invocation, streams: Streams, engines: Sequence[str]
) -> list[Measured] | None:
    """None after errors, which are reported."""
    path, *arguments = invocation.operands
    diagnostics = Diagnostics()
    source = load_source(path, streams.stdin, diagnostics)
    program = compile_program(source, diagnostics) if source else None
    report(invocation, streams, diagnostics)
    if source is None or program is None:
        return None
    return compare_program(source, arguments, streams.stdin, engines, invocation.settings)


def formula_results(
    invocation: Invocation, streams: Streams, engines: Sequence[str]
) -> list[Measured] | None:
    """None after errors or a failure in a variable, which are reported."""
    diagnostics = Diagnostics()
    formula = formula_source(invocation.operands[0], diagnostics)
    try:
        variables = variables_of(invocation, formula, diagnostics, streams)
    except Failure as failure:
        raise_if_interrupted(failure)
        complain(streams, failure.report().decode("utf-8", "surrogateescape"))
        return None
    except Exit:
        return None
    report(invocation, streams, diagnostics)
    if diagnostics.errors:
        return None
    return compare_formula(formula, variables, engines, invocation.settings)


def variables_of(
    invocation: Invocation, formula: Source, diagnostics: Diagnostics, streams: Streams
) -> list[FormulaVariable]:
    """The values of the variables; the formula is checked with them.  Raises Failure and Exit."""
    settings = invocation.settings
    settings.engine = REFERENCE
    formulas = Formulas(streams, settings)
    variables: list[FormulaVariable] = []
    for name, text in invocation.variables:
        types = {variable.name: variable.type for variable in variables}
        checked = formulas.check(variable_source(name, text, diagnostics), types, diagnostics)
        if diagnostics.errors:
            return []
        values = {variable.name: variable.value for variable in variables}
        variables.append(FormulaVariable(name, checked.function.result, formulas.value(checked, values)))
    formulas.check(formula, {variable.name: variable.type for variable in variables}, diagnostics)
    return variables


def table(results: Sequence[Measured]) -> str:
    lines = [f"{'engine':<10}{'first result':>14}{'each further':>16}{'break-even':>14}  code"]
    for each in results:
        even = "-" if each.engine == REFERENCE else str(break_even(each, results[0]) or "never")
        lines.append(
            f"{each.engine:<10}{duration(each.first):>14}{duration(each.each):>16}{even:>14}  {each.code}"
        )
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    factor, unit = next((row for row in UNITS if seconds >= row[0]), UNITS[-1])
    return f"{seconds / factor:.3g} {unit}"
