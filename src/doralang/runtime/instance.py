"""One running program: its thread block, heap, globals and handles.

An instance is small: the heap is reserved when something is allocated first, and a stack is taken for the
time of a run.  The code is its module's (`runtime.loader`), which any number of instances share.
"""

from __future__ import annotations

from doralang.code import layout
from doralang.machine.foreign import WORD, addressof
from doralang.optional import load
from doralang.runtime.memory import Words, load_bytes, store_word
from doralang.runtime.stacks import MOST_KEPT, STACKS, free_stack, new_stack, room_on_stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from ctypes import Array, c_uint64
    from typing import Final

    from doralang.code.collectors import Collector
    from doralang.runtime.handles import Handles
    from doralang.runtime.heap import Heap
    from doralang.runtime.loader import Loader
    from doralang.runtime.spaces import Sizes

OUTPUT_SIZE: Final = 64 << 10
PATIENCE: Final = 10
"""ticks of the ticker until Python is asked, 50 milliseconds"""


class InstanceBusy(Exception):
    """The instance is running already."""


class HeapOptions:
    """How the heap of an instance is to be.  How large is asked when it is made; `stress` is one of
    `layout.STRESS_…`, or 0."""

    __slots__ = ("events", "sizes", "stress", "verify")

    def __init__(
        self, sizes: Callable[[], Sizes], stress: int = 0, verify: bool = False, events: bool = False
    ) -> None:
        self.sizes = sizes
        self.stress = stress
        self.verify = verify
        self.events = events


class InstanceUnusable(Exception):
    """Nothing can be run any more."""


class RunOptions:
    """What a run may use: bytes of stack, none for all of it, and of output that waits; and ticks until
    Python is asked."""

    __slots__ = ("output", "patience", "stack")

    def __init__(self, stack: int | None = None, patience: int = PATIENCE, output: int = OUTPUT_SIZE) -> None:
        self.stack = stack
        self.patience = patience
        self.output = output


UNLIMITED: Final = RunOptions()


class Instance:
    """The native side of a program that runs.

    `upcall` is called when Dora code wants something of Python: it finds the reason in `thread`, and
    raises to end the call into the program.  `globals` are the kinds of the global variables, those that hold
    references being told to the collector.
    """

    def __init__(
        self,
        loader: Loader,
        collector: Collector,
        options: HeapOptions,
        upcall: Callable[[], None],
        *,
        globals: int,
        references: Sequence[int],
        run_options: RunOptions = UNLIMITED,
    ) -> None:
        self.loader = loader
        self.space = loader.space
        self.collector = collector
        self.options = options
        self.run_options = run_options
        self.ticker = self.space.ticker
        self.thread = Words(self.ticker.new_block(), layout.THREAD_SIZE)
        self.globals = (WORD * max(globals, 1))()
        self.references = references
        """numbers of the globals that hold references"""
        self.made_heap: Heap | None = None
        self.made_handles: Handles | None = None
        self.printed: Array[c_uint64] | None = None
        self.is_closed = False
        self.texts: list[tuple[int, int]] = []
        """texts outside of the heap: addresses and sizes"""
        self.upcall = upcall  # kept alive here, called by address
        self.thread[layout.THREAD_GLOBALS] = addressof(self.globals)
        self.thread[layout.THREAD_UPCALL] = id(self.upcall)
        self.thread[layout.THREAD_PATIENCE] = run_options.patience
        self.thread[layout.THREAD_STACK_SIZE] = room_on_stack(run_options.stack)

    # What is made when it is first needed.

    @property
    def heap(self) -> Heap:
        """The memory of objects."""
        if self.made_heap is None:
            options = self.options
            heap: Heap = load("doralang.runtime.heap").Heap(
                self.collector, options.sizes(), self.thread, self.space, stress=options.stress
            )
            self.made_heap = heap
            start = addressof(self.globals)
            heap.set_globals([start + layout.WORD * number for number in self.references])
            heap.block[layout.HEAP_EVENTS], heap.block[layout.HEAP_VERIFY] = options.events, options.verify
        return self.made_heap

    @property
    def handles(self) -> Handles:
        if self.made_handles is None:
            self.made_handles = load("doralang.runtime.handles").Handles(
                self.heap.block, self.heap.sizes.handles
            )
        return self.made_handles

    @property
    def is_spent(self) -> bool:
        """Whether the heap was left in the middle of a collection, so that nothing can be run any more."""
        return self.made_heap is not None and bool(self.made_heap.block[layout.HEAP_BUSY])

    def set_arguments(self, arguments: Sequence[bytes]) -> None:
        """Make the texts of the program's arguments, which never move, and a table of them."""
        size = max(layout.WORD * len(arguments), layout.WORD)
        table = self.space.arena.new_data(size)
        self.texts.append((table, size))
        for index, data in enumerate(arguments):
            text = self.loader.new_text(data)
            self.texts.append(text)
            store_word(table + layout.WORD * index, text[0])
        self.thread[layout.THREAD_ARGC] = len(arguments)
        self.thread[layout.THREAD_ARGV] = table

    # Output: a buffer, which the program finds full as long as there is none.

    def take_output(self, buffer: bytearray) -> None:
        """Move what the program has printed to the end of a buffer.

        Between the last two lines Python looks for no signal, so that nothing gets lost or comes twice.
        """
        words = self.thread.words
        fill = words[layout.THREAD_OUTPUT_FILL // layout.WORD]
        if fill:
            buffer += load_bytes(words[layout.THREAD_OUTPUT // layout.WORD], fill)
            words[layout.THREAD_OUTPUT_FILL // layout.WORD] = 0

    def make_output(self, most: int) -> None:
        """The program's output may wait for so many bytes of it."""
        if self.printed is None:
            size = self.run_options.output
            self.printed = (WORD * (size // layout.WORD))()
            self.thread[layout.THREAD_OUTPUT] = addressof(self.printed)
            self.thread[layout.THREAD_OUTPUT_SIZE] = size
            self.thread[layout.THREAD_OUTPUT_MOST] = most

    # Running.

    def begin(self) -> int:
        """A call begins: the top of the stack for it.  Raises InstanceBusy and InstanceUnusable."""
        while (found := self.space.claim(self.thread.address)) == layout.NO_STACK:
            self.space.add_spare(new_stack())
        if found == layout.STATE_RUNNING:
            raise InstanceBusy("the instance is running already")
        if found != layout.STATE_IDLE:
            raise InstanceUnusable("it was closed, or its heap left in the middle of a collection")
        return self.thread[layout.THREAD_STACK]

    def ask_attention(self) -> None:
        """Let the running program ask Python soon.  From any thread."""
        self.thread[layout.THREAD_TICKS] = self.run_options.patience
        self.thread[layout.THREAD_LIMIT] = -1

    def run(self, code: int, arguments: int, stack_top: int, *, holds_gil: bool = True) -> None:
        """Call a function with a block of arguments; what an upcall raises comes out.

        Arguments on the stack are there already, from `stack_top` on.
        """
        thread, ticker = self.thread, self.ticker
        block, enter = thread.address, self.space.enter if holds_gil else self.space.enter_free
        thread[layout.THREAD_STACK_TOP] = stack_top
        is_passing = ticker.activate(block)
        try:
            enter(block, code, arguments)
            thread[layout.THREAD_LAST_FRAME] = 0
        finally:
            if is_passing:
                ticker.deactivate(block)

    def end(self) -> None:
        """The call is over."""
        self.space.release(self.thread.address)
        if len(STACKS) > MOST_KEPT:
            spare = self.space.take_spare()
            if spare:
                free_stack(spare)

    def end_fresh(self) -> None:
        """The call is over, and has not done what must be done before machine code may begin one."""
        self.leave(layout.STATE_UNUSABLE if self.is_spent else layout.STATE_FRESH)

    def leave(self, state: int) -> None:
        """End a turn with another state than IDLE, in which nobody ever finds it."""
        stack = self.thread[layout.THREAD_STACK]
        self.thread[layout.THREAD_STATE] = state
        free_stack(stack)

    @property
    def is_running(self) -> bool:
        return self.thread[layout.THREAD_STATE] == layout.STATE_RUNNING

    # The stack.

    def frames(self, start: int = 0) -> Iterable[tuple[int, int]]:
        """Frame pointer and return address into each frame of Dora code, innermost first; or from one on."""
        frame = start or self.thread[layout.THREAD_LAST_FRAME]
        while frame:
            words = Words(frame, 2 * layout.WORD)
            yield words[0], words[layout.WORD]
            frame = words[0]

    def close_unless_busy(self) -> None:
        """Free it, but for the thread block, at whose state somebody may still look.  Raises InstanceBusy."""
        try:
            self.begin()
        except InstanceUnusable:
            pass
        else:
            self.leave(layout.STATE_UNUSABLE)
        self.close(keeps_thread=True)

    def close(self, *, keeps_thread: bool = False) -> None:
        """Free everything; the code stays, it is the module's.  The second time nothing happens.

        Nobody runs it, or could begin to.  The thread block stays if somebody may still look at its state.
        """
        if self.is_closed:
            return
        self.is_closed = True
        self.thread[layout.THREAD_STATE] = layout.STATE_UNUSABLE
        if self.made_handles is not None:
            self.made_handles.free()
        if self.made_heap is not None:
            self.made_heap.free()
        for address, size in self.texts:
            self.space.arena.free_data(address, size)
        if not keeps_thread:
            self.free_thread()

    def free_thread(self) -> None:
        """Free the thread block of an instance that was closed without it."""
        self.ticker.free_block(self.thread.address)
