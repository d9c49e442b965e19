"""The general path of formulas, and what is said about them.

The language of formulas is that of `dora eval` (reference, 1.5).  A formula is compiled like a program with
a single function; all formulas with the same limits run in the same instances, as they keep nothing there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from struct import pack, unpack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_type_hints
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

from doralang.checker import program as typed
from doralang.checker.formula_programs import check_formula
from doralang.checker.library import compiled_library
from doralang.checker.missing import Rewriter
from doralang.code.collectors import COLLECTORS, DEFAULT
from doralang.code.constants import layout_constants
from doralang.embed import errors
from doralang.embed.borders import BORDERS, Border
from doralang.embed.callbacks import Callback, callbacks_of
from doralang.embed.conversion import TO_WORD, as_double, wrong
from doralang.embed.errors import Diagnostic
from doralang.embed.formulas import MATHEMATICS, Expr
from doralang.embed.functions import Function, SlowCallee, in_order, shown_name
from doralang.embed.instances import Host, Pool
from doralang.embed.kinds import kind_name, type_named
from doralang.embed.limits import Limits
from doralang.embed.modules import NO_FUNCTIONS, Policy, limits_for
from doralang.embed.objects import object_at
from doralang.embed.programs import CheckedProgram
from doralang.native.module import library_module
from doralang.native.options import CodeOptions
from doralang.optional import load
from doralang.syntax import tree
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.words import KNOWN
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES
from doralang.text.source import Source
from doralang.types.types import BOOL, CHAR, DOUBLE, FLOAT, PrimitiveType, Type

if TYPE_CHECKING:
    from doralang.embed.arrays import Computation

Types = Mapping[str, object] | type
Constant = float | int | bool | str
Options = tuple[tuple[str, Any], ...]
NO_CONSTANTS: Final[Mapping[str, Constant]] = MappingProxyType({})

POOLS: Final[WeakValueDictionary[tuple[Limits, bool], Pool]] = WeakValueDictionary()
"""where formulas with these limits run, as long as there are any"""


Rewrite = Callable[[tree.Expression], tree.Expression]


def unchanged(node: tree.Expression) -> tree.Expression:
    return node


Around = Callable[[typed.Program, typed.Function], typed.Function]


def itself(program: typed.Program, function: typed.Function) -> typed.Function:
    return function


class Checked(NamedTuple):
    """A formula that was looked at; good if there are no errors in `diagnostics`."""

    node: tree.Expression
    program: typed.Program
    function: typed.Function
    names: tuple[str, ...]
    diagnostics: Diagnostics


class Check:
    """What is to be said of a formula."""

    __slots__ = ("constant", "diagnostics", "functions", "names", "ok", "type")

    def __init__(self, checked: Checked) -> None:
        nodes = sorted(walk(checked.node), key=lambda node: node.span.start)
        calls = {node.name: None for node in nodes if isinstance(node, tree.Call | tree.MethodCall)}
        self.ok = not checked.diagnostics.errors
        self.type: str | None = str(checked.function.result) if self.ok else None
        self.names: tuple[str, ...] = checked.names
        """variables, in order of first appearance"""
        self.functions: tuple[str, ...] = tuple(calls)
        """functions and methods that it calls, in the same order"""
        self.constant = self.ok and not self.names and not calls
        """whether it is the same for all inputs: it has no variables and calls nothing"""
        self.diagnostics: tuple[Diagnostic, ...] = errors.diagnostics_of(checked.diagnostics)

    def __repr__(self) -> str:
        return f"<Check ok={self.ok} type={self.type} names={self.names}>"


def general(
    text: str,
    types: Types | None,
    result: object,
    constants: Mapping[str, Constant],
    functions: Mapping[str, Callable[..., Any]],
    missing: str,
    math: str,
    policy: Policy,
    limits: Limits | None,
    filename: str,
) -> tuple[Function[Any], Options]:
    """The function of a formula, and its options as they are kept.  Raises CompileError, TypeError."""
    refuse_unknown(missing, math, functions)
    types = None if types is None else annotations_of(types)
    bounds = limits_for(policy, limits)
    library = compiled_library(layout_constants())
    callbacks = callbacks_of(functions, library.library.classes["Str"].of())
    recipe = FormulaRecipe(text, types, result, constants, callbacks, bounds, filename, policy == "untrusted")
    callee = FormulaCallee(recipe, missing == "propagate")
    callee.is_fast = math == "fast"
    kept = {
        "types": None if types is None else tuple(annotations_of(types).items()),
        "result": result,
        "constants": tuple(constants.items()),
        "functions": tuple(functions.items()),
        "missing": None if missing == "error" else missing,
        "math": None if math == "exact" else math,
        "policy": None if policy == "untrusted" else policy,
        "limits": limits,
        "filename": None if filename == "<expression>" else filename,
    }
    options = tuple([(name, value) for name, value in kept.items() if value not in (None, ())])
    return Function(callee), options


def refuse_unknown(missing: str, math: str, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Raises ValueError for options that do not exist or go together."""
    if missing not in ("error", "propagate"):
        raise ValueError(f"missing: {missing!r} is neither 'error' nor 'propagate'")
    if math not in MATHEMATICS:
        raise ValueError(f"math: {math!r} is neither 'exact' nor 'fast'")
    if math == "fast" and functions:
        raise ValueError("math='fast': Python functions are called for each element, which is not fast")


class FormulaRecipe(NamedTuple):
    """What a formula is made from."""

    text: str
    types: Types | None
    result: object
    constants: Mapping[str, Constant]
    callbacks: list[Callback]
    limits: Limits
    filename: str
    hardened: bool = True
    """whether somebody may have typed it who means harm"""

    def callee(
        self, rewrite: Rewrite = unchanged, around: Around = itself
    ) -> tuple[CheckedProgram, typed.Function, Pool]:
        """The program, its function, or what is `around` it, and where it runs.  Raises CompileError."""
        checked = look_at(*self[:-1], rewrite)
        if checked.diagnostics.errors:
            raise errors.CompileError(checked.diagnostics)
        function = around(checked.program, checked.function)
        program = CheckedProgram(checked.program, self.limits, None, self.callbacks, object_at, self.hardened)
        pool = (
            Pool(program.code, program.new_host)
            if self.callbacks
            else shared_pool(self.limits, self.hardened)
        )
        return program, function, pool


class FormulaCallee(SlowCallee):
    """A formula, which takes None for a missing value."""

    def __init__(self, recipe: FormulaRecipe, propagates: bool) -> None:
        super().__init__(*recipe.callee())
        self.recipe = recipe
        self.propagates = propagates
        self.is_fast = False
        """whether functions over arrays may differ a little from those of numbers"""
        self.formula: Callable[[], Expr | None] = lambda: None
        """what is called by its user, as long as that is there"""
        self.variants: dict[frozenset[str], FormulaVariant] = {}
        """the formula for certain names that are missing"""

    def call(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.called(self.bound(args, kwargs))

    def called(self, values: Sequence[Any]) -> Any:
        """Call it with the arguments in order."""
        if any(value is not None and not isinstance(value, NUMBERS) for value in values):
            return load(GENERAL_ARRAYS).called_general(self, values)
        names = frozenset(
            name for (name, _, _), value in zip(self.parameters, values, strict=True) if value is None
        )
        if not names:
            return super().call(*values)
        variant = self.variant(names)
        filled = [
            stand_in(border) if value is None else value
            for (_, border, _), value in zip(self.parameters, values, strict=True)
        ]
        if variant.is_there(filled):
            return variant.value(filled)
        if self.propagates:
            return None
        raise self.missing(names)

    def variant(self, names: frozenset[str]) -> FormulaVariant:
        """The formula for these names that are missing."""
        found = self.variants.get(names)
        if found is None:
            if len(self.variants) >= MOST_VARIANTS:
                self.variants.clear()
            found = self.variants[names] = FormulaVariant(self.recipe, names)
        return found

    def missing(self, names: frozenset[str]) -> errors.MissingValue:
        """What is raised if one of these is needed."""
        name = next(name for name, _, _ in self.parameters if name in names)
        return errors.MissingValue(f"`{name}` is missing")


MOST_VARIANTS: Final = 64
NUMBERS: Final = (int, float, bool, str, bytes)
"""what is no array"""
GENERAL_ARRAYS: Final = "doralang.embed.general_arrays"
STAND_INS: Final[Mapping[Border, Any]] = {Border.BOOL: False, Border.TEXT: "", Border.CHAR: "-"}
"""what stands for a missing value, and is not looked at"""


def stand_in(border: Border | None) -> Any:
    """For a parameter that crosses so."""
    return 0 if border is None else STAND_INS.get(border, 0)


class FormulaVariant:
    """A formula for certain names that are missing."""

    def __init__(self, recipe: FormulaRecipe, names: frozenset[str]) -> None:
        recipe = recipe._replace(result=None)
        found: list[tree.Expression] = []

        def there(node: tree.Expression) -> tree.Expression:
            found.append(Rewriter(names).is_there(node))
            return found[-1]

        def result(node: tree.Expression) -> tree.Expression:
            return Rewriter(names).value(node)

        test = SlowCallee(*recipe.callee(there))
        self.test = None if isinstance(found[0], tree.Boolean) else test
        self.known = isinstance(found[0], tree.Boolean) and found[0].value
        self.result = SlowCallee(*recipe.callee(result))
        self.recipe = recipe
        self.rewrites: tuple[Rewrite, Rewrite] = (there, result)
        self.elements: tuple[Computation | None, Computation] | None = None
        """what computes `test` and `result` over arrays; made at the first call with some"""

    def is_there(self, values: Sequence[Any]) -> bool:
        return self.known if self.test is None else bool(self.test.call(*values))

    def value(self, values: Sequence[Any]) -> Any:
        return self.result.call(*values)


CALLEES: Final[WeakKeyDictionary[Expr, FormulaCallee]] = WeakKeyDictionary()
"""what computes formulas of the direct path where something is missing"""


def called(formula: Expr, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The slow way to call a formula of the direct path."""
    values = arguments(formula, args, kwargs)
    if formula._kinds is not None:
        return callee_of(formula).called(values)
    if not any(value is None for value in values):
        return formula(*doubles(formula, values))
    return callee_of(formula).called(values)


def callee_of(formula: Expr) -> FormulaCallee:
    """What computes a formula where something is missing."""
    if formula._general is not None:
        general = formula._general._callee
        assert isinstance(general, FormulaCallee), "it is a formula"
        return general
    callee = CALLEES.get(formula)
    if callee is None:
        types = dict(formula._options).get("types")
        recipe = FormulaRecipe(
            formula.source, types, None, NO_CONSTANTS, [], Limits.untrusted(), "<expression>"
        )
        callee = CALLEES[formula] = FormulaCallee(recipe, False)
    return callee


def general_of(formula: Expr) -> Function[Any]:
    """The general path of a formula that has taken the direct one."""
    kept = dict(formula._options)
    types = annotations_of(kept["types"]) if "types" in kept else None
    function, _ = general(
        formula.source,
        types,
        None,
        NO_CONSTANTS,
        NO_FUNCTIONS,
        "error",
        kept.get("math", "exact"),
        "untrusted",
        None,
        "<expression>",
    )
    function._callee.formula = ref(formula)  # type: ignore[attr-defined]
    return function


def kinds(formula: Expr) -> tuple[str, ...] | None:
    """The types of the parameters; None if all are doubles."""
    if formula._kinds is not None:
        return formula._kinds if set(formula._kinds) != {"double"} else None
    if formula._general is None:
        return None
    types = [type for _, _, type in formula._general._callee.parameters]
    return None if all(type is DOUBLE for type in types) else tuple(map(str, types))


def signature(formula: Expr) -> inspect.Signature:
    """As Python shows it."""
    if formula._general is not None:
        return formula._general.__signature__
    return inspect.Signature(
        [
            inspect.Parameter(
                shown_name(name, index), inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=float
            )
            for index, name in enumerate(formula.names)
        ],
        return_annotation=bool if formula.type == "bool" else float,
    )


def arguments(formula: Expr, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a formula in order.  Raises TypeError."""
    values = in_order(formula.names, args, kwargs)
    if values is None:
        try:
            values = signature(formula).bind(*args, **kwargs).args
        except TypeError as error:
            raise TypeError(f"{formula.__name__}(): {error}") from None
    return values


def doubles(formula: Expr, values: Sequence[Any]) -> list[float]:
    """Arguments in order as doubles.  Raises TypeError and OverflowError."""
    return [
        value if type(value) is float else as_double(value, name)
        for name, value in zip(formula.names, values, strict=True)
    ]


def check(
    text: str,
    types: Types | None = None,
    *,
    result: object = None,
    constants: Mapping[str, Constant] = NO_CONSTANTS,
    functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS,
    missing: str = "error",
    math: str = "exact",
    policy: Policy = "untrusted",
    limits: Limits | None = None,
    filename: str = "<expression>",
) -> Check:
    """What `expr` would say, without raising CompileError and without making code: for editors and forms."""
    refuse_unknown(missing, math, functions)
    types = None if types is None else annotations_of(types)
    limits = limits_for(policy, limits)
    library = compiled_library(layout_constants()).library
    callbacks = callbacks_of(functions, library.classes["Str"].of())
    return Check(look_at(text, types, result, constants, callbacks, limits, filename))


def look_at(
    text: str,
    types: Types | None,
    result: object,
    constants: Mapping[str, Constant],
    callbacks: list[Callback],
    limits: Limits,
    filename: str,
    rewrite: Rewrite = unchanged,
) -> Checked:
    """Read and check a formula; what is checked is what `rewrite` makes of it."""
    if not isinstance(text, str):
        raise TypeError(f"a formula is a str, not {type(text).__name__}")
    source = Source(filename, text)
    if limits.source_size is not None and len(text.encode("utf-8", "replace")) > limits.source_size:
        raise errors.too_large(source, limits.source_size)
    library = compiled_library(layout_constants())
    text_type = library.library.classes["Str"].of()
    with errors.compile_time(source, limits.compile_time) as diagnostics, NO_CYCLES:
        node = parse_formula(source, diagnostics)
        given = {} if types is None else types
        names = [
            name
            for name in names_in(node)
            if name not in constants and (name not in KNOWN or name in annotations_of(given))
        ]
        typed = {} if types is None else types_of(types, text_type)
        known = {name: type for name, type in typed.items() if name not in constants}
        if types is None:
            known = dict.fromkeys(names, DOUBLE)
        hosts = [callback.declaration for callback in callbacks]
        values = {
            name: constant(name, value, typed.get(name), text_type) for name, value in constants.items()
        }
        program, function = check_formula(
            source, rewrite(node), diagnostics, library, known, hosts=hosts, constants=values
        )
    if result is not None and not diagnostics.errors:
        wanted = type_named(kind_name(result, "result"), text_type)
        if function.result is not wanted:
            line = f"the formula is {function.result}, not {wanted}"
            diagnostics.report("E0401", source, node.span, line, "`result` says which kind it must have")
    return Checked(node, program, function, tuple(names), diagnostics)


def constant(name: str, value: Constant, known: Type | None, text: Type) -> tuple[Type, Constant]:
    """The type and value of a constant; without a type whole numbers are doubles, as those in the text are.

    Raises TypeError, and OverflowError for a number that does not fit.
    """
    if known is not None:
        return known, as_constant(name, value, known, text)
    if isinstance(value, bool):
        return BOOL, value
    if isinstance(value, str):
        return text, value
    if not isinstance(value, int | float):
        raise TypeError(f"constants: {name!r} is a {type(value).__name__}")
    if float(value) != value and value == value:
        raise OverflowError(f"constants: no double is equal to {name!r}")
    return DOUBLE, float(value)


def as_constant(name: str, value: Constant, type: Type, text: Type) -> Constant:
    """A constant as one of this type, by the rules for arguments.  Raises TypeError and OverflowError."""
    if type is text:
        if not isinstance(value, str):
            raise wrong(name, "str", value)
        return value
    if not isinstance(type, PrimitiveType) or type is CHAR:
        raise TypeError(f"constants: {name!r} is a {type}, of which there are no constants")
    word = TO_WORD[BORDERS[type]](value, name)
    if type is FLOAT:
        rounded: float = unpack("<f", pack("<I", word))[0]
        return rounded
    return float(value) if type is DOUBLE else value


def constant_kinds(formula: Expr) -> tuple[tuple[str, str], ...]:
    """The types of the constants that have one."""
    kept = dict(formula._options)
    types = annotations_of(kept.get("types", ()))
    names = [name for name, _ in kept.get("constants", ()) if name in types]
    return tuple(sorted((name, kind_name(without_none(types[name]), name)) for name in names))


def types_of(types: Types | tuple[tuple[str, object], ...], text: Type) -> dict[str, Type]:
    """Names and their types.  Raises TypeError."""
    named = {
        name: kind_name(without_none(kind), f"types: {name!r}")
        for name, kind in annotations_of(types).items()
    }
    for name, kind in named.items():
        if not kind:
            raise TypeError(f"types: {name!r} cannot be None")
    return {name: type_named(kind, text) for name, kind in named.items()}


def without_none(kind: object) -> object:
    """`float` of `float | None`: any argument of a formula may be missing."""
    if isinstance(kind, str) and "|" in kind:
        names = [name.strip() for name in kind.split("|")]
        return next((name for name in names if name != "None"), kind) if "None" in names else kind
    others = [one for one in get_args(kind) if one is not type(None)]
    return others[0] if len(others) == 1 and len(get_args(kind)) == 2 else kind


def annotations_of(types: Types | tuple[tuple[str, object], ...]) -> Mapping[str, object]:
    """Names and their kinds, as they were given; pairs are those that a formula has kept."""
    if isinstance(types, tuple):
        return dict(types)
    schemas = load("doralang.embed.schemas")
    if schemas.has_schema(types) or (isinstance(types, Mapping) and type(types) is not dict):
        return schemas.schema_of(types)  # type: ignore[no-any-return]
    return types if isinstance(types, Mapping) else get_type_hints(types)


def shared_pool(limits: Limits, hardened: bool) -> Pool:
    """Where formulas with these limits run."""
    pool = POOLS.get((limits, hardened))
    if pool is None:
        counts_fuel = limits.fuel is not None
        options = CodeOptions(COLLECTORS[DEFAULT], counts_fuel=counts_fuel, hardened=hardened)
        module = library_module(options)
        pool = POOLS[limits, hardened] = Pool(module, lambda: Host(module, limits, None, ()))
    return pool


# The tree.


def names_in(node: tree.Expression) -> list[str]:
    """The names of variables, each once, in order of appearance."""
    found = [one for one in walk(node) if isinstance(one, tree.Name)]
    return [*dict.fromkeys(one.name for one in sorted(found, key=lambda one: one.span.start))]


def walk(node: tree.Node) -> Iterator[tree.Node]:
    """All nodes of a tree, however deep."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += tree.children(node)
