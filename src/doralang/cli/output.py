"""What all commands write with: text to byte streams, reports, and the question of colour."""

from __future__ import annotations

import os

from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from doralang.cli.invocation import Invocation
    from doralang.settings import Streams
    from doralang.text.diagnostics import Diagnostics


def write(stream: BinaryIO, text: str) -> None:
    """Write a text; names of files come out as the bytes that they are."""
    try:
        stream.write(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        stream.write(text.encode("utf-8", "backslashreplace"))


def complain(streams: Streams, text: str) -> None:
    """Write a message to stderr, behind all output that came before it."""
    streams.stdout.flush()
    write(streams.stderr, text)
    streams.stderr.flush()


def report(invocation: Invocation, streams: Streams, *diagnostics: Diagnostics) -> None:
    """Show all reports there are."""
    if not any(one.reports for one in diagnostics):
        return
    reports = load("doralang.text.reports")
    format, color = reports.Format(invocation.format), wants_color(invocation, streams)
    text = reports.render(diagnostics, format, color=color)
    if text:
        complain(streams, text)


def wants_color(invocation: Invocation, streams: Streams) -> bool:
    if invocation.color == "auto":
        return streams.stderr.isatty() and not os.environ.get("NO_COLOR")
    return invocation.color == "always"
