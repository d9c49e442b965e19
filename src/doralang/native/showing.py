"""Machine code for any processor, to be looked at: `--target=NAME` compiles a program without running it.

    program -> the functions that may run, by name -> bytecode -> baseline compiler -> listing

Nothing is placed, so the code names what is outside of it by symbols, and addresses are zero.
"""

from __future__ import annotations

from functools import partial

from doralang.baseline.compiler import Options, compile_for
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.checker.program import Program
from doralang.code.collectors import COLLECTORS, DEFAULT, Collector
from doralang.code.environment import Environment
from doralang.library.internals import INTERNALS
from doralang.lower.functions import lowering
from doralang.lower.reachability import reached
from doralang.lower.specializer import Specializer
from doralang.machine.targets import TARGETS, Target
from doralang.native.emission import Emission
from doralang.native.world import ProgramWorld
from doralang.optimizing.graph import Graph
from doralang.optimizing.optimizer import Times, optimize
from doralang.optional import load
from doralang.settings import Settings


def environment_of(
    specializer: Specializer, collector: Collector = COLLECTORS[DEFAULT], *, bounds_checks: bool = True
) -> Environment:
    """What the functions of a program are compiled for."""
    text_class = specializer.class_ref(specializer.program.library.classes["Str"].of())
    return Environment(
        text_class,
        collector,
        lambda function: supplied_by_library(specializer, function),
        bounds_checks=bounds_checks,
    )


def supplied_by_library(specializer: Specializer, function: FunctionRef) -> FunctionRef | None:
    """The function of the library's heap files that stands for an internal one, if there is one."""
    row = INTERNALS.get(function.internal or "")
    name = row.stand_in if row else ""
    return specializer.function_ref(specializer.program.library.functions[name]) if name else None


def functions_of(specializer: Specializer) -> list[Function]:
    """The bytecode of all functions that `main` and the globals lead to, by name."""
    main = specializer.program.main
    assert main is not None, "the checker asks for a main"
    roots = [*specializer.initializers(), specializer.function_ref(main)]
    found = reached(specializer, roots, stand_in=partial(supplied_by_library, specializer))
    return sorted(found, key=lambda function: function.name)


def show_program(program: Program, settings: Settings) -> str:
    """The dumps that the settings ask for, of all functions that `main` and the globals lead to, by name."""
    specializer = lowering(program)
    target = TARGETS[settings.target]
    emission = Emission(settings, target)
    environment = environment_of(
        specializer, COLLECTORS[settings.gc or DEFAULT], bounds_checks=not settings.omit_bounds_check
    )
    text, times, world = "", Times(), ProgramWorld(specializer)
    for function in functions_of(specializer):
        text += emission.bytecode(function)
        if settings.engine == "opt":
            graphs: list[Graph] = []
            function = optimize(function, times, world, graphs.append)
            text += emission.optimized(function, graphs[0])
        if settings.shows("llvm", function.ref.plain_name, function.ref.file):
            text += emission.llvm(function, module_text(target, function, environment))
        if emission.wants_asm(function.ref):
            breakpoint = emission.wants_breakpoint(function.ref.plain_name)
            compiled = compile_for(
                target, function, environment, Options(comments=True, breakpoint=breakpoint)
            )
            text += emission.asm(compiled)
    return text.removesuffix("\n")


def module_text(target: Target, function: Function, environment: Environment) -> str:
    """What LLVM would compile a function from."""
    compiler = load("doralang.optimizing.llvm.compiler")
    try:
        return str(compiler.lower_for(target, function, environment).text)
    except compiler.NotLowered as reason:
        return f"; left to the other lowering: {reason}\n"
