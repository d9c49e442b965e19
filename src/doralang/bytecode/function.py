"""The bytecode of one concrete function."""

from __future__ import annotations

from dataclasses import dataclass, field

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import Instruction, target_of
from doralang.types.kinds import Kind


@dataclass(slots=True)
class Function:
    """Instructions, the kind of each register, and for each instruction its line in the source.

    The first registers are the parameters.  `ends` are the indices behind the instructions that jump or end,
    `targets` those of the instructions that are jumped to; they are found in the code if nobody says them.
    """

    ref: FunctionRef
    registers: list[Kind] = field(default_factory=list)
    code: list[Instruction] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    targets: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not self.ends:
            self.ends = [index for index, insn in enumerate(self.code, 1) if insn.leaves]
            self.targets = {target for insn in self.code if (target := target_of(insn)) is not None}

    @property
    def name(self) -> str:
        return self.ref.name
