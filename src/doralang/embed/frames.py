"""Columns of others: pandas' Series, and whatever dispatches on ufuncs (Dask, xarray, arrays with units).

A Series is computed as the array that it holds, and what comes out has its index; those of all Series in a
call must be equal.  One that may miss elements (dtype `Float64`, `Int64`, `boolean`) is a masked array.
Others get a real ufunc to do with as they do with NumPy's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

Compute = Callable[[Sequence[Any]], Any]


def pandas() -> Any:
    """pandas, if somebody has imported it."""
    return sys.modules.get("pandas")


def has_series(values: Sequence[Any]) -> bool:
    module = pandas()
    return module is not None and any(isinstance(value, module.Series) for value in values)


def called_with_series(compute: Compute, values: Sequence[Any], out: Any) -> Any:
    """Call `compute` with arrays in place of the Series.  Raises ValueError if indexes differ.

    What goes into `out` comes out as that.
    """
    module = pandas()
    series = [value for value in values if isinstance(value, module.Series)]
    index = series[0].index
    for other in series[1:]:
        if not index.equals(other.index):
            raise ValueError("the indexes of two Series in one call differ")
    result = compute([array_of(value) if isinstance(value, module.Series) else value for value in values])
    if out is not None:
        return result
    if result.shape != (len(index),):
        raise ValueError(f"Series of {len(index)} elements beside an array of shape {result.shape}")
    masked = sys.modules["numpy"].ma.MaskedArray
    return module.Series(with_missing(result) if isinstance(result, masked) else result, index=index)


def array_of(series: Any) -> Any:
    """The elements of a Series."""
    dtype = getattr(series.dtype, "numpy_dtype", None)
    if dtype is None or not hasattr(series.array, "isna"):
        return series.to_numpy()
    missing = series.isna().to_numpy()
    values = series.to_numpy(dtype=dtype, na_value=dtype.type(0))
    return sys.modules["numpy"].ma.MaskedArray(values, missing) if missing.any() else values


def with_missing(result: Any) -> Any:
    """A masked array as pandas has such."""
    arrays = pandas().arrays
    kinds = {"b": arrays.BooleanArray, "f": arrays.FloatingArray, "i": arrays.IntegerArray}
    kind = kinds.get(result.dtype.kind, arrays.IntegerArray)
    return kind(result.data, sys.modules["numpy"].ma.getmaskarray(result))


def is_arrow(value: object) -> bool:
    """Whether a value is a column that hands itself over as Arrow's, and takes no ufuncs."""
    kind = type(value)
    hands_over = hasattr(kind, "__arrow_c_array__") or hasattr(kind, "__arrow_c_stream__")
    return hands_over and getattr(kind, "__array_ufunc__", None) is None


def dispatches(values: Sequence[Any]) -> bool:
    """Whether one of some arguments takes ufuncs its own way."""
    module = sys.modules.get("numpy")
    if module is None:
        return False
    usual = (module.ndarray.__array_ufunc__, None)
    return any(getattr(type(value), "__array_ufunc__", None) not in usual for value in values)
