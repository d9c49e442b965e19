"""What all parts of the baseline compiler share while one function is compiled."""

from __future__ import annotations

from doralang.baseline.convention import Convention
from doralang.baseline.frame import Constant, FrameLayout
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register as Virtual
from doralang.bytecode.places import Chain
from doralang.code import layout
from doralang.code.environment import Environment
from doralang.code.objects import GCPoint
from doralang.code.symbols import ATTENTION, new_tuple, trap_of
from doralang.machine.buffer import Label
from doralang.machine.macro import FloatRegister, MacroAssembler, Register
from doralang.machine.operations import BELOW, LESS
from doralang.optional import load
from doralang.text.records import record
from doralang.types.kinds import LONG
from doralang.types.traps import Trap

Place = int | Chain
"""a line of the function that is compiled, or a site that was inlined into it, with its callers"""


@record(eq=True, frozen=True)
class LoopPoll:
    """The index of a `Poll`, and which registers hold constants there that are not made yet."""

    at: int
    constants: dict[Virtual, Constant]


@record(eq=True, frozen=True)
class SlowPoll:
    """The slow path of a poll: where it begins, where it leads back, and where that is in the program.

    `loop` is None for the poll with which a function begins.
    """

    slow: Label
    back: Label
    place: Place
    loop: LoopPoll | None


class FunctionCompilation:
    """One function on its way to machine code."""

    __slots__ = (
        "comments",
        "environment",
        "float_work",
        "frame",
        "function",
        "index",
        "labels",
        "loop_polls",
        "masm",
        "passing",
        "points",
        "polls",
        "stops_at_polls",
        "traps",
        "work",
    )

    def __init__(
        self,
        masm: MacroAssembler,
        function: Function,
        convention: Convention,
        frame: FrameLayout,
        environment: Environment,
    ) -> None:
        self.masm = masm
        self.function = function
        self.frame = frame
        self.environment = environment
        self.index = 0
        """of the instruction that is being compiled"""
        self.comments = False
        """whether somebody wants to read a listing"""
        self.stops_at_polls = False
        """whether each round of a loop asks for attention, so that it can be left at once"""
        self.labels: dict[int, Label] = {}
        """of the instructions that are jumped to"""
        self.points: list[GCPoint] = []
        self.traps: dict[tuple[Trap, Place], Label] = {}
        """where failures begin, by kind and place"""
        self.polls: list[SlowPoll] = []
        self.loop_polls: dict[int, LoopPoll] = {}
        """the polls of loops, by the return addresses of their slow paths"""
        self.passing = convention.passing
        self.work: tuple[Register, ...] = convention.work
        """registers that are nobody's home"""
        self.float_work: tuple[FloatRegister, ...] = convention.float_work

    @property
    def place(self) -> Place:
        """Where the present instruction comes from."""
        function = self.function
        return function.chains[self.index] if function.chains else function.lines[self.index]

    def point(self, offset: int, slots: tuple[int, ...] = ()) -> None:
        """The call whose return address is `offset` can be looked at."""
        function = self.function
        if function.chains:
            self.add_point(offset, self.place, slots)
            return
        self.points.append(new_tuple(GCPoint, (offset, function.ref, function.lines[self.index], slots, ())))

    def add_point(self, offset: int, place: Place, slots: tuple[int, ...]) -> None:
        """The same in a slow path, which is emitted later than the code for the place."""
        if isinstance(place, int):
            self.points.append(new_tuple(GCPoint, (offset, self.function.ref, place, slots, ())))
        else:
            (function, line), *callers = place
            self.points.append(GCPoint(offset, function, line, slots, tuple(callers)))

    def trap(self, kind: Trap) -> Label:
        """Where to go to fail at the current place; the code stands behind the function's body."""
        key = kind, self.place
        label = self.traps.get(key)
        if label is None:
            label = self.traps[key] = self.masm.label()
        return label

    def poll(self, place: Place, loop: LoopPoll | None = None) -> None:
        """Compare the frame with the limit: too deep, or somebody wants attention; and use fuel."""
        masm = self.masm
        slow = masm.label()
        if self.environment.counts_fuel:
            masm.add_to_memory(LONG, -1, masm.thread, layout.THREAD_FUEL)
            masm.branch_memory_immediate(LONG, LESS, masm.thread, layout.THREAD_FUEL, 0, slow)
        if loop is not None and self.stops_at_polls:
            masm.jump(slow)
        else:
            masm.branch_memory(LONG, BELOW, masm.frame_pointer, masm.thread, layout.THREAD_LIMIT, slow)
        self.polls.append(SlowPoll(slow, masm.bound(), place, loop))

    def emit_slow_paths(self) -> None:
        """The calls behind the body that traps and polls lead to."""
        masm = self.masm
        for (kind, place), label in self.traps.items():
            masm.bind(label)
            if self.comments:
                masm.comment(f"{kind.text}, {shown(place)}")
            self.add_point(masm.call_near(trap_of(kind)), place, ())
        for poll in self.polls:
            masm.bind(poll.slow)
            if self.comments:
                masm.comment(f"attention, {shown(poll.place)}")
            address = masm.call_near(ATTENTION)
            self.add_point(address, poll.place, ())
            if poll.loop is not None:
                self.loop_polls[address] = poll.loop
            masm.jump(poll.back)


def shown(place: Place) -> str:
    """A place in a comment of a listing."""
    return (
        f"line {place}"
        if isinstance(place, int)
        else str(load("doralang.bytecode.printer").print_chain(place))
    )
