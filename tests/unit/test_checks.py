"""Checks that cannot fail are gone behind the optimizer, and those that can are not."""

from __future__ import annotations

import pytest

from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.optimizing.emit import emit_function
from doralang.optimizing.optimizer import Times, optimized_graph

BRANCHES = (i.BranchIf, i.BranchUnless)


def branches_of(body: str) -> int:
    """Branches in the optimized code of a function that may return 7 where something is out of range."""
    text = f"fun f(n: int, m: int) -> int {{ var s = 0; var i = 0; {body} return s; }}\nfun main() {{ f(1, 2); }}"
    code = next(made for _, made in own_bytecode(compiled_program(text)) if made.name == "f")
    return sum(isinstance(insn, BRANCHES) for insn in emit_function(optimized_graph(code, Times())).code)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("while i < n { if i < 0 { return 7; } s += i; i += 1; }", 1),
        ("while i < n { if i >= n { return 7; } s += i; i += 1; }", 1),
        ("while n > i { if !(i < n) || 0 > i { return 7; } s += i; i += 1; }", 1),
        ("while i < n { while i < n { if i < 0 { return 7; } s += 1; i += 1; } i = i; }", 2),
        ("while i < n { if 0 <= i { s += 1; } i += 1; }", 1),
        ("while i < 1000 { if i < 0 { return 7; } s += i; i += 3; }", 1),
        (
            "while i < 1000 { var k = i; while k < 1000 { if k < 0 { return 7; } s += 1; k += i; } i += 1; }",
            2,
        ),
        ("while i < 2147483647 { if i < 0 { return 7; } s += i; i += 1; }", 1),
        # Not so: the counter may be negative, may wrap, or is another one.
        ("i = m; while i < n { if i < 0 { return 7; } s += i; i += 1; }", 2),
        ("while i != n { if i < 0 { return 7; } s += i; i += 1; }", 2),
        ("while i < n { if i < 0 { return 7; } s += i; i += m; }", 2),
        ("while i < n { if i >= m { return 7; } s += i; i += 1; }", 2),
        ("while i < n { i += 1; if i >= n { return 7; } s += i; }", 2),
        ("while i < 2147483647 { if i < 0 { return 7; } s += i; i += 2; }", 2),
        ("while i < n { if i < 0 { return 7; } s += i; i += 3; }", 2),
        ("while i < 1000 { if i < 0 { return 7; } s += i; i += m; }", 2),
        (
            "while i < 1500000000 { var k = i; while k < 1500000000 { if k < 0 { return 7; } s += 1; k += i; } i += 1; }",
            3,
        ),
        ("while i < 1000 { var k = i; while k != 9 { if k < 0 { return 7; } s += 1; k += i; } i += 1; }", 3),
        ("while i < n { while s < m { if i < 0 { return 7; } s += 1; i += 1; } i += 1; }", 3),
    ],
)
def test_branches_that_are_left(body: str, left: int) -> None:
    assert branches_of(body) == left
