"""Writes a function anew, with parts of its code replaced by others.

copy what stays, `emit` what is new, `aim` jumps whose targets were not known yet, `finish`
"""

from __future__ import annotations

from doralang.bytecode.definition import target_of
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, OperandKind, Register, Target
from doralang.types.kinds import Kind


class CodeWriter:
    """The instructions so far; each has the line of one of the old ones, its origin."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.registers = list(function.registers)
        self.code: list[Instruction] = []
        self.origins: list[int] = []
        """for each instruction, that whose line it has"""
        self.places: dict[int, int] = {}
        """where the instructions that are jumped to have come"""
        self.jumps: list[int] = []
        """those that still have the targets of the old code"""

    def copy(self, index: int) -> None:
        """An instruction as it was."""
        insn = self.function.code[index]
        self.places[index] = len(self.code)
        if target_of(insn) is not None:
            self.jumps.append(len(self.code))
        self.emit(insn, index)

    def emit(self, insn: Instruction, origin: int) -> int:
        """Write an instruction; where it stands."""
        self.code.append(insn)
        self.origins.append(origin)
        return len(self.code) - 1

    def aim(self, at: int, target: int) -> None:
        """Let the jump at an index lead to another one."""
        insn = self.code[at]
        operands = [
            Target(target) if operand.kind is OperandKind.TARGET else getattr(insn, operand.name)
            for operand in insn.operands
        ]
        self.code[at] = type(insn)(*operands)

    def aim_all(self, jumps: list[int]) -> None:
        """Let jumps lead to what is written next."""
        for at in jumps:
            self.aim(at, len(self.code))

    def register(self, kind: Kind) -> Register:
        self.registers.append(kind)
        return Register(len(self.registers) - 1)

    def finish(self) -> Function:
        """The function, once all is written that jumps lead to."""
        for at in self.jumps:
            target = target_of(self.code[at])
            assert target is not None, "it is a jump"
            self.aim(at, self.places[target])
        function = self.function
        return Function(
            function.ref,
            self.registers,
            self.code,
            [function.lines[origin] for origin in self.origins],
            chains=[function.chains[origin] for origin in self.origins] if function.chains else [],
            start_line=function.start_line,
        )
