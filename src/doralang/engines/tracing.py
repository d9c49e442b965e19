"""The engine `trace`: the VM, whose hot functions and hot loops are compiled by way of C while it runs.

What runs compilers is loaded when something is hot: most programs are over before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.native import NativeFunction, NativeProvider
from doralang.checker.program import Program
from doralang.engines.vm import Machine
from doralang.interpreter.context import ByteSink
from doralang.optional import load
from doralang.settings import Settings
from doralang.tracing.closures import Runner
from doralang.tracing.loops import Compiler
from doralang.tracing.trace import Trace


@cache
def provider() -> NativeProvider:
    made: NativeProvider = load("doralang.source.provider").SourceProvider("c")
    return made


@cache
def compiler() -> Compiler:
    made: Compiler = load("doralang.tracing.compiler").TraceCompiler()
    return made


class LazyProvider:
    """A provider that is loaded when it is first asked."""

    def reason(self, function: Bytecode) -> str:
        return provider().reason(function)

    def compile(self, functions: Sequence[Bytecode]) -> Mapping[FunctionRef, NativeFunction | str]:
        return provider().compile(functions)


class LazyCompiler:
    """A compiler of traces that is loaded when it is first asked."""

    def source(self, trace: Trace) -> str:
        return compiler().source(trace)

    def compile(self, trace: Trace, source: str) -> Runner | str:
        return compiler().compile(trace, source)


class TracingMachine(Machine):
    """Runs one program."""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(
            program,
            arguments=arguments,
            stdout=stdout,
            stderr=stderr,
            settings=settings,
            provider=LazyProvider(),
            compiler=LazyCompiler(),
        )
