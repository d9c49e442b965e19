"""`dora check`: compile-time checks of each file, as a program of its own that needs no `main`."""

from __future__ import annotations

from dora.check.checker import MainRule
from dora.cli.options import Invocation
from dora.cli.output import report
from dora.engine.checking import compile_program
from dora.settings import Streams
from dora.text.diagnostics import Diagnostics
from dora.text.loading import load_source


def main(invocation: Invocation, streams: Streams) -> int:
    checked = [check(path, streams) for path in invocation.operands]
    report(invocation, streams, *checked)
    return 1 if any(diagnostics.errors for diagnostics in checked) else 0


def check(path: str, streams: Streams) -> Diagnostics:
    diagnostics = Diagnostics()
    source = load_source(path, streams.stdin, diagnostics)
    if source:
        compile_program(source, diagnostics, main=MainRule.OPTIONAL)
    return diagnostics
