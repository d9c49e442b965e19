"""All that knows llvmlite: a typed front of the few functions that are used.

The wheel of llvmlite has LLVM's assertions on, and a module that is not well formed ends the process.  So
nothing goes in here but what our own verifier and emitters have made.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import llvmlite.binding as llvm

from doralang.machine.targets import ARM64, X64, Target, host
from doralang.optimizing.llvm.module import TargetDescription

TRIPLES: Final = {X64.name: "x86_64-unknown-linux-gnu", ARM64.name: "aarch64-unknown-linux-gnu"}
LEVEL: Final = 3


@cache
def start() -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


@cache
def target_machine(target: Target) -> Any:
    """For this very processor if it is one of the kind, else for any of the kind."""
    start()
    cpu, features = cpu_and_features(target)
    found = llvm.Target.from_triple(TRIPLES[target.name])
    return found.create_target_machine(cpu=cpu, features=features, opt=LEVEL, reloc="pic", codemodel="small")


@cache
def cpu_and_features(target: Target) -> tuple[str, str]:
    if target is not host():
        return "generic" if target is ARM64 else "x86-64", ""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def machine_for(target: Target) -> TargetDescription:
    cpu, features = cpu_and_features(target)
    attributes = f'"target-cpu"="{cpu}" "target-features"="{features}"'
    return TargetDescription(TRIPLES[target.name], str(target_machine(target).target_data), attributes)


def compile_text(text: str, target: Target, *, verifies: bool = False) -> bytes:
    """The object file of a module, behind LLVM's passes."""
    machine = target_machine(target)
    module = llvm.parse_assembly(text)
    if verifies:
        module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=LEVEL)
    tuning.loop_vectorization = tuning.slp_vectorization = True
    tuning.loop_unrolling = tuning.loop_interleaving = True
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    image: bytes = machine.emit_object(module)
    return image
