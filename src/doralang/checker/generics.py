"""Calls: fitting arguments to parameters, and finding type arguments that are left out (9.3).

Each argument is checked once.  One that cannot be typed by itself comes back as `Waiting` and is
finished when its parameter's type is known; a whole call can wait in the same way:

    grid.push(Vec());            Vec() waits; push wants a Vec<int>; finished with that
    let v: Vec<Str> = id(Vec())  Vec() waits, so id waits; T = Vec<Str> from the declared type
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from doralang.checker.body import Body, Checked, Waiting
from doralang.checker.bounds import as_trait, check_bounds, check_conditions, may_have_more, trait_of
from doralang.checker.messages import type_list
from doralang.checker.program import Function, Trait, TypedExpression
from doralang.checker.rethrows import note_rethrows
from doralang.checker.scopes import Context
from doralang.checker.trait_objects import coerce, fits, satisfying
from doralang.syntax import tree
from doralang.text.records import record
from doralang.text.source import Span
from doralang.types.types import (
    LARGEST,
    NIL,
    UNIT,
    ClassType,
    Substitution,
    Type,
    TypeParameter,
    ancestor_of,
    has_error,
    has_sought,
    has_value,
    is_trait_type,
    mentions,
    size_of,
    substitute,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Build = Callable[[tuple[Type, ...], Type, list[TypedExpression]], TypedExpression]
"""Makes the call from the target's type arguments, the result type and the arguments."""


@record(eq=True)
class GenericCallee:
    """A function to be called at some place.

    All types are as seen from there; they mention `open`, the type parameters that are still to be found.
    """

    function: Function
    name: str
    parameters: list[Type]
    result: Type
    arguments: tuple[Type, ...]
    open: tuple[TypeParameter, ...]
    bounded: bool
    """whether type arguments are chosen here, so that bounds must be checked"""
    build: Build
    code: str = "E0416"
    """what is reported when arguments do not fit"""


def callee(
    function: Function,
    known: dict[Type, Type],
    open: Sequence[TypeParameter],
    build: Build,
    *,
    result: Type | None = None,
    chosen: bool = False,
    code: str = "E0416",
) -> GenericCallee:
    """A callee from its declaration: `known` type arguments are put in, open ones get fresh names.

    Fresh ones keep a recursive call apart from the function that it stands in.
    """
    result = function.result if result is None else result
    if not known and not open:  # most are: nothing is put in anywhere
        parameters = [parameter.type for parameter in function.parameters]
        return GenericCallee(function, function.name, parameters, result, (), (), chosen, build, code)
    mapping = dict(known)
    fresh = tuple(TypeParameter(parameter.name, is_sought=True) for parameter in open)
    mapping.update(zip(open, fresh, strict=True))
    return GenericCallee(
        function,
        function.name,
        put_in([parameter.type for parameter in function.parameters], mapping),
        substitute(result, mapping),
        tuple(put_in(function.all_type_parameters, mapping)),
        fresh,
        chosen or bool(fresh),
        build,
        code,
    )


def put_in(types: Sequence[Type], mapping: Substitution) -> list[Type]:
    """The types with the arguments put in."""
    return [substitute(type, mapping) for type in types] if mapping else list(types)


def check_call(
    body: Body, span: Span, callee: GenericCallee, nodes: Sequence[tree.Expression], expected: Type | None
) -> Checked:
    """Check the arguments of a call of one certain function, and make the call."""
    checked = check_arguments(body, callee, nodes)
    if len(nodes) != len(callee.parameters):
        return misfit(body, span, callee, checked)
    mapping = bind_known(body.context, callee, checked)
    if expected is None and len(mapping) < len(callee.open) and not any_wrong(body, checked):
        return Waiting(
            body,
            span,
            callee.result,
            checked,
            lambda wanted: finish_call(body, span, callee, checked, dict(mapping), wanted),
            takes_open=True,
        )
    return finish_call(body, span, callee, checked, mapping, expected)


def check_arguments(body: Body, callee: GenericCallee, nodes: Sequence[tree.Expression]) -> list[Checked]:
    """Check each argument, with its parameter's type as expected type where that is known."""
    unknown = set(callee.open)
    checked: list[Checked] = []
    for index, node in enumerate(nodes):
        wanted = callee.parameters[index] if index < len(callee.parameters) else None
        if wanted is not None and unknown and mentions(wanted, unknown):
            wanted = None
        checked.append(body.argument(node, wanted))
    return checked


def any_wrong(body: Body, checked: Sequence[Checked]) -> bool:
    return any(not isinstance(argument, Waiting) and body.is_unknown(argument.type) for argument in checked)


# Inference.


def bind_known(
    context: Context, callee: GenericCallee, checked: Sequence[Checked]
) -> dict[TypeParameter, Type]:
    """Step 2: match the types of the arguments that have one with their parameters."""
    mapping: dict[TypeParameter, Type] = {}
    if callee.open:
        for argument, declared in zip(checked, callee.parameters, strict=True):
            if not isinstance(argument, Waiting) and argument.type is not NIL:
                bind(context, callee.open, mapping, declared, argument.type)
        bind_by_bounds(context, callee, mapping)
    return mapping


def bind_by_bounds(context: Context, callee: GenericCallee, mapping: dict[TypeParameter, Type]) -> None:
    """What the bounds of bound parameters say of others: `C: Into<T>`, and C is a class that decides T."""
    if len(mapping) == len(callee.open):
        return
    bounds = bounds_with_arguments(callee)
    before = -1
    while before < len(mapping) < len(callee.open):
        before = len(mapping)
        for parameter, wanted, trait in bounds:
            type = substitute(parameter, mapping)
            found = None if mentions(type, set(callee.open)) else as_trait(context, type, trait)
            if found is not None:
                bind(context, callee.open, mapping, wanted, found)


def bounds_with_arguments(callee: GenericCallee) -> list[tuple[Type, Type, Trait]]:
    """What stands for a type parameter, the bound that it must satisfy, and the trait of that."""
    meaning: dict[Type, Type] = dict(zip(callee.function.all_type_parameters, callee.arguments, strict=True))
    return [
        (meaning[parameter], substitute(bound, meaning), trait_of(bound))
        for parameter in callee.function.all_type_parameters
        for bound in parameter.traits
        if bound.arguments and parameter in meaning
    ]


def bind(
    context: Context,
    open: Sequence[TypeParameter],
    mapping: dict[TypeParameter, Type],
    declared: Type,
    actual: Type,
) -> None:
    """Bind the open parameters in `declared` so that it becomes `actual`; the first binding counts."""
    pairs = [(declared, actual)]
    while pairs:
        declared, actual = pairs.pop()
        if isinstance(declared, TypeParameter):
            if declared in open and declared not in mapping and has_value(actual) and not has_sought(actual):
                mapping[declared] = actual
        elif isinstance(declared, ClassType) and declared.is_open:
            form = form_of(context, declared, actual)
            if form is not None:
                pairs += reversed(list(zip(declared.arguments, form.arguments, strict=True)))


def form_of(context: Context, declared: ClassType, actual: Type) -> ClassType | None:
    """The parent or trait by which a value fits a type, whatever its arguments are."""
    if isinstance(actual, ClassType):
        ancestor = ancestor_of(actual, declared.head)
        if ancestor is not None:
            return ancestor
        if differ_in_throws(declared, actual):
            return actual
    if not is_trait_type(declared):
        return None
    return next((form for _, form in satisfying(context, actual, trait_of(declared))), None)


def differ_in_throws(declared: ClassType, actual: ClassType) -> bool:
    """Whether only `throws` keeps a function from fitting: what is wrong then, not its other parts."""
    are_functions = declared.head.is_function and actual.head.is_function
    return are_functions and len(declared.arguments) == len(actual.arguments)


def bind_result(
    context: Context, callee: GenericCallee, mapping: dict[TypeParameter, Type], expected: Type
) -> None:
    """Step 3: match the declared result, or the parent of it that fits, with the expected type."""
    declared = callee.result
    if isinstance(declared, ClassType) and isinstance(expected, ClassType):
        ancestor = ancestor_of(declared, expected.head)
        if ancestor is None:
            return
        declared = ancestor
    bind(context, callee.open, mapping, declared, expected)


def finish_arguments(
    context: Context, callee: GenericCallee, checked: Sequence[Checked], mapping: dict[TypeParameter, Type]
) -> list[TypedExpression]:
    """Step 4: finish what waits, with the types that are known by now."""
    arguments: list[TypedExpression] = []
    for argument, declared in zip(checked, callee.parameters, strict=True):
        if isinstance(argument, Waiting):
            unknown = set(callee.open) - mapping.keys()
            wanted = substitute(declared, mapping)
            is_known = argument.is_function or not mentions(wanted, unknown)
            argument = argument.finish(wanted if is_known else None)
            bind(context, callee.open, mapping, declared, argument.type)
        arguments.append(argument)
    return arguments


def finish_call(
    body: Body,
    span: Span,
    callee: GenericCallee,
    checked: Sequence[Checked],
    mapping: dict[TypeParameter, Type],
    expected: Type | None,
) -> TypedExpression:
    """Steps 3 to 5, then the checks as if all type arguments had been written."""
    if not callee.arguments and not callee.function.conditions:
        arguments = finish_arguments(body.context, callee, checked, mapping)
        if any_wrong(body, arguments):
            return body.wrong(span)
        return fitted_call(body, span, callee, callee.arguments, callee.result, callee.parameters, arguments)
    if expected is not None:
        bind_result(body.context, callee, mapping, expected)
        bind_by_bounds(body.context, callee, mapping)
    arguments = finish_arguments(body.context, callee, checked, mapping)
    bind_by_bounds(body.context, callee, mapping)
    if any_wrong(body, arguments):
        return body.wrong(span)
    missing = [parameter for parameter in callee.open if parameter not in mapping]
    if missing and expected is not None and has_error(expected):
        return body.wrong(span)  # the type that is wanted is wrong, which was reported
    if missing:
        return cannot_infer(body, span, callee, mapping, missing, arguments)
    chosen = tuple(put_in(callee.arguments, mapping))
    result = substitute(callee.result, mapping)
    if max(map(size_of, (result, *chosen))) > LARGEST:
        return body.error("E0617", span)
    if callee.bounded and not check_bounds(body.context, span, callee.function.all_type_parameters, chosen):
        return body.wrong(span)
    if callee.function.conditions and not check_conditions(body.context, span, callee.function, chosen):
        return body.wrong(span)
    wanted = put_in(callee.parameters, mapping)
    return fitted_call(body, span, callee, chosen, result, wanted, arguments)


def fitted_call(
    body: Body,
    span: Span,
    callee: GenericCallee,
    chosen: tuple[Type, ...],
    result: Type,
    wanted: Sequence[Type],
    arguments: Sequence[TypedExpression],
) -> TypedExpression:
    """The call, if the arguments fit the types that are wanted."""
    values: list[TypedExpression] = []
    for argument, type in zip(arguments, wanted, strict=True):
        value = None if argument.type is UNIT else coerce(body, argument, type)
        if value is None:
            return misfit(body, span, callee, arguments, wanted)
        values.append(value)
    if callee.function.rethrows:
        note_rethrows(body, span, callee.function, arguments)
    return callee.build(chosen, result, values)


def cannot_infer(
    body: Body,
    span: Span,
    callee: GenericCallee,
    mapping: dict[TypeParameter, Type],
    missing: Sequence[TypeParameter],
    arguments: Sequence[TypedExpression],
) -> TypedExpression:
    """Report type parameters that are open, or the bound that keeps them so."""
    for parameter, bound, trait in bounds_with_arguments(callee):
        type, wanted = substitute(parameter, mapping), substitute(bound, mapping)
        if mentions(type, set(callee.open)) or may_have_more(body.context, type, trait):
            continue
        if as_trait(body.context, type, trait) is None:
            return body.error("E0609", span, type=type, trait=wanted, hint=None)
    names = ", ".join(f"`{parameter}`" for parameter in missing)
    hint = f"write `{callee.name}::<…>(…)`"
    for argument, declared in zip(arguments, callee.parameters, strict=True):
        if gives_nothing(argument.type) and mentions(declared, set(missing)):
            hint = "a function that gives nothing says nothing about a type parameter"
    return body.error("E0613", span, parameters=names, name=callee.name, hint=hint)


def gives_nothing(type: Type) -> bool:
    return isinstance(type, ClassType) and type.head.is_function and type.arguments[-1] is UNIT


def misfit(
    body: Body,
    span: Span,
    callee: GenericCallee,
    checked: Sequence[Checked],
    wanted: Sequence[Type] | None = None,
) -> TypedExpression:
    """Report arguments that do not fit, unless one of them was reported already."""
    if any_wrong(body, checked):
        return body.wrong(span)
    expected = type_list(wanted or callee.parameters)
    found = type_list(found_types(checked))
    if callee.code == "E0417":
        return body.error(
            "E0417", span, type=callee.name, found=found, hint=f"there is one that takes {expected}"
        )
    return body.error(callee.code, span, name=callee.name, expected=expected, found=found)


def found_types(checked: Sequence[Checked]) -> list[Type | str]:
    return [argument.head if isinstance(argument, Waiting) else argument.type for argument in checked]


# Several constructors.


class NoInference(Enum):
    FIT = "the arguments do not fit"
    INFERENCE = "type arguments cannot be found"


def check_overloaded(
    body: Body,
    span: Span,
    callees: Sequence[GenericCallee],
    nodes: Sequence[tree.Expression],
    expected: Type | None,
) -> Checked:
    """Check a call of the first of several constructors that accepts the arguments."""
    if len(callees) == 1:
        return check_call(body, span, callees[0], nodes, expected)
    checked = [body.argument(node) for node in nodes]
    return choose(body, span, callees, checked, expected, may_wait=expected is None)


def choose(
    body: Body,
    span: Span,
    callees: Sequence[GenericCallee],
    checked: list[Checked],
    expected: Type | None,
    *,
    may_wait: bool,
) -> Checked:
    if any_wrong(body, checked):
        return body.wrong(span)
    failures: list[NoInference] = []
    with body.trials:
        for callee in callees:
            outcome = attempt(body, span, callee, checked, expected)
            if not isinstance(outcome, NoInference):
                return outcome
            failures.append(outcome)
    if NoInference.INFERENCE not in failures:
        hint = TOO_MANY_HINT if body.trials.taken_back >= MOST_TAKEN_BACK else None
        return body.error(
            "E0417", span, type=callees[0].name, found=type_list(found_types(checked)), hint=hint
        )
    if may_wait:
        return Waiting(
            body,
            span,
            callees[0].result,
            checked,
            lambda wanted: must_finish(choose(body, span, callees, checked, wanted, may_wait=False)),
        )
    failed = callees[failures.index(NoInference.INFERENCE)]
    names = ", ".join(f"`{parameter}`" for parameter in failed.open)
    hint = f"write `{failed.name}::<…>(…)`"
    return body.error("E0613", span, parameters=names, name=failed.name, hint=hint)


MOST_TAKEN_BACK: Final = 200
"""So many constructors are passed over within a call: their number doubles with each lambda in a lambda."""
TOO_MANY_HINT: Final = "too many were tried: write the types of the parameters of lambdas"


def must_finish(checked: Checked) -> TypedExpression:
    assert not isinstance(checked, Waiting), "a call that may not wait waits"
    return checked


def attempt(
    body: Body, span: Span, callee: GenericCallee, checked: Sequence[Checked], expected: Type | None
) -> TypedExpression | NoInference:
    """Try one constructor; what it reports is taken back if it does not fit."""
    if len(checked) != len(callee.parameters) or body.trials.taken_back >= MOST_TAKEN_BACK:
        return NoInference.FIT
    mapping = bind_known(body.context, callee, checked)
    if expected is not None:
        bind_result(body.context, callee, mapping, expected)
    for argument, declared in zip(checked, callee.parameters, strict=True):
        if isinstance(argument, Waiting) or mentions(declared, set(callee.open)):
            continue
        if argument.type is UNIT or not fits(body.context, argument.type, declared):
            return NoInference.FIT
    reports, before, invalid = body.unit.diagnostics.reports, len(body.unit.diagnostics.reports), body.invalid
    result = finish_call(body, span, callee, checked, mapping, expected)
    if len(reports) == before:
        return result
    codes = {report.code for report in reports[before:]}
    del reports[before:]
    body.invalid = invalid
    body.trials.taken_back += 1
    return NoInference.INFERENCE if codes == {"E0613"} else NoInference.FIT
