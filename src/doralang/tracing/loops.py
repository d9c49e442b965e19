"""Loops of the VM: which are hot, and entering and growing their traces.

    cold       each round takes one off a counter
    recording  one round is run by the recorder
    waiting    a compiler is at work on the trace, in a thread of its own; the program runs on in the VM
    entered    at each round in the VM: most rounds are in the trace

Exits that are taken often are recorded from, so that the trace grows by another path.  A trace that does
not pay is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final, Protocol

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import NO_REGISTER
from doralang.tracing.closures import TraceRunner, Values
from doralang.tracing.printer import print_trace
from doralang.tracing.recorder import RecordedFrame, TracedProgram, TraceRecorder
from doralang.tracing.references import Found, find, find_all
from doralang.tracing.resume import Active, resume
from doralang.tracing.trace import Calls, FrameState, LoopTrace, SideExit
from doralang.vm.code import ClosureBlock, ClosureCode, End, Op, Registers
from doralang.vm.hot import HotFunctions
from doralang.vm.translator import Translator

ROUNDS: Final = 1 << 22
"""of a trace until Python may look around, for Ctrl-C"""

HOT_EXIT: Final = 16
"""times that an exit is taken until there is to be a path from it"""

MOST_ATTEMPTS: Final = 3
MOST_LENGTH: Final = 4000
"""steps of all paths of a trace"""

ENTRIES: Final = 100
"""after so many a trace must have shown that it pays"""
ROUNDS_TO_PAY: Final = 10
"""rounds for each entry that make up for entering"""


class Compiler(Protocol):
    """Makes traces run.  It is asked by a thread of its own while the program runs on."""

    def source(self, trace: LoopTrace) -> str:
        """The text that is compiled; empty if there is none."""

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        """The trace as it was when its text was made, ready to run, or the reason why it cannot be.

        Meanwhile paths may be added to its exits.
        """


class HotLoop:
    """One loop: its counter, and its trace if there is one."""

    def __init__(self, function: FunctionRef, index: int, line: int, left: int) -> None:
        self.function = function
        self.index = index
        self.line = line
        self.left = left
        self.attempts = 0
        self.reason = ""
        self.is_compiling = False
        self.latest: LoopTrace | None = None
        """with all paths that were recorded; it may be waiting to be compiled"""
        self.is_finished = False
        """whether the trace grows no more"""
        self.ready: tuple[LoopTrace, TraceRunner] | None = None
        self.entries = 0
        self.rounds = 0
        self.misses = 0

    def may_grow(self) -> bool:
        """Whether paths can be added to the trace."""
        return self.latest is not None and not self.is_finished and self.latest.length < MOST_LENGTH

    def give_up(self, reason: str) -> None:
        self.ready, self.latest, self.reason, self.left = None, None, reason, -1

    @property
    def name(self) -> str:
        return f"{self.function.name}, line {self.line}"

    def __str__(self) -> str:
        if self.ready is not None:
            trace, _ = self.ready
            paths = 1 + sum(exit.path is not None for exit in trace.exits)
            return (
                f"{self.name}: a trace of {trace.length} steps in {paths} paths, "
                f"{self.rounds} rounds in {self.entries} entries"
            )
        return f"{self.name}: in the VM, because {self.reason or 'its trace is being compiled'}"


class Loops:
    """The loops of a program, and the thread that compiles their traces."""

    def __init__(
        self,
        threshold: int,
        compiler: Compiler,
        program: TracedProgram,
        hot: HotFunctions | None = None,
        *,
        at_once: bool = False,
        show: Callable[[FunctionRef, Callable[[], str]], None] | None = None,
    ) -> None:
        """`show` gets the function of each trace, and what writes the trace for people who want to see it."""
        self.threshold = threshold
        self.compiler = compiler
        self.program = program
        self.hot = hot
        self.at_once = at_once
        self.show = show
        self.loops: dict[tuple[FunctionRef, int], HotLoop] = {}
        self.jobs: SimpleQueue[tuple[HotLoop, LoopTrace, str] | None] = SimpleQueue()
        self.thread: Thread | None = None
        self.closed = False

    # What translation asks (`vm.translator.LoopHeads`).

    def closure(self, code: ClosureCode) -> Op | None:
        return None if self.hot is None else self.hot.closure(code)

    def end(self, translator: Translator, index: int) -> End:
        """The head of a loop: into its trace, or on in the VM."""
        loop = self.loop(translator, index)
        behind = translator.block(index + 1)
        enter, become_hot = self.enter, self.become_hot

        def end(r: Registers) -> ClosureBlock:
            if loop.ready is not None:
                return enter(loop, behind, r)
            loop.left -= 1
            return behind if loop.left else become_hot(loop, behind, translator, r)

        return end

    def loop(self, translator: Translator, index: int) -> HotLoop:
        ref = translator.function.ref
        loop = self.loops.get((ref, index))
        if loop is None:
            line = translator.function.lines[index]
            loop = self.loops[ref, index] = HotLoop(ref, index, line, self.threshold)
        return loop

    # Recording.

    def become_hot(
        self, loop: HotLoop, behind: ClosureBlock, translator: Translator, r: Registers
    ) -> ClosureBlock:
        if self.is_covered(loop):
            loop.left = self.threshold << 3
            return behind
        trace = LoopTrace(loop.name, loop.function, loop.index)
        recorder = TraceRecorder(
            trace, self.program, [RecordedFrame(0, translator, loop.index, r, NO_REGISTER)]
        )
        reason = recorder.record()
        if not reason:
            trace.steps = recorder.steps
            self.make(loop, trace)
        else:
            self.fail(loop, reason)
        return resume(actives(recorder))

    def is_covered(self, loop: HotLoop) -> bool:
        """Whether it is part of the trace of another loop of its function, better entered there."""
        here: Calls = ((0, loop.index),)
        others = (one.latest for one in self.loops.values() if one.function is loop.function)
        return any(latest is not None and here in latest.heads for latest in others)

    def fail(self, loop: HotLoop, reason: str) -> None:
        """Try again later: the next time another path may be taken."""
        loop.attempts += 1
        if loop.attempts == MOST_ATTEMPTS:
            return loop.give_up(reason)
        loop.reason, loop.left = reason, self.threshold << loop.attempts
        return None

    def grow(self, loop: HotLoop, exit: SideExit, frames: list[Active]) -> ClosureBlock:
        """Record a path from an exit, where the program is now."""
        assert loop.latest is not None
        exit.closed = True
        draft = loop.latest.draft()
        recorded = []
        for state, active in zip(exit.frames, frames, strict=True):
            frame = RecordedFrame(
                state.number, active.translator, active.index, active.registers, active.result
            )
            frame.references = dict(state.references)
            recorded.append(frame)
        recorder = TraceRecorder(draft, self.program, recorded)
        if not recorder.record():
            exit.path = recorder.steps
            loop.latest = draft
        return resume(actives(recorder))

    # Compiling.

    def make(self, loop: HotLoop, trace: LoopTrace) -> None:
        loop.is_compiling = True
        loop.latest = trace
        source = self.compiler.source(trace)
        if self.show is not None:
            self.show(trace.function, lambda: f"{print_trace(trace)}\n{source}")
        if self.at_once:
            return self.work(loop, trace, source)
        if self.thread is None:
            self.thread = Thread(target=self.work_on, name="dora-traces", daemon=True)
            self.thread.start()
        return self.jobs.put((loop, trace, source))

    def work_on(self) -> None:
        while (job := self.jobs.get()) is not None:
            self.work(*job)

    def work(self, loop: HotLoop, trace: LoopTrace, source: str) -> None:
        if self.closed:
            return
        runner = self.compiler.compile(trace, source)
        if not isinstance(runner, str):
            loop.ready = trace, runner
            loop.entries = loop.rounds = 0
        elif loop.ready is None:
            loop.give_up(runner)
        else:
            loop.is_finished = True
        loop.is_compiling = False

    def close(self) -> None:
        """Whatever is being compiled is not waited for."""
        self.closed = True
        if self.thread is not None:
            self.jobs.put(None)

    # Entering and leaving.

    def enter(self, loop: HotLoop, behind: ClosureBlock, r: Registers) -> ClosureBlock:
        """Run the trace of a loop, and go on where it is left."""
        assert loop.ready is not None
        trace, runner = loop.ready
        found = find_all(trace, r, self.program.globals)
        if found is None:
            return self.miss(loop, behind)
        values = self.inputs(trace, found, r)
        number = runner(values, [found[use.reference].items for use in trace.arrays])
        exit = trace.exits[number]
        exit.taken += 1
        loop.entries += 1
        loop.rounds += ROUNDS - values[trace.rounds.number]
        frames = self.leave(trace, exit, values, found, r)
        if exit.taken >= HOT_EXIT and not exit.closed and loop.may_grow():
            return self.grow(loop, exit, frames)
        latest = loop.latest
        if latest is not None and latest is not trace and not loop.is_compiling and not loop.is_finished:
            self.make(loop, latest)
        if loop.entries == ENTRIES and loop.rounds < ENTRIES * ROUNDS_TO_PAY and not loop.is_compiling:
            loop.give_up(f"it has {loop.rounds // ENTRIES} rounds at a time")
        return resume(frames)

    def miss(self, loop: HotLoop, behind: ClosureBlock) -> ClosureBlock:
        """Something is not as it was recorded."""
        loop.misses += 1
        if loop.misses == ENTRIES:
            loop.give_up("its objects are others each time")
        return behind

    def inputs(self, trace: LoopTrace, found: Found, r: Registers) -> Values:
        values: Values = [0] * len(trace.variables)
        values[trace.rounds.number] = ROUNDS
        for register, variable in trace.inputs.items():
            values[variable.number] = r[register]
        for (reference, field), variable in trace.fields.items():
            values[variable.number] = found[reference].fields[field.index]
        for ref, variable in trace.globals.items():
            values[variable.number] = self.program.globals[ref.index]
        return values

    def leave(
        self, trace: LoopTrace, exit: SideExit, values: Values, found: Found, r: Registers
    ) -> list[Active]:
        """The active functions as they are at an exit; what the trace kept in variables is stored."""
        globals = self.program.globals
        objects = [
            {register: find(one, r, globals, found) for register, one in state.references.items()}
            for state in exit.frames
        ]
        for (reference, field), variable in trace.fields.items():
            found[reference].fields[field.index] = values[variable.number]
        for ref, variable in trace.globals.items():
            globals[ref.index] = values[variable.number]
        frames: list[Active] = []
        for state, held in zip(exit.frames, objects, strict=True):
            frame = self.active(state, r if not frames else None)
            for register, variable in state.values.items():
                frame.registers[register] = values[variable.number]
            for register, object in held.items():
                frame.registers[register] = object
            frames.append(frame)
        return frames

    def active(self, state: FrameState, registers: Registers | None) -> Active:
        translator = self.program.translator_of(state.function)
        if registers is None:
            registers = [None] * (len(translator.function.registers) + 1)
        return Active(translator, state.index, state.result, registers)

    # What people want to know.

    def __str__(self) -> str:
        told = [
            loop for loop in self.loops.values() if loop.ready is not None or loop.reason or loop.is_compiling
        ]
        return "".join(["hot loops:\n", *(f"  {loop}\n" for loop in told)] if told else [])


def actives(recorder: TraceRecorder) -> list[Active]:
    """The functions that are active where a recording has ended."""
    return [Active(frame.translator, frame.index, frame.result, frame.registers) for frame in recorder.frames]
