"""Compiling and running programs: the one door through which commands and hosts come in."""

from __future__ import annotations

from typing import Final, Protocol

from dora.check.checker import CheckedLibrary, MainRule, check_formula, is_test
from dora.check.library import check_source, compiled_library, prelude
from dora.check.program import Function, Program
from dora.host.failures import Exit, Failure
from dora.host.objects import Value
from dora.optional import load
from dora.pipeline import Stage
from dora.settings import Settings, Streams
from dora.syntax.parser import parse_formula
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source
from dora.types.types import Type

ENGINES: Final = {
    "walk": ("dora.treewalk.interpreter", "Interpreter"),
    "vm": ("dora.interpreted.machine", "Machine"),
    "baseline": ("dora.compiled.machine", "Machine"),
    "tiered": ("dora.compiled.machine", "Machine"),
}
"""the engines that there are: module and class"""


INTERPRETERS: Final = ("walk", "vm", "trace")
"""engines that leave objects to the memory management of their host"""


class Interpreter(Protocol):
    """A program in an engine, ready to run; all its output is written when a method returns."""

    def run_main(self) -> int:
        """Initialise the globals, run `main`, report a failure, and return the exit status."""

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""

    def run_test(self, function: Function) -> bool:
        """Whether a test passed; reports failures.  Raises Exit."""

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function.  Raises Failure and Exit."""

    def print_value(self, type: Type, value: Value) -> None:
        """Print a value as its `toString()` has it, and a newline.  Raises Failure."""

    def report(self, failure: Failure) -> None:
        """Print the line and the trace of a failure."""

    def close(self) -> None:
        """Give back what the engine holds outside of Python's memory; nothing is called any more."""


class ExitRequest(Exception):
    """The program called `exit`; it ends the whole run of tests."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TestRun:
    """One program, its globals initialised, whose tests are run one after the other."""

    def __init__(self, program: Program, engine: Interpreter) -> None:
        self._program = program
        self._engine = engine

    def names(self) -> list[str]:
        """The test functions in order of definition."""
        library = self._program.library
        return [name for name, function in self._program.functions.items() if is_test(function, library)]

    def run(self, name: str) -> bool:
        """Run a test; messages and traces go to stderr.  Raises ExitRequest."""
        try:
            return self._engine.run_test(self._program.functions[name])
        except Exit as exit:
            raise ExitRequest(exit.status) from None

    def close(self) -> None:
        """The tests are done."""
        self._engine.close()


def engine_is_there(name: str) -> bool:
    """Whether an engine of this name can work on this machine."""
    return name in ENGINES and (name in INTERPRETERS or load("dora.machine.targets").host() is not None)


def collector_is_there(engine: str, name: str) -> bool:
    """Whether an engine can run with this collector; the interpreters take any."""
    return engine in INTERPRETERS or not name or name in load("dora.runtime.collectors").COLLECTORS


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


def interpreter(program: Program, arguments: list[str], streams: Streams, settings: Settings) -> Interpreter:
    module, name = ENGINES[settings.engine]
    engine: Interpreter = getattr(load(module), name)(
        program,
        arguments=arguments,
        stdout=streams.stdout,
        stderr=streams.stderr,
        settings=settings,
    )
    return engine


def run_program(program: Program, arguments: list[str], streams: Streams, settings: Settings) -> int:
    """Run `main` and return the exit status, whatever way the program ends."""
    engine = interpreter(program, arguments, streams, settings)
    try:
        return engine.run_main()
    finally:
        engine.close()


def start_tests(program: Program, streams: Streams, settings: Settings) -> TestRun:
    """Initialise the program's globals, ready to run its tests.  A failure ends the whole run."""
    engine = interpreter(program, [], streams, settings)
    try:
        engine.initialize_globals()
    except Exit as exit:
        raise ExitRequest(exit.status) from None
    except Failure as failure:
        engine.report(failure)
        raise ExitRequest(failure.status) from None
    return TestRun(program, engine)


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
    types: dict[str, Type] = {}
    checked = []
    for name, source in [*variables, ("", formula)]:
        tree = parse_formula(source, diagnostics)
        program, function = check_formula(source, tree, diagnostics, library_for(settings.engine), types)
        checked.append((name, program, function))
        types = {**types, name: function.result}
    if diagnostics.errors:
        return 1
    if Stage.PROGRAM.value in settings.emit:
        streams.stdout.write(load("dora.check.printer").dump_program(checked[-1][1]).encode())
    return evaluate(checked, streams, settings)


def evaluate(checked: list[tuple[str, Program, Function]], streams: Streams, settings: Settings) -> int:
    """The values of formulas, each known to the later ones by its name; prints the last one."""
    values: dict[str, Value] = {}
    engines: list[Interpreter] = []
    try:
        for name, program, function in checked:
            engine = interpreter(program, [], streams, settings)
            engines.append(engine)
            values[name] = engine.call(function, [values[one.name] for one in function.parameters])
        engine.print_value(function.result, values[name])
    except Exit as exit:
        return exit.status
    except Failure as failure:
        engine.report(failure)
        return failure.status
    finally:
        for engine in engines:
            engine.close()
    return 0
