"""What the baseline compiler makes of a processor's registers: the same for all functions.

The first temporaries are work registers, which every instruction may use; all others can be homes of
bytecode registers.  Results of calls arrive in work registers, as what calls lost is loaded before.
Arguments are passed as in C, the thread block before them.

**What is passed is clean.**  Dora code passes arguments and results as the macro assembler wants values to be
in registers, 32 bits with the upper half clear and `bool` and `byte` extended with zeros, so nobody extends
them again.  C promises less: results that come from it or from Python are extended where they arrive.
The host passes a negative `int` extended by its sign, which no operation on 32 bits sees and which no
bounds check lets through to an address.
"""

from __future__ import annotations

from typing import Final

from dora.machine.macro import AnyRegister, MacroAssembler, Register
from dora.types.kinds import LONG, Kind

WORK: Final = 3
FLOAT_WORK: Final = 2


class Pool:
    """Machine registers that can be homes.  Calls keep the ones in `kept`."""

    __slots__ = ("kept", "kept_first", "lost", "lost_first")

    def __init__(self, kept: tuple[AnyRegister, ...], lost: tuple[AnyRegister, ...]) -> None:
        self.kept = kept
        self.lost = lost
        self.kept_first = kept + lost
        self.lost_first = lost + kept


Place = tuple[Kind, AnyRegister | None, int]
"""Where an argument is, as in `Argument`."""


Passing = tuple[Register, tuple[Place, ...], int, list[AnyRegister]]
"""How arguments are passed: the register for the thread block, the places of the others, bytes of stack, and

the registers of the others alone, with `ON_STACK` where there is none."""

ON_STACK: Final = Register(-1)


class Passings(dict[tuple[Kind, ...], Passing]):
    """How arguments are passed, by their kinds."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.call_layout = masm.call_layout

    def __missing__(self, parameters: tuple[Kind, ...]) -> Passing:
        (thread, *values), stack_size = self.call_layout((LONG, *parameters))
        assert thread.register is not None
        places = tuple((kind, register, stack) for kind, register, stack in values)
        arrivals = [ON_STACK if register is None else register for _, register, _ in places]
        passing = self[parameters] = (Register(thread.register), places, stack_size, arrivals)
        return passing


class Convention:
    """The registers by their use, and how functions are called.  One for each processor, shared."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.work = masm.temporaries[:WORK]
        self.float_work = masm.float_temporaries[:FLOAT_WORK]
        assert masm.result in self.work and masm.float_result in self.float_work, "homes are loaded before"
        self.integers = Pool(masm.callee_saved, masm.temporaries[WORK:])
        self.floats = Pool((), masm.float_temporaries[FLOAT_WORK:])
        self.passing = Passings(masm)


CONVENTIONS: Final[dict[type[MacroAssembler], Convention]] = {}


def convention_of(masm: MacroAssembler) -> Convention:
    """The convention of the processor that an assembler is for."""
    convention = CONVENTIONS.get(type(masm))
    if convention is None:
        convention = CONVENTIONS[type(masm)] = Convention(masm)
    return convention
