"""Every row of the primitives through the baseline compiler against the row's meaning.

Operands stand in all places that the compiler knows: at home in a register, in a slot of the frame,
constants left and right, both operands the same; results go to a home or to a slot, become an operand
themselves, or are only made for a branch.
"""

from __future__ import annotations

import ctypes
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count, product
from struct import pack, unpack
from typing import Any

import pytest

from compiling import compiled_program
from doralang.baseline.allocation import allocate
from doralang.baseline.compiler import compile_for
from doralang.baseline.convention import convention_of
from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register, Target
from doralang.bytecode.verifier import verify
from doralang.code.layout import FLOATS_AT
from doralang.code.objects import CodeObject
from doralang.engines.native import Machine
from doralang.machine.targets import X64
from doralang.types.arithmetic import DivisionByZero, round_float
from doralang.types.failures import Trapped
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.types.traps import Trap

Value = bool | int | float
INTEGERS = {Kind.BOOL: 1, Kind.BYTE: 8, Kind.CHAR: 32, Kind.INT: 32, Kind.LONG: 64}
SIGNED = (Kind.INT, Kind.LONG)
FLOATING = (Kind.FLOAT, Kind.DOUBLE)
EDGES = [0, 1, 2, 3, 7, 31, 32, 63, 64, 127, 128, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63]
FLOAT_EDGES = [
    0.0,
    -0.0,
    0.5,
    -1.5,
    2.0,
    1e10,
    -1e20,
    2.0**31,
    2.0**63,
    math.inf,
    -math.inf,
    math.nan,
    -math.nan,
    5e-324,
]
PLACES = ("home", "slot", "constant")
MANY = 40
"""more registers than there are homes"""


def values(kind: Kind) -> list[Value]:
    """Edge and random values."""
    dice = random.Random(kind.value)
    if kind in FLOATING:
        floats = [*FLOAT_EDGES, *(dice.uniform(-100, 100) for _ in range(3))]
        return [round_float(value) for value in floats] if kind is Kind.FLOAT else floats
    if kind is Kind.BOOL:
        return [False, True]
    bits = INTEGERS[kind]
    patterns = {edge & (1 << bits) - 1 for edge in [*EDGES, *(-edge for edge in EDGES)]}
    patterns |= {dice.getrandbits(bits) for _ in range(3)}
    wrap = 1 << bits if kind in SIGNED else 0
    return sorted(value - wrap if value >> bits - 1 else value for value in patterns)


# Functions around one operation.


@dataclass
class Writer:
    """Bytecode in the making; registers in slots are those that are used least while all homes are taken."""

    function: Function
    busy: list[Register] = field(default_factory=list)

    def register(self, kind: Kind) -> Register:
        self.function.registers.append(kind)
        return Register(len(self.function.registers) - 1)

    def emit(self, *instructions: i.Instruction) -> None:
        for instruction in instructions:
            self.function.code.append(instruction)
            self.function.lines.append(1)
            if instruction.leaves:
                self.function.ends.append(len(self.function.code))
            if instruction.jumps:
                self.function.targets.add(instruction.target)  # type: ignore[attr-defined]

    def use_often(self, register: Register) -> None:
        self.emit(*[i.Move(register, register)] * 10)

    def occupy(self, source: Register) -> None:
        """Let registers that are used more often than an operand take all homes, from here on."""
        for _ in range(MANY):
            copy = self.register(self.function.registers[source])
            self.emit(*[i.Move(copy, source)] * 4)
            self.busy.append(copy)
            source = copy

    def keep_busy(self) -> None:
        for register in self.busy:
            self.emit(i.Move(register, register))


def function_for(
    row: Primitive, operands: tuple[Value, ...], places: tuple[str, ...], shape: str
) -> Function:
    """A function whose first parameters are the operands, and which returns what the row gives."""
    parameters = (*row.operands, Kind.LONG, Kind.DOUBLE)
    writer = Writer(
        Function(FunctionRef("f", "f", "f()", None, parameters, row.result, False), [*parameters])
    )
    arguments = [Register(index) for index in range(len(operands))]
    if "slot" in places or shape == "slot":
        for register, place in zip(arguments, places, strict=True):
            if place == "home":
                writer.use_often(register)
        writer.occupy(Register(len(operands)))
        writer.occupy(Register(len(operands) + 1))
    for index, (value, place) in enumerate(zip(operands, places, strict=True)):
        if place == "constant":
            arguments[index] = writer.register(row.operands[index])
            writer.emit(i.LoadConstant(arguments[index], value))
    if shape == "same":
        arguments = [arguments[0]] * len(arguments)
    target = arguments[0] if shape == "in place" else writer.register(row.result)
    writer.emit(i.Compute(target, row, tuple(arguments)))
    if shape == "branch":
        branch_result(writer, target)
    else:
        writer.keep_busy()
        writer.emit(i.Return(target))
    return writer.function


def branch_result(writer: Writer, condition: Register) -> None:
    """Return true or false by way of a branch, which compares itself."""
    result, there = writer.register(Kind.BOOL), len(writer.function.code) + 3
    writer.emit(i.BranchIf(condition, Target(there)), i.LoadConstant(result, False), i.Return(result))
    writer.keep_busy()
    writer.emit(i.LoadConstant(result, True), i.Return(result))


# Running them.


class Runner:
    """A machine that functions are placed in, one over the other."""

    def __init__(self) -> None:
        self.machine = Machine(compiled_program("fun main() {}"), stdout=BytesIO(), stderr=BytesIO())
        self.environment = self.machine.module.environment

    def run(self, function: Function, operands: tuple[Value, ...]) -> Value | None:
        """The result, or None for a failure."""
        target = self.machine.module.space.target
        return self.run_code(compile_for(target, function, self.environment), operands)

    def run_code(self, compiled: CodeObject, operands: tuple[Value, ...]) -> Value | None:
        """The same of code that has been made."""
        instance, loader = self.machine.instance, self.machine.module.loader
        function, space = compiled, loader.space
        address = space.arena.allocate(len(compiled.code.data))
        space.arena.write(address, loader.bind(compiled.code, address))
        block = block_of(function.ref.parameters, (*operands, 1, 1.0))
        try:
            instance.run(address, ctypes.addressof(block), instance.begin())
        except Trapped as failure:
            assert failure.trap is Trap.DIVISION
            return None
        finally:
            instance.end()
            space.arena.free(address, len(compiled.code.data))
        result = self.machine.result(function.ref.result)
        assert isinstance(result, bool | int | float)
        return result


def block_of(kinds: tuple[Kind, ...], operands: tuple[Value, ...]) -> Any:
    """The block of arguments that code is entered with."""
    block = (ctypes.c_uint64 * 32)()
    integers, floats = count(), count(FLOATS_AT // 8)
    for kind, value in zip(kinds, operands, strict=True):
        block[next(floats if kind in FLOATING else integers)] = word(value, kind)
    return block


def word(value: Value, kind: Kind) -> int:
    """A clean value in a register."""
    if kind in FLOATING:
        return int(unpack("<Q", pack("<d", value) if kind is Kind.DOUBLE else pack("<fi", value, 0))[0])
    return int(value) & (1 << max(INTEGERS[kind], 8)) - 1


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.machine.close()


def meaning(row: Primitive, operands: tuple[Value, ...]) -> Value | None:
    try:
        return row.meaning(*operands)
    except DivisionByZero:
        return None


def equal(left: Value | None, right: Value | None) -> bool:
    """NaNs are equal, zeros of different sign are not."""
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


def placements(row: Primitive) -> Iterator[tuple[tuple[str, ...], str]]:
    """All places of the operands, and what becomes of the result."""
    for places in product(PLACES, repeat=len(row.operands)):
        yield places, "home"
    homes = ("home",) * len(row.operands)
    yield homes, "slot"
    if row.operands[0] is row.result:
        yield homes, "in place"
    if row.result is Kind.BOOL:
        for places in product(PLACES, repeat=len(row.operands)):
            yield places, "branch"
    if len(row.operands) == 2:
        yield homes, "same"


def check_places(function: Function, places: tuple[str, ...]) -> None:
    """The operands do live where this case wants them."""
    verify(function)
    homes = allocate(function, convention_of(X64.assembler())).homes
    for index, place in enumerate(places):
        if place != "constant":
            assert (homes[index] is None) == (place == "slot")


@pytest.mark.parametrize("name", PRIMITIVES)
def test_compiled_code_means_what_the_row_says(name: str, runner: Runner) -> None:
    row = PRIMITIVES[name]
    cases = list(product(*(values(kind) for kind in row.operands)))
    dice = random.Random(name)
    for places, shape in placements(row):
        for operands in dice.sample(cases, min(len(cases), 4 if "slot" in (*places, shape) else 20)):
            if shape == "same":
                operands = operands[:1] * len(operands)
            function = function_for(row, operands, places, shape)
            if shape != "same":
                check_places(function, places)
            result, expected = runner.run(function, operands), meaning(row, operands)
            assert equal(result, expected), f"{places} {shape}: {operands} gives {result}, not {expected}"
