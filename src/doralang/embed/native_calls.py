"""The type of functions that Python calls in machine code, by the vectorcall protocol (PEP 590).

An object of it has, behind the head that all objects have, a few words for the code that is called:

    16 vectorcall | 24 thread block | 32 cell of the function | 40 what is called instead | 48 shape of `Str`
    56 tuple of the parameters' names | 64 record for arrays | 72 what takes numbers then

The type is made by CPython's `PyType_FromSpec`.  A class statement derives from it; up to Python 3.11 that
loses the flag which says that there is vectorcall, so it is set again (`keep_vectorcall`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

VECTORCALL: Final = 16
THREAD: Final = 24
"""0 if the call has to go by way of Python"""
CELL: Final = 32
SLOW: Final = 40
TEXT_SHAPE: Final = 48
NAMES: Final = 56
RECORD: Final = 64
NUMBERS: Final = 72
SIZE: Final = 80

TYPE_FLAGS: Final = 168
"""where a type has its flags"""
HAS_VECTORCALL: Final = 1 << 11
IS_BASE: Final = 1 << 10
IS_DEFAULT: Final = 1 << 18
READ_ONLY: Final = 1
SIGNED_SIZE: Final = 19
CALL_SLOT: Final = 50
MEMBERS_SLOT: Final = 72


class MemberDefinition(ctypes.Structure):
    """`PyMemberDef`"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class Slot(ctypes.Structure):
    """`PyType_Slot`"""

    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


class Spec(ctypes.Structure):
    """`PyType_Spec`"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.c_void_p),
    )


MEMBERS: Final = (MemberDefinition * 2)(
    MemberDefinition(b"__vectorcalloffset__", SIGNED_SIZE, VECTORCALL, READ_ONLY, None)
)
"""CPython keeps the address, so this lives as long as the process"""


def native_type() -> Any:
    """The type, without anything that Python could see."""
    call = ctypes.cast(ctypes.pythonapi.PyVectorcall_Call, ctypes.c_void_p).value
    slots = (Slot * 3)(Slot(MEMBERS_SLOT, ctypes.addressof(MEMBERS)), Slot(CALL_SLOT, call), Slot(0, None))
    flags = IS_DEFAULT | IS_BASE | HAS_VECTORCALL
    spec = Spec(b"doralang.NativeCall", SIZE, 0, flags, ctypes.addressof(slots))
    make = ctypes.pythonapi.PyType_FromSpec
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p]
    return make(ctypes.byref(spec))


if TYPE_CHECKING:

    class NativeCall:
        """What is called in machine code."""

        def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
            """Call it."""

else:
    NativeCall = native_type()


def keep_vectorcall(cls: type) -> None:
    """Let a class that derives from `NativeCall` have its vectorcall.  Where flags are elsewhere it is
    called less fast."""
    flags = ctypes.c_ulong.from_address(id(cls) + TYPE_FLAGS)
    if flags.value == cls.__flags__ and not flags.value & HAS_VECTORCALL:
        flags.value |= HAS_VECTORCALL
        modified = ctypes.pythonapi.PyType_Modified
        modified.argtypes = [ctypes.py_object]
        modified(cls)


class ArrayRecord:
    """What machine code knows of calls with arrays (`embed/quick_arrays.py`), and what that needs."""

    __slots__ = ("kept", "pattern", "words")

    def __init__(self, words: Sequence[int], pattern: tuple[bool, ...], kept: object) -> None:
        self.words = (ctypes.c_uint64 * len(words))(*words)
        self.pattern = pattern
        self.kept = kept


class CallWords(NamedTuple):
    """What a function's words say; it must keep alive by itself what they lead to."""

    code: int
    thread: int
    cell: int
    slow: object
    text_shape: int
    names: tuple[str, ...]


def set_words(function: NativeCall, values: CallWords) -> None:
    """Fill the words of a function."""
    words = (ctypes.c_uint64 * (NAMES // 8 + 1)).from_address(id(function))
    words[VECTORCALL // 8] = values.code
    words[THREAD // 8] = values.thread
    words[CELL // 8] = values.cell
    words[SLOW // 8] = id(values.slow)
    words[TEXT_SHAPE // 8] = values.text_shape
    words[NAMES // 8] = id(values.names)
