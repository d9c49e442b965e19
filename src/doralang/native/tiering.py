"""Moving up: functions that are hot get optimized code while the program runs on.

    attention -> the frames that run -> hot -> a thread: optimize, compile, place -> the entry cell
                                                                                  -> the stub's return address

Compiled code counts nothing.  Every 20 ms, and behind the first second every 50 ms, the program looks up
(`runtime.ticker`), and what is running then is noted with its caller; a function that has been seen twice is
hot.  Who calls it next comes to its new code.

Who is in a loop of the old code does not call it.  But the loop polls, and at a poll all values are where the
baseline compiler says: so there is a way from there into a version of the function that begins at this poll
(`baseline.replacement`, `optimizing.entry`), and when the loop asks for attention next, the stub returns
there instead.  The old code stays, for those who are in it elsewhere.

A program that is called from Python compiles in place: for a loop that has run for some ticks it is worth to
wait some milliseconds, and no thread outlives the call, the module, or a fork.

With `--hot-now`, for tests, each function has its new code as soon as it is called for the first time: that
call runs the old code, and all others the new one.  In the old code each round of a loop asks for attention,
and the first one is its last; with `--hot=3` the third one of any loop, so that inner loops are left, too.
"""

from __future__ import annotations

from itertools import islice
from time import perf_counter

from doralang.code import layout
from doralang.code.tiers import BASELINE, LLVM
from doralang.native.module import llvm_compiler, preload_llvm
from doralang.native.options import VERIFIES, optimized_tier
from doralang.optional import load
from doralang.runtime.instance import PATIENCE
from doralang.runtime.memory import store_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Thread
    from typing import Final

    from doralang.bytecode.entities import FunctionRef
    from doralang.native.module import Module
    from doralang.native.running import Executor
    from doralang.runtime.instance import Instance
    from doralang.settings import Settings

OPTIMIZER: Final = "doralang.optimizing.optimizer"
SAMPLES: Final = 2
"""how often a function is seen until it is hot"""
FRAMES: Final = 3
"""frames that are looked at: that of the stub, of what runs, and of its caller"""
EARLY: Final = 4
"""ticks from one look to the next at first: what is hot is mostly so from the beginning"""
EARLY_LOOKS: Final = 50
"""looks after which the program looks up as seldom as without tiers: no cache has what a look needs"""
ROOM: Final = 64 << 10
"""bytes of stack that are left where code is replaced: a stack that overflows does so in a call"""


class Request:
    """What is to be compiled: a function, or a version of it that begins in a loop."""

    __slots__ = ("hot_at", "module", "name", "poll")

    def __init__(self, module: Module, name: str, poll: int = 0) -> None:
        self.module = module
        self.name = name
        self.poll = poll
        """the return address of the stub in the loop; 0 for the function itself"""
        self.hot_at = perf_counter()


class Tiering:
    """Looks for hot functions of one run, and has them compiled."""

    def __init__(
        self,
        module: Module,
        tier: str,
        hot: int,
        ask: Callable[[], None],
        *,
        at_once: bool = False,
        in_place: bool = False,
    ) -> None:
        self.module = module
        self.tier = tier
        self.hot = hot
        self.ask_attention = ask
        """lets the program look up soon"""
        self.at_once = at_once
        self.in_place = in_place
        """whether who runs the program compiles, instead of a thread beside it"""
        self.seen: dict[str, int] = {}
        """how often, by name of the function"""
        self.rounds: dict[int, int] = {}
        """how often loops have asked for attention that are to be left at once, by the return address"""
        self.waiting: list[Request] = []
        self.ways_out: dict[int, int | None] = {}
        """where stubs are to return to, by their return addresses in loops; None if nobody knows"""
        self.looks = 0
        self.promoted = 0
        """functions that have moved up, loops that can be left, frames that have been replaced"""
        self.loops = 0
        self.replaced = 0
        self.thread: Thread | None = None
        self.is_prepared = False
        self.is_over = False
        self.waits: list[float] = []
        """seconds from when something was found hot until its code was there"""
        self.failures: list[str] = []
        """what could not be compiled: the functions stay as they are; only a run that verifies fails"""

    # Looking, in the thread that runs the program.

    def look(self, instance: Instance) -> None:
        """Note what runs; replace the innermost frame if there is better code for it."""
        self.looks += 1
        if self.looks == EARLY_LOOKS and not self.at_once and not self.in_place:
            instance.thread[layout.THREAD_PATIENCE] = PATIENCE
        (_, address), *outer = islice(instance.frames(), FRAMES)
        self.look_at_loop(instance, address)
        for one in (address, *(one for _, one in outer)):
            function = self.function_at(instance, one)
            if function is not None and not self.at_once:
                self.note(function.name, is_shared=function.shared)
        if self.in_place:
            self.work_once()
        elif self.thread is None and (self.waiting or not self.is_prepared):
            thread = self.thread = load("threading").Thread(target=self.work, daemon=True)
            thread.start()

    def function_at(self, instance: Instance, address: int) -> FunctionRef | None:
        """The function in whose code a return address is, if it may move up."""
        point = instance.space.places.get(address)
        if point is None:
            return None
        function = point.callers[-1].function if point.callers else point.function
        return None if function.raw or function.hidden else function

    def note(self, name: str, *, is_shared: bool) -> None:
        """A function has been seen."""
        count = self.seen[name] = self.seen.get(name, 0) + 1
        if count == self.hot:
            self.waiting.append(Request(self.module_of(is_shared), name))

    def module_of(self, is_shared: bool) -> Module:
        parent = self.module.parent
        return parent if is_shared and parent is not None else self.module

    # On-stack replacement.

    def look_at_loop(self, instance: Instance, poll: int) -> None:
        """Let the stub that would return to `poll` return into better code; have some made if it is hot."""
        if poll not in self.ways_out:
            function = self.function_at(instance, poll)
            if function is None or not self.is_hot(function, poll):
                return
            self.ways_out[poll] = None
            request = Request(self.module_of(function.shared), function.name, poll)
            if self.at_once:
                self.compile(request)
            else:
                self.waiting.append(request)
        way_out, stub = self.ways_out[poll], instance.thread[layout.THREAD_LAST_FRAME]
        if way_out is not None and stub - instance.thread[layout.THREAD_REAL_LIMIT] > ROOM:
            self.replaced += 1
            store_word(stub + layout.WORD, way_out)

    def is_hot(self, function: FunctionRef, poll: int) -> bool:
        """Whether the loop of a poll is to be left; if at once, that is in a certain round of it."""
        if self.at_once:
            self.rounds[poll] = self.rounds.get(poll, 0) + 1
            return self.rounds[poll] >= self.hot
        return self.seen.get(function.name, 0) + 1 >= self.hot

    # Compiling, in a thread of its own.

    def work(self) -> None:
        """Compile what is waiting, one after the other, until there is nothing."""
        if not self.is_prepared:
            self.prepare()
        while not self.is_over and self.waiting:
            self.work_once()
        self.thread = None

    def prepare(self) -> None:
        """Load what compiles, which takes long: before anything is hot."""
        self.is_prepared = True
        try:
            if self.tier == LLVM:
                preload_llvm()
            load(OPTIMIZER)
            if self.tier == LLVM:
                llvm_compiler()
        except Exception as error:  # there is not enough memory, perhaps
            self.failures.append(f"loading: {error!r}")

    def work_once(self) -> None:
        """Compile the first of what is waiting; in place, limits are looked at before the next one."""
        if self.waiting:
            request = self.waiting.pop(0)
            self.compile(request)
            if self.ways_out.get(request.poll) is not None:
                self.ask_attention()

    def compile(self, request: Request) -> None:
        """Compile what is requested, unless the run is over."""
        with request.module.space.freeing, request.module.space.lock:
            if not self.is_over:
                self.compile_now(request)

    def compile_now(self, request: Request) -> None:
        module, name, poll = request.module, request.name, request.poll
        try:
            if poll:
                self.ways_out[poll] = module.way_out(name, poll, self.tier)
                self.loops += self.ways_out[poll] is not None
            else:
                self.promoted += module.promote(name, self.tier)
            self.waits.append(perf_counter() - request.hot_at)
        except Exception as error:  # the program does not need it
            self.failures.append(f"{name}: {error!r}")

    def stop(self) -> None:
        """The run is over: nothing is placed any more."""
        with self.module.space.freeing, self.module.space.lock:
            self.is_over = True
            self.waiting.clear()

    def statistics(self) -> str:
        """The line of `--stats`."""
        loops = f"{self.loops} loops entered, {self.replaced} frames replaced"
        first, most = (1e3 * one for one in (self.waits[0], max(self.waits))) if self.waits else (0.0, 0.0)
        waits = f"from hot to optimized code {first:.1f} ms at first, {most:.1f} ms at most"
        return f"moving up: {self.promoted} functions, {loops}; {waits}\n"


class MovingUp:
    """While a program runs in it, its functions may move up; not if somebody looks at its code."""

    def __init__(self, executor: Executor, settings: Settings) -> None:
        module, tier, instance = executor.module, optimized_tier(settings), executor.instance
        at_once = settings.hot_now
        hot = settings.hot or (1 if at_once else SAMPLES)
        self.tiering = Tiering(module, tier, hot, instance.ask_attention, at_once=at_once)
        self.modules = [one for one in (module, module.parent) if one is not None]
        if at_once:
            for one in self.modules:
                one.at_once = tier
        if module.emission is None:
            executor.watcher = self.tiering
            instance.thread[layout.THREAD_PATIENCE] = 1 if at_once else EARLY

    def __enter__(self) -> None:
        """Nothing more is to be done."""

    def __exit__(self, *error: object) -> None:
        for one in self.modules:
            one.at_once = BASELINE
        self.tiering.stop()
        assert not (VERIFIES and self.tiering.failures), self.tiering.failures
