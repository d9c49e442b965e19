"""The macro assembler computes what the primitive operations mean, on every processor, in every choice of registers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import pytest
from native_program import FLOATS, SLOT, Program, assembler, choose

from doralang.machine.macro import (
    AnyRegister,
    BinaryOperation,
    Condition,
    FloatBinary,
    FloatCondition,
    MacroAssembler,
    Rounding,
)
from doralang.machine.targets import TARGETS
from doralang.types.arithmetic import round_float
from doralang.types.kinds import Kind
from doralang.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2, PRIMITIVES, Primitive

BOOL, BYTE, CHAR, INT = Kind.BOOL, Kind.BYTE, Kind.CHAR, Kind.INT
LONG, FLOAT, DOUBLE = Kind.LONG, Kind.FLOAT, Kind.DOUBLE


@pytest.fixture(params=sorted(TARGETS), autouse=True)
def target(request: pytest.FixtureRequest) -> None:
    """Every test is run for every processor."""
    choose(request.param)


Emit = Callable[..., None]
"""(assembler, target, operand, ...)"""

BINARY = {
    "plus": BinaryOperation.ADD,
    "minus": BinaryOperation.SUB,
    "times": BinaryOperation.MUL,
    "bitwiseOr": BinaryOperation.OR,
    "bitwiseAnd": BinaryOperation.AND,
    "bitwiseXor": BinaryOperation.XOR,
    "shiftLeft": BinaryOperation.SHIFT_LEFT,
    "shiftRight": BinaryOperation.SHIFT_RIGHT,
    "unsignedShiftRight": BinaryOperation.UNSIGNED_SHIFT_RIGHT,
}
FLOAT_BINARY = {
    "plus": FloatBinary.ADD,
    "minus": FloatBinary.SUB,
    "times": FloatBinary.MUL,
    "div": FloatBinary.DIV,
}
SIGNED = {
    "equals": Condition.EQUAL,
    "notEquals": Condition.NOT_EQUAL,
    "less": Condition.LESS,
    "lessEquals": Condition.LESS_EQUAL,
    "greater": Condition.GREATER,
    "greaterEquals": Condition.GREATER_EQUAL,
}
UNSIGNED = {
    **SIGNED,
    "less": Condition.BELOW,
    "lessEquals": Condition.BELOW_EQUAL,
    "greater": Condition.ABOVE,
    "greaterEquals": Condition.ABOVE_EQUAL,
}
FLOAT_COMPARE = {name: FloatCondition[condition.name] for name, condition in SIGNED.items()}
CONVERSIONS = {
    "toByte": BYTE,
    "toInt": INT,
    "toLong": LONG,
    "toFloat": FLOAT,
    "toDouble": DOUBLE,
    "toCharUnchecked": CHAR,
}
ELSEWHERE = {
    *(f"double.{name}" for name in (*C_FUNCTIONS_1, *C_FUNCTIONS_2)),
    *(f"{kind}.mod" for kind in ("float", "double")),
    # A difference, narrowed: composed by the compiler.
    *(f"{kind}.compareTo" for kind in ("byte", "char", "int", "long")),
    "double.isInfinite",
}
"""Calls of the C library, and what is composed of several operations."""


def emitter(row: Primitive) -> Emit | None:
    """How a primitive operation is emitted."""
    kind, name = row.operands[0], row.name.partition(".")[2]
    if name in CONVERSIONS:
        return lambda m, target, source: m.convert(kind, row.result, target, source)
    if name == "unaryPlus":
        return lambda m, target, source: m.move(kind, target, source)
    if kind in FLOATS:
        return float_emitter(row, kind, name)
    if name in SIGNED:
        condition = (SIGNED if kind in (INT, LONG) else UNSIGNED)[name]
        return lambda m, target, left, right: m.compare(kind, condition, target, left, right)
    if name in BINARY:
        return lambda m, *registers: m.binary(BINARY[name], kind, *registers)
    others: dict[str, Emit] = {
        "div": lambda m, *registers: m.divide(kind, *registers),
        "mod": lambda m, *registers: m.remainder(kind, *registers),
        "unaryMinus": lambda m, *registers: m.negate(kind, *registers),
        "not": lambda m, *registers: m.complement(kind, *registers),
        "countOneBits": lambda m, *registers: m.count_one_bits(kind, *registers),
        "leadingZeros": lambda m, *registers: m.leading_zeros(kind, *registers),
    }
    bits: dict[str, Emit] = {
        "doubleFromBits": lambda m, *registers: m.float_from_bits(DOUBLE, *registers),
        "floatFromBits": lambda m, *registers: m.float_from_bits(FLOAT, *registers),
        "multiplyHigh": lambda m, *registers: m.multiply_high(*registers),
    }
    return others.get(name) or bits.get(row.name)


def float_emitter(row: Primitive, kind: Kind, name: str) -> Emit | None:
    if name in FLOAT_BINARY:
        return lambda m, *registers: m.float_binary(FLOAT_BINARY[name], kind, *registers)
    if name in FLOAT_COMPARE:
        return lambda m, *registers: m.float_compare(kind, FLOAT_COMPARE[name], *registers)
    others: dict[str, Emit] = {
        "unaryMinus": lambda m, *registers: m.float_negate(kind, *registers),
        "sqrt": lambda m, *registers: m.float_square_root(kind, *registers),
        "isNan": lambda m, target, a: m.float_compare(kind, FloatCondition.NOT_EQUAL, target, a, a),
        "compareTo": lambda m, *registers: m.float_compare_sign(kind, *registers),
    }
    bits: dict[str, Emit] = {
        "doubleBits": lambda m, *registers: m.float_bits(DOUBLE, *registers),
        "floatBits": lambda m, *registers: m.float_bits(FLOAT, *registers),
    }
    return others.get(name) or bits.get(row.name)


# ---- Values ----

EDGES_INT = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -7,
    10,
    31,
    32,
    33,
    63,
    64,
    127,
    128,
    255,
    256,
    2**31 - 1,
    -(2**31),
    1 - 2**31,
]
EDGES_LONG = [
    *EDGES_INT,
    2**31,
    2**32,
    -(2**32) - 1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    1 - 2**63,
    2**62 + 2**38 + 1,
]
EDGES_FLOAT = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, -2.5, 3.0, 1e10, -1e10, 1e-40, 16777217.0, 2.0**31, -(2.0**31)]
EDGES_FLOAT += [2.0**63, -(2.0**63), 2.0**64, math.inf, -math.inf, math.nan]
EDGES_DOUBLE = [
    *EDGES_FLOAT,
    2.0**31 - 0.5,
    -(2.0**31) - 0.5,
    -(2.0**31) - 1,
    1e308,
    -1e308,
    5e-324,
    0.1,
    1e39,
]
EDGES: dict[Kind, list[int] | list[float]] = {
    BOOL: [0, 1],
    BYTE: [0, 1, 127, 128, 255],
    CHAR: [0, 65, 0x10FFFF],
    INT: EDGES_INT,
    LONG: EDGES_LONG,
    FLOAT: [round_float(value) for value in EDGES_FLOAT],
    DOUBLE: EDGES_DOUBLE,
}


def random_value(kind: Kind, source: random.Random) -> int | float:
    if kind in (INT, LONG):
        bits = source.randrange(1, 32 if kind is INT else 64)
        return source.randrange(-(1 << bits), 1 << bits)
    if kind in FLOATS:
        value = source.uniform(-1, 1) * 2.0 ** source.randrange(-70, 70)
        return round_float(value) if kind is FLOAT else value
    return source.choice(EDGES[kind])


def value_tuples(row: Primitive, some: int) -> list[tuple[int | float, ...]]:
    """All edges for the first choice of registers, a few for the others; no division by zero."""
    source = random.Random(row.name + str(some))
    every = list(product(*(EDGES[kind] for kind in row.operands)))
    chosen = every if not some else source.sample(every, min(some, len(every)))
    rounds = 100 if not some else 4
    chosen += [tuple(random_value(kind, source) for kind in row.operands) for _ in range(rounds)]
    return [values for values in chosen if row.trap is None or values[-1] != 0]


def register_choices(masm: MacroAssembler, kinds: tuple[Kind, ...]) -> Iterator[tuple[AnyRegister, ...]]:
    """Different registers first; then every choice from a few, those with a special use among them."""
    integers = (*masm.temporaries[:4], masm.callee_saved[0])
    floats = masm.float_temporaries[:3]
    first = []
    for index, kind in enumerate(kinds):
        first.append(floats[index] if kind in FLOATS else integers[index])
    yield tuple(first)
    yield from product(*(floats if kind in FLOATS else integers for kind in kinds))


def same(left: int | float, right: int | float) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return (
            left == right
            and math.copysign(1, left) == math.copysign(1, right)
            or (left != left and right != right)
        )
    return type(left) is not float and type(right) is not float and int(left) == int(right)


@pytest.mark.parametrize("row", [row for name, row in PRIMITIVES.items() if name not in ELSEWHERE], ids=str)
def test_primitive(row: Primitive) -> None:
    emit = emitter(row)
    assert emit, f"nothing emits {row.name}"
    some = 0
    for target, *operands in register_choices(assembler(), (row.result, *row.operands)):
        program = Program(partial(call, emit, (target, *operands)))
        for values in value_tuples(row, some):
            inputs = dict(zip(zip(row.operands, operands, strict=True), values, strict=True))
            given = tuple(inputs[kind, operand] for kind, operand in zip(row.operands, operands, strict=True))
            if row.trap and given[-1] == 0:
                continue
            result, meant = program.value(row.result, target, inputs), row.meaning(*given)
            assert same(result, meant), f"{row.name}{given} in {operands} -> {target}: {result}, not {meant}"
        program.free()
        some = 3


def call(emit: Emit, registers: tuple[AnyRegister, ...], masm: MacroAssembler) -> None:
    emit(masm, *registers)


def test_nothing_is_left_out() -> None:
    assert PRIMITIVES.keys() >= ELSEWHERE
    assert all(emitter(row) for name, row in PRIMITIVES.items() if name not in ELSEWHERE)


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_second_operand_as_a_constant(name: str, kind: Kind) -> None:
    row = PRIMITIVES[f"{kind.value}.{name}"]
    masm = assembler()
    choices = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 3))
    for constant, choice in product(EDGES[kind], choices):
        target, left = (masm.temporaries[index] for index in choice)
        program = Program(lambda m: m.binary_immediate(BINARY[name], kind, target, left, constant))  # noqa: B023
        for value in EDGES[kind]:
            meant = row.meaning(value, constant)
            assert program.value(kind, target, {(kind, left): value}) == meant, (value, constant)
        program.free()


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("name", ["plus", "minus", "times", "bitwiseOr", "bitwiseAnd", "bitwiseXor"])
def test_second_operand_in_memory(name: str, kind: Kind) -> None:
    row = PRIMITIVES[f"{kind.value}.{name}"]
    masm = assembler()
    a, b, c = masm.temporaries[:3]

    def emit(base_is_target: bool, target: int, left: int, m: MacroAssembler) -> None:
        m.store(kind, c, m.frame_pointer, SLOT)
        base = m.frame_pointer
        if base_is_target:
            m.move(LONG, target, m.frame_pointer)
            base = target
        m.binary_memory(BINARY[name], kind, target, left, base, SLOT)

    for target, left, base_is_target in ((a, a, False), (b, a, False), (b, a, True)):
        program = Program(partial(emit, base_is_target, target, left))
        for x, y in product(EDGES[kind], EDGES[kind]):
            assert program.value(kind, target, {(kind, left): x, (kind, c): y}) == row.meaning(x, y)
        program.free()


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize("name", FLOAT_BINARY)
def test_second_float_in_memory(name: str, kind: Kind) -> None:
    row = PRIMITIVES[f"{kind.value}.{name}"]
    a, b, c = assembler().float_temporaries[:3]

    def emit(target: int, m: MacroAssembler) -> None:
        m.store(kind, c, m.frame_pointer, SLOT)
        m.float_binary_memory(FLOAT_BINARY[name], kind, target, a, m.frame_pointer, SLOT)

    for target in (a, b):
        program = Program(partial(emit, target))
        for x, y in product(EDGES[kind], EDGES[kind]):
            assert same(program.value(kind, target, {(kind, a): x, (kind, c): y}), row.meaning(x, y))
        program.free()


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize(
    ("rounding", "meaning"),
    [(Rounding.DOWN, math.floor), (Rounding.UP, math.ceil), (Rounding.TOWARDS_ZERO, math.trunc)],
)
def test_rounding_to_whole_numbers(rounding: Rounding, meaning: Callable[[float], int], kind: Kind) -> None:
    a, b = assembler().float_temporaries[:2]
    program = Program(lambda m: m.float_round(rounding, kind, a, b))
    for value in (*EDGES[kind], 0.5, -0.5, 1.25, -1.25, 4194303.5):
        meant = value if value - value != 0 else math.copysign(float(meaning(value)), value)
        assert same(program.value(kind, a, {(kind, b): value}), meant)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_absolute_values(kind: Kind) -> None:
    a, b = assembler().float_temporaries[:2]
    for target in (a, b):
        program = Program(lambda m: m.float_absolute(kind, target, a))  # noqa: B023
        for value in EDGES[kind]:
            assert same(program.value(kind, target, {(kind, a): value}), abs(value))


INTEGERS = (BOOL, BYTE, CHAR, INT, LONG)
BITS = {BYTE: 8, CHAR: 32, INT: 32, LONG: 64}


@pytest.mark.parametrize("target_kind", BITS, ids=str)
@pytest.mark.parametrize("source_kind", INTEGERS, ids=str)
def test_conversions_between_integers(source_kind: Kind, target_kind: Kind) -> None:
    a, b = assembler().temporaries[:2]
    for target in (a, b):
        program = Program(lambda m: m.convert(source_kind, target_kind, target, a))  # noqa: B023
        for value in EDGES[source_kind]:
            meant = int(value) & (1 << BITS[target_kind]) - 1
            if target_kind in (INT, LONG) and meant >> BITS[target_kind] - 1:
                meant -= 1 << BITS[target_kind]
            assert program.value(target_kind, target, {(source_kind, a): value}) == meant
