"""Shared objects in this process: loading them, and calling their functions with values of the VM.

Arguments go as an array of 8-byte values.  An array or a string becomes an `object` of the generated code,
which has the address of its elements; the same object in two arguments becomes one, so that identity holds.
"""

from __future__ import annotations

import ctypes
import resource
import threading
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from struct import Struct
from typing import Any, Final

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.native import NativeFailure, NativeFunction
from doralang.types.kinds import Kind
from doralang.types.traps import Trap

HALF: Final = 128
"""places of a trace that are kept from each end, as in the generated code"""
STACK_RESERVE: Final = 2 << 20
"""of the host's stack, for what is on it already and for the C library"""
DEFAULT_STACK: Final = 8 << 20
MOST_STACK: Final = 256 << 20

FORMATS: Final = {
    Kind.BOOL: "?7x",
    Kind.BYTE: "B7x",
    Kind.CHAR: "I4x",
    Kind.INT: "i4x",
    Kind.LONG: "q",
    Kind.FLOAT: "f4x",
    Kind.DOUBLE: "d",
    Kind.REF: "Q",
}
"""how a value of each kind stands in 8 bytes"""

TRAPS: Final = dict(enumerate(Trap, 1))


class FramePlace(ctypes.Structure):
    _fields_ = [("function", ctypes.c_int32), ("line", ctypes.c_int32)]


class NativeThread(ctypes.Structure):
    """The `thread` of generated code."""

    _fields_ = [
        ("limit", ctypes.c_void_p),
        ("stack", ctypes.c_int64),
        ("patience", ctypes.c_int64),
        ("lock", ctypes.c_void_p),
        ("check", ctypes.c_void_p),
        ("clear", ctypes.c_void_p),
        ("unlock", ctypes.c_void_p),
        ("trap", ctypes.c_int32),
        ("depth", ctypes.c_int32),
        ("places", FramePlace * (2 * HALF)),
    ]


class NativeObject(ctypes.Structure):
    """The `object` of generated code."""

    _fields_ = [("items", ctypes.c_void_p), ("length", ctypes.c_int64)]


class Threads(threading.local):
    """A `NativeThread` for each thread of Python."""

    def __init__(self) -> None:
        self.thread = NativeThread()
        self.thread.stack = stack_size() - STACK_RESERVE
        self.thread.lock = address_of("PyGILState_Ensure")
        self.thread.check = address_of("PyErr_CheckSignals")
        self.thread.clear = address_of("PyErr_Clear")
        self.thread.unlock = address_of("PyGILState_Release")
        self.address = ctypes.addressof(self.thread)


def stack_size() -> int:
    """Bytes of stack that a thread of this process has."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return DEFAULT_STACK if soft < 0 else min(soft, MOST_STACK)


def address_of(name: str) -> int:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


THREADS: Final = Threads()


class SharedObject:
    """A loaded shared object whose functions have these numbers."""

    def __init__(self, path: Path, functions: Sequence[FunctionRef]) -> None:
        self.library = ctypes.CDLL(str(path))
        self.functions = list(functions)

    def function(self, name: str, ref: FunctionRef) -> NativeFunction:
        """The entry of this name as a function with the parameters and the result of `ref`."""
        entry = getattr(self.library, name)
        entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        entry.restype = None
        if Kind.REF in (*ref.parameters, ref.result):
            return self.with_objects(entry, ref)
        return self.with_numbers(entry, ref)

    def with_numbers(self, entry: Callable[[int, int], None], ref: FunctionRef) -> NativeFunction:
        pack, values, take = layouts(ref)
        has_result, threads, failure = ref.result is not None, THREADS, self.failure

        def call(*arguments: Any) -> Any:
            block = values()
            pack(block, 0, *arguments)
            thread = threads.thread
            entry(threads.address, ctypes.addressof(block))
            if thread.trap:
                raise failure(thread)
            return take(block)[0] if has_result else None

        return call

    def with_objects(self, entry: Callable[[int, int], None], ref: FunctionRef) -> NativeFunction:
        numbers = self.with_numbers(entry, ref)
        places = [index for index, kind in enumerate(ref.parameters) if kind is Kind.REF]
        gives_object = ref.result is Kind.REF

        def call(*arguments: Any) -> Any:
            objects = Objects()
            words = list(arguments)
            for place in places:
                words[place] = objects.address(words[place])
            result = numbers(*words)
            return objects.by_address[result] if gives_object else result

        return call

    def failure(self, thread: NativeThread) -> NativeFailure:
        """What the thread says about a failure, which is taken off it."""
        trap, depth = TRAPS[thread.trap], thread.depth
        places = [self.place(thread.places[index]) for index in range(min(depth, HALF))]
        outer = range(max(HALF, depth - HALF), depth)
        places += [self.place(thread.places[HALF + index % HALF]) for index in outer]
        thread.trap = thread.depth = 0
        return NativeFailure(trap, places, depth - len(places))

    def place(self, place: FramePlace) -> tuple[FunctionRef, int]:
        return self.functions[place.function], place.line


def layouts(ref: FunctionRef) -> tuple[Callable[..., None], type[ctypes.Array[Any]], Callable[..., Any]]:
    """How the arguments get into a block of values, the block, and how the result gets out."""
    pack = Struct("<" + "".join(FORMATS[kind] for kind in ref.parameters)).pack_into
    take = Struct("<" + ("8x" if ref.result is None else FORMATS[ref.result])).unpack_from
    return pack, ctypes.c_uint64 * max(1, len(ref.parameters)), take


class Objects:
    """The objects that one call passes."""

    def __init__(self) -> None:
        self.known: dict[int, NativeObject] = {}
        self.by_address: dict[int, Any] = {0: None}
        self.kept: list[Any] = []

    def address(self, value: Any) -> int:
        """Where the object of a value of the VM is."""
        if value is None:
            return 0
        native = self.known.get(id(value))
        if native is None:
            native = self.known[id(value)] = self.native(value)
            self.by_address[ctypes.addressof(native)] = value
        return ctypes.addressof(native)

    def native(self, value: Any) -> NativeObject:
        items = getattr(value, "items", None)
        if items is None:
            items = getattr(value, "data", None)
        if isinstance(items, array):
            return NativeObject(*items.buffer_info())
        if isinstance(items, bytearray):
            return NativeObject(self.address_of_bytes(items), len(items))
        if isinstance(items, bytes):
            return NativeObject(ctypes.cast(ctypes.c_char_p(items), ctypes.c_void_p).value, len(items))
        return NativeObject(None, len(items) if isinstance(items, list) else 0)

    def address_of_bytes(self, items: bytearray) -> int | None:
        if not items:
            return None
        view = ctypes.c_char.from_buffer(items)
        self.kept.append(view)
        return ctypes.addressof(view)
