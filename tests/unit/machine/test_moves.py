"""Copies made as if all at once, played through on paper."""

from __future__ import annotations

import random

from doralang.machine.macro import FloatRegister, Move, Register
from doralang.machine.moves import in_order
from doralang.types.kinds import Kind

SCRATCH, FLOAT_SCRATCH = Register(10), FloatRegister(14)


def play(moves: list[Move]) -> dict[tuple[bool, int], tuple[bool, int]]:
    """What each register holds afterwards, told by the register that held it before."""
    values = {
        (floating, register): (floating, register) for floating in (False, True) for register in range(16)
    }
    for kind, target, source in moves:
        floating = kind is Kind.DOUBLE
        values[floating, target] = values[floating, source]
    return values


def test_every_target_gets_what_its_source_held_before() -> None:
    dice = random.Random(1)
    for _ in range(3000):
        moves: list[Move] = []
        for kind in (Kind.LONG, Kind.DOUBLE):
            targets = dice.sample(range(6), dice.randrange(7))
            moves += [(kind, Register(target), Register(dice.randrange(6))) for target in targets]
        dice.shuffle(moves)
        values = play(in_order(tuple(moves), SCRATCH, FLOAT_SCRATCH))
        written = {(kind is Kind.DOUBLE, target): source for kind, target, source in moves}
        for (floating, register), value in values.items():
            if register < 6:
                assert value == (floating, written.get((floating, register), register)), moves


def test_nothing_is_done_in_vain() -> None:
    a, b, c = Register(1), Register(2), Register(3)
    assert in_order(((Kind.INT, a, a),), SCRATCH, FLOAT_SCRATCH) == []
    chain = ((Kind.INT, b, c), (Kind.INT, a, b))
    assert in_order(chain, SCRATCH, FLOAT_SCRATCH) == [chain[1], chain[0]]
    swap = ((Kind.INT, a, b), (Kind.INT, b, a))
    assert len(in_order(swap, SCRATCH, FLOAT_SCRATCH)) == 3
