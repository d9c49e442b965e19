"""Upcalls: what running code asks of Python, and the values that cross the border.

Python is called back to supply a function at its first call, for the few internal functions that are not
Dora, and when the program fails.
"""

from __future__ import annotations

from doralang.code import layout
from doralang.code.layout import Reason
from doralang.optional import load
from doralang.runtime.memory import (
    Words,
    load_bytes,
    load_word,
    load_words,
    memory_at,
    store_bytes,
    store_word,
)
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.bytecode.entities import ClassRef
    from doralang.bytecode.places import Chain
    from doralang.interpreter.context import FrameDescription, HostContext
    from doralang.interpreter.objects import Str, Value
    from doralang.interpreter.output import Output
    from doralang.interpreter.sinks import ByteSink
    from doralang.native.module import Module
    from doralang.runtime.instance import Instance
    from doralang.settings import ByteSource, Settings
    from doralang.types.failures import Trapped
    from doralang.types.traps import StackTrace

SIGNED: Final = {Kind.INT: 32, Kind.LONG: 64}

ADDRESS_BITS: Final = 48
"""of a recorded return address; the bits above tell one of several sites in a chain"""


class Upcalls:
    """Answers what one instance asks."""

    module: Module
    instance: Instance
    output: Output
    stdin: ByteSource
    stderr: ByteSink
    settings: Settings
    arguments: list[bytes]
    made_context: HostContext | None
    pending: BaseException | None
    """what came up during a collection, which is ended or broken off before it is raised"""
    of_limits: tuple[type[BaseException], ...] = ()
    """what `look_at_limits` raises: it can be asked again"""

    @property
    def context(self) -> HostContext:
        """What internal functions work with."""
        if self.made_context is None:
            roots = self.module.roots
            self.made_context = load("doralang.interpreter.context").HostContext(
                self,
                self.output,
                self.stdin,
                self.arguments,
                self.settings.heap_size,
                roots.str_class,
                roots.longs_class,
                has_heap=True,
            )
        return self.made_context

    # Values.

    def to_word(self, value: Value, kind: Kind) -> int:
        """A value as the 64 bits of a register."""
        if kind is Kind.DOUBLE:
            return int.from_bytes(load("struct").pack("<d", value), "little")
        if kind is Kind.FLOAT:
            return int.from_bytes(load("struct").pack("<f", value), "little")
        if value is None or isinstance(value, int):
            return 0 if value is None else value & 0xFFFF_FFFF_FFFF_FFFF
        objects = load("doralang.interpreter.objects")
        if isinstance(value, objects.Str):
            return self.new_text(value.data)
        assert isinstance(value, objects.Array), "objects other than texts do not get in"
        return self.new_longs(list(value.items))

    def from_word(self, word: int, kind: Kind) -> Value:
        """The value that 64 bits of a register stand for."""
        if kind is Kind.DOUBLE:
            return float(load("struct").unpack("<d", word.to_bytes(8, "little"))[0])
        if kind is Kind.FLOAT:
            return float(load("struct").unpack("<f", (word & 0xFFFF_FFFF).to_bytes(4, "little"))[0])
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
        data = load_bytes(address + layout.ARRAY_ELEMENTS, length)
        text: Str = load("doralang.interpreter.objects").Str(self.context.str_type, data)
        return text

    def new_memory(self, size: int) -> int:
        address = self.instance.heap.allocate(size)
        if address is None:
            raise out_of_memory()
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
            self.trapped(reason - Reason.TRAP)

    def show(self, dump: str) -> None:
        """Print a dump, behind what the program has printed so far."""
        self.instance.take_output(self.output.buffer)
        self.output.write(dump.encode())

    def allocate_slowly(self, size: int) -> int:
        """The collector has found no room, or was broken off in looking for it."""
        self.raise_pending()
        raise out_of_memory()

    def attention(self) -> None:
        thread = self.instance.thread
        if load_word(thread[layout.THREAD_LAST_FRAME]) < thread[layout.THREAD_REAL_LIMIT]:
            raise load("doralang.native.failing").overflow(self)
        thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
        thread[layout.THREAD_TICKS] = 0
        self.raise_pending()

    def raise_pending(self) -> None:
        """Raise what came up during a collection, or what ends the run now."""
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
        upcall = self.module.upcall_of(ref.internal)
        if upcall:
            thread[layout.THREAD_RESULT] = getattr(self, upcall)(words)
            return
        values = [self.from_word(word, kind) for word, kind in zip(words, ref.parameters, strict=True)]
        meaning = load("doralang.interpreter.internals").MEANINGS[ref.internal]
        result = meaning(self.context, *values)
        if ref.result is not None:
            thread[layout.THREAD_RESULT] = self.to_word(result, ref.result)

    def flush_output(self, words: list[int]) -> int:
        """The program has filled its buffer, or has none yet."""
        self.write_output()
        self.instance.make_output(self.output.most)
        return 0

    # Files and standard input.  No object moves meanwhile.

    def write_file(self, words: list[int]) -> int:
        """From where the text stands: it may be large."""
        path, text, append = words
        if not path or not text:
            raise load("doralang.types.failures").nil()
        name = self.bytes_at(path)
        return int(self.context.outside.write(bytes(name), self.bytes_at(text), append=bool(append & 1)))

    def read_piece(self, words: list[int]) -> int:
        """Into an array of bytes, from an index on."""
        array, start = words
        self.write_output()
        data = self.context.outside.read_piece(load_word(array + layout.ARRAY_LENGTH) - start)
        if data is None:
            return -1
        store_bytes(array + layout.ARRAY_ELEMENTS + start, data)
        return len(data)

    def load_rest(self, words: list[int]) -> int:
        """Behind what is in an array of bytes already."""
        array, start, end = words
        self.write_output()
        return int(self.context.outside.load_rest(bytes(self.bytes_at(array)[start:end])))

    def loaded_size(self, words: list[int]) -> int:
        return self.context.outside.size

    def fill_loaded(self, words: list[int]) -> int:
        """1 if it is done, 0 if that failed, -1 if there is less by now, for another text."""
        address, size = words
        done = self.context.outside.fill(memory_at(address, size))
        return -1 if done is None else int(done)

    def bytes_at(self, array: int) -> memoryview:
        """The elements of a text or an array of bytes, in place."""
        return memory_at(array + layout.ARRAY_ELEMENTS, load_word(array + layout.ARRAY_LENGTH))

    def write_output(self) -> None:
        self.instance.take_output(self.output.buffer)
        self.output.flush()

    # What collectors ask for.

    def prepare_collector(self, words: list[int]) -> int:
        """Place all that the collector's functions call, so that no pause waits for the compiler."""
        self.module.prepare_collector(self.instance.collector)
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
        """Signals have their turn in being here.  What they raise comes when it is over or broken off.

        A limit is looked at again then: a call that ends before leaves nothing for the next one.
        """
        try:
            thread = self.instance.thread
            thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
            thread[layout.THREAD_TICKS] = 0
            self.look_at_limits()
        except BaseException as error:
            if not isinstance(error, self.of_limits):
                self.pending = error
            self.instance.heap.block[layout.HEAP_UNWANTED] = 1
            thread[layout.THREAD_TICKS] = thread[layout.THREAD_PATIENCE]
        return 0

    def collect_halves(self, words: list[int]) -> int:
        """`forceCollect` in code for generations, in a heap of halves."""
        raise AssertionError("where memory is limited the host does this")

    def blocks_are_exhausted(self, words: list[int]) -> int:
        raise out_of_memory()

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
            raise load("doralang.types.failures").nil()
        return self.module.space.arena.cell(self.module.loader.cell(self.module.callable(text)))

    def record_stack(self) -> list[int]:
        raise AssertionError("the library does this")

    def frame_count(self, words: list[int]) -> int:
        return len(self.recorded_chain(words[0]))

    def frame_of(self, words: list[int]) -> int:
        entry, index = words
        return entry | index << ADDRESS_BITS

    def describe(self, entry: int) -> FrameDescription:
        description: FrameDescription = load("doralang.native.failing").describe(self, entry)
        return description

    def recorded_chain(self, entry: int) -> Chain:
        """The sites that a recorded return address stands for; none for what nobody is told of."""
        chain = self.module.space.places[entry & (1 << ADDRESS_BITS) - 1].chain
        return tuple(site for site in chain if not site.function.hidden)

    # Failures (`native.failing`).

    def trace(self) -> StackTrace:
        """The functions that are active."""
        trace: StackTrace = load("doralang.native.failing").trace(self)
        return trace

    def trapped(self, number: int) -> None:
        """Raises what the trap stands for."""
        raise load("doralang.native.failing").trapped(self, number)


def out_of_memory() -> Trapped:
    failure: Trapped = load("doralang.types.failures").out_of_memory()
    return failure
