"""Hot functions: counted while the program runs, made native in the background.

    counting   each call and each round of a loop takes one off a counter
    waiting    the function, and those that it calls, are with the provider; the program runs on
    native     later calls enter native code
    refused    later calls are as they were, and count nothing

A call enters a function through `Code.entry`, so all that changes is the block that stands there.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from queue import SimpleQueue
from threading import Thread
from typing import Final, NamedTuple, Protocol

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.native import NativeFunction, NativeProvider
from doralang.bytecode.places import Site
from doralang.interpreter.stack import with_headroom
from doralang.vm.code import ClosureBlock, ClosureCode, End, Op, Registers

MOST_TOGETHER: Final = 50
"""functions handed over at once"""


class State(Enum):
    COUNTING = "counting"
    WAITING = "waiting"
    NATIVE = "native"
    REFUSED = "refused"


class Counter:
    """What a function has left until it is hot, and what became of it then."""

    __slots__ = ("code", "left", "reason", "state")

    def __init__(self, code: ClosureCode, left: int) -> None:
        self.code = code
        self.left = left
        self.state = State.COUNTING
        self.reason = ""


class Job(NamedTuple):
    """What the background thread is asked for, and whom it tells."""

    functions: list[Function]
    counters: list[Counter]


class HotProgram(Protocol):
    """What this asks of the running program."""

    def code_of(self, ref: FunctionRef) -> ClosureCode: ...

    def bytecode(self, ref: FunctionRef) -> Function: ...

    def plain_entry(self, code: ClosureCode) -> ClosureBlock:
        """The first block of a function that counts nothing."""


class HotFunctions:
    """The counters of a program, and the thread that gets native code for what is hot."""

    def __init__(
        self, threshold: int, provider: NativeProvider, program: HotProgram, *, at_once: bool = False
    ) -> None:
        self.threshold = threshold
        self.provider = provider
        self.program = program
        self.at_once = at_once
        self.counters: dict[FunctionRef, Counter] = {}
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread: Thread | None = None
        self.closed = False

    # Counting.

    def counter(self, code: ClosureCode) -> Counter:
        counter = self.counters.get(code.ref)
        if counter is None:
            counter = self.counters[code.ref] = Counter(code, self.threshold)
        return counter

    def counting_entry(self, code: ClosureCode, first: ClosureBlock) -> ClosureBlock:
        """An entry that counts calls and goes on with the first block."""
        counter, become_hot = self.counter(code), self.become_hot

        def end(r: Registers) -> ClosureBlock:
            counter.left -= 1
            if not counter.left:
                become_hot(counter)
            return first

        code.places[end] = (Site(code.ref, code.line),)
        return ClosureBlock((), end)

    def closure(self, code: ClosureCode) -> Op | None:
        """For the head of a loop (`vm.translator.LoopHeads`): count the round."""
        counter, become_hot = self.counter(code), self.become_hot
        if counter.state is State.REFUSED:
            return None

        def op(r: Registers) -> None:
            counter.left -= 1
            if not counter.left:
                become_hot(counter)

        return op

    def end(self, translator: object, index: int) -> None:
        """Loops go on."""

    # Making native.

    def become_hot(self, counter: Counter) -> None:
        if counter.state is not State.COUNTING:
            return
        functions = with_headroom(lambda: list(self.together(counter.code.ref)))
        reason = self.provider.reason(functions[0])
        if reason:
            return self.refuse(counter, reason)
        counters = [self.counter(self.program.code_of(function.ref)) for function in functions]
        for one in counters:
            one.state = State.WAITING
        job = Job(functions, counters)
        if self.at_once:
            return self.work(job)
        if self.thread is None:
            self.thread = Thread(target=self.work_on, name="dora-native", daemon=True)
            self.thread.start()
        return self.jobs.put(job)

    def together(self, ref: FunctionRef) -> Iterator[Function]:
        """A function and those that it may call, as far as they can be native at all."""
        waiting, seen = [ref], {ref}
        while waiting and len(seen) <= MOST_TOGETHER:
            function = self.program.bytecode(waiting.pop())
            yield function
            for callee in called(function):
                if callee not in seen and not self.provider.reason(self.program.bytecode(callee)):
                    seen.add(callee)
                    waiting.append(callee)

    def work_on(self) -> None:
        while (job := self.jobs.get()) is not None:
            self.work(job)

    def work(self, job: Job) -> None:
        if self.closed:
            return
        made = self.provider.compile(job.functions)
        for counter in job.counters:
            result = made.get(counter.code.ref, "it was not asked for")
            if isinstance(result, str):
                self.refuse(counter, result)
            else:
                counter.state = State.NATIVE
                counter.code.entry = native_entry(counter.code, result)

    def refuse(self, counter: Counter, reason: str) -> None:
        counter.state, counter.reason = State.REFUSED, reason
        counter.code.entry = self.program.plain_entry(counter.code)

    def close(self) -> None:
        """Whatever is being compiled is not waited for."""
        self.closed = True
        if self.thread is not None:
            self.jobs.put(None)

    # What people want to know.

    def __str__(self) -> str:
        lines = [f"  {describe(counter)}\n" for counter in self.counters.values() if is_told(counter)]
        return "".join(["hot functions:\n", *lines] if lines else [])


def is_told(counter: Counter) -> bool:
    return counter.state is not State.COUNTING


def describe(counter: Counter) -> str:
    name = counter.code.ref.name
    if counter.state is State.REFUSED:
        return f"{name}: in the VM, because {counter.reason}"
    return f"{name}: {'native' if counter.state is State.NATIVE else 'in the VM, still waiting'}"


def native_entry(code: ClosureCode, native: NativeFunction) -> ClosureBlock:
    """An entry into native code, whose result is that of the call."""
    end = entry_end(native, len(code.ref.parameters))
    code.places[end] = (Site(code.ref, code.line),)
    return ClosureBlock((), end)


def entry_end(native: NativeFunction, count: int) -> End:
    def end(r: Registers) -> None:
        r[0] = native(*r[:count])

    return end


def called(function: Function) -> Iterator[FunctionRef]:
    """The functions of the program that bytecode calls, as far as it says which."""
    for insn in function.code:
        if isinstance(insn, i.Call):
            yield insn.function
