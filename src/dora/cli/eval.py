"""`dora eval`: print the value of one formula."""

from __future__ import annotations

from dora import engine
from dora.cli.options import Invocation, UsageError
from dora.cli.output import report, write
from dora.pipeline import dump_stages
from dora.settings import Streams
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source

NAME = "<expression>"


def main(invocation: Invocation, streams: Streams) -> int:
    expression, *more = invocation.operands
    if more:
        raise UsageError(f"one expression expected, found `{more[0]}` as well")
    diagnostics = Diagnostics()
    variables = [(name, Source(NAME, text)) for name, text in invocation.variables]
    formula = Source(NAME, expression)
    if invocation.settings.emit:
        write(streams.stdout, dump_stages(invocation.settings.emit, formula, formula=True))
    status = engine.run_formula(variables, formula, diagnostics, streams, invocation.settings)
    report(invocation, streams, diagnostics)
    return 1 if diagnostics.errors else status
