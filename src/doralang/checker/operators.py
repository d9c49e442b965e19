"""Operators, which are methods (11.2), and indexing and assignment, which are methods too."""

from __future__ import annotations

import math

from doralang.checker import program as typed
from doralang.checker.arguments import check_anyway, explicit_arguments
from doralang.checker.body import Body, Checked, Leaves, Operand, Waiting
from doralang.checker.bounds import check_conditions
from doralang.checker.calls import report_ambiguous
from doralang.checker.exact import Exact, combine, literal, negate
from doralang.checker.generics import callee, check_call
from doralang.checker.lookup import (
    Ambiguous,
    Found,
    dispatch_of,
    field_names,
    find_field,
    find_method,
    members_known,
)
from doralang.checker.making import make_call, note_throws
from doralang.checker.nearness import suggestion
from doralang.checker.program import Class, Compute, Function, TypedExpression
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import Context
from doralang.checker.trait_objects import cast_type, coerce, test_type, type_target
from doralang.optional import load
from doralang.syntax import tree
from doralang.text.source import Span
from doralang.types.arithmetic import round_float
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.types.types import (
    BOOL,
    ERROR,
    INT,
    LARGEST,
    LONG,
    NEVER,
    NIL,
    PRIMITIVE_TYPES,
    UNIT,
    ClassType,
    PrimitiveType,
    Type,
    TypeParameter,
    is_assignable,
    is_function,
    is_reference,
    is_trait_type,
    size_of,
    substitute,
)
from doralang.typing_forms import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

HAS_METHODS: Final = (PrimitiveType, ClassType, TypeParameter)
"""types whose values may have methods, those of a type parameter by its bounds"""
METHODS: Final = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "div",
    "%": "mod",
    "|": "bitwiseOr",
    "&": "bitwiseAnd",
    "^": "bitwiseXor",
    "<<": "shiftLeft",
    ">>": "shiftRight",
    ">>>": "unsignedShiftRight",
    "==": "equals",
    "!=": "equals",
    "<": "compareTo",
    "<=": "compareTo",
    ">": "compareTo",
    ">=": "compareTo",
}
UNARY_METHODS: Final = {"+": "unaryPlus", "-": "unaryMinus", "!": "not"}
COMPARISONS: Final = {
    "==": "equals",
    "!=": "notEquals",
    "<": "less",
    "<=": "lessEquals",
    ">": "greater",
    ">=": "greaterEquals",
}
OPERATIONS: Final[dict[Type, dict[str, tuple[Primitive, PrimitiveType]]]] = {
    type: {
        operator: (row, BOOL if operator in COMPARISONS else type)
        for operator, method in {**METHODS, **COMPARISONS}.items()
        if (row := PRIMITIVES.get(f"{type.name}.{method}")) is not None and len(row.operands) == 2
    }
    for type in PRIMITIVE_TYPES.values()
}
"""what an operator is for two values of the same primitive type: the operation, and the type of its result"""


# Unary and binary operators.


def check_unary(body: Body, node: tree.Unary, expected: Type | None) -> TypedExpression | Exact:
    if node.operator == "-" and isinstance(node.operand, tree.Number):
        operand: Operand = check_number(body, node.operand, None, negated=True)
    else:
        operand = body.operand(node.operand)
    if isinstance(operand, Exact):
        exact = operand if node.operator == "+" else negate(node.span, operand)
        if exact is not None and node.operator != "!":
            return exact
    operand = finished(operand)
    if body.is_unknown(operand.type):
        return body.wrong(node.span)
    if operand.type is NEVER:
        return operand
    found = None
    if isinstance(operand.type, HAS_METHODS):
        found = find_method(body.context, operand.type, UNARY_METHODS[node.operator])
    if not isinstance(found, Found) or found.function.parameters:
        return body.error("E0411", node.span, operator=node.operator, type=operand.type)
    return call_operator(body, node.span, operand, found, [])


def finished(operand: Operand) -> TypedExpression:
    """An operand that meets something other than exact numbers."""
    if isinstance(operand, Exact):
        return operand.rounded()
    return operand.finish(None) if isinstance(operand, Waiting) else operand


def call_operator(
    body: Body, span: Span, receiver: TypedExpression, found: Found, operands: list[tree.Expression]
) -> TypedExpression:
    """The call of a method that an operator stands for."""
    function = found.function
    note_throws(body, span, function)
    build = make_call(span, function, dispatch_of(found), [receiver])
    target = callee(function, found.mapping(), function.type_parameters, build)
    checked = check_call(body, span, target, operands, None)
    return checked.finish(None) if isinstance(checked, Waiting) else checked


def check_binary(
    body: Body, node: tree.Binary, left: TypedExpression | Exact, expected: Type | None
) -> TypedExpression | Exact:
    if isinstance(left, Exact):
        right = body.operand(node.right)
        exact = combine(node.span, node.operator, left, right) if isinstance(right, Exact) else None
        return exact or check_operation(body, node, left.rounded(), finished(right))
    return check_operation(body, node, left, None)


def check_operation(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression | None
) -> TypedExpression:
    """Any binary operation; `right` is checked already, or not yet."""
    operator = node.operator
    rows = OPERATIONS.get(left.type)
    if rows is not None and operator in rows:
        right = right or body.expression(node.right)
        if right.type is left.type:
            row, result = rows[operator]
            return Compute(node.span, result, row, [left, right])
    elif operator in ("&&", "||"):
        return check_logical(body, node, left, right or body.expression(node.right))
    elif operator in ("===", "!=="):
        return check_identity(body, node, left, right or body.expression(node.right))
    elif operator in RANGE_OPERATORS:
        return check_range(body, node, left, right or body.expression(node.right))
    return check_other_operator(body, node, left, right)


def check_other_operator(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression | None
) -> TypedExpression:
    """An operator that is a method call: of `Str`, a class of the program, or by an `impl`."""
    if body.is_unknown(left.type):
        if right is None:
            body.argument(node.right)
        return body.wrong(node.span)
    found = None
    if isinstance(left.type, HAS_METHODS):
        found = find_method(body.context, left.type, METHODS[node.operator])
    if isinstance(found, Ambiguous):
        return report_ambiguous(body, node.span, METHODS[node.operator], found)
    if not isinstance(found, Found) or not is_operator(found.function, node.operator):
        return no_operator(body, node, left, right)
    wanted = None
    if not found.function.type_parameters:
        wanted = substitute(found.function.parameters[0].type, found.mapping())
    if right is None:
        right = body.expression(node.right, wanted)
    if body.is_unknown(right.type):
        return body.wrong(node.span)
    operand = None if wanted is None or right.type is UNIT else coerce(body, right, wanted)
    if operand is None:
        return no_operator(body, node, left, right)
    note_throws(body, node.span, found.function)
    target = callee(
        found.function,
        found.mapping(),
        (),
        make_call(node.span, found.function, dispatch_of(found), [left]),
    )
    if not check_conditions(body.context, node.span, found.function, target.arguments):
        return body.wrong(node.span)
    return compare(node, target.build(target.arguments, target.result, [operand]))


def is_operator(function: Function, operator: str) -> bool:
    """Whether a method has what the operator needs: one parameter, and a fitting result."""
    if len(function.parameters) != 1:
        return False
    if operator in ("==", "!="):
        return function.result is BOOL
    return operator not in COMPARISONS or function.result is INT


def compare(node: tree.Binary, call: TypedExpression) -> TypedExpression:
    """Make the result of `equals` or `compareTo` what the comparison gives."""
    if node.operator == "!=":
        return Compute(node.span, BOOL, PRIMITIVES["bool.not"], [call])
    if node.operator in COMPARISONS and node.operator != "==":
        row = PRIMITIVES[f"int.{COMPARISONS[node.operator]}"]
        return Compute(node.span, BOOL, row, [call, typed.Constant(node.span, INT, 0)])
    return call


def no_operator(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression | None
) -> TypedExpression:
    if right is None:
        right = body.expression(node.right)
    if body.is_unknown(right.type) or not members_known(body.context, left.type):
        return body.wrong(node.span)
    hint = operator_hint(node.operator, left.type, right.type)
    return body.error("E0412", node.span, operator=node.operator, left=left.type, right=right.type, hint=hint)


def operator_hint(operator: str, left: Type, right: Type) -> str | None:
    text = ("Str", "Str")
    if operator == "+" and str(left) == text[0] and isinstance(right, PrimitiveType):
        return "convert with `.toString()`"
    if operator in ("==", "!=") and NIL in (left, right):
        return f"compare with `nil` by `{operator}=`"
    if isinstance(left, PrimitiveType) and isinstance(right, PrimitiveType) and left is not right:
        return f"convert one side, such as with `.to{str(left).capitalize()}()`"
    return None


def check_logical(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression
) -> TypedExpression:
    if body.is_unknown(left.type, right.type):
        return body.wrong(node.span)
    if left.type is not BOOL or right.type not in (BOOL, NEVER):
        return body.error(
            "E0412", node.span, operator=node.operator, left=left.type, right=right.type, hint=None
        )
    return typed.Logical(node.span, BOOL, typed.Logic(node.operator), left, right)


def check_identity(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression
) -> TypedExpression:
    if body.is_unknown(left.type, right.type):
        return body.wrong(node.span)
    with_nil = NIL in (left.type, right.type)
    for side in (left, right):
        if with_nil and (is_trait_type(side.type) or is_function(side.type)):
            continue
        if side.type not in (NIL, NEVER) and not is_reference(side.type):
            return body.error("E0418", node.span, type=side.type)
    if not (is_assignable(left.type, right.type) or is_assignable(right.type, left.type)):
        return body.error("E0419", node.span, left=left.type, right=right.type)
    return typed.Identical(node.span, BOOL, left, right, node.operator == "!==")


RANGES: Final[dict[tuple[str, Type], str]] = {
    ("..", INT): "range",
    ("..=", INT): "ClosedIntRange",
    ("..", LONG): "LongRange",
    ("..=", LONG): "ClosedLongRange",
}
"""what makes a range, by the operator and the type of both sides: a function or a class of the library"""
RANGE_OPERATORS: Final = frozenset({"..", "..="})


def check_range(
    body: Body, node: tree.Binary, left: TypedExpression, right: TypedExpression
) -> TypedExpression:
    """`a..b`, `a..=b`"""
    if body.is_unknown(left.type, right.type):
        return body.wrong(node.span)
    name = RANGES.get((node.operator, left.type))
    if name is None or right.type not in (left.type, NEVER) or body.formula:
        return no_operator(body, node, left, right)
    entity = body.unit.base.own(name)
    if isinstance(entity, Function):
        result = entity.result
        return typed.Call(
            node.span, result, typed.Instantiation(entity), typed.Dispatch.STATIC, [left, right]
        )
    assert isinstance(entity, Class)
    return typed.New(node.span, entity.of(), typed.Instantiation(entity.constructors[0]), [left, right])


# is, as


def class_target(body: Body, node: tree.TypeTest | tree.Cast, left: TypedExpression) -> Type | None:
    """The type of `is` and `as`; None, reported, if it does not go with the operand.

    It is a class, unless the operand is of a trait.
    """
    target = resolve_type(body.context, node.type)
    if body.is_unknown(left.type, target):
        body.invalid += 1
        return None
    if isinstance(left.type, ClassType) and is_trait_type(left.type):
        if type_target(body, node.span, left.type, target):
            return target
        body.invalid += 1
        return None
    for type in (left.type, target):
        if not is_reference(type):
            body.error("E0418", node.span, type=type)
            return None
    assert isinstance(target, ClassType)
    if not is_assignable(left.type, target) and not is_assignable(target, left.type):
        body.error("E0419", node.span, left=left.type, right=target)
        return None
    return target


def check_type_test(
    body: Body, node: tree.TypeTest, left: TypedExpression, expected: Type | None
) -> TypedExpression:
    target = class_target(body, node, left)
    if target is None:
        return typed.NilConstant(node.span, ERROR)
    if is_trait_type(left.type):
        return test_type(body, node.span, left, target)
    assert isinstance(target, ClassType)
    return typed.IsInstance(node.span, BOOL, left, target)


def check_cast(body: Body, node: tree.Cast, left: TypedExpression, expected: Type | None) -> TypedExpression:
    target = class_target(body, node, left)
    if target is None:
        return typed.NilConstant(node.span, ERROR)
    if is_trait_type(left.type):
        return cast_type(body, node.span, left, target)
    return typed.Cast(node.span, target, left)


# Numbers (here because a minus in front matters).

INT_LITERAL: Final = tree.NumberKind.INT
SMALL: Final = 1 << 31
LIMITS: Final = {
    tree.NumberKind.INT: (31, 32),
    tree.NumberKind.LONG: (63, 64),
    tree.NumberKind.BYTE: (8, 8),
}


def check_number(
    body: Body, node: tree.Number, expected: Type | None, *, negated: bool = False
) -> TypedExpression | Exact:
    if node.kind is INT_LITERAL and node.value < SMALL:  # nearly all
        return typed.Constant(node.span, INT, node.value)
    value = number_value(body.context, node, negated)
    if value is None:
        return body.wrong(node.span)
    exact = None
    if body.formula and node.kind is tree.NumberKind.DOUBLE:
        exact = literal(node.span, body.context.source.text[node.span.start : node.span.end])
    return exact or typed.Constant(node.span, NUMBER_TYPES[node.kind], value)


def number_value(context: Context, node: tree.Number, negated: bool) -> int | float | None:
    """The value of a literal; None, reported, if it is out of the range of its type (2.4)."""
    kind, value = node.kind, node.value
    if isinstance(value, float):
        value = round_float(value) if kind is tree.NumberKind.FLOAT else value
        if math.isinf(value):
            context.error("E0106", node.span, type=kind.value, hint=None)
            return None
        return value
    decimal_bits, all_bits = LIMITS[kind]
    signed = kind is not tree.NumberKind.BYTE
    limit = 1 << (all_bits if node.bits else decimal_bits)
    if value < limit or (negated and signed and not node.bits and value == limit):
        return value - (1 << all_bits) if signed and value >= 1 << decimal_bits else value
    hint = "write `…L` for a `long`" if kind is tree.NumberKind.INT and value < 1 << 63 else None
    context.error("E0106", node.span, type=kind.value, hint=hint)
    return None


NUMBER_TYPES: Final = {kind: PRIMITIVE_TYPES[kind.value] for kind in tree.NumberKind}


# a[i], o.f


def check_index(
    body: Body, node: tree.Index, left: TypedExpression, expected: Type | None
) -> TypedExpression:
    return index_call(body, node.span, left, "get", [node.index])


def index_call(
    body: Body, span: Span, left: TypedExpression, name: str, nodes: list[tree.Expression]
) -> TypedExpression:
    """The call of `get` or `set` that an index stands for."""
    if body.is_unknown(left.type):
        return check_anyway(body, nodes, span)
    found = None
    if isinstance(left.type, HAS_METHODS):
        found = find_method(body.context, left.type, name)
    if isinstance(found, Ambiguous):
        report_ambiguous(body, span, name, found)
        return check_anyway(body, nodes, span)
    if found is None:
        if members_known(body.context, left.type) and body.is_news(left.type, name):
            body.error("E0311", span, type=left.type, name=name, hint=None)
        return check_anyway(body, nodes, span)
    return call_operator(body, span, left, found, nodes)


def check_member(body: Body, node: tree.Member, left: TypedExpression, expected: Type | None) -> Checked:
    """`o.f`, or the method `o.m` as a function"""
    if not body.is_unknown(left.type) and find_field(body.context, left.type, node.name) is None:
        found = None if body.formula else find_method(body.context, left.type, node.name)
        if isinstance(found, Ambiguous):
            return report_ambiguous(body, node.span, node.name, found)
        if found is not None:
            values = load("doralang.checker.function_values")
            return cast(Checked, values.method_value(body, node, left, found, expected))
    if node.type_arguments:
        explicit_arguments(body, node.span, node.name, node.type_arguments, ())
    return check_field(body, node, left)


def check_field(body: Body, node: tree.Member, left: TypedExpression) -> TypedExpression:
    if body.is_unknown(left.type):
        return body.wrong(node.span)
    found = find_field(body.context, left.type, node.name)
    if found is None:
        return unknown_field(body, node, left.type)
    field, arguments = found
    body.context.note(node.span.end - len(node.name), field)
    mapping = dict(zip(field.owner.parameters, arguments, strict=True))
    type = substitute(field.type, mapping)
    if type is ERROR:
        return body.wrong(node.span)
    if size_of(type) > LARGEST:
        return body.error("E0617", node.span)
    return typed.GetField(node.span, type, left, field)


def unknown_field(body: Body, node: tree.Member, type: Type) -> TypedExpression:
    if not members_known(body.context, type) or not body.is_news(type, node.name):
        return body.wrong(node.span)
    hint = None
    if type not in (NIL, UNIT) and find_method(body.context, type, node.name) is not None:
        hint = f"a method is called `.{node.name}(…)`"
    elif type not in (NIL, UNIT):
        hint = field_hint(body, node.name, type)
    return body.error("E0309", node.span, type=type, name=node.name, hint=hint)


def field_hint(body: Body, name: str, type: Type) -> str | None:
    """A parameter of the constructor that is no field, or a field with a name like it."""
    if isinstance(type, ClassType) and isinstance(type.head, Class):
        constructors = type.head.constructors
        if any(name == parameter.name for one in constructors[-1:] for parameter in one.parameters):
            return f"`{name}` is a parameter of the constructor; declare it `let {name}`"
    return suggestion(body.unit, name, field_names(body.context, type))


def mismatch(body: Body, code: str, span: Span, name: str, expected: Type, found: Type) -> TypedExpression:
    """A value that does not fit what `name` is declared as."""
    hint = f"`{name}` is declared as `{expected}`"
    conversion = CONVERSIONS.get((str(found), str(expected)))
    if conversion is not None:
        hint += f"; convert with `{conversion}`"
    return body.error(code, span, expected=expected, found=found, hint=hint)


NUMERIC: Final = ("byte", "int", "long", "float", "double")
CONVERSIONS: Final = {
    ("Str", "int"): ".parseInt()",
    **{(found, "Str"): ".toString()" for found in (*NUMERIC, "bool", "char")},
    **{
        (found, wanted): f".to{wanted.capitalize()}()"
        for found in NUMERIC
        for wanted in NUMERIC
        if found != wanted and (found, wanted) not in (("byte", "float"), ("byte", "double"))
    },
}


PLAIN: Final[Leaves] = {tree.Number: check_number}
LEAVES: Final[Leaves] = {**PLAIN, tree.Unary: check_unary}
LINKS: Final[Leaves] = {
    tree.Binary: check_binary,
    tree.TypeTest: check_type_test,
    tree.Cast: check_cast,
    tree.Index: check_index,
    tree.Member: check_member,
}
