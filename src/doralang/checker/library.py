"""The library, read, parsed lazily and declared once a process; and programs checked against it.

prelude()                    for the interpreters
compiled_library(layout)     with the files of the heap, for engines that make machine code
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from doralang.checker.checker import CheckedLibrary, MainRule, check_library, check_program
from doralang.checker.program import Program
from doralang.library.files import PUBLIC_NAMES, read_heap, read_prelude
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES
from doralang.text.source import LIBRARY, Source

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
    """These files, which must be right, as one library.

    What is reported about it stays with it: users get the reports of their own program only, and a test
    checks all bodies.
    """
    diagnostics = Diagnostics()
    sources = [Source(name, text, unit=LIBRARY) for name, text in texts]
    with NO_CYCLES:
        files = [(source, parse_file(source, diagnostics, lazy=True)) for source in sources]
        library = check_library(files, PUBLIC_NAMES, diagnostics)
    assert not diagnostics.errors, f"the library has errors: {diagnostics.reports}"
    return library


def as_program(library: CheckedLibrary) -> Program:
    """The library as a program without anything of its own."""
    return Program(Source("library", "", unit=LIBRARY), library.library, impls=library.library.impls)


def check_source(
    source: Source,
    diagnostics: Diagnostics,
    *,
    main: MainRule = MainRule.OPTIONAL,
    library: CheckedLibrary | None = None,
) -> Program | None:
    """The typed program of a file; none if there are errors.  Warnings are no errors."""
    library = library or prelude()
    with NO_CYCLES:
        file = parse_file(source, diagnostics)
        program = check_program(source, file, diagnostics, library, main=main)
    return None if diagnostics.errors else program
