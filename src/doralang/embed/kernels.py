"""The code of formulas on doubles for whole arrays: made at the first array call, freed with the formula.

What has a packed form for this processor gets a kernel (`machine/x64/kernels.py`), everything else a loop
around its scalar code.  Either is made once for each choice of variables that are scalars.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from doralang.embed import direct
from doralang.embed.arrays import BLOCK, Loop
from doralang.embed.levels import has_fused_products, level
from doralang.machine.buffer import Tabled
from doralang.machine.x64.doubles import TooDeep
from doralang.machine.x64.kernels import (
    SIMPLE,
    KernelEmitter,
    consists_of,
    element_loop,
    gains_by_width,
    has_packed_form,
)
from doralang.machine.x64.levels import Level
from doralang.optional import load
from doralang.types.kinds import BOOL, DOUBLE, Kind

if TYPE_CHECKING:
    from doralang.embed.formulas import Expr
    from doralang.machine.x64.doubles import Node

    Maker = Callable[[Node, Sequence[bool]], bytearray | None]

KERNEL: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
"""kernel(table, results, count); the global interpreter lock is released"""
TREES: Final = "doralang.embed.packed_trees"
MATHEMATICS: Final = "doralang.machine.packed.mathematics"
MOST_KEPT: Final = 16
"""kernels of a formula"""


class Kernels:
    """The kernels of one formula, whose variables are of the kinds `accepts`."""

    takes_scalars = True
    takes_any_truth = True
    most = BLOCK

    def __init__(self, source: str, names: Sequence[str], accepts: tuple[Kind, ...], result: Kind) -> None:
        self.source = source
        self.names = tuple(names)
        self.accepts = accepts
        self.kinds = accepts
        self.result = result
        self.kept: dict[tuple[bool, ...], direct.PlacedKernel] = {}
        self.node: Node | None = None
        self.is_swift = True
        """whether it never needs more than a few instructions for an element"""

    @contextmanager
    def loop(self, scalars: Sequence[bool]) -> Iterator[Loop]:
        """What computes a stretch of elements, as long as the context lasts."""
        code = self.placed_code(tuple(scalars))
        yield KERNEL(code.address)
        del code

    def placed_code(self, scalars: tuple[bool, ...]) -> direct.PlacedKernel:
        """The code for variables of which these are scalars, as long as the object is there."""
        code = self.kept.get(scalars)
        if code is None:
            code = placed(self.code_for(scalars))
            if len(self.kept) >= MOST_KEPT:
                self.kept = {}  # who runs one of them holds it
            self.kept[scalars] = code
        return code

    def packed_code(self, scalars: tuple[bool, ...]) -> bytearray | None:
        """The code for variables of which these are scalars, if there is a packed form."""
        if self.node is None:
            self.node = direct.Reader(self.source, self.names).formula()
        if not has_packed_form(self.node):
            return None
        codes = (make(self.node, scalars) for make in self.makers(self.node))
        return next((code for code in codes if code is not None), None)

    def makers(self, node: Node) -> Sequence[Maker]:
        """What makes the kernel of a tree, the best first.  That of AVX2 straight from the tree is made in a
        fifth of the time."""
        if level() is Level.SSE2 or not consists_of(node, SIMPLE):
            return (self.from_program,)
        if level() is Level.AVX512 and gains_by_width(node):
            return self.from_program, self.from_tree
        return self.from_tree, self.from_program

    def from_tree(self, node: Node, scalars: Sequence[bool]) -> bytearray | None:
        try:
            return KernelEmitter(scalars).kernel(node, self.result is BOOL)
        except TooDeep:
            return None

    def from_program(self, node: Node, scalars: Sequence[bool]) -> bytearray | None:
        return load(TREES).tree_code(node, scalars)  # type: ignore[no-any-return]

    def code_for(self, scalars: tuple[bool, ...]) -> bytearray:
        """What is run."""
        code = self.packed_code(scalars)
        assert code is not None, "there is packed code for any scalars, or for none"
        return code


class DirectKernels(Kernels):
    """Those of a formula that has taken the direct path."""

    def __init__(self, formula: Expr) -> None:
        assert formula._code is not None, "it took the direct path"
        result = BOOL if formula.type == "bool" else DOUBLE
        super().__init__(formula.source, formula.names, (DOUBLE,) * len(formula.names), result)
        self.code = formula._code
        self.ufunc: Any = None
        self.is_fast = dict(formula._options).get("math") == "fast"

    def packed_code(self, scalars: tuple[bool, ...]) -> bytearray | None:
        """What gives the same bits is preferred."""
        code = super().packed_code(scalars)
        if code is None and self.is_fast and self.node is not None and has_fused_products():
            functions = load(MATHEMATICS).FastFunctions(direct.PLACES[0].function)
            return load(TREES).tree_code(self.node, scalars, functions)  # type: ignore[no-any-return]
        return code

    def code_for(self, scalars: tuple[bool, ...]) -> bytearray:
        code = self.packed_code(scalars)
        self.is_swift = code is not None and self.node is not None and has_packed_form(self.node)
        return code or element_loop(self.code.address, scalars, self.result is BOOL)


def placed(code: bytearray) -> direct.PlacedKernel:
    """Code where it can run, for as long as the object is there; constants are kept apart from it."""
    place, size = direct.PLACES[0], len(code)
    if isinstance(code, Tabled) and code.references:
        size = code.table
        address = place.place_apart(size, bytes(code[size:]), code.alone, 0)
    else:
        address = place.place(code, formulas=0)
    return direct.PlacedKernel(direct.packed(address, size))
