"""Code for formulas on numbers and truth values, straight from a typed tree, for every processor.

    ("binary", INT, "*", ("variable", INT, 0), ("number", INT, 3, True))    ->      load  t0, [base]
                                                                                    t1 = 3
                                                                                    t0 = t0 * t1
                                                                                    return t0

A piece of code gets the address of its variables, a word for each, and returns a double, or a whole number or
truth value of 64 bits.  Where an operation fails it says so in the word in front of the variables.  Depth `d`
of the tree is computed in the temporary of that number; what is live across a call of the C library is saved
in the frame.  Meanings are those of the primitives (`types/primitives.py`), and of `min`, `max`, `abs` and
`clamp` of the library.  Numbers of more than 16 bits stand apart from the code.

`machine/x64/doubles.py` is the quick way for formulas on nothing but doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import pack
from typing import Any, Final

from doralang.machine.buffer import Label
from doralang.machine.code import Code
from doralang.machine.macro import (
    AnyRegister,
    BinaryOperation,
    Condition,
    FloatBinary,
    FloatCondition,
    MacroAssembler,
    Register,
    Rounding,
    float_negated,
    negated,
)
from doralang.types.kinds import BOOL, DOUBLE, INT, LONG, Kind

Node = tuple[Any, ...]
"""what it is, the kind of its value, and what it has"""

WORD: Final = 8
FAILED: Final = -WORD
"""where the code says that an operation failed, from its variables"""
SHORT: Final = range(-(1 << 15), 1 << 15)
"""whole numbers that may stand in code"""

WHOLE_BINARY: Final = {"+": BinaryOperation.ADD, "-": BinaryOperation.SUB, "*": BinaryOperation.MUL}
DOUBLE_BINARY: Final = {
    "+": FloatBinary.ADD,
    "-": FloatBinary.SUB,
    "*": FloatBinary.MUL,
    "/": FloatBinary.DIV,
}
CONDITIONS: Final = {
    "==": Condition.EQUAL,
    "!=": Condition.NOT_EQUAL,
    "<": Condition.LESS,
    "<=": Condition.LESS_EQUAL,
    ">": Condition.GREATER,
    ">=": Condition.GREATER_EQUAL,
}
DOUBLE_CONDITIONS: Final = {
    "==": FloatCondition.EQUAL,
    "!=": FloatCondition.NOT_EQUAL,
    "<": FloatCondition.LESS,
    "<=": FloatCondition.LESS_EQUAL,
    ">": FloatCondition.GREATER,
    ">=": FloatCondition.GREATER_EQUAL,
}
ROUNDINGS: Final = {"floor": Rounding.DOWN, "ceil": Rounding.UP, "trunc": Rounding.TOWARDS_ZERO}
INLINE: Final = frozenset({"sqrt", "abs", "min", "max", "clamp", *ROUNDINGS})
"""functions that are not called"""
LINKS: Final = frozenset({"binary", "convert"})
"""nodes whose first operand, at 3, is computed without recursion"""


class OutOfRegisters(Exception):
    """There are not enough registers."""


class TableEntry(int):
    """The symbol of a constant, by its number."""

    __slots__ = ()


@cache
def without(registers: tuple[Register, ...], one: Register) -> tuple[Register, ...]:
    """All but one of these registers."""
    return tuple([other for other in registers if other != one])


class TypedFormulaEmitter:
    """The code of one formula in the making."""

    def __init__(self, masm: MacroAssembler, calls: bool) -> None:
        self.masm = masm
        self.calls = calls
        self.base: Register = masm.callee_saved[0] if calls else masm.arguments[0]
        self.wholes = masm.temporaries if calls else without(masm.temporaries, self.base)
        self.doubles = masm.float_temporaries
        self.deepest = min(len(self.wholes), len(self.doubles))
        self.live: list[Kind] = []
        """kinds of what is computed already, by depth"""
        self.saved = 0
        """most of them across a call"""
        self.failed: Label | None = None
        self.constants: dict[bytes, TableEntry] = {}

    def finish(self, node: Node) -> Code:
        """The code of a whole formula, whose constants are symbols.  Raises OutOfRegisters."""
        masm = self.masm
        if self.calls:
            masm.prologue((self.base,))
            masm.move(LONG, self.base, masm.arguments[0])
        self.value(node, 0)
        kind = node[1]
        if kind is DOUBLE:
            masm.move(DOUBLE, masm.float_result, self.doubles[0])
        elif kind is LONG:
            masm.move(LONG, masm.result, self.wholes[0])
        elif kind is INT:
            masm.convert(INT, LONG, masm.result, self.wholes[0])
        else:
            masm.zero_extend(BOOL, masm.result, self.wholes[0])
        self.leave()
        if self.failed is not None:
            masm.bind(self.failed)
            masm.store_constant(LONG, 1, self.base, FAILED)
            self.leave()
        if self.calls:
            masm.set_frame_size(2 * WORD * (self.saved + 1 >> 1))
        return masm.finish()

    def leave(self) -> None:
        if self.calls:
            self.masm.epilogue()
        else:
            self.masm.return_()

    def table(self) -> bytes:
        return b"".join(self.constants)

    # Values.

    def register(self, kind: Kind, depth: int) -> AnyRegister:
        return self.doubles[depth] if kind is DOUBLE else self.wholes[depth]

    def value(self, node: Node, depth: int) -> None:
        """Compute a value in the register of its kind and of this depth."""
        if depth >= self.deepest:
            raise OutOfRegisters
        chain: list[Node] = []
        while node[0] in LINKS:
            chain.append(node)
            node = node[3]
        VALUES[node[0]](self, node, depth)
        for link in reversed(chain):
            if link[0] == "convert":
                _, kind, source, _ = link
                self.masm.convert(source, kind, self.register(kind, depth), self.register(source, depth))
            else:
                self.joined(link, depth)

    def beside(self, kind: Kind, node: Node, depth: int) -> None:
        """Compute another value, while one of this kind is in the register of this depth."""
        self.live.append(kind)
        self.value(node, depth + 1)
        self.live.pop()

    def joined(self, node: Node, depth: int) -> None:
        """The left operand is there; of the right one only what cannot be a part of the instruction is
        computed."""
        _, kind, operator, _, right = node
        if kind is DOUBLE:
            self.joined_doubles(DOUBLE_BINARY[operator], right, depth)
        elif operator in WHOLE_BINARY:
            self.joined_wholes(WHOLE_BINARY[operator], kind, right, depth)
        else:
            self.beside(kind, right, depth)
            self.divided(kind, operator, right, depth)

    def joined_doubles(self, operation: FloatBinary, right: Node, depth: int) -> None:
        first = self.doubles[depth]
        if right[0] == "variable":
            self.masm.float_binary_memory(operation, DOUBLE, first, first, self.base, WORD * right[2])
            return
        self.beside(DOUBLE, right, depth)
        self.masm.float_binary(operation, DOUBLE, first, first, self.doubles[depth + 1])

    def joined_wholes(self, operation: BinaryOperation, kind: Kind, right: Node, depth: int) -> None:
        first = self.wholes[depth]
        if right[0] == "variable":
            self.masm.binary_memory(operation, kind, first, first, self.base, WORD * right[2])
        elif right[0] == "number" and right[2] in SHORT:
            self.masm.binary_immediate(operation, kind, first, first, right[2])
        else:
            self.beside(kind, right, depth)
            self.masm.binary(operation, kind, first, first, self.wholes[depth + 1])

    def divided(self, kind: Kind, operator: str, right: Node, depth: int) -> None:
        masm = self.masm
        first, second = self.wholes[depth], self.wholes[depth + 1]
        if right[0] != "number" or right[2] == 0:
            if self.failed is None:
                self.failed = masm.label()
            masm.branch_immediate(kind, Condition.EQUAL, second, 0, self.failed)
        operation = masm.divide if operator == "/" else masm.remainder
        operation(kind, first, first, second)

    def variable(self, node: Node, depth: int) -> None:
        self.masm.load(node[1], self.register(node[1], depth), self.base, WORD * node[2])

    def number(self, node: Node, depth: int) -> None:
        masm, (_, kind, value, *_) = self.masm, node
        if kind is not DOUBLE and value in SHORT:
            masm.load_constant(kind, self.wholes[depth], value)
            return
        data = pack("<d", value) if kind is DOUBLE else pack("<q", value)
        symbol = self.constants.setdefault(data, TableEntry(len(self.constants)))
        with masm.scratch() as place:
            masm.load_near(place, symbol)
            masm.load(kind, self.register(kind, depth), place, 0)

    def negate(self, node: Node, depth: int) -> None:
        masm, kind = self.masm, node[1]
        self.value(node[2], depth)
        if kind is DOUBLE:
            masm.float_negate(DOUBLE, self.doubles[depth], self.doubles[depth])
        else:
            masm.negate(kind, self.wholes[depth], self.wholes[depth])

    def choice(self, node: Node, depth: int) -> None:
        masm = self.masm
        otherwise, end = masm.labels(2)
        self.condition(node[2], depth, otherwise)
        self.value(node[3], depth)
        masm.jump(end)
        masm.bind(otherwise)
        self.value(node[4], depth)
        masm.bind(end)

    def truth(self, node: Node, depth: int) -> None:
        """A condition as a value."""
        masm = self.masm
        no, end = masm.labels(2)
        self.condition(node, depth, no)
        masm.load_constant(BOOL, self.wholes[depth], 1)
        masm.jump(end)
        masm.bind(no)
        masm.load_constant(BOOL, self.wholes[depth], 0)
        masm.bind(end)

    # Functions.

    def function(self, node: Node, depth: int) -> None:
        _, kind, name, arguments = node
        for index, argument in enumerate(arguments):
            if depth + index >= self.deepest:
                raise OutOfRegisters
            self.value(argument, depth + index)
            self.live.append(kind)
        del self.live[depth:]
        if kind is not DOUBLE:
            WHOLE_FUNCTIONS[name](self, kind, depth)
        elif name in DOUBLE_FUNCTIONS:
            DOUBLE_FUNCTIONS[name](self, depth)
        elif name in ROUNDINGS:
            register = self.doubles[depth]
            self.masm.float_round(ROUNDINGS[name], DOUBLE, register, register)
        else:
            self.call(name, len(arguments), depth)

    def call(self, name: str, count: int, depth: int) -> None:
        """Call a function of the C library, which may lose all registers of values."""
        masm = self.masm
        self.saved = max(self.saved, depth)
        for index, kind in enumerate(self.live[:depth]):
            masm.store(kind, self.register(kind, index), masm.frame_pointer, self.place(index))
        moves = [
            (DOUBLE, target, source)
            for target, source in zip(masm.float_arguments, self.doubles[depth : depth + count], strict=False)
            if target != source
        ]
        if moves:
            masm.append(masm.encode_moves(tuple(moves)))
        masm.call_symbol(name)
        masm.move(DOUBLE, self.doubles[depth], masm.float_result)
        for index, kind in enumerate(self.live[:depth]):
            masm.load(kind, self.register(kind, index), masm.frame_pointer, self.place(index))

    def place(self, depth: int) -> int:
        """Of a saved value in the frame, below that of the saved register."""
        return -WORD * (depth + 2)

    def square_root(self, depth: int) -> None:
        self.masm.float_square_root(DOUBLE, self.doubles[depth], self.doubles[depth])

    def absolute(self, depth: int) -> None:
        self.masm.float_absolute(DOUBLE, self.doubles[depth], self.doubles[depth])

    def maximum(self, depth: int) -> None:
        self.extreme(depth, FloatCondition.GREATER, Condition.GREATER_EQUAL)

    def minimum(self, depth: int) -> None:
        self.extreme(depth, FloatCondition.LESS, Condition.LESS)

    def extreme(self, depth: int, stays: FloatCondition, keeps: Condition) -> None:
        """The first number stays if it is no number, or compares like that with the second; of equal ones
        its sign decides."""
        masm = self.masm
        first, second = self.doubles[depth : depth + 2]
        take, end = masm.labels(2)
        masm.float_branch(DOUBLE, FloatCondition.NOT_EQUAL, first, first, end)
        masm.float_branch(DOUBLE, stays, first, second, end)
        masm.float_branch(DOUBLE, FloatCondition.NOT_EQUAL, first, second, take)
        with masm.scratch() as bits:
            masm.float_bits(DOUBLE, bits, first)
            masm.branch_immediate(LONG, keeps, bits, 0, end)
        masm.bind(take)
        masm.move(DOUBLE, first, second)
        masm.bind(end)

    def clamp(self, depth: int) -> None:
        """The greater of the first two, then the less of that and the third."""
        self.maximum(depth)
        self.masm.move(DOUBLE, self.doubles[depth + 1], self.doubles[depth + 2])
        self.minimum(depth)

    def whole_absolute(self, kind: Kind, depth: int) -> None:
        masm, register = self.masm, self.wholes[depth]
        end = masm.label()
        masm.branch_immediate(kind, Condition.GREATER_EQUAL, register, 0, end)
        masm.negate(kind, register, register)
        masm.bind(end)

    def whole_extreme(self, kind: Kind, depth: int, stays: Condition) -> None:
        masm, end = self.masm, self.masm.label()
        first, second = self.wholes[depth : depth + 2]
        masm.branch(kind, stays, first, second, end)
        masm.move(kind, first, second)
        masm.bind(end)

    def whole_maximum(self, kind: Kind, depth: int) -> None:
        self.whole_extreme(kind, depth, Condition.GREATER_EQUAL)

    def whole_minimum(self, kind: Kind, depth: int) -> None:
        self.whole_extreme(kind, depth, Condition.LESS_EQUAL)

    def whole_clamp(self, kind: Kind, depth: int) -> None:
        self.whole_maximum(kind, depth)
        self.masm.move(kind, self.wholes[depth + 1], self.wholes[depth + 2])
        self.whole_minimum(kind, depth)

    # Truth.

    def condition(self, node: Node, depth: int, no: Label) -> None:
        """Go on if a condition holds, else jump."""
        masm, name = self.masm, node[0]
        if name == "compare":
            self.compare(node, depth, no)
        elif name == "and":
            self.condition(node[2], depth, no)
            self.condition(node[3], depth, no)
        elif name == "or" or name == "not":
            first_fails, holds = masm.labels(2)
            self.condition(node[2], depth, first_fails)
            masm.jump(no if name == "not" else holds)
            masm.bind(first_fails)
            if name == "or":
                self.condition(node[3], depth, no)
            masm.bind(holds)
        else:
            self.value(node, depth)
            masm.branch_immediate(BOOL, Condition.EQUAL, self.wholes[depth], 0, no)

    def compare(self, node: Node, depth: int, no: Label) -> None:
        _, _, operator, kind, left, right = node
        self.value(left, depth)
        if right[0] == "number" and kind is not DOUBLE and right[2] in SHORT:
            condition = negated(CONDITIONS[operator])
            self.masm.branch_immediate(kind, condition, self.wholes[depth], right[2], no)
            return
        self.beside(kind, right, depth)
        if kind is DOUBLE:
            one, other = self.doubles[depth : depth + 2]
            self.masm.float_branch(DOUBLE, float_negated(DOUBLE_CONDITIONS[operator]), one, other, no)
        else:
            first, second = self.wholes[depth : depth + 2]
            self.masm.branch(kind, negated(CONDITIONS[operator]), first, second, no)


VALUES: Final[dict[str, Callable[[TypedFormulaEmitter, Node, int], None]]] = {
    "variable": TypedFormulaEmitter.variable,
    "number": TypedFormulaEmitter.number,
    "negate": TypedFormulaEmitter.negate,
    "choice": TypedFormulaEmitter.choice,
    "function": TypedFormulaEmitter.function,
    **dict.fromkeys(("compare", "and", "or", "not"), TypedFormulaEmitter.truth),
}
DOUBLE_FUNCTIONS: Final[dict[str, Callable[[TypedFormulaEmitter, int], None]]] = {
    "sqrt": TypedFormulaEmitter.square_root,
    "abs": TypedFormulaEmitter.absolute,
    "max": TypedFormulaEmitter.maximum,
    "min": TypedFormulaEmitter.minimum,
    "clamp": TypedFormulaEmitter.clamp,
}
WHOLE_FUNCTIONS: Final[dict[str, Callable[[TypedFormulaEmitter, Kind, int], None]]] = {
    "abs": TypedFormulaEmitter.whole_absolute,
    "max": TypedFormulaEmitter.whole_maximum,
    "min": TypedFormulaEmitter.whole_minimum,
    "clamp": TypedFormulaEmitter.whole_clamp,
}
"""functions that need no call"""
