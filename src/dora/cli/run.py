"""`dora run`: compile a program and run it."""

from __future__ import annotations

from dora import engine
from dora.cli.options import Invocation
from dora.cli.output import report, write
from dora.optional import load
from dora.pipeline import dump_stages
from dora.settings import Streams
from dora.text.diagnostics import Diagnostics
from dora.text.loading import load_source


def main(invocation: Invocation, streams: Streams) -> int:
    path, *arguments = invocation.operands
    diagnostics = Diagnostics()
    source = load_source(path, streams.stdin, diagnostics)
    program = None
    if source:
        if invocation.settings.emit:
            write(streams.stdout, dump_stages(invocation.settings.emit, source))
        chosen = "baseline" if invocation.settings.target else invocation.settings.engine
        program = engine.compile_program(source, diagnostics, engine=chosen)
    report(invocation, streams, diagnostics)
    if program is None:
        return 1
    if invocation.settings.target:
        write(streams.stdout, load("dora.compiled.showing").show_program(program, invocation.settings))
        return 0
    return engine.run_program(program, arguments, streams, invocation.settings)
