"""Collectors in the tree walk, over a simulated memory, beside the same collectors as machine code.

A `SimulatingMachine` runs a program with a collector.  Each time a collection begins, the tree walk makes the same
collection first, on a copy of the memory: pages are copied when they are touched, and only those that belong to the
instance may be.  Then machine code makes it for real, and all pages that the tree walk has touched
must be the same, word by word: the same objects at the same addresses, the same free lists, cards and bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from io import BytesIO

from doralang.checker.program import Function
from doralang.code import layout
from doralang.engines import walk
from doralang.engines.native import Machine
from doralang.interpreter.objects import Str, Value
from doralang.runtime.instance import Instance
from doralang.runtime.memory import load_bytes
from doralang.runtime.stacks import STACKS, Stack

PAGE = 4096
MASK = (1 << 64) - 1

# Words that are about time, or about the upcall in which the simulation runs.
THREAD_WORDS = range(layout.THREAD_LAST_FRAME, layout.THREAD_OUTPUT, layout.WORD)
SCRATCH_WORDS = range(layout.THREAD_SCRATCH, layout.THREAD_HEAP, layout.WORD)
HEAP_WORDS = (layout.HEAP_STARTED, layout.HEAP_PAUSE, layout.HEAP_PREPARED, layout.HEAP_EVENTS)


class StrayAccess(Exception):
    """The collector touches memory that is none of its business."""


def stack_of(instance: Instance) -> Stack | None:
    """The one that it runs on."""
    return STACKS.get(instance.thread[layout.THREAD_STACK])


class Memory:
    """A copy of an instance's memory, made page by page."""

    def __init__(self, instance: Instance) -> None:
        heap, space = instance.heap, instance.space
        points = space.points.region
        self.pages: dict[int, bytearray] = {}
        self.extents = [
            (instance.thread.address, instance.thread.address + layout.THREAD_SIZE),
            (heap.block.address, heap.block.address + layout.HEAP_SIZE),
            *((stack.bottom, stack.top) for stack in (stack_of(instance),) if stack),
            *((region.start, region.end) for region in heap.regions),
            *(extent(array) for array in (instance.globals, heap.globals)),
            (points.start, points.end),
            (space.arena.data.start, space.arena.data.limit),
            (instance.handles.table.start, instance.handles.table.end),
        ]

    def has(self, address: int) -> bool:
        return any(start <= address < end for start, end in self.extents)

    def page(self, address: int) -> bytearray:
        """The copy of the page of an address that may be touched."""
        if not self.has(address):
            raise StrayAccess(f"{address:x}")
        number = address // PAGE
        if number not in self.pages:
            self.pages[number] = bytearray(load_bytes(number * PAGE, PAGE))
        return self.pages[number]

    def load(self, address: int, size: int = layout.WORD, *, signed: bool = True) -> int:
        at = address & MASK
        assert at % size == 0, f"{at:x} is no place for {size} bytes"
        data = self.page(at)[at % PAGE : at % PAGE + size]
        return int.from_bytes(data, "little", signed=signed)

    def store(self, address: int, value: int, size: int = layout.WORD) -> None:
        at = address & MASK
        assert at % size == 0, f"{at:x} is no place for {size} bytes"
        mask = (1 << 8 * size) - 1
        self.page(at)[at % PAGE : at % PAGE + size] = (value & mask).to_bytes(size, "little")

    def copy(self, source: int, target: int, size: int) -> None:
        for offset in range(0, size, layout.WORD):
            self.store(target + offset, self.load(source + offset))

    def clear(self, address: int, size: int) -> None:
        """Page by page, so that clearing much is no work."""
        at = address & MASK
        while size:
            length = min(size, PAGE - at % PAGE)
            self.page(at)[at % PAGE : at % PAGE + length] = bytes(length)
            at, size = at + length, size - length


def extent(array: ctypes.Array[ctypes.c_uint64]) -> tuple[int, int]:
    """Where an array is that Python has made."""
    start = ctypes.addressof(array)
    return start, start + ctypes.sizeof(array)


class Walk(walk.Machine):
    """The tree walk of a program with the heap's files, over a memory."""

    def __init__(self, machine: Machine, memory: Memory) -> None:
        super().__init__(machine.program, stdout=BytesIO(), stderr=BytesIO())
        self.memory = memory
        self.thread = machine.instance.thread.address
        self.raw: dict[str, Callable[..., Value]] = {
            "loadLong": memory.load,
            "loadInt": lambda address: memory.load(address, 4),
            "loadByte": lambda address: memory.load(address, 1, signed=False),
            "storeLong": memory.store,
            "storeByte": lambda address, value: memory.store(address, value, 1),
            "copyMemory": memory.copy,
            "clearMemory": memory.clear,
            "threadAddress": lambda: self.thread,
            "nativeAddress": lambda name: 1 if str(name) == "madvise" else 0,
            "callNative2": lambda function, a, b: 0,
            "callNative3": lambda function, at, size, advice: memory.clear(at, size),
            "attentionWanted": lambda: False,
            "prepareCollector": lambda: None,
            "collectionEnded": lambda: None,
        }

    def invoke_internal(self, function: Function, arguments: list[Value]) -> Value:
        meaning = self.raw.get(function.key)
        if meaning is None:
            return super().invoke_internal(function, arguments)
        return meaning(*arguments)

    def literal(self, text: str) -> Str:
        return Str(self.context.str_type, text.encode())

    def collect(self, name: str, heap: int, frame: int) -> None:
        self.call(self.program.library.functions[name], [heap, frame])


class SimulatingMachine(Machine):
    """Makes every collection twice, first in the tree walk."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.walk: Walk | None = None
        self.compared = 0
        """collections that were the same both times"""
        self.innermost = 0
        """below it on the stack are the frames of the collector's functions"""
        self.instance.heap.block[layout.HEAP_EVENTS] = 1

    def prepare_collector(self, words: list[int]) -> int:
        """A collection begins: `prepare` has been called by the function that makes it.

        HEAP_PREPARED stays 0, so that this is called every time.
        """
        name, frame = self.collection()
        self.innermost = frame + 2 * layout.WORD
        memory = Memory(self.instance)
        self.walk = Walk(self, memory)
        self.walk.collect(name, self.instance.heap.block.address, frame)
        return 0

    def collection(self) -> tuple[str, int]:
        """The function of the collector that makes the collection, and its argument `frame`."""
        collector, places = self.module.options.collector, self.instance.space.places
        entries = (collector.allocate, collector.collect)
        active = [
            (place.function.plain_name, frame)
            for frame, address in self.instance.frames()
            if (place := places.get(address)) is not None
        ]
        innermost = next(index for index, (name, _) in enumerate(active) if name == "prepare")
        return active[innermost + 1][0], next(frame for name, frame in active if name in entries)

    def collection_ended(self, words: list[int]) -> int:
        """It has been made for real."""
        if self.walk is not None:
            self.compare(self.walk)
        return 0

    def compare(self, walk: Walk) -> None:
        for number, page in walk.memory.pages.items():
            real = load_bytes(number * PAGE, PAGE)
            if page != real:
                places = range(number * PAGE, number * PAGE + PAGE, layout.WORD)
                differing = [
                    f"{place:x}"
                    for place, ours, theirs in zip(places, words(page), words(real), strict=True)
                    if ours != theirs and not self.is_ignored(place)
                ]
                assert not differing, f"the words at {differing[:10]} differ"
        self.compared += 1
        self.walk = None

    def is_ignored(self, place: int) -> bool:
        """Whether a word is about time, or about the functions of the collector themselves."""
        instance = self.instance
        if self.walk is not None and not self.walk.memory.has(place):
            return True  # in the same page as something of the instance's
        data, points = instance.space.arena.data, instance.space.points.region
        if data.start <= place < data.limit or points.start <= place < points.end:
            return True  # functions of the collector are placed while it runs
        block, thread = instance.heap.block.address, instance.thread.address
        stack = stack_of(instance)
        return (
            (stack is not None and stack.bottom <= place < self.innermost)
            or place == instance.heap.block[layout.HEAP_LOG_TOP] - layout.WORD
            or place - block in HEAP_WORDS
            or place - thread in (*THREAD_WORDS, *SCRATCH_WORDS, layout.THREAD_LIMIT)
        )


def words(data: bytes | bytearray) -> ctypes.Array[ctypes.c_uint64]:
    return (ctypes.c_uint64 * (len(data) // layout.WORD)).from_buffer_copy(data)
