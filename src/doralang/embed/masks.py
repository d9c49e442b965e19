"""Missing values among arrays: NumPy's masked arrays, and None for an array all of which is missing.

An element is computed like a call with None for what is missing there.  So elements are sorted by the names
that they miss; each sort has a variant of the formula (`FormulaVariant`), computed over its elements alone.

    x, y masked         all there       x missing       y missing       both
    coalesce(x, 0) + y  the formula     0 + y           missing         missing
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from doralang.embed.arrays import element_of, name_element
from doralang.embed.buffers import DTYPES
from doralang.embed.containers import as_number, called_with_arrays, family_of, is_array, numpy
from doralang.embed.element_loops import loops_of_formula
from doralang.embed.expressions import stand_in

if TYPE_CHECKING:
    from doralang.embed.arrays import Computation
    from doralang.embed.expressions import FormulaCallee, FormulaVariant

MOST_INCOMPLETE: Final = 62
"""bits of a number"""


class MaskedCall:
    """One call with arguments that may be missing."""

    def __init__(self, computation: Computation, callee: FormulaCallee, values: Sequence[Any]) -> None:
        module = self.numpy = numpy()
        self.computation = computation
        self.callee = callee
        values = [None if value is module.ma.masked else as_number(value) for value in values]
        family_of([value for value in values if is_array(value)], None)
        self.shape = module.broadcast_shapes(*[value.shape for value in values if is_array(value)])
        masks = [
            module.broadcast_to(value is None or module.ma.getmaskarray(value), self.shape)
            for value in values
        ]
        self.masks = {name: mask for name, mask in zip(computation.names, masks, strict=True) if mask.any()}
        self.incomplete = list(self.masks)
        """the names that some element misses"""
        if len(self.incomplete) > MOST_INCOMPLETE:
            raise TypeError(f"more than {MOST_INCOMPLETE} arguments with missing elements")
        borders = [border for _, border, _ in callee.parameters]
        self.columns = [
            module.broadcast_to(module.ma.getdata(value), self.shape)
            if is_array(value)
            else stand_in(border)
            if value is None
            else value
            for border, value in zip(borders, values, strict=True)
        ]

    def result(self, threads: int) -> Any:
        """A masked array.  Raises MissingValue unless the formula makes the result missing, too."""
        module = self.numpy
        made = module.zeros(self.shape, DTYPES[self.computation.result])
        is_there = module.zeros(self.shape, "?")
        sorts = self.sorts()
        for sort in module.unique(sorts).tolist():
            place = sorts == sort
            absent = frozenset(name for index, name in enumerate(self.incomplete) if sort >> index & 1)
            loops = self.computation
            if absent:
                test, loops = loops_of_variant(self.callee.variant(absent))
                known = self.callee.variant(absent).known
                place[place] = known if test is None else self.over(test, place, threads)
            made[place] = self.over(loops, place, threads)
            is_there |= place
        if not is_there.all() and not self.callee.propagates:
            raise self.refusal(~is_there)
        return module.ma.MaskedArray(made, ~is_there)

    def sorts(self) -> Any:
        """For each element the names that it misses, as the bits of a number."""
        sorts = self.numpy.zeros(self.shape, "i8")
        for bit, name in enumerate(self.incomplete):
            sorts |= self.masks[name].astype("i8") << bit
        return sorts

    def over(self, computation: Computation, place: Any, threads: int) -> Any:
        """The results of a computation for some of the elements, one after the other."""
        if place.all():
            return called_with_arrays(computation, self.columns, None, threads)[place]
        parts = [column[place] if is_array(column) else column for column in self.columns]
        try:
            return called_with_arrays(computation, parts, None, threads)
        except Exception as error:
            element = element_of(error)
            if element is not None:
                name_element(error, tuple(self.numpy.argwhere(place)[element[0]].tolist()))
            raise

    def refusal(self, gone: Any) -> BaseException:
        """The error for the first element that is missing."""
        place = tuple(self.numpy.argwhere(gone)[0].tolist())
        absent = frozenset(name for name in self.incomplete if self.masks[name][place])
        error = self.callee.missing(absent)
        name_element(error, place)
        return error


def loops_of_variant(variant: FormulaVariant) -> tuple[Computation | None, Computation]:
    """What computes over arrays whether a variant has a value, if that is not known, and the value."""
    if variant.elements is None:
        there, result = variant.rewrites
        test = None if variant.test is None else loops_of_formula(variant.test, variant.recipe, there)
        variant.elements = test, loops_of_formula(variant.result, variant.recipe, result)
    return variant.elements


def called_with_missing(
    computation: Computation,
    callee: Callable[[], FormulaCallee],
    values: Sequence[Any],
    out: Any,
    threads: int,
) -> Any:
    """Call a computation with masked arrays; `out` has to be a masked array, too, if a result is missing."""
    result = MaskedCall(computation, callee(), values).result(threads)
    if out is None:
        return result
    module = numpy()
    if not isinstance(out, module.ndarray):
        raise TypeError("`out` of a call with masked arrays is an array of NumPy's")
    if result.mask.any() and not isinstance(out, module.ma.MaskedArray):
        raise TypeError("`out` is no masked array, and results are missing")
    if not module.can_cast(result.dtype, out.dtype, "safe"):
        raise TypeError(f"`out`: results of {result.dtype} do not go into {out.dtype}")
    out[...] = result if isinstance(out, module.ma.MaskedArray) else result.data
    return out
