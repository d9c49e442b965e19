"""The bytecode of one concrete function."""

from __future__ import annotations

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import Instruction, target_of
from doralang.bytecode.places import Chain, Site
from doralang.text.records import field, record
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

UNKNOWN: Final = -1


@record(eq=True)
class Function:
    """Instructions, the kind of each register, and for each instruction its line in the source.

    The first registers are the parameters.  `ends` are the indices behind the instructions that jump or end,
    `targets` those of the instructions that are jumped to; they are found in the code if nobody says them.

    If others have been inlined, `chains` has for each instruction the site that it comes from and the calls
    that led there, innermost first, and `lines` has the lines of the first ones.  Empty if nothing has.
    `start_line` is where the function is when it is entered: by itself, the line of its first instruction.
    """

    ref: FunctionRef
    registers: list[Kind] = field(default_factory=list)
    code: list[Instruction] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    targets: set[int] = field(default_factory=set)
    chains: list[Chain] = field(default_factory=list)
    start_line: int = UNKNOWN

    def __post_init__(self) -> None:
        if not self.ends:
            self.ends = [index for index, insn in enumerate(self.code, 1) if insn.leaves]
            self.targets = {target for insn in self.code if (target := target_of(insn)) is not None}

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def entry_line(self) -> int:
        return self.lines[0] if self.start_line == UNKNOWN else self.start_line

    def chain(self, index: int) -> Chain:
        """The site of an instruction, and those that called it if it was inlined."""
        return self.chains[index] if index < len(self.chains) else (Site(self.ref, self.lines[index]),)
