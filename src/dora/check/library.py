"""The library as programs are checked against it: read, parsed lazily, declared once a process.

prelude()                    for the interpreters
compiled_library(layout)     with the files of the heap, for engines that make machine code
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from dora.check.checker import CheckedLibrary, check_library
from dora.library.files import PUBLIC_NAMES, read_heap, read_prelude
from dora.syntax.parser import parse_file
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source

LAYOUT: Final = "layout.dora"
"""what the text of layout constants is called"""


@cache
def prelude() -> CheckedLibrary:
    """The prelude.  Its bodies are parsed and checked when somebody needs them."""
    return declared(read_prelude())


@cache
def compiled_library(layout: str) -> CheckedLibrary:
    """The prelude and the files of the heap, as one unit.

    `layout` is a text of constants, `const THREAD_TOP: long = 8L;` and so on: the numbers are known to the
    runtime, which the checker does not know.
    """
    return declared([*read_prelude(), (LAYOUT, layout), *read_heap()])


def declared(texts: Sequence[tuple[str, str]]) -> CheckedLibrary:
    """These files, which must be right, as one library."""
    diagnostics = Diagnostics()
    sources = [Source(name, text, main=False) for name, text in texts]
    files = [(source, parse_file(source, diagnostics, lazy=True)) for source in sources]
    library = check_library(files, PUBLIC_NAMES)
    assert not diagnostics.reports and not library.unit.diagnostics.reports, "the library has errors"
    return library
