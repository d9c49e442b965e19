"""`dora run`: compile a program and run it."""

from __future__ import annotations

from doralang.optional import load
from doralang.session.running import run_file
from doralang.text.files import name_of, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.cli.invocation import Invocation
    from doralang.settings import Streams
    from doralang.text.diagnostics import Diagnostics


def main(invocation: Invocation, streams: Streams) -> int:
    path, *arguments = invocation.operands

    def show(diagnostics: Diagnostics) -> None:
        load("doralang.cli.output").report(invocation, streams, diagnostics)

    try:
        file = read_file(path, streams.stdin)
    except (OSError, ValueError) as error:
        diagnostics = load("doralang.text.diagnostics").Diagnostics()
        load("doralang.text.loading").report_unreadable(name_of(path), error, diagnostics)
        show(diagnostics)
        return 1
    return run_file(file, arguments, streams, invocation.settings, show)
