"""Running compiled programs: an instance of a module, entered from Python, with options and reports."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from doralang.bytecode.entities import FunctionRef
from doralang.code import layout
from doralang.interpreter.context import ByteSink, Context, Output, as_utf8, default_heap_size
from doralang.interpreter.objects import Value
from doralang.native.module import Module
from doralang.native.upcalls import Upcalls
from doralang.optional import load
from doralang.runtime import stubs
from doralang.runtime.instance import UNLIMITED, HeapOptions, Instance, RunOptions
from doralang.runtime.memory import store_word
from doralang.runtime.spaces import fitting
from doralang.settings import Settings
from doralang.types.failures import Failure, as_failure
from doralang.types.kinds import Kind
from doralang.types.traps import FATAL_STATUS, Trace


class Watcher(Protocol):
    """Is asked to look every few ticks."""

    def look(self, instance: Instance) -> None:
        """The program waits meanwhile; its frames can be walked."""

    def statistics(self) -> str:
        """What it has done, in a line."""


class Entering(NamedTuple):
    """Where arguments go when a function is entered: words of the block, or ~offsets in the stack."""

    places: list[int]
    stack_size: int


class Executor(Upcalls):
    """Runs one program as machine code.  `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        module: Module,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
        run_options: RunOptions = UNLIMITED,
    ) -> None:
        self.settings = settings = settings or Settings()
        self.module = module
        self.pending: BaseException | None = None
        self.watcher: Watcher | None = None
        """looks for hot functions (`native.tiering`), if somebody is to"""
        self.stderr = stderr
        self.output = Output(stdout)
        self.entries: dict[tuple[Kind, ...], Entering] = {}
        if module.emission is not None:
            module.show = self.show
        count, references = module.globals()
        collector = module.options.collector
        sizes = fitting(collector.spaces, settings.heap_size, default_heap_size(), settings.young_size)
        self.instance = Instance(
            module.loader,
            collector,
            HeapOptions(sizes, stress(settings), settings.gc_verify, settings.gc_events),
            self.upcall,
            globals=count,
            references=references,
            run_options=run_options,
        )
        self.use_collector()
        texts = [as_utf8(argument) for argument in arguments]
        self.instance.set_arguments(texts)
        if module.emission is not None:
            for symbol, size in module.space.sizes.items():
                module.emission.note_place(str(symbol), module.space.symbols[symbol], size)
        roots = module.roots
        self.context = Context(
            self, self.output, texts, settings.heap_size, roots.str_class, roots.longs_class
        )

    def use_collector(self) -> None:
        """Let full allocation buffers lead to the collector."""
        module = self.module
        allocate = module.heap_function(module.options.collector.allocate)
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
            failure = as_failure(error, self.trace())
            if failure is None:
                raise
        finally:
            instance.end()
        raise failure

    def enter(self, ref: FunctionRef, cell: int, words: list[int]) -> Value:
        """Call a function by its entry cell in the instance, whose turn it is."""
        entering, instance = self.entering(ref.parameters), self.instance
        top = instance.thread[layout.THREAD_STACK] - entering.stack_size
        block = (ctypes.c_uint64 * stubs.ARGUMENT_WORDS)()
        for place, word in zip(entering.places, words, strict=True):
            if place >= 0:
                block[place] = word
            else:
                store_word(top + ~place, word)
        code = instance.space.arena.cell(cell)
        instance.run(code, ctypes.addressof(block), top)
        return self.result(ref.result)

    def entering(self, parameters: tuple[Kind, ...]) -> Entering:
        """How functions with these parameters are entered."""
        entering = self.entries.get(parameters)
        if entering is None:
            masm = self.instance.space.target.assembler()
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
    return Failure(None, "the heap was left in the middle of a collection", FATAL_STATUS, Trace())


def stress(settings: Settings) -> int:
    if settings.gc_stress:
        return layout.STRESS_FULL
    return layout.STRESS_MINOR if settings.gc_stress_minor else 0
