"""Jumps to branches that are decided: less is asked, the same comes out, and loops stay what passes understand."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from test_optimizing_graph import FIELD, function, run

from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, Register, Target
from doralang.bytecode.verifier import verify
from doralang.optimizing.build import build_graph
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.emit import emit_function
from doralang.optimizing.jump_threading import JumpThreading, asks_again, has_loop, is_reducible, thread_jumps
from doralang.types.kinds import BOOL, INT, REF, Kind
from doralang.types.primitives import PRIMITIVES

PLUS, TIMES, LESS, NOT = (PRIMITIVES[name] for name in ("int.plus", "int.times", "int.less", "bool.not"))
SUM, LIMIT, AT, NUMBER = map(Register, range(4))
FLAGS = [*map(Register, range(4, 8))]
ASKED = FLAGS[-1]
BOX = Register(9)


class Code:
    """Instructions with labels, which are instructions themselves."""

    def __init__(self) -> None:
        self.code: list[Instruction] = [i.LoadConstant(AT, 0), *(i.LoadConstant(one, False) for one in FLAGS)]
        self.labels: list[int] = []
        self.jumps: list[tuple[int, int]] = []

    def label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def place(self, label: int) -> None:
        self.labels[label] = len(self.code)

    def jump(self, insn: Instruction, label: int) -> None:
        self.jumps.append((len(self.code), label))
        self.code.append(insn)

    def goto(self, label: int) -> None:
        self.jump(i.Goto(Target(0)), label)

    def unless(self, flag: Register, label: int) -> None:
        self.jump(i.BranchUnless(flag, Target(0)), label)

    def set(self, flag: Register, value: bool) -> None:
        self.code.append(i.LoadConstant(flag, value))

    def note(self, number: int) -> None:
        """What comes out depends on all that was noted, and in which order."""
        for row, value in ((TIMES, 31), (PLUS, number)):
            self.code += [i.LoadConstant(NUMBER, value), i.Compute(SUM, row, (SUM, NUMBER))]

    def step(self) -> None:
        """Go on to the next number; whether it is below the limit is in `ASKED`."""
        self.code += [
            i.LoadConstant(NUMBER, 1),
            i.Compute(AT, PLUS, (AT, NUMBER)),
            i.Compute(ASKED, LESS, (AT, LIMIT)),
        ]

    def made(self, *more: Kind) -> Function:
        self.code.append(i.Return(SUM))
        for index, label in self.jumps:
            self.code[index].target = Target(self.labels[label])  # type: ignore[attr-defined]
        kinds = [INT, INT, *[BOOL] * len(FLAGS), *more]
        made = function((INT, INT), kinds, self.code)
        verify(made)
        return made


def filtered() -> Function:
    """What is left of a filter in a loop: a loop in a loop, with a flag that both of them set."""
    code, (has, *_) = Code(), FLAGS
    outer, inner, found, end = (code.label() for _ in range(4))
    code.place(outer)
    code.code.append(i.Poll())
    code.set(has, False)
    code.place(inner)
    code.code.append(i.Poll())
    code.jump(i.BranchIf(has, Target(0)), found)
    code.step()
    code.unless(ASKED, end)
    code.note(2)
    code.code += [i.LoadConstant(NUMBER, 3), i.Compute(has, LESS, (NUMBER, AT))]
    code.goto(inner)
    code.place(found)
    code.note(7)
    code.goto(outer)
    code.place(end)
    return code.made()


def polls(made: Function) -> int:
    return sum(isinstance(insn, i.Poll) for insn in made.code)


def test_a_loop_in_a_loop_becomes_one_loop() -> None:
    made = filtered()
    threaded, found = thread_jumps(made)
    verify(threaded)
    assert found
    assert len(Dominators(build_graph(made)).loops) == 2
    assert len(Dominators(build_graph(threaded)).loops) == 1
    assert (polls(made), polls(threaded)) == (2, 1)
    for limit in range(8):
        assert run(threaded, 1, limit) == run(made, 1, limit)


def test_what_a_way_goes_past_is_done_on_it() -> None:
    """Only as far as somebody needs it: of the flags here, nobody does."""
    code, (flag, *_) = Code(), FLAGS
    no, end = code.label(), code.label()
    code.set(flag, True)
    code.place(no)
    code.code += [i.LoadConstant(NUMBER, 5), i.Compute(SUM, PLUS, (SUM, NUMBER))]
    code.unless(flag, end)
    code.set(flag, False)
    code.goto(no)
    code.place(end)
    made = code.made()
    threaded, found = thread_jumps(made)
    verify(threaded)
    assert found
    assert run(threaded, 1, 0) == run(made, 1, 0) == 11
    assert not any(isinstance(insn, i.BranchIf | i.BranchUnless) for insn in threaded.code)


def test_what_has_an_effect_is_not_done_twice() -> None:
    made = filtered()
    place = next(index for index, insn in enumerate(made.code) if isinstance(insn, i.BranchIf))
    made.code[place - 1] = i.LoadGlobal(FLAGS[1], None)  # type: ignore[arg-type]
    assert thread_jumps(Function(made.ref, made.registers, made.code, made.lines))[1] == 0


def chained(first_of_round: Sequence[Instruction], beside_other: Sequence[Instruction]) -> Function:
    """Two counters that go up to a limit one after the other; the first is asked in each round."""
    other, asked = Register(8), (FLAGS[0], FLAGS[1])
    code = Code()
    head, first, second, end = (code.label() for _ in range(4))
    code.code += [i.LoadConstant(other, 0), *[i.LoadConstant(BOX, None)] * bool(first_of_round)]
    code.place(head)
    code.code += [i.Poll(), *first_of_round, i.Compute(asked[0], LESS, (AT, LIMIT))]
    code.jump(i.BranchIf(asked[0], Target(0)), first)
    code.code.append(i.Compute(asked[1], LESS, (other, LIMIT)))
    code.unless(asked[1], end)
    code.code += [*beside_other, i.LoadConstant(NUMBER, 1), i.Compute(other, PLUS, (other, NUMBER))]
    code.goto(second)
    code.place(first)
    code.code += [i.LoadConstant(NUMBER, 1), i.Compute(AT, PLUS, (AT, NUMBER)), i.LoadConstant(NUMBER, 4)]
    code.place(second)
    code.code += [i.Compute(SUM, TIMES, (SUM, LIMIT)), i.Compute(SUM, PLUS, (SUM, NUMBER))]
    code.goto(head)
    code.place(end)
    return code.made(INT, REF)


def test_a_comparison_whose_answer_stays_is_not_asked_again() -> None:
    made = chained([], [])
    assert asks_again(made)
    threaded, found = thread_jumps(made)
    verify(threaded)
    assert found
    assert len(Dominators(build_graph(threaded)).loops) == 2
    assert polls(threaded) == 2
    for limit in range(8):
        assert run(threaded, 1, limit) == run(made, 1, limit)


@pytest.mark.parametrize("written", [AT, LIMIT])
def test_one_whose_operand_is_written_is(written: Register) -> None:
    made = chained([], [i.LoadConstant(NUMBER, -1), i.Compute(written, PLUS, (written, NUMBER))])
    assert thread_jumps(made)[1] == 0


def test_a_parameter_is_not_the_one_number_that_is_written_to_it() -> None:
    """Before it is, it is what the caller has given; what has been said of that says nothing of the number."""
    code, (is_less, is_few, is_third, *_), passes = Code(), FLAGS, Register(8)
    head, below, kept, end = (code.label() for _ in range(4))
    code.code.append(i.LoadConstant(passes, 0))
    code.place(head)
    code.code += [i.Poll(), i.Compute(is_less, LESS, (AT, LIMIT))]
    code.jump(i.BranchIf(is_less, Target(0)), below)
    code.note(2)
    code.code += [i.LoadConstant(NUMBER, 1), i.Compute(passes, PLUS, (passes, NUMBER))]
    code.code += [i.LoadConstant(NUMBER, 6), i.Compute(is_few, LESS, (passes, NUMBER))]
    code.unless(is_few, end)
    code.code += [i.LoadConstant(NUMBER, 3), i.Compute(is_third, LESS, (passes, NUMBER))]
    code.jump(i.BranchIf(is_third, Target(0)), kept)
    code.code.append(i.LoadConstant(LIMIT, 5))
    code.place(kept)
    code.goto(head)
    code.place(below)
    code.note(7)
    code.code += [i.LoadConstant(NUMBER, 1), i.Compute(AT, PLUS, (AT, NUMBER))]
    code.goto(head)
    code.place(end)
    made = code.made(INT)
    threaded, found = thread_jumps(made)
    assert found
    for limit in range(8):
        assert run(threaded, 1, limit) == run(made, 1, limit)


@pytest.mark.parametrize(("is_stored", "found"), [(False, True), (True, False)])
def test_a_limit_in_a_field_stays_until_something_is_stored(is_stored: bool, found: bool) -> None:
    """A load that cannot fail may be passed by."""
    stores = [i.LoadConstant(NUMBER, 5), i.StoreField(BOX, FIELD, NUMBER, True)] if is_stored else []
    made = chained([i.LoadField(LIMIT, BOX, FIELD, True)], stores)
    assert asks_again(made)
    assert bool(thread_jumps(made)[1]) is found


def test_a_function_without_flags_stays() -> None:
    code = Code()
    code.note(3)
    made = code.made()
    assert thread_jumps(made) == (made, 0)


def test_a_loop_without_a_poll_gets_none() -> None:
    """Raw memory is worked on in such loops, also where the way out of one goes past the poll of another."""
    code, (flag, *_) = Code(), FLAGS
    raw, head, end = (code.label() for _ in range(3))
    code.place(raw)
    code.note(3)
    code.step()
    code.set(flag, False)
    code.jump(i.BranchIf(ASKED, Target(0)), raw)
    code.place(head)
    code.code.append(i.Poll())
    code.jump(i.BranchIf(flag, Target(0)), end)
    code.note(2)
    code.code.append(i.Compute(flag, LESS, (LIMIT, SUM)))
    code.goto(head)
    code.place(end)
    made = code.made()
    assert thread_jumps(made) == (made, 0)


def test_a_loop_keeps_its_one_entry() -> None:
    """Entered with one answer that is known and one that is not: the inner loop begins where it did."""
    code, (has, other, *_) = Code(), FLAGS
    head, unknown, end = (code.label() for _ in range(3))
    code.step()
    code.unless(ASKED, unknown)
    code.set(has, True)
    code.goto(head)
    code.place(unknown)
    code.code.append(i.Compute(has, LESS, (SUM, LIMIT)))
    code.place(head)
    code.code.append(i.Poll())
    code.unless(has, end)
    code.note(3)
    code.step()
    code.code.append(i.Compute(has, LESS, (AT, LIMIT)))
    code.set(other, True)
    code.goto(head)
    code.place(end)
    made = code.made()
    threaded, _ = thread_jumps(made)
    assert is_reducible(Dominators(build_graph(threaded)))
    for limit in range(8):
        assert run(threaded, 1, limit) == run(made, 1, limit)


def random_body(random: Random, code: Code, depth: int, loops: list[int]) -> None:
    """Statements in a row; `loops` are the labels of the ends of the loops around."""
    for _ in range(random.randint(2, 6)):
        match random.randint(0, 9 if depth else 6):
            case 0 | 1:
                code.set(random.choice(FLAGS), random.random() < 0.5)
            case 2:
                code.code.append(i.Move(random.choice(FLAGS), random.choice(FLAGS)))
            case 3:
                code.code.append(i.Compute(random.choice(FLAGS), NOT, (random.choice(FLAGS),)))
            case 4:
                code.note(random.randint(1, 9))
            case 5:
                code.step()
            case 6:
                if loops:
                    code.jump(i.BranchIf(random.choice(FLAGS), Target(0)), random.choice(loops))
            case 7 | 8:
                random_choice(random, code, depth, loops)
            case _:
                random_loop(random, code, depth, loops)


def random_choice(random: Random, code: Code, depth: int, loops: list[int]) -> None:
    other, end = code.label(), code.label()
    code.unless(random.choice(FLAGS), other)
    random_body(random, code, depth - 1, loops)
    code.goto(end)
    code.place(other)
    if random.random() < 0.5:
        random_body(random, code, depth - 1, loops)
    code.place(end)


def random_loop(random: Random, code: Code, depth: int, loops: list[int]) -> None:
    """As long as a flag says; it ends, since each round goes on to the next number and asks for the limit."""
    head, end = code.label(), code.label()
    code.place(head)
    code.code.append(i.Poll())
    if random.random() < 0.8:
        code.unless(random.choice(FLAGS), end)
    random_body(random, code, depth - 1, [*loops, end])
    code.step()
    code.unless(ASKED, end)
    random_body(random, code, 0, [*loops, end])
    code.goto(head)
    code.place(end)


@pytest.mark.parametrize("seed", range(0, 400, 50))
def test_random_flags(seed: int) -> None:
    found = 0
    for number in range(seed, seed + 50):
        code = Code()
        random_body(Random(number), code, 3, [])
        made = code.made()
        threaded, count = thread_jumps(made)
        verify(threaded)
        found += count
        again = JumpThreading(threaded)
        dominators = Dominators(again.as_graph())
        assert is_reducible(dominators), number
        blocks = [block for block in dominators.order[1:] if not again.polls_in(again.inside(block.number))]
        assert not has_loop(blocks), number
        rebuilt = emit_function(build_graph(threaded))
        for limit in (0, 2, 7):
            wanted = run(made, 1, limit)
            assert run(threaded, 1, limit) == wanted, number
            assert run(rebuilt, 1, limit) == wanted, number
    assert found > 20
