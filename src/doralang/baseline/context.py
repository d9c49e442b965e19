"""What all parts of the baseline compiler share while one function is compiled."""

from __future__ import annotations

from doralang.baseline.convention import Convention
from doralang.baseline.frame import Frame
from doralang.bytecode.function import Function
from doralang.code import layout
from doralang.code.environment import Environment
from doralang.code.objects import GCPoint
from doralang.code.symbols import ATTENTION, TRAPS, new_tuple
from doralang.machine.buffer import Label
from doralang.machine.macro import FloatRegister, MacroAssembler, Register
from doralang.machine.operations import BELOW
from doralang.types.kinds import LONG
from doralang.types.traps import Trap


class Context:
    """One function on its way to machine code."""

    __slots__ = (
        "comments",
        "environment",
        "float_work",
        "frame",
        "function",
        "index",
        "labels",
        "masm",
        "passing",
        "points",
        "polls",
        "traps",
        "work",
    )

    def __init__(
        self,
        masm: MacroAssembler,
        function: Function,
        convention: Convention,
        frame: Frame,
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
        self.labels: dict[int, Label] = {}
        """of the instructions that are jumped to"""
        self.points: list[GCPoint] = []
        self.traps: dict[tuple[Trap, int], Label] = {}
        """where failures begin, by kind and line"""
        self.polls: list[tuple[Label, Label, int]] = []
        """the slow paths of polls: where they begin, where they lead back, their lines"""
        self.passing = convention.passing
        self.work: tuple[Register, ...] = convention.work
        """registers that are nobody's home"""
        self.float_work: tuple[FloatRegister, ...] = convention.float_work

    @property
    def line(self) -> int:
        return self.function.lines[self.index]

    def point(self, offset: int, slots: tuple[int, ...] = ()) -> None:
        """The call whose return address is `offset` can be looked at."""
        function = self.function
        self.points.append(new_tuple(GCPoint, (offset, function.ref, function.lines[self.index], slots, ())))

    def add_point(self, offset: int, line: int, slots: tuple[int, ...]) -> None:
        """The same in a slow path, which is emitted later than the code for the line."""
        self.points.append(new_tuple(GCPoint, (offset, self.function.ref, line, slots, ())))

    def trap(self, kind: Trap) -> Label:
        """Where to go to fail at the current line; the code stands behind the function's body."""
        key = kind, self.function.lines[self.index]
        label = self.traps.get(key)
        if label is None:
            label = self.traps[key] = self.masm.label()
        return label

    def poll(self) -> None:
        """Compare the frame with the limit: too deep, or somebody wants attention."""
        masm = self.masm
        slow = masm.label()
        masm.branch_memory(LONG, BELOW, masm.frame_pointer, masm.thread, layout.THREAD_LIMIT, slow)
        self.polls.append((slow, masm.bound(), self.function.lines[self.index]))

    def emit_slow_paths(self) -> None:
        """The calls behind the body that traps and polls lead to."""
        masm = self.masm
        for (kind, line), label in self.traps.items():
            masm.bind(label)
            if self.comments:
                masm.comment(f"{kind.text}, line {line}")
            self.add_point(masm.call_near(TRAPS[kind]), line, ())
        for slow, back, line in self.polls:
            masm.bind(slow)
            if self.comments:
                masm.comment(f"attention, line {line}")
            self.add_point(masm.call_near(ATTENTION), line, ())
            masm.jump(back)
