"""What the baseline compiler makes of a processor's registers: the same for all functions.

The first temporaries are work registers, which every instruction may use; all others can be homes of
bytecode registers.  Results of calls arrive in work registers, as what calls lost is loaded before.
Arguments are passed as in C; the thread block is in a register of its own, which nobody changes.

**What is passed is clean.**  Dora code passes arguments and results as the macro assembler wants values to be
in registers, 32 bits with the upper half clear and `bool` and `byte` extended with zeros, so nobody extends
them again.  C promises less: results that come from it or from Python are extended where they arrive.
The host passes a negative `int` extended by its sign, which no operation on 32 bits sees and which no
bounds check lets through to an address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from doralang.machine.macro import AnyRegister, MacroAssembler, Move, Register
from doralang.types.kinds import LONG, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

WORK: Final = 3
FLOAT_WORK: Final = 2


class RegisterPool:
    """Machine registers that can be homes.  Calls keep those in `kept`; `of_kept` picks them of a list."""

    __slots__ = ("kept", "kept_first", "lost", "lost_first", "of_kept")

    def __init__(self, kept: tuple[AnyRegister, ...], lost: tuple[AnyRegister, ...]) -> None:
        self.kept = kept
        self.lost = lost
        self.of_kept = itemgetter(*kept) if kept else tuple
        self.kept_first = kept + lost
        self.lost_first = lost + kept


EncodeMoves = Callable[[tuple[Move, ...]], bytes]
Place = tuple[Kind, AnyRegister | None, int]
"""Where an argument is, as in `Argument`."""

Registers = tuple[AnyRegister | None, ...]
"""For each argument the machine register where its value is, or is to be; None if it is in none."""

Plan = tuple[tuple[int, ...], bytes, tuple[int, ...]]
"""How arguments get to their places: first some that go to memory, by number; then the code of moves, as if
all at once; then others that come from memory, by number, as they may overwrite what was moved."""

ON_STACK: Final = Register(-1)
MOST_PLANS: Final = 1 << 10


class Plans(dict[Registers, Plan]):
    """Plans by where the values are or are to be.  Made once: few functions are called in many ways."""

    def __init__(self, make: Callable[[Registers], Plan]) -> None:
        self.make = make

    def __missing__(self, registers: Registers) -> Plan:
        if len(self) >= MOST_PLANS:
            self.clear()
        plan = self[registers] = self.make(registers)
        return plan


class Passing:
    """How a function takes its arguments: their places, and how many bytes of stack they need.

    `arrivals` are the registers alone, with `ON_STACK` where there is none.
    `giving` has plans for calls, by where the values are, `taking` for the start of the function, by homes.
    """

    __slots__ = ("arrivals", "encode_moves", "giving", "places", "stack_size", "taking")

    def __init__(self, places: Sequence[Place], stack_size: int, encode_moves: EncodeMoves) -> None:
        self.places = places
        self.stack_size = stack_size
        self.encode_moves = encode_moves
        self.arrivals = [ON_STACK if register is None else register for _, register, _ in places]
        self.giving = Plans(self.plan_call)
        self.taking = Plans(self.plan_entry)

    def plan_call(self, sources: Registers) -> Plan:
        """What goes on the stack; moves; what is in no register."""
        on_stack, moves, late = [], [], []
        for number, ((kind, target, _), source) in enumerate(zip(self.places, sources, strict=True)):
            if target is None:
                on_stack.append(number)
            elif source is None:
                late.append(number)
            else:
                moves.append((kind, target, source))
        return tuple(on_stack), self.encode_moves(tuple(moves)), tuple(late)

    def plan_entry(self, homes: Registers) -> Plan:
        """What comes in a register and lives in none; moves; what comes on the stack."""
        homeless, moves, on_stack = [], [], []
        for number, ((kind, source, _), home) in enumerate(zip(self.places, homes, strict=True)):
            if source is None:
                on_stack.append(number)
            elif home is None:
                homeless.append(number)
            else:
                moves.append((kind, home, source))
        return tuple(homeless), self.encode_moves(tuple(moves)), tuple(on_stack)


class Passings(dict[tuple[Kind, ...], Passing]):
    """How Dora functions take their arguments, by their kinds: as in C."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.masm = masm
        self.natives = Natives(masm)

    def __missing__(self, parameters: tuple[Kind, ...]) -> Passing:
        if len(self) >= MOST_PLANS:
            self.clear()
        places, stack_size = self.masm.call_layout(parameters)
        passing = self[parameters] = Passing(places, stack_size, self.masm.encode_moves)
        return passing


class Natives(dict[int, tuple[Register, Passing]]):
    """For functions of C libraries with so many arguments: the register for the function's address, which is
    passed before them, and how."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.masm = masm

    def __missing__(self, count: int) -> tuple[Register, Passing]:
        places, stack_size = self.masm.call_layout([LONG] * count)
        taken = [place.register for place in places]
        function = next(register for register in self.masm.temporaries if register not in taken)
        passing = Passing([(LONG, function, 0), *places], stack_size, self.masm.encode_moves)
        native = self[count] = function, passing
        return native


class Convention:
    """The registers by their use, and how functions are called.  One for each processor, shared."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.work = masm.temporaries[:WORK]
        self.float_work = masm.float_temporaries[:FLOAT_WORK]
        assert masm.result in self.work and masm.float_result in self.float_work, "homes are loaded before"
        self.integers = RegisterPool(masm.callee_saved, masm.temporaries[WORK:])
        self.floats = RegisterPool((), masm.float_temporaries[FLOAT_WORK:])
        self.passing = Passings(masm)


CONVENTIONS: Final[dict[type[MacroAssembler], Convention]] = {}


def convention_of(masm: MacroAssembler) -> Convention:
    """The convention of the processor that an assembler is for."""
    convention = CONVENTIONS.get(type(masm))
    if convention is None:
        convention = CONVENTIONS[type(masm)] = Convention(masm)
    return convention
