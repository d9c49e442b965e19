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

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from dora.machine.macro import AnyRegister, MacroAssembler, Move, Register
from dora.types.kinds import LONG, Kind

WORK: Final = 3
FLOAT_WORK: Final = 2


class Pool:
    """Machine registers that can be homes.  Calls keep those in `kept`; `of_kept` picks them of a list."""

    __slots__ = ("kept", "kept_first", "lost", "lost_first", "of_kept")

    def __init__(self, kept: tuple[AnyRegister, ...], lost: tuple[AnyRegister, ...]) -> None:
        self.kept = kept
        self.lost = lost
        self.of_kept = itemgetter(*kept) if kept else tuple
        self.kept_first = kept + lost
        self.lost_first = lost + kept


Place = tuple[Kind, AnyRegister | None, int]
"""Where an argument is, as in `Argument`."""

Sources = tuple[AnyRegister | None, ...]
"""For each argument the machine register where its value is, None if it is in none."""

Plan = tuple[tuple[int, ...], tuple[Move, ...], tuple[int, ...]]
"""How arguments get to their places: first those on the stack, by number; then the moves, as if all at once;
then those that come from elsewhere, by number, as they may overwrite what was moved."""

ON_STACK: Final = Register(-1)
MOST_PLANS: Final = 1 << 10


class Passing:
    """How a function takes its arguments: their places, and how many bytes of stack they need.

    `arrivals` are the registers alone, with `ON_STACK` where there is none, `always` are moves for each call.
    """

    __slots__ = ("always", "arrivals", "places", "plans", "stack_size")

    def __init__(self, places: Sequence[Place], stack_size: int, *always: Move) -> None:
        self.places = places
        self.stack_size = stack_size
        self.always = always
        self.arrivals = [ON_STACK if register is None else register for _, register, _ in places]
        self.plans: dict[Sources, Plan] = {}

    def plan(self, sources: Sources) -> Plan:
        """The plan for arguments that are there; few functions are called in many ways."""
        plan = self.plans.get(sources)
        if plan is None:
            if len(self.plans) >= MOST_PLANS:
                self.plans.clear()
            plan = self.plans[sources] = self.make_plan(sources)
        return plan

    def make_plan(self, sources: Sources) -> Plan:
        on_stack, moves, late = [], [*self.always], []
        for number, ((kind, target, _), source) in enumerate(zip(self.places, sources, strict=True)):
            if target is None:
                on_stack.append(number)
            elif source is None:
                late.append(number)
            else:
                moves.append((kind, target, source))
        return tuple(on_stack), tuple(moves), tuple(late)


class Passings(dict[tuple[Kind, ...], Passing]):
    """How Dora functions take their arguments, by their kinds: behind the thread block, as in C."""

    def __init__(self, masm: MacroAssembler) -> None:
        self.call_layout, self.thread = masm.call_layout, masm.thread

    def __missing__(self, parameters: tuple[Kind, ...]) -> Passing:
        (thread, *places), stack_size = self.call_layout((LONG, *parameters))
        assert thread.register is not None
        passing = self[parameters] = Passing(places, stack_size, (LONG, thread.register, self.thread))
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
