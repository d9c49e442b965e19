"""Lowering and compiling functions without running them, for tests that look at what comes out."""

from __future__ import annotations

from collections.abc import Iterator

from dora.baseline.compiler import compile_function
from dora.baseline.result import CompiledFunction
from dora.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from dora.bytecode.function import Function as Bytecode
from dora.bytecode.instructions import Call, CallInternal, CallVirtual, NewObject
from dora.check.program import Class, Function, Program
from dora.engine.checking import compile_program
from dora.lower.functions import lowering
from dora.lower.specializer import Specializer
from dora.machine.targets import TARGETS
from dora.runtime import layout
from dora.runtime.internals import HEAP_FUNCTIONS
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source


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
    for impls in program.impls.values():
        for impl in impls.values():
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
    yield from reached(specializer, waiting + specializer.initializers())


def own_bytecode(program: Program) -> list[tuple[Specializer, Bytecode]]:
    """The bytecode of the program's own functions that are reached from `main` and globals, by name."""
    assert program.main is not None
    specializer = lowering(program)
    waiting = [*specializer.initializers(), specializer.function_ref(program.main)]
    functions = [pair for pair in reached(specializer, waiting) if pair[1].ref.file is None]
    return sorted(functions, key=lambda pair: pair[1].name)


def reached(specializer: Specializer, waiting: list[FunctionRef]) -> Iterator[tuple[Specializer, Bytecode]]:
    done: set[FunctionRef] = set()
    while waiting:
        ref = waiting.pop()
        if ref in done or ref.internal or specializer.origins[ref][0].body is None:
            continue
        done.add(ref)
        bytecode = specializer.code(ref)
        yield specializer, bytecode
        waiting += called_by(bytecode)


def called_by(bytecode: Bytecode) -> Iterator[FunctionRef]:
    for insn in bytecode.code:
        if isinstance(insn, Call | CallVirtual | CallInternal):
            yield insn.function
        if isinstance(insn, NewObject):
            yield from insn.cls.methods


class Symbols:
    """An environment that has a symbol for everything and memory for nothing."""

    bounds_checks = True

    def __init__(self, specializer: Specializer) -> None:
        self.specializer = specializer

    def entry(self, function: FunctionRef) -> str:
        return f"entry:{function.name}"

    def shape(self, cls: ClassRef) -> str:
        return f"shape:{cls.name}"

    def text_shape(self) -> str:
        return "shape:Str"

    def field_offset(self, cls_field: FieldRef) -> int:
        return layout.field_offsets(cls_field.owner)[cls_field]

    def instance_size(self, cls: ClassRef) -> int:
        return layout.instance_size(cls)

    def literal(self, text: str) -> int:
        return 0

    def global_offset(self, variable: GlobalRef) -> int:
        return layout.WORD * variable.index

    def internal(self, function: FunctionRef) -> FunctionRef | None:
        assert function.internal is not None
        name = HEAP_FUNCTIONS.get(function.internal)
        if name is None:
            return None
        return self.specializer.function_ref(self.specializer.program.library.functions[name])


def machine_code(
    specializer: Specializer, bytecode: Bytecode, target: str = "x64", *, comments: bool = False
) -> CompiledFunction:
    return compile_function(bytecode, TARGETS[target].assembler(), Symbols(specializer), comments=comments)
