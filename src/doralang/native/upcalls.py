"""Upcalls: what running code asks of Python, and the values that cross the border.

Python is called back to supply a function at its first call, for the few internal functions that are not
Dora, and when the program fails.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from struct import pack, unpack
from typing import Final

from doralang.bytecode.entities import ClassRef
from doralang.bytecode.places import Chain, Site
from doralang.code import layout
from doralang.interpreter.context import ByteSink, Context, FrameDescription, Output
from doralang.interpreter.internals import MEANINGS
from doralang.interpreter.objects import Array, Str, Value
from doralang.library.internals import INTERNALS
from doralang.native.module import Module
from doralang.optional import load
from doralang.runtime import stubs
from doralang.runtime.active import active_sites
from doralang.runtime.instance import Instance
from doralang.runtime.memory import Words, load_bytes, load_word, load_words, store_word
from doralang.runtime.stubs import Reason
from doralang.types.failures import Trapped
from doralang.types.kinds import Kind
from doralang.types.traps import Trace, Trap, trace_of

SIGNED: Final = {Kind.INT: 32, Kind.LONG: 64}


class Upcalls:
    """Answers what one instance asks."""

    module: Module
    instance: Instance
    output: Output
    stderr: ByteSink
    context: Context
    pending: BaseException | None
    """what came up during a collection, which is ended before it is raised"""

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
        self.module.loader.write_text(address, data)
        return address

    def new_longs(self, values: list[int]) -> int:
        """An `Array<long>`."""
        address = self.new_memory(layout.ARRAY_ELEMENTS + layout.WORD * len(values))
        words = Words(address, layout.ARRAY_ELEMENTS + layout.WORD * len(values))
        words[layout.HEADER] = self.module.loader.shape(self.module.roots.longs_class)
        words[layout.ARRAY_LENGTH] = len(values)
        for index, value in enumerate(values):
            words[layout.ARRAY_ELEMENTS + layout.WORD * index] = value
        return address

    def new_object(self, cls: ClassRef) -> int:
        address = self.new_memory(layout.instance_size(cls))
        store_word(address + layout.HEADER, self.module.loader.shape(cls))
        return address

    # Upcalls.

    def upcall(self) -> None:
        """Dora code wants something.  An exception ends the call into the program."""
        thread = self.instance.thread
        reason = thread[layout.THREAD_REASON]
        if reason == Reason.COMPILE:
            thread[layout.THREAD_RESULT] = self.module.space.supply(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.INTERNAL:
            self.call_internal(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.FIND:
            thread[layout.THREAD_RESULT] = self.find(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.ALLOCATE:
            thread[layout.THREAD_RESULT] = self.allocate_slowly(thread[layout.THREAD_ARGUMENT])
        elif reason == Reason.ATTENTION:
            self.attention()
        elif reason == Reason.OUTPUT:
            self.write_output()
        else:
            self.trapped(stubs.TRAPS[reason - Reason.TRAP])

    def show(self, dump: str) -> None:
        """Print a dump, behind what the program has printed so far."""
        self.instance.take_output(self.output.buffer)
        self.output.write(dump.encode())

    def allocate_slowly(self, size: int) -> int:
        """The collector has found no room."""
        raise Trapped(Trap.MEMORY)

    def attention(self) -> None:
        thread = self.instance.thread
        if load_word(thread[layout.THREAD_LAST_FRAME]) < thread[layout.THREAD_REAL_LIMIT]:
            raise self.overflow()
        thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
        thread[layout.THREAD_TICKS] = 0
        pending, self.pending = self.pending, None
        if pending is not None:
            raise pending
        self.look_at_limits()

    def look_at_limits(self) -> None:
        """Raises what ends the run if a limit is reached; called every few ticks."""

    # Internal functions.

    def call_internal(self, number: int) -> None:
        """An internal function, by the rows of the interpreters."""
        ref = self.module.space.internals[number]
        thread = self.instance.thread
        words = load_words(thread[layout.THREAD_ARGUMENTS], len(ref.parameters))
        assert ref.internal is not None
        row = INTERNALS[ref.internal]
        if row.upcall:
            thread[layout.THREAD_RESULT] = getattr(self, row.upcall)(words)
            return
        values = [self.from_word(word, kind) for word, kind in zip(words, ref.parameters, strict=True)]
        result = MEANINGS[ref.internal](self.context, *values)
        if ref.result is not None:
            thread[layout.THREAD_RESULT] = self.to_word(result, ref.result)

    def flush_output(self, words: list[int]) -> int:
        """The program has filled its buffer, or has none yet."""
        self.write_output()
        self.instance.make_output(self.output.most)
        return 0

    def write_output(self) -> None:
        self.instance.take_output(self.output.buffer)
        self.output.flush()

    # What collectors ask for.

    def prepare_collector(self, words: list[int]) -> int:
        """Place all that the collector's functions call, so that no pause waits for the compiler."""
        self.module.prepare_collector()
        self.instance.heap.block[layout.HEAP_PREPARED] = 1
        return 0

    def make_heap(self, words: list[int]) -> int:
        """Something is allocated for the first time."""
        return self.instance.heap.block.address

    def collection_ended(self, words: list[int]) -> int:
        self.output.flush()
        self.stderr.write(load("doralang.native.watching").event(self.instance).encode())
        self.stderr.flush()
        return 0

    def collection_interrupted(self, words: list[int]) -> int:
        """Signals have their turn in being here.  What they raise waits for the end of the collection."""
        try:
            thread = self.instance.thread
            thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
            thread[layout.THREAD_TICKS] = 0
            self.look_at_limits()
        except BaseException as error:
            self.pending = error
        return 0

    def blocks_are_exhausted(self, words: list[int]) -> int:
        raise Trapped(Trap.MEMORY)

    def heap_is_wrong(self, words: list[int]) -> int:
        raise load("doralang.native.watching").heap_error(*words)

    def class_name(self, words: list[int]) -> int:
        return self.new_text(self.class_at(words[0]).name.encode())

    def class_at(self, address: int) -> ClassRef:
        return self.module.space.classes[load_word(address + layout.HEADER)]

    # What the rows ask of an engine (`host.context.Engine`).

    def call_by_name(self, name: str) -> None:
        raise AssertionError("a stub does this")

    def find(self, name: int) -> int:
        """The code of a function that `call` names."""
        text = str(self.text_at(name) or "")
        if not name:
            raise Trapped(Trap.NIL)
        return self.module.space.arena.cell(self.module.loader.cell(self.module.callable(text)))

    def record_stack(self) -> list[int]:
        raise AssertionError("the library does this")

    def frame_count(self, words: list[int]) -> int:
        return len(self.recorded_chain(words[0]))

    def frame_of(self, words: list[int]) -> int:
        entry, index = words
        return entry | index << ADDRESS_BITS

    def describe(self, entry: int) -> FrameDescription:
        index = (entry & MASK_64) >> ADDRESS_BITS
        return describe_site(self.recorded_chain(entry)[index])

    def recorded_chain(self, entry: int) -> Chain:
        """The sites that a recorded return address stands for."""
        chain = self.module.space.places[entry & (1 << ADDRESS_BITS) - 1].chain
        return chain if len(chain) == 1 else tuple(site for site in chain if not site.function.hidden)

    # Failures.

    def trace(self) -> Trace:
        sites, left_out = active_sites(self.instance)
        return trace_of(sites, describe_site, left_out)

    def trapped(self, trap: Trap) -> None:
        if trap is Trap.UNCAUGHT:
            raise self.uncaught(self.instance.thread[layout.THREAD_ARGUMENT])
        raise self.overflow() if trap is Trap.STACK else Trapped(trap)

    def overflow(self) -> Trapped:
        """The failure of the innermost function that has no room on the stack, at the call of it."""
        sites, left_out = active_sites(self.instance, overflow=True)
        return Trapped(Trap.STACK, trace=trace_of(sites, describe_site, left_out))

    def uncaught(self, line: int) -> Trapped:
        """An exception that nobody caught: its text, and the trace that it recorded or the present one."""
        address = self.instance.thread[layout.THREAD_EXCEPTION]
        cls, roots = self.class_at(address), self.module.roots
        sites, left_out = active_sites(self.instance)
        if line and sites:
            sites = [sites[0]._replace(line=line), *sites[1:]]
        text, trace = cls.name, trace_of(sites, describe_site, left_out)
        if cls.is_text:
            text = str(self.text_at(address))
        elif any(step.symbol == roots.exception_class.symbol for step in cls.display):
            message = load_word(address + self.module.environment.field_offset(roots.msg_field))
            text = str(self.text_at(message)) if message else text
            record = load_word(address + self.module.environment.field_offset(roots.record_field))
            if record:
                trace = self.recorded_trace(longs_at(record))
        return Trapped(Trap.UNCAUGHT, text, trace)

    def recorded_trace(self, entries: Sequence[int]) -> Trace:
        """The trace that an exception has recorded; it may be very long."""
        if any(point.callers for point in self.module.space.places.values()):
            sites = [site for entry in entries for site in self.recorded_chain(entry)]
            return trace_of(sites, describe_site)
        return trace_of(entries, self.describe)


def longs_at(address: int) -> Sequence[int]:
    """The elements of an `Array<long>`, where they are."""
    length = load_word(address + layout.ARRAY_LENGTH)
    elements = (ctypes.c_uint64 * length).from_address(address + layout.ARRAY_ELEMENTS)
    return memoryview(elements).cast("B").cast("Q")


def describe_site(site: Site) -> FrameDescription:
    return FrameDescription(site.function.signature, site.line, site.function.file)


ADDRESS_BITS: Final = 48
"""of a recorded return address; the bits above tell one of several sites in a chain"""
MASK_64: Final = (1 << 64) - 1
