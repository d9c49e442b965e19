"""Traces compiled: C by way of the toolchain, loaded, and called with the values of the VM."""

from __future__ import annotations

import ctypes
from array import array
from struct import Struct
from typing import Any, Final

from doralang.source.loading import FORMATS
from doralang.source.provider import LANGUAGES
from doralang.source.toolchains import ToolchainError, compile_text
from doralang.tracing.c_text import TraceText
from doralang.tracing.closures import TraceRunner, Values
from doralang.tracing.trace import LoopTrace

LANGUAGE: Final = LANGUAGES["c"]


class TraceCompiler:
    """Compiles traces with the C toolchain (`tracing.loops.Compiler`)."""

    def source(self, trace: LoopTrace) -> str:
        return TraceText(trace).text()

    def compile(self, trace: LoopTrace, source: str) -> TraceRunner | str:
        text = f"{LANGUAGE.prelude.read_text()}\n{source}"
        try:
            with compile_text(LANGUAGE.toolchain, text) as path:
                entry = ctypes.CDLL(str(path)).trace
        except ToolchainError as error:
            return str(error)
        except OSError as error:
            return f"what was compiled cannot be loaded: {error}"
        entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        entry.restype = ctypes.c_int32
        return runner(entry, trace)


def runner(entry: Any, trace: LoopTrace) -> TraceRunner:
    layout = Struct("<" + "".join(FORMATS[variable.kind] for variable in trace.variables))
    block = ctypes.c_uint64 * len(trace.variables)

    def run(values: Values, arrays: list[Any]) -> int:
        held = block()
        layout.pack_into(held, 0, *values)
        objects, views = objects_of(arrays)
        number = entry(ctypes.addressof(held), ctypes.addressof(objects))
        values[:] = layout.unpack_from(held)
        views.clear()
        return int(number)

    return run


def objects_of(arrays: list[Any]) -> tuple[Any, list[Any]]:
    """Address and length of each array, and what must be kept while they are used."""
    words: list[int] = []
    views: list[Any] = []
    for items in arrays:
        if isinstance(items, array):
            words += items.buffer_info()
        elif items:
            view = ctypes.c_char.from_buffer(items)
            views.append(view)
            words += ctypes.addressof(view), len(items)
        else:
            words += 0, 0
    return (ctypes.c_int64 * max(len(words), 1))(*words), views
