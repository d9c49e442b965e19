"""`dora eval`: print the value of one formula."""

from __future__ import annotations

from doralang.cli.invocation import Invocation, UsageError
from doralang.cli.output import report, write
from doralang.pipeline import dump_files
from doralang.session.formulas import run_formula
from doralang.settings import Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import decode_source
from doralang.text.source import Source

NAME = "<expression>"


def main(invocation: Invocation, streams: Streams) -> int:
    expression, *more = invocation.operands
    if more:
        raise UsageError(f"one expression expected, found `{more[0]}` as well")
    diagnostics = Diagnostics()
    formulas = [variable_source(name, text, diagnostics) for name, text in invocation.variables]
    formula = formula_source(expression, diagnostics)
    status = 1
    if not diagnostics.errors:
        if invocation.settings.emit:
            write(streams.stdout, dump_files(invocation.settings.emit, formula, formula=True))
        names = [name for name, _ in invocation.variables]
        variables = list(zip(names, formulas, strict=True))
        status = run_formula(variables, formula, diagnostics, streams, invocation.settings)
    report(invocation, streams, diagnostics)
    return 1 if diagnostics.errors else status


def formula_source(text: str, diagnostics: Diagnostics, name: str = NAME) -> Source:
    """An argument of the process as a source; bytes that are no UTF-8 (surrogates for Python) are E0108."""
    data = text.encode("utf-8", "surrogatepass")
    return decode_source(name, data, diagnostics) or Source(name, "")


def variable_source(name: str, text: str, diagnostics: Diagnostics) -> Source:
    """The expression of a `--let`, which is called by the name of its variable."""
    return formula_source(text, diagnostics, f"<{name}>")
