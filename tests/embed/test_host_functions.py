"""Python functions that programs call, objects that Python holds, and functions by themselves."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

import doralang as dora

SOURCE = """
class Point(var x: int, let name: Str, let next: Point) {
  fun move(by: int) -> int { self.x = self.x + by; return self.x; }
}
open class Shape { open fun sides() -> int { return 0; } }
class Square: Shape { override fun sides() -> int { return 4; } }
var last: Point = nil;
fun make(x: int, name: Str) -> Point { last = Point(x, name, last); return last; }
fun read(p: Point) -> int { return p.x; }
fun isLast(p: Point) -> bool { return p === last; }
fun isNil(p: Point) -> bool { return p === nil; }
fun square() -> Shape { return Square(); }
fun nothing() -> Point { return nil; }
fun churn(n: int) { var i = 0; while i < n { Array::<long>(100); i = i + 1; } }
"""


@pytest.fixture(name="m")
def module() -> dora.Module:
    return dora.compile(SOURCE, limits=dora.Limits(memory="2MB"))


# Objects.


def test_objects(m: dora.Module) -> None:
    first = m.make(3, "one")
    second = m.make(5, "two")
    assert isinstance(first, dora.Object) and repr(first) == "<dora object of Point>"
    assert (first.x, first.name, first.next) == (3, "one", None)
    assert second.next == first and second != first and hash(second.next) == hash(first)
    assert first.move(4) == 7 and first.move(by=-1) == 6 == m.read(first)
    first.x = -9
    assert m.read(first) == -9 and m.isLast(second) and not m.isLast(first)
    assert m.nothing() is None and m.isNil(None)
    assert m.square().sides() == 4 and repr(m.square()) == "<dora object of Square>"
    assert {"x", "name", "move"} <= set(dir(first))


def test_objects_survive_collections(m: dora.Module) -> None:
    held = [m.make(number, str(number)) for number in range(50)]
    for _ in range(20):
        m.churn(500)
    assert [(one.x, one.name) for one in held] == [(number, str(number)) for number in range(50)]


def test_handles_are_used_again(m: dora.Module) -> None:
    for number in range(2000):
        m.make(number, "x")
    handles = m.instance._instances.host.instance.handles
    assert handles.table.top - handles.table.start < 100


def test_objects_in_a_cycle(recwarn: pytest.WarningsRecorder) -> None:
    """Python's collector may free the instance before what is held in it."""
    for number in range(5):
        held: list[Any] = []
        instance = dora.compile(SOURCE).new()
        held += [held, instance, instance.make(number, "x")]
        del instance, held
        gc.collect()
    assert not [one for one in recwarn if "ignored" in str(one.message)]


class Finalized:
    """Uses a program when it dies together with it."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self.me = self
        self.seen: list[Any] = []

    def __del__(self) -> None:
        FINALIZED.append(self.program.isNil(None))
        FINALIZED.append(self.program.make(len(FINALIZED), "x").x)


FINALIZED: list[Any] = []


def test_finalizers_may_use_what_dies_with_them() -> None:
    FINALIZED.clear()
    for _ in range(20):
        one = Finalized(dora.compile(SOURCE))
        one.program.make(1, "x")
        one.program.cycle = one
        del one
        gc.collect()
    gc.collect()
    assert [one for number in range(20) for one in (True, 2 * number + 1)] == FINALIZED


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda m, p: m.read(3), TypeError, "`p`: expected Point, found int"),
        (lambda m, p: m.read(m.square()), TypeError, "`p`: expected Point, found Square"),
        (lambda m, p: m.new().read(p), TypeError, "another instance"),
        (lambda m, p: p.absent, AttributeError, "no field or method `absent`"),
        (lambda m, p: setattr(p, "name", "x"), AttributeError, "`name` cannot be changed"),
        (lambda m, p: setattr(p, "absent", 1), AttributeError, "no field `absent`"),
        (lambda m, p: setattr(p, "x", 1 << 31), OverflowError, "`x`"),
        (lambda m, p: m.read(None), AttributeError, "nil check failed"),
    ],
)
def test_what_objects_refuse(m: dora.Module, use: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use(m, m.make(1, "p"))


def test_objects_of_a_closed_instance(m: dora.Module) -> None:
    instance = m.new()
    point = instance.make(1, "p")
    instance.close()
    for use in (lambda: point.x, lambda: point.move(1), lambda: setattr(point, "x", 2)):
        with pytest.raises(dora.InstanceSpent):
            use()


# Host functions.

CALLER = """
fun price(r: int) -> double { return 100.0 * rate(r, "abc"); }
fun guarded(r: int) -> double { do { return price(r); } catch x: Str { return -1.0; } }
fun labels(n: int) -> int {
  var all = 0;
  var i = 0;
  while i < n { all = all + label(i.toLong()).len(); i = i + 1; }
  return all;
}
fun all(a: bool, b: byte, c: char, d: int, e: long, f: float, g: double, h: Str) -> Str {
  return echo(a, b, c, d, e, f, g, h);
}
fun poke() { hook(); }
"""


def rate(region: int, name: str) -> float:
    if region < 0:
        raise KeyError(name)
    return region / 4


def label(n: "long") -> str:  # type: ignore[name-defined]  # noqa: F821, UP037
    return f"number {n} " * 10


def echo(a: bool, b: "byte", c: "char", d: int, e: "long", f: "double", g: float, h: str) -> str:  # type: ignore[name-defined]  # noqa: F821, UP037
    return repr((a, b, c, d, e, f, g, h))


def compiled(hook: Any, **options: Any) -> dora.Module:
    def named() -> None:
        hook()

    source = CALLER.replace("d, e, f, g, h)", "d, e, f.toDouble(), g, h)")
    functions = {"rate": rate, "label": label, "echo": echo, "hook": named}
    return dora.compile(source, functions=functions, **options)


def test_host_functions() -> None:
    m = compiled(lambda: None, limits=dora.Limits(memory="1MB"))
    assert [m.price(r) for r in (3, 5, 4)] == [75.0, 125.0, 100.0]
    assert m.all(True, 255, "ü", -1, -(1 << 60), 1.5, 0.1, "é") == repr(
        (True, 255, "ü", -1, -(1 << 60), 1.5, 0.1, "é")
    )
    assert m.labels(20_000) == sum(len(label(n)) for n in range(20_000))


def test_exceptions_pass_through() -> None:
    m = compiled(lambda: None)
    for call in (m.price, m.guarded):
        for _ in range(3):
            with pytest.raises(KeyError, match="abc") as caught:
                call(-1)
            names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
            assert names[-1] == "rate"
    assert m.price(4) == 100.0


class Wrong:
    """Not what is declared."""


@pytest.mark.parametrize(
    "error", [MemoryError, RecursionError, ZeroDivisionError, KeyboardInterrupt, SystemExit]
)
def test_exceptions_come_out_as_themselves(error: type[BaseException]) -> None:
    raised = error("mine")

    def hook() -> None:
        raise raised

    m = compiled(hook)
    with pytest.raises(error) as caught:
        m.poke()
    assert caught.value is raised


def test_wrong_results() -> None:
    def number() -> int:
        return answers.pop()

    answers: list[Any] = [1 << 31, "x", 7]
    m = dora.compile("fun f() -> int { return number(); }", functions={"number": number})
    assert m.f() == 7
    with pytest.raises(TypeError, match=r"number\(\): its result`: expected int, found str"):
        m.f()
    with pytest.raises(OverflowError, match="does not fit int"):
        m.f()


def test_what_is_no_host_function() -> None:
    def bare(x):  # type: ignore[no-untyped-def]
        return x

    def starred(*x: int) -> int:
        return 1

    def odd(x: list[int]) -> int:
        return 1

    for function, message in ((bare, "no annotation"), (starred, "not a plain"), (odd, "annotated with")):
        with pytest.raises(TypeError, match=message):
            dora.compile("fun f() {}", functions={"g": function})
    with pytest.raises(TypeError, match="not callable"):
        dora.compile("fun f() {}", functions={"g": 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="is no name"):
        dora.compile("fun f() {}", functions={"a b": rate})
    with pytest.raises(dora.CompileError, match="rate"):
        dora.compile("fun rate() {}", functions={"rate": rate})
    with pytest.raises(dora.CompileError):
        dora.compile("fun f() { rate(1, 2); }", functions={"rate": rate})
    with pytest.raises(dora.CompileError):
        dora.compile('fun f() -> double { return rate(1, "x"); }')


# What must not crash.


def test_a_running_instance_is_busy() -> None:
    found: list[type[BaseException]] = []

    def hook() -> None:
        for use in (instance.poke, instance.close, lambda: instance.price(1)):
            try:
                use()
            except dora.DoraError as error:
                found.append(type(error))
        assert other.price(4) == 100.0

    m = compiled(hook)
    instance, other = m.new(), m.new()
    for _ in range(3):
        instance.poke()
    assert found == [dora.InstanceBusy] * 9 and instance.price(4) == 100.0


def test_a_module_without_globals_may_be_called_again() -> None:
    depth = 0

    def hook() -> None:
        nonlocal depth
        depth += 1
        if depth < 20:
            m.poke()

    m = compiled(hook)
    m.poke()
    assert depth == 20


def test_the_last_reference_is_dropped_in_a_host_function() -> None:
    held: dict[str, Any] = {}

    def hook() -> None:
        held.clear()
        gc.collect()

    for _ in range(3):
        m = compiled(hook)
        held["poke"] = m.poke
        alive = weakref.ref(m._program)
        del m
        held["poke"]()
        gc.collect()
        assert alive() is None


def test_another_thread_is_told() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hook() -> None:
        inside.set()
        go_on.wait(10)

    instance = compiled(hook).new()
    thread = threading.Thread(target=instance.poke)
    thread.start()
    assert inside.wait(10)
    for use in (lambda: instance.price(1), instance.close):
        with pytest.raises(dora.InstanceBusy):
            use()
    go_on.set()
    thread.join()
    assert instance.price(4) == 100.0


# Functions by themselves.


@dora.function
def collatz(n: int, most: int = 1000) -> int:
    """
    var at = n.toLong();
    var steps = 0;
    while at != 1L && steps < most {
      if at % 2L == 0L { at = at / 2L; } else { at = 3L * at + 1L; }
      steps = steps + 1;
    }
    return steps;
    """


def test_a_decorated_stub() -> None:
    assert collatz(27) == 111 and collatz(27, 5) == 5 and collatz(most=3, n=27) == 3
    assert str(collatz.__signature__) == "(n: 'int', most: 'int' = 1000) -> 'int'"
    assert (collatz.__name__, collatz.__module__) == ("collatz", __name__)


def test_a_function_from_its_text() -> None:
    triangle = dora.function(
        "fun half(n: int) -> int { return n / 2; } fun triangle(n: int) -> int { return half(n * (n + 1)); }"
    )
    assert triangle(100) == 5050
    with pytest.raises(ValueError, match="no function"):
        dora.function("class A")
    with pytest.raises(dora.CompileError, match="unknown"):

        @dora.function
        def wrong(n: int) -> int:
            """return unknown(n);"""

    with pytest.raises(ValueError, match="no docstring"):

        @dora.function
        def bare(n: int) -> int:
            return n


def at_depth(depth: int, action: Callable[[], object]) -> object:
    """What an action gives when so many calls of Python are under way."""
    return action() if depth == 0 else at_depth(depth - 1, action)


def room_left() -> int:
    """How many calls deeper Python goes."""
    try:
        return 1 + room_left()
    except RecursionError:
        return 0


@pytest.mark.parametrize("globals", ["", "var count: int = 0;"])
def test_recursion_up_to_the_limit_of_python(globals: str) -> None:
    """It is a RecursionError wherever the limit is reached, and afterwards all goes on."""

    def hook(n: int, s: str) -> str:
        other: str = m.f(n + 1, s)
        return other

    own = 'fun f(n: int, s: Str) -> Str { hook(n, s) + "a" } fun g(n: int) -> int { n + 1 }'
    m = dora.compile(globals + own, functions={"hook": hook})
    if not globals:
        for depth in range(20):
            with pytest.raises(RecursionError):
                at_depth(depth, lambda: m.f(1, "a"))
    room = room_left()
    for depth in range(max(room - 60, 0), room):
        fresh = m.new()
        with suppress(RecursionError):
            assert at_depth(depth, partial(fresh.g, depth)) == depth + 1
        assert fresh.g(n=3) == 4
    assert m.g(1) == 2
