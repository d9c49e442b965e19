"""A slice of the differential tester; `make fuzz` runs more."""

from __future__ import annotations

from fuzz.compare import COLLECTORS, find_difference
from fuzz.generator import Generator

FIRST = 1
COUNT = 120
COLLECTED = 20


def test_the_engines_agree_about_random_programs() -> None:
    difference = find_difference(FIRST, COUNT)
    assert difference is None, difference


def test_the_collectors_agree_about_random_programs() -> None:
    difference = find_difference(FIRST + COUNT, COLLECTED, COLLECTORS)
    assert difference is None, difference


def test_a_seed_always_gives_the_same_program() -> None:
    assert Generator(7).program() == Generator(7).program()
    assert Generator(7).program() != Generator(8).program()
