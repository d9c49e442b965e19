"""The code of formulas on doubles for whole arrays: made at the first array call, freed with the formula.

What has a packed form for this processor gets a kernel (`machine/x64/kernels.py`), everything else a loop
around its scalar code.  Either is made once for each choice of variables that are scalars.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from doralang.embed import direct
from doralang.embed.arrays import BLOCK, Loop
from doralang.machine.x64.doubles import TooDeep
from doralang.machine.x64.kernels import KernelEmitter, detector, element_loop, has_packed_form
from doralang.types.kinds import BOOL, DOUBLE, Kind

if TYPE_CHECKING:
    from doralang.embed.formulas import Expr
    from doralang.machine.x64.doubles import Node

KERNEL: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
"""kernel(table, results, count); the global interpreter lock is released"""
MOST_KEPT: Final = 16
"""kernels of a formula"""


@cache
def has_vectors() -> bool:
    """Whether this processor has AVX2."""
    place = direct.PLACES[0]
    code = detector()
    address = place.arena.place(code)
    try:
        return bool(ctypes.CFUNCTYPE(ctypes.c_int)(address)())
    finally:
        place.arena.free(address, len(code))


class DirectKernels:
    """The kernels of one formula."""

    takes_scalars = True
    most = BLOCK

    def __init__(self, formula: Expr) -> None:
        assert formula._code is not None, "it took the direct path"
        self.code = formula._code
        self.source = formula.source
        self.names = formula.names
        self.kinds: tuple[Kind, ...] = (DOUBLE,) * len(formula.names)
        self.result = BOOL if formula.type == "bool" else DOUBLE
        self.kept: dict[tuple[bool, ...], direct.PlacedKernel] = {}
        self.node: Node | None = None
        self.ufunc: Any = None

    @contextmanager
    def loop(self, scalars: Sequence[bool]) -> Iterator[Loop]:
        """What computes a stretch of elements, as long as the context lasts."""
        key = tuple(scalars)
        code = self.kept.get(key)
        if code is None:
            made = self.packed_code(key) or element_loop(self.code.address, key, self.result is BOOL)
            code = placed(made)
            if len(self.kept) >= MOST_KEPT:
                self.kept = {}  # who runs one of them holds it
            self.kept[key] = code
        yield KERNEL(code.address)
        del code

    def packed_code(self, scalars: tuple[bool, ...]) -> bytearray | None:
        """The code for variables of which these are scalars, if there is a packed form."""
        if self.node is None:
            self.node = direct.Reader(self.source, self.names).formula()
        if not has_vectors() or not has_packed_form(self.node):
            return None
        try:
            return KernelEmitter(scalars).kernel(self.node, self.result is BOOL)
        except TooDeep:
            return None


def placed(code: bytearray) -> direct.PlacedKernel:
    """Code where it can run, for as long as the object is there."""
    return direct.PlacedKernel(direct.packed(direct.PLACES[0].place(code, formulas=0), len(code)))
