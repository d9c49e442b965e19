"""Liveness against the plain definition: go round all instructions until nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiling import bytecode_of, compiled_program
from dora.bytecode.function import Function
from dora.bytecode.instructions import NO_REGISTER, defined, target_of, used
from dora.bytecode.liveness import analyse, prepare, solve

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


@pytest.mark.parametrize("name", PROGRAMS)
def test_liveness_is_what_the_definition_says(name: str) -> None:
    loops = 0
    for _, function in bytecode_of(compiled_program(PROGRAMS[name])):
        liveness, behind = analyse(function), by_definition(function)
        assert [behind[block.end - 1] for block in liveness.blocks] == liveness.live_out, function.name
        for call in liveness.calls:
            written = defined(function.code[call])
            across = behind[call] & ~(1 << written) if written != NO_REGISTER else behind[call]
            assert liveness.across[call] == across, f"{function.name}: {call}"
        assert set(liveness.across) == set(liveness.calls)
        loops += liveness.has_loops
    assert loops > 10


def test_only_the_calls_that_are_left_are_looked_at() -> None:
    for _, function in bytecode_of(compiled_program(LOOPS)):
        whole, part = analyse(function), prepare(function)
        part.calls = part.calls[::2]
        solve(part)
        assert part.live_out == whole.live_out
        assert part.across == {call: whole.across[call] for call in part.calls}
