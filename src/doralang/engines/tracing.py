"""The engine `trace`: the VM, whose hot functions and hot loops are compiled by way of C while it runs.

What runs compilers is loaded when something is hot: most programs are over before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.native import NativeFunction, NativeProvider
from doralang.engines import vm
from doralang.optional import load
from doralang.tracing.closures import TraceRunner
from doralang.tracing.loops import Compiler
from doralang.tracing.trace import LoopTrace


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

    def source(self, trace: LoopTrace) -> str:
        return compiler().source(trace)

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        return compiler().compile(trace, source)


class Machine(vm.Machine):
    """Runs one program."""

    provider = LazyProvider
    compiler = LazyCompiler
