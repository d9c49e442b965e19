"""Decision trees: how many tests a `match` makes at most, and that no test is made twice on a way.

A `match` over n variants or literals asks for log n of them, not for one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

import pytest

from compiling import compiled_program, own_bytecode
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Goto, Instruction, LoadField, target_of


def function_of(text: str) -> Function:
    """The bytecode of the function `f` of a program."""
    return next(function for _, function in own_bytecode(compiled_program(text)) if function.name == "f")


def is_test(insn: Instruction) -> bool:
    return target_of(insn) is not None and not isinstance(insn, Goto)


def is_load(insn: Instruction) -> bool:
    return isinstance(insn, LoadField)


def longest_way(function: Function, counts: Callable[[Instruction], bool]) -> int:
    """The most instructions of a kind on a way through code without loops."""
    most = [0] * (len(function.code) + 1)
    for index in reversed(range(len(function.code))):
        insn = function.code[index]
        target = target_of(insn)
        assert target is None or target > index, "a loop"
        behind = [] if insn.leaves and isinstance(insn, Goto) else [most[index + 1]]
        behind += [] if target is None else [most[target]]
        most[index] = counts(insn) + (0 if insn.leaves and target is None else max(behind))
    return most[0]


def variants(count: int) -> str:
    """A `match` over as many variants, and one of no data."""
    names = [f"V{number}" for number in range(count)]
    declared = ", ".join(f"{name}(x: int)" for name in names)
    arms = ", ".join(f"{name}(x) => x + {number}" for number, name in enumerate(names))
    return (
        f"enum E {{ Nothing, {declared} }}\n"
        f"fun f(e: E) -> int {{ match e {{ Nothing => -1, {arms} }} }}\n"
        "fun main() { f(E::Nothing); }"
    )


def literals(count: int) -> str:
    arms = ", ".join(f"{7 * number} => {number}" for number in range(count))
    return f"fun f(n: int) -> int {{ match n {{ {arms}, _ => -1 }} }}\nfun main() {{ f(1); }}"


@pytest.mark.parametrize("count", [2, 10, 50, 200])
def test_a_match_over_variants_halves_them(count: int) -> None:
    function = function_of(variants(count))
    assert longest_way(function, is_test) <= ceil(log2(count)) + 2  # one of them for the one that is nil
    assert longest_way(function, is_load) <= 2  # the tag, and the data


@pytest.mark.parametrize("count", [2, 10, 50, 200])
def test_a_match_over_literals_halves_them(count: int) -> None:
    assert longest_way(function_of(literals(count)), is_test) <= ceil(log2(2 * count + 1)) + 1


@pytest.mark.parametrize("count", [2, 10, 50, 200])
def test_a_match_over_ranges_halves_them(count: int) -> None:
    arms = ", ".join(f"{7 * number}..={7 * number + number % 6} => {number}" for number in range(count))
    function = function_of(
        f"fun f(n: int) -> int {{ match n {{ {arms}, _ => -1 }} }}\nfun main() {{ f(1); }}"
    )
    assert longest_way(function, is_test) <= (2 * count if count < 4 else ceil(log2(2 * count + 1)) + 1)


def test_arms_of_one_variant_ask_for_it_once() -> None:
    function = function_of(
        "enum E { A, B(x: int), C(y: int) }\n"
        "fun f(e: E) -> int { match e { B(1) => 1, B(2) => 2, C(1) => 3, B(_) => 4, C(_) => 5, A => 6 } }\n"
        "fun main() { f(E::A); }"
    )
    assert [insn.field.name for insn in function.code if isinstance(insn, LoadField)].count("tag") == 1
    assert longest_way(function, is_test) == 4


def test_an_option_is_asked_once_whether_it_is_there() -> None:
    function = function_of(
        "fun f(o: Option<int>) -> int { match o { Some(x) => x, None => -1 } }\nfun main() { f(None); }"
    )
    assert longest_way(function, is_test) == 1
    assert longest_way(function, is_load) == 1  # no tag
