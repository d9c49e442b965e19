"""From the steps of a packed program to instructions: what is the same on all processors.

    load    v0, variable 0                      ldr q0, [x16]
    vmulpd  v0, v0, v0                  ->      fmul v0.2d, v0.2d, v0.2d
    store   v0                                  str q0, [x16]

The main loop computes several vectors a round, each with registers of its own, so that their latencies
overlap.  An instruction is the method of the assembler with its name and the letters of its operands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.buffer import Buffer
from doralang.machine.packed.programs import CORRECTED, FIRST_MASK, Allocator, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doralang.machine.buffer import Label
    from doralang.machine.packed.programs import Extra, PackedProgram
    from doralang.types.kinds import Kind

Registers = tuple[int, ...]
MOVES: Final = frozenset({"store", "copy", "constant", "spill", "reload", CORRECTED})
"""steps that are no instructions with registers alone, beside loads"""
MOST_AT_ONCE: Final = 4
"""vectors a round of the main loop"""
MOST_STEPS: Final = 100
"""in a round: processors look about that far ahead, so longer rounds overlap by themselves"""


class StepEmitter(Buffer):
    """A mixin for an assembler; classes below it say how a processor loads, stores and masks."""

    __slots__ = ()
    in_memory: ClassVar[str] = "l"
    """the letter of a constant that an instruction reads"""
    program: PackedProgram
    is_masked: bool
    """whether some lanes are not there"""

    def kernel(self, variables: int) -> bytearray:
        """The code of `kernel(table, results, count)`: addresses of so many variables, and of the results."""
        raise NotImplementedError

    def plan(self) -> tuple[Allocator, int]:
        """Registers for one vector, and for how many vectors there are such registers."""
        unit = self.program.unit
        plan = Allocator(self.program, unit.registers, unit.masks)
        most = min(MOST_AT_ONCE, MOST_STEPS // len(plan.run()))
        if most <= 1:
            return plan, 1
        copies = min(most, self.vectors_for(plan))
        if copies == 1:
            half = Allocator(self.program, unit.registers // 2, unit.masks // 2)
            half.run()
            if not half.slots:
                return half, 2
        return plan, copies

    def vectors_for(self, plan: Allocator) -> int:
        """How many vectors have room beside each other."""
        if plan.slots:
            return 1
        unit, vectors, masks = self.program.unit, used(plan.steps, 0), used(plan.steps, FIRST_MASK)
        rooms = [unit.registers // vectors] if vectors else []
        return min(rooms + [unit.masks // masks] if masks else rooms)

    def emit(self, steps: list[Step], copies: int) -> None:
        """Each step for some vectors, whose registers stand one behind the other."""
        width, masks = used(steps, 0), used(steps, FIRST_MASK)
        for name, registers, extra in steps:
            several = [registers] + [
                tuple([at + copy * (masks if at >= FIRST_MASK else width) for at in registers])
                for copy in range(1, copies)
            ]
            if name in MOVES or isinstance(extra, tuple):
                for copy, own in enumerate(several):
                    self.move(name, own, extra, copy)
            else:
                self.instruction(name, several, extra)

    def instruction(self, name: str, several: Sequence[Registers], extra: bytes | int | None) -> None:
        """The same for each of several vectors.

        The method is found by the operands: registers, a constant in memory, an immediate.
        """
        shape = self.shape_of(name, len(several[0]))
        last: tuple[int, ...] = ()
        if isinstance(extra, bytes):
            shape, last = shape + self.in_memory, (self.repeated(extra),)
        elif extra is not None:
            shape, last = shape + "i", (extra,)
        emit = getattr(self, f"{name}_{shape}")
        for registers in several:
            emit(*registers, *last)

    def shape_of(self, name: str, count: int) -> str:
        """The letters of so many registers."""
        return "r" * count

    def move(self, name: str, registers: Registers, extra: Extra, copy: int) -> None:
        """What is no instruction with registers alone."""
        if name == "store":
            self.store(registers[0], copy)
        elif name == "copy":
            self.copy(*registers)
        elif name == "scalar" and isinstance(extra, tuple):
            self.scalar(registers[0], *extra)
        elif isinstance(extra, tuple):
            self.load(registers[0], *extra, copy)
        elif isinstance(extra, bytes):
            self.everywhere(registers[0], extra)
        elif name == CORRECTED and extra is not None:
            self.correct(registers, extra)
        elif extra is not None:
            place = self.program.unit.vector * extra
            (self.keep if name == "spill" else self.bring)(registers[0], place)

    # Hard lanes.

    def correct(self, registers: Registers, function: int) -> None:
        """Lanes of the first register, where the second is a mask; the others have the arguments."""
        target, hard, *arguments = registers
        slow, back = self.labels(2)
        self.branch_if_hard(hard, slow)
        self.bind(back)
        self.out_of_line(lambda: self.call_for_hard(target, arguments, function, slow, back))

    def call_for_hard(
        self, target: int, arguments: Sequence[int], function: int, slow: Label, back: Label
    ) -> None:
        """A call for each lane that is hard, with all vectors on the stack."""
        self.bind(slow)
        self.keep_all()
        for lane in range(self.program.lanes):
            next_one = self.label()
            self.skip_easy(lane, next_one)
            for number, register in enumerate(arguments):
                self.bring_lane(number, register, lane)
            self.call_function(function)
            self.keep_lane(target, lane)
            self.bind(next_one)
        self.bring_all(back)

    # What a level says.

    def repeated(self, data: bytes) -> Label:
        """A constant in memory, as often as instructions read it."""
        raise NotImplementedError

    def scalar(self, register: int, variable: int, kind: Kind) -> None:
        """A single number in all lanes."""
        raise NotImplementedError

    def everywhere(self, register: int, data: bytes) -> None:
        """A constant in all lanes."""
        raise NotImplementedError

    def load(self, register: int, variable: int, kind: Kind, copy: int) -> None:
        raise NotImplementedError

    def store(self, register: int, copy: int) -> None:
        raise NotImplementedError

    def copy(self, target: int, source: int) -> None:
        """Of a vector."""
        raise NotImplementedError

    def keep(self, register: int, place: int) -> None:
        """On the stack."""
        raise NotImplementedError

    def bring(self, register: int, place: int) -> None:
        """From the stack."""
        raise NotImplementedError

    def branch_if_hard(self, hard: int, slow: Label) -> None:
        """If any lane of the mask is set; which ones, is in a general register then."""
        raise NotImplementedError

    def keep_all(self) -> None:
        """All that calls change."""
        raise NotImplementedError

    def skip_easy(self, lane: int, next_one: Label) -> None:
        """Go on if this lane, the one behind that of the time before, is not set."""
        raise NotImplementedError

    def bring_lane(self, number: int, register: int, lane: int) -> None:
        """To the argument of that number, from what was kept of a register."""
        raise NotImplementedError

    def call_function(self, address: int) -> None:
        raise NotImplementedError

    def keep_lane(self, register: int, lane: int) -> None:
        """What a call returned, in place of what was kept of a register."""
        raise NotImplementedError

    def bring_all(self, back: Label) -> None:
        """What was kept, and go on there."""
        raise NotImplementedError


def used(steps: Sequence[Step], first: int) -> int:
    """How many registers there are in the steps, of those of vectors or those of masks, which begin here."""
    is_mask = first == FIRST_MASK
    found = [at for step in steps for at in step.registers if (at >= FIRST_MASK) is is_mask]
    return max(found, default=first - 1) - first + 1
