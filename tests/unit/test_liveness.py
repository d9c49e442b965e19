"""Liveness against the plain definition: go round all instructions until nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiling import bytecode_of, compiled_program
from doralang.baseline.allocation import cost_of_calls
from doralang.bytecode.blocks import find_blocks
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import (
    NO_REGISTER,
    BranchIf,
    CallInternal,
    Compute,
    Instruction,
    Move,
    Poll,
    Register,
    Return,
    Target,
    defined,
    target_of,
    used,
)
from doralang.bytecode.liveness import BITS, analyse
from doralang.library.internals import WITHOUT_CALL
from doralang.types.kinds import Kind

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.dora"))
LOOPS = """
fun nested(n: int) -> int {
  var a = 0; var b = 1; var c = 2; var i = 0;
  while (i < n) {
    let d = a;
    var j = 0;
    while (j < i) { if (j == 3) { break; } c = c + b; b = d; j = j + 1; }
    while (c > 10) { a = a + c; if (a > 100) { return a + b; } c = c - 1; println(d.toString()); }
    i = i + 1;
  }
  return a;
}
fun around(n: int) -> int {
  var x = 0; var y = n; var z = 0;
  while (true) {
    z = y;
    if (x > n) { return z; }
    y = x + 1;
    while (y > 0) { x = x + z; y = y - 1; if (x % 7 == 0) { y = y - 2; } }
    println(n.toString());
  }
  return 0;
}
fun main() { println(nested(5).toString()); println(around(9).toString()); }
"""
PROGRAMS = {"loops": LOOPS} | {path.name: path.read_text() for path in EXAMPLES}


def by_definition(function: Function) -> list[int]:
    """For each instruction, the registers that are live behind it."""
    code = function.code
    before, behind = [0] * (len(code) + 1), [0] * len(code)
    changed = True
    while changed:
        changed = False
        for index in range(len(code) - 1, -1, -1):
            insn, target = code[index], target_of(code[index])
            behind[index] = 0 if insn.ends else before[index + 1]
            if target is not None:
                behind[index] |= before[target]
            live = behind[index]
            if defined(insn) != NO_REGISTER:
                live &= ~(1 << defined(insn))
            for register in used(insn):
                live |= 1 << register
            changed = changed or live != before[index]
            before[index] = live
    return behind


def live_before(function: Function, behind: list[int], index: int) -> int:
    """What is live before an instruction, by what is live behind it."""
    insn, live = function.code[index], behind[index]
    if defined(insn) != NO_REGISTER:
        live &= ~(1 << defined(insn))
    for register in used(insn):
        live |= 1 << register
    return live


def calls(insn: Instruction) -> bool:
    return insn.operation.calls_library if isinstance(insn, Compute) else insn.calls


def internal(insn: Instruction) -> str | None:
    """The key of the internal function that is called."""
    return insn.function.internal if isinstance(insn, CallInternal) else None


def internals(function: Function) -> set[str]:
    return {key for insn in function.code if (key := internal(insn)) is not None}


@pytest.mark.parametrize("name", PROGRAMS)
def test_liveness_is_what_the_definition_says(name: str) -> None:
    loops = 0
    for _, function in bytecode_of(compiled_program(PROGRAMS[name])):
        liveness, behind = analyse(function), by_definition(function)
        assert [behind[end - 1] for _, end, _ in liveness.blocks] == liveness.live_out, function.name
        for start, _, _ in liveness.blocks:
            assert liveness.live_in[start] == live_before(function, behind, start), (
                f"{function.name}: {start}"
            )
        assert set(liveness.across) == {index for index, insn in enumerate(function.code) if calls(insn)}
        for call, across in liveness.across.items():
            written = defined(function.code[call])
            expected = behind[call] & ~(1 << written) if written != NO_REGISTER else behind[call]
            assert across == expected, f"{function.name}: {call}"
        loops += len(liveness.back)
    assert loops > 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_registers_are_in_use_wherever_they_are_live(name: str) -> None:
    for _, function in bytecode_of(compiled_program(PROGRAMS[name])):
        liveness, behind = analyse(function), by_definition(function)
        mentioned: dict[int, list[int]] = {}
        reads = [0] * len(function.registers)
        for index, insn in enumerate(function.code):
            for register in {defined(insn), *used(insn)} - {NO_REGISTER}:
                mentioned.setdefault(register, []).append(index)
            for register in set(used(insn)) - {NO_REGISTER}:
                reads[register] += 1
        for register, places in mentioned.items():
            first = 0 if register < len(function.ref.parameters) else liveness.first[register]
            last = liveness.last[register]
            assert first <= places[0] and places[-1] <= last, f"{function.name}: r{register}"
            live = [index for index, bits in enumerate(behind) if bits >> register & 1]
            assert not live or (first <= live[0] and live[-1] <= last), f"{function.name}: r{register}"
            assert liveness.back or last == places[-1], f"{function.name}: r{register} for too long"
        assert [count > 0 for count in liveness.reads[:-1]] == [count > 0 for count in reads]
        assert liveness.back or liveness.reads[:-1] == reads


def test_a_loop_may_start_with_the_first_instruction() -> None:
    condition, number, other = Register(0), Register(1), Register(2)
    ref = FunctionRef("f", "f", "f()", None, (Kind.BOOL, Kind.INT), Kind.INT, False)
    code = [
        Poll(),
        Move(other, number),
        BranchIf(condition, Target(0)),
        Return(other),
    ]
    function = Function(ref, [Kind.BOOL, Kind.INT, Kind.INT], code, [1] * len(code))
    assert find_blocks(function) == ([(0, 3, (0, 3)), (3, 4, ())], [(0, 0)])
    liveness = analyse(function)
    assert liveness.live_in[0] == 0b011 and liveness.live_out == [0b111, 0]
    assert liveness.last[:2] == [2, 2], "both parameters are needed until the jump"


def test_reads_in_loops_count_more() -> None:
    found = {function.ref.name: function for _, function in bytecode_of(compiled_program(LOOPS))}
    function = found["nested"]
    liveness = analyse(function)
    weights = sorted({*liveness.weights})
    assert weights == [1, 8, 64]
    assert max(liveness.reads) >= 64 and liveness.reads[0] == 8, "`n` is read at the head of the outer loop"


def test_only_calls_that_are_calls_are_looked_at() -> None:
    found = {name for _, function in bytecode_of(compiled_program(LOOPS)) for name in internals(function)}
    for _, function in bytecode_of(compiled_program(LOOPS)):
        whole, part, none = analyse(function), analyse(function, {"Str.len"}), analyse(function, found)
        assert part.live_out == whole.live_out == none.live_out
        short = {call for call in whole.across if internal(function.code[call]) == "Str.len"}
        assert part.across == {call: live for call, live in whole.across.items() if call not in short}
        assert not any(internal(function.code[call]) for call in none.across)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_calls_cost_is_counted_a_call_at_a_time(name: str) -> None:
    for _, function in bytecode_of(compiled_program(PROGRAMS[name])):
        liveness = analyse(function, WITHOUT_CALL)
        cost, crossing = [0] * len(liveness.reads), 0
        for call, live in liveness.across.items():
            weight = next(
                liveness.weights[number]
                for number, (start, end, _) in enumerate(liveness.blocks)
                if start <= call < end
            )
            for register in BITS[live]:
                cost[register] += weight
                crossing |= 1 << register
        assert cost_of_calls(liveness) == (cost, crossing), function.name
