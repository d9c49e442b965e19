"""`dora.expr`: one formula, whose free names are its parameters.

    price = dora.expr("base * (1 + vat) - rebate")
    price(base=100.0, vat=0.2, rebate=5.0)      ->   115.0

A formula on numbers takes the direct path (`embed/direct.py`), which needs neither the library nor an
instance; every other one, and every error, the general path (`embed/expressions.py`), which is loaded when it
is needed.
"""

from __future__ import annotations

from weakref import WeakValueDictionary, ref

from doralang.embed import direct, layouts
from doralang.embed.native_calls import ArrayRecord, CallWords, NativeCall, keep_vectorcall, set_words
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from inspect import Signature
    from typing import Any, Literal

    from doralang.embed.arrays import Computation
    from doralang.embed.functions import Function
    from doralang.embed.limits import Limits
    from doralang.embed.programs import Stage
    from doralang.embed.recipes import Reduced

    Constant = float | int | bool | str
    Types = Mapping[str, object] | type
    Options = tuple[tuple[str, Any], ...]

layouts.refuse_free_threading()

GENERAL = "doralang.embed.expressions"
ARRAY_CALLS = "doralang.embed.array_calls"
DOUBLES = (float, "float", "double")
"""the kinds of variables that the direct path has always"""
TYPED = (int, bool, "int", "long", "bool", *DOUBLES)
"""those that it has where they are named"""
KIND_TYPES = (type, str)
"""what these are; a dtype of NumPy's is equal to a type that means another one"""
NOTHING: Mapping[str, Any] = {}
NO_OPTIONS: Options = ()
MATHEMATICS: Mapping[str, Options] = {"exact": NO_OPTIONS, "fast": (("math", "fast"),)}
"""what is kept of each way to compute functions over arrays"""

MAPPINGS = ("types", "constants", "functions")
"""options that are kept as their items, so that they can be hashed"""

UNPICKLED: WeakValueDictionary[tuple[str, Options], Expr] = WeakValueDictionary()
"""formulas that were pickled here or came out of a pickle, and are alive; by text and meaning of options"""


def as_arguments(options: Options) -> dict[str, Any]:
    """What is kept of the options, as `expr` takes them."""
    return {name: dict(value) if name in MAPPINGS else value for name, value in options}


def meaning(options: Options) -> Options:
    """What is equal for options that mean the same, and for no others.

    Constants that Python finds equal may differ (`1` and `True`, the two zeros), and NaN is the same as NaN.
    """
    return tuple(
        [
            (
                name,
                tuple([(key, constant_meaning(one)) for key, one in value]) if name == "constants" else value,
            )
            for name, value in options
        ]
    )


def constant_meaning(value: Constant) -> object:
    return (type(value), value) if isinstance(value, bool | str) else repr(float(value))


class Expr(NativeCall):
    """A compiled formula, called with its variables by name or in order.

    Immutable and thread-safe; equal to another one of the same text and options.
    """

    __slots__ = (
        "__weakref__",
        "_code",
        "_computation",
        "_function",
        "_kinds",
        "_options",
        "_plain",
        "_record",
        "_ufunc",
        "names",
        "source",
        "type",
    )

    source: str
    names: tuple[str, ...]
    """its variables, in the order of the parameters"""
    type: str
    """of the result"""

    def __init__(self, source: str, options: Options) -> None:
        self.source = source
        self._options = options
        self._function: Function[Any] | None = None
        """the general path, if that was needed"""
        self._kinds: tuple[str, ...] | None = None
        """types of the variables on the direct path where the general one computes arrays"""
        self._code: direct.PlacedFormula | None = None
        self._computation: Computation | None = None
        """what computes arrays; made at the first call with some"""
        self._ufunc: Any = None
        """what calls with few elements go to, once there was one; all of its arguments were of this type and
        dtype"""
        self._plain: tuple[object, object] = (None, None)
        self._record: ArrayRecord | None = None
        """what machine code knows of calls with arrays; made at the first one"""

    def _be_direct(self, made: direct.Direct, place: direct.DirectCalls) -> Expr:
        """Be called by the code of the direct path."""
        self.names = made.names
        self.type = made.type
        self._code = made.code
        self._kinds = made.kinds
        words = CallWords(
            made.entry, len(made.names), made.code.address, place.slow, made.kind_bits, self.names
        )
        set_words(self, words)
        return self

    def _be_general(self, function: Function[Any]) -> Expr:
        """Be called as a function of a program."""
        self._function = function
        function._callee.formula = ref(self)  # type: ignore[attr-defined]
        self.names = tuple([name for name, _, _ in function._callee.parameters])
        self.type = str(function._callee.function.result)
        set_words(self, function._words())
        return self

    @property
    def _general(self) -> Function[Any] | None:
        """The general path, where that is what there is besides calls with numbers."""
        if self._function is None and self._kinds is not None:
            made = load(GENERAL).general_of(self)
            self._function = self._function or made  # of all threads that make one; nobody comes in between
        return self._function

    @property
    def __signature__(self) -> Signature:
        return load(GENERAL).signature(self)  # type: ignore[no-any-return]

    @property
    def __name__(self) -> str:
        return "<expression>"

    def map(self, args: Sequence[Any] | Mapping[str, Any], *, out: Any = None, threads: int = 1) -> Any:
        """The formula for arguments in order or by name, some of which are arrays, element by element.

        `out` is the array that gets the results; it may be one of the inputs.  `threads` share the
        elements, without Python's lock; the results are the same.
        """
        return load(ARRAY_CALLS).mapped(self, args, out, threads)

    def over(self, table: Any, *, out: Any = None, threads: int = 1) -> Any:
        """The formula over columns of a table: a mapping, a DataFrame, a structured array, or an object with
        attributes.  Columns that are no variables do not matter."""
        return load(ARRAY_CALLS).over(self, table, out, threads)

    @property
    def arrow(self) -> Callable[..., Any]:
        """The formula over columns of Arrow's, in order; a column comes out: what
        `duckdb.create_function(…, type="arrow")` wants, with as many parameters as there are variables.
        It is pyarrow's if that is imported."""
        return load(ARRAY_CALLS).ArrowFunction(self)  # type: ignore[no-any-return]

    @property
    def ufunc(self) -> Any:
        """A real `numpy.ufunc` over the code of this formula, made when first asked for.  It can be pickled.
        Raises TypeError for a formula that is not from numbers to a number, or that has types where NumPy is
        older than 2; ImportError without NumPy."""
        return load(ARRAY_CALLS).ufunc(self)

    def explain(self, stage: Stage = "asm", *, arrays: bool = False) -> str:
        """What the formula is in a stage: tokens, ast, program, bytecode or asm; with `arrays`, the code that
        computes those.  Raises ValueError, and ListingError for machine code without Capstone."""
        return load("doralang.embed.explaining").formula_explained(self, stage, arrays)  # type: ignore[no-any-return]

    def partial(self, /, **known: Constant) -> Expr:
        """The formula with some names known: they are constants of their types, folded, and it is compiled
        anew.

        Raises TypeError for a name that is none of its variables or a value of another type, OverflowError
        for one that does not fit.
        """
        for name in known:
            if name not in self.names:
                raise TypeError(f"partial(): the formula has no variable {name!r}")
        options = as_arguments(self._options)
        options["constants"] = {**options.get("constants", {}), **known}
        return expr(self.source, **options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self.source)

    def _key(self) -> tuple[object, ...]:
        rest = tuple([option for option in self._options if option[0] != "types"])
        general = load(GENERAL)
        return (self.source, self.names, general.kinds(self), general.constant_kinds(self), meaning(rest))

    def __repr__(self) -> str:
        return f"<dora formula {self.source!r}>"

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: object) -> Expr:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """The text and the options; within a process the same formula comes out while it is alive."""
        return self._source

    @property
    def _source(self) -> Reduced:
        """What makes the like, as `pickle` wants it."""
        UNPICKLED.setdefault((self.source, meaning(self._options)), self)
        return unpickled, ((self.source, self._options) if self._options else (self.source,))


keep_vectorcall(Expr)


def unpickled(source: str, options: Options = NO_OPTIONS) -> Expr:
    """The formula of a pickle.  Raises CompileError if another version does not understand it."""
    key = source, meaning(options)
    found, recent = UNPICKLED.get(key), load("doralang.embed.recipes").RECENT
    if found is None:
        found = UNPICKLED[key] = expr(source, **as_arguments(options))
        recent.keep(key, found)
    else:
        recent.refresh(key, found)
    return found


FEW = 4096
"""elements for which the overhead of a call counts"""
MANY = 1 << 15
"""elements for which packed code takes so little time that Python's lock may be held"""


def are_few_doubles(formula: Expr, args: tuple[Any, ...]) -> bool:
    """Whether all arguments are plain arrays of doubles, of one shape and few elements, as before."""
    first: Any = args[0] if args else None
    array, dtype = formula._plain
    if type(first) is not array or first.size > FEW or len(args) != len(formula.names):
        return False
    shape = first.shape
    plain = [one for one in args if type(one) is array and one.dtype is dtype and one.shape == shape]
    return len(plain) == len(args)


def called_slowly(formula: Expr, /, *args: Any, **kwargs: Any) -> Any:
    """A call of a formula of the direct path with arguments that machine code does not take, or which
    fails."""
    if formula._ufunc is not None and not kwargs and are_few_doubles(formula, args):
        return formula._ufunc(*args)
    for value in (*args, *kwargs.values()):
        if value is not None and not isinstance(value, int | float | str | bytes):
            return load(ARRAY_CALLS).called(formula, args, kwargs)
    return load(GENERAL).called(formula, args, kwargs)


PLACES = direct.PLACES
IS_POSSIBLE = (
    direct.works_here()
    and layouts.floats_are_known()
    and layouts.tuple_items() is not None
    and layouts.int_layout() is not layouts.IntLayout.CALL
)
"""whether there is a direct path here"""
HAS_ARRAY_ENTRIES = IS_POSSIBLE and direct.is_quick()
"""whether machine code takes arrays from CPython"""


def place() -> direct.DirectCalls:
    if not PLACES:
        items = layouts.tuple_items()
        assert items is not None, "the direct path is possible"
        PLACES.append(direct.DirectCalls(called_slowly, layouts.int_layout() is layouts.IntLayout.TAG, items))
    return PLACES[0]


def expr(
    text: str,
    types: Types | None = None,
    *,
    result: object = None,
    constants: Mapping[str, Constant] = NOTHING,
    functions: Mapping[str, Callable[..., Any]] = NOTHING,
    missing: Literal["error", "propagate"] = "error",
    math: Literal["exact", "fast"] = "exact",
    policy: Literal["trusted", "untrusted"] = "untrusted",
    limits: Limits | None = None,
    filename: str = "<expression>",
) -> Expr:
    """Compile one formula.  Raises CompileError with every mistake in it.

    With `types` (a mapping of names to kinds, a class with annotations, or a table or schema of pandas,
    Polars or Arrow) its names must be among them, and all of these are parameters; without, every name is a
    parameter of kind `double`, in order of first appearance.  `result` is the kind that it must have.
    `constants` stand for their values; `functions` are Python functions with annotations, other formulas or
    functions of programs that it may call.  An argument None is a missing value: unless
    `coalesce` or `isMissing` look at it, the call raises MissingValue; with `missing="propagate"` it gives
    None.  With `math="exact"` the elements of arrays have the same bits as numbers have; with "fast" they may
    differ from the exact value by 2 ulp where mathematical functions are called, and are computed faster.
    """
    if (
        type(text) is str
        and limits is None
        and result is None
        and not constants
        and not functions
        and missing == "error"
        and policy == "untrusted"
        and math in MATHEMATICS
        and IS_POSSIBLE
    ):
        if types is None:
            made = direct.compile_direct(text, None, PLACES[0] if PLACES else place())
            options = NO_OPTIONS
        elif type(types) is dict and all(kind in DOUBLES for kind in types.values()):
            made = direct.compile_direct(text, tuple(types), place())
            options = (("types", tuple(types.items())),)
        elif type(types) is dict and all(
            type(kind) in KIND_TYPES and kind in TYPED for kind in types.values()
        ):
            made = direct.compile_typed(text, tuple(types), tuple(types.values()), place())
            options = (("types", tuple(types.items())),)
        else:
            made = None
        if made is not None:
            return Expr(text, options + MATHEMATICS[math])._be_direct(made, PLACES[0])
    function, options = load(GENERAL).general(
        text, types, result, constants, functions, missing, math, policy, limits, filename
    )
    return Expr(text, options)._be_general(function)
