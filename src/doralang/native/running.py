"""Running compiled programs: an instance of a module, entered from Python, with options and reports."""

from __future__ import annotations

from doralang.code import layout
from doralang.interpreter.output import NO_INPUT, Output, as_utf8, default_heap_size
from doralang.machine.foreign import WORD, addressof
from doralang.native.upcalls import Upcalls
from doralang.optional import load
from doralang.runtime.instance import UNLIMITED, HeapOptions, Instance
from doralang.runtime.memory import store_word
from doralang.settings import Settings
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from doralang.bytecode.entities import FunctionRef
    from doralang.code.collectors import Collector
    from doralang.interpreter.context import HostContext
    from doralang.interpreter.objects import Value
    from doralang.interpreter.sinks import ByteSink
    from doralang.native.module import Module
    from doralang.runtime.instance import RunOptions
    from doralang.runtime.spaces import Sizes
    from doralang.settings import ByteSource
    from doralang.types.failures import Failure

    class Watcher(Protocol):
        """Is asked to look every few ticks."""

        def look(self, instance: Instance) -> None:
            """The program waits meanwhile; its frames can be walked."""

        def statistics(self) -> str:
            """What it has done, in a line."""


class Entering:
    """Where arguments go when a function is entered: words of the block, or ~offsets in the stack."""

    __slots__ = ("places", "stack_size")

    def __init__(self, places: list[int], stack_size: int) -> None:
        self.places = places
        self.stack_size = stack_size


class Executor(Upcalls):
    """Runs one program as machine code.  `stdin`, `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        module: Module,
        *,
        arguments: Sequence[str] = (),
        stdin: ByteSource = NO_INPUT,
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
        run_options: RunOptions = UNLIMITED,
        collector: Collector | None = None,
    ) -> None:
        """The collector is the one that the module is compiled for, or one whose objects may lie anywhere."""
        self.settings = settings = settings or Settings()
        self.module = module
        self.pending: BaseException | None = None
        self.made_context: HostContext | None = None
        self.watcher: Watcher | None = None
        """looks for hot functions (`native.tiering`), if somebody is to"""
        self.stderr = stderr
        self.stdin = stdin
        self.output = Output(stdout)
        self.entries: dict[tuple[Kind, ...], Entering] = {(): Entering([], 0)}
        if module.emission is not None:
            module.show = self.show
        count, references = module.globals()
        self.collector = collector or module.options.collector
        if settings.heap_size is not None:
            self.heap_sizes()  # what cannot be is refused at once
        self.instance = Instance(
            module.loader,
            self.collector,
            HeapOptions(self.heap_sizes, stress(settings), settings.gc_verify, settings.gc_events),
            self.upcall,
            globals=count,
            references=references,
            run_options=run_options,
        )
        self.use_collector()
        self.arguments = [as_utf8(argument) for argument in arguments]
        self.instance.set_arguments(self.arguments)
        if module.emission is not None:
            module.space.place_all_stubs()
            for symbol, size in module.space.sizes.items():
                module.emission.note_place(":".join(symbol), module.space.symbols[symbol], size)

    def heap_sizes(self) -> Sizes:
        """How large the heap is.  Raises ImpossibleSetting and MemoryError."""
        settings, spaces = self.settings, self.collector.spaces
        sizes: Sizes = load("doralang.runtime.spaces").fitting(
            spaces, settings.heap_size, default_heap_size(), settings.young_size
        )
        return sizes

    def use_collector(self) -> None:
        """Let full allocation buffers lead to the collector."""
        module = self.module
        allocate = module.heap_function(self.collector.allocate)
        self.instance.thread[layout.THREAD_ALLOCATE] = module.loader.cell(allocate)

    def look_at_limits(self) -> None:
        if self.watcher is not None:
            self.watcher.look(self.instance)

    def print_statistics(self) -> None:
        if self.settings.gc_stats:
            self.stderr.write(load("doralang.native.watching").statistics(self.instance).encode())
        if self.settings.stats:
            if self.watcher is not None:
                self.stderr.write(self.watcher.statistics().encode())
            for module in (self.module.parent, self.module):
                if module is not None and module.times is not None:
                    self.stderr.write(str(module.times).encode())

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""
        for initializer in self.module.roots.initializers:
            self.run(initializer, [])

    def code_size(self) -> int:
        """Bytes of machine code, without stubs."""
        return self.module.loader.code_size

    def close(self) -> None:
        """Free heap, tables, and the code of the program; nothing may be called any more.

        Output is there only if a signal came while it was to be written.
        """
        self.write_output()
        self.instance.close()
        self.module.close()

    # Calls.

    def run(self, ref: FunctionRef, words: list[int]) -> Value:
        """Enter native code.  Whatever way it ends, its output is written then.

        Raises Failure, Exit and InstanceBusy.
        """
        instance = self.instance
        if instance.is_spent:
            raise spent()
        instance.begin()
        try:
            try:
                return self.enter(ref, self.module.loader.cell(ref), words)
            finally:
                self.write_output()
        except BaseException as error:
            failure = load("doralang.types.failures").as_failure(error, self.trace())
            if failure is None:
                raise
        finally:
            instance.end()
        raise failure

    def enter(self, ref: FunctionRef, cell: int, words: list[int], *, holds_gil: bool = True) -> Value:
        """Call a function by its entry cell in the instance, whose turn it is.

        Other threads run Python meanwhile, if the GIL is not held: at once, not behind the first tick."""
        entering, instance = self.entering(ref.parameters), self.instance
        top = instance.thread[layout.THREAD_STACK] - entering.stack_size
        block = (WORD * layout.ARGUMENT_WORDS)()
        for place, word in zip(entering.places, words, strict=True):
            if place >= 0:
                block[place] = word
            else:
                store_word(top + ~place, word)
        code = instance.space.arena.cell(cell)
        instance.run(code, addressof(block), top, holds_gil=holds_gil)
        return self.result(ref.result)

    def entering(self, parameters: tuple[Kind, ...]) -> Entering:
        """How functions with these parameters are entered."""
        entering = self.entries.get(parameters)
        if entering is None:
            stubs, masm = load("doralang.runtime.stubs"), self.instance.space.target.assembler()
            arguments, stack_size = masm.call_layout(parameters)
            places = [stubs.argument_place(masm, argument) for argument in arguments]
            entering = self.entries[parameters] = Entering(places, stack_size)
        return entering

    def result(self, kind: Kind | None) -> Value:
        thread = self.instance.thread
        if kind is None:
            return None
        if kind in (Kind.FLOAT, Kind.DOUBLE):
            return self.from_word(thread[layout.THREAD_FLOAT_RESULT], kind)
        return self.from_word(thread[layout.THREAD_RESULT], kind)


def spent() -> Failure:
    failure: Failure = load("doralang.types.failures").fatal(
        "the heap was left in the middle of a collection"
    )
    return failure


def stress(settings: Settings) -> int:
    if settings.gc_stress:
        return layout.STRESS_FULL
    return layout.STRESS_MINOR if settings.gc_stress_minor else 0
