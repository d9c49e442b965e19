"""A real `numpy.ufunc` over the code of a formula, made by ctypes with NumPy's own C API.

Broadcasting, `out=`, `where=`, casting and dispatch (`__array_ufunc__` of pandas, Dask, xarray) come with it.
The ufunc holds an owner of its code, which NumPy drops when it frees the ufunc.  The owner knows how to make
the like, so ufuncs are pickled (`embed/ufunc_pickles.py`).
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from doralang.embed.kernels import DirectKernels, placed
from doralang.machine.x64.ufunc_loops import ufunc_loop
from doralang.optional import load
from doralang.types.kinds import BOOL

if TYPE_CHECKING:
    from doralang.embed.recipes import Reduced

FROM_FUNCTIONS: Final = 1
"""`PyUFunc_FromFuncAndData` in the table of the API"""
NPY_BOOL: Final = 0
NPY_DOUBLE: Final = 12
NONE: Final = -1
"""`PyUFunc_None`: no identity"""

MAKE: Final = ctypes.PYFUNCTYPE(
    ctypes.py_object,
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int),
    *(ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int),
)
"""make(loops, data, types, number of loops, inputs, outputs, identity, name, documentation, unused)"""


class UfuncHead(ctypes.Structure):
    """`PyUFuncObject` behind the head that all objects have (numpy/ufuncobject.h)."""

    _fields_ = (
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_void_p),
        ("types", ctypes.c_void_p),
        ("doc", ctypes.c_void_p),
        ("ptr", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
    )


def ufunc_table() -> Any:
    """NumPy's table of the C API of ufuncs.  Raises ImportError without NumPy."""
    core = load("numpy")
    name = "numpy._core._multiarray_umath" if hasattr(core, "_core") else "numpy.core._multiarray_umath"
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return ctypes.cast(pointer(load(name)._UFUNC_API, None), ctypes.POINTER(ctypes.c_void_p))


def make_ufunc(kernels: DirectKernels, source: Reduced | None) -> Any:
    """The ufunc of a formula.  Raises ValueError if NumPy has none for so many variables."""
    truth, inputs = kernels.result is BOOL, len(kernels.names)
    packed = kernels.packed_code((False,) * inputs)
    kernel = placed(packed) if packed else None
    code = placed(
        ufunc_loop(kernel.address if kernel else 0, kernels.code.address, inputs, truth, not kernels.is_fast)
    )
    types = bytes([NPY_DOUBLE] * inputs + [NPY_BOOL if truth else NPY_DOUBLE])
    loops, data = (ctypes.c_void_p * 1)(code.address), (ctypes.c_void_p * 1)()
    kept_types = ctypes.create_string_buffer(types, len(types))
    name, documentation = b"formula", kernels.source.encode()
    owner = UfuncOwner((code, kernel, kernels.code, loops, data, kept_types, name, documentation), source)
    made = MAKE(ufunc_table()[FROM_FUNCTIONS])(
        *(ctypes.addressof(loops), ctypes.addressof(data), ctypes.addressof(kept_types)),
        *(1, inputs, 1, NONE, name, documentation, 0),
    )
    hold(made, owner, inputs)
    return made


class UfuncOwner:
    """What a ufunc needs as long as it lives, and where it comes from: what makes its formula or function."""

    __slots__ = ("kept", "source")

    def __init__(self, kept: tuple[object, ...], source: Reduced | None) -> None:
        self.kept = kept
        self.source = source


def hold(ufunc: Any, owner: UfuncOwner, inputs: int) -> None:
    """Let a ufunc hold its owner.  Where NumPy lays ufuncs out otherwise than is known the owner stays."""
    head = head_of(ufunc)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))
    if (head.nin, head.nout, head.nargs, head.ptr, head.obj) == (inputs, 1, inputs + 1, None, None):
        head.obj = id(owner)
    load("doralang.embed.ufunc_pickles").watch()


def head_of(ufunc: Any) -> UfuncHead:
    return UfuncHead.from_address(id(ufunc) + object.__basicsize__)


def owner_of(ufunc: Any) -> UfuncOwner | None:
    """The owner that a ufunc holds; None if it is not one of ours."""
    head = head_of(ufunc)
    if (head.nin, head.nout, head.nargs) != (ufunc.nin, ufunc.nout, ufunc.nargs) or not head.obj:
        return None
    found = ctypes.cast(head.obj, ctypes.py_object).value
    return found if type(found) is UfuncOwner else None
