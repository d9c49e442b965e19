"""The library, read, parsed lazily and declared once a process; and programs checked against it."""

from __future__ import annotations

from functools import cache

from dora.check.checker import CheckedLibrary, MainRule, check_library, check_program
from dora.check.program import Program
from dora.library.files import PUBLIC_NAMES, read_prelude
from dora.syntax.parser import parse_file
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source


@cache
def prelude() -> CheckedLibrary:
    """The prelude.  Its bodies are parsed and checked when somebody needs them.

    What is reported about it stays with it: users get the reports of their own program only, and a test
    checks all bodies.
    """
    diagnostics = Diagnostics()
    sources = [Source(name, text, main=False) for name, text in read_prelude()]
    files = [(source, parse_file(source, diagnostics, lazy=True)) for source in sources]
    library = check_library(files, PUBLIC_NAMES, diagnostics)
    assert not diagnostics.errors, f"the library has errors: {diagnostics.reports}"
    return library


def check_source(
    source: Source, diagnostics: Diagnostics, *, main: MainRule = MainRule.OPTIONAL
) -> Program | None:
    """The typed program of a file; none if there are errors.  Warnings are no errors."""
    file = parse_file(source, diagnostics)
    program = check_program(source, file, diagnostics, prelude(), main=main)
    return None if diagnostics.errors else program
