"""Buffers as `Slice` and `MutSlice`: lent to a program for the time of one call, without a copy.

    m.total(numpy.ones(5))         ->   an object of 40 bytes: address, stride, number of the call, length

The buffer is held exported while the call runs, so its owner cannot resize it.  Afterwards the number of the
call is an old one, so a slice that the program has kept has no elements any more.
"""

from __future__ import annotations

from array import array
from contextlib import ExitStack
from struct import pack
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from doralang.code import layout
from doralang.embed.borders import is_slice
from doralang.embed.buffers import DTYPES, ArrayView, acquire
from doralang.embed.containers import is_array, numpy
from doralang.embed.conversion import wrong
from doralang.embed.frames import array_of, has_series
from doralang.optional import load
from doralang.runtime.memory import store_bytes
from doralang.types.kinds import Kind
from doralang.types.types import ClassType, PrimitiveType, Type

if TYPE_CHECKING:
    from doralang.embed.instances import Host

ARROW: Final = "doralang.embed.arrow"
BUFFERS: Final = (array, bytearray, bytes, memoryview)
OBJECT: Final = "<QQqQq"
"""a slice in memory: its shape, and what `layout` has in this order"""
MOST: Final = (1 << 31) - 1
"""elements of a slice"""


class LentParameter(NamedTuple):
    """A parameter that takes a buffer."""

    type: ClassType
    kind: Kind
    """of the elements"""
    is_written: bool


def lent(type: Type) -> LentParameter | None:
    """What a parameter of this type takes; None if no buffer."""
    if not is_slice(type):
        return None
    assert isinstance(type, ClassType), "slices are classes"
    (element,) = type.arguments
    if not isinstance(element, PrimitiveType) or element.kind not in DTYPES:
        return None
    return LentParameter(type, element.kind, type.head.name == "MutSlice")


def borrow(value: Any, name: str, lent: LentParameter, held: ExitStack) -> ArrayView:
    """Hold a buffer for a parameter.  Raises TypeError, ValueError and OverflowError."""
    found = value if is_plain(value) else as_buffer(value, name, lent, held)
    view = acquire(found, name, lent.is_written)
    held.callback(view.release)
    if view.kind is not lent.kind:
        raise TypeError(f"`{name}` is a {lent.type}, of {DTYPES[lent.kind]}, not {DTYPES[view.kind]}")
    if len(view.shape) != 1:
        raise TypeError(f"`{name}` has {len(view.shape)} dimensions; a {lent.type} has one")
    if view.shape[0] > MOST:
        raise OverflowError(f"`{name}` has {view.shape[0]} elements; a {lent.type} has at most {MOST}")
    return view


def is_plain(value: Any) -> bool:
    """Whether a value is nothing but a buffer, as most are."""
    module = numpy()
    return type(value) in BUFFERS or (module is not None and type(value) is module.ndarray)


def as_buffer(value: Any, name: str, lent: LentParameter, held: ExitStack) -> Any:
    """The elements of a column of others, as long as it is held; any other buffer is itself.

    Raises TypeError for what is neither, if elements are missing, and for columns that are to be written.
    """
    if not is_array(value):
        raise wrong(name, f"an array of {DTYPES[lent.kind]}", value)
    module = numpy()
    is_column = has_series([value])
    found = array_of(value) if is_column else value
    if not is_column and hands_over(value):
        is_column, found = True, load(ARROW).imported(value, held)
        module = numpy()
    if is_column and lent.is_written:
        raise TypeError(f"`{name}` is a column, which cannot be written; give an array")
    if module is not None and isinstance(found, module.ma.MaskedArray):
        if module.ma.getmaskarray(found).any():
            raise TypeError(f"`{name}` has missing elements, which a {lent.type} cannot say")
        return module.ma.getdata(found)
    if not is_buffer(found):
        raise wrong(name, f"an array of {DTYPES[lent.kind]}", value)
    return found


def hands_over(value: Any) -> bool:
    """Whether a value is a column of Arrow's, and has no buffer by itself."""
    has_arrow = any(hasattr(type(value), name) for name in ("__arrow_c_array__", "__arrow_c_stream__"))
    return has_arrow and not is_buffer(value)


def is_buffer(value: Any) -> bool:
    """Whether a value exports its memory, if it may or not."""
    try:
        memoryview(value).release()
    except TypeError:
        return False
    except (BufferError, ValueError):
        pass  # `acquire` says what is wrong
    return True


def new_slice(host: Host, lent: LentParameter, view: ArrayView) -> int:
    """The object that stands for a buffer in the present call.  Raises Trapped."""
    module, call = host.module, host.calls
    with module.space.freeing, module.space.lock:
        shape = module.loader.shape(module.specializer.class_ref(lent.type))
    address = host.new_memory(layout.SLICE_SIZE)
    store_bytes(address, pack(OBJECT, shape, view.address, view.strides[0], call, view.shape[0]))
    return address
