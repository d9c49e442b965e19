"""The frame of one function while it is compiled: homes, slots, and constants not yet made.

`FrameLayout` is how the rest of the compiler reads and writes bytecode registers:

    left = frame.read(instruction.left, WORK_0)     its home, or WORK_0 loaded from its slot
    target = frame.target(instruction.dst, WORK_0)  its home, or WORK_0, which `written` stores
    …
    frame.written(instruction.dst, target)

A `LoadConstant` emits nothing: the value is remembered and made where it is used, as an immediate if the
instruction has one.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.baseline.allocation import Allocation
from doralang.baseline.convention import Passing
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.bytecode.liveness import BITS
from doralang.machine.macro import AnyRegister, MacroAssembler
from doralang.types.kinds import FLOATING, REF, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeVar

    R = TypeVar("R", bound=AnyRegister)
    """Registers of the processor, of the one kind or of the other."""

SLOT: Final = 8
FEW: Final = 64
"""So many live references are listed anew at each call."""
SELF: Final = Register(0)

Constant = bool | int | float


class FrameLayout:
    """Where the registers of a function are, at the place that is being compiled."""

    __slots__ = (
        "across",
        "constants",
        "first_slot",
        "fresh",
        "held",
        "held_slots",
        "homes",
        "lent",
        "kept_used",
        "kinds",
        "masm",
        "never_nil",
        "not_nil",
        "outgoing",
        "reads",
        "references",
        "saved",
        "slots",
        "where",
    )

    def __init__(self, masm: MacroAssembler, function: Function, allocation: Allocation) -> None:
        self.masm = masm
        self.kinds = function.registers
        self.homes = allocation.homes
        self.where: list[Any] = allocation.homes.copy()
        """the home of a register whose value is there; None for those in slots and constants not made yet

        `where[register] or read(register, work)` is `read` without a call, most of the time."""
        self.across = allocation.across
        self.saved = allocation.saved
        self.references = allocation.references
        self.reads = allocation.liveness.reads
        self.slots: dict[int, int] = {}
        self.kept_used = allocation.kept_used
        self.first_slot = -SLOT * len(self.kept_used)
        """distance of the end of the first slot from the frame pointer, below the saved registers"""
        self.held = 0
        self.held_slots: dict[int, int] = {}
        """the references that `many_slots` found last, as bits, and their slots"""
        self.outgoing = 0
        """bytes for stack arguments of calls"""
        self.constants: dict[Register, Constant] = {}
        self.never_nil: tuple[Register, ...] = (SELF,) if function.ref.has_self else ()
        """`self`: callers have checked it, and nobody writes it"""
        self.not_nil: set[Register] = set(self.never_nil)
        """references that a check has found not to be nil, on all ways to this place"""
        self.fresh: set[Register] = {SELF} if function.ref.fresh_self else set()
        """references to objects made since a collection was last possible: stores need no write barrier.

        They are among `not_nil`."""
        self.lent: set[Register] = set()
        """slices that are known to be of the present call, as they stay; among `not_nil`, too"""

    # Slots.

    def slot(self, register: int) -> int:
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

    def read(self, register: Register, work: R) -> R:
        """A machine register with the value: its home, or `work`."""
        if register in self.constants:
            return self.read_constant(register, work)
        home = self.homes[register]
        if home is not None:
            return home  # type: ignore[return-value]
        self.masm.load(self.kinds[register], work, self.masm.frame_pointer, self.slot(register))
        return work

    def read_constant(self, register: Register, work: R) -> R:
        """Make a constant after all; at home it stays for later readers."""
        home = self.homes[register]
        if home is None:
            self.make_constant(register, work)
            return work
        self.make_constant(register, home)
        del self.constants[register]
        self.where[register] = home
        return home  # type: ignore[return-value]

    def read_into(self, register: Register, target: AnyRegister) -> None:
        """Bring the value into a certain machine register."""
        if register in self.constants:
            self.make_constant(register, target)
            return
        kind, home = self.kinds[register], self.homes[register]
        if home is None:
            self.masm.load(kind, target, self.masm.frame_pointer, self.slot(register))
        else:
            self.masm.move(kind, target, home)

    def target(self, register: Register, work: R) -> R:
        """Where to put a new value of the register; `written` must follow."""
        home = self.homes[register]
        return work if home is None else home  # type: ignore[return-value]

    def written(self, register: Register, target: AnyRegister) -> None:
        """The value is in `target`: take it to where it lives.

        For numbers this has nothing to do if `where[register] == target`.  A result that nobody wants
        (`NO_REGISTER`) has no home and no slot.
        """
        self.where[register] = home = self.homes[register]
        if register in self.constants:
            del self.constants[register]
        if register in self.not_nil:
            self.forget(register)
        if home is None:
            if register != NO_REGISTER:
                self.masm.store(self.kinds[register], target, self.masm.frame_pointer, self.slot(register))
        elif home != target:
            self.masm.move(self.kinds[register], home, target)

    def forget(self, register: Register) -> None:
        """The register holds another reference now."""
        self.not_nil.discard(register)
        self.lent.discard(register)
        self.fresh.discard(register)

    # Constants.

    def make_constant(self, register: Register, target: AnyRegister) -> None:
        self.masm.load_constant(self.kinds[register], target, self.constants[register])

    def flush(self, live: int) -> None:
        """Make the constants that are live where the code goes from here."""
        if self.constants:
            for register in [one for one in self.constants if live >> one & 1]:
                self.make_at_home(register)
                del self.constants[register]

    def make_at_home(self, register: Register) -> None:
        """Make a constant where it lives."""
        home = self.homes[register]
        if home is not None:
            self.make_constant(register, home)
            self.where[register] = home
            return
        kind, value = self.kinds[register], self.constants[register]
        self.masm.store_constant(kind, value, self.masm.frame_pointer, self.slot(register))

    def forget_checks(self) -> None:
        """The code is jumped to from elsewhere, where other references have been checked."""
        self.fresh.clear()
        self.lent.clear()
        if len(self.not_nil) != len(self.never_nil):
            self.not_nil = set(self.never_nil)

    def forget_constants(self) -> None:
        """A block ends.  What is live has been made; on other ways the registers are where they live."""
        for register in self.constants:
            self.where[register] = self.homes[register]
        self.constants.clear()

    # Around calls.

    def save(self, index: int) -> Sequence[Register]:
        """Store what a call would lose into its slots; returns what `restore` must load again."""
        live = self.across[index] & self.saved
        if not live:
            return ()
        saved = [one for one in BITS[live] if one not in self.constants]
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
        live = self.across[index] & self.references
        if not live:
            return ()
        if live.bit_count() > FEW:
            return self.many_slots(live)
        return tuple([self.slot(one) for one in BITS[live] if one not in self.constants])

    def many_slots(self, live: int) -> tuple[int, ...]:
        """The same for so many that only what has changed since the last call is looked at."""
        for register in self.constants:
            if self.kinds[register] is REF:
                live &= ~(1 << register)
        for register in BITS[live ^ self.held]:
            if self.held_slots.pop(register, None) is None:
                self.held_slots[register] = self.slot(register)
        self.held = live
        return tuple(self.held_slots.values())

    # Arguments.

    def pass_arguments(self, passing: Passing, registers: Sequence[Register]) -> None:
        """Put the values of registers where the callee expects them."""
        masm, constants = self.masm, self.constants
        if passing.stack_size > self.outgoing:
            self.outgoing = passing.stack_size
        on_stack, moves, late = passing.giving[tuple(map(self.where.__getitem__, registers))]
        for number in on_stack:
            kind, _, stack = passing.places[number]
            self.pass_on_stack(kind, stack, registers[number])
        masm.append(moves)
        for number in late:
            register = registers[number]
            kind, target, _ = passing.places[number]
            assert target is not None
            if register in constants:
                masm.load_constant(kind, target, constants[register])
            else:
                self.read_into(register, target)

    def pass_on_stack(self, kind: Kind, stack: int, register: Register) -> None:
        masm = self.masm
        work: AnyRegister = masm.float_temporaries[0] if kind in FLOATING else masm.temporaries[0]
        if register in self.constants:
            self.make_constant(register, work)
            source = work
        else:
            source = self.read(register, work)
        masm.store(kind, source, masm.stack_pointer, stack)

    def take_arguments(self, passing: Passing) -> None:
        """Bring the parameters that are read from where the caller put them to where they live."""
        masm, reads, places = self.masm, self.reads, passing.places
        homeless, moves, on_stack = passing.taking[tuple(self.homes[: len(places)])]
        for number in homeless:
            if reads[number]:
                kind, source, _ = places[number]
                assert source is not None
                masm.store(kind, source, masm.frame_pointer, self.slot(number))
        masm.append(moves)
        for number in on_stack:
            if reads[number]:
                offset = masm.incoming_arguments + places[number][2]
                self.take_from_stack(number, self.homes[number], offset)

    def take_from_stack(self, register: int, home: AnyRegister | None, offset: int) -> None:
        masm, kind = self.masm, self.kinds[register]
        work: AnyRegister = masm.float_temporaries[0] if kind in FLOATING else masm.temporaries[0]
        target = home if home is not None else work
        masm.load(kind, target, masm.frame_pointer, offset)
        if home is None:
            masm.store(kind, target, masm.frame_pointer, self.slot(register))
