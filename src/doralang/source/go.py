"""Go: how generated functions look, and the file that they stand in.

// square(int) -> int
func dora_square(t *thread, r0 int32) int32 {
    var r1 int32
    // line 1
    r1 = r0 * r0
    return r1
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

TYPES: Final[dict[Kind, str]] = {
    Kind.BOOL: "bool",
    Kind.BYTE: "uint8",
    Kind.CHAR: "uint32",
    Kind.INT: "int32",
    Kind.LONG: "int64",
    Kind.FLOAT: "float32",
    Kind.DOUBLE: "float64",
    Kind.REF: "*object",
}

SIZES: Final = {
    Kind.BOOL: 1,
    Kind.BYTE: 1,
    Kind.CHAR: 4,
    Kind.INT: 4,
    Kind.FLOAT: 4,
    Kind.LONG: 8,
    Kind.DOUBLE: 8,
}
SMALL_ROOM: Final = 1024
"""bytes of a frame that count as one active call"""
ZEROS: Final = {None: "", Kind.BOOL: " false", Kind.REF: " nil"}

COMPARISONS: Final = {
    "equals": "{0} == {1}",
    "notEquals": "{0} != {1}",
    "less": "{0} < {1}",
    "lessEquals": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greaterEquals": "{0} >= {1}",
}


def integer_operations(bits: int) -> dict[str, str]:
    """Arithmetic of `int` and `long`, which wraps."""
    count = f"(uint{bits}({{1}}) & {bits - 1})"
    return {
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "times": "{0} * {1}",
        "div": "{0} / {1}",
        "mod": "{0} % {1}",
        "bitwiseOr": "{0} | {1}",
        "bitwiseAnd": "{0} & {1}",
        "bitwiseXor": "{0} ^ {1}",
        "shiftLeft": f"{{0}} << {count}",
        "shiftRight": f"{{0}} >> {count}",
        "unsignedShiftRight": f"int{bits}(uint{bits}({{0}}) >> {count})",
        "unaryPlus": "{0}",
        "unaryMinus": "-{0}",
        "not": "^{0}",
        "countOneBits": f"int32(bits.OnesCount{bits}(uint{bits}({{0}})))",
        "leadingZeros": f"int32(bits.LeadingZeros{bits}(uint{bits}({{0}})))",
        "toByte": "uint8({0})",
        "toDouble": "float64({0})",
        "toFloat": "float32({0})",
        "toCharUnchecked": "uint32({0})",
        "compareTo": "int32({0} - {1})",
    }


def floating_operations(type: str) -> dict[str, str]:
    """Arithmetic of `float` and `double`."""
    return {
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "times": f"{type}({{0}} * {{1}})",
        "div": "{0} / {1}",
        "mod": f"{type}(C.fmod(C.double({{0}}), C.double({{1}})))",
        "unaryPlus": "{0}",
        "unaryMinus": "-{0}",
        "sqrt": f"{type}(math.Sqrt(float64({{0}})))",
        "isNan": "{0} != {0}",
        "toInt": "truncateInt(float64({0}))",
        "toLong": "truncateLong(float64({0}))",
        "compareTo": "compareDouble(float64({0}), float64({1}))",
    }


OPERATIONS: Final[dict[str, str]] = {
    **{f"int.{row}": text for row, text in integer_operations(32).items()},
    **{f"long.{row}": text for row, text in integer_operations(64).items()},
    **{f"float.{row}": text for row, text in floating_operations("float32").items()},
    **{f"double.{row}": text for row, text in floating_operations("float64").items()},
    **{f"{kind.value}.{row}": text for kind in KINDS.values() for row, text in COMPARISONS.items()},
    **{f"double.{one}": f"float64(C.{one}(C.double({{0}})))" for one in C_FUNCTIONS_1},
    **{f"double.{one}": f"float64(C.{one}(C.double({{0}}), C.double({{1}})))" for one in C_FUNCTIONS_2},
    "byte.compareTo": "int32({0}) - int32({1})",
    "char.compareTo": "int32({0} - {1})",
    "bool.not": "!{0}",
    "bool.toInt": "intOfBool({0})",
    "byte.toInt": "int32({0})",
    "byte.toLong": "int64({0})",
    "char.toInt": "int32({0})",
    "char.toLong": "int64({0})",
    "int.toLong": "int64({0})",
    "long.toInt": "int32({0})",
    "float.toDouble": "float64({0})",
    "double.toFloat": "float32({0})",
    "double.isInfinite": "math.IsInf({0}, 0)",
    "doubleBits": "doubleBits({0})",
    "doubleFromBits": "math.Float64frombits(uint64({0}))",
    "floatBits": "floatBits({0})",
    "floatFromBits": "math.Float32frombits(uint32({0}))",
    "multiplyHigh": "multiplyHigh({0}, {1})",
}
"""by row: the expression, with the operands' names in place of the numbers"""


class Go:
    """Go as a `Language`, for the function of this number and result."""

    indent = "\t"

    def __init__(self, number: int, result: Kind | None, room: int = 0, *, hidden: bool = False) -> None:
        self.number = number
        self.hidden = hidden
        self.weight = 1 + room // SMALL_ROOM
        self.leave = f"return{ZEROS.get(result, ' 0')}"

    def constant(self, kind: Kind, value: Value) -> str:
        if kind in (Kind.FLOAT, Kind.DOUBLE):
            return floating_constant(kind, 0.0 if value is None else float(value))
        if kind is Kind.REF:
            return "nil"
        if kind is Kind.BOOL:
            return "true" if value else "false"
        return str(int(value or 0))

    def operation(self, primitive: Primitive, operands: Sequence[str]) -> str:
        return OPERATIONS[primitive.name].format(*operands)

    def assign(self, target: str, value: str) -> str:
        return f"{target} = {value}"

    def label(self, label: str) -> str:
        return f"{label}:"

    def goto(self, label: str) -> str:
        return f"goto {label}"

    def branch(self, condition: str, label: str) -> str:
        return f"if {condition} {{ goto {label} }}"

    def negated(self, condition: str) -> str:
        return f"!{condition}"

    def equal(self, left: str, right: str) -> str:
        return f"{left} == {right}"

    def fail_if(self, condition: str, trap: Trap, line: int) -> list[str]:
        failing = f"fail(t, {TRAPS[trap]}, {self.number}, {line})"
        if not condition:
            return [failing, self.leave]
        return [f"if {condition} {{ {failing}; {self.leave} }}"]

    def is_nil(self, object: str) -> str:
        return f"{object} == nil"

    def is_outside(self, object: str, index: str) -> str:
        return f"int64(uint32({index})) >= {object}.length"

    def length(self, object: str) -> str:
        return f"int32({object}.length)"

    def element(self, kind: Kind, object: str, index: str) -> str:
        return f"*(*{TYPES[kind]})(unsafe.Add({object}.items, {SIZES[kind]}*int({index})))"

    def call(self, target: str, name: str, arguments: Sequence[str], line: int) -> list[str]:
        call = f"{name}({', '.join(['t', *arguments])})"
        place = "" if self.hidden else f"notePlace(t, {self.number}, {line}); "
        noting = f"{{ {place}{self.leave} }}"
        return [
            f"t.active += {self.weight}",
            self.assign(target, call) if target else call,
            f"t.active -= {self.weight}",
            f"if t.trap != 0 {noting}",
        ]

    def poll(self, line: int) -> list[str]:
        failing = f"fail(t, {TRAPS[Trap.INTERRUPT]}, {self.number}, {line})"
        return ["t.patience--", f"if t.patience < 0 && interrupted(t) {{ {failing}; {self.leave} }}"]

    def return_(self, value: str) -> str:
        return f"return {value}".rstrip()

    def comment(self, text: str) -> str:
        return f"// {text}"


def floating_constant(kind: Kind, value: float) -> str:
    """A value of exactly these bits; Go's literals know neither infinities nor a negative zero."""
    text = repr(value)
    if value != value:
        text = "math.NaN()"
    elif math.isinf(value):
        text = f"math.Inf({'1' if value > 0 else '-1'})"
    elif value == 0 and math.copysign(1, value) < 0:
        text = "math.Copysign(0, -1)"
    return f"float32({text})" if kind is Kind.FLOAT else text


def go_text(functions: Sequence[Function], shown: Container[FunctionRef] | None = None) -> str:
    """These functions, which call each other and nobody else, and an entry for each, behind the prelude.

    For people, only those `shown`."""
    names = identifiers([function.ref for function in functions])
    numbered = [
        (number, function)
        for number, function in enumerate(functions)
        if shown is None or function.ref in shown
    ]
    parts = ["// The functions.\n"]
    for number, function in numbered:
        parts.append(f"\n// {function.ref.signature}\n{head(function.ref, names)} {{\n")
        parts += [f"{line}\n" for line in body(function, number, names)]
        parts.append("}\n")
    parts.append("\n// Their entries.\n")
    parts += [entry(function.ref, names[function.ref]) for _, function in numbered]
    return "".join(parts)


def head(ref: FunctionRef, names: Mapping[FunctionRef, str]) -> str:
    parameters = [f"r{number} {TYPES[kind]}" for number, kind in enumerate(ref.parameters)]
    result = "" if ref.result is None else f" {TYPES[ref.result]}"
    return f"func {names[ref]}({', '.join(['t *thread', *parameters])}){result}"


def body(function: Function, number: int, names: Mapping[FunctionRef, str]) -> list[str]:
    """Declarations (Go wants each variable to be used), the check of the depth, statements."""
    language = Go(number, function.ref.result, frame_room(function), hidden=function.ref.hidden)
    lines = []
    for register, kind in enumerate(function.registers):
        if register >= len(function.ref.parameters):
            lines += [f"\tvar r{register} {TYPES[kind]}", f"\t_ = r{register}"]
    if calls_of(function):
        # Such a function is not active yet, so it notes no place.
        lines.append(f"\tif t.active > mostActive {{ t.trap = {TRAPS[Trap.STACK]}; {language.leave} }}")
    return lines + FunctionText(function, language, names).statements()


def entry(ref: FunctionRef, name: str) -> str:
    """What the host calls: arguments come, and the result goes, as an array of values."""
    arguments = [f"*(*{TYPES[kind]})(slot(v, {number}))" for number, kind in enumerate(ref.parameters)]
    call = f"{name}({', '.join(['t', *arguments])})"
    if ref.result is not None:
        call = f"*(*{TYPES[ref.result]})(slot(v, 0)) = {call}"
    return (
        f"\n//export {entry_name(name)}\n"
        f"func {entry_name(name)}(p unsafe.Pointer, v unsafe.Pointer) {{\n"
        "\tt := (*thread)(p)\n"
        "\tt.active = 0\n"
        f"\t{call}\n"
        "}\n"
    )
