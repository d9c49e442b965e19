"""How types of the language cross the border to Python: one row a way."""

from __future__ import annotations

from enum import Enum
from typing import Final

from doralang.types.kinds import Kind
from doralang.types.types import (
    BOOL,
    BYTE,
    CHAR,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
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
    return Border.OBJECT if is_reference(type) else None
