"""Calls on not so many elements, straight from CPython to a kernel (`machine/x64/array_entries.py`).

A formula that has been called with plain arrays of NumPy's gets a record of which arguments were arrays, and
its vectorcall leads to the code that looks for just that.  The record goes with the formula, or makes room
for one of another call.  `Expr.map` is machine code from the first record on.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from doralang.embed import direct, layouts
from doralang.embed.array_calls import computation_of
from doralang.embed.buffers import DTYPES, SIZES
from doralang.embed.containers import numpy
from doralang.embed.formulas import FEW, MANY, Expr
from doralang.embed.kernels import Kernels
from doralang.embed.native_calls import NAMES, NUMBERS, RECORD, VECTORCALL, ArrayRecord
from doralang.machine.foreign import address_of
from doralang.machine.x64 import array_entries
from doralang.machine.x64.array_entries import ArrayAddresses, ArrayEntry
from doralang.optional import load
from doralang.types.kinds import DOUBLE, INT, LONG

NEW_FROM_DTYPE: Final = 94
"""`PyArray_NewFromDescr` in the table of NumPy's C API"""
NDARRAY: Final = 2
"""`PyArray_Type` in it"""
FAST_CALL_WITH_KEYWORDS: Final = 0x82
MAP: Final[list[object]] = []
"""what CPython keeps the address of, once `Expr.map` is machine code"""
NUMBER_ROWS: Final = {
    DOUBLE: array_entries.REAL,
    INT: array_entries.WHOLE,
    LONG: array_entries.WHOLE,
}
"""of numbers that machine code takes as such a parameter"""
WORD: Final = 8


class MethodDefinition(ctypes.Structure):
    """`PyMethodDef`"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("code", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def prepare(formula: Expr, values: Sequence[Any], out: Any) -> bool:
    """Let further calls with arguments like these take the short way, if there is one for them.

    Returns whether there was none before.
    """
    module, computation = numpy(), computation_of(formula)
    if not isinstance(computation, Kernels):
        return False
    pattern = pattern_of(module, computation, values)
    record = formula._record
    if pattern is None or (record is not None and record.pattern == pattern):
        return False
    if out is not None and type(out) is not module.ndarray:
        return False
    entry = entries()
    if entry:
        install(formula, made_record(module, computation, pattern), entry)
    return bool(entry)


def pattern_of(module: Any, computation: Kernels, values: Sequence[Any]) -> tuple[bool, ...] | None:
    """Which of the arguments are numbers; none if the code would not take them."""
    pattern = []
    for kind, value in zip(computation.accepts, values, strict=True):
        if type(value) is module.ndarray:
            if value.ndim != 1 or value.size > MANY or value.dtype is not module.dtype(DTYPES[kind]):
                return None
            pattern.append(False)
        elif kind in NUMBER_ROWS and (type(value) is int or (type(value) is float and kind is DOUBLE)):
            pattern.append(True)
        else:
            return None
    return None if all(pattern) else tuple(pattern)


def made_record(module: Any, computation: Kernels, pattern: tuple[bool, ...]) -> ArrayRecord:
    """The record for arguments of which these are numbers."""
    code, result = computation.placed_code(pattern), module.dtype(DTYPES[computation.result])
    most = MANY if computation.is_swift else FEW
    words = [code.address, len(pattern), id(result), SIZES[computation.result], most]
    kept: list[object] = [code, result]
    for kind, is_number in zip(computation.accepts, pattern, strict=True):
        dtype = module.dtype(DTYPES[kind])
        words += (NUMBER_ROWS[kind], 0) if is_number else (id(dtype), SIZES[kind])
        kept.append(dtype)
    return ArrayRecord(words, pattern, kept)


def install(formula: Expr, record: ArrayRecord, entry: int) -> None:
    """Let a formula be called by way of a record."""
    words = (ctypes.c_uint64 * (NUMBERS // WORD + 1)).from_address(id(formula))
    words[RECORD // WORD] = ctypes.addressof(record.words)
    if words[VECTORCALL // WORD] != entry:
        words[NUMBERS // WORD] = words[VECTORCALL // WORD]
        words[VECTORCALL // WORD] = entry
    formula._record = record


@cache
def entries() -> int:
    """The code for vectorcalls; `Expr.map` is machine code then.  0 where NumPy or CPython is another."""
    module = numpy()
    core = load(
        "numpy._core._multiarray_umath" if hasattr(module, "_core") else "numpy.core._multiarray_umath"
    )
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    table = ctypes.cast(pointer(core._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    if table[NDARRAY] != id(module.ndarray) or not arrays_are_known(module) or not direct.PLACES:
        return 0
    slow_map: Any = Expr.map
    out = sys.intern("out")
    at = addresses(module, table[NEW_FROM_DTYPE] or 0, id(slow_map), id(out))
    arena = direct.PLACES[0].arena
    MAP[:] = [slow_map, out]
    be_native(slow_map, arena.place(ArrayEntry(at).method()))
    return arena.place(ArrayEntry(at).vectorcall())


def addresses(module: Any, new: int, slow_map: int, out: int) -> ArrayAddresses:
    items = layouts.tuple_items()
    assert items is not None, "the direct path is possible"
    return ArrayAddresses(
        ndarray=id(module.ndarray),
        new=new,
        floats=id(float),
        ints=id(int),
        tuples=id(tuple),
        lists=id(list),
        out=out,
        increase=address_of("Py_IncRef"),
        decrease=address_of("Py_DecRef"),
        method=address_of("PyMethod_New"),
        call=address_of("PyObject_Vectorcall"),
        slow_map=slow_map,
        items=items,
        by_tag=layouts.int_layout() is layouts.IntLayout.TAG,
        record=RECORD,
        numbers=NUMBERS,
        names=NAMES,
    )


def arrays_are_known(module: Any) -> bool:
    """Whether NumPy lays its arrays out as the code believes, by looking at some."""
    whole = module.zeros(7)
    tried = [whole, whole[1:6:2], module.zeros((2, 3), "i4"), module.zeros(1, "?")]
    whole[1:6:2].flags.writeable = False
    tried[1].flags.writeable = False
    lists: tuple[list[Any], ...] = ([], [1], [2, 3])
    return all(map(array_is_known, tried)) and all(map(list_is_known, lists))


def array_is_known(array: Any) -> bool:
    at, count = id(array), array.ndim
    words = {
        name: layouts.word_at(at + getattr(array_entries, name)) for name in ("DATA", "SHAPE", "STRIDES")
    }
    flags = ctypes.c_uint32.from_address(at + array_entries.FLAGS).value
    numbers = ctypes.c_int64 * count
    return (
        layouts.word_at(at + array_entries.TYPE) == id(type(array))
        and words["DATA"] == array.__array_interface__["data"][0]
        and layouts.digit_at(at + array_entries.DIMENSIONS) == count
        and layouts.word_at(at + array_entries.DTYPE) == id(array.dtype)
        and tuple(numbers.from_address(words["SHAPE"])) == array.shape
        and tuple(numbers.from_address(words["STRIDES"])) == array.strides
        and bool(flags & array_entries.WRITABLE) == array.flags.writeable
    )


def list_is_known(items: list[Any]) -> bool:
    """Whether a list is a size and the address of its items."""
    address = layouts.word_at(id(items) + array_entries.LIST_ITEMS)
    return layouts.word_at(id(items) + array_entries.VALUE) == len(items) and all(
        layouts.word_at(address + WORD * index) == id(item) for index, item in enumerate(items)
    )


def be_native(slow_map: Callable[..., Any], code: int) -> None:
    """Let `Expr.map` be a method in machine code, which says of itself what the one in Python does."""
    text = f"map($self, args, *, out=None, threads=1)\n--\n\n{slow_map.__doc__}"
    definition = MethodDefinition(b"map", code, FAST_CALL_WITH_KEYWORDS, text.encode())
    MAP.append(definition)
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p)(
        ("PyDescr_NewMethod", ctypes.pythonapi)
    )
    Expr.map = make(Expr, ctypes.addressof(definition))  # type: ignore[method-assign]
