"""The stages that functions pass through in an engine, as texts, of all functions that a program has reached.

    bytecode(source)   ->   fun main() -> unit ...

Nothing is run, but for traces, which there are only of programs that run.
"""

from __future__ import annotations

import io

from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.printer import print_function
from doralang.checker.program import Program
from doralang.engines.rows import machine
from doralang.lower.functions import lowering
from doralang.machine.targets import TARGETS, host
from doralang.native.showing import functions_of, show_program
from doralang.optional import LLVM, is_installed
from doralang.session.checking import compile_program
from doralang.settings import Settings, Streams
from doralang.source.functions import reason_against
from doralang.source.provider import LANGUAGES
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def bytecode(source: Source) -> str:
    """Nothing for a program that does not check."""
    return "\n".join(print_function(function) for function in own_functions(source))


def asm(source: Source) -> str:
    return compiled(source, "asm", "baseline")


def graph(source: Source) -> str:
    return compiled(source, "graph", "opt")


def dot(source: Source) -> str:
    return compiled(source, "dot", "opt")


def optimized(source: Source) -> str:
    return compiled(source, "optimized", "opt")


def llvm(source: Source) -> str:
    """Nothing where LLVM is not installed."""
    return compiled(source, "llvm", "opt") if is_installed(LLVM) else ""


def compiled(source: Source, stage: str, engine: str) -> str:
    """For this machine's processor; for x64, if it has none of those that code is made for."""
    program = checked(source)
    settings = Settings(engine=engine)
    settings.target = (host() or TARGETS["x64"]).name
    settings.emit.add(stage)
    return "" if program is None else show_program(program, settings)


def c(source: Source) -> str:
    return generated("c", source)


def go(source: Source) -> str:
    return generated("go", source)


def generated(language: str, source: Source) -> str:
    """Of the functions that the language can hold."""
    functions = [function for function in own_functions(source) if not reason_against(function)]
    return LANGUAGES[language].text(functions) if functions else ""


def trace(source: Source) -> str:
    """The traces of a run in which every loop is hot at once; what the program prints is left out."""
    program = compile_program(source, Diagnostics(), engine="trace")
    if program is None:
        return ""
    traces: list[str] = []
    settings = Settings(engine="trace", hot=2, hot_now=True)
    settings.emit.add("trace")
    engine = machine(program, [], Streams(io.BytesIO(), io.BytesIO(), io.BytesIO()), settings)
    engine.show = traces.append  # type: ignore[attr-defined]
    try:
        engine.run_main()
    finally:
        engine.close()
    return "".join(traces)


def own_functions(source: Source) -> list[Bytecode]:
    """The program's own functions that are reached from `main` and globals, by name."""
    program = checked(source)
    if program is None:
        return []
    return [function for function in functions_of(lowering(program)) if function.ref.file is None]


def checked(source: Source) -> Program | None:
    return compile_program(source, Diagnostics(), engine="baseline")
