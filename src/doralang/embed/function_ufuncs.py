"""A real `numpy.ufunc` over a function of a program, or a formula with types, with one loop, of exactly the
kinds of its parameters.

    NumPy -> stub (machine code) -> run -> the loop around the function (`embed.element_loops`)
                  <- an error, or nothing <-

A function may fail where a formula on doubles cannot, and NumPy wants to find the error set when a loop
returns -1: no callback of ctypes can leave one behind.  So the callback hands over a reference to it, and the
stub sets it: until then nobody else has one, and other threads and handlers of signals may use the ufunc.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from doralang.code.symbols import NATIVE, Symbol
from doralang.embed import layouts
from doralang.embed.arrays import compute, forget_element
from doralang.embed.buffers import DTYPES, ArrayView, BufferDescription, extent
from doralang.embed.functions import PlacedWrapper
from doralang.embed.ufuncs import FROM_FUNCTIONS, MAKE, NONE, UfuncOwner, head_of, hold, ufunc_table
from doralang.machine.code import Code
from doralang.machine.foreign import OBJECT, address_of, function
from doralang.machine.macro import Condition, MacroAssembler
from doralang.machine.targets import host
from doralang.optional import load
from doralang.runtime.code_space import code_space
from doralang.types.kinds import LONG, Kind

if TYPE_CHECKING:
    from doralang.embed.arrays import Computation
    from doralang.embed.recipes import Reduced

ADD_LOOP: Final = 43
"""`PyUFunc_AddLoopFromSpec` in the table of the API, from NumPy 2 on"""
STRIDED_LOOP: Final = 5
"""`NPY_METH_strided_loop`"""
NEEDS_PYTHON: Final = 1 << 0
"""`NPY_METH_REQUIRES_PYAPI`: with the lock held, and errors are looked at"""
NO_FLOATING_ERRORS: Final = 1 << 1
OLDEST: Final = 2
"""of NumPy"""
WIDENED: Final = ("add", "multiply")
"""names of ufuncs that NumPy reduces in wider integers than it is given, for which others have no loop"""

RUN: Final = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(ctypes.c_int64),
    ctypes.POINTER(ctypes.c_int64),
)  # fmt: skip
"""run(context, addresses, count, strides): an exception, which is given away, or nothing"""
increase: Final = function(address_of("Py_IncRef"), None, OBJECT)


class LoopSlot(ctypes.Structure):
    """`PyType_Slot`"""

    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class LoopSpec(ctypes.Structure):
    """`PyArrayMethod_Spec` (numpy/dtype_api.h)"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("casting", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("dtypes", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
    )


def stub(masm: MacroAssembler, run: int) -> Code:
    """loop(context, addresses, count, strides): 0, or -1 with an error set."""
    work, failed = masm.temporaries[-1], masm.label()
    error, given, (kind, value) = masm.result, masm.thread, masm.arguments[:2]
    masm.prologue((masm.thread,))
    masm.set_frame_size(0)
    masm.load_constant(LONG, work, run)
    masm.call(work)
    masm.branch_immediate(LONG, Condition.NOT_EQUAL, error, 0, failed)
    masm.load_constant(LONG, masm.result, 0)
    masm.epilogue()
    masm.bind(failed)
    masm.move(LONG, given, error)
    masm.move(LONG, value, given)
    masm.load(LONG, kind, value, layouts.TYPE)
    masm.call_symbol(Symbol(NATIVE, "PyErr_SetObject"))
    masm.move(LONG, masm.arguments[0], given)
    masm.call_symbol(Symbol(NATIVE, "Py_DecRef"))
    masm.load_constant(LONG, masm.result, -1)
    masm.epilogue()
    return masm.finish()


def view_of(address: int, kind: Kind, count: int, stride: int) -> ArrayView:
    """Elements that NumPy holds."""
    view = ArrayView(BufferDescription())
    view.is_held = False
    view.address, view.kind, view.shape, view.strides = address, kind, (count,), (stride,)
    return view


def depends_on_order(inputs: Sequence[ArrayView], out: ArrayView) -> bool:
    """Whether an element may be computed from the results of others, as in `reduce` and `accumulate`."""
    low, high = extent(out)
    (step,) = out.strides
    for view in inputs:
        start, end = extent(view)
        is_same = (view.address, view.strides, view.kind) == (out.address, out.strides, out.kind)
        if start < high and low < end and not (is_same and step):
            return True
    return False


def runner(computation: Computation) -> Callable[..., int | None]:
    """What computes a stretch of elements."""
    kinds = (*computation.kinds, computation.result)

    def stretch(addresses: Sequence[int], strides: Sequence[int], start: int, count: int) -> list[ArrayView]:
        each = zip(addresses, kinds, strides, strict=True)
        return [view_of(address + start * stride, kind, count, stride) for address, kind, stride in each]

    def run(context: int, addresses: Any, count: Any, strides: Any) -> int | None:
        try:
            all, places, steps = count[0], addresses[: len(kinds)], strides[: len(kinds)]
            *inputs, out = stretch(places, steps, 0, all)
            most = 1 if depends_on_order(inputs, out) else all
            for start in range(0, all, most or 1):
                *inputs, out = stretch(places, steps, start, most)
                compute(computation, inputs, out, (0,), 1)
        except BaseException as error:
            forget_element(error)  # it is that of a stretch
            increase(error)
            return id(error)
        return None

    return run


def make_ufunc(computation: Computation, name: str, told: str, source: Reduced | None) -> Any:
    """The ufunc of a function.  Raises TypeError where NumPy is too old, and ImportError without it."""
    numpy, inputs = load("numpy"), len(computation.names)
    if int(numpy.__version__.partition(".")[0]) < OLDEST:
        raise TypeError(f"this ufunc needs NumPy {OLDEST} or later, not {numpy.__version__}")
    run = RUN(runner(computation))
    address = ctypes.cast(run, ctypes.c_void_p).value
    assert address is not None, "it is there"
    target = host()
    assert target is not None, "there is code for this processor"
    space = code_space(target)
    code = PlacedWrapper(space, stub(target.assembler(), address))
    dtypes = [numpy.dtype(DTYPES[kind]) for kind in (*computation.kinds, computation.result)]
    types = ctypes.create_string_buffer(bytes([dtype.num for dtype in dtypes]), len(dtypes))
    texts = ((f"{name}_" if name in WIDENED else name).encode(), told.encode())
    made = MAKE(ufunc_table()[FROM_FUNCTIONS])(None, None, None, 0, inputs, 1, NONE, *texts, 0)
    loops = add_loop(made, texts[0], [type(dtype) for dtype in dtypes], code.address)
    head = head_of(made)
    if head.nargs == len(dtypes) and not head.ntypes:
        # Whoever looks for a loop that arguments can be cast to looks at these.
        head.functions, head.types, head.ntypes = ctypes.addressof(loops), ctypes.addressof(types), 1
    hold(made, UfuncOwner((run, code, types, loops, texts, computation), source), inputs)
    return made


def add_loop(ufunc: Any, name: bytes, dtypes: Sequence[object], address: int) -> Any:
    """Give a ufunc its loop; what comes back must live as long."""
    slots = (LoopSlot * 2)(LoopSlot(STRIDED_LOOP, address), LoopSlot(0, None))
    kinds = (ctypes.c_void_p * len(dtypes))(*map(id, dtypes))
    spec = LoopSpec(
        *(name, len(dtypes) - 1, 1, 0, NEEDS_PYTHON | NO_FLOATING_ERRORS),
        *(ctypes.addressof(kinds), ctypes.addressof(slots)),
    )
    add = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_void_p)(ufunc_table()[ADD_LOOP])
    add(ufunc, ctypes.addressof(spec))  # which raises, if it does not
    return (ctypes.c_void_p * 1)(address)
