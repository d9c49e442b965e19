"""Compiling and interpreting small programs, for tests that look closer than the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple

from doralang.checker.checker import MainRule, check_program
from doralang.checker.library import prelude
from doralang.checker.program import Program
from doralang.engines import vm, walk
from doralang.interpreter.objects import Value
from doralang.settings import Settings
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics, Severity
from doralang.text.source import Source

INTERPRETERS: Final[dict[str, Any]] = {"walk": walk.Machine, "vm": vm.Machine}


class Result(NamedTuple):
    status: int
    out: str
    err: str


def compiled(text: str, main: MainRule = MainRule.REQUIRED) -> Program:
    diagnostics = Diagnostics()
    source = Source("test.dora", text)
    program = check_program(source, parse_file(source, diagnostics), diagnostics, prelude(), main=main)
    errors = [report for report in diagnostics.sorted() if report.severity is Severity.ERROR]
    assert not errors, errors
    return program


def compiling_machine(provider: Any, compiler: Any) -> type[vm.Machine]:
    """The VM with these as what makes code of hot functions and loops."""

    class CompilingMachine(vm.Machine):
        pass

    if provider:
        CompilingMachine.provider = staticmethod(lambda: provider)
    if compiler:
        CompilingMachine.compiler = staticmethod(lambda: compiler)
    return CompilingMachine


class Walk:
    """A program in one of the interpreters, the tree walk if nothing else is said, and what it prints."""

    def __init__(
        self,
        text: str = "fun main() {}",
        *,
        arguments: Sequence[str] = (),
        engine: str = "walk",
        provider: Any = None,
        compiler: Any = None,
        **settings: Any,
    ) -> None:
        """`provider` makes native functions and `compiler` traces, if the VM is to have them."""
        self.stdout, self.stderr = BytesIO(), BytesIO()
        self.program = compiled(text)
        machine = INTERPRETERS[engine]
        if provider or compiler:
            machine = compiling_machine(provider, compiler)
        self.interpreter = machine(
            self.program,
            stdout=self.stdout,
            stderr=self.stderr,
            arguments=arguments,
            settings=Settings(engine=engine, **settings),
        )

    def run(self) -> Result:
        status = self.interpreter.run_main()
        return Result(status, self.stdout.getvalue().decode(), self.stderr.getvalue().decode())

    def call(self, name: str, *arguments: Value) -> Value:
        """Call a function of the program or of the library, private ones too."""
        functions = self.program.functions
        function = functions.get(name) or self.program.library.functions[name]
        return self.interpreter.call(function, list(arguments))


def run(text: str, **options: object) -> Result:
    return Walk(text, **options).run()
