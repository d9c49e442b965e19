"""Loops down columns: which look at all rows before, and that the same comes out, failures too."""

from __future__ import annotations

import pytest

from command_line import dora
from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register, Target
from doralang.bytecode.verifier import verify
from doralang.optimizing.columns import check_columns
from doralang.optimizing.emit import emit_function
from doralang.optimizing.optimizer import Times, optimized_graph
from doralang.types.kinds import BOOL, INT, REF
from doralang.types.primitives import PRIMITIVES
from unit.test_optimizing_graph import function

INNER = "var k = 0; while k < n { s += a[k][j]; k += 1; }"


def checked(body: str) -> tuple[Function, int]:
    """A function, and how many of its loops look at no row's length."""
    text = f"""
        fun callee(a: Array<Array<int>>, n: int) -> int {{ if n < 0 {{ return callee(a, n + 1); }} return n; }}
        fun f(n: int, m: int, a: Array<Array<int>>, b: Array<Array<int>>, x: double) -> int {{
          var s = 0; var j = 0; {body} return s;
        }}
        fun main() {{ f(1, 2, Array::<Array<int>>(1), Array::<Array<int>>(1), 1.0); }}"""
    code = next(made for _, made in own_bytecode(compiled_program(text)) if made.name == "f")
    made, found = check_columns(emit_function(optimized_graph(code, Times())))
    verify(made)
    return made, found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"while j < m {{ {INNER} j += 1; }}", 1),
        ("for j in 0..m { for k in 0..n { s += a[k][j]; } }", 1),
        ("while j < m { var k = 3; while k < n { a[k][j] = k; k += 1; } j += 1; }", 1),
        ("while j < m { var k = 0; while k < n { s += a[k][j] * b[k][n]; k += 1; } j += 1; }", 1),
        (f"while j < m {{ {INNER} {INNER} j += 1; }}", 2),
        (f"var h = 0; while h < m {{ j = 0; while j < m {{ {INNER} j += 1; }} h += 1; }}", 1),
        (f"while j < m {{ if s > 9 {{ s = 0; }} {INNER} j += 1; }}", 1),
        # Not: no loop around, rows that change, loops that are left, passed by or begin anywhere, other indexes.
        (INNER, 0),
        (f"while j < m {{ {INNER} a[0] = b[0]; j += 1; }}", 0),
        (f"while j < m {{ {INNER} s += callee(a, s); j += 1; }}", 0),
        (f"var c = a; while j < m {{ {INNER.replace('a[', 'c[')} c = b; j += 1; }}", 0),
        (f"while j < m {{ {INNER} if s == 7 {{ break; }} j += 1; }}", 0),
        (f"while j < m {{ {INNER} if s == 7 {{ return 1; }} j += 1; }}", 0),
        (f"while j < m {{ if s > 9 {{ {INNER} }} j += 1; }}", 0),
        ("while j < m { var k = j; while k < n { s += a[k][j]; k += 1; } j += 1; }", 0),
        ("while j < m { var k = 0; while k < n { s += a[k][j]; k += 2; } j += 1; }", 0),
        ("while j < m { var k = 0; while k < n { k += 1; s += a[k][j]; } j += 1; }", 0),
        ("while j < m { var k = 0; while k < n { s += a[k][k]; k += 1; } j += 1; }", 0),
        ("while j < m { var k = 0; while k < n { s += a[j][k]; k += 1; } j += 1; }", 0),
        (f"var n = m; while j < m {{ {INNER} j += 1; n -= 1; }}", 0),
        (f"var m = n; while j < m {{ {INNER} j += 1; m -= 1; }}", 0),
        (f"while j < m {{ {INNER.replace('k += 1;', 'if s > 9 { s = 0; } k += 1;')} j += 1; }}", 0),
    ],
)
def test_which_loops_look_at_all_rows(body: str, found: int) -> None:
    assert checked(body)[1] == found


def test_a_loop_that_a_jump_enters_behind_its_start_begins_anywhere() -> None:
    """With 0, which the branch leaves in the counter, or with 3: the shortest row may be one of the first."""
    a, n, m, j, k, found, x, one, less = map(Register, range(9))
    plus, is_less = PRIMITIVES["int.plus"], PRIMITIVES["int.less"]

    def made(entry: int) -> Function:
        within = [i.LoadElement(found, a, k), i.LoadElement(x, found, j), i.LoadConstant(one, 1)]
        code = [
            *(i.LoadConstant(j, 0), i.LoadConstant(x, 0), i.LoadConstant(less, False), i.Goto(Target(16))),
            *(
                i.LoadConstant(k, 0),
                i.BranchIf(less, Target(entry)),
                i.LoadConstant(k, 3),
                i.Goto(Target(12)),
            ),
            *(*within, i.Compute(k, plus, (k, one))),
            *(i.Poll(), i.Compute(less, is_less, (k, n)), i.BranchIf(less, Target(8))),
            *(
                i.Compute(j, plus, (j, m)),
                i.Poll(),
                i.Compute(less, is_less, (j, m)),
                i.BranchIf(less, Target(4)),
            ),
            i.Return(x),
        ]
        return function((REF, INT, INT), (INT, INT, REF, INT, INT, BOOL), code)

    assert check_columns(made(6))[1] == 1
    assert check_columns(made(7))[1] == 0


def test_the_accesses_of_one_of_the_two_loops_have_no_check() -> None:
    made, _ = checked(f"while j < m {{ {INNER} j += 1; }}")
    loads = [insn for insn in made.code if isinstance(insn, i.LoadElement)]
    assert sorted(insn.nonnil and insn.unchecked for insn in loads) == [False, False, False, True, True]


PROGRAM = """
fun down(a: Array<Array<int>>, n: int, lo: int, m: int) -> int {
  var s = 0; var j = lo;
  while j < m {
    var k = 0;
    while k < n { s = s * 3 + a[k][j]; a[k][j] = s; k = k + 1; }
    println("${j} ${s}");
    j = j + 1;
  }
  return s;
}
fun along(a: Array<Array<int>>, n: int, lo: int, m: int) -> int {
  var s = 0; var j = lo;
  while j < m {
    var k = 0;
    while k < n { s = s * 3 + a[k][j]; a[k][j] = s; k = k + 1; }
    j = j + 1;
  }
  return s;
}
fun main() {
  let n = argv(0).parseInt(); let row = argv(1).parseInt(); let width = argv(2).parseInt();
  let a = Array::<Array<int>>(20);
  for k in 0..20 { a[k] = Array::<int>(20, k); }
  if row >= 0 { a[row] = if width < 0 { nil } else { Array::<int>(width, 7) }; }
  println("${along(a, n, argv(3).parseInt(), 20)}");
  println("${down(a, n, 0, 20)}");
}
"""


@pytest.mark.parametrize(
    "arguments",
    ["20 -1 0 0", "21 -1 0 0", "20 3 19 0", "20 3 -1 0", "3 3 -1 0", "20 19 0 0", "20 -1 0 -1", "0 0 -1 0"],
)
def test_the_same_comes_out(arguments: str) -> None:
    """Rows that are too short or nil, too few of them, indexes before the first: in the round where it is so."""
    walk, optimized = (
        dora(f"--engine={name}", "-", *arguments.split(), stdin=PROGRAM) for name in ("walk", "opt")
    )
    assert (walk.status, walk.out, walk.err) == (optimized.status, optimized.out, optimized.err)
