"""Compiling and running programs: the one door through which commands and hosts come in."""

from __future__ import annotations

from typing import NoReturn, Protocol

from dora.check.checker import MainRule, check_program
from dora.check.library import prelude
from dora.check.program import Program
from dora.settings import Settings, Streams
from dora.syntax.parser import parse_file, parse_formula
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source


class ExitRequest(Exception):
    """The program called `exit`; it ends the whole run of tests."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TestRun(Protocol):
    """One program, its globals initialised, whose tests are run one after the other."""

    def names(self) -> list[str]:
        """The test functions in order of definition."""

    def run(self, name: str) -> bool:
        """Run a test; messages and traces go to stderr.  Raises ExitRequest."""


def engine_is_there(name: str) -> bool:
    """Whether an engine of this name can work on this machine."""
    return name == "walk"


def compile_program(
    source: Source, diagnostics: Diagnostics, *, main: MainRule = MainRule.REQUIRED
) -> Program | None:
    """Check a program; none if there are errors.  Warnings are no errors."""
    file = parse_file(source, diagnostics)
    program = check_program(source, file, diagnostics, prelude(), main=main)
    return None if diagnostics.errors else program


def run_program(program: Program, arguments: list[str], streams: Streams, settings: Settings) -> int:
    """Run `main` and return the exit status, whatever way the program ends."""
    _missing()


def start_tests(program: Program, streams: Streams, settings: Settings) -> TestRun:
    """Initialise the program's globals, ready to run its tests."""
    _missing()


def run_formula(
    variables: list[tuple[str, Source]],
    formula: Source,
    diagnostics: Diagnostics,
    streams: Streams,
    settings: Settings,
) -> int:
    """Evaluate a formula after its variables, print its value, and return the exit status.

    With errors in `diagnostics` nothing is evaluated and the status means nothing.
    """
    for _, source in variables:
        parse_formula(source, diagnostics)
    parse_formula(formula, diagnostics)
    if diagnostics.errors:
        return 1
    _missing()


def _missing() -> NoReturn:
    raise NotImplementedError("no engine can run programs yet")
