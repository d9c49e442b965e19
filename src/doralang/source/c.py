"""C: how generated functions look, and the file that they stand in.

/* square(int) -> int */
static int32_t dora_square(thread *t, int32_t r0) {
  int32_t r1;
  /* line 1 */
  r1 = r0 * r0;
  return r1;
}
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from typing import Final

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.source.functions import TRAPS, FunctionText, Value, calls_of, frame_room
from doralang.source.names import entry_name, identifiers
from doralang.types.kinds import KINDS, Kind
from doralang.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2, Primitive
from doralang.types.traps import Trap

TYPES: Final[dict[Kind | None, str]] = {
    None: "void",
    Kind.BOOL: "bool",
    Kind.BYTE: "uint8_t",
    Kind.CHAR: "uint32_t",
    Kind.INT: "int32_t",
    Kind.LONG: "int64_t",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.REF: "object *",
}

COMPARISONS: Final = {
    "equals": "{0} == {1}",
    "notEquals": "{0} != {1}",
    "less": "{0} < {1}",
    "lessEquals": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greaterEquals": "{0} >= {1}",
}


def integer_operations(kind: str, bits: int) -> dict[str, str]:
    """Arithmetic of `int` and `long`; it wraps because the compiler is told so."""
    unsigned, long = f"uint{bits}_t", "ll" if bits == 64 else ""
    return {
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "times": "{0} * {1}",
        "div": f"divide_{kind}({{0}}, {{1}})",
        "mod": f"remainder_{kind}({{0}}, {{1}})",
        "bitwiseOr": "{0} | {1}",
        "bitwiseAnd": "{0} & {1}",
        "bitwiseXor": "{0} ^ {1}",
        "shiftLeft": f"{{0}} << ({{1}} & {bits - 1})",
        "shiftRight": f"{{0}} >> ({{1}} & {bits - 1})",
        "unsignedShiftRight": f"(int{bits}_t)(({unsigned}){{0}} >> ({{1}} & {bits - 1}))",
        "unaryPlus": "{0}",
        "unaryMinus": "-{0}",
        "not": "~{0}",
        "countOneBits": f"__builtin_popcount{long}(({unsigned}){{0}})",
        "leadingZeros": f"{{0}} == 0 ? {bits} : __builtin_clz{long}(({unsigned}){{0}})",
        "toByte": "(uint8_t){0}",
        "toDouble": "(double){0}",
        "toFloat": "(float){0}",
        "toCharUnchecked": "(uint32_t){0}",
        "compareTo": "(int32_t)({0} - {1})",
    }


def floating_operations(suffix: str, remainder: str) -> dict[str, str]:
    """Arithmetic of `float` and `double`."""
    return {
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "times": "{0} * {1}",
        "div": "{0} / {1}",
        "mod": remainder,
        "unaryPlus": "{0}",
        "unaryMinus": "-{0}",
        "sqrt": f"__builtin_sqrt{suffix}({{0}})",
        "isNan": "{0} != {0}",
        "toInt": "truncate_int({0})",
        "toLong": "truncate_long({0})",
        "compareTo": "({0} > {1}) - ({0} < {1})",
    }


OPERATIONS: Final[dict[str, str]] = {
    **{f"int.{row}": text for row, text in integer_operations("int", 32).items()},
    **{f"long.{row}": text for row, text in integer_operations("long", 64).items()},
    **{f"float.{row}": text for row, text in floating_operations("f", "(float)fmod({0}, {1})").items()},
    **{f"double.{row}": text for row, text in floating_operations("", "fmod({0}, {1})").items()},
    **{f"{kind.value}.{row}": text for kind in KINDS.values() for row, text in COMPARISONS.items()},
    **{f"double.{function}": f"{function}({{0}})" for function in C_FUNCTIONS_1},
    **{f"double.{function}": f"{function}({{0}}, {{1}})" for function in C_FUNCTIONS_2},
    "byte.compareTo": "(int32_t){0} - (int32_t){1}",
    "char.compareTo": "(int32_t)({0} - {1})",
    "bool.not": "!{0}",
    "bool.toInt": "(int32_t){0}",
    "byte.toInt": "(int32_t){0}",
    "byte.toLong": "(int64_t){0}",
    "char.toInt": "(int32_t){0}",
    "char.toLong": "(int64_t){0}",
    "int.toLong": "(int64_t){0}",
    "long.toInt": "(int32_t){0}",
    "float.toDouble": "(double){0}",
    "double.toFloat": "(float){0}",
    "double.isInfinite": "{0} == INFINITY || {0} == -INFINITY",
    "doubleBits": "double_bits({0})",
    "doubleFromBits": "double_from_bits({0})",
    "floatBits": "float_bits({0})",
    "floatFromBits": "float_from_bits({0})",
    "multiplyHigh": "(int64_t)((unsigned __int128)(uint64_t){0} * (uint64_t){1} >> 64)",
}
"""by row: the expression, with the operands' names in place of the numbers"""

MINIMA: Final = {Kind.INT: "INT32_MIN", Kind.LONG: "INT64_MIN"}
"""C has no literals for these"""


class C:
    """C as a `Language`; `number` is that of the function, `default` what it returns when it fails."""

    indent = "  "

    def __init__(self, number: int, result: Kind | None, *, hidden: bool = False) -> None:
        self.number = number
        self.hidden = hidden
        self.leave = "return;" if result is None else "return 0;"

    def constant(self, kind: Kind, value: Value) -> str:
        if kind in (Kind.FLOAT, Kind.DOUBLE):
            return floating_constant(kind, 0.0 if value is None else float(value))
        if kind is Kind.REF:
            return "NULL"
        if kind is Kind.BOOL:
            return "true" if value else "false"
        number = int(value or 0)
        if kind in MINIMA and number == -(1 << (31 if kind is Kind.INT else 63)):
            return MINIMA[kind]
        return f"{number}{ {Kind.LONG: 'LL', Kind.CHAR: 'u'}.get(kind, '') }"

    def operation(self, primitive: Primitive, operands: Sequence[str]) -> str:
        return OPERATIONS[primitive.name].format(*operands)

    def assign(self, target: str, value: str) -> str:
        return f"{target} = {value};"

    def label(self, label: str) -> str:
        return f"{label}:;"

    def goto(self, label: str) -> str:
        return f"goto {label};"

    def branch(self, condition: str, label: str) -> str:
        return f"if ({condition}) goto {label};"

    def negated(self, condition: str) -> str:
        return f"!{condition}"

    def equal(self, left: str, right: str) -> str:
        return f"{left} == {right}"

    def fail_if(self, condition: str, trap: Trap, line: int) -> list[str]:
        failing = f"fail(t, {TRAPS[trap]}, {self.number}, {line});"
        if not condition:
            return [failing, self.leave]
        return [f"if (unlikely({condition})) {{ {failing} {self.leave} }}"]

    def is_nil(self, object: str) -> str:
        return f"{object} == NULL"

    def is_outside(self, object: str, index: str) -> str:
        return f"(uint32_t){index} >= {object}->length"

    def length(self, object: str) -> str:
        return f"(int32_t){object}->length"

    def element(self, kind: Kind, object: str, index: str) -> str:
        return f"(({TYPES[kind]} *){object}->items)[{index}]"

    def call(self, target: str, name: str, arguments: Sequence[str], line: int) -> list[str]:
        call = f"{name}({', '.join(['t', *arguments])})"
        place = "" if self.hidden else f"note_place(t, {self.number}, {line}); "
        noting = f"{{ {place}{self.leave} }}"
        return [self.assign(target, call) if target else f"{call};", f"if (unlikely(t->trap)) {noting}"]

    def poll(self, line: int) -> list[str]:
        failing = f"{{ fail(t, {TRAPS[Trap.INTERRUPT]}, {self.number}, {line}); {self.leave} }}"
        return [f"if (unlikely(--t->patience < 0) && interrupted(t)) {failing}"]

    def return_(self, value: str) -> str:
        return f"return {value};" if value else "return;"

    def comment(self, text: str) -> str:
        return f"/* {text} */"


def floating_constant(kind: Kind, value: float) -> str:
    """A literal of exactly this value; Python writes as many digits as are needed."""
    if value != value:
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return f"{value!r}{'f' if kind is Kind.FLOAT else ''}"


def c_text(functions: Sequence[Function], shown: Container[FunctionRef] | None = None) -> str:
    """These functions, which call each other and nobody else, and an entry for each, behind the prelude.

    For people, only those `shown`."""
    names = identifiers([function.ref for function in functions])
    numbered = [
        (number, function)
        for number, function in enumerate(functions)
        if shown is None or function.ref in shown
    ]
    heads = [head(function.ref, names) for _, function in numbered]
    parts = ["/* The functions. */\n\n", *[f"{text};\n" for text in heads]]
    for (number, function), text in zip(numbered, heads, strict=True):
        parts.append(f"\n/* {function.ref.signature} */\n{text} {{\n")
        parts += [f"{line}\n" for line in body(function, number, names)]
        parts.append("}\n")
    parts.append("\n/* Their entries. */\n\n")
    parts += [entry(function.ref, names[function.ref]) for _, function in numbered]
    return "".join(parts)


def head(ref: FunctionRef, names: Mapping[FunctionRef, str]) -> str:
    parameters = [f"{spaced(kind)}r{number}" for number, kind in enumerate(ref.parameters)]
    return f"static {spaced(ref.result)}{names[ref]}({', '.join(['thread *t', *parameters])})"


def spaced(kind: Kind | None) -> str:
    type = TYPES[kind]
    return type if type.endswith("*") else f"{type} "


def body(function: Function, number: int, names: Mapping[FunctionRef, str]) -> list[str]:
    """Declarations, the check of the stack, statements."""
    language = C(number, function.ref.result, hidden=function.ref.hidden)
    lines = []
    for register, kind in enumerate(function.registers):
        if register >= len(function.ref.parameters):
            lines.append(f"  {spaced(kind)}r{register} = 0;")
    if calls_of(function):
        # Such a function is not active yet, so it notes no place.
        overflow = f"{{ t->trap = {TRAPS[Trap.STACK]}; {language.leave} }}"
        lines.append(f"  if (unlikely(is_too_deep(t, {frame_room(function)}))) {overflow}")
    return lines + FunctionText(function, language, names).statements()


def entry(ref: FunctionRef, name: str) -> str:
    """What the host calls: arguments come, and the result goes, as an array of values."""
    arguments = [f"v[{number}].as_{kind.value}" for number, kind in enumerate(ref.parameters)]
    call = f"{name}({', '.join(['t', *arguments])})"
    if ref.result is not None:
        call = f"v[0].as_{ref.result.value} = {call}"
    return (
        f"void {entry_name(name)}(thread *t, value *v) {{\n"
        "  t->limit = (char *)__builtin_frame_address(0) - t->stack;\n"
        f"  {call};\n"
        "}\n"
    )
