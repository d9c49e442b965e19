"""Formulas of the general path over arrays: kernels where doubles give the same, else a loop in Dora."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from doralang.embed.array_calls import Callee, called_by_any, ufunc_of
from doralang.embed.element_loops import kind_of, kinds_of, loops_of_formula
from doralang.embed.expressions import FormulaCallee, unchanged
from doralang.embed.formulas import IS_POSSIBLE, place
from doralang.embed.kernels import typed_kernels

if TYPE_CHECKING:
    from doralang.embed.arrays import Computation


def loops_of(callee: FormulaCallee) -> Computation:
    """What computes a formula of the general path over arrays, made once."""
    if callee.elements is None:
        callee.elements = kernels_of(callee) or loops_of_formula(callee, callee.recipe, unchanged)
    return callee.elements


def kernels_of(callee: FormulaCallee) -> Computation | None:
    """Packed code for a formula of the general path that gives the same in doubles."""
    recipe = callee.recipe
    if not IS_POSSIBLE or recipe.constants or recipe.callbacks:
        return None
    place()
    kinds, result = kinds_of(callee), kind_of(callee.function.result, "the result")
    return typed_kernels(recipe.text, [name for name, _, _ in callee.parameters], kinds, result)


def called_general(callee: FormulaCallee, values: Sequence[Any]) -> Any:
    """A call of a formula of the general path some of whose arguments are not numbers."""
    computation = loops_of(callee)
    way = Callee(computation, callee.call, lambda: ufunc_of(computation), lambda: callee)
    return called_by_any(way, values, None, 1)
