"""Code for the rows of the primitives: one maker of emitters for each family.

`EMITTERS` has an emitter for every row; a test asserts it, and runs each against the row's meaning.
`COMPARISONS` are those that can become a compare-and-branch.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.baseline.context import FunctionCompilation
from doralang.baseline.emitters import emits
from doralang.bytecode.instructions import BranchIf, BranchUnless, Compute, Instruction
from doralang.bytecode.instructions import Register as Virtual
from doralang.code.symbols import NATIVE, Symbol
from doralang.machine.buffer import Label
from doralang.machine.macro import (
    SWAPPED,
    BinaryOperation,
    Condition,
    FloatBinary,
    FloatCondition,
    Rounding,
    float_negated,
    negated,
)
from doralang.text.records import record
from doralang.types.arithmetic import DOUBLE_NAN, FLOAT_NAN
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, FLOATING, INT, KINDS, LONG, Kind
from doralang.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2, PRIMITIVES
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Emitter = Callable[[FunctionCompilation, Compute], None]

INTEGERS: Final = (INT, LONG)


# Integers.


def integer_binary(operation: BinaryOperation, kind: Kind, *, commutes: bool) -> Emitter:
    shift = operation >= BinaryOperation.SHIFT_LEFT

    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm, work = context.frame, context.masm, context.work
        where, constants = frame.where, frame.constants
        left, right = insn.args
        if commutes and left in constants and right not in constants:
            left, right = right, left
        first = where[left] or frame.read(left, work[0])
        target = frame.target(insn.dst, work[0])
        if right in constants:
            value = constants[right]
            assert isinstance(value, int)
            masm.binary_immediate(operation, kind, target, first, value)
        elif frame.homes[right] is None and not shift:
            slot = frame.slot(right)
            masm.binary_memory(operation, kind, target, first, masm.frame_pointer, slot)
        else:
            second = where[right] or frame.read(right, work[1])
            masm.binary(operation, kind, target, first, second)
        if where[insn.dst] != target:
            frame.written(insn.dst, target)

    return emit


def division(kind: Kind, *, remainder: bool) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm, work = context.frame, context.masm, context.work
        divisor = insn.args[1]
        known = frame.constants.get(divisor)
        left = frame.read(insn.args[0], work[0])
        right = frame.read(divisor, work[1])
        if not known:
            masm.branch_immediate(kind, Condition.EQUAL, right, 0, context.trap(Trap.DIVISION))
        target = frame.target(insn.dst, work[2] if remainder else work[0])
        operate = masm.remainder if remainder else masm.divide
        operate(kind, target, left, right)
        frame.written(insn.dst, target)

    return emit


def integer_unary(name: str, kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        source = context.frame.read(insn.args[0], context.work[0])
        target = context.frame.target(insn.dst, context.work[0])
        getattr(context.masm, name)(kind, target, source)
        context.frame.written(insn.dst, target)

    return emit


def multiply_high(context: FunctionCompilation, insn: Compute) -> None:
    frame, work = context.frame, context.work
    left, right = frame.read(insn.args[0], work[0]), frame.read(insn.args[1], work[1])
    target = frame.target(insn.dst, work[0])
    context.masm.multiply_high(target, left, right)
    frame.written(insn.dst, target)


def difference(kind: Kind) -> Emitter:
    """`compareTo` of the integers; the difference of two `long`s is cut off."""

    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm, work = context.frame, context.masm, context.work
        left, right = frame.read(insn.args[0], work[0]), frame.read(insn.args[1], work[1])
        masm.binary(BinaryOperation.SUB, kind, work[0], left, right)
        if kind is LONG:
            masm.convert(LONG, INT, work[0], work[0])
        frame.written(insn.dst, work[0])

    return emit


# Floating point.


def float_binary(operation: FloatBinary, kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm, work = context.frame, context.masm, context.float_work
        left, right = insn.args
        first = frame.where[left] or frame.read(left, work[0])
        target = frame.target(insn.dst, work[0])
        if right not in frame.constants and frame.homes[right] is None:
            slot = frame.slot(right)
            masm.float_binary_memory(operation, kind, target, first, masm.frame_pointer, slot)
        else:
            second = frame.read(right, work[1])
            masm.float_binary(operation, kind, target, first, second)
        if frame.where[insn.dst] != target:
            frame.written(insn.dst, target)

    return emit


def float_unary(name: str, kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        source = context.frame.read(insn.args[0], context.float_work[0])
        target = context.frame.target(insn.dst, context.float_work[0])
        getattr(context.masm, name)(kind, target, source)
        context.frame.written(insn.dst, target)

    return emit


def rounding(direction: Rounding) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        source = context.frame.read(insn.args[0], context.float_work[0])
        target = context.frame.target(insn.dst, context.float_work[0])
        context.masm.float_round(direction, DOUBLE, target, source)
        context.frame.written(insn.dst, target)

    return emit


def float_sign(kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, work = context.frame, context.float_work
        left, right = frame.read(insn.args[0], work[0]), frame.read(insn.args[1], work[1])
        context.masm.float_compare_sign(kind, context.work[0], left, right)
        frame.written(insn.dst, context.work[0])

    return emit


def is_infinite(context: FunctionCompilation, insn: Compute) -> None:
    """All exponent bits set and no other: the sign is shifted out."""
    masm, work = context.masm, context.work[0]
    source = context.frame.read(insn.args[0], context.float_work[0])
    masm.float_bits(DOUBLE, work, source)
    masm.binary_immediate(BinaryOperation.SHIFT_LEFT, LONG, work, work, 1)
    masm.compare_immediate(LONG, Condition.EQUAL, work, work, 0x7FF << 53)
    context.frame.written(insn.dst, work)


def is_nan(kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        source = context.frame.read(insn.args[0], context.float_work[0])
        work = context.work[0]
        context.masm.float_compare(kind, FloatCondition.NOT_EQUAL, work, source, source)
        context.frame.written(insn.dst, work)

    return emit


def to_bits(kind: Kind) -> Emitter:
    """The bits of the one NaN for all."""
    result, nan = (LONG, DOUBLE_NAN) if kind is DOUBLE else (INT, FLOAT_NAN)

    def emit(context: FunctionCompilation, insn: Compute) -> None:
        masm, work = context.masm, context.work[0]
        source = context.frame.read(insn.args[0], context.float_work[0])
        number = masm.label()
        masm.float_bits(kind, work, source)
        masm.float_branch(kind, FloatCondition.EQUAL, source, source, number)
        masm.load_constant(result, work, nan)
        masm.bind(number)
        context.frame.written(insn.dst, work)

    return emit


def from_bits(kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        source = context.frame.read(insn.args[0], context.work[0])
        context.masm.float_from_bits(kind, context.float_work[0], source)
        context.frame.written(insn.dst, context.float_work[0])

    return emit


def library_call(symbol: str, kind: Kind) -> Emitter:
    """A function of the C library, which computes in doubles."""

    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm = context.frame, context.masm
        saved = frame.save(context.index)
        arguments, _ = masm.call_layout([DOUBLE] * len(insn.args))
        targets = [argument.register for argument in arguments]
        for register, work in zip(insn.args, context.float_work, strict=False):
            frame.read_into(register, work)
        for target, work in zip(targets, context.float_work, strict=False):
            assert target is not None
            if kind is FLOAT:
                masm.convert(FLOAT, DOUBLE, target, work)
            else:
                masm.move(DOUBLE, target, work)
        masm.call_symbol(Symbol(NATIVE, symbol))
        result = masm.float_result
        if kind is FLOAT:
            masm.convert(DOUBLE, FLOAT, result, result)
        frame.restore(saved)
        frame.written(insn.dst, result)

    return emit


# Conversions.


def conversion(source: Kind, target: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm = context.frame, context.masm
        work_in = context.float_work[0] if source in FLOATING else context.work[0]
        work_out = context.float_work[0] if target in FLOATING else context.work[0]
        value = frame.read(insn.args[0], work_in)
        place = frame.target(insn.dst, work_out)
        if source is target:
            masm.move(source, place, value)
        else:
            masm.convert(source, target, place, value)
        frame.written(insn.dst, place)

    return emit


def copy(context: FunctionCompilation, insn: Compute) -> None:
    """The value as it is: `unaryPlus`, and conversions between kinds of 32 bits."""
    frame = context.frame
    kind = frame.kinds[insn.dst]
    work = context.float_work[0] if kind in FLOATING else context.work[0]
    frame.written(insn.dst, frame.read(insn.args[0], work))


# Comparisons.

CONDITIONS: Final = {
    "equals": Condition.EQUAL,
    "notEquals": Condition.NOT_EQUAL,
    "less": Condition.LESS,
    "lessEquals": Condition.LESS_EQUAL,
    "greater": Condition.GREATER,
    "greaterEquals": Condition.GREATER_EQUAL,
}
UNSIGNED: Final = {
    Condition.LESS: Condition.BELOW,
    Condition.LESS_EQUAL: Condition.BELOW_EQUAL,
    Condition.GREATER: Condition.ABOVE,
    Condition.GREATER_EQUAL: Condition.ABOVE_EQUAL,
}
FLOAT_CONDITIONS: Final = {
    "equals": FloatCondition.EQUAL,
    "notEquals": FloatCondition.NOT_EQUAL,
    "less": FloatCondition.LESS,
    "lessEquals": FloatCondition.LESS_EQUAL,
    "greater": FloatCondition.GREATER,
    "greaterEquals": FloatCondition.GREATER_EQUAL,
}


def condition_of(name: str, kind: Kind) -> Condition:
    condition = CONDITIONS[name]
    return UNSIGNED.get(condition, condition) if kind in (BYTE, CHAR, BOOL) else condition


@record(eq=True, frozen=True)
class Comparison:
    """A row that compares; `condition` is for integers."""

    kind: Kind
    name: str
    condition: Condition


def ordered(
    context: FunctionCompilation, insn: Compute, condition: Condition
) -> tuple[Virtual, Virtual, Condition]:
    """The operands with a constant on the right, if there is one."""
    left, right = insn.args
    constants = context.frame.constants
    if left in constants and right not in constants:
        return right, left, SWAPPED[condition]
    return left, right, condition


def integer_comparison(name: str, kind: Kind) -> Emitter:
    wanted = condition_of(name, kind)

    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, masm, work = context.frame, context.masm, context.work
        left, right, condition = ordered(context, insn, wanted)
        first = frame.read(left, work[0])
        target = frame.target(insn.dst, work[2])
        if right in frame.constants:
            value = frame.constants[right]
            masm.compare_immediate(kind, condition, target, first, int(value or 0))
        else:
            second = frame.read(right, work[1])
            masm.compare(kind, condition, target, first, second)
        frame.written(insn.dst, target)

    return emit


def float_comparison(name: str, kind: Kind) -> Emitter:
    def emit(context: FunctionCompilation, insn: Compute) -> None:
        frame, work = context.frame, context.float_work
        left, right = frame.read(insn.args[0], work[0]), frame.read(insn.args[1], work[1])
        target = frame.target(insn.dst, context.work[0])
        context.masm.float_compare(kind, FLOAT_CONDITIONS[name], target, left, right)
        frame.written(insn.dst, target)

    return emit


def branch_on(context: FunctionCompilation, insn: Instruction, branch: Instruction) -> None:
    """A comparison and the branch on it in one; the comparison's own result is not made."""
    assert isinstance(insn, Compute) and isinstance(branch, (BranchIf, BranchUnless))
    comparison = COMPARISONS[insn.operation.name]
    emit = float_branch if comparison.kind in FLOATING else integer_branch
    emit(context, insn, comparison, context.labels[branch.target], type(branch) is BranchIf)


def float_branch(
    context: FunctionCompilation, insn: Compute, comparison: Comparison, label: Label, sense: bool
) -> None:
    frame, work, test = context.frame, context.float_work, FLOAT_CONDITIONS[comparison.name]
    first, second = frame.read(insn.args[0], work[0]), frame.read(insn.args[1], work[1])
    if not sense:
        test = float_negated(test)
    context.masm.float_branch(comparison.kind, test, first, second, label)


def integer_branch(
    context: FunctionCompilation, insn: Compute, comparison: Comparison, label: Label, sense: bool
) -> None:
    frame = context.frame
    left, right, condition = *insn.args, comparison.condition
    if left in frame.constants:
        left, right, condition = ordered(context, insn, condition)
    if not sense:
        condition = negated(condition)
    first = frame.where[left] or frame.read(left, context.work[0])
    if right in frame.constants:
        value = int(frame.constants[right])
        context.masm.branch_immediate(comparison.kind, condition, first, value, label)
    else:
        second = frame.where[right] or frame.read(right, context.work[1])
        context.masm.branch(comparison.kind, condition, first, second, label)


# The table.

BINARY: Final = {
    "plus": (BinaryOperation.ADD, True),
    "minus": (BinaryOperation.SUB, False),
    "times": (BinaryOperation.MUL, True),
    "bitwiseOr": (BinaryOperation.OR, True),
    "bitwiseAnd": (BinaryOperation.AND, True),
    "bitwiseXor": (BinaryOperation.XOR, True),
    "shiftLeft": (BinaryOperation.SHIFT_LEFT, False),
    "shiftRight": (BinaryOperation.SHIFT_RIGHT, False),
    "unsignedShiftRight": (BinaryOperation.UNSIGNED_SHIFT_RIGHT, False),
}
FLOAT_BINARY: Final = {
    "plus": FloatBinary.ADD,
    "minus": FloatBinary.SUB,
    "times": FloatBinary.MUL,
    "div": FloatBinary.DIV,
}
COMPARISONS: Final = {
    f"{kind.value}.{name}": Comparison(kind, name, condition_of(name, kind))
    for kind in KINDS.values()
    for name in CONDITIONS
    if f"{kind.value}.{name}" in PRIMITIVES
}
CONVERSIONS: Final = {
    "Byte": BYTE,
    "Int": INT,
    "Long": LONG,
    "Float": FLOAT,
    "Double": DOUBLE,
    "CharUnchecked": CHAR,
}


def make_emitters() -> dict[str, Emitter]:
    table: dict[str, Emitter] = {}
    for kind in INTEGERS:
        for name, (operation, commutes) in BINARY.items():
            table[f"{kind.value}.{name}"] = integer_binary(operation, kind, commutes=commutes)
        table[f"{kind.value}.div"] = division(kind, remainder=False)
        table[f"{kind.value}.mod"] = division(kind, remainder=True)
        table[f"{kind.value}.unaryMinus"] = integer_unary("negate", kind)
        table[f"{kind.value}.not"] = integer_unary("complement", kind)
        table[f"{kind.value}.countOneBits"] = integer_unary("count_one_bits", kind)
        table[f"{kind.value}.leadingZeros"] = integer_unary("leading_zeros", kind)
    for kind in FLOATING:
        for name, float_operation in FLOAT_BINARY.items():
            table[f"{kind.value}.{name}"] = float_binary(float_operation, kind)
        table[f"{kind.value}.mod"] = library_call("fmod", kind)
        table[f"{kind.value}.unaryMinus"] = float_unary("float_negate", kind)
        table[f"{kind.value}.sqrt"] = float_unary("float_square_root", kind)
        table[f"{kind.value}.isNan"] = is_nan(kind)
        table[f"{kind.value}.compareTo"] = float_sign(kind)
    for kind in (*INTEGERS, *FLOATING):
        table[f"{kind.value}.unaryPlus"] = copy
    for kind in (BYTE, CHAR, *INTEGERS):
        table[f"{kind.value}.compareTo"] = difference(kind)
    for row, comparison in COMPARISONS.items():
        make = float_comparison if comparison.kind in FLOATING else integer_comparison
        table[row] = make(comparison.name, comparison.kind)
    return table | conversions() | mathematics()


def conversions() -> dict[str, Emitter]:
    table: dict[str, Emitter] = {"bool.not": integer_unary("complement", BOOL)}
    for source in KINDS.values():
        for name, target in CONVERSIONS.items():
            if f"{source.value}.to{name}" in PRIMITIVES:
                table[f"{source.value}.to{name}"] = conversion(source, target)
    table["doubleBits"], table["doubleFromBits"] = to_bits(DOUBLE), from_bits(DOUBLE)
    table["floatBits"], table["floatFromBits"] = to_bits(FLOAT), from_bits(FLOAT)
    table["multiplyHigh"] = multiply_high
    table["double.isInfinite"] = is_infinite
    return table


def mathematics() -> dict[str, Emitter]:
    table = {f"double.{name}": library_call(name, DOUBLE) for name in (*C_FUNCTIONS_1, *C_FUNCTIONS_2)}
    table["double.floor"] = rounding(Rounding.DOWN)
    table["double.ceil"] = rounding(Rounding.UP)
    table["double.trunc"] = rounding(Rounding.TOWARDS_ZERO)
    return table


EMITTERS: Final = make_emitters()


@emits(Compute)
def compute(context: FunctionCompilation, insn: Compute) -> None:
    EMITTERS[insn.operation.name](context, insn)
