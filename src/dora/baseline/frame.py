"""The frame of one function while it is compiled: homes, slots, and constants not yet made.

`Frame` is how the rest of the compiler reads and writes bytecode registers:

    left = frame.read(instruction.left, WORK_0)     its home, or WORK_0 loaded from its slot
    target = frame.target(instruction.dst, WORK_0)  its home, or WORK_0, which `written` stores
    …
    frame.written(instruction.dst, target)

A `LoadConstant` emits nothing: the value is remembered and made where it is used, as an immediate if the
instruction has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dora.baseline.allocation import FLOATING, Allocation
from dora.bytecode.function import Function
from dora.bytecode.instructions import Register
from dora.machine.macro import AnyRegister, Argument, MacroAssembler
from dora.types.types import Kind

SLOT: Final = 8

Constant = bool | int | float | None
Move = tuple[Kind, AnyRegister, AnyRegister]
"""kind, target, source"""


class Frame:
    """Where the registers of a function are, at the place that is being compiled."""

    def __init__(self, masm: MacroAssembler, function: Function, allocation: Allocation) -> None:
        self.masm = masm
        self.kinds = function.registers
        self.allocation = allocation
        self.homes = allocation.homes
        self.slots: dict[Register, int] = {}
        self.first_slot = -SLOT * len(allocation.kept_used)
        """distance of the end of the first slot from the frame pointer, below the saved registers"""
        self.outgoing = 0
        """bytes for stack arguments of calls"""
        self.constants: dict[Register, Constant] = {}

    # Slots.

    def slot(self, register: Register) -> int:
        """Distance from the frame pointer of a register's slot."""
        offset = self.slots.get(register)
        if offset is None:
            offset = self.slots[register] = self.first_slot - SLOT * (len(self.slots) + 1)
        return offset

    @property
    def size(self) -> int:
        """Bytes below the saved registers."""
        return SLOT * len(self.slots) + self.outgoing

    # Reading and writing.

    def constant(self, register: Register) -> Constant:
        """The value of a register that is known and not made; None for nil and for anything else."""
        return self.constants.get(register)

    def read(self, register: Register, work: AnyRegister) -> AnyRegister:
        """A machine register with the value: its home, or `work`."""
        home = self.homes[register]
        if register in self.constants:
            if home is None:
                self.make_constant(register, work)
                return work
            self.make_constant(register, home)
            del self.constants[register]
            return home
        if home is None:
            self.masm.load(self.kinds[register], work, self.masm.frame_pointer, self.slot(register))
            return work
        return home

    def read_into(self, register: Register, target: AnyRegister) -> None:
        """Bring the value into a certain machine register."""
        kind = self.kinds[register]
        if register in self.constants:
            self.make_constant(register, target)
        elif self.homes[register] is None:
            self.masm.load(kind, target, self.masm.frame_pointer, self.slot(register))
        else:
            home = self.homes[register]
            assert home is not None
            self.masm.move(kind, target, home)

    def target(self, register: Register, work: AnyRegister) -> AnyRegister:
        """Where to put a new value of the register; `written` must follow."""
        home = self.homes[register]
        return work if home is None else home

    def written(self, register: Register, target: AnyRegister) -> None:
        """The value is in `target`: take it to where it lives."""
        self.constants.pop(register, None)
        home = self.homes[register]
        if home is None:
            self.masm.store(self.kinds[register], target, self.masm.frame_pointer, self.slot(register))
        elif home != target:
            self.masm.move(self.kinds[register], home, target)

    # Constants.

    def make_constant(self, register: Register, target: AnyRegister) -> None:
        value = self.constants[register]
        self.masm.load_constant(self.kinds[register], target, 0 if value is None else value)

    def flush(self, live: int) -> None:
        """Make the constants that are live where the code goes from here."""
        if not self.constants:
            return
        for register in [one for one in self.constants if live >> one & 1]:
            value = self.constants.pop(register)
            home = self.homes[register]
            kind = self.kinds[register]
            if home is None:
                constant = 0 if value is None else value
                self.masm.store_constant(kind, constant, self.masm.frame_pointer, self.slot(register))
            else:
                self.masm.load_constant(kind, home, 0 if value is None else value)
        self.constants.clear()

    # Around calls.

    def save(self, index: int) -> list[Register]:
        """Store what a call would lose into its slots; returns what `restore` must load again."""
        saved = [one for one in self.allocation.saved.get(index, ()) if one not in self.constants]
        for register in saved:
            home = self.homes[register]
            assert home is not None
            self.masm.store(self.kinds[register], home, self.masm.frame_pointer, self.slot(register))
        return saved

    def restore(self, saved: Sequence[Register]) -> None:
        for register in saved:
            home = self.homes[register]
            assert home is not None
            self.masm.load(self.kinds[register], home, self.masm.frame_pointer, self.slot(register))

    def reference_slots(self, index: int) -> tuple[int, ...]:
        """The slots in which a collector finds live references during a call."""
        references = self.allocation.references.get(index, ())
        return tuple(self.slot(one) for one in references if one not in self.constants)

    # Arguments.

    def pass_arguments(self, layout: Sequence[Argument], registers: Sequence[Register]) -> None:
        """Put arguments where the callee expects them; `layout` begins with the thread block's place."""
        thread = layout[0].register
        assert thread is not None
        self.pass_values(layout[1:], registers, [(Kind.LONG, thread, self.masm.thread)])

    def pass_values(
        self, layout: Sequence[Argument], registers: Sequence[Register], others: Sequence[Move] = ()
    ) -> None:
        """Put values where `layout` says, and make other moves of integers, as if all at once."""
        moves: list[Move] = []
        late: list[tuple[Register, AnyRegister]] = []
        for argument, register in zip(layout, registers, strict=True):
            home = None if register in self.constants else self.homes[register]
            if argument.register is None:
                self.pass_on_stack(argument, register)
            elif home is None:
                late.append((register, argument.register))
            else:
                moves.append((argument.kind, argument.register, home))
        self.parallel_move([move for move in moves if move[0] in FLOATING], floating=True)
        integers = [move for move in moves if move[0] not in FLOATING]
        self.parallel_move([*integers, *others], floating=False)
        for register, target in late:
            self.read_into(register, target)

    def pass_on_stack(self, argument: Argument, register: Register) -> None:
        masm = self.masm
        floating = argument.kind in FLOATING
        work: AnyRegister = masm.float_temporaries[0] if floating else masm.temporaries[0]
        if register in self.constants:
            self.make_constant(register, work)
            source = work
        else:
            source = self.read(register, work)
        masm.store(argument.kind, source, masm.stack_pointer, argument.stack)

    def parallel_move(self, moves: list[Move], *, floating: bool) -> None:
        """Make all moves as if at once: none overwrites what another still reads."""
        masm = self.masm
        waiting = self.move_ready([move for move in moves if move[1] != move[2]])
        if not waiting:
            return
        wide = Kind.DOUBLE if floating else Kind.LONG
        with masm.float_scratch() if floating else masm.scratch() as scratch:
            while waiting:  # only cycles are left: whoever reads the first target reads a copy instead
                target = waiting[0][1]
                masm.move(wide, scratch, target)
                waiting = [
                    (kind, to, scratch if source == target else source) for kind, to, source in waiting
                ]
                waiting = self.move_ready(waiting)

    def move_ready(self, waiting: list[Move]) -> list[Move]:
        """Make the moves whose target nobody reads, as long as there are any; returns the others."""
        while waiting:
            sources = {source for _, _, source in waiting}
            ready = [move for move in waiting if move[1] not in sources]
            if not ready:
                break
            for kind, target, source in ready:
                self.masm.move(kind, target, source)
            waiting = [move for move in waiting if move[1] in sources]
        return waiting

    def take_arguments(self, layout: Sequence[Argument]) -> None:
        """Bring the parameters from where the caller put them to where they live."""
        masm = self.masm
        moves: list[Move] = []
        for number, argument in enumerate(layout[1:]):
            register = Register(number)
            home = self.homes[register]
            if argument.register is None:
                continue
            if home is None:
                masm.store(argument.kind, argument.register, masm.frame_pointer, self.slot(register))
            else:
                moves.append((argument.kind, home, argument.register))
        self.parallel_move([move for move in moves if move[0] in FLOATING], floating=True)
        self.parallel_move([move for move in moves if move[0] not in FLOATING], floating=False)
        for number, argument in enumerate(layout[1:]):
            register, home = Register(number), self.homes[number]
            if argument.register is None:
                self.take_from_stack(register, home, masm.incoming_arguments + argument.stack)
            elif home is not None and argument.kind not in (*FLOATING, Kind.LONG, Kind.REF):
                masm.zero_extend(argument.kind, home, home)  # type: ignore[arg-type]

    def take_from_stack(self, register: Register, home: AnyRegister | None, offset: int) -> None:
        masm, kind = self.masm, self.kinds[register]
        work: AnyRegister = masm.float_temporaries[0] if kind in FLOATING else masm.temporaries[0]
        target = home if home is not None else work
        masm.load(kind, target, masm.frame_pointer, offset)
        if home is None:
            masm.store(kind, target, masm.frame_pointer, self.slot(register))
