"""Loops that are entered behind their polls: which, and that none goes round without one."""

from __future__ import annotations

from collections.abc import Iterator

from compiling import compiled_program, own_bytecode
from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import find_blocks
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, Register, Target
from doralang.native.showing import environment_of
from doralang.optimizing.llvm.context import FUNCTION
from doralang.optimizing.llvm.entries import PollEntry, entries_past_polls
from doralang.optimizing.llvm.module import TargetDescription, lower
from doralang.optimizing.optimizer import Times, optimize
from doralang.types.kinds import BOOL, INT
from fuzz.generator import Generator
from fuzz.loops import LoopGenerator
from unit.test_optimizing_graph import function, loop

CONDITION = Register(1)


def functions(text: str) -> Iterator[Function]:
    for _, bytecode in own_bytecode(compiled_program(text)):
        yield bytecode
        yield optimize(bytecode, Times())


def silent_blocks(made: Function, passed: frozenset[PollEntry]) -> set[int]:
    """The blocks that come round to themselves without a poll: of strips, and no others."""
    blocks, _ = find_blocks(made)
    last = {start: end - 1 for start, end, _ in blocks}
    loud = {
        start for start, end, _ in blocks if any(type(insn) is i.Poll for insn in made.code[start + 1 : end])
    }
    following = {
        start: tuple(
            one
            for one in successors
            if one not in loud
            and (type(made.code[one]) is not i.Poll or PollEntry(last[start], one) in passed)
        )
        for start, _, successors in blocks
    }
    return {start for start in following if start in reached(following, start)}


def reached(following: dict[int, tuple[int, ...]], start: int) -> set[int]:
    """What comes behind a block."""
    found: set[int] = set()
    waiting = [*following[start]]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += following[block]
    return found


def test_no_loop_goes_round_without_a_poll() -> None:
    passed = 0
    for seed in range(1, 9):
        for text in (Generator(seed).program(), LoopGenerator(seed).program()):
            for made in functions(text):
                found = entries_past_polls(made, ())
                passed += len(found)
                assert silent_blocks(made, found) == silent_blocks(made, frozenset())
    assert passed > 50


def test_a_loop_is_entered_behind_its_poll_unless_it_calls() -> None:
    made = loop(i.Move(Register(0), Register(1)))
    (poll,) = [index for index, insn in enumerate(made.code) if type(insn) is i.Poll]
    assert entries_past_polls(made, ()) == {PollEntry(1, poll)}
    assert entries_past_polls(made, {2}) == frozenset()
    assert entries_past_polls(made, {0}) == {PollEntry(1, poll)}


def made_of(*code: Instruction) -> Function:
    return function((INT, BOOL), (), code)


def test_the_only_poll_of_a_loop_around_stays() -> None:
    """The loop around has none of its own: it goes round by way of the loop within."""
    within = [i.Poll(), i.BranchIf(CONDITION, Target(1))]
    around = made_of(
        i.Move(Register(0), Register(0)), *within, i.BranchIf(CONDITION, Target(0)), i.Return(Register(0))
    )
    assert entries_past_polls(around, ()) == frozenset()


def test_a_function_that_calls_itself_needs_no_cell() -> None:
    text = "fun fib(n: int) -> int { return if n < 2 { n } else { fib(n - 1) + other(n) }; } fun other(n: int) -> int { return fib(n - 2); } fun main() { fib(9); }"
    for specializer, bytecode in own_bytecode(compiled_program(text)):
        if bytecode.name == "fib":
            lowered = lower(bytecode, environment_of(specializer), TargetDescription("", "e", ""))
            called = {str(symbol) for symbol in lowered.names.values()}
            assert f"@{FUNCTION}, i32" in lowered.text
            assert "entry:other" in called and "entry:fib" not in called
