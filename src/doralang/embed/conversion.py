"""Values at the border: Python's to the words of a compiled function's arguments, and its result back.

    int, long        int, exactly, or OverflowError
    double, float    int and float (`float` is rounded)
    bool             bool only
    byte, char       int from 0 to 255; a str of one character
    Str              str

Errors name the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error as StructError
from struct import pack, unpack
from typing import TYPE_CHECKING, Any, Final

from doralang.interpreter.objects import Str
from doralang.types.types import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, PrimitiveType, Type, has_value

if TYPE_CHECKING:
    from doralang.native.upcalls import Upcalls

MASK: Final = (1 << 64) - 1

ToWord = Callable[["Upcalls", Any, str], int]
"""a value of Python as the word of an argument; the parameter's name is for errors"""


def whole(low: int, high: int, kind: str) -> ToWord:
    def convert(upcalls: Upcalls, value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(name, "int", value)
        if not low <= value <= high:
            raise OverflowError(f"`{name}`: {value} does not fit {kind}, which is from {low} to {high}")
        return value & MASK

    return convert


def to_double(upcalls: Upcalls, value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, "float", value)
    try:
        return int(unpack("<Q", pack("<d", value))[0])
    except OverflowError:
        raise OverflowError(f"`{name}`: {value} is too large for double") from None


def to_float(upcalls: Upcalls, value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, "float", value)
    try:
        return int(unpack("<I", pack("<f", value))[0])
    except (OverflowError, StructError):
        raise OverflowError(f"`{name}`: {value} is too large for float") from None


def to_bool(upcalls: Upcalls, value: Any, name: str) -> int:
    if not isinstance(value, bool):
        raise wrong(name, "bool", value)
    return int(value)


def to_char(upcalls: Upcalls, value: Any, name: str) -> int:
    if not isinstance(value, str) or len(value) != 1 or 0xD800 <= ord(value) < 0xE000:
        raise wrong(name, "a str of one character", value)
    return ord(value)


def to_text(upcalls: Upcalls, value: Any, name: str) -> int:
    if not isinstance(value, str):
        raise wrong(name, "str", value)
    try:
        data = value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"`{name}`: the text has a lone surrogate at {error.start}") from None
    return upcalls.new_text(data)


def wrong(name: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"`{name}`: expected {expected}, found {type(value).__name__}")


TO_WORD: Final[dict[PrimitiveType, ToWord]] = {
    BOOL: to_bool,
    BYTE: whole(0, 255, "byte"),
    CHAR: to_char,
    INT: whole(-(1 << 31), (1 << 31) - 1, "int"),
    LONG: whole(-(1 << 63), (1 << 63) - 1, "long"),
    FLOAT: to_float,
    DOUBLE: to_double,
}

FromValue = Callable[[Any], Any]


def same(value: Any) -> Any:
    return value


def text_of(value: Str | None) -> str | None:
    return None if value is None else value.data.decode()


def converter_for(type: Type, text: Type) -> ToWord | None:
    """How a value of this type gets in; None if it cannot."""
    if isinstance(type, PrimitiveType):
        return TO_WORD[type]
    return to_text if type is text else None


def result_of(type: Type, text: Type) -> FromValue | None:
    """How a result of this type comes out; None if it cannot."""
    if type is CHAR:
        return chr
    if isinstance(type, PrimitiveType) or not has_value(type):
        return same
    return text_of if type is text else None


PYTHON_TYPES: Final[dict[PrimitiveType, type]] = {
    BOOL: bool,
    BYTE: int,
    CHAR: str,
    INT: int,
    LONG: int,
    FLOAT: float,
    DOUBLE: float,
}
"""as annotations of signatures"""


def annotation(type: Type, text: Type) -> Any:
    if isinstance(type, PrimitiveType):
        return PYTHON_TYPES[type]
    return None if not has_value(type) else str if type is text else str(type)
