"""What programs, functions and formulas are in each stage, as texts for people: `explain`.

    tokens, ast, program     of a whole text
    bytecode, asm            of functions, one after the other, by name; machine code needs Capstone

The machine code of a program is that of the baseline compiler, which is what its functions run as.  A
formula of the direct path has machine code of its own, and for arrays that of a kernel.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from doralang.baseline.compiler import Options, compile_for
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.printer import print_function
from doralang.checker.printer import dump_program
from doralang.checker.program import Function as Typed
from doralang.embed.array_calls import computation_of
from doralang.embed.element_loops import ElementLoops
from doralang.embed.expressions import callee_of
from doralang.embed.kernels import DirectKernels, Kernels
from doralang.embed.programs import CheckedProgram
from doralang.lower.reachability import reached
from doralang.machine.code import Code
from doralang.machine.listing import listing
from doralang.machine.targets import host
from doralang.native.showing import supplied_by_library
from doralang.pipeline import Stage as AnyStage
from doralang.pipeline import dump_stage
from doralang.text.source import Source

if TYPE_CHECKING:
    from doralang.embed.formulas import Expr

FILLED: Final = re.compile(r"^ *([0-9a-f]+): int3$", re.MULTILINE)
"""the first instruction between code and constants"""
OF_TEXTS: Final = ("tokens", "ast", "program")
OF_FUNCTIONS: Final = ("bytecode", "asm")


def check_stage(stage: str) -> None:
    """Raises ValueError."""
    if stage not in (*OF_TEXTS, *OF_FUNCTIONS):
        known = ", ".join((*OF_TEXTS, *OF_FUNCTIONS))
        raise ValueError(f"there is no stage {stage!r}; there are {known}")


def text_stage(stage: str, program: CheckedProgram, source: Source, *, formula: bool = False) -> str:
    """A stage of a whole text."""
    if stage == "program":
        return dump_program(program.typed)
    return dump_stage(AnyStage(stage), source, formula=formula)


def module_explained(program: CheckedProgram, stage: str, name: str | None) -> str:
    """`Module.explain`.  Raises ValueError for unknown names and stages."""
    check_stage(stage)
    if stage in OF_TEXTS:
        if name is not None:
            raise ValueError(f"the stage {stage!r} is one of the whole program; leave the name out")
        return text_stage(stage, program, program.typed.source)
    plain = [function for function in program.typed.functions.values() if not function.type_parameters]
    found = [
        function for function in own_functions(program, plain) if name in (None, function.ref.plain_name)
    ]
    if name is not None and not found:
        raise ValueError(f"the program reaches no function of the name `{name}`")
    return functions_explained(program, stage, found)


def function_explained(program: CheckedProgram, stage: str, function: Typed) -> str:
    """`Function.explain`; the stages of texts are those of the whole program."""
    check_stage(stage)
    if stage in OF_TEXTS:
        return module_explained(program, stage, None)
    with program.code.space.freeing, program.code.space.lock:
        specializer = program.code.specializer
        return functions_explained(program, stage, [specializer.code(specializer.entry_ref(function))])


def own_functions(program: CheckedProgram, functions: Iterable[Typed]) -> list[Bytecode]:
    """The functions of the program itself that these lead to, by name."""
    with program.code.space.freeing, program.code.space.lock:
        specializer = program.code.specializer
        roots = [*specializer.initializers(), *map(specializer.entry_ref, functions)]
        found = list(reached(specializer, roots, stand_in=partial(supplied_by_library, specializer)))
    return sorted([one for one in found if one.ref.file is None], key=lambda one: one.name)


def functions_explained(program: CheckedProgram, stage: str, functions: Iterable[Bytecode]) -> str:
    """Bytecode or machine code of functions."""
    if stage == "bytecode":
        return "\n".join(map(print_function, functions))
    target = program.code.space.target
    parts = []
    for function in functions:
        with program.code.space.freeing, program.code.space.lock:
            code = compile_for(target, function, program.code.environment, Options(comments=True))
        parts.append(f"{function.name}\n{listing(code.code, target)}")
    return "\n".join(parts)


# Formulas.


def formula_explained(formula: Expr, stage: str, arrays: bool) -> str:
    """`Expr.explain`"""
    check_stage(stage)
    callee = callee_of(formula)
    if stage in OF_TEXTS:
        if arrays:
            raise ValueError(f"the stage {stage!r} is the same for arrays")
        return text_stage(stage, callee.program, callee.function.source, formula=True)
    if arrays:
        return array_code(formula, stage)
    if stage == "asm" and formula._code is not None:
        return code_at(formula._code.address, formula._code.size)
    return function_explained(callee.program, stage, callee.function)


def array_code(formula: Expr, stage: str) -> str:
    """What computes arrays: a kernel, which is machine code at once, or a loop around the formula."""
    computation: Any = computation_of(formula)
    if isinstance(computation, Kernels):
        every = (False,) * len(computation.names)
        if stage != "asm":
            raise ValueError("the kernel of a formula over arrays has no bytecode; ask for 'asm'")
        code = (
            computation.code_for(every)
            if isinstance(computation, DirectKernels)
            else computation.packed_code(every)
        )
        assert code is not None, "that is what computes it"
        return lines_of(code)
    assert isinstance(computation, ElementLoops), "there are no others"
    return function_explained(computation.program, stage, computation.function)


def code_at(address: int, size: int) -> str:
    return lines_of(bytearray(ctypes.string_at(address, size)))


def lines_of(data: bytearray) -> str:
    """The listing of machine code that is there.  Constants stand behind what nobody runs into."""
    target = host()
    assert target is not None, "it runs here"
    text = listing(Code(data, len(data), [], []), target)
    end = FILLED.search(text)
    return listing(Code(data, int(end[1], 16), [], []), target) if end else text
