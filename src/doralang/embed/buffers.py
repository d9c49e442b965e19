"""Arrays of others, by the buffer protocol (PEP 3118): address, kind, shape and strides, without a copy.

    view = acquire(numpy.zeros((2, 3)), "x")        kind double, shape (2, 3), strides (24, 8)
    view.release()

While a view is held its owner cannot move or resize what it exports.  NumPy is not needed: its arrays are
one kind of exporter, `array.array`, `memoryview`, `bytearray` and `mmap` are others.  What an exporter says
is looked at before it is believed.
"""

from __future__ import annotations

import ctypes
from math import prod
from typing import Any, Final

from doralang.machine.foreign import INT, OBJECT, WORD, address_of, function
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, LONG, Kind
from doralang.types.kinds import INT as INT_KIND

WRITABLE: Final = 0x1
FORMAT_AND_STRIDES: Final = 0x1C
MOST_DIMENSIONS: Final = 64

SIZES: Final[dict[Kind, int]] = {BOOL: 1, BYTE: 1, INT_KIND: 4, FLOAT: 4, LONG: 8, DOUBLE: 8}
"""kinds that elements have, and their bytes"""
DTYPES: Final[dict[Kind, str]] = {
    BOOL: "bool",
    BYTE: "uint8",
    INT_KIND: "int32",
    LONG: "int64",
    FLOAT: "float32",
    DOUBLE: "float64",
}
"""what NumPy calls them"""
FORMATS: Final[dict[Kind, str]] = {BOOL: "?", BYTE: "B", INT_KIND: "i", LONG: "q", FLOAT: "f", DOUBLE: "d"}
"""and `struct`"""
KINDS: Final[dict[tuple[str, int], Kind]] = {
    ("?", 1): BOOL,
    ("B", 1): BYTE,
    **{(letter, 4): INT_KIND for letter in "il"},
    **{(letter, 8): LONG for letter in "lqn"},
    ("f", 4): FLOAT,
    ("d", 8): DOUBLE,
}
"""by the letter of the format and the size of an element"""


class BufferDescription(ctypes.Structure):
    """`Py_buffer`"""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    )


get_buffer: Final = function(address_of("PyObject_GetBuffer"), INT, OBJECT, WORD, INT)
release_buffer: Final = function(address_of("PyBuffer_Release"), None, WORD)


class ArrayView:
    """An array that is held: `strides` are bytes from one element to the next, for each dimension."""

    __slots__ = ("address", "description", "is_held", "kind", "shape", "strides")

    def __init__(self, description: BufferDescription) -> None:
        self.description = description
        self.is_held = True

    def release(self) -> None:
        if self.is_held:
            self.is_held = False
            release_buffer(ctypes.addressof(self.description))

    def look(self, name: str) -> None:
        """Read what the exporter says.  Raises TypeError and ValueError."""
        said = self.description
        self.kind = kind_of(said, name)
        count = said.ndim
        if not 0 <= count <= MOST_DIMENSIONS or (count and not said.shape):
            raise ValueError(f"`{name}`: its exporter says it has {count} dimensions")
        if said.suboffsets and any(said.suboffsets[index] >= 0 for index in range(count)):
            raise TypeError(f"`{name}` is an array of pointers to arrays; copy it into a plain one")
        self.shape = tuple(said.shape[:count]) if count else ()
        if any(size < 0 for size in self.shape) or prod(self.shape) * said.itemsize != said.len:
            raise ValueError(f"`{name}`: shape {self.shape} and {said.len} bytes do not go together")
        self.strides = tuple(said.strides[:count]) if said.strides else row_strides(self.shape, said.itemsize)
        self.address = said.buf or 0
        if not self.address and said.len:
            raise ValueError(f"`{name}`: its exporter gives no address")


def acquire(value: Any, name: str, writable: bool = False) -> ArrayView:
    """Hold an array.  Raises TypeError, BufferError and ValueError."""
    description = BufferDescription()
    view = ArrayView(description)
    try:
        get_buffer(value, ctypes.addressof(description), FORMAT_AND_STRIDES | (WRITABLE if writable else 0))
    except (BufferError, ValueError) as error:
        if writable:
            raise ValueError(f"`{name}` cannot be written: {error}") from None
        raise TypeError(f"`{name}`: {error}") from None
    try:
        view.look(name)
    except BaseException:
        view.release()
        raise
    return view


def kind_of(said: BufferDescription, name: str) -> Kind:
    """The kind of the elements.  Raises TypeError."""
    text = (said.format or b"B").decode("ascii", "replace")
    letter = text.lstrip("@=<^")
    kind = KINDS.get((letter, said.itemsize))
    if kind is not None:
        return kind
    if text[:1] in (">", "!") and KINDS.get((text[1:], said.itemsize)):
        raise TypeError(f"`{name}` has its bytes in the other order (big-endian); convert it first")
    known = ", ".join(DTYPES.values())
    raise TypeError(f"`{name}` has elements of format {text!r}; there are {known}")


def row_strides(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Those of an array whose elements stand one after the other, the last index running fastest."""
    strides = []
    for extent in reversed(shape):
        strides.append(size)
        size *= extent
    return tuple(reversed(strides))


def extent(view: ArrayView) -> tuple[int, int]:
    """The addresses from the first byte of an array up to behind its last one; nothing if it is empty."""
    if 0 in view.shape:
        return view.address, view.address
    reach = [stride * (size - 1) for size, stride in zip(view.shape, view.strides, strict=True)]
    low = view.address + sum(step for step in reach if step < 0)
    return low, view.address + sum(step for step in reach if step > 0) + SIZES[view.kind]
