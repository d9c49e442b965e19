"""Formulas of the general path over arrays: kernels where there is packed code, else a loop in Dora."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from doralang.embed.array_calls import Callee, called_by_any, general_ufunc, with_values
from doralang.embed.element_loops import kind_of, kinds_of, loops_of_formula
from doralang.embed.expressions import FormulaCallee, unchanged
from doralang.embed.formulas import IS_POSSIBLE, place
from doralang.embed.functions import SlowCallee
from doralang.embed.kernels import Kernels
from doralang.embed.levels import has_fused_products, packer
from doralang.embed.packed_formulas import PackedTranslator
from doralang.machine.packed.mathematics import FastFunctions
from doralang.machine.packed.primitives import NotPacked, Wider
from doralang.machine.packed.programs import NARROW, SIZES, WIDE

if TYPE_CHECKING:
    from doralang.embed.arrays import Computation
    from doralang.embed.expressions import FormulaRecipe, Rewrite


class TypedKernels(Kernels):
    """The kernels of a formula of the general path: straight from its checked text."""

    def __init__(self, callee: SlowCallee, is_fast: bool) -> None:
        kinds, result = kinds_of(callee), kind_of(callee.function.result, "the result")
        super().__init__("", [name for name, _, _ in callee.parameters], kinds, result)
        self.function = callee.function
        self.is_swift = not is_fast
        self.first: bytearray | None = None
        """the code for arrays alone, until it is placed"""
        self.functions = FastFunctions(place().function) if is_fast and has_fused_products() else None

    def packed_code(self, scalars: tuple[bool, ...]) -> bytearray | None:
        """A vector has as many lanes as elements of the widest kind fit, which may be met on the way."""
        is_wide = any(SIZES.get(kind) == WIDE for kind in (*self.kinds, self.result))
        for widest in (WIDE,) if is_wide else (NARROW, WIDE):
            packed = packer()(widest, scalars, self.functions)
            try:
                packed.store(PackedTranslator(packed).formula(self.function))
            except Wider:
                continue
            except NotPacked:
                return None
            return packed.kernel()
        return None

    def is_possible(self) -> bool:
        """Whether there is packed code."""
        self.first = self.packed_code((False,) * len(self.names))
        return self.first is not None

    def code_for(self, scalars: tuple[bool, ...]) -> bytearray:
        first = self.first
        if first is not None and not any(scalars):
            self.first = None
            return first
        return super().code_for(scalars)


def loops_of(callee: FormulaCallee) -> Computation:
    """What computes a formula of the general path over arrays, made once."""
    if callee.elements is None:
        callee.elements = computation_of_callee(callee, callee.recipe, unchanged, callee.is_fast)
    return callee.elements


def computation_of_callee(
    callee: SlowCallee, recipe: FormulaRecipe, rewrite: Rewrite, is_fast: bool = False
) -> Computation:
    """Packed code if there is some, else a loop around the formula."""
    if IS_POSSIBLE:
        place()
        kernels = TypedKernels(callee, is_fast)
        if kernels.is_possible():
            return kernels
    return loops_of_formula(callee, recipe, rewrite)


def called_general(callee: FormulaCallee, values: Sequence[Any]) -> Any:
    """A call of a formula of the general path some of whose arguments are not numbers."""
    formula = callee.formula()
    if formula is not None:
        return with_values(formula, values)
    computation = loops_of(callee)
    way = Callee(
        computation, callee.call, lambda: general_ufunc(callee, callee.recipe.text, None), lambda: callee
    )
    return called_by_any(way, values, None, 1)
