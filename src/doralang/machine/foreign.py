"""C functions and memory by address, straight from `_ctypes`.

`ctypes` is a large front of it, which takes longer to load than a stored program takes to run.  What every
run needs of it are words in memory and a dozen functions:

    sleep = function(address_of("usleep"), INT, INT)
    (WORD * 10).from_address(address)[0] = 1
"""

from __future__ import annotations

import _ctypes
from _ctypes import ArgumentError, addressof, get_errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import c_uint8, c_uint32, c_uint64
    from typing import Any, Final

__all__ = ["addressof", "get_errno"]

LIBRARIES: Final = (None, "libm.so.6")
"""where C functions are looked for: what this process is linked with, and the mathematics"""


class _Byte(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "B"


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _Int32(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "I"


class _Word(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "L"


class _Bytes(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "z"


class _Object(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "O"


WORD: Final[type[c_uint64]] = _Word  # type: ignore[assignment]
"""8 bytes: a number or an address"""
BYTE: Final[type[c_uint8]] = _Byte  # type: ignore[assignment]
INT32: Final[type[c_uint32]] = _Int32  # type: ignore[assignment]
INT: Final = _Int
"""the `int` of C"""
BYTES: Final = _Bytes
"""the start of a `bytes` object, as an argument"""
OBJECT: Final = _Object


def address_of(name: str) -> int:
    """The address of a C function.  Raises KeyError."""
    for library in LIBRARIES:
        try:
            return int(_ctypes.dlsym(_ctypes.dlopen(library, 0), name))  # type: ignore[arg-type]
        except OSError:
            continue
    raise KeyError(name)


def function(
    address: int, result: Any, *arguments: Any, holds_gil: bool = True, keeps_errno: bool = False
) -> Callable[..., Any]:
    """A C function for Python to call.  Results of type `WORD` and `INT` are numbers.

    What holds the GIL may raise: Python looks for an exception when it has returned.  Where Python's limit of
    recursion is reached while arguments are converted, RecursionError comes out.
    """
    flags = _ctypes.FUNCFLAG_CDECL
    if holds_gil:
        flags |= _ctypes.FUNCFLAG_PYTHONAPI
    if keeps_errno:
        flags |= _ctypes.FUNCFLAG_USE_ERRNO

    class CFunction(_ctypes.CFuncPtr):
        _flags_ = flags
        _restype_ = result
        _argtypes_ = arguments

    made = CFunction(address)

    def call(*values: Any) -> Any:
        try:
            return made(*values)
        except ArgumentError as error:
            if "RecursionError" in str(error):
                raise RecursionError("maximum recursion depth exceeded") from None
            raise

    return call


fill: Final = function(_ctypes._memset_addr, WORD, WORD, INT, WORD)  # type: ignore[attr-defined]
"""fill(address, byte, size)"""
copy: Final = function(_ctypes._memmove_addr, WORD, WORD, BYTES, WORD)  # type: ignore[attr-defined]
"""copy(address, bytes, size)"""
bytes_at: Final = function(_ctypes._string_at_addr, OBJECT, WORD, INT)  # type: ignore[attr-defined]
"""bytes_at(address, size)  ->  bytes"""
