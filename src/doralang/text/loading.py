"""Reading source files: bytes to a `Source`, and what can go wrong on the way (E0903, E0108)."""

from __future__ import annotations

import codecs

from doralang.text.diagnostics import Diagnostics
from doralang.text.files import name_of, read_file
from doralang.text.source import NOWHERE, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource


def load_source(path: str, stdin: ByteSource, diagnostics: Diagnostics) -> Source | None:
    """The text of a file, or of standard input for `-`; none if that failed, which is reported."""
    try:
        file = read_file(path, stdin)
    except (OSError, ValueError) as error:
        report_unreadable(name_of(path), error, diagnostics)
        return None
    return decode_source(file.name, file.data, diagnostics)


def report_unreadable(name: str, error: Exception, diagnostics: Diagnostics) -> None:
    reason = getattr(error, "strerror", None) or str(error)
    diagnostics.report("E0903", Source(name, ""), NOWHERE, f"cannot read `{name}`: {reason}")


def decode_source(name: str, data: bytes, diagnostics: Diagnostics) -> Source | None:
    """The source in these bytes, which must be UTF-8; a byte order mark is dropped."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8"))
        source = Source(name, data.decode("utf-8", "replace"))
        diagnostics.report("E0108", source, Span(at, at + 1), "the file is not valid UTF-8")
        return None
