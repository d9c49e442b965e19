"""The bytecode of one concrete function."""

from __future__ import annotations

from dataclasses import dataclass, field

from dora.bytecode.entities import FunctionRef
from dora.bytecode.instructions import Instruction
from dora.types.kinds import Kind


@dataclass(slots=True)
class Function:
    """Instructions, the kind of each register, and for each instruction its line in the source.

    The first registers are the parameters.  `exits` are the indices of the instructions that jump or end;
    they are found in the code unless whoever writes it says so.
    """

    ref: FunctionRef
    registers: list[Kind] = field(default_factory=list)
    code: list[Instruction] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.exits:
            self.exits = [index for index, insn in enumerate(self.code) if insn.leaves]

    @property
    def name(self) -> str:
        return self.ref.name
