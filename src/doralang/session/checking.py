"""Checking programs for an engine."""

from __future__ import annotations

from doralang.checker.checker import CheckedLibrary, MainRule
from doralang.checker.library import check_source, compiled_library, prelude
from doralang.checker.program import Program
from doralang.engines.rows import ENGINES
from doralang.optional import load
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def library_for(engine: str) -> CheckedLibrary:
    """The library as an engine needs it: with the files of the heap for compiled code."""
    if ENGINES[engine].is_native:
        return compiled_library(load("doralang.code.constants").layout_constants())
    return prelude()


def compile_program(
    source: Source, diagnostics: Diagnostics, *, main: MainRule = MainRule.REQUIRED, engine: str = "walk"
) -> Program | None:
    """Check a program for an engine; none if there are errors.  Warnings are no errors."""
    return check_source(source, diagnostics, main=main, library=library_for(engine))
