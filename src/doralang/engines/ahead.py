"""The engines `c` and `go`: what a language can hold of a program is compiled by its toolchain before the
program runs; the rest runs in the VM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.program import Function, Program
from doralang.engines.vm import Machine
from doralang.interpreter.objects import Value
from doralang.interpreter.output import NO_INPUT
from doralang.interpreter.sinks import ByteSink
from doralang.lower.reachability import reached
from doralang.settings import Settings
from doralang.source.provider import LANGUAGES, SourceProvider
from doralang.vm.hot import native_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource


class AheadMachine(Machine):
    """Runs one program; `outcomes` says of each function why it is in the VM, or nothing if it is native."""

    language = ""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdin: ByteSource = NO_INPUT,
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(
            program, arguments=arguments, stdin=stdin, stdout=stdout, stderr=stderr, settings=settings
        )
        self.source = SourceProvider(self.language, self.show_source)
        self.outcomes: dict[FunctionRef, str] = {}

    def show_source(self, functions: Sequence[Bytecode]) -> None:
        """Print what was generated for these, as far as somebody wants to see it."""
        refs = (function.ref for function in functions)
        shown = {ref for ref in refs if self.settings.shows(self.language, ref.plain_name, ref.file)}
        if shown:
            self.show(LANGUAGES[self.language].text(functions, shown))

    def enter(self, ref: FunctionRef, arguments: list[Value]) -> Value:
        """Compile what is not compiled yet, and call the function."""
        own = (function for function in self.program.functions.values() if is_plain(function))
        self.compile([ref, *map(self.specializer.function_ref, own)])
        return super().enter(ref, arguments)

    def compile(self, roots: Iterable[FunctionRef]) -> None:
        """Make native what can be of all functions that are reached from some."""
        functions = list(reached(self.specializer, roots, known=self.outcomes))
        made = self.source.compile(functions) if functions else {}
        for ref, result in made.items():
            if isinstance(result, str):
                self.outcomes[ref] = result
            else:
                self.outcomes[ref] = ""
                code = self.code_of(ref)
                code.rest = [None]
                code.entry = native_entry(code, result)

    def code_size(self) -> int:
        """Bytes of shared objects; what is in the VM is not counted."""
        return self.source.bytes

    def print_statistics(self) -> None:
        super().print_statistics()
        if self.settings.stats:
            lines = [f"  {ref.name}: {place(reason)}\n" for ref, reason in self.outcomes.items()]
            self.stderr.write("".join([f"compiled by way of {self.language}:\n", *lines]).encode())


class CMachine(AheadMachine):
    language = "c"


class GoMachine(AheadMachine):
    language = "go"


def is_plain(function: Function) -> bool:
    return not function.all_type_parameters and not function.internal


def place(reason: str) -> str:
    return f"in the VM, because {reason}" if reason else "native"
