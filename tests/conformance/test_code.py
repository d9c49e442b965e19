"""The conformance of the compilers that make machine code."""

from __future__ import annotations

from code_conformance import CodeConformance

from doralang.baseline.compiler import compile_for
from doralang.bytecode.function import Function as Bytecode
from doralang.code.objects import CodeObject
from doralang.lower.specializer import Specializer
from doralang.machine.targets import Target
from doralang.native.showing import environment_of
from doralang.native.world import ProgramWorld
from doralang.optimizing.optimizer import Times, optimize


class TestBaseline(CodeConformance):
    engine = "baseline"

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        return compile_for(target, function, environment_of(specializer))


class TestOptimized(CodeConformance):
    """Optimized bytecode by way of the baseline compiler."""

    engine = "opt"

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        better = optimize(function, Times(), ProgramWorld(specializer))
        return compile_for(target, better, environment_of(specializer))
