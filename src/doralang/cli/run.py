"""`dora run`: compile a program and run it."""

from __future__ import annotations

from doralang.cli.options import Invocation
from doralang.cli.output import report, write
from doralang.pipeline import dump_files
from doralang.session.running import run_source, show_code
from doralang.settings import Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import load_source


def main(invocation: Invocation, streams: Streams) -> int:
    path, *arguments = invocation.operands
    diagnostics = Diagnostics()
    source = load_source(path, streams.stdin, diagnostics)
    if source is None:
        report(invocation, streams, diagnostics)
        return 1
    if invocation.settings.emit:
        write(streams.stdout, dump_files(invocation.settings.emit, source))

    def show(diagnostics: Diagnostics) -> None:
        report(invocation, streams, diagnostics)

    if invocation.settings.target:
        return show_code(source, streams, invocation.settings, show)
    return run_source(source, arguments, streams, invocation.settings, show)
