"""Calls in machine code: which ones are, what they convert, and that nothing else is left behind."""

from __future__ import annotations

import gc
import struct
import sys
import threading
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

import doralang as dora
from doralang.embed import functions, layouts, wrappers
from doralang.embed.borders import Border
from doralang.embed.functions import SlowCallee
from doralang.embed.layouts import IntLayout, TextLayout
from doralang.embed.wrappers import Surroundings, Wrapped
from doralang.machine.targets import TARGETS
from doralang.runtime.code_space import CodeSpace

SOURCE = """
// Doubles a number.
// Wraps around.
fun twice(n: int) -> int { return 2 * n; }
fun wide(n: long) -> long { return n; }
fun small(n: byte) -> byte { return n; }
fun inverse(b: bool) -> bool { return !b; }
fun half(x: double) -> double { return x * 0.5; }
fun single(x: float) -> float { return x; }
fun letter(n: int) throws -> char { return try n.toChar(); }
fun same(s: Str) -> Str { return s; }
fun nothing(s: Str) -> Str { return nil; }
fun join(a: Str, n: int, b: Str) -> Str { return a + n.toString() + b; }
fun sum(a: int, b: long, c: double, d: int, e: int, f: int, g: int, h: bool, i: byte, j: float, k: long) -> double {
  var all = a.toLong() + b + (d + e * 10 + f * 100 + g * 1000).toLong() + k;
  if h { all = all + i.toInt().toLong(); }
  return all.toDouble() + c + j.toDouble();
}
fun count(s: Str) -> int { return s.len(); }
fun say(s: Str) { println(s); }
fun divide(a: int, b: int) -> int { return a / b; }
"""


@pytest.fixture(name="m")
def module() -> dora.Module:
    return dora.compile(SOURCE, print=None)


@pytest.fixture(name="slow")
def count_slow_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of functions that were called the slow way."""
    seen: list[str] = []
    call = SlowCallee.call

    def counted(self: SlowCallee, *args: Any, **kwargs: Any) -> Any:
        seen.append(self.function.name)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(SlowCallee, "call", counted)
    return seen


def warm(function: Callable[..., Any], *args: Any) -> None:
    """The first call of an instance is a slow one: it starts the ticker, and there is no heap yet."""
    for _ in range(3):
        function(*args)


def as_single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


CALLS: list[tuple[str, tuple[Any, ...], Any]] = [
    *(("twice", (n,), 2 * n) for n in (0, 1, -1, 255, 1 << 29, -(1 << 30))),
    ("twice", (1 << 30,), -(1 << 31)),
    *(("wide", (n,), n) for n in (0, 1, -1, 1 << 30, -(1 << 30), 1 << 60, (1 << 63) - 1, -(1 << 63))),
    *(("small", (n,), n) for n in (0, 1, 255)),
    ("inverse", (True,), False),
    ("inverse", (False,), True),
    *(("half", (x,), x / 2) for x in (0.0, 1.5, -1e308, float("inf"), 7, -3, 0)),
    *(("single", (x,), as_single(x)) for x in (0.0, 0.1, -1e-40, 3, 3.4028235677973362e38)),
    ("letter", (8364,), "€"),
    *(("same", (s,), s) for s in ("", "a", "wörld", "\U0001f600" * 9, "x" * 5000, "a\0b")),
    ("nothing", ("x",), None),
    ("join", ("a", 1, "ü"), "a1ü"),
    ("sum", (1, 2, 0.25, 3, 4, 5, 6, True, 7, 0.5, 8), 6561.75),
    ("sum", (-1, 2, 0.25, -3, 4, 5, 6, False, 7, -0.5, -(1 << 40)), 6537.75 - (1 << 40)),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), CALLS)
def test_calls_in_machine_code(
    m: dora.Module, slow: list[str], name: str, arguments: tuple[Any, ...], expected: Any
) -> None:
    function = getattr(m, name)
    warm(function, *arguments)
    slow.clear()
    result = function(*arguments)
    assert (result, type(result)) == (expected, type(expected))
    assert slow == []


REFUSED: list[tuple[str, Any, type[Exception], str]] = [
    *(("twice", n, OverflowError, "`n`: .* does not fit int") for n in (1 << 31, -(1 << 31) - 1, 1 << 70)),
    *(("wide", n, OverflowError, "`n`: .* does not fit long") for n in (1 << 63, -(1 << 63) - 1, 1 << 200)),
    *(("small", n, OverflowError, "`n`: .* does not fit byte") for n in (-1, 256, 1 << 64)),
    *(("single", x, OverflowError, "`x`: .* too large") for x in (3.5e38, -3.4028235677973366e38)),
    ("half", 1 << 1024, OverflowError, "`x`: .* too large"),
    *(("inverse", b, TypeError, "`b`: expected bool") for b in (0, 1, None)),
    *(("twice", n, TypeError, "`n`: expected int") for n in (1.0, True, "1", None)),
    *(("same", s, TypeError, "`s`: expected str") for s in (b"", 1, None)),
    ("same", "\ud800", ValueError, "lone surrogate"),
]


@pytest.mark.parametrize(("name", "argument", "error", "message"), REFUSED)
def test_what_does_not_fit(
    m: dora.Module, name: str, argument: Any, error: type[Exception], message: str
) -> None:
    for _ in range(3):
        with pytest.raises(error, match=message):
            getattr(m, name)(argument)


class MyInt(int):
    """Not exactly an `int`, but one."""


class MyText(str):
    """A `str` of another class."""


def test_the_slow_way_takes_the_rest(m: dora.Module) -> None:
    assert m.twice(MyInt(4)) == 8 and m.same(MyText("ab")) == "ab"
    assert m.half(1 << 60) == float(1 << 59)
    assert m.single(float("-inf")) == float("-inf")
    assert m.join(b="b", n=2, a="a") == m.join("a", b="b", n=2) == "a2b"
    for wrong in (lambda: m.twice(), lambda: m.twice(1, 2), lambda: m.twice(1, n=2), lambda: m.twice(k=1)):
        with pytest.raises(TypeError, match="twice"):
            wrong()


def test_what_functions_say_of_themselves(m: dora.Module) -> None:
    assert (m.twice.__name__, m.twice.__doc__) == ("twice", "Doubles a number.\nWraps around.")
    assert m.half.__doc__ is None
    assert repr(m.twice) == "<dora function twice(int) -> int>"
    assert m.twice is m.twice and m.functions["twice"] is m.twice
    with pytest.raises(AttributeError, match="no function of the name `absent`"):
        m.absent  # noqa: B018


def test_texts_are_collected(m: dora.Module, slow: list[str]) -> None:
    """Arguments fill the heap again and again, and hardly any call is a slow one."""
    text = "0123456789" * 100
    m = dora.compile(SOURCE, limits=dora.Limits(memory="4MB"))
    for _ in range(20_000):
        assert m.count(text) == 1000
    assert m.count("x" * 1_000_000) == 1_000_000
    with pytest.raises(dora.OutOfMemory):
        m.count("x" * 5_000_000)
    assert m.same(text) == text and len(slow) < 10


def test_several_texts_survive_a_collection() -> None:
    m = dora.compile(SOURCE, limits=dora.Limits(memory="1MB"))
    for number in range(5_000):
        assert m.join("a" * 100, number, "b" * 100) == "a" * 100 + str(number) + "b" * 100


def test_printing_and_failing(slow: list[str]) -> None:
    printed: list[str] = []
    m = dora.compile(SOURCE, print=printed.append)
    warm(m.say, "x")
    slow.clear()
    m.say("one")
    m.say("two")
    assert printed[3:] == ["one\n", "two\n"] and slow == []
    warm(m.divide, 1, 1)
    slow.clear()
    for _ in range(3):
        with pytest.raises(dora.DivisionByZero) as caught:
            m.divide(1, 0)
        assert caught.value.trace == (dora.Frame("divide(int, int) -> int", None, 21),)
    assert slow == [] and m.divide(6, 3) == 2


def test_a_print_that_raises_or_calls_back() -> None:
    def print(text: str) -> None:
        if text == "deep\n":
            m.say("again")
        raise KeyError(text)

    m = dora.compile("var n: int = 1; fun say(s: Str) { println(s); }", print=print)
    for _ in range(3):
        with pytest.raises(KeyError, match="one"):
            m.say("one")
        with pytest.raises(dora.InstanceBusy):
            m.say("deep")


def test_threads_share_a_module(m: dora.Module) -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        for n in range(2000):
            if m.join("a", n, "b") != f"a{n}b" or m.twice(n + number) != 2 * (n + number):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_functions_outlive_their_module() -> None:
    gc.collect()
    twice = dora.compile(SOURCE).twice
    assert twice(4) == 8
    instance = dora.compile("var n: int = 0; fun next() -> int { n = n + 1; return n; }").new()
    step = instance.next
    assert [step(), step()] == [1, 2]
    instance.close()
    with pytest.raises(dora.InstanceSpent):
        step()


def test_dropping_needs_no_collector() -> None:
    """Wrappers, code and thread blocks go with the last reference."""

    def use(number: int) -> CodeSpace:
        m = dora.compile(f"fun f(a: int, b: byte, c: bool) -> int {{ return a + {number}; }}")
        assert m.f(1, 2, True) == 1 + number
        return m._program.code.space

    def held() -> tuple[int, int, int]:
        return space.arena.code.used, space.arena.data.used, len(space.ticker.slots)

    gc.collect()
    gc.disable()
    try:
        space = use(0)
        before = held()
        for number in range(30):
            use(number)
        assert held() == before
    finally:
        gc.enable()


# The layouts, and the code for both processors.


def test_the_layout_of_this_interpreter_is_known() -> None:
    assert layouts.int_layout() is not IntLayout.CALL and layouts.floats_are_known()


def test_a_wrong_layout_is_noticed() -> None:
    right = layouts.int_layout()
    wrong = IntLayout.TAG if right is IntLayout.SIZE else IntLayout.SIZE
    assert layouts.holds(right) and not layouts.holds(wrong)


def test_ints_without_a_layout(monkeypatch: pytest.MonkeyPatch, slow: list[str]) -> None:
    monkeypatch.setattr(layouts, "int_layout", lambda: IntLayout.CALL)
    m = dora.compile(
        "fun f(a: int, b: long, c: byte) -> long { return a.toLong() + b + c.toInt().toLong(); }"
    )
    warm(m.f, 1, 2, 3)
    slow.clear()
    assert m.f(-5, 1 << 40, 7) == (1 << 40) + 2 and slow == []
    for arguments in ((1 << 31, 0, 0), (0, 1 << 63, 0), (0, 0, 256)):
        with pytest.raises(OverflowError):
            m.f(*arguments)


@pytest.mark.parametrize("known", [True, False])
def test_texts_of_all_lengths(monkeypatch: pytest.MonkeyPatch, slow: list[str], known: bool) -> None:
    """Those that are copied here, those that the C library copies, and those that CPython reads and makes."""
    assert layouts.text_layout() is not None
    if not known:
        monkeypatch.setattr(layouts, "text_layout", lambda: None)
    monkeypatch.setattr(functions, "WRAPPERS", {})
    m = dora.compile("fun f(a: Str, b: Str) -> Str { a + b }")
    warm(m.f, "a", "b")
    slow.clear()
    for length in range(140):
        text = "".join(chr(33 + index % 90) for index in range(length))
        assert m.f(text, "") == m.f("", text) == text
        assert m.f(text, text) == text + text
        for index in {0, length // 2, length - 1} & {*range(length)}:
            other = text[:index] + "\xe9" + text[index + 1 :]
            assert m.f(other, "") == other and m.f(text, other) == text + other
        assert m.f(text + "\u6f22", text) == text + "\u6f22" + text
    assert slow == []


def test_texts_that_are_no_plain_ones() -> None:
    class Other(str):
        pass

    m = dora.compile("fun f(a: Str) -> Str { a }")
    for text in (Other("abc"), "a\0b", "\x7f\x80", "\U0010ffff", sys.version, "x" * 100_000):
        assert m.f(text) == text and type(m.f(text)) is str
    with pytest.raises(ValueError):
        m.f("\ud800")
    nothing = dora.compile("fun f() -> Str { nil }")
    assert nothing.f() is None


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("ints", IntLayout)
def test_wrappers_for_every_processor(target: str, ints: IntLayout) -> None:
    """Each way in and each way out is assembled, alone and with so many arguments that some are on the stack."""
    around = Surroundings(0x1234_5678_9ABC, ints, floats=True, items=24, texts=TextLayout(0x60, 40))
    ways = [*wrappers.TAKE, Border.TEXT]
    for parameters, result in product([(), *([way] for way in ways), ways * 3], wrappers.GIVE):
        wrapped = Wrapped(tuple(parameters), result)
        assert wrappers.can_wrap(wrapped, around)
        code = wrappers.wrapper(TARGETS[target].assembler(), wrapped, around)
        assert len(code.data) > 100 and (target == "x64" or len(code.data) % 4 == 0)
