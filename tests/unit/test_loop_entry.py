"""A function that begins at a poll of another one: its parameters, its loops."""

from __future__ import annotations

import pytest

from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.verifier import verify
from doralang.optimizing.build import build_graph
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.entry import entered_at
from doralang.types.kinds import DOUBLE, INT

NEST = """
fun nest(n: int) -> double {
  var x = 0.5;
  for i in range(0, n) {
    for j in range(i, n) {
      if j == 7 { continue; }
      for k in range(j, n) { x = x + 1.0; if k == 5 { break; } }
    }
  }
  return x;
}
fun main() { nest(10); }
"""


@pytest.fixture(scope="module")
def nest() -> Function:
    functions = [function for _, function in own_bytecode(compiled_program(NEST))]
    return next(function for function in functions if function.name == "nest")


def polls(function: Function) -> list[int]:
    return [index for index, insn in enumerate(function.code) if isinstance(insn, i.Poll)]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_each_loop_is_entered_at_its_head(nest: Function, depth: int) -> None:
    """Around the poll: the innermost loop, that with the next one around it, and so on, each of them whole."""
    found = []
    for poll in polls(nest):
        entered, live = entered_at(nest, poll)
        verify(entered)
        assert [nest.registers[one] for one in live] == [*entered.ref.parameters]
        assert set(entered.ref.parameters) == {INT, DOUBLE}
        assert isinstance(entered.code[entered.code[0].target], i.Poll)  # type: ignore[attr-defined]
        dominators = Dominators(build_graph(entered))
        found.append((max(dominators.loop_depth.values()), len(dominators.loops)))
    assert sorted(found)[depth - 1] == (3, {1: 3, 2: 2 + 3, 3: 1 + 2 + 3}[depth])


def test_only_what_can_be_reached_is_there(nest: Function) -> None:
    entered, _ = entered_at(nest, polls(nest)[0])
    assert len(build_graph(entered).blocks) > 3
    returns = [insn for insn in entered.code if isinstance(insn, i.Return)]
    assert len(returns) == 1
    assert entered.entry_line == entered.lines[0]
