"""Text for the rows of the primitives: one maker of emitters for each family.

`ROWS` has an emitter for every row; a test asserts it, and runs each against the row's meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from doralang.bytecode import instructions as i
from doralang.code.symbols import NATIVE, Symbol
from doralang.optimizing.llvm.context import TYPES, FunctionLowering, floating
from doralang.optimizing.llvm.emitters import lowers
from doralang.types.arithmetic import DOUBLE_NAN, FLOAT_NAN
from doralang.types.kinds import BYTE, CHAR, DOUBLE, FLOAT, FLOATING, INT, KINDS, LONG, Kind
from doralang.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2, PRIMITIVES, ROUNDINGS
from doralang.types.traps import Trap

Values = Sequence[str]
Row = Callable[[FunctionLowering, Values], str]
"""operands to the value of the result"""

INTEGERS: Final = (INT, LONG)
BITS: Final = {INT: 32, LONG: 64}
SUFFIXES: Final = {FLOAT: "f32", DOUBLE: "f64"}
BINARY: Final = {
    "plus": "add",
    "minus": "sub",
    "times": "mul",
    "bitwiseOr": "or",
    "bitwiseAnd": "and",
    "bitwiseXor": "xor",
}
SHIFTS: Final = {"shiftLeft": "shl", "shiftRight": "ashr", "unsignedShiftRight": "lshr"}
FLOAT_BINARY: Final = {"plus": "fadd", "minus": "fsub", "times": "fmul", "div": "fdiv"}
SIGNED: Final = {
    "equals": "eq",
    "notEquals": "ne",
    "less": "slt",
    "lessEquals": "sle",
    "greater": "sgt",
    "greaterEquals": "sge",
}
UNSIGNED: Final = {
    name: code.replace("s", "u", 1) if code[0] == "s" else code for name, code in SIGNED.items()
}
ORDERED: Final = {
    "equals": "oeq",
    "notEquals": "une",
    "less": "olt",
    "lessEquals": "ole",
    "greater": "ogt",
    "greaterEquals": "oge",
}
"""with a NaN all are false but `notEquals`"""


def plain(operation: str, kind: Kind) -> Row:
    """`operation` of one type with two operands."""
    return lambda context, values: context.value(f"{operation} {TYPES[kind]} {values[0]}, {values[1]}")


def with_constant(text: str) -> Row:
    """One operand, for which `{}` stands."""
    return lambda context, values: context.value(text.format(values[0]))


def same(context: FunctionLowering, values: Values) -> str:
    return values[0]


def shift(operation: str, kind: Kind) -> Row:
    """The low bits of the distance count."""

    def emit(context: FunctionLowering, values: Values) -> str:
        type = TYPES[kind]
        distance = context.value(f"and {type} {values[1]}, {BITS[kind] - 1}")
        return context.value(f"{operation} {type} {values[0]}, {distance}")

    return emit


def division(kind: Kind, *, remainder: bool) -> Row:
    """By -1 the smallest integer would overflow: then the result is a negation, or no remainder."""

    def emit(context: FunctionLowering, values: Values) -> str:
        type, (left, right) = TYPES[kind], values
        context.trap_if(context.value(f"icmp eq {type} {right}, 0"), Trap.DIVISION)
        is_minus = context.value(f"icmp eq {type} {right}, -1")
        divisor = context.value(f"select i1 {is_minus}, {type} 1, {type} {right}")
        if remainder:
            return context.value(f"srem {type} {left}, {divisor}")
        quotient = context.value(f"sdiv {type} {left}, {divisor}")
        negated = context.value(f"sub {type} 0, {left}")
        return context.value(f"select i1 {is_minus}, {type} {negated}, {type} {quotient}")

    return emit


def comparison(name: str, kind: Kind) -> Row:
    if kind in FLOATING:
        operation = f"fcmp {ORDERED[name]}"
    else:
        operation = f"icmp {(SIGNED if kind in INTEGERS else UNSIGNED)[name]}"

    def emit(context: FunctionLowering, values: Values) -> str:
        bit = context.value(f"{operation} {TYPES[kind]} {values[0]}, {values[1]}")
        return context.value(f"zext i1 {bit} to i8")

    return emit


def difference(kind: Kind) -> Row:
    """`compareTo` of the integers; the difference of two `long`s is cut off."""

    def emit(context: FunctionLowering, values: Values) -> str:
        if kind is BYTE:
            values = [context.value(f"zext i8 {one} to i32") for one in values]
        if kind is LONG:
            whole = context.value(f"sub i64 {values[0]}, {values[1]}")
            return context.value(f"trunc i64 {whole} to i32")
        return context.value(f"sub i32 {values[0]}, {values[1]}")

    return emit


def sign(kind: Kind) -> Row:
    """`compareTo` of the floats."""

    def emit(context: FunctionLowering, values: Values) -> str:
        less, greater = (
            context.value(f"fcmp {test} {TYPES[kind]} {values[0]}, {values[1]}") for test in ("olt", "ogt")
        )
        less, greater = (context.value(f"zext i1 {bit} to i32") for bit in (less, greater))
        return context.value(f"sub i32 {greater}, {less}")

    return emit


def count_bits(intrinsic: str, kind: Kind, extra: str = "") -> Row:
    type = TYPES[kind]

    def emit(context: FunctionLowering, values: Values) -> str:
        context.declare(f"declare {type} @llvm.{intrinsic}.{type}({type}{', i1' if extra else ''})")
        count = context.value(f"call {type} @llvm.{intrinsic}.{type}({type} {values[0]}{extra})")
        return count if kind is INT else context.value(f"trunc i64 {count} to i32")

    return emit


# Floating point.


def intrinsic(name: str, kind: Kind) -> Row:
    """What processors have an instruction for."""
    type, full = TYPES[kind], f"@llvm.{name}.{SUFFIXES[kind]}"

    def emit(context: FunctionLowering, values: Values) -> str:
        context.declare(f"declare {type} {full}({type})")
        return context.value(f"call {type} {full}({type} {values[0]})")

    return emit


def truncation(kind: Kind, result: Kind) -> Row:
    """To an integer: NaN and what is out of range give the smallest one."""
    type, bits = TYPES[kind], BITS[result]
    limit = float(1 << bits - 1)
    is_exact = kind is DOUBLE and result is INT
    test, least = ("ogt", -limit - 1) if is_exact else ("oge", -limit)

    def emit(context: FunctionLowering, values: Values) -> str:
        low = context.value(f"fcmp {test} {type} {values[0]}, {floating(least)}")
        high = context.value(f"fcmp olt {type} {values[0]}, {floating(limit)}")
        fits = context.value(f"and i1 {low}, {high}")
        converted = context.value(f"fptosi {type} {values[0]} to i{bits}")
        frozen = context.value(f"freeze i{bits} {converted}")
        return context.value(f"select i1 {fits}, i{bits} {frozen}, i{bits} {-(1 << bits - 1)}")

    return emit


def is_nan(kind: Kind) -> Row:
    def emit(context: FunctionLowering, values: Values) -> str:
        bit = context.value(f"fcmp uno {TYPES[kind]} {values[0]}, {values[0]}")
        return context.value(f"zext i1 {bit} to i8")

    return emit


def is_infinite(context: FunctionLowering, values: Values) -> str:
    size = intrinsic("fabs", DOUBLE)(context, values)
    bit = context.value(f"fcmp oeq double {size}, 0x7FF0000000000000")
    return context.value(f"zext i1 {bit} to i8")


def to_bits(kind: Kind) -> Row:
    """The bits of the one NaN for all."""
    type, result, nan = (DOUBLE, "i64", DOUBLE_NAN) if kind is DOUBLE else (FLOAT, "i32", FLOAT_NAN)

    def emit(context: FunctionLowering, values: Values) -> str:
        bits = context.value(f"bitcast {TYPES[type]} {values[0]} to {result}")
        other = context.value(f"fcmp uno {TYPES[type]} {values[0]}, {values[0]}")
        return context.value(f"select i1 {other}, {result} {nan}, {result} {bits}")

    return emit


def multiply_high(context: FunctionLowering, values: Values) -> str:
    """Of the product of numbers without sign."""
    wide = [context.value(f"zext i64 {one} to i128") for one in values]
    product = context.value(f"mul i128 {wide[0]}, {wide[1]}")
    high = context.value(f"lshr i128 {product}, 64")
    return context.value(f"trunc i128 {high} to i64")


def library_call(name: str, kind: Kind) -> Row:
    """A function of the C library, which computes in doubles."""

    def emit(context: FunctionLowering, values: Values) -> str:
        if kind is FLOAT:
            values = [context.value(f"fpext float {one} to double") for one in values]
        function = context.code(Symbol(NATIVE, name), "double", ", ".join(["double"] * len(values)))
        arguments = ", ".join(f"double {one}" for one in values)
        result = context.value(f"call double {function}({arguments}) nounwind")
        return context.value(f"fptrunc double {result} to float") if kind is FLOAT else result

    return emit


# The table.


def integer_rows(kind: Kind) -> dict[str, Row]:
    type = TYPES[kind]
    rows = {name: plain(operation, kind) for name, operation in BINARY.items()}
    rows |= {name: shift(operation, kind) for name, operation in SHIFTS.items()}
    rows["div"], rows["mod"] = division(kind, remainder=False), division(kind, remainder=True)
    rows["unaryMinus"] = with_constant(f"sub {type} 0, {{}}")
    rows["not"] = with_constant(f"xor {type} {{}}, -1")
    rows["countOneBits"] = count_bits("ctpop", kind)
    rows["leadingZeros"] = count_bits("ctlz", kind, ", i1 false")
    rows["toByte"] = with_constant(f"trunc {type} {{}} to i8")
    rows["toDouble"] = with_constant(f"sitofp {type} {{}} to double")
    rows["toFloat"] = with_constant(f"sitofp {type} {{}} to float")
    rows["toCharUnchecked"] = same if kind is INT else with_constant("trunc i64 {} to i32")
    return rows


def floating_rows(kind: Kind) -> dict[str, Row]:
    rows = {name: plain(operation, kind) for name, operation in FLOAT_BINARY.items()}
    rows["mod"] = library_call("fmod", kind)
    rows["unaryMinus"] = with_constant(f"fneg {TYPES[kind]} {{}}")
    rows["sqrt"] = intrinsic("sqrt", kind)
    rows["isNan"] = is_nan(kind)
    rows["compareTo"] = sign(kind)
    rows["toInt"], rows["toLong"] = truncation(kind, INT), truncation(kind, LONG)
    return rows


def make_rows() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for kind in (*INTEGERS, *FLOATING):
        of_kind = integer_rows(kind) if kind in INTEGERS else floating_rows(kind)
        rows |= {f"{kind.value}.{name}": row for name, row in of_kind.items()}
        rows[f"{kind.value}.unaryPlus"] = same
    for kind in (BYTE, CHAR, *INTEGERS):
        rows[f"{kind.value}.compareTo"] = difference(kind)
    for kind in KINDS.values():
        for name in SIGNED:
            if f"{kind.value}.{name}" in PRIMITIVES:
                rows[f"{kind.value}.{name}"] = comparison(name, kind)
    rows |= {f"double.{name}": library_call(name, DOUBLE) for name in (*C_FUNCTIONS_1, *C_FUNCTIONS_2)}
    rows |= {f"double.{name}": intrinsic(name, DOUBLE) for name in ROUNDINGS}
    return rows | conversions()


def conversions() -> dict[str, Row]:
    return {
        "bool.not": with_constant("xor i8 {}, 1"),
        "bool.toInt": with_constant("zext i8 {} to i32"),
        "byte.toInt": with_constant("zext i8 {} to i32"),
        "byte.toLong": with_constant("zext i8 {} to i64"),
        "char.toInt": same,
        "char.toLong": with_constant("zext i32 {} to i64"),
        "int.toLong": with_constant("sext i32 {} to i64"),
        "long.toInt": with_constant("trunc i64 {} to i32"),
        "float.toDouble": with_constant("fpext float {} to double"),
        "double.toFloat": with_constant("fptrunc double {} to float"),
        "double.isInfinite": is_infinite,
        "doubleBits": to_bits(DOUBLE),
        "doubleFromBits": with_constant("bitcast i64 {} to double"),
        "floatBits": to_bits(FLOAT),
        "floatFromBits": with_constant("bitcast i32 {} to float"),
        "multiplyHigh": multiply_high,
    }


ROWS: Final = make_rows()


@lowers(i.Compute)
def compute(context: FunctionLowering, insn: i.Compute) -> None:
    values = [context.read(register) for register in insn.args]
    context.write(insn.dst, ROWS[insn.operation.name](context, values))
