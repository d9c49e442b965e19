"""What formulas have beyond expressions (reference 1.5): numbers that meet, functions by their usual names.

    n > 1 and max(x, n, 0) in [1, 2]        with n: int, x: double

These stand in place of the language's own handlers; what they do not know they leave to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

from doralang.checker import calls, expressions, operators
from doralang.checker import program as typed
from doralang.checker.body import Body, Checked, Leaves, Operand, Waiting, ready
from doralang.checker.exact import Exact, combine
from doralang.checker.lookup import Found, find_method
from doralang.checker.operators import finished
from doralang.checker.program import Function, TypedExpression, Variant
from doralang.checker.widening import NUMERIC, WHOLE, as_whole, common, type_of, widened
from doralang.library.internals import RAW
from doralang.syntax import tree
from doralang.syntax.words import FORMULA_CONSTANTS, MISNOMERS
from doralang.types.types import BOOL, CHAR, DOUBLE, Type

ARITHMETIC: Final = frozenset("+-*/%")
BITWISE: Final = frozenset({"&", "|", "^", "<<", ">>", ">>>"})

# Operators.


def check_binary(
    body: Body, node: tree.Binary, left: TypedExpression | Exact, expected: Type | None
) -> Operand:
    operator = node.operator
    if operator == "in":
        return check_membership(body, node, finished(left))
    right = body.operand(node.right)
    if isinstance(left, Exact) and isinstance(right, Exact):
        exact = combine(node.span, operator, left, right)
        if exact is not None:
            return exact
    first, second = met(node, left, right)
    hint = mistaken(body, operator, first.type, second.type)
    if hint is not None and not body.is_unknown(first.type, second.type):
        return body.error(
            "E0412", node.span, operator=operator, left=first.type, right=second.type, hint=hint
        )
    return operators.check_operation(body, node, first, second)


def met(node: tree.Binary, left: Operand, right: Operand) -> tuple[TypedExpression, TypedExpression]:
    """Both sides as numbers of one type, if they are numbers and the operator is for such."""
    operator = node.operator
    if operator in operators.COMPARISONS or operator in BITWISE:
        left, right = as_whole(left, type_of(right)), as_whole(right, type_of(left))
    first, second = finished(left), finished(right)
    types = [first.type, second.type]
    if not all(type in NUMERIC for type in types):
        return first, second
    if operator in operators.COMPARISONS or operator in ARITHMETIC:
        wanted = common(types)
        if operator == "/" and wanted in WHOLE and not (asks_whole(node.left) or asks_whole(node.right)):
            wanted = DOUBLE
        return widened(first, wanted), widened(second, wanted)
    return first, second


def asks_whole(node: tree.Expression) -> bool:
    """Whether a number is written as a whole one (`2L`, `-0x2`)."""
    while isinstance(node, tree.Unary) and node.operator in ("+", "-"):
        node = node.operand
    return isinstance(node, tree.Number) and node.kind not in (tree.NumberKind.DOUBLE, tree.NumberKind.FLOAT)


def mistaken(body: Body, operator: str, left: Type, right: Type) -> str | None:
    """What to write where an operator is used as in other languages."""
    if operator == "^" and DOUBLE in (left, right):
        return "a power is written `**`"
    if operator in ("&&", "||") and (left in NUMERIC or right in NUMERIC):
        return "compare: `x != 0`"
    text = text_type(body)
    if {left, right} == {text, CHAR} and operator in operators.COMPARISONS:
        return 'a text is written in double quotes, `"`'
    if operator == "+" and text in (left, right) and left is not right:
        number = right if left is text else left
        return "a number becomes a text by `text(x)`" if number in NUMERIC else None
    return None


def check_unary(body: Body, node: tree.Unary, expected: Type | None) -> Operand:
    """`not` is for truth alone, `!` is also the complement of whole numbers."""
    checked = operators.check_unary(body, node, expected)
    word = body.context.source.text[node.span.start : node.span.end]
    if word == "not" and not body.is_unknown(checked_type(checked)) and checked_type(checked) is not BOOL:
        return body.error("E0411", node.span, operator=word, type=checked_type(checked))
    return checked


def checked_type(operand: Operand) -> Type:
    return DOUBLE if isinstance(operand, Exact) else finished(operand).type


def check_membership(body: Body, node: tree.Binary, left: TypedExpression) -> TypedExpression:
    """`x in [a, b]`: whether it is equal to one of them."""
    assert isinstance(node.right, tree.ListLiteral), "the parser sees to that"
    block: list[typed.Statement] = []
    held, found = body.held(left, block), None
    for element in node.right.elements:
        test = finished(check_binary(body, tree.Binary(node.span, "==", ready(held), element), held, None))
        if body.is_unknown(test.type) or found is None:
            found = test
        elif not body.is_unknown(found.type):
            found = typed.Logical(node.span, BOOL, typed.Logic.OR, found, test)
    if found is None or not block:
        return found or typed.Constant(node.span, BOOL, False)
    body.function.has_block_values = True
    return typed.BlockValue(node.span, found.type, typed.Block(node.span, block), found)


def check_choice(body: Body, node: tree.Choice, expected: Type | None) -> TypedExpression:
    condition = body.expression(node.condition)
    then, otherwise = body.expression(node.then, expected), body.expression(node.otherwise, expected)
    if condition.type in NUMERIC:
        return body.error("E0403", node.condition.span, found=condition.type, hint="compare: `x != 0`")
    if then.type in NUMERIC and otherwise.type in NUMERIC:
        wanted = common([then.type, otherwise.type])
        then, otherwise = widened(then, wanted), widened(otherwise, wanted)
    choice = tree.Choice(node.span, ready(condition), ready(then), ready(otherwise))
    choice.condition.span = node.condition.span
    return expressions.check_choice(body, choice, expected)


# Calls.


def check_named_call(body: Body, node: tree.Call, expected: Type | None) -> Checked:
    name = node.name
    if body.find_local(name) is not None:
        return calls.check_named_call(body, node, expected)
    entity = body.global_name(name)
    if name in body.unit.names and isinstance(entity, Function):
        return calls.check_named_call(body, fitted_call(body, node, entity), expected)
    special = FUNCTIONS.get(name)
    if special is not None and node.arguments and not node.type_arguments:
        return special(body, node)
    if entity is None and node.arguments and name not in RAW:
        return method(body, node, name, node.arguments[0], node.arguments[1:], expected)
    return calls.check_named_call(body, node, expected)


def fitted_call(body: Body, node: tree.Call, function: Function) -> tree.Call:
    """A call with its arguments as numbers of the types that are wanted."""
    wanted = [parameter.type for parameter in function.parameters]
    arguments = fitted([body.operand(argument) for argument in node.arguments], wanted)
    return tree.Call(node.span, node.name, node.type_arguments, arguments)


def fitted(arguments: Sequence[Operand], wanted: Sequence[Type]) -> list[tree.Expression]:
    """Arguments, checked, as numbers of the types that are wanted."""
    nodes = []
    for index, argument in enumerate(arguments):
        type = wanted[index] if index < len(wanted) else None
        argument = as_whole(argument, type)
        if isinstance(argument, Exact):
            argument = argument.rounded()
        if type is not None and not isinstance(argument, Waiting):
            argument = widened(argument, type)
        nodes.append(ready(argument))  # type: ignore[arg-type]  # the handler gives on what waits
    return nodes


def method(
    body: Body,
    node: tree.Call,
    name: str,
    receiver: tree.Expression,
    arguments: Sequence[tree.Expression],
    expected: Type | None = None,
) -> Checked:
    """`f(x, …)` as `x.f(…)`"""
    call = tree.MethodCall(node.span, receiver, name, node.type_arguments, [*arguments])
    return check_method_call(body, call, body.expression(receiver), expected)


def check_method_call(
    body: Body, node: tree.MethodCall, receiver: TypedExpression, expected: Type | None
) -> Checked:
    """A number has the methods of doubles as well, and becomes what its arguments are."""
    if receiver.type not in NUMERIC:
        found = find_method(body.context, receiver.type, node.name)
        if not isinstance(found, Found) or found.function.type_parameters or not node.arguments:
            return calls.check_method_call(body, node, receiver, expected)
        wanted = [parameter.type for parameter in found.function.parameters]
        arguments = [body.operand(argument) for argument in node.arguments]
        return calls.check_method_call(
            body, with_arguments(node, fitted(arguments, wanted)), receiver, expected
        )
    arguments = [body.operand(argument) for argument in node.arguments]
    receiver, wanted = meeting(body, node.name, receiver, arguments)
    return calls.check_method_call(body, with_arguments(node, fitted(arguments, wanted)), receiver, expected)


def with_arguments(node: tree.MethodCall, arguments: list[tree.Expression]) -> tree.MethodCall:
    return tree.MethodCall(node.span, node.receiver, node.name, node.type_arguments, arguments)


OF_DOUBLES: Final = frozenset({"pow"})
"""methods that whole numbers have, too, but not as formulas mean them: `2 ** -1` is a half"""


def meeting(
    body: Body, name: str, receiver: TypedExpression, arguments: Sequence[Operand]
) -> tuple[TypedExpression, list[Type]]:
    """The receiver as a number that has the method for such arguments, and the parameters' types."""
    types = [type for argument in arguments if (type := type_of(argument)) in NUMERIC]
    numbers = (receiver.type, common([receiver.type, *types]), DOUBLE)
    for type in (DOUBLE,) if name in OF_DOUBLES else numbers:
        found = find_method(body.context, type, name)
        if isinstance(found, Found) and not found.function.type_parameters:
            wanted = [parameter.type for parameter in found.function.parameters]
            if len(wanted) != len(arguments) or all(map(goes, arguments, wanted)):
                return widened(receiver, type), wanted
    return receiver, []


def goes(argument: Operand, wanted: Type) -> bool:
    """Whether an argument can be what is wanted, if both are numbers."""
    if wanted not in NUMERIC or type_of(argument) not in NUMERIC:
        return True
    if isinstance(argument, Exact):
        return wanted is DOUBLE or not isinstance(as_whole(argument, wanted), Exact)
    return isinstance(argument, Waiting) or widened(argument, wanted).type is wanted


# Functions by their usual names.

Special = Callable[[Body, tree.Call], Checked]


def renamed(name: str) -> Special:
    """A method under another name."""
    return lambda body, node: method(body, node, name, node.arguments[0], node.arguments[1:])


def folded(name: str) -> Special:
    """A method of two values, of any number of them."""

    def check(body: Body, node: tree.Call) -> Checked:
        values = numbers(body, node)
        if len(values) == 1 or not all(value.type in NUMERIC for value in values):
            return method(body, node, name, ready(values[0]), [ready(value) for value in values[1:]])
        return reduce(
            lambda left, right: finished(method(body, node, name, ready(left), [ready(right)])), values
        )

    return check


def numbers(body: Body, node: tree.Call) -> list[TypedExpression]:
    """The arguments, numbers as those of one type."""
    values = [body.expression(argument) for argument in node.arguments]
    types = [value.type for value in values]
    if all(type in NUMERIC for type in types):
        return [widened(value, common(types)) for value in values]
    return values


def check_sum(body: Body, node: tree.Call) -> Checked:
    def add(left: TypedExpression, right: TypedExpression) -> TypedExpression:
        return operators.check_operation(
            body, tree.Binary(node.span, "+", ready(left), ready(right)), left, right
        )

    return reduce(add, numbers(body, node))


def library(name: str) -> Special:
    """A function of `formulas.dora`."""

    def check(body: Body, node: tree.Call) -> Checked:
        function = body.unit.library_function(name)
        call = tree.Call(node.span, node.name, [], node.arguments)
        return calls.call_function(body, fitted_call(body, call, function), function, None)

    return check


def check_round(body: Body, node: tree.Call) -> Checked:
    return renamed("round")(body, node) if len(node.arguments) == 1 else library("roundTo")(body, node)


FUNCTIONS: Final[dict[str, Special]] = {
    **{
        name: renamed(method)
        for name, method in {
            "ln": "log",
            "ceiling": "ceil",
            "power": "pow",
            "int": "toInt",
            "long": "toLong",
            "float": "toDouble",
            "double": "toDouble",
            "text": "toString",
            "str": "toString",
        }.items()
    },
    "min": folded("min"),
    "max": folded("max"),
    "sum": check_sum,
    "round": check_round,
    **{
        name: library(function)
        for name, function in {
            "sign": "signum",
            "len": "charactersOf",
            "upper": "upperCase",
            "lower": "lowerCase",
            "contains": "containsText",
            "startsWith": "startsWithText",
            "endsWith": "endsWithText",
            "trim": "trimmed",
        }.items()
    },
}
"""what a call means whose name is no function that the host gives"""


# Names.

CONSTANTS: Final[dict[str, tuple[Type, bool | int | float | str]]] = {
    name: (DOUBLE, value) for name, value in FORMULA_CONSTANTS.items()
}


def check_name(body: Body, node: tree.Name, expected: Type | None) -> Checked:
    if not node.name.isascii() and body.context.source.text[node.span.start] != "`":
        return body.wrong(node.span)  # the lexer has said so
    hint = MISNOMERS.get(node.name)
    if hint is not None and body.find_local(node.name) is None:
        entity = body.global_name(node.name)
        if entity is None or isinstance(entity, Variant):  # the `None` of `Option`, which no formula has
            return body.error("E0301", node.span, name=node.name, hint=hint)
    return expressions.check_name(body, node, expected)


def text_type(body: Body) -> Type:
    return body.unit.library_class("Str").of()


PLAIN: Final[Leaves] = {tree.Name: check_name}
LEAVES: Final[Leaves] = {
    **PLAIN,
    tree.Call: check_named_call,
    tree.Choice: check_choice,
    tree.Unary: check_unary,
}
LINKS: Final[Leaves] = {tree.Binary: check_binary, tree.MethodCall: check_method_call}
