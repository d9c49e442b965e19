"""Lowering and compiling functions without running them, for tests that look at what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from doralang.baseline.compiler import Options, compile_for
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.program import Class, Function, Program
from doralang.code.objects import CodeObject
from doralang.lower.functions import lowering
from doralang.lower.reachability import reached
from doralang.lower.specializer import Specializer
from doralang.machine.targets import TARGETS
from doralang.native.showing import environment_of, supplied_by_library
from doralang.native.showing import functions_of as reached_functions
from doralang.session.checking import compile_program
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def compiled_program(text: str) -> Program:
    """A program with the library of compiled engines."""
    diagnostics = Diagnostics()
    program = compile_program(Source("test.dora", text), diagnostics, engine="baseline")
    assert program is not None, diagnostics.reports
    return program


def functions_of(program: Program) -> Iterator[Function]:
    """All functions with a body that are not generic, of the program and of the library."""
    library = program.library
    everything = [*program.functions.values(), *library.functions.values()]
    for owner in [*program.classes.values(), *library.classes.values()]:
        everything += members(owner)
    for impl in program.all_impls():
        everything += [*impl.methods.values(), *impl.statics.values()]
    for function in everything:
        if function.body is not None and not function.all_type_parameters:
            yield function


def members(owner: Class) -> list[Function]:
    return [*owner.methods.values(), *owner.statics.values(), *owner.constructors]


def bytecode_of(program: Program) -> Iterator[tuple[Specializer, Bytecode]]:
    """The bytecode of these functions and of all that they call, generic ones as they call them."""
    specializer = lowering(program)
    waiting = [specializer.function_ref(function) for function in functions_of(program)]
    stand_in = partial(supplied_by_library, specializer)
    for bytecode in reached(specializer, waiting + specializer.initializers(), stand_in=stand_in):
        yield specializer, bytecode


def own_bytecode(program: Program) -> list[tuple[Specializer, Bytecode]]:
    """The bytecode of the program's own functions that are reached from `main` and globals, by name."""
    specializer = lowering(program)
    functions = [one for one in reached_functions(specializer) if one.ref.file is None]
    return [(specializer, function) for function in functions]


def machine_code(
    specializer: Specializer, bytecode: Bytecode, target: str = "x64", *, comments: bool = False
) -> CodeObject:
    return compile_for(TARGETS[target], bytecode, environment_of(specializer), Options(comments=comments))
