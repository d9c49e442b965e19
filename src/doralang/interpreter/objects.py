"""Dora objects as the interpreters have them.

    primitive values   bool, int, float           as the meanings of primitives take and give them
    nil                None
    Point(1, 2)        ClassInstance(type, [1, 2])      fields of the parents first
    "tea"              Str(type, b"tea")           an object of its own: `clone()` is another one
    Array<Str>         Array(type, [...])          references
    Array<long>        Array(type, array("q"))     flat buffers, which others can look into

Each object knows its type with all arguments; that is all that `is`, `as`, `catch` and dispatch need.  The
type is whatever the engine knows classes by: a `ClassType` in the tree walk, a `ClassRef` in the VM; as text,
it is the name of the class.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from doralang.types.failures import Trapped
from doralang.types.kinds import Kind
from doralang.types.traps import Trap
from doralang.types.types import ClassType, PrimitiveType, Type
from doralang.typing_forms import overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias

ObjectType: TypeAlias = "Any"


class ClassInstance:
    """An object of an ordinary class; each field has its place in `fields`."""

    __slots__ = ("fields", "type")

    def __init__(self, type: ObjectType, fields: list[Value]) -> None:
        self.type = type
        self.fields = fields


class Str:
    """A string: UTF-8 bytes."""

    __slots__ = ("data", "type")

    def __init__(self, type: ObjectType, data: bytes) -> None:
        self.type = type
        self.data = data

    def __str__(self) -> str:
        """For messages: what is no UTF-8 becomes surrogate escapes."""
        return self.data.decode("utf-8", "surrogateescape")


class Flags(bytearray):
    """The elements of an `Array<bool>`: bytes that are read as `bool`."""

    @overload  # type: ignore[override]
    def __getitem__(self, index: int) -> bool: ...
    @overload
    def __getitem__(self, index: slice) -> bytearray: ...
    def __getitem__(self, index: int | slice) -> bool | bytearray:
        if isinstance(index, slice):
            return super().__getitem__(index)
        return super().__getitem__(index) != 0


Items: TypeAlias = "list[Value] | bytearray | array[int] | array[float]"


class Array:
    """An array; `items` are a list of references or a buffer."""

    __slots__ = ("items", "type")

    def __init__(self, type: ObjectType, items: Items) -> None:
        self.type = type
        self.items = items


Object: TypeAlias = ClassInstance | Str | Array
Value: TypeAlias = bool | int | float | Object | None


# What holds the elements of each kind, made of a first value (of that kind: `Any`) and a length.
BUFFERS: Final[dict[Kind, Callable[[Any, int], Items]]] = {
    Kind.BOOL: lambda value, length: Flags(bytearray([value]) * length),
    Kind.BYTE: lambda value, length: bytearray([value]) * length,
    Kind.CHAR: lambda value, length: array("I", [value]) * length,
    Kind.INT: lambda value, length: array("i", [value]) * length,
    Kind.LONG: lambda value, length: array("q", [value]) * length,
    Kind.FLOAT: lambda value, length: array("f", [value]) * length,
    Kind.DOUBLE: lambda value, length: array("d", [value]) * length,
}

REFERENCE_SIZE: Final = 8
HEADER_SIZE: Final = 16


def default_value(type: Type) -> Value:
    """What a variable of a concrete type starts with (section 4)."""
    if not isinstance(type, PrimitiveType):
        return None
    if type.kind is Kind.BOOL:
        return False
    return 0.0 if type.kind in (Kind.FLOAT, Kind.DOUBLE) else 0


def new_array(type: ClassType, length: int, value: Value, limit: int) -> Array:
    """An array filled with `value`.  Its bytes, counted as in machine code, may not be more than `limit`."""
    element = type.arguments[0]
    size = element.size if isinstance(element, PrimitiveType) else REFERENCE_SIZE
    if length < 0 or length * size + HEADER_SIZE > limit:
        raise Trapped(Trap.MEMORY)
    if isinstance(element, PrimitiveType):
        return Array(type, BUFFERS[element.kind](value, length))
    return Array(type, [value] * length)
