"""Calls of formulas and functions with arrays: by position and name, by columns of a table.

Little is imported, as the first array call of a process waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from doralang.embed.containers import called as called_with
from doralang.embed.containers import has_missing, numpy
from doralang.embed.conversion import as_double
from doralang.embed.formulas import FEW, HAS_ARRAY_ENTRIES, MANY
from doralang.embed.frames import called_with_series, dispatches, has_series, is_arrow
from doralang.embed.kernels import DirectKernels
from doralang.optional import load

if TYPE_CHECKING:
    from inspect import Signature

    from doralang.embed.arrays import Computation
    from doralang.embed.expressions import FormulaCallee
    from doralang.embed.formulas import Expr
    from doralang.embed.functions import SlowCallee
    from doralang.embed.recipes import Reduced

GENERAL: Final = "doralang.embed.expressions"
GENERAL_ARRAYS: Final = "doralang.embed.general_arrays"
ARROW: Final = "doralang.embed.arrow"
QUICK: Final = "doralang.embed.quick_arrays"
MASKS: Final = "doralang.embed.masks"
"""loaded when they are needed"""
MOST_VARIABLES: Final = 31
"""that every version of NumPy takes"""


def computation_of(formula: Expr) -> Computation:
    """What computes a formula over arrays, made once."""
    if formula._general is not None:
        return load(GENERAL_ARRAYS).loops_of(formula._general._callee)  # type: ignore[no-any-return]
    if formula._computation is None:
        formula._computation = DirectKernels(formula)
    return formula._computation


def called(formula: Expr, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call some of whose arguments are not numbers."""
    return with_values(formula, in_order(formula, args, kwargs))


def in_order(formula: Expr, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
    """The arguments in the order of the variables.  Raises TypeError."""
    names = formula.names
    if len(args) + len(kwargs) == len(names):
        try:
            return [*args, *[kwargs[name] for name in names[len(args) :]]]
        except KeyError:
            pass
    return load(GENERAL).arguments(formula, tuple(args), dict(kwargs))  # type: ignore[no-any-return]


def with_values(formula: Expr, values: Sequence[Any], out: Any = None, threads: int = 1) -> Any:
    """Call it; what is likely to be called again like this goes a short way from now on."""
    check_threads(threads)
    may_enter = threads == 1 and HAS_ARRAY_ENTRIES and has_plain(values)
    if may_enter and load(QUICK).prepare(formula, values, out):
        return formula(*values) if out is None else formula.map(values, out=out)
    if threads == 1 and is_quick(formula, values, out):
        named = zip(formula.names, values, strict=True)
        plain = [as_double(value, name) if type(value) is int else value for name, value in named]
        formula._ufunc = ufunc(formula)
        module = numpy()
        formula._plain = module.ndarray, module.dtype("f8")
        return formula._ufunc(*plain, out=out)
    computation = computation_of(formula)
    callee = Callee(computation, formula, lambda: ufunc(formula), lambda: load(GENERAL).callee_of(formula))
    return called_by_any(callee, values, out, threads)


def check_threads(threads: object) -> None:
    """Raises ValueError."""
    if not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads: {threads!r} is not a whole number from 1 upwards")


class Callee(NamedTuple):
    """A formula or a function, and the ways to call it."""

    computation: Computation
    scalar: Callable[..., Any]
    """for numbers"""
    ufunc: Callable[[], Any]
    """gives the ufunc, for arrays that want one"""
    incomplete: Callable[[], FormulaCallee] | None
    """gives what is called where something is missing; None if nothing may be"""


def called_by_any(callee: Callee, values: Sequence[Any], out: Any, threads: int) -> Any:
    """Call it with arrays of any library's.  Raises MissingValue where something is missing and may not."""

    def again(arrays: Sequence[Any]) -> Any:
        return called_by_any(callee, arrays, out, threads)

    if has_series(values):
        return called_with_series(again, values, out)
    if any(map(is_arrow, values)):
        return load(ARROW).called_with_arrow(again, values, out)
    if dispatches([*values, out]):
        return callee.ufunc()(*values, **({} if out is None else {"out": out}))
    computation = callee.computation
    if has_missing(values):
        if callee.incomplete is not None:
            return load(MASKS).called_with_missing(computation, callee.incomplete, values, out, threads)
        values = complete(computation.names, values)
    return called_with(computation, callee.scalar, values, out, threads)


def is_quick(formula: Expr, values: Sequence[Any], out: Any) -> bool:
    """Whether NumPy's call of the formula's ufunc does the same, with less ado.

    So it is for numbers and plain arrays of doubles of one shape, which have few elements, or stand close and
    are alone.
    """
    module = numpy()
    if module is None or formula._general is not None or len(values) > MOST_VARIABLES:
        return False
    ndarray, double = module.ndarray, module.dtype("f8")
    given = values if out is None else [*values, out]
    arrays = [value for value in given if type(value) is ndarray and value.dtype is double]
    numbers = [value for value in values if type(value) is float or type(value) is int]
    if not arrays or len(arrays) + len(numbers) != len(given):
        return False
    if out is not None and (out is not arrays[-1] or formula.type == "bool" or not is_plain(out)):
        return False
    shape, is_few = arrays[0].shape, arrays[0].size <= FEW
    return all(one.shape == shape and (is_few or is_plain(one)) for one in arrays) and (is_few or not numbers)


def has_plain(values: Sequence[Any]) -> bool:
    """Whether some of the arguments are plain arrays of NumPy's, and not many elements."""
    module = numpy()
    return module is not None and any(type(one) is module.ndarray and one.size <= MANY for one in values)


def is_plain(array: Any) -> bool:
    """Whether elements stand close and may be written."""
    return bool(array.flags.carray)


def mapped(formula: Expr, args: Sequence[Any] | Mapping[str, Any], out: Any, threads: int) -> Any:
    """`Expr.map`"""
    args, kwargs = separated(args)
    return with_values(formula, in_order(formula, args, kwargs), out, threads)


def separated(args: Sequence[Any] | Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Arguments in order, or by name."""
    return ((), args) if isinstance(args, Mapping) else (tuple(args), {})


def over(formula: Expr, table: Any, out: Any, threads: int) -> Any:
    """`Expr.over`"""
    return with_values(formula, columns(table, formula.names), out, threads)


def columns(table: Any, names: Sequence[str]) -> list[Any]:
    """The columns of these names.  Raises KeyError."""
    return [column(table, name) for name in names]


def complete(names: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """Masked arrays none of whose elements are masked, as the arrays that they are.  Raises MissingValue."""
    for name, value in zip(names, values, strict=True):
        if value is None or numpy().ma.is_masked(value):
            raise load("doralang.embed.errors").MissingValue(f"`{name}` has missing elements")
    return [numpy().ma.getdata(value) if isinstance(value, numpy().ndarray) else value for value in values]


# Functions.


def function_mapped(
    callee: SlowCallee, args: Sequence[Any] | Mapping[str, Any], out: Any, threads: int
) -> Any:
    """`Function.map`"""
    args, kwargs = separated(args)
    return function_with_values(callee, callee.bound(args, dict(kwargs)), out, threads)


def function_over(callee: SlowCallee, table: Any, out: Any, threads: int) -> Any:
    """`Function.over`"""
    return function_with_values(
        callee, columns(table, [name for name, _, _ in callee.parameters]), out, threads
    )


def function_ufunc(callee: SlowCallee) -> Any:
    """`Function.ufunc`"""
    if callee.ufunc is None:
        name, signature = callee.function.name, callee.function.signature
        recipe = callee.program.recipe_to_pickle()
        source = recipe and (load("doralang.embed.modules").remade_function, (*recipe, name))
        make = load("doralang.embed.function_ufuncs").make_ufunc
        callee.ufunc = make(loops_of(callee), name, signature, source)
    return callee.ufunc


def loops_of(callee: SlowCallee) -> Computation:
    """What computes a function over arrays, made once."""
    if callee.elements is None:
        callee.elements = load("doralang.embed.element_loops").loops_of_function(callee)
    return callee.elements


def function_with_values(callee: SlowCallee, values: Sequence[Any], out: Any, threads: int) -> Any:
    check_threads(threads)
    if not callee.instances.has_several:
        threads = 1
    called = Callee(loops_of(callee), callee.call, lambda: function_ufunc(callee), None)
    return called_by_any(called, values, out, threads)


def column(table: Any, name: str) -> Any:
    """A column by its name: an item of what has items by name, else an attribute.  Raises KeyError."""
    names = getattr(getattr(table, "dtype", None), "names", None)
    if isinstance(table, Mapping) or hasattr(table, "columns") or names is not None:
        try:
            return table[name]
        except (KeyError, ValueError, IndexError):
            raise KeyError(f"the table has no column {name!r}") from None
    try:
        return getattr(table, name)
    except AttributeError:
        raise KeyError(f"the table has no column {name!r}") from None


class ArrowFunction:
    """`Expr.arrow`"""

    def __init__(self, formula: Expr) -> None:
        self.formula = formula
        self.__name__ = self.__qualname__ = "formula"

    @property
    def __signature__(self) -> Signature:
        """DuckDB counts these."""
        inspect = load("inspect")
        shown_name = load("doralang.embed.functions").shown_name
        names = [shown_name(name, index) for index, name in enumerate(self.formula.names)]
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[no-any-return]

    def __call__(self, *columns: Any) -> Any:
        result = load(ARROW).called_with_plain(self.formula, columns)
        return called(self.formula, columns, {}) if result is None else result


def ufunc(formula: Expr) -> Any:
    """`Expr.ufunc`"""
    if formula._general is not None:
        return general_ufunc(formula._general._callee, formula.source, formula._source)
    computation = computation_of(formula)
    assert isinstance(computation, DirectKernels), "it took the direct path"
    if computation.ufunc is None:
        computation.ufunc = load("doralang.embed.ufuncs").make_ufunc(computation, formula._source)
    return computation.ufunc


def general_ufunc(callee: SlowCallee, text: str, source: Reduced | None) -> Any:
    """The ufunc of a formula of the general path."""
    if callee.ufunc is None:
        computation = load(GENERAL_ARRAYS).loops_of(callee)
        make = load("doralang.embed.function_ufuncs").make_ufunc
        callee.ufunc = make(computation, "formula", text, source)
    return callee.ufunc
