"""Columns of Arrow, by its C data interface (arrow.apache.org/docs/format/CDataInterface.html) and capsules.

    __arrow_c_array__, __arrow_c_stream__       ->      arrays of NumPy's over the same memory, nulls masked
    results, masked                             ->      an `ArrowColumn`; pyarrow's array if that is imported

No library of Arrow's is needed, but NumPy is.  Columns of several chunks are copied into one.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from doralang.embed.frames import is_arrow
from doralang.optional import load

DTYPES: Final = {b"g": "float64", b"f": "float32", b"i": "int32", b"l": "int64", b"C": "uint8", b"b": "bool"}
"""of primitive types by their formats; `bool` are bits"""
FORMATS: Final = {dtype: format for format, dtype in DTYPES.items()}
NULLABLE: Final = 2
"""the flag of a field"""
BYTE: Final = 8
"""bits"""


class ArrowSchema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class ArrowArray(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class ArrowArrayStream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


RELEASE: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
NEXT: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
LAST_ERROR: Final = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)
DESTRUCTOR: Final = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
capsule_pointer: Final = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
new_capsule: Final = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
pointer_of_capsule_at: Final = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)

SIMPLE: Final = frozenset({"double", "float", "int32", "int64", "uint8"})
"""types that have the same elements for pyarrow and NumPy, by pyarrow's names"""

# In.


def called_with_plain(formula: Callable[..., Any], columns: Sequence[Any]) -> Any:
    """Call a formula with arrays of pyarrow's that have no nulls; None for whatever else there is.

    DuckDB calls once for each 2048 rows, and the protocol takes longer than the formula.
    """
    arrays = [plain(column) for column in columns]
    if not arrays or any(array is None for array in arrays):
        return None
    return sys.modules["pyarrow"].array(formula(*arrays))


def plain(column: object) -> Any:
    """The elements of an array of pyarrow's without nulls, by what pyarrow has for NumPy; None for others."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        return None
    if isinstance(column, pyarrow.ChunkedArray) and column.num_chunks == 1:
        column = column.chunk(0)
    if not isinstance(column, pyarrow.Array) or column.null_count or str(column.type) not in SIMPLE:
        return None
    return column.to_numpy()


def called_with_arrow(compute: Callable[[Sequence[Any]], Any], values: Sequence[Any], out: Any) -> Any:
    """Call `compute` with arrays in place of columns.  Raises TypeError and ValueError for strange ones."""
    with ExitStack() as held:
        arrays = [imported(value, held) if is_arrow(value) else value for value in values]
        result = compute(arrays)
    return result if out is not None else exported(result)


def exported(result: Any) -> Any:
    """A column of results."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        return ArrowColumn(result)
    is_plain = type(result) is load("numpy").ndarray and result.ndim == 1
    return pyarrow.array(result if is_plain else ArrowColumn(result))


def imported(value: Any, held: ExitStack) -> Any:
    """The elements of a column, for as long as it is held."""
    array = plain(value)
    if array is not None:
        return array
    if not hasattr(value, "__arrow_c_array__"):
        return from_stream(value.__arrow_c_stream__(), held)
    schema, array = value.__arrow_c_array__()
    held.callback(lambda capsules: None, (schema, array))  # these own what they lead to
    dtype = dtype_of(ArrowSchema.from_address(capsule_pointer(schema, b"arrow_schema")))
    return elements(ArrowArray.from_address(capsule_pointer(array, b"arrow_array")), dtype)


def from_stream(capsule: Any, held: ExitStack) -> Any:
    """All chunks of a stream."""
    address = capsule_pointer(capsule, b"arrow_array_stream")
    stream = ArrowArrayStream.from_address(address)
    held.callback(lambda capsule: None, capsule)
    schema = ArrowSchema()
    taken(NEXT(stream.get_schema), stream, schema)
    try:
        dtype = dtype_of(schema)
    finally:
        RELEASE(schema.release)(ctypes.addressof(schema))
    chunks = []
    while True:
        array = ArrowArray()
        taken(NEXT(stream.get_next), stream, array)
        if not array.release:
            break
        held.callback(RELEASE(array.release), ctypes.addressof(array))
        held.callback(lambda array: None, array)
        chunks.append(elements(array, dtype))
    numpy = load("numpy")
    if len(chunks) == 1:
        return chunks[0]
    return numpy.ma.concatenate(chunks) if chunks else numpy.empty(0, dtype)


def taken(ask: Callable[[int, int], int], stream: ArrowArrayStream, into: ctypes.Structure) -> None:
    """Ask a stream for something.  Raises ValueError with what it says."""
    if ask(ctypes.addressof(stream), ctypes.addressof(into)):
        said = LAST_ERROR(stream.get_last_error)(ctypes.addressof(stream)) or b"no reason given"
        raise ValueError(f"a stream of Arrow's failed: {said.decode(errors='replace')}")


def dtype_of(schema: ArrowSchema) -> str:
    """What NumPy calls the type.  Raises TypeError."""
    dtype = DTYPES.get(schema.format)
    if dtype is None or schema.dictionary:
        known = ", ".join(DTYPES.values())
        raise TypeError(f"a column of Arrow's has the format {schema.format!r}; there are {known}")
    return dtype


def elements(array: ArrowArray, dtype: str) -> Any:
    """An array over the memory of a column; masked if it has nulls."""
    numpy = load("numpy")
    if array.n_buffers != 2 or array.length < 0 or array.offset < 0:
        raise ValueError("a column of Arrow's is not laid out as its type says")
    if not array.length:
        return numpy.empty(0, dtype)
    validity, data = array.buffers[0], array.buffers[1]
    if not data:
        raise ValueError("a column of Arrow's has no data")
    if dtype == "bool":
        values = bits(data, array.offset, array.length)
    else:
        size = numpy.dtype(dtype).itemsize
        memory = (ctypes.c_char * (array.length * size)).from_address(data + array.offset * size)
        values = numpy.frombuffer(memory, dtype)
    if not validity or not array.null_count:
        return values
    return numpy.ma.MaskedArray(values, ~bits(validity, array.offset, array.length))


def bits(address: int, offset: int, count: int) -> Any:
    """Bits as an array of truth values."""
    numpy = load("numpy")
    first = offset // BYTE
    size = (offset + count + BYTE - 1) // BYTE - first
    memory = (ctypes.c_uint8 * size).from_address(address + first)
    spread = numpy.unpackbits(numpy.frombuffer(memory, "u1"), bitorder="little")
    return spread[offset - first * BYTE :][:count].astype("?")


# Out.

EXPORTED: Final[dict[int, object]] = {}
"""what others have of ours, by the number that stands in `private_data`, until they release it"""


def release_schema(address: int) -> None:
    schema = ArrowSchema.from_address(address)
    EXPORTED.pop(schema.private_data, None)
    schema.release = None


def release_array(address: int) -> None:
    array = ArrowArray.from_address(address)
    EXPORTED.pop(array.private_data, None)
    array.release = None


CAPSULES: Final[dict[int, ctypes.Structure]] = {}
"""the structures that capsules lead to"""


def free_schema(capsule: int) -> None:
    free(pointer_of_capsule_at(capsule, b"arrow_schema"))


def free_array(capsule: int) -> None:
    free(pointer_of_capsule_at(capsule, b"arrow_array"))


def free(address: int) -> None:
    """Nobody has the capsule any more; if nobody has taken over what it led to, that is released."""
    structure: Any = CAPSULES.pop(address)
    if structure.release:
        RELEASE(structure.release)(address)


RELEASE_SCHEMA: Final = RELEASE(release_schema)
RELEASE_ARRAY: Final = RELEASE(release_array)
FREE_SCHEMA: Final = DESTRUCTOR(free_schema)
FREE_ARRAY: Final = DESTRUCTOR(free_array)
"""what Arrow and CPython call, for as long as the process lives"""


def in_capsule(structure: ctypes.Structure, name: bytes, destructor: Any) -> Any:
    address = ctypes.addressof(structure)
    CAPSULES[address] = structure
    return new_capsule(address, name, ctypes.cast(destructor, ctypes.c_void_p))


class ArrowColumn:
    """Results as a column of Arrow's, for whoever takes `__arrow_c_array__`: pyarrow, Polars, DuckDB."""

    def __init__(self, result: Any) -> None:
        numpy = load("numpy")
        self.dtype = result.dtype.name
        mask = numpy.ma.getmaskarray(result)
        data = numpy.ascontiguousarray(numpy.ma.getdata(result))
        if data.ndim != 1:
            raise ValueError(f"a column of Arrow's has one dimension, the result {data.ndim}")
        self.length = len(data)
        self.nulls = int(mask.sum())
        self.data = numpy.packbits(data, bitorder="little") if self.dtype == "bool" else data
        self.validity = numpy.packbits(~mask, bitorder="little") if self.nulls else None

    def __len__(self) -> int:
        return self.length

    def __arrow_c_schema__(self) -> Any:
        """A capsule with the type."""
        format = FORMATS[self.dtype]
        schema = ArrowSchema(format=format, name=b"", flags=NULLABLE)
        schema.release = ctypes.cast(RELEASE_SCHEMA, ctypes.c_void_p)
        schema.private_data = ctypes.addressof(schema)
        EXPORTED[schema.private_data] = format
        return in_capsule(schema, b"arrow_schema", FREE_SCHEMA)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        """Capsules with the type and the elements, which share memory with this object.

        Another type than its own cannot be requested; by the protocol it is then given all the same.
        """
        buffers = (ctypes.c_void_p * 2)()
        if self.validity is not None:
            buffers[0] = self.validity.ctypes.data
        buffers[1] = self.data.ctypes.data
        array = ArrowArray(length=self.length, null_count=self.nulls, n_buffers=2)
        array.buffers = ctypes.cast(buffers, ctypes.POINTER(ctypes.c_void_p))
        array.release = ctypes.cast(RELEASE_ARRAY, ctypes.c_void_p)
        array.private_data = ctypes.addressof(buffers)
        EXPORTED[array.private_data] = (buffers, self.data, self.validity)
        return self.__arrow_c_schema__(), in_capsule(array, b"arrow_array", FREE_ARRAY)
