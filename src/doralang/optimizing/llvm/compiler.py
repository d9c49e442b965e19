"""Optimized bytecode to a code object, by LLVM.

    function -> verify -> text -> O3 -> object file -> code, GC points

Raises NotLowered for functions that are left to the other lowering.
"""

from __future__ import annotations

import os
from typing import Final

from doralang.bytecode.function import Function
from doralang.bytecode.places import Chain
from doralang.bytecode.verifier import verify
from doralang.code.environment import Environment
from doralang.code.objects import CodeObject, GCPoint
from doralang.code.tiers import LLVM
from doralang.machine.targets import Target
from doralang.optimizing.llvm.binding import compile_text, machine_for
from doralang.optimizing.llvm.elf import read_object
from doralang.optimizing.llvm.emitters import NotLowered as NotLowered
from doralang.optimizing.llvm.module import Lowered, lower
from doralang.optimizing.llvm.stackmaps import StackMapRecord

VERIFIES: Final = bool(os.environ.get("DORA_VERIFY"))
"""whether LLVM's own verifier looks at each module, too; tests set the environment variable"""

LARGEST: Final = 4000
"""instructions; for larger functions LLVM takes more than linear time: the other lowering has them"""


def lower_for(
    target: Target, function: Function, environment: Environment, *, breakpoint: bool = False
) -> Lowered:
    """The text of the module of a function.  Raises NotLowered."""
    if len(function.code) > LARGEST:
        raise NotLowered("large")
    verify(function)
    return lower(function, environment, machine_for(target), breakpoint=breakpoint)


def compile_lowered(target: Target, function: Function, lowered: Lowered) -> CodeObject:
    """The machine code of a module.  Raises NotLowered."""
    image = compile_text(lowered.text, target, verifies=VERIFIES)
    code, calls = read_object(image, target, lowered.names)
    points = [point(call, lowered.sites[call.site]) for call in calls]
    return CodeObject(function.ref, code, points, LLVM)


def compile_for(target: Target, function: Function, environment: Environment) -> CodeObject:
    """The machine code of a function.  Raises NotLowered."""
    return compile_lowered(target, function, lower_for(target, function, environment))


def point(call: StackMapRecord, place: Chain) -> GCPoint:
    (function, line), *callers = place
    return GCPoint(call.offset, function, line, call.slots, tuple(callers))
