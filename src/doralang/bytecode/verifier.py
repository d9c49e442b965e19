"""Checks that bytecode is well formed; always on in tests, between lowering and the engines.

Kinds of operands, targets, ends of paths, and that no register is read before it is written.
All complaints are reported together, with a dump of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import find_blocks
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, OperandKind, Register
from doralang.bytecode.printer import print_function, print_instruction
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


class VerificationError(Exception):
    """Bytecode that no engine may run: a bug in lowering or in a pass."""


def verify(function: Function) -> None:
    """Raise VerificationError with all complaints about a function."""
    complaints = list(structure(function))
    if not complaints:
        complaints = [*kinds(function), *assignment(function)]
    if complaints:
        raise VerificationError("\n".join([*complaints, "", print_function(function)]))


# Structure.


def structure(function: Function) -> Iterator[str]:
    code = function.code
    if len(function.lines) != len(code):
        yield "there must be a line for each instruction"
    if function.chains:
        yield from chains(function)
    if not code or not code[-1].ends:
        yield "the last instruction must not run on"
    ends = [index for index, instruction in enumerate(code, 1) if instruction.leaves]
    if function.ends != ends:
        yield f"blocks end at {ends}, not at {function.ends}"
    targets = {target for instruction in code if (target := i.target_of(instruction)) is not None}
    if function.targets != targets:
        yield f"jumps lead to {targets}, not to {function.targets}"
    for index, instruction in enumerate(code):
        for register in registers(instruction):
            if not 0 <= register < len(function.registers):
                yield f"{index}: there is no register r{register}"
        target = i.target_of(instruction)
        if target is not None and not 0 <= target < len(code):
            yield f"{index}: there is no instruction {target}"


def chains(function: Function) -> Iterator[str]:
    """Each leads from the line of the instruction to this function."""
    if len(function.chains) != len(function.code):
        yield "there must be a chain for each instruction, or none at all"
    for index, (chain, line) in enumerate(zip(function.chains, function.lines, strict=False)):
        if not chain or chain[-1].function is not function.ref or chain[0].line != line:
            yield f"{index}: the chain of line {line} does not lead to {function.name}: {chain}"


def registers(instruction: Instruction) -> Iterator[Register]:
    yield from i.used(instruction)
    if i.defined(instruction) != NO_REGISTER:
        yield i.defined(instruction)


# Kinds.

Wanted = list[tuple[Register, Kind | None]]
"""registers and the kinds they must have"""


def kinds(function: Function) -> Iterator[str]:
    for index, instruction in enumerate(function.code):
        wanted: Wanted = [(getattr(instruction, name), kind) for name, kind in instruction.kinds]
        rule = RULES.get(type(instruction))
        if rule is not None:
            wanted += rule(function, instruction)
        for register, kind in wanted:
            found = None if register == NO_REGISTER else function.registers[register]
            if found is not kind:
                text = print_instruction(function, instruction)
                yield f"{index}: {text}: r{register} is {found}, not {kind}"


def call(function: Function, insn: Any) -> Wanted:
    callee = insn.function
    wanted: Wanted = list(zip(insn.args, callee.parameters, strict=True))
    return wanted if insn.dst == NO_REGISTER else [*wanted, (insn.dst, callee.result)]


def compute(function: Function, insn: Any) -> Wanted:
    row = insn.operation
    return [*zip(insn.args, row.operands, strict=True), (insn.dst, row.result)]


def constant(function: Function, insn: Any) -> Wanted:
    kind = function.registers[insn.dst]
    if insn.value is None:
        return [(insn.dst, Kind.REF)]
    expected = {bool: (Kind.BOOL,), float: (Kind.FLOAT, Kind.DOUBLE)}.get(
        type(insn.value), (Kind.BYTE, Kind.CHAR, Kind.INT, Kind.LONG)
    )
    return [(insn.dst, kind if kind in expected else None)]


def returned(function: Function, insn: Any) -> Wanted:
    return [(insn.value, function.ref.result)]


RULES: Final[dict[type[Instruction], Callable[[Function, Any], Wanted]]] = {
    i.Move: lambda f, insn: [(insn.src, f.registers[insn.dst])],
    i.LoadConstant: constant,
    i.Compute: compute,
    i.LoadField: lambda f, insn: [(insn.dst, insn.field.kind)],
    i.StoreField: lambda f, insn: [(insn.value, insn.field.kind)],
    i.LoadGlobal: lambda f, insn: [(insn.dst, insn.variable.kind)],
    i.StoreGlobal: lambda f, insn: [(insn.value, insn.variable.kind)],
    i.Call: call,
    i.CallVirtual: call,
    i.CallInternal: call,
    i.LeaveException: lambda f, insn: [] if insn.line == NO_REGISTER else [(insn.line, Kind.INT)],
    i.Return: returned,
}
"""kinds that depend on what the instruction is about; the others stand in its definition"""


# Definite assignment.


def assignment(function: Function) -> Iterator[str]:
    """A forward analysis: what is written on all paths to each block."""
    blocks, _ = find_blocks(function)
    numbers = {start: number for number, (start, _, _) in enumerate(blocks)}
    everything = (1 << len(function.registers)) - 1
    written = [everything] * len(blocks)
    written[0] = (1 << len(function.ref.parameters)) - 1
    waiting = [0]
    while waiting:
        number = waiting.pop()
        out = written[number]
        start, end, successors = blocks[number]
        for insn in function.code[start:end]:
            if i.defined(insn) != NO_REGISTER:
                out |= 1 << i.defined(insn)
        for successor in map(numbers.__getitem__, successors):
            if written[successor] & out != written[successor] or written[successor] == everything:
                written[successor] &= out
                if successor not in waiting and out != everything:
                    waiting.append(successor)
    for (start, end, _), before in zip(blocks, written, strict=True):
        yield from unwritten(function, start, end, before)


def unwritten(function: Function, start: int, end: int, written: int) -> Iterator[str]:
    for index in range(start, end):
        insn = function.code[index]
        for register in i.used(insn):
            if not written >> register & 1:
                yield f"{index}: r{register} may be read before it is written"
        if i.defined(insn) != NO_REGISTER:
            written |= 1 << i.defined(insn)


def operand_kinds() -> set[OperandKind]:
    """All kinds of operands; a test looks that the printer and the encoding know each."""
    return {operand.kind for cls in i.INSTRUCTIONS for operand in cls.operands}
