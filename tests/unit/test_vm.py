"""The VM: its closures against the meanings of primitives, its blocks, and what a run of it loads."""

from __future__ import annotations

import itertools
import struct
import subprocess
import sys
from typing import Any

import pytest

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import INSTRUCTIONS, NO_REGISTER, Methods, Register, Target, method_name
from doralang.types.arithmetic import DivisionByZero, round_float
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.vm import arithmetic, comparisons
from doralang.vm.code import ClosureBlock, ClosureCode, End, run
from doralang.vm.control import give_constant
from doralang.vm.statistics import Statistics
from doralang.vm.translator import METHODS, Translator
from walking import Walk

INTEGERS = [0, 1, -1, 2, -2, 3, 7, -7, 10, 31, 33, 63, 65, 255, 46341, -46341]


def edges(bits: int) -> list[int]:
    """Around the limits of a type, and around what the closures look at first."""
    limits = [1 << bits - 1, 1 << 30, 1 << 15, 1 << bits // 2]
    near = [sign * limit + step for limit in limits for sign in (1, -1) for step in (-1, 0, 1)]
    return [value for value in INTEGERS + near if -(1 << bits - 1) <= value < 1 << bits - 1]


DOUBLES = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    1e308,
    -1e308,
    5e-324,
    float("inf"),
    float("-inf"),
    float("nan"),
    2.0**53,
]
VALUES: dict[Kind, list[Any]] = {
    Kind.BOOL: [False, True],
    Kind.BYTE: [0, 1, 127, 128, 255],
    Kind.CHAR: [0, 65, 0x10FFFF, 0xFFFF_FFFF],
    Kind.INT: edges(32),
    Kind.LONG: edges(64),
    Kind.FLOAT: [round_float(value) for value in DOUBLES],
    Kind.DOUBLE: DOUBLES,
}


# Instructions.


def test_there_is_a_method_for_every_instruction() -> None:
    declared = [name for name in vars(Methods) if not name.startswith("_")]
    assert declared == [method_name(cls) for cls in INSTRUCTIONS]
    assert set(METHODS) == set(INSTRUCTIONS)


def as_methods(translator: Translator) -> Methods:
    """For the type checker: nothing is missing."""
    return translator


# Arithmetic.


def outcome(action: Any) -> Any:
    """The result with its type and every bit, or the failure."""
    try:
        value = action()
    except DivisionByZero:
        return "division by zero"
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return type(value), value


def operands(row: Primitive) -> list[tuple[Any, ...]]:
    return list(itertools.product(*(VALUES[kind] for kind in row.operands)))


def check(row: Primitive, op: Any, values: tuple[Any, ...]) -> None:
    registers: list[Any] = [*values, None, None, None, None][:5]

    def act() -> Any:
        op(registers)
        return registers[4]

    assert outcome(act) == outcome(lambda: row.meaning(*values)), (row, values)


@pytest.mark.parametrize("row", [row for row in PRIMITIVES.values() if len(row.operands) == 2], ids=str)
def test_closures_of_two_operands_mean_what_the_row_means(row: Primitive) -> None:
    make = comparisons.COMPARISONS.get(row)
    op = make(4, 0, 1) if make else arithmetic.binary(row, 4, 0, 1)
    for values in operands(row):
        check(row, op, values)
        if make is None:
            check(row, arithmetic.with_constant(row, 4, 0, values[1]), values)


@pytest.mark.parametrize("row", [row for row in PRIMITIVES.values() if len(row.operands) == 1], ids=str)
def test_closures_of_one_operand_mean_what_the_row_means(row: Primitive) -> None:
    for values in operands(row):
        check(row, arithmetic.unary(row, 4, 0), values)


@pytest.mark.parametrize("row", list(comparisons.COMPARING_BRANCHES), ids=str)
def test_branches_mean_what_the_row_means(row: Primitive) -> None:
    then, other = ClosureBlock((), give_constant(True)), ClosureBlock((), give_constant(False))
    with_registers, with_constant = comparisons.COMPARING_BRANCHES[row]
    for left, right in operands(row):
        expected = then if row.meaning(left, right) else other
        assert with_registers(0, 1, then, other)([left, right]) is expected
        assert with_constant(0, right, then, other)([left, right]) is expected


# Blocks.


class NoProgram:
    """What functions need that mention nothing."""

    def __init__(self) -> None:
        self.statistics = Statistics()


def translated(kinds: list[Kind], parameters: int, *code: i.Instruction) -> tuple[Translator, ClosureCode]:
    ref = FunctionRef("f", "f", "f()", None, tuple(kinds[:parameters]), kinds[0], throws=False)
    result = ClosureCode(ref, ClosureBlock((), no_block))
    function = Function(ref, kinds, list(code), list(range(1, len(code) + 1)))
    translator = Translator(function, result, NoProgram())  # type: ignore[arg-type]
    result.entry = translator.block(0)
    return translator, result


no_block: End = give_constant(None)
A, B, C = Register(0), Register(1), Register(2)


def test_a_loop_is_one_block_that_ends_with_a_branch_to_itself() -> None:
    """i = 0; while i < n { i = i + 1; } return i"""
    kinds = [Kind.INT, Kind.INT, Kind.INT, Kind.BOOL]
    condition = Register(3)
    translator, code = translated(
        kinds,
        1,
        i.LoadConstant(B, 0),
        i.Goto(Target(4)),
        i.LoadConstant(C, 1),
        i.Compute(B, PRIMITIVES["int.plus"], (B, C)),
        i.Poll(),
        i.Compute(condition, PRIMITIVES["int.less"], (B, A)),
        i.BranchIf(condition, Target(2)),
        i.Return(B),
    )
    assert run(code, [10]) == 10
    loop = translator.block(2)
    assert len(loop.body) == 1
    assert loop.end([5, 4, None, None]) is loop
    assert loop.end([5, 5, None, None]) is translator.block(7)


def test_a_constant_is_made_where_it_is_needed_in_its_register() -> None:
    """The same constant is the operand of an addition and lives on behind a branch."""
    kinds = [Kind.INT, Kind.INT, Kind.BOOL, Kind.INT]
    translator, code = translated(
        kinds,
        1,
        i.LoadConstant(B, 5),
        i.Compute(A, PRIMITIVES["int.plus"], (A, B)),
        i.Compute(C, PRIMITIVES["int.equals"], (A, B)),
        i.BranchIf(C, Target(5)),
        i.Return(A),
        i.Return(B),
    )
    assert (run(code, [1]), run(code, [0])) == (6, 5)


def test_blocks_are_cut_where_they_get_long() -> None:
    code = [i.Compute(A, PRIMITIVES["int.plus"], (A, A)) for _ in range(20)] * 20
    translator, result = translated([Kind.INT], 1, *code, i.Return(A))
    assert run(result, [1]) == 0
    assert translator.linker.statistics.blocks == 5


def test_a_result_that_nobody_wants_is_dropped() -> None:
    _, code = translated([Kind.INT], 1, i.Move(NO_REGISTER, A), i.Return(A))
    assert run(code, [7]) == 7


# Whole programs.


def test_only_blocks_that_run_are_translated() -> None:
    walk = Walk(
        'fun f(n: int) -> int { if n > 0 { return 1; } println("never"); return n; } fun main() {}',
        engine="vm",
    )
    assert walk.call("f", 3) == 1
    assert walk.interpreter.statistics.functions == 1
    assert walk.interpreter.statistics.blocks == 2


def test_other_engines_do_not_load_the_vm() -> None:
    program = (
        "import sys; from doralang.cli.main import run_command; o = sys.stdout.buffer; "
        "run_command(['eval', '--engine=walk', '1'], sys.stdin.buffer, o, o); "
        "print(sorted(name for name in sys.modules if name.startswith(('doralang.vm', 'doralang.engines.vm', "
        "'doralang.lower', 'doralang.bytecode', 'doralang.tracing', 'doralang.source'))))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert result.stdout == "1\n[]\n"


def test_an_engine_for_hot_code_loads_no_toolchain_for_cold_code() -> None:
    program = (
        "import sys; from doralang.cli.main import run_command; o = sys.stdout.buffer; "
        "run_command(['eval', '--engine=trace', '1'], sys.stdin.buffer, o, o); "
        "print(sorted(name for name in sys.modules if name.startswith(('doralang.source', 'subprocess'))))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert result.stdout == "1\n[]\n"


def test_the_vm_loads_no_compiler() -> None:
    program = (
        "import sys; from doralang.cli.main import run_command; o = sys.stdout.buffer; "
        "run_command(['eval', '--engine=vm', '1'], sys.stdin.buffer, o, o); "
        "print(sorted(name for name in sys.modules if name.startswith(('doralang.machine.macro', 'doralang.machine.x64', 'doralang.baseline', "
        "'doralang.native', 'doralang.runtime', 'doralang.treewalk', 'doralang.tracing', 'doralang.source'))))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert result.stdout == "1\n[]\n"
