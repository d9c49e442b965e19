"""Running compiled functions: entries, upcalls and failures, without knowing where the functions come from.

Every function is asked for at its first call (`compiled.supplier`).  Python is called back for that, for the
few internal functions that are not Dora, and when the program fails (`Executor.upcall`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from struct import pack, unpack
from typing import Final, NamedTuple

from doralang.bytecode.entities import ClassRef, FunctionRef
from doralang.code import layout
from doralang.code.collectors import COLLECTORS, DEFAULT
from doralang.interpreter.context import ByteSink, Context, FrameDescription, Output, default_heap_size
from doralang.interpreter.internals import INTERNALS
from doralang.interpreter.objects import Array, Str, Value
from doralang.machine.targets import host
from doralang.native.emission import Emission
from doralang.native.supplier import Client, Supplier
from doralang.optional import load
from doralang.runtime import stubs
from doralang.runtime.instance import Instance, Place
from doralang.runtime.memory import Words, load_bytes, load_word, store_word
from doralang.runtime.spaces import Sizes
from doralang.runtime.stubs import Reason
from doralang.settings import Settings
from doralang.types.failures import Exit, Failure, FatalError, Trapped, as_failure
from doralang.types.kinds import Kind
from doralang.types.traps import Trap

SIGNED: Final = {Kind.INT: 32, Kind.LONG: 64}


class Entering(NamedTuple):
    """Where arguments go when a function is entered: words of the block, or ~offsets in the stack."""

    places: list[int]
    stack_size: int


class Executor:
    """Runs one program as machine code.  `stdout` and `stderr` are files for bytes."""

    def __init__(
        self,
        supplier: Supplier,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings = settings or Settings()
        target = host()
        assert target is not None, "the command line looks for a target"
        self.supplier = supplier
        self.stderr = stderr
        self.collector = COLLECTORS[settings.gc or DEFAULT]
        self.instance = Instance(
            target,
            sizes(settings),
            supplier.roots.str_class,
            self.upcall,
            self.collector,
            stress=stress(settings),
        )
        self.output = Output(stdout)
        self.code_bytes = 0
        self.entries: dict[tuple[Kind, ...], Entering] = {}
        self.stack_top = self.instance.thread[layout.THREAD_STACK_TOP]
        self.emission = Emission(settings, target)
        self.use_collector()
        supplier.serve(
            Client(
                self.instance,
                self.collector,
                self.emission,
                self.show,
                bounds_checks=not settings.omit_bounds_check,
            )
        )
        for symbol, place in self.instance.stubs.items():
            self.emission.note_place(symbol, *place)
        block = self.instance.heap.block
        block[layout.HEAP_EVENTS], block[layout.HEAP_VERIFY] = settings.gc_events, settings.gc_verify
        self.instance.shapes.size(supplier.roots.exception_class)
        texts = [argument.encode("utf-8", "surrogateescape") for argument in arguments]
        self.instance.set_arguments(texts)
        self.instance.set_output_most(self.output.most)
        roots = supplier.roots
        self.context = Context(
            self, self.output, texts, settings.heap_size, roots.str_class, roots.longs_class
        )

    # Whole programs.

    def run_main(self) -> int:
        """Run the initialisers of globals, then `main`; returns the exit status."""
        main = self.supplier.roots.main
        assert main is not None, "the checker asks for a main"
        try:
            self.initialize_globals()
            result = self.run(main, [])
        except Exit as exit:
            return exit.status
        except Failure as failure:
            self.report(failure)
            return failure.status
        finally:
            self.print_statistics()
        return int(result) & 255 if isinstance(result, int) else 0

    def print_statistics(self) -> None:
        if self.settings.gc_stats:
            self.stderr.write(load("doralang.native.watching").statistics(self.instance).encode())

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""
        for initializer in self.supplier.roots.initializers:
            self.run(initializer, [])

    def code_size(self) -> int:
        """Bytes of machine code, without stubs."""
        return self.code_bytes

    def report(self, failure: Failure) -> None:
        """Print the line and the trace.  What the program has printed is written already."""
        self.stderr.write(failure.report())
        self.stderr.flush()

    def close(self) -> None:
        """Free code, heap and tables; nothing may be called any more."""
        self.instance.close()

    # Calls.

    def run(self, ref: FunctionRef, words: list[int]) -> Value:
        """Enter native code.  Whatever way it ends, its output is written then."""
        entering = self.entering(ref.parameters)
        block = (ctypes.c_uint64 * stubs.ARGUMENT_WORDS)()
        top = self.stack_top - entering.stack_size
        for place, word in zip(entering.places, words, strict=True):
            if place >= 0:
                block[place] = word
            else:
                store_word(top + ~place, word)
        self.instance.thread[layout.THREAD_STACK_TOP] = top
        thread = self.instance.thread
        thread[layout.THREAD_EXCEPTION] = 0
        code = self.instance.arena.cell(self.instance.cell(ref))
        try:
            if self.instance.heap.block[layout.HEAP_BUSY]:
                raise FatalError("the heap was left in the middle of a collection")
            self.instance.run(code, ctypes.addressof(block))
        except BaseException as error:
            failure = as_failure(error, self.trace())
            if failure is None:
                raise
        else:
            return self.result(ref.result)
        finally:
            self.flush_output([])
        raise failure

    def entering(self, parameters: tuple[Kind, ...]) -> Entering:
        """How functions with these parameters are entered."""
        entering = self.entries.get(parameters)
        if entering is None:
            masm = self.instance.target.assembler()
            (_, *arguments), stack_size = masm.call_layout((Kind.LONG, *parameters))
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

    # Values.

    def to_word(self, value: Value, kind: Kind) -> int:
        """A value as the 64 bits of a register."""
        if kind is Kind.DOUBLE:
            return int(unpack("<Q", pack("<d", value))[0])
        if kind is Kind.FLOAT:
            return int(unpack("<I", pack("<f", value))[0])
        if isinstance(value, Str):
            return self.new_text(value.data)
        if isinstance(value, Array):
            return self.new_longs(list(value.items))  # type: ignore[arg-type]
        assert value is None or isinstance(value, int), "objects other than texts do not get in"
        return 0 if value is None else value & 0xFFFF_FFFF_FFFF_FFFF

    def from_word(self, word: int, kind: Kind) -> Value:
        """The value that 64 bits of a register stand for."""
        if kind is Kind.DOUBLE:
            return float(unpack("<d", pack("<Q", word))[0])
        if kind is Kind.FLOAT:
            return float(unpack("<f", pack("<I", word & 0xFFFF_FFFF))[0])
        if kind is Kind.REF:
            return self.text_at(word)
        if kind is Kind.BOOL:
            return bool(word & 1)
        if kind is Kind.BYTE:
            return word & 255
        bits = SIGNED.get(kind, 0)
        if bits == 0:
            return word & 0xFFFF_FFFF
        word &= (1 << bits) - 1
        return word - (1 << bits) if word >> (bits - 1) else word

    def text_at(self, address: int) -> Str | None:
        """A string object, as the host has it."""
        if not address:
            return None
        length = load_word(address + layout.ARRAY_LENGTH)
        return Str(self.context.str_type, load_bytes(address + layout.ARRAY_ELEMENTS, length))

    def new_memory(self, size: int) -> int:
        address = self.instance.heap.allocate(size)
        if address is None:
            raise Trapped(Trap.MEMORY)
        return address

    def new_text(self, data: bytes) -> int:
        address = self.new_memory(layout.ARRAY_ELEMENTS + len(data))
        self.instance.write_text(address, data)
        return address

    def new_longs(self, values: list[int]) -> int:
        """An `Array<long>`."""
        address = self.new_memory(layout.ARRAY_ELEMENTS + layout.WORD * len(values))
        words = Words(address, layout.ARRAY_ELEMENTS + layout.WORD * len(values))
        words[layout.HEADER] = self.instance.shapes.address(self.supplier.roots.longs_class)
        words[layout.ARRAY_LENGTH] = len(values)
        for index, value in enumerate(values):
            words[layout.ARRAY_ELEMENTS + layout.WORD * index] = value
        return address

    def new_object(self, cls: ClassRef) -> int:
        address = self.new_memory(self.instance.shapes.size(cls))
        Words(address, layout.WORD)[layout.HEADER] = self.instance.shapes.address(cls)
        return address

    # Upcalls.

    def upcall(self) -> None:
        """Dora code wants something.  An exception ends the call into the program."""
        thread = self.instance.thread
        reason = thread[layout.THREAD_REASON]
        if reason == Reason.COMPILE:
            ref = self.instance.functions[thread[layout.THREAD_ARGUMENT]]
            thread[layout.THREAD_RESULT] = self.compile(ref)
        elif reason == Reason.INTERNAL:
            self.call_internal(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.FIND:
            thread[layout.THREAD_RESULT] = self.find(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.ALLOCATE:
            thread[layout.THREAD_RESULT] = self.allocate_slowly(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.ATTENTION:
            self.attention()
        else:
            self.trapped(stubs.TRAPS[reason - Reason.TRAP])

    def compile(self, ref: FunctionRef) -> int:
        """A function is called for the first time: place its code and return the address."""
        return self.place(ref)[0]

    def place(self, ref: FunctionRef) -> tuple[int, set[str]]:
        """Let a function's entry cell lead to its code; the address and the symbols that the code refers to.

        The supplier may have replaced `ref` by another entity meanwhile.
        """
        compiled = self.supplier.function(ref)
        symbols = {symbol for _, _, symbol, _ in compiled.code.relocations}
        address = self.instance.place_function(compiled.ref, compiled.code, compiled.points)
        self.code_bytes += len(compiled.code.data)
        self.emission.note_place(compiled.ref.name, address, len(compiled.code.data))
        return address, symbols

    def show(self, dump: str) -> None:
        """Print a dump, behind what the program has printed so far."""
        self.output.write(self.instance.take_output() + dump.encode())

    def use_collector(self) -> None:
        """Let full allocation buffers lead to the collector."""
        self.instance.use_allocator(self.supplier.heap_function(self.collector.allocate))

    def allocate_slowly(self, size: int) -> int:
        """The collector has found no room."""
        raise Trapped(Trap.MEMORY)

    def attention(self) -> None:
        thread = self.instance.thread
        if thread[layout.THREAD_LAST_FRAME] < thread[layout.THREAD_REAL_LIMIT]:
            raise Trapped(Trap.STACK)
        thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
        thread[layout.THREAD_TICKS] = 0

    # Internal functions.

    def call_internal(self, number: int) -> None:
        """An internal function, by the rows of the interpreters."""
        ref = self.instance.internal_functions[number]
        thread = self.instance.thread
        words = [
            thread[layout.THREAD_ARGUMENTS + layout.WORD * index] for index in range(len(ref.parameters))
        ]
        assert ref.internal is not None
        special = SPECIAL.get(ref.internal)
        if special is not None:
            thread[layout.THREAD_RESULT] = special(self, words)
            return
        values = [self.from_word(word, kind) for word, kind in zip(words, ref.parameters, strict=True)]
        result = INTERNALS[ref.internal](self.context, *values)
        if ref.result is not None:
            thread[layout.THREAD_RESULT] = self.to_word(result, ref.result)

    def flush_output(self, words: list[int]) -> int:
        self.output.write(self.instance.take_output())
        self.output.flush()
        return 0

    # What collectors ask for.

    def prepare_collector(self, words: list[int]) -> int:
        """Place all that the collector's functions call, so that no pause waits for the compiler."""
        collector, instance = self.collector, self.instance
        waiting = [self.supplier.heap_function(name) for name in (collector.allocate, collector.collect)]
        seen = {ref.name for ref in waiting}
        while waiting:
            for symbol in self.place(waiting.pop())[1]:
                kind, _, name = symbol.partition(":")
                if kind == "entry" and name not in seen:
                    seen.add(name)
                    waiting.append(instance.by_symbol[name])
        instance.heap.block[layout.HEAP_PREPARED] = 1
        return 0

    def collection_ended(self, words: list[int]) -> int:
        self.output.flush()
        self.stderr.write(load("doralang.native.watching").event(self.instance).encode())
        self.stderr.flush()
        return 0

    def collection_interrupted(self, words: list[int]) -> int:
        """Signals have their turn in being here; if one raises, the heap is left as it is, of no more use."""
        thread = self.instance.thread
        thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
        thread[layout.THREAD_TICKS] = 0
        return 0

    def blocks_are_exhausted(self, words: list[int]) -> int:
        raise Trapped(Trap.MEMORY)

    def heap_is_wrong(self, words: list[int]) -> int:
        raise load("doralang.native.watching").heap_error(*words)

    def class_name(self, words: list[int]) -> int:
        return self.new_text(self.class_at(words[0]).name.encode())

    def class_at(self, address: int) -> ClassRef:
        return self.instance.shapes.classes[load_word(address + layout.HEADER)]

    # What the rows ask of an engine (`host.context.Engine`).

    def call_by_name(self, name: str) -> None:
        raise AssertionError("a stub does this")

    def find(self, name: int) -> int:
        """The code of a function that `call` names."""
        text = str(self.text_at(name) or "")
        if not name:
            raise Trapped(Trap.NIL)
        return self.instance.arena.cell(self.instance.cell(self.supplier.callable(text)))

    def record_stack(self) -> list[int]:
        """Return addresses; the constructor that asks is the first and is left out."""
        addresses = [address for _, address in self.instance.frames() if address in self.instance.places]
        return addresses[1:]

    def describe(self, entry: int) -> FrameDescription:
        return describe_place(self.instance.places[entry & 0xFFFF_FFFF_FFFF_FFFF])

    # Failures.

    def trace(self) -> list[str]:
        return [str(describe_place(place)) for place in self.instance.stack_places()]

    def trapped(self, trap: Trap) -> None:
        if trap is Trap.UNCAUGHT:
            line = self.instance.thread[layout.THREAD_ARGUMENT]
            raise self.uncaught(self.instance.stack_places(), line)
        raise Trapped(trap)

    def uncaught(self, places: list[Place], line: int = 0) -> Trapped:
        """An exception that nobody caught: its text, and the trace that it recorded or the present one."""
        address = self.instance.thread[layout.THREAD_EXCEPTION]
        cls, roots = self.class_at(address), self.supplier.roots
        if line and places:
            places = [places[0]._replace(line=line), *places[1:]]
        text, trace = cls.name, [str(describe_place(place)) for place in places]
        if cls.is_text:
            text = str(self.text_at(address))
        elif cls.extends(roots.exception_class):
            message = load_word(address + self.instance.field_offset(roots.msg_field))
            text = str(self.text_at(message)) if message else text
            record = load_word(address + self.instance.field_offset(roots.record_field))
            if record:
                trace = [str(self.describe(entry)) for entry in self.longs_at(record)]
        return Trapped(Trap.UNCAUGHT, text, trace)

    def longs_at(self, address: int) -> list[int]:
        length = load_word(address + layout.ARRAY_LENGTH)
        words = Words(address, layout.ARRAY_ELEMENTS + layout.WORD * length)
        return [words[layout.ARRAY_ELEMENTS + layout.WORD * index] for index in range(length)]


def sizes(settings: Settings) -> Sizes:
    """What the heap is asked to be."""
    heap = settings.heap_size if settings.heap_size is not None else default_heap_size()
    return Sizes(heap) if settings.young_size is None else Sizes(heap, settings.young_size)


def stress(settings: Settings) -> int:
    if settings.gc_stress:
        return layout.STRESS_FULL
    return layout.STRESS_MINOR if settings.gc_stress_minor else 0


def describe_place(place: Place) -> FrameDescription:
    return FrameDescription(place.function.signature, place.line, place.function.file)


SPECIAL: Final = {
    "flushOutput": Executor.flush_output,
    "className": Executor.class_name,
    "collectionEnded": Executor.collection_ended,
    "collectionInterrupted": Executor.collection_interrupted,
    "blocksAreExhausted": Executor.blocks_are_exhausted,
    "heapIsWrong": Executor.heap_is_wrong,
    "prepareCollector": Executor.prepare_collector,
}
