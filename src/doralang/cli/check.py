"""`dora check`: compile-time checks of each file, as a program of its own that needs no `main`."""

from __future__ import annotations

from doralang.checker.checker import MainRule
from doralang.cli.invocation import Invocation
from doralang.cli.output import report
from doralang.session.checking import compile_program
from doralang.settings import Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import load_source


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
