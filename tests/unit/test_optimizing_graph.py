"""The graph: made of bytecode and turned back, verified, printed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, Register, Target
from doralang.bytecode.verifier import verify
from doralang.optimizing.build import build_graph
from doralang.optimizing.emit import emit_function
from doralang.optimizing.graph import Graph, Phi, find, replace
from doralang.optimizing.printer import print_dot, print_graph
from doralang.optimizing.verifier import GraphError, verify_graph
from doralang.types.kinds import BOOL, INT, REF, Kind
from doralang.types.primitives import PRIMITIVES

PLUS, LESS = PRIMITIVES["int.plus"], PRIMITIVES["int.less"]
FIELD = FieldRef("value", INT, 0, ClassRef("Box", None, "Box"))
R = [Register(number) for number in range(8)]


def function(
    parameters: Sequence[Kind], others: Sequence[Kind], code: Sequence[Instruction], *, has_self: bool = False
) -> Function:
    ref = FunctionRef("f", "f", "f()", None, (*parameters,), INT, False, has_self=has_self)
    return Function(ref, [*parameters, *others], [*code], [*range(1, len(code) + 1)])


def round_trip(made: Function) -> Function:
    verify(made)
    graph = build_graph(made)
    verify_graph(graph, "build")
    result = emit_function(graph)
    verify(result)
    return result


def run(made: Function, *arguments: int) -> int:
    """The meaning of the few instructions that the tests are made of."""
    r: list[int] = [*arguments] + [0] * (len(made.registers) - len(arguments))
    at = 0
    while True:
        insn = made.code[at]
        at += 1
        match insn:
            case i.Move():
                r[insn.dst] = r[insn.src]
            case i.LoadConstant():
                assert isinstance(insn.value, int)
                r[insn.dst] = insn.value
            case i.Compute():
                r[insn.dst] = int(insn.operation.meaning(*[r[one] for one in insn.args]))
            case i.Goto():
                at = insn.target
            case i.BranchIf():
                at = insn.target if r[insn.condition] else at
            case i.BranchUnless():
                at = at if r[insn.condition] else insn.target
            case i.Return():
                return r[insn.value]
            case _:
                assert isinstance(insn, i.Poll)


def loop(*body: Instruction) -> Function:
    """Three parameters and a counter, r3: as often as r2 says, the body."""
    size = len(body)
    code = [
        i.LoadConstant(R[3], 0),
        i.Goto(Target(size + 4)),
        *body,
        i.LoadConstant(R[5], 1),
        i.Compute(R[3], PLUS, (R[3], R[5])),
        i.Poll(),
        i.Compute(R[4], LESS, (R[3], R[2])),
        i.BranchIf(R[4], Target(2)),
        i.Return(R[0]),
    ]
    return function((INT, INT, INT), (INT, BOOL, INT, INT), code)


SWAP = (i.Move(R[6], R[0]), i.Move(R[0], R[1]), i.Move(R[1], R[6]))
SHIFT = (i.Move(R[0], R[1]), i.Move(R[1], R[3]))


@pytest.mark.parametrize("rounds", range(5))
def test_values_that_are_exchanged_in_a_loop(rounds: int) -> None:
    """A ring of moves on the edge back."""
    made = loop(*SWAP)
    assert run(round_trip(made), 7, 9, rounds) == run(made, 7, 9, rounds) == (9 if rounds % 2 else 7)


@pytest.mark.parametrize("rounds", range(5))
def test_a_value_that_is_needed_behind_its_successor(rounds: int) -> None:
    """The lost copy: what a variable was one round ago."""
    made = loop(*SHIFT)
    assert run(round_trip(made), 70, 90, rounds) == run(made, 70, 90, rounds)


def test_a_counter_needs_no_move() -> None:
    result = round_trip(loop())
    assert not [insn for insn in result.code if isinstance(insn, i.Move)]


def test_what_does_not_change_is_no_phi() -> None:
    graph = build_graph(loop())
    assert [len(block.phis) for block in graph.blocks if block.phis] == [1]


def test_a_function_may_begin_with_a_loop() -> None:
    code = [
        i.LoadConstant(R[2], 1),
        i.Compute(R[0], PLUS, (R[0], R[2])),
        i.Compute(R[3], LESS, (R[0], R[1])),
        i.BranchIf(R[3], Target(0)),
        i.Return(R[0]),
    ]
    made = function((INT, INT), (INT, BOOL), code)
    assert run(round_trip(made), 3, 8) == 8


def test_nobody_writes_self() -> None:
    code = [
        i.LoadConstant(R[3], None),
        i.BranchUnless(R[1], Target(3)),
        i.Move(R[3], R[0]),
        i.LoadField(R[2], R[3], FIELD),
        i.Return(R[2]),
    ]
    result = round_trip(function((REF, BOOL), (INT, REF), code, has_self=True))
    assert all(i.defined(insn) != 0 for insn in result.code)


def test_the_line_of_the_entry_stays() -> None:
    """A stack overflow is told at the line of the first instruction, wherever that has gone."""
    made = loop(*SWAP)
    assert round_trip(made).entry_line == made.entry_line == 1


# Broken graphs.


def simple() -> Graph:
    return build_graph(loop(*SWAP))


def broken_edge(graph: Graph) -> None:
    graph.blocks[-1].predecessors.clear()


def broken_phi(graph: Graph) -> None:
    phi = next(phi for block in graph.blocks for phi in block.phis)
    phi.inputs = phi.inputs[:1]


def broken_jump(graph: Graph) -> None:
    block = next(block for block in graph.blocks if len(block.successors) == 2)
    block.body.insert(0, block.body[-1])


def broken_order(graph: Graph) -> None:
    phi = next(phi for block in graph.blocks for phi in block.phis)
    entry = graph.blocks[0]
    node = graph.node(i.NewArray, (phi,), (None,), REF, (), entry)
    entry.body.insert(0, node)


def broken_kind(graph: Graph) -> None:
    last = graph.blocks[-1]
    last.body.insert(0, graph.node(i.SetException, (graph.parameters[0],), (False,), None, (), last))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (broken_edge, "does not know it"),
        (broken_phi, "1 inputs for 2 ways"),
        (broken_jump, "in the middle"),
        (broken_order, "not made before it"),
        (broken_kind, "the inputs are"),
    ],
)
def test_a_broken_graph_is_found_and_printed(spoil: object, complaint: str) -> None:
    graph = simple()
    verify_graph(graph, "build")
    spoil(graph)  # type: ignore[operator]
    with pytest.raises(GraphError, match=complaint) as caught:
        verify_graph(graph, "a pass")
    assert "behind a pass:" in str(caught.value) and "b0" in str(caught.value)
    assert print_dot(graph).startswith("digraph")


def test_a_ring_of_floating_nodes_is_printed() -> None:
    graph = simple()
    node = graph.compute(PLUS, (graph.parameters[0], graph.parameters[1]), ())
    graph.blocks[-1].body[-1].inputs = (node,)
    node.inputs = (node, node)
    assert print_graph(graph).count(f"{node} = ") == 1
    assert print_dot(graph).count(f"{node} -> {node}") == 2


# Replaced nodes.


def test_replacements_are_followed_to_their_end() -> None:
    graph = simple()
    nodes = [graph.node(Phi, (), (), INT, ()) for _ in range(1000)]
    for old, new in zip(nodes, nodes[1:], strict=False):
        replace(old, new)
    assert find(nodes[0]) is nodes[-1]
    assert all(node.stand_in is nodes[-1] for node in nodes[:-1]), "the way is short from now on"


def test_many_nested_loops_take_no_long_time() -> None:
    """Each head of a loop is thought to change everything, and then nothing does."""
    depth, code = 60, []
    for _ in range(depth):
        code.append(i.Poll())
    for level in reversed(range(depth)):
        code.append(i.BranchIf(R[1], Target(level)))
    code.append(i.Return(R[0]))
    graph = build_graph(function((INT, BOOL), (), code))
    assert not any(block.phis for block in graph.blocks)
