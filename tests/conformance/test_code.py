"""The conformance of the compilers that make machine code."""

from __future__ import annotations

import pytest
from code_conformance import CodeConformance

from doralang.baseline.compiler import compile_for
from doralang.bytecode.function import Function as Bytecode
from doralang.code.objects import CodeObject
from doralang.lower.specializer import Specializer
from doralang.machine.targets import Target
from doralang.native.showing import environment_of
from doralang.native.world import ProgramWorld
from doralang.optimizing.optimizer import Times, optimize
from doralang.optional import is_installed

if is_installed("llvmlite"):
    from doralang.optimizing.llvm.compiler import compile_for as compile_by_llvm
    from doralang.optimizing.llvm.emitters import NotLowered

FRAME_POINTER, RETURN_ADDRESS = 0, 8
"""of the caller, from where the frame pointer points"""
ASKS_FOR_ITS_FRAME = "recordFrames"


class TestBaseline(CodeConformance):
    engine = "baseline"

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        return compile_for(target, function, environment_of(specializer))


class TestOptimized(CodeConformance):
    """Optimized bytecode by way of the baseline compiler."""

    engine = "opt"

    def optimized(self, specializer: Specializer, function: Bytecode) -> Bytecode:
        return optimize(function, Times(), ProgramWorld(specializer))

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        better = self.optimized(specializer, function)
        return compile_for(target, better, environment_of(specializer))


@pytest.mark.skipif(not is_installed("llvmlite"), reason="llvmlite is not installed")
class TestLLVM(TestOptimized):
    """Optimized bytecode by way of LLVM, which the baseline compiler helps out as in a run."""

    uses_llvm = True

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        better, environment = self.optimized(specializer, function), environment_of(specializer)
        try:
            return compile_by_llvm(target, better, environment)
        except NotLowered:
            assert function.ref.raw or function.name == ASKS_FOR_ITS_FRAME
            return compile_for(target, better, environment)

    def is_slot(self, place: int) -> bool:
        """A frame of AArch64 begins with its own frame pointer, below what lives in it."""
        return place not in (FRAME_POINTER, RETURN_ADDRESS)
