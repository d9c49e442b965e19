"""Calls with arrays: what came in says what goes out, and how.

    numpy.ndarray             a new ndarray; masked arrays a masked one
    array.array               a new array.array
    anything with a buffer    a new memoryview

NumPy is not imported here: whoever passes its arrays has done so.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from math import prod
from struct import pack
from typing import Any, Final

from doralang.embed.arrays import Computation, broadcast_shape, close_strides, compute, fits, memory_order
from doralang.embed.buffers import DTYPES, FORMATS, SIZES, ArrayView, acquire
from doralang.embed.conversion import to_bool, to_double, to_float, whole, wrong
from doralang.embed.walks import READABLE, WRITABLE
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, INT, LONG, Kind

NUMBERS: Final = (int, float, bool, str, bytes)
"""what is no array, whatever else it can do"""
WORDS: Final[dict[Kind, Callable[[Any, str], int]]] = {
    BOOL: to_bool,
    BYTE: whole(0, 255, "byte"),
    INT: whole(-(1 << 31), (1 << 31) - 1, "int"),
    LONG: whole(-(1 << 63), (1 << 63) - 1, "long"),
    FLOAT: to_float,
    DOUBLE: to_double,
}
"""numbers as they are for calls without arrays"""
ScalarCall = Callable[..., Any]


def numpy() -> Any:
    """NumPy, if somebody has imported it."""
    return sys.modules.get("numpy")


def is_array(value: object) -> bool:
    """Whether a value is no number, text or missing value, so that it is worth looking for arrays."""
    return value is not None and not isinstance(value, NUMBERS)


def as_number(value: Any) -> Any:
    """NumPy's numbers as Python's; anything else is itself."""
    module = numpy()
    if module is not None and isinstance(value, module.generic):
        return value.item()
    return value


def has_missing(values: Sequence[Any]) -> bool:
    """Whether arguments are masked arrays of NumPy's, or arrays of NumPy's beside None."""
    module = numpy()
    if module is None:
        return False
    arrays = [value for value in values if isinstance(value, module.ndarray)]
    is_masked = any(isinstance(value, module.ma.MaskedArray) for value in arrays)
    return is_masked or bool(arrays) and any(value is None for value in values)


def called(
    computation: Computation,
    scalar: ScalarCall,
    values: Sequence[Any],
    out: Any = None,
    threads: int = 1,
) -> Any:
    """Call a computation with the arguments in order, some of which may be arrays; `scalar` is for numbers.

    Raises TypeError for what is neither, and for arrays of several families or of elements that the parameter
    does not take; ValueError for shapes that do not fit together and outputs that cannot be written.
    """
    values = [as_number(value) for value in values]
    if out is None and not any(map(is_array, values)):
        return scalar(*values)
    return called_with_arrays(computation, values, out, threads)


def called_with_arrays(computation: Computation, values: Sequence[Any], out: Any, threads: int) -> Any:
    """Call a computation where there are arrays, among the arguments or for the results."""
    arrays = [value for value in values if is_array(value)]
    views: list[ArrayView] = []
    try:
        inputs = [
            operand(name, kind, value, views)
            for name, kind, value in zip(computation.names, computation.accepts, values, strict=True)
        ]
        family = family_of(arrays, out)
        shape = broadcast_shape([view.shape for view in views])
        if out is None:
            order = memory_order(views, shape)
            result = family.new(shape, computation.result, order)
            target = acquire(result, "out", writable=True)
            views.append(target)
        else:
            result = out
            target = output(out, computation.result, shape)
            views.append(target)
            order = memory_order(views, target.shape)
        compute(computation, inputs, target, order, threads)
    finally:
        for view in views:
            view.release()
    return family.finished(result) if out is None else result


def operand(name: str, kind: Kind, value: Any, views: list[ArrayView]) -> ArrayView | bytes:
    """An argument for machine code; arrays are noted among those that are to be released."""
    if not is_array(value):
        if value is None:
            raise TypeError(f"`{name}`: None among arrays; a masked array says which elements are missing")
        return pack("<Q", WORDS[kind](value, name))
    try:
        memoryview(value)
    except TypeError:
        raise wrong(name, "float" if kind in (DOUBLE, FLOAT) else kind.value, value) from None
    except (BufferError, ValueError):
        pass  # `acquire` says what is wrong
    view = acquire(value, name)
    views.append(view)
    if view.kind not in READABLE[kind]:
        known = ", ".join(DTYPES[one] for one in READABLE[kind])
        raise TypeError(f"`{name}` is {kind.value}, which takes arrays of {known}, not {DTYPES[view.kind]}")
    return view


def output(out: Any, kind: Kind, shape: tuple[int, ...]) -> ArrayView:
    """The array that gets the results.  Raises TypeError and ValueError."""
    view = acquire(out, "out", writable=True)
    try:
        if view.kind not in WRITABLE[kind]:
            known = ", ".join(DTYPES[one] for one in WRITABLE[kind])
            raise TypeError(
                f"`out`: results of {kind.value} go into arrays of {known}, not {DTYPES[view.kind]}"
            )
        if not fits(shape, view.shape):
            raise ValueError(f"`out` has shape {view.shape}, the result {shape}")
        repeats = [not step and size > 1 for step, size in zip(view.strides, view.shape, strict=True)]
        if any(repeats) and prod(view.shape):
            raise ValueError("`out` has several elements in one place")
    except BaseException:
        view.release()
        raise
    return view


# Families.


class Family:
    """Arrays that come in and go out alike; this one has whatever exports a buffer."""

    name = "buffers"

    def new(self, shape: tuple[int, ...], kind: Kind, order: Sequence[int]) -> Any:
        """A new array for the results."""
        made: Any = memoryview(bytearray(prod(shape) * SIZES[kind]))
        if len(shape) == 1 or not made.nbytes:
            return made.cast(FORMATS[kind])
        return made.cast(FORMATS[kind], shape)

    def finished(self, result: Any) -> Any:
        """What the caller gets."""
        return result


class Arrays(Family):
    """Those of the module `array`, which have one dimension."""

    name = "array.array"

    def new(self, shape: tuple[int, ...], kind: Kind, order: Sequence[int]) -> Any:
        made = array(FORMATS[kind].replace("?", "B"), bytes(SIZES[kind]))
        return memoryview(made * shape[0]).cast("B").cast("?") if kind is BOOL else made * shape[0]

    def finished(self, result: Any) -> Any:
        return result.obj if isinstance(result, memoryview) else result


class NumpyArrays(Family):
    """NumPy's; new ones have their axes in the order of the first input's."""

    name = "numpy"

    def new(self, shape: tuple[int, ...], kind: Kind, order: Sequence[int]) -> Any:
        module = numpy()
        flat = module.empty(prod(shape), DTYPES[kind])
        strides = close_strides(shape, order, SIZES[kind])
        return module.lib.stride_tricks.as_strided(flat, shape, strides)

    def finished(self, result: Any) -> Any:
        return result if result.ndim else result[()]


BUFFERS: Final = Family()
ARRAYS: Final = Arrays()
NUMPY: Final = NumpyArrays()


def family_of_one(value: Any) -> Family:
    module = numpy()
    if module is not None and isinstance(value, module.ndarray):
        return NUMPY
    return ARRAYS if isinstance(value, array) else BUFFERS


def family_of(arrays: Sequence[Any], out: Any) -> Family:
    """The one that all arrays are of.  Raises TypeError."""
    if not arrays:
        return family_of_one(out)
    families = {family_of_one(value) for value in arrays}
    if len(families) > 1:
        names = " and ".join(sorted(family.name for family in families))
        raise TypeError(f"arrays of several kinds in one call: {names}; convert them to one")
    return families.pop()
