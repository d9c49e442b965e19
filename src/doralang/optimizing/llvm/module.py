"""A function as the text of an LLVM module.

    Compute r3:int, int.plus, (r3, r4)      %t7 = load i32, ptr %r3
                                            %t8 = load i32, ptr %r4
                                            %t9 = add i32 %t7, %t8
                                            store i32 %t9, ptr %r3

The thread block is in the register of `swiftself`, which calls keep: r13 and x20, as in all Dora code.
Arguments and results are passed clean, as the baseline compiler has it; what comes in is cut to its size,
since hosts are not so careful.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from doralang.bytecode.function import Function
from doralang.bytecode.places import Chain
from doralang.code.environment import Environment
from doralang.code.symbols import Symbol
from doralang.optimizing.llvm import calls, control, objects, primitives
from doralang.optimizing.llvm.context import (
    FUNCTION,
    REFERENCE,
    STATEPOINT,
    TAGS,
    TYPES,
    FunctionLowering,
    block_label,
    passed_type,
    site_of,
)
from doralang.optimizing.llvm.emitters import EMITTERS, NotLowered
from doralang.types.kinds import REF

MODULES: Final = (calls, control, objects, primitives)
"""that have emitters, in `EMITTERS` once they are loaded"""
MOST_REGISTERS: Final = 600
"""A frame of so many slots is small enough to be checked by a poll (`baseline.compiler.SMALL_FRAME`)."""

UNQUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")
"""what stands in no quoted text of LLVM as it is"""

PRELUDE: Final = f"""
%opaque = type opaque
declare token {STATEPOINT}(i64 immarg, i32 immarg, ptr, i32 immarg, i32 immarg, ...)
declare {REFERENCE} @llvm.experimental.gc.relocate.p1(token, i32 immarg, i32 immarg)
""".strip()

GROUPS: Final = """
attributes #0 = {{ nounwind "frame-pointer"="all" "no-realign-stack" "disable-tail-calls"="true" \
"no-jump-tables"="true" {} }}
attributes #1 = {{ nounwind willreturn cold memory(inaccessiblemem: readwrite) }}
attributes #2 = {{ nounwind noreturn cold }}
!0 = !{{!"branch_weights", i32 1, i32 100000}}
!1 = !{{!"branch_weights", i32 100000, i32 1}}
""".strip()


class TargetDescription(NamedTuple):
    """What LLVM is told of a processor."""

    triple: str
    layout: str
    attributes: str


class Lowered(NamedTuple):
    """The text of a module, the places of its statepoints by number, what its names stand for."""

    text: str
    sites: list[Chain]
    names: dict[str, Symbol]


def lower(
    function: Function, environment: Environment, machine: TargetDescription, *, breakpoint: bool = False
) -> Lowered:
    """The module of one function.  Raises NotLowered."""
    if function.ref.raw or len(function.registers) > MOST_REGISTERS:
        raise NotLowered(function.name)
    context = FunctionLowering(function, environment)
    if breakpoint:
        context.declare("declare void @llvm.debugtrap()")
        context.emit("call void @llvm.debugtrap()")
    take_arguments(context)
    if context.across:
        context.poll(site_of(function))
    lower_blocks(context)
    context.emit_traps()
    return Lowered(write_module(context, machine), context.sites, context.names)


def take_arguments(context: FunctionLowering) -> None:
    for number, kind in enumerate(context.function.ref.parameters):
        context.emit(f"store {TYPES[kind]} {context.received(kind, f'%p{number}')}, ptr %r{number}")


def lower_blocks(context: FunctionLowering) -> None:
    targets = context.function.targets
    for index, insn in enumerate(context.function.code):
        if index in targets and context.is_open:
            context.jump(context.label_of(index))
        context.index = index
        if index in targets:
            context.begin(block_label(index))
            context.forget()
        elif not context.is_open:
            context.begin(context.label())  # nothing leads here
            context.forget()
        EMITTERS[type(insn)](context, insn)


def write_module(context: FunctionLowering, machine: TargetDescription) -> str:
    ref = context.function.ref
    parameters = ["ptr swiftself noundef nonnull %thread"]
    for number, kind in enumerate(ref.parameters):
        nonnull = " nonnull" if number == 0 and ref.has_self and kind is REF else ""
        parameters.append(f"{passed_type(kind)}{nonnull} noundef %p{number}")
    result = "void" if ref.result is None else passed_type(ref.result)
    registers = [f"  %r{number} = alloca {TYPES[kind]}" for number, kind in enumerate(context.kinds)]
    return "\n".join(
        (
            f'target triple = "{machine.triple}"',
            f'target datalayout = "{machine.layout}-ni:1"',
            PRELUDE,
            *context.declarations,
            f'define {result} @{FUNCTION}({", ".join(parameters)}) #0 gc "statepoint-example" {{',
            *registers,
            *context.slots,
            *context.body,
            "}",
            GROUPS.format(machine.attributes),
            *tags(context),
            "",
        )
    )


def tags(context: FunctionLowering) -> list[str]:
    """Type-based alias analysis: a tree of one level, of classes that do not overlap."""
    if not context.tags:
        return []
    lines = ['!2 = !{!"memory of Dora"}']
    for name, number in context.tags.items():
        at = TAGS + 2 * number
        lines.append(f"!{at} = !{{!{at + 1}, !{at + 1}, i64 0}}")
        lines.append(f'!{at + 1} = !{{!"{UNQUOTABLE.sub("?", name)} {number}", !2}}')
    return lines
