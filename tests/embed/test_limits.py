"""Limits: each is reached, says so, and leaves the instance and all others unharmed."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

import doralang as dora
from doralang.embed.instances import Host
from doralang.native.upcalls import Upcalls

SOURCE = """
fun twice(n: int) -> int { return 2 * n; }
fun forever() { while true { } }
fun churn() { while true { Array::<long>(100); } }
fun hog() -> int {
  let all = Vec::<Array<long>>();
  while true { all.push(Array::<long>(1000)); }
  return all.len();
}
fun deep(n: int) -> int { return deep(n + 1) + 1; }
fun shout() { while true { println("a"); } }
fun hold() -> int { hook(); return 1; }
"""
SLACK = 0.5
"""seconds that a busy machine may be late"""


@pytest.mark.parametrize("name", ["forever", "churn"])
@pytest.mark.parametrize("limit", [0, 0.001, 0.05])
def test_time(name: str, limit: float) -> None:
    m = dora.compile(SOURCE.replace("hook();", ""), limits=dora.Limits(time=limit))
    with pytest.raises(dora.TimeLimitExceeded):
        getattr(m, name)()  # the first one has the collector compiled
    for _ in range(3):
        begin = time.monotonic()
        with pytest.raises(dora.TimeLimitExceeded, match="the limit `time`") as caught:
            getattr(m, name)()
        assert limit <= time.monotonic() - begin < limit + SLACK
        assert caught.value.limit == "time" and isinstance(caught.value, TimeoutError)
        assert not limit or caught.value.trace[-1].function == f"{name}()"


def test_a_time_limit_is_for_each_call() -> None:
    m = dora.compile(SOURCE.replace("hook();", ""), limits=dora.Limits(time=0.2))
    begin = time.monotonic()
    while time.monotonic() - begin < 0.5:
        assert m.twice(3) == 6


@pytest.mark.parametrize(
    ("limits", "name", "error"),
    [
        ({"memory": 0}, "hog", dora.OutOfMemory),
        ({"memory": "1MB"}, "hog", dora.OutOfMemory),
        ({"stack": 0}, "deep", dora.StackOverflow),
        ({"stack": "64KB"}, "deep", dora.StackOverflow),
        ({"output": 0}, "shout", dora.LimitExceeded),
        ({"output": "10KB"}, "shout", dora.LimitExceeded),
        ({"code_size": 0}, "hog", dora.LimitExceeded),
    ],
)
def test_each_limit(limits: dict[str, Any], name: str, error: type[Exception]) -> None:
    m = dora.compile(SOURCE.replace("hook();", ""), limits=dora.Limits(**limits), print=None)
    free = dora.compile(SOURCE.replace("hook();", ""))
    for _ in range(3):
        with pytest.raises(error) as caught:
            if name == "deep":
                m.deep(1)
            else:
                getattr(m, name)()
        if isinstance(caught.value, dora.LimitExceeded):
            assert caught.value.limit == next(iter(limits))
        if "code_size" not in limits:
            assert m.twice(2) == 4
        assert free.twice(2) == 4


def test_texts() -> None:
    with pytest.raises(dora.SourceTooLarge, match="`source_size`"):
        dora.compile("fun f() {}", limits=dora.Limits(source_size=5))
    many = "fun f(x: int) -> int { " + "x + 1; " * 50_000 + "return x; }"
    for limit in (0, 0.01):
        begin = time.monotonic()
        with pytest.raises(dora.CompileTimeExceeded, match="`compile_time`"):
            dora.compile(many, limits=dora.Limits(compile_time=limit))
        with pytest.raises(dora.CompileTimeExceeded):
            dora.expr("(x + 1) * " * 20_000 + "2", limits=dora.Limits(compile_time=limit))
        assert time.monotonic() - begin < 20
    assert dora.expr("x + 1", limits=dora.Limits(compile_time=60.0))(1) == 2.0


def test_limits_are_values() -> None:
    some = dora.Limits(memory="64MB", time=1)
    assert some == dora.Limits(memory=64 << 20, time=1.0) and hash(some) == hash(some.replace())
    assert some.replace(time=None).time is None and dora.Limits.untrusted().code_size == 4 << 20
    with pytest.raises(AttributeError):
        some.time = 3.0  # type: ignore[misc]
    for wrong, error in (
        ({"memory": -1}, ValueError),
        ({"time": "x"}, TypeError),
        ({"stack": "4X"}, ValueError),
    ):
        with pytest.raises(error):
            dora.Limits(**wrong)  # type: ignore[arg-type]


def test_cancelling_at_any_moment() -> None:
    """A call that runs ends; one that has not begun, or is over, does not notice."""
    instance = dora.compile(SOURCE.replace("hook();", "")).new()
    choose = random.Random(3)

    def cancel(delay: float, over: threading.Event) -> None:
        time.sleep(delay)
        while not over.is_set():  # it may not have begun yet
            instance.cancel()
            over.wait(0.01)

    for round in range(60):
        instance.cancel()
        assert instance.twice(round) == 2 * round
        over = threading.Event()
        thread = threading.Thread(target=cancel, args=(choose.random() * 0.02, over))
        thread.start()
        with pytest.raises(dora.Cancelled):
            if round % 2:
                instance.forever()
            else:
                instance.churn()
        over.set()
        thread.join()


COLLECTING = """
var kept: Array<Array<int>> = nil;
fun fill(n: int) { kept = Array::<Array<int>>(n); for i in 0..n { kept[i] = Array::<int>(i % 3); } }
fun collect(times: int) { for i in 0..times { forceCollect(); } }
fun length(i: int) -> int { return kept[i].len(); }
"""


@pytest.mark.parametrize("memory", [None, "16MB"])
def test_cancelling_a_call_that_does_nothing_but_collect(memory: str | None) -> None:
    """There is hardly a moment between two collections, and all that ask for attention come within one."""
    instance = dora.compile(COLLECTING).new(dora.Limits(memory=memory))
    instance.fill(50_000)
    for _ in range(3):
        timer = threading.Timer(0.02, instance.cancel)
        timer.start()
        with pytest.raises(dora.Cancelled):
            instance.collect(20_000)
        timer.join()
        assert [instance.length(i) for i in (0, 1, 2, 49_999)] == [0, 1, 2, 1]
        instance.collect(1)


@pytest.mark.parametrize("memory", [None, "16MB"])
def test_cancelling_in_the_last_collection_of_a_call(
    memory: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes too late for the call, which looks at nothing any more, and is not meant for the next one."""
    more = "fun last() { forceCollect(); } fun spin(n: int) -> int { var i = 0; while i < n { i += 1; } return i; }"
    instance = dora.compile(COLLECTING + more).new(dora.Limits(memory=memory))
    instance.fill(50_000)
    cancelled: list[int] = []

    def interrupted(host: Host, words: list[int]) -> int:
        instance.cancel()
        cancelled.append(host.calls)
        return Upcalls.collection_interrupted(host, words)

    for _ in range(5):
        with monkeypatch.context() as patched:
            patched.setattr(Host, "collection_interrupted", interrupted)
            before = len(cancelled)
            while len(cancelled) == before:
                with suppress(dora.Cancelled):
                    instance.last()
        assert instance.spin(20_000_000) == 20_000_000


def test_cancelling_in_a_host_function() -> None:
    def hook() -> None:
        instance.cancel()

    source = SOURCE.replace("return 1;", "while true { } return 1;")
    instance = dora.compile(source, functions={"hook": hook}).new()
    with pytest.raises(dora.Cancelled):
        instance.hold()
    assert instance.twice(2) == 4


def test_other_threads_run_meanwhile() -> None:
    """A long call gives the interpreter to others within some ticks."""
    instance = dora.compile(SOURCE.replace("hook();", "")).new()
    thread = threading.Thread(target=lambda: pytest.raises(dora.Cancelled, instance.forever))
    thread.start()
    begin = time.monotonic()
    rounds = 0
    while time.monotonic() - begin < 0.3:
        rounds += 1
        time.sleep(0.001)
    while thread.is_alive():
        instance.cancel()
        thread.join(0.01)
    assert rounds > 10
