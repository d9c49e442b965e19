"""Values at the border, the slow way: Python's to the words of a compiled function's arguments, and back.

    int, long        int, exactly, or OverflowError
    double, float    int and float (`float` is rounded)
    bool             bool only
    byte, char       int from 0 to 255; a str of one character
    Str              str
    classes          Object, or None for `nil`

Errors name the parameter.  Machine code (`embed.wrappers`) takes over where nothing is to be said.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack
from typing import Any, Final

from doralang.embed.borders import Border
from doralang.types.types import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, PrimitiveType, Type, has_value

MASK: Final = (1 << 64) - 1

ToWord = Callable[[Any, str], int]
"""a value of Python as the word of an argument; the parameter's name is for errors"""


def whole(low: int, high: int, kind: str) -> ToWord:
    def convert(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(name, "int", value)
        if not low <= value <= high:
            raise OverflowError(f"`{name}`: {value} does not fit {kind}, which is from {low} to {high}")
        return value & MASK

    return convert


def to_double(value: Any, name: str) -> int:
    return int(unpack("<Q", pack("<d", as_double(value, name)))[0])


def as_double(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, "float", value)
    try:
        return float(value)
    except OverflowError:
        raise OverflowError(f"`{name}`: {value} is too large for double") from None


def to_float(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, "float", value)
    try:
        return int(unpack("<I", pack("<f", float(value)))[0])
    except OverflowError:
        raise OverflowError(f"`{name}`: {value} is too large for float") from None


def to_bool(value: Any, name: str) -> int:
    if not isinstance(value, bool):
        raise wrong(name, "bool", value)
    return int(value)


def to_char(value: Any, name: str) -> int:
    if not isinstance(value, str) or len(value) != 1 or 0xD800 <= ord(value) < 0xE000:
        raise wrong(name, "a str of one character", value)
    return ord(value)


def utf8(value: Any, name: str) -> bytes:
    """The bytes of a text; None, for `nil`, is not one."""
    if not isinstance(value, str):
        raise wrong(name, "str", value)
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"`{name}`: the text has a lone surrogate at {error.start}") from None


def wrong(name: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"`{name}`: expected {expected}, found {type(value).__name__}")


TO_WORD: Final[dict[Border, ToWord]] = {
    Border.BOOL: to_bool,
    Border.BYTE: whole(0, 255, "byte"),
    Border.CHAR: to_char,
    Border.INT: whole(-(1 << 31), (1 << 31) - 1, "int"),
    Border.LONG: whole(-(1 << 63), (1 << 63) - 1, "long"),
    Border.FLOAT: to_float,
    Border.DOUBLE: to_double,
}
"""what does not need an instance"""

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
        return PYTHON_TYPES.get(type, str(type))
    return None if not has_value(type) else str if type is text else str(type)
