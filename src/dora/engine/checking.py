"""Checking programs for an engine."""

from __future__ import annotations

from dora.check.checker import CheckedLibrary, MainRule
from dora.check.library import check_source, compiled_library, prelude
from dora.check.program import Program
from dora.engine.engines import INTERPRETERS
from dora.optional import load
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source


def library_for(engine: str) -> CheckedLibrary:
    """The library as an engine needs it: with the files of the heap for compiled code."""
    if engine in INTERPRETERS:
        return prelude()
    return compiled_library(load("dora.runtime.internals").layout_constants())


def compile_program(
    source: Source, diagnostics: Diagnostics, *, main: MainRule = MainRule.REQUIRED, engine: str = "walk"
) -> Program | None:
    """Check a program for an engine; none if there are errors.  Warnings are no errors."""
    return check_source(source, diagnostics, main=main, library=library_for(engine))
