"""Loops that are cut into strips: which, where the strips end, and that the same comes out."""

from __future__ import annotations

from itertools import product

import pytest

from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register
from doralang.bytecode.verifier import verify
from doralang.optimizing import strips
from doralang.optimizing.emit import emit_function
from doralang.optimizing.optimizer import Times, optimized_graph
from doralang.optimizing.strips import ROUNDS, CountedLoop, StripLimit, StripWriter, cut_into_strips
from doralang.types.kinds import BOOL, INT, LONG, Kind
from unit.test_optimizing_graph import function, loop, run

MOST = {INT: (1 << 31) - 1, LONG: (1 << 63) - 1}


@pytest.mark.parametrize("kind", [INT, LONG])
def test_where_a_strip_ends(kind: Kind) -> None:
    """It goes on from the counter, not beyond the limit, and not too far; whatever these two are."""
    most = MOST[kind]
    edges = [
        -most - 1,
        -most,
        -ROUNDS - 1,
        -ROUNDS,
        -1,
        0,
        1,
        7,
        ROUNDS - 1,
        ROUNDS,
        ROUNDS + 1,
        most - ROUNDS,
    ]
    edges += [most - ROUNDS - 1, most - ROUNDS + 1, most - 1, most]
    head = function((kind, kind), (), [i.Return(Register(0))])
    writer = StripWriter(head)
    counted = CountedLoop(0, 0, 0, Register(0), Register(1), kind, frozenset(), ())
    end, refused = StripLimit(writer, counted).write()
    assert not refused
    writer.emit(i.Return(end), 0)
    made = Function(head.ref, writer.registers, writer.code, [1] * len(writer.code))
    for counter, limit in product(edges, edges):
        if counter < limit:
            found = run(made, counter, limit)
            assert found == min(limit, counter + ROUNDS)


def cut(body: str) -> int:
    """How many loops of a function are."""
    text = f"""
        fun callee(n: int) -> int {{ if n < 0 {{ return callee(n + 1); }} return n; }}
        fun f(n: int, m: int, a: Array<int>, x: double, v: Vec<int>) -> int {{
          var s = 0; var i = 0; var k = 0L; var y = x; {body} return s + k.toInt() + y.toInt();
        }}
        fun main() {{ f(1, 2, Array::<int>(1), 1.0, Vec::<int>()); }}"""
    code = next(made for _, made in own_bytecode(compiled_program(text)) if made.name == "f")
    made, found = cut_into_strips(emit_function(optimized_graph(code, Times())))
    verify(made)
    return found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("while i < n { s += i; i += 1; }", 1),
        ("while n > i { s += i * i; i += 1; }", 1),
        ("while k < 100L { s += 2; k += 1L; }", 1),
        ("while i < a.len() { s += a[i]; i += 1; }", 1),
        ("while i < n { var j = 0; while j < m { y = y * x; j += 1; } i += 1; }", 1),
        ("while i < n { s += a[i]; i += 1; }", 1),
        ("while i < n { a[i] = a[i + 1] + a[i - 1]; i += 1; }", 1),
        ("for x in v { s += x; }", 1),
        ("for j in 0..n { a[j] = j; }", 1),
        # Not: what fails or calls, branches, steps otherwise, or ends otherwise.
        ("while i < n { s += a[m]; i += 1; }", 0),
        ("while i < n { s += a[i * 2]; i += 1; }", 0),
        ("while i < n { s += a[a[i]]; i += 1; }", 0),
        ("while k < 9L { s += a[k.toInt()]; k += 1L; }", 0),
        ("while i < n { s += i / m; i += 1; }", 0),
        ("while i < n { s += callee(i); i += 1; }", 0),
        ("while i < n { y = y.sin(); i += 1; }", 0),
        ("while i < n { if s > m { s -= m; } s += i; i += 1; }", 0),
        ("while i < n { s += i; i += 2; }", 0),
        ("while i < n { s += i; i += m; }", 0),
        ("while i > n { s += i; i -= 1; }", 0),
        ("while i <= n { s += i; i += 1; }", 0),
        ("while i != n { s += i; i += 1; }", 0),
        ("var limit = n; while i < limit { s += i; i += 1; limit -= 2; }", 0),
        ("while i < n { s += i; i += 1; if s == 7 { break; } }", 0),
    ],
)
def test_which_loops_are_cut(body: str, found: int) -> None:
    assert cut(body) == found


@pytest.mark.parametrize("rounds", [-5, 0, 1, 2, 3, 4, 5, 8, 9, 10])
def test_the_same_comes_out(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "ROUNDS", 4)
    made = loop(i.Compute(Register(0), strips.row(INT, "plus"), (Register(0), Register(3))))
    shorter, found = cut_into_strips(made)
    assert found == 1 and BOOL in shorter.registers[len(made.registers) :]
    assert run(shorter, 7, 0, rounds) == run(made, 7, 0, rounds) == 7 + sum(range(rounds))
    polls = [insn for insn in shorter.code if isinstance(insn, i.Poll)]
    assert len(polls) == 1


def test_a_head_that_goes_on_in_each_round_is_not_left_out() -> None:
    """`node = node.next` in the condition: the register that is read is the one of the round before."""
    load, less = i.LoadField(Register(4), Register(4), 0), strips.row(INT, "less")  # type: ignore[arg-type]
    compare = i.Compute(Register(3), less, (Register(0), Register(1)))
    once = i.LoadField(Register(4), Register(2), 0)  # type: ignore[arg-type]
    for found, is_same in (([], True), ([once], True), ([once, load], True), ([load], False)):
        code: list[i.Instruction] = [i.Move(Register(0), Register(0)), i.Poll(), *found, compare]
        assert strips.is_same_in_all_rounds(code, 0, 1, len(code)) is is_same
