"""Programs inside Python: calls, conversions, failures, limits."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

import doralang as dora
from doralang.embed import errors
from doralang.types.traps import Trap

SOURCE = """
fun twice(n: int) -> int { return 2 * n; }
fun half(x: double) -> double { return x / 2.0; }
fun greet(s: Str) -> Str { return "hello " + s; }
fun divide(a: int, b: int) -> int { return a / b; }
fun forever() { while true { } }
fun deep(n: int) -> int { return deep(n + 1) + 1; }
fun hog() -> int {
  let all = Vec::<Array<long>>();
  while true { all.push(Array::<long>(1000)); }
  return all.len();
}
fun shout() { while true { println("a"); } }
fun leave() { exit(3); }
fun fail() throws { throw "ouch"; }
fun first(c: char) -> bool { return c == 'a'; }
"""


@pytest.fixture(scope="module")
def m() -> Iterator[dora.Module]:
    limits = dora.Limits(memory="8MB", stack="1MB", output=1000)
    yield dora.compile(SOURCE, limits=limits, print=None)


def test_calls(m: dora.Module) -> None:
    assert m.twice(21) == 42
    assert m.twice(n=-1) == -2
    assert m.half(5) == 2.5
    assert m.greet("wörld") == "hello wörld"
    assert m.first("a") is True
    assert str(m.twice.__signature__) == "(n: int) -> int"


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("twice", (1 << 31,), OverflowError, "`n`: 2147483648 does not fit int"),
        ("twice", (True,), TypeError, "`n`: expected int, found bool"),
        ("twice", (1.0,), TypeError, "`n`: expected int, found float"),
        ("twice", (), TypeError, "missing a required argument"),
        ("half", ("x",), TypeError, "`x`: expected float, found str"),
        ("greet", (b"x",), TypeError, "`s`: expected str, found bytes"),
        ("greet", ("\ud800",), ValueError, "lone surrogate"),
        ("first", ("ab",), TypeError, "a str of one character"),
        ("divide", (1, 0), ZeroDivisionError, "division by 0"),
        ("deep", (1,), RecursionError, "stack overflow"),
        ("hog", (), MemoryError, "out of memory"),
        ("shout", (), dora.LimitExceeded, "output"),
        ("leave", (), dora.Exited, "status 3"),
        ("fail", (), dora.Thrown, "ouch"),
    ],
)
def test_what_goes_wrong(
    m: dora.Module, name: str, arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(m, name)(*arguments)
    assert m.twice(4) == 8


def test_every_failure_has_a_class() -> None:
    apart = {Trap.INTERRUPT, Trap.LIMIT}
    assert errors.FAILURES.keys() | apart == set(Trap)


def test_traces(m: dora.Module) -> None:
    with pytest.raises(dora.DivisionByZero) as caught:
        m.divide(1, 0)
    assert caught.value.trace == (dora.Frame("divide(int, int) -> int", None, 5),)


def test_time_and_cancelling() -> None:
    m = dora.compile(SOURCE, limits=dora.Limits(time=0.05))
    with pytest.raises(dora.LimitExceeded, match="time"):
        m.forever()
    instance = dora.compile(SOURCE).new()
    timer = threading.Timer(0.05, instance.cancel)
    timer.start()
    with pytest.raises(dora.Cancelled):
        instance.forever()
    assert instance.twice(2) == 4


def test_globals_live_in_an_instance() -> None:
    m = dora.compile("var n: int = 5; fun next() -> int { n = n + 1; return n; }")
    other = m.new()
    assert [m.next(), m.next(), other.next()] == [6, 7, 6]
    other.close()
    with pytest.raises(dora.InstanceSpent):
        other.next()


def test_a_busy_instance(m: dora.Module) -> None:
    instance = m.new(dora.Limits())
    thread = threading.Thread(target=lambda: pytest.raises(dora.Cancelled, instance.forever))
    thread.start()
    while not instance._instances.host.instance.is_running:
        time.sleep(0.001)
    with pytest.raises(dora.InstanceBusy):
        instance.twice(1)
    with pytest.raises(dora.InstanceBusy):
        instance.close()
    while thread.is_alive():
        instance.cancel()
        thread.join(0.01)
    assert instance.twice(1) == 2


def test_nothing_is_granted() -> None:
    with pytest.raises(dora.CompileError) as caught:
        dora.compile("fun f() -> int { return getpid(); }")
    assert [one.code for one in caught.value.diagnostics] == ["E0907"]
    assert dora.compile("fun f() -> int { return getpid(); }", grant=["process"]).f() > 0


def test_a_dropped_module_leaves_nothing(m: dora.Module) -> None:
    space = m._program.code.space
    for number in range(20):
        if number == 3:
            before = (space.arena.code.used, space.arena.data.used, len(space.places))
        made = dora.compile(f"fun f{number}(n: int) -> int {{ return n + {number}; }}")
        assert getattr(made, f"f{number}")(1) == number + 1
        del made
        gc.collect()
    assert (space.arena.code.used, space.arena.data.used, len(space.places)) == before


LOOK_UP = """
fun key(word: Str) -> int { let m = HashMap::<Str, int>(); m["a"] = 1; m[word] }
fun unwrapped(word: Str) -> int { word.parseIntOrNone().unwrap() }
"""


@pytest.mark.parametrize("name", ["key", "unwrapped"])
def test_a_value_that_is_not_there(name: str) -> None:
    with pytest.raises(dora.NoSuchValue) as caught:
        getattr(dora.compile(LOOK_UP).new(), name)("b")
    assert isinstance(caught.value, LookupError)
    assert str(caught.value).startswith("value missing")
    assert caught.value.trace[-1].function == f"{name}(Str) -> int"


def test_each_way_to_fail_is_an_exception() -> None:
    assert set(errors.FAILURES) == set(Trap) - {Trap.INTERRUPT, Trap.LIMIT}
