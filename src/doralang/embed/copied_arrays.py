"""Sequences and buffers as `Array<T>`: copied into the instance for a call.

    m.total([1, 2, 3])          ->   an object of the program's own: shape, length, elements

Elements are converted as arguments are: whole numbers exactly, doubles as Python's `float` does it, or with
an error that names the place.  A buffer of exactly `T` is copied as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import TYPE_CHECKING, Any, Final

from doralang.checker.program import Class
from doralang.code import layout
from doralang.embed.borders import BORDERS
from doralang.embed.conversion import TO_WORD, wrong
from doralang.runtime.memory import store_bytes
from doralang.types.failures import Trapped
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.traps import Trap
from doralang.types.types import ClassType, PrimitiveType, Type

if TYPE_CHECKING:
    from doralang.embed.instances import Host

HEAD: Final = "<QQ"
"""shape and length"""
MOST: Final = (1 << 31) - 1
"""elements of an array"""
CODES: Final[dict[Kind, tuple[str, int]]] = {
    BOOL: ("B", 1),
    BYTE: ("B", 1),
    CHAR: ("I", 4),
    INT: ("I", 4),
    LONG: ("Q", 8),
    FLOAT: ("I", 4),
    DOUBLE: ("Q", 8),
}
"""how elements of a kind stand in memory, and the bytes of each"""
FORMATS: Final = {("?", 1): BOOL, ("B", 1): BYTE, ("i", 4): INT, ("f", 4): FLOAT, ("d", 8): DOUBLE}
"""the kinds that buffers have elements of, by format and size; of `long` there are two"""
TRUTHS: Final = bytes([0]) + bytes([1]) * 255
"""what a byte of a buffer of truth values is: any but 0 is true, and compiled code knows no true one but 1"""


def copied(type: Type) -> PrimitiveType | None:
    """The type of the elements that a parameter of this type takes copies of; None if it takes none."""
    if not isinstance(type, ClassType) or type.head.name != "Array":
        return None
    assert isinstance(type.head, Class), "it is a checked one"
    element = type.arguments[0] if type.arguments else None
    if type.head.source.main or not isinstance(element, PrimitiveType) or element not in BORDERS:
        return None
    return element


def new_array(host: Host, type: Type, element: PrimitiveType, value: Any, name: str) -> int:
    """The address of an array with copies.  Raises TypeError, OverflowError, Trapped."""
    size = CODES[element.kind][1]
    look_at_length(host, value, name, size, type)
    data = elements(value, name, element, str(type))
    count = len(data) // size
    module = host.module
    with module.space.freeing, module.space.lock:
        assert isinstance(type, ClassType), "arrays are objects"
        shape = module.loader.shape(module.specializer.class_ref(type))
    address = host.new_memory(layout.ARRAY_ELEMENTS + len(data))
    store_bytes(address, pack(HEAD, shape, count) + data)
    return address


def look_at_length(host: Host, value: Any, name: str, size: int, type: Type) -> None:
    """Whether there can be so many elements, before any is converted.  Raises OverflowError and Trapped."""
    try:
        count = len(value)
    except Exception:  # what has no length is none that is taken, and that is said below
        return
    if count > MOST:
        raise OverflowError(f"`{name}` has {count} elements; an {type} has at most {MOST}")
    memory = host.limits.memory
    if memory is not None and count * size > memory:
        raise Trapped(Trap.MEMORY)


def elements(value: Any, name: str, element: PrimitiveType, wanted: str) -> bytes:
    """The elements as they stand in memory.  Raises TypeError and OverflowError."""
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError):
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise wrong(name, f"a sequence for {wanted}", value) from None
        return converted(value, name, element)
    with view:
        if view.ndim != 1:
            raise TypeError(f"`{name}` has {view.ndim} dimensions; an {wanted} has one")
        kind = LONG if (view.format in ("l", "q") and view.itemsize == 8) else None
        if (kind or FORMATS.get((view.format, view.itemsize))) is element.kind:
            data = view.tobytes()
            return data.translate(TRUTHS) if element.kind is BOOL else data
        try:
            values = view.tolist()
        except NotImplementedError:  # of another byte order, complex, records
            message = f"`{name}` has elements of format {view.format!r}, which {wanted} does not take"
            raise TypeError(message) from None
        return converted(values, name, element)


def converted(values: Sequence[Any], name: str, element: PrimitiveType) -> bytes:
    """Values of Python as elements, each by itself."""
    code, size = CODES[element.kind]
    convert, mask = TO_WORD[BORDERS[element]], (1 << 8 * size) - 1
    words = [convert(value, f"{name}[{index}]") & mask for index, value in enumerate(values)]
    return pack(f"<{len(words)}{code}", *words)
