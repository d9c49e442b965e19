"""Calls of C functions for the interpreters, by ctypes, which is loaded when first needed.

Addresses and arguments are `long`s.  A wrong address crashes the process, as it would in C.
"""

from __future__ import annotations

from typing import Any, Final

from doralang.optional import load
from doralang.types.arithmetic import wrap_long

_process: Final[list[Any]] = []


def process() -> Any:
    """Everything that is linked into this process, libc included."""
    if not _process:
        _process.append(load("ctypes").CDLL(None))
    return _process[0]


def function_address(name: bytes) -> int:
    """The address of a C function, 0 if there is none of this name."""
    ctypes = load("ctypes")
    try:
        function = getattr(process(), name.decode())
    except (AttributeError, ValueError):
        return 0
    return wrap_long(ctypes.cast(function, ctypes.c_void_p).value or 0)


def call(address: int, arguments: tuple[int, ...]) -> int:
    """Call machine code with integers."""
    ctypes = load("ctypes")
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(arguments))
    return int(prototype(address)(*arguments))


def call_by_name(name: bytes, *arguments: int) -> int:
    return call(function_address(name), arguments)


def malloc(size: int) -> int:
    return call_by_name(b"malloc", size)


def free(address: int) -> None:
    call_by_name(b"free", address)


def store_byte(address: int, value: int) -> None:
    load("ctypes").c_uint8.from_address(address).value = value
