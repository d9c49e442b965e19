"""Functions that are called from Python get better code where they run for a while, and go on in it."""

from __future__ import annotations

import threading

import pytest

import doralang as dora
from doralang.code.tiers import BASELINE, OPTIMIZED
from doralang.machine.targets import host
from doralang.native.options import optimized_tier
from doralang.settings import Settings

pytestmark = pytest.mark.skipif(host() is None, reason="there is no compiled code")

BETTER = optimized_tier(Settings())
LOOPS = """
class Cell(var number: long)
fun step(x: long) -> long { x * 6364136223846793005L + 1442695040888963407L }
fun walk(rounds: int) -> long {
  var x = 1L;
  let cell = Cell(0L);
  for i in 0..rounds { x = step(x); if i % 1000 == 0 { cell.number += x; } }
  cell.number + x
}
fun divide(rounds: int, by: int) -> int {
  var sum = 0;
  for i in 0..rounds { sum += i % 7; }
  sum / by
}
fun spin() { loop { } }
"""


def expected(rounds: int) -> int:
    x, total = 1, 0
    for i in range(rounds):
        x = (x * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        if i % 1000 == 0:
            total += x
    result = (total + x) % (1 << 64)
    return result - (1 << 64) if result >> 63 else result


def tier_of(module: dora.Module, name: str) -> str:
    return module._program.code.loader.placed[name].code.tier


def test_a_long_loop_is_left_for_better_code() -> None:
    m = dora.compile(LOOPS)
    assert m.walk(1000) == expected(1000)
    assert tier_of(m, "walk") == BASELINE
    for _ in range(50):
        m.walk(3_000_000)
        if tier_of(m, "walk") == BETTER:
            break
    assert tier_of(m, "walk") == BETTER
    assert m.walk(200_000) == expected(200_000)


def test_failures_come_from_better_code_as_well() -> None:
    m = dora.compile(LOOPS)
    assert m.divide(1, 1) == 0
    for _ in range(50):
        if tier_of(m, "divide") == BETTER:
            break
        m.divide(3_000_000, 1)
    assert tier_of(m, "divide") == BETTER
    with pytest.raises(dora.DivisionByZero) as raised:
        m.divide(10, 0)
    assert [frame.function for frame in raised.value.trace] == ["divide(int, int) -> int"]


def test_limits_hold_in_better_code() -> None:
    m = dora.compile(LOOPS, limits=dora.Limits(time=0.5))
    with pytest.raises(dora.TimeLimitExceeded):
        m.spin()
    m.divide(10, 1)
    with pytest.raises(dora.TimeLimitExceeded):
        m.spin()


def test_code_that_counts_fuel_stays_as_it_is() -> None:
    m = dora.compile(LOOPS, limits=dora.Limits(fuel=1 << 40))
    for _ in range(4):
        m.walk(3_000_000)
    assert tier_of(m, "walk") == BASELINE


def test_threads_move_up_together() -> None:
    m = dora.compile(LOOPS)
    wanted, found = expected(300_000), []

    def work() -> None:
        for _ in range(20):
            m.walk(1_000_000)
        found.append(m.walk(300_000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 4


def test_hardened_code_is_never_left_to_llvm() -> None:
    """Which would take the masks away that stand behind the checks."""
    m = dora.compile(LOOPS, policy="untrusted", limits=dora.Limits(memory="16MB"))
    for _ in range(50):
        m.walk(3_000_000)
        if tier_of(m, "walk") != BASELINE:
            break
    assert tier_of(m, "walk") == OPTIMIZED
    assert m.walk(200_000) == expected(200_000)
