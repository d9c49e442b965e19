"""Running instances inside Python: their limits, `cancel`, where printed text goes, and who holds them.

    Host         one instance: what its code asks of Python, and the way in for calls that go through Python
    Instances    where a function's calls run: `Pool` for a module without globals, `Alone` for one instance

What belongs to one call (its deadline, a `cancel`, what it has printed) is kept with the number of the call,
which machine code counts.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import time
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from weakref import WeakSet

from doralang.bytecode.entities import FunctionRef
from doralang.checker.hosts import number_of
from doralang.code import layout
from doralang.code.collectors import COLLECTORS
from doralang.code.tiers import BASELINE, OPTIMIZED
from doralang.embed import errors
from doralang.embed.callbacks import Callback
from doralang.embed.limits import Limits
from doralang.embed.standard_input import HOST_INPUT
from doralang.interpreter.objects import Value
from doralang.native.module import Module
from doralang.native.options import optimized_tier
from doralang.native.running import Executor
from doralang.optional import load
from doralang.runtime.instance import OUTPUT_SIZE, Instance, InstanceBusy, InstanceUnusable, RunOptions
from doralang.runtime.memory import RegionFull, load_word, load_words
from doralang.settings import Settings
from doralang.types.failures import Exit, Failure, FatalError, Trapped, as_failure
from doralang.types.kinds import Kind
from doralang.types.traps import Trap

# What frees instances must be there before them, or Python clears it first when it ends.
load("doralang.runtime.heap")
load("doralang.runtime.handles")

if TYPE_CHECKING:
    from doralang.native.tiering import Tiering
    from doralang.runtime.spaces import Sizes

T = TypeVar("T")

Print = Callable[[str], object]

BELOW_UPCALL: Final = 4096
"""bytes below the last frame where the stack may be used while Python answers an upcall"""
SAVED: Final = (
    layout.THREAD_HOST_STACK,
    layout.THREAD_HOST_FRAME,
    layout.THREAD_LANDING,
    layout.THREAD_STACK_TOP,
    layout.THREAD_LAST_FRAME,
    layout.THREAD_ARGUMENT,
    layout.THREAD_ARGUMENTS,
)
"""words of an upcall that is being answered"""
MOST_FUEL: Final = 1 << 62
"""what a call gets that has no limit of fuel"""
LOOKS: Final = 4
"""ticks from one look at what runs to the next, where no clock asks for every one"""
HOT: Final = 3
"""looks at which a function runs until it gets better code"""
COMPILING: Final = 0.25
"""seconds that must be left where time is limited: better code may take a tenth of a second to make"""
COMPILING_BY_LLVM: Final = 4.0
"""the same for code of LLVM: it takes up to two seconds for a function, after half a one to load it"""
OUTPUT_SHARE: Final = 16
"""so small a part of a limit of memory is for output that waits"""
LEAST_OUTPUT: Final = 64
FRAMES_TO_END: Final = 16
"""calls of Python functions, one within the other, that the end of a turn takes at most"""
MOST_POOLED: Final = 8
"""instances that a module keeps for the next calls"""
SETTINGS: Final = Settings()
HASH_SEED: Final = int.from_bytes(os.urandom(8), "little") | 1
"""for the maps of all instances: nobody else knows which keys collide"""

LIVE_HOSTS: Final[WeakSet[Host]] = WeakSet()
"""all of them, for `memory`"""


class Sink:
    """Takes the bytes that a program prints and gives them on as text."""

    def __init__(self, print: Print | None, most: int | None) -> None:
        self.print = print
        self.most = most
        self.written = 0
        """bytes, in the present call"""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> None:
        room = len(data) if self.most is None else max(self.most - self.written, 0)
        self.written += len(data)
        text = self.decoder.decode(data[:room])
        if text and self.print is not None:
            self.print(text)
        if room < len(data):
            raise errors.LimitExceeded(
                f"it printed more than {self.most} bytes (the limit `output`)", limit="output"
            )

    def flush(self) -> None:
        """Nothing waits here."""

    def isatty(self) -> bool:
        return False


def look_ahead(frames: int) -> None:
    """Raises RecursionError if Python would refuse so many calls more, one within the other: what begins here
    must be able to end."""
    if frames:
        look_ahead(frames - 1)


class Host(Executor):
    """An instance of a program that another program calls."""

    of_limits = (errors.LimitExceeded, errors.Cancelled)

    def __init__(
        self, module: Module, limits: Limits, print: Print | None, callbacks: Sequence[Callback]
    ) -> None:
        self.limits = limits
        self.sink = Sink(print, limits.output)
        self.deadline = 0.0
        self.timed_call = self.cancelled_call = self.printing_call = -1
        """numbers of calls: the one that the deadline is for, the one that is to end, the last that
        printed"""
        has_clock = limits.time is not None
        self.has_fuel = limits.fuel is not None
        self.given_fuel = MOST_FUEL if limits.fuel is None else min(limits.fuel, MOST_FUEL)
        self.burnt_fuel = 0
        """in earlier calls"""
        self.is_initialized = not module.roots.initializers
        self.callbacks = callbacks
        self.tiering: Tiering | None = None
        self.moves_up = not module.options.counts_fuel and module.options.tier == BASELINE
        super().__init__(
            module,
            stdin=HOST_INPUT,
            stdout=self.sink,
            stderr=self.sink,
            settings=Settings(heap_size=limits.memory),
            run_options=RunOptions(
                limits.stack, 1 if has_clock or self.has_fuel else LOOKS, output_size(limits.memory)
            ),
            collector=None if limits.memory is None else COLLECTORS["copy"],
        )
        if not self.has_fuel:  # how much is burnt must be the same everywhere, and is bounded anyway
            self.instance.globals[layout.GLOBAL_HASH_SEED] = HASH_SEED
        LIVE_HOSTS.add(self)
        self.instance.thread[layout.THREAD_FUEL] = self.given_fuel
        if not self.is_initialized:
            self.instance.thread[layout.THREAD_STATE] = layout.STATE_FRESH

    @property
    def spent(self) -> errors.DoraError | None:
        """Why it can no longer be called."""
        if self.instance.is_closed:
            return errors.InstanceSpent("it was closed")
        if self.instance.is_spent:
            return errors.InstanceSpent("it was left in the middle of a collection")
        return None

    @property
    def calls(self) -> int:
        return self.instance.thread[layout.THREAD_CALLS]

    @property
    def machine_code_may_enter(self) -> bool:
        """Whether calls need nothing from Python when they begin; the first one, which initialises globals,
        apart."""
        thread = self.instance.thread.address
        return self.limits.time != 0 and not self.has_fuel and self.instance.ticker.has_place(thread)

    def heap_sizes(self) -> Sizes:
        """How large the heap is; where memory is limited, what is left for it."""
        memory = self.limits.memory
        if memory is None:
            return super().heap_sizes()
        globals = layout.WORD * self.module.globals()[0]
        sizes: Sizes = load("doralang.runtime.spaces").within(
            memory, layout.THREAD_SIZE + globals + output_size(memory)
        )
        return sizes

    @property
    def bytes_in_use(self) -> int:
        """Of its objects, but for what nobody has found dead yet; nothing is left of a closed one."""
        heap = self.instance.made_heap
        return 0 if heap is None or self.instance.is_closed else heap.bytes_in_use()

    @property
    def mappings(self) -> int:
        """Of the system's memory: its heap with tables, and its handles."""
        heap = self.instance.made_heap
        if heap is None or self.instance.is_closed:
            return 0
        return heap.mappings + (self.instance.made_handles is not None)

    # Calls.

    def begin(self) -> None:
        """Begin a turn, which `call` ends.  Raises InstanceBusy, InstanceSpent and RecursionError."""
        look_ahead(FRAMES_TO_END)
        if self.spent is not None:
            raise errors.InstanceSpent(f"the instance cannot be used any more: {self.spent}")
        try:
            self.instance.begin()
        except InstanceBusy:
            raise errors.InstanceBusy("the instance is running already") from None
        except InstanceUnusable:  # since a moment ago
            raise errors.InstanceSpent(f"the instance cannot be used any more: {self.spent}") from None

    def call(
        self,
        ref: FunctionRef,
        cell: int,
        words: Callable[[], list[int]],
        take: Callable[[Value], T],
        *,
        holds_gil: bool = True,
    ) -> T:
        """Call a function by its entry cell, in a turn that has begun and that ends with it.

        Its arguments are made, and what it returns is taken, within the turn; `take` gets the address of an
        object. Raises what the API has.
        """
        instance = self.instance
        try:
            self.refuel()
            self.look_at_limits()
            self.initialize()
            try:
                return take(self.enter(ref, cell, words(), holds_gil=holds_gil))
            finally:
                instance.thread[layout.THREAD_LAST_FRAME] = 0
                self.write_output()
        except Trapped as error:
            raise self.raised(error) from None
        finally:
            if self.is_initialized:
                instance.end()
            else:
                instance.end_fresh()

    def initialize(self) -> None:
        """Initialise the globals in the first turn.  If that fails the next turn does it all again."""
        if not self.is_initialized:
            try:
                for initializer in self.module.roots.initializers:
                    self.enter(initializer, self.module.loader.cell(initializer), [])
            finally:
                self.write_output()
            self.is_initialized = True

    def result(self, kind: Kind | None) -> Value:
        """What a function has returned; an address, if it is an object."""
        if kind is Kind.REF:
            return self.instance.thread[layout.THREAD_RESULT]
        return super().result(kind)

    def look_at_limits(self) -> None:
        """Raises Cancelled, FuelExhausted and TimeLimitExceeded.

        The time of a call that machine code began is taken from its first tick on, at most 5 ms after.
        """
        calls, limit = self.calls, self.limits.time
        if self.cancelled_call == calls:
            raise errors.Cancelled("the call was cancelled", errors.frames_of(self.trace()))
        if self.instance.thread[layout.THREAD_FUEL] >> 63:
            line = f"the call used more than {self.limits.fuel} units (the limit `fuel`)"
            raise errors.FuelExhausted(line, errors.frames_of(self.trace()), "fuel")
        if limit is None:
            return
        now = time.monotonic()
        if self.timed_call != calls:
            self.timed_call, self.deadline = calls, now + limit
        if now >= self.deadline:
            line = f"the call took longer than {limit} s (the limit `time`)"
            raise errors.TimeLimitExceeded(line, errors.frames_of(self.trace()), "time")

    @property
    def fuel_used(self) -> int:
        """By all calls, the present one included; 0 where the code does not count it."""
        left = self.instance.thread[layout.THREAD_FUEL]
        return self.burnt_fuel + self.given_fuel - (0 if left >> 63 else left)

    def refuel(self) -> None:
        """What each call may use is there again, which changes nothing in what has been used."""
        self.burnt_fuel = self.fuel_used
        self.instance.thread[layout.THREAD_FUEL] = self.given_fuel

    def cancel(self) -> None:
        """From any thread: the running call, if there is one, ends soon."""
        calls = self.calls
        if self.instance.is_running:
            self.cancelled_call = calls
            self.instance.ask_attention()

    # What the program asks.

    def attention(self) -> None:
        """Some ticks have passed: what runs then for a while gets better code."""
        super().attention()
        left = inf if self.limits.time is None else self.deadline - time.monotonic()
        if self.moves_up and left > COMPILING:
            tier = better_tier(self.module, left)
            if self.tiering is None:
                tiering, ask = load("doralang.native.tiering"), self.instance.ask_attention
                self.tiering = tiering.Tiering(self.module, tier, HOT, ask, in_place=True)
            self.tiering.tier = tier
            self.tiering.look(self.instance)

    def upcall(self) -> None:
        """The same, but what ends the call is already what its caller gets."""
        try:
            super().upcall()
        except Exit as exit:
            raise errors.Exited(exit.status) from None
        except (Trapped, FatalError) as error:
            raise self.raised(error) from None

    def call_internal(self, number: int) -> None:
        """An internal function, or one of the host's."""
        ref = self.module.space.internals[number]
        host = number_of(ref.internal or "")
        if host is None:
            super().call_internal(number)
            return
        thread = self.instance.thread
        words = load_words(thread[layout.THREAD_ARGUMENTS], len(ref.parameters))
        thread[layout.THREAD_RESULT] = self.callbacks[host].call(self, words)

    def raised(self, error: Trapped | FatalError) -> BaseException:
        """The failure of the program as the API has it."""
        failure = as_failure(error, self.trace())
        assert isinstance(failure, Failure), "it is one of the program's"
        return errors.failure_of(failure)

    def write_output(self) -> None:
        if self.printing_call != self.calls:
            self.printing_call, self.sink.written = self.calls, 0
        super().write_output()

    # Objects that Python holds.

    @property
    def has_objects(self) -> bool:
        """Whether it holds any."""
        made = self.instance.made_handles
        return made is not None and made.in_use > 0

    def hold(self, address: int) -> int:
        """The place of a handle; in a turn.  Raises Trapped."""
        try:
            return self.instance.handles.hold(address)
        except RegionFull:
            raise Trapped(Trap.MEMORY) from None

    def at(self, place: int) -> int:
        """Where the object of a handle is now."""
        return load_word(place)

    def drop(self, place: int) -> None:
        """Nobody needs a handle any more; at any time, from any thread."""
        instance: Instance | None = self.__dict__.get("instance")
        if instance is not None and not instance.is_closed:  # Python's collector may have freed it before
            instance.handles.drop(place)
            if not instance.is_running:
                instance.handles.forget_dropped()

    # Memory for Python, which may need a collection.

    def new_memory(self, size: int) -> int:
        """Zeroed room for an object whose header is stored at once.  Raises Trapped."""
        thread, size = self.instance.thread, layout.align(size)
        top = thread[layout.THREAD_TOP]
        if size <= layout.LARGEST_CELL and top + size <= thread[layout.THREAD_END]:
            thread[layout.THREAD_TOP] = top + size
            return top
        address = self.allocate_by_collector(size)
        if not address:
            raise Trapped(Trap.MEMORY)
        return address

    def allocate_by_collector(self, size: int) -> int:
        """Let the collector's function find room, on the stack below what runs there."""
        instance, thread = self.instance, self.instance.thread
        saved = [thread[word] for word in SAVED]
        last = thread[layout.THREAD_LAST_FRAME]
        top = (last - BELOW_UPCALL) & -16 if last else thread[layout.THREAD_STACK]
        block = (ctypes.c_uint64 * layout.ARGUMENT_WORDS)(size)
        code = instance.space.arena.cell(thread[layout.THREAD_ALLOCATE])
        try:
            instance.run(code, ctypes.addressof(block), top)
        finally:
            for word, value in zip(SAVED, saved, strict=True):
                thread[word] = value
        return thread[layout.THREAD_RESULT]

    def collect_halves(self, words: list[int]) -> int:
        self.allocate_by_collector(0)
        return 0

    def close(self) -> None:
        """Free it.  The thread block stays while functions have its address: until the instances is gone.

        Raises the runtime's InstanceBusy.
        """
        self.instance.close_unless_busy()


def better_tier(module: Module, left: float) -> str:
    """What hot functions are compiled in, if the call has so many seconds left.

    LLVM knows nothing of hardened code: it would take away a mask that is behind a check, as one that changes
    nothing.
    """
    if module.options.hardened or left < COMPILING_BY_LLVM:
        return OPTIMIZED
    return optimized_tier(SETTINGS)


def output_size(memory: int | None) -> int:
    """Bytes of output that may wait where so many bytes are all that there is."""
    if memory is None:
        return OUTPUT_SIZE
    return max(min(OUTPUT_SIZE, memory // OUTPUT_SHARE & -layout.WORD), LEAST_OUTPUT)


class Instances(Protocol):
    """Where the calls of a function run."""

    code: Module
    has_several: bool
    """whether several calls may run at a time"""

    @property
    def host(self) -> Host:
        """The one whose thread block machine code is given."""

    def take(self) -> Host:
        """An instance whose turn has begun.  Raises InstanceBusy and InstanceSpent."""

    def give_back(self, host: Host) -> None:
        """The call is over."""


class Pool:
    """The instances of a module without globals: any number of calls at a time."""

    has_several = True

    def __init__(self, code: Module, new: Callable[[], Host]) -> None:
        self.code = code
        self.new = new
        self.kept = Kept(code)

    @property
    def host(self) -> Host:
        """The first instance.  If several threads make it, that of the first one counts for all of them."""
        if self.kept.made is None:
            made = self.new()
            self.kept.made = self.kept.made or made  # nobody comes in between, as nothing is called
            if self.kept.made is not made:
                free(self.code, [made])
        return self.kept.made

    def take(self) -> Host:
        """The first instance if it is free, so that machine code finds all ready there; else another one."""
        host, busy = self.host, []
        try:
            while not begun(host):
                busy.append(host)
                host = self.another()
        finally:
            self.kept.spare += [one for one in busy if one is not self.kept.made]
        return host

    def another(self) -> Host:
        """One that no call has taken; a method of an object in it may run there nevertheless."""
        try:
            return self.kept.spare.pop()
        except IndexError:
            return self.new()

    def give_back(self, host: Host) -> None:
        if host is self.kept.made:
            return
        is_needed = len(self.kept.spare) < MOST_POOLED or host.has_objects
        if host.instance.is_spent or not is_needed:
            host.close()
            host.instance.free_thread()
        else:
            self.kept.spare.append(host)


class Kept:
    """The instances of a pool, which go with it.

    The pool itself has no finalizer: while that runs another thread may still find the pool by a weak
    reference, and go on with it.
    """

    def __init__(self, code: Module) -> None:
        self.code = code
        self.made: Host | None = None
        self.spare: list[Host] = []

    def __del__(self) -> None:
        free(self.code, [*self.spare, *([self.made] if self.made else [])])


def begun(host: Host) -> bool:
    """Begin a turn of an instance, if it has none and can have one."""
    try:
        host.begin()
    except (errors.InstanceBusy, errors.InstanceSpent):
        return False
    return True


class Alone:
    """One instance, one call at a time."""

    has_several = False

    def __init__(self, host: Host) -> None:
        self.host = host
        self.code = host.module

    def take(self) -> Host:
        self.host.begin()
        return self.host

    def give_back(self, host: Host) -> None:
        """Nothing is to be done."""

    def __del__(self) -> None:
        free(self.code, [self.host])


def free(code: Module, hosts: list[Host]) -> None:
    """Free instances to which nothing leads any more."""

    def close() -> None:
        for host in hosts:
            host.instance.close(keeps_thread=True)
            host.instance.free_thread()
            LIVE_HOSTS.discard(host)
            host.__dict__.clear()  # it is in a cycle with what answers its upcalls

    code.space.condemn(close)
