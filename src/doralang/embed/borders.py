"""How types of the language cross the border to Python: one row a way."""

from __future__ import annotations

from enum import Enum
from typing import Final

from doralang.checker.program import Class
from doralang.types.kinds import Kind
from doralang.types.types import (
    BOOL,
    BYTE,
    CHAR,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    ClassType,
    PrimitiveType,
    Type,
    has_value,
    is_reference,
)


class Border(Enum):
    """A way to cross; the value says what Python has."""

    __hash__ = object.__hash__

    BOOL = "bool"
    BYTE = "int from 0 to 255"
    CHAR = "str of one character"
    INT = "int of 32 bits"
    LONG = "int of 64 bits"
    FLOAT = "float, rounded"
    DOUBLE = "float"
    TEXT = "str"
    OBJECT = "Object"
    UNIT = "None"

    @property
    def kind(self) -> Kind:
        """What a register holds of it."""
        return KINDS[self]


KINDS: Final = {
    Border.BOOL: Kind.BOOL,
    Border.BYTE: Kind.BYTE,
    Border.CHAR: Kind.CHAR,
    Border.INT: Kind.INT,
    Border.LONG: Kind.LONG,
    Border.FLOAT: Kind.FLOAT,
    Border.DOUBLE: Kind.DOUBLE,
    Border.TEXT: Kind.REF,
    Border.OBJECT: Kind.REF,
}

SLICES: Final = ("Slice", "MutSlice")

BORDERS: Final[dict[PrimitiveType, Border]] = {
    BOOL: Border.BOOL,
    BYTE: Border.BYTE,
    CHAR: Border.CHAR,
    INT: Border.INT,
    LONG: Border.LONG,
    FLOAT: Border.FLOAT,
    DOUBLE: Border.DOUBLE,
}


def border_of(type: Type, text: Type) -> Border | None:
    """How values of a type cross; `text` is the type `Str`.  None if they do not."""
    if isinstance(type, PrimitiveType):
        return BORDERS.get(type)
    if not has_value(type):
        return Border.UNIT
    if type is text:
        return Border.TEXT
    return Border.OBJECT if is_reference(type) and not is_slice(type) else None


def is_slice(type: Type) -> bool:
    """Whether a type is one of the library's slices, which cross in one direction only (`embed.slices`)."""
    if not isinstance(type, ClassType) or type.head.name not in SLICES:
        return False
    assert isinstance(type.head, Class), "it is a checked one"
    return not type.head.source.main
