"""Kinds of values: what registers hold."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Final


class Kind:
    """What a register holds; all that bytecode and machine code know of types.

    There are the eight below, compared by identity.  An `Enum` would be the same, and would take longer to
    load than a stored program takes to run.
    """

    __slots__ = ("name", "value")

    BOOL: ClassVar[Kind]
    BYTE: ClassVar[Kind]
    CHAR: ClassVar[Kind]
    INT: ClassVar[Kind]
    LONG: ClassVar[Kind]
    FLOAT: ClassVar[Kind]
    DOUBLE: ClassVar[Kind]
    REF: ClassVar[Kind]

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"Kind.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return kind_named, (self.value,)


# The kinds by themselves, for what looks at every instruction: reaching them through their class is slow.
BOOL = Kind.BOOL = Kind("BOOL", "bool")
BYTE = Kind.BYTE = Kind("BYTE", "byte")
CHAR = Kind.CHAR = Kind("CHAR", "char")
INT = Kind.INT = Kind("INT", "int")
LONG = Kind.LONG = Kind("LONG", "long")
FLOAT = Kind.FLOAT = Kind("FLOAT", "float")
DOUBLE = Kind.DOUBLE = Kind("DOUBLE", "double")
REF = Kind.REF = Kind("REF", "ref")

KINDS: Final = {kind.value: kind for kind in (BOOL, BYTE, CHAR, INT, LONG, FLOAT, DOUBLE, REF)}
"""by value"""


def kind_named(value: str) -> Kind:
    """Raises KeyError."""
    return KINDS[value]


FLOATING: Final = (FLOAT, DOUBLE)
"""Those that are in float registers."""
