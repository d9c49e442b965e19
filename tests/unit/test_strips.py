"""Loops that are cut into strips: which, where the strips end, and that the same comes out."""

from __future__ import annotations

from itertools import product

import pytest

from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register, Target
from doralang.bytecode.verifier import verify
from doralang.native.world import ProgramWorld
from doralang.optimizing import strips
from doralang.optimizing.counted_loops import Round, find_loops
from doralang.optimizing.emit import emit_function
from doralang.optimizing.optimizer import Times, optimize, optimized_graph
from doralang.optimizing.strips import FEWEST, ROUNDS, StripLimit, StripWriter, cut_into_strips
from doralang.types.kinds import BOOL, INT, LONG, Kind
from unit.test_optimizing_graph import function, loop, run

MOST = {INT: (1 << 31) - 1, LONG: (1 << 63) - 1}
R = [Register(number) for number in range(8)]


def counting(kind: Kind, order: str, step: int, offset: int) -> Function:
    """While r0 and an offset compare with r1, a step; then r0."""
    plus = strips.row(kind, "plus")
    code = [
        i.Poll(),
        i.LoadConstant(R[2], offset),
        i.Compute(R[3], plus, (R[0], R[2])),
        i.Compute(R[4], strips.row(kind, order), (R[3], R[1])),
        i.BranchUnless(R[4], Target(8)),
        i.LoadConstant(R[5], step),
        i.Compute(R[0], plus, (R[0], R[5])),
        i.Goto(Target(0)),
        i.Return(R[0]),
    ]
    return function((kind, kind), (kind, kind, BOOL, kind), code)


@pytest.mark.parametrize("kind", [INT, LONG])
@pytest.mark.parametrize("offset", [0, 1, -3])
@pytest.mark.parametrize(
    ("order", "step"),
    [
        ("less", 1),
        ("lessEquals", 1),
        ("notEquals", 1),
        ("greater", -1),
        ("greaterEquals", -1),
        ("notEquals", -1),
    ],
)
def test_where_a_strip_ends(kind: Kind, order: str, step: int, offset: int) -> None:
    """It goes on from the counter, not beyond the limit, and not too far; whatever these two are.

    There is none around the end of the kind, where it would end after one round.
    """
    most = MOST[kind]
    near = (-ROUNDS - 1, -ROUNDS, -FEWEST - 1, -FEWEST, -1, 0, 1, 7, FEWEST, FEWEST + 1, ROUNDS, ROUNDS + 1)
    edges = {*near, *(most - abs(one) for one in near), *(-most - 1 + abs(one) for one in near)}
    made = counting(kind, order, step, offset)
    (counted,) = find_loops(made)
    writer = StripWriter(made)
    limit = StripLimit(writer, counted)
    limit.write()
    writer.emit(i.Return(limit.end), 0)
    writer.aim_all(limit.refused)
    writer.emit(i.Return(R[0]), 0)
    before = Function(made.ref, writer.registers, writer.code, [1] * len(writer.code))
    for counter, towards in product(edges, edges):
        value = (counter + offset + most + 1) % (2 * most + 2) - most - 1
        left = (towards - value) * step
        end = counter + step * min(left, ROUNDS) if FEWEST <= left <= most else counter
        assert run(before, counter, towards) == (end if -most - 1 <= end <= most else counter)


def cut(body: str, *, of_slices: bool = True) -> int:
    """How many loops of a function are."""
    text = f"""
        fun callee(n: int) -> int {{ if n < 0 {{ return callee(n + 1); }} return n; }}
        fun f(
          n: int, m: int, a: Array<int>, x: double, v: Vec<int>, p: Slice<int>, q: MutSlice<int>, d: MutSlice<double>
        ) -> int {{
          var s = 0; var i = 0; var k = 0L; var y = x; {body} return s + k.toInt() + y.toInt();
        }}
        fun main() {{ f(1, 2, Array::<int>(1), 1.0, Vec::<int>(), nil, nil, nil); }}"""
    code = next(made for _, made in own_bytecode(compiled_program(text)) if made.name == "f")
    made, found = cut_into_strips(emit_function(optimized_graph(code, Times())), of_slices=of_slices)
    verify(made)
    return found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("for i in 0..p.len() { s += p[i]; }", 1),
        ("while i < p.len() { s += p[i]; i += 1; }", 1),
        ("for x in p { s += x; }", 1),
        ("for x in q { s += x; q[i] = s; i += 1; }", 1),
        ("while i < n { q[i] = p[i + 1] * a[i - 1]; i += 1; }", 1),
        ("while i < n { d[i] = d[i] * x + p[i].toDouble(); i += 1; }", 1),
        ("while i < n { p.len(); s += q[i]; i += 1; }", 1),
        ("while i < n { p.len(); p[i]; i += 1; }", 1),
        ("while i < n { s += p.slice(1, 3)[0]; i += 1; }", 0),
        ("while i < n { s += p[p[i]]; i += 1; }", 0),
        ("while i < n { s += p[i] / m; i += 1; }", 0),
        ("while i > n { q[i] = 1; i -= 1; }", 0),
        ("var r = p; while i < n { s += r[i]; r = q.readOnly(); i += 1; }", 0),
    ],
)
def test_which_loops_over_slices_are_cut(body: str, found: int) -> None:
    assert cut(body) == found
    assert cut(body, of_slices=False) == 0


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
        ("while i > n { s += i; i -= 1; }", 1),
        ("while i <= n { s += i; i += 1; }", 1),
        ("while i != n { s += i; i += 1; }", 1),
        ("while i < n && s > m { a[i] = s; i += 1; s -= 1; }", 1),
        ("while i < n { if s == m { break; } s += a[s]; i += 1; s += 1; }", 0),
        ("while i < n { if s == m { break; } y = y * x; i += 1; s += 1; }", 1),
        ("while true { if i >= n { break; } y = y * x; a[i] = i; i += 1; if m > i { break; } }", 0),
        ("while true { if i >= n { break; } y = y * x; a[i] = i; i += 1; if m < i { break; } }", 1),
        ("while i < a.len() - 3 { a[i] = i; i += 1; }", 1),
        # Not: what fails or calls, branches, steps otherwise, or ends otherwise.
        ("while i < n { s += a[m]; i += 1; }", 0),
        ("while i < n { s += a[i * 2]; i += 1; }", 0),
        ("while i < n { s += a[a[i]]; i += 1; }", 0),
        ("while k < 9L { s += a[k.toInt()]; k += 1L; }", 0),
        ("while i < n { s += i / m; i += 1; }", 0),
        ("while i < n { s += callee(i); i += 1; }", 0),
        ("while i < n { y = y.sin(); i += 1; }", 0),
        ("while i < n { if s > m { s -= m; } s += i; i += 1; }", 0),
        ("while i > n { s += a[i]; i -= 1; }", 0),
        ("while i > n { s += i; i += 1; }", 0),
        ("while i == n { s += i; i += 1; }", 0),
        ("while i < n && k < 9L { i += 1; k += 1L; }", 0),
        ("while i < n { s += i; i += 2; }", 0),
        ("while i < n { s += i; i += m; }", 0),
        ("var limit = n; while i < limit { s += i; i += 1; limit -= 2; }", 0),
        ("while i < n { s += i; i += 1; if s == 7 { break; } }", 0),
    ],
)
def test_which_loops_are_cut(body: str, found: int) -> None:
    assert cut(body) == found


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("v.iter().map(|x| x * x).sum()", 1),
        ("v.iter().zip(w.iter()).map(|(x, y)| x * y).sum()", 1),
        ("v.iter().zip(w.iter().enumerate()).map(|(x, (i, y))| x * (y ^ i)).sum()", 1),
        ("v.iter().take(n).map(|x| x * x).sum()", 1),
        ("v.iter().chain(w.iter()).sum()", 2),
        ("v.iter().chain(w.iter()).map(|x| x * x).sum()", 2),
        ("v.iter().chain(w.iter().take(n)).map(|x| x * x).sum()", 2),
        ("v.iter().chain(w.iter()).chain((0..n).iter()).map(|x| x * x).sum()", 3),
        ("v.iter().filter(|x| x % 3 == 1).sum()", 0),
    ],
)
def test_chains_of_iterators_are_cut(chain: str, found: int) -> None:
    """`zip` and `take` are loops with two ends, `chain` is two loops."""
    text = f"""
        fun f(v: Vec<int>, w: Vec<int>, n: int) -> int {{ {chain} }}
        fun main() {{ f(Vec::<int>(), Vec::<int>(), 3); }}"""
    specializer, code = next(pair for pair in own_bytecode(compiled_program(text)) if pair[1].name == "f")
    times = Times()
    verify(optimize(code, times, ProgramWorld(specializer)))
    assert times.found["strips"] == found


@pytest.mark.parametrize("rounds", [-5, 0, 1, 2, 3, 4, 5, 8, 9, 10])
def test_the_same_comes_out(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "ROUNDS", 4)
    monkeypatch.setattr(strips, "FEWEST", 2)
    made = loop(i.Compute(R[0], strips.row(INT, "plus"), (R[0], R[3])))
    cut_up, found = cut_into_strips(made)
    verify(cut_up)
    assert found == 1
    assert run(cut_up, 7, 0, rounds) == run(made, 7, 0, rounds) == 7 + sum(range(rounds))
    polls = [insn for insn in cut_up.code if isinstance(insn, i.Poll)]
    assert len(polls) == 2  # one before the strips, one in the loop as it was


@pytest.mark.parametrize(("order", "step"), [("less", 1), ("greaterEquals", -1), ("notEquals", 1)])
@pytest.mark.parametrize("offset", [0, 2, -2])
def test_the_end_is_that_of_the_loop(
    order: str, step: int, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "ROUNDS", 4)
    monkeypatch.setattr(strips, "FEWEST", 2)
    made = counting(INT, order, step, offset)
    cut_up, _ = cut_into_strips(made)
    verify(cut_up)
    for rounds in range(20):
        assert run(cut_up, 5, 5 + offset + step * rounds) == run(made, 5, 5 + offset + step * rounds)


def test_what_is_compared_is_not_computed_in_a_strip() -> None:
    cut_up, _ = cut_into_strips(counting(INT, "lessEquals", 1, 0))
    back = next(at for at, insn in enumerate(cut_up.code) if isinstance(insn, i.Goto))
    kept = [type(insn) for insn in cut_up.code[back - 4 : back]]
    assert kept == [i.LoadConstant, i.Compute, i.Compute, i.BranchIf]


def test_a_sum_of_equal_summands_is_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody reads it in between, and it is added to once."""
    monkeypatch.setattr(strips, "ROUNDS", 4)
    monkeypatch.setattr(strips, "FEWEST", 2)
    plus, times = strips.row(LONG, "plus"), strips.row(LONG, "times")
    add, twice = i.Compute(R[3], plus, (R[2], R[3])), i.Compute(R[4], plus, (R[3], R[4]))
    read = i.Move(R[4], R[3])
    for body, products in (
        ([add], 1),
        ([add, twice], 0),
        ([add, add], 0),
        ([read, add], 0),
        ([add, read], 0),
    ):
        made = summing(body)
        cut_up, found = cut_into_strips(made)
        verify(cut_up)
        assert found == 1
        strip = cut_up.code[: next(at for at, insn in enumerate(cut_up.code) if isinstance(insn, i.Goto))]
        made_at_once = [insn for insn in strip if i.Compute is type(insn) and insn.operation is times]
        assert len(made_at_once) == products
        for rounds in range(12):
            for step in (3, -(1 << 62)):
                assert run(cut_up, 0, rounds, step, 5) == run(made, 0, rounds, step, 5)


def summing(body: list[i.Instruction]) -> Function:
    """While r0 is less than r1, what is to be done; then r3 and r4 in one."""
    one, less = strips.row(INT, "plus"), strips.row(INT, "less")
    code = [
        i.LoadConstant(R[4], 0),
        i.Poll(),
        i.Compute(R[5], less, (R[0], R[1])),
        i.BranchUnless(R[5], Target(7 + len(body))),
        *body,
        i.LoadConstant(R[6], 1),
        i.Compute(R[0], one, (R[0], R[6])),
        i.Goto(Target(1)),
        i.Compute(R[3], strips.row(LONG, "bitwiseXor"), (R[3], R[4])),
        i.Return(R[3]),
    ]
    ref = FunctionRef("f", "f", "f()", None, (INT, INT, LONG, LONG), LONG, False)
    return Function(ref, [INT, INT, LONG, LONG, LONG, BOOL, INT], code, [1] * len(code))


def test_what_goes_on_in_each_round_is_not_the_same() -> None:
    """`node = node.next` in the condition: the register that is read is the one of the round before."""
    load, again = i.LoadField(R[4], R[4], 0), i.LoadField(R[4], R[2], 0)  # type: ignore[arg-type]
    other = i.LoadField(R[5], R[4], 0)  # type: ignore[arg-type]
    rounds: tuple[tuple[list[i.Instruction], bool], ...] = (
        ([again, other], True),
        ([load, other], False),
        ([other, again], False),
        ([load, again, other], True),
        ([again, load, other], True),
        ([load, again, load, other], True),
    )
    for code, is_same in rounds:
        assert Round(code, []).is_same(R[5], len(code)) is is_same
