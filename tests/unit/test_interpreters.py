"""The interpreters where programs are unusual: deep, long, cut off, or called from outside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from doralang.interpreter.objects import Array, Str
from doralang.treewalk.interpreter import MOST_FRAMES
from doralang.types.failures import Exit, Failure
from doralang.types.traps import Trap
from walking import INTERPRETERS, Result, Walk

Make = Callable[..., Walk]
"""of a program's text, with further options"""


@pytest.fixture(params=INTERPRETERS)
def make(request: pytest.FixtureRequest) -> Make:
    def make(text: str, **options: Any) -> Walk:
        return Walk(text, engine=request.param, **options)

    return make


DOWN = "fun down(n: int) -> int { if n == 0 { return 0; } return 1 + down(n - 1); }\n"


# Depth.


def test_deep_recursion(make: Make) -> None:
    assert make(DOWN + "fun main() { println(down(20000).toString()); }").run() == Result(0, "20000\n", "")


def test_recursion_without_end(make: Make) -> None:
    walk = make("fun main() { main(); }")
    limit = sys.getrecursionlimit()
    result = walk.run()
    lines = result.err.splitlines()
    assert (result.status, lines[0], lines[1], lines[101]) == (108, "stack overflow", "0: main(): 1", "...")
    assert len(lines) == 202
    assert int(lines[-1].split(":")[0]) >= 5000
    assert sys.getrecursionlimit() == limit


def test_the_engine_is_good_for_more_calls_after_a_stack_overflow(make: Make) -> None:
    walk = make(DOWN + "fun main() {}")
    with pytest.raises(Failure) as caught:
        walk.call("down", -1)
    assert caught.value.trap is Trap.STACK
    assert walk.call("down", 100) == 100


def test_recursion_through_calls_by_name(make: Make) -> None:
    text = """
        var level: int;
        fun deeper() { level = level + 1; if level < 6000 { call("deeper"); } }
        fun main() { deeper(); println(level.toString()); }
    """
    assert make(text).run() == Result(0, "6000\n", "")


def test_recursion_through_constructors_methods_and_try(make: Make) -> None:
    text = """
        class Nest(n: int) { let inner: Nest = nest(n); }
        fun nest(n: int) -> Nest { if n == 0 { return nil; } return Nest(n - 1); }
        open class Node { open fun depth(n: int) throws -> int { throw "end"; } }
        class Inner(let next: Node): Node {
          override fun depth(n: int) throws -> int { return try self.next.depth(n + 1) else n; }
        }
        fun main() {
          var node = Node();
          for i in range(0, 6000) { node = Inner(node); }
          println((try! node.depth(0)).toString());
          println((nest(6000) === nil).toString());
        }
    """
    assert make(text).run() == Result(0, "5999\nfalse\n", "")


def test_exception_through_many_frames(make: Make) -> None:
    text = """
        fun down(n: int) throws { if n == 0 { throw "up"; } try down(n - 1); }
        fun main() { do { try down(6000); } catch text: Str { println(text); } }
    """
    assert make(text).run() == Result(0, "up\n", "")


def test_recursion_within_enormous_expressions(make: Make) -> None:
    """Python's own limit is reached before that of frames."""
    ones = 100
    body = "1 + (" * ones + "f(n + 1)" + ")" * ones
    result = make(f"fun f(n: int) -> int {{ return {body}; }}\nfun main() {{ f(0); }}").run()
    lines = result.err.splitlines()
    assert (result.status, lines[0], lines[-1].split(": ", 1)[1]) == (108, "stack overflow", "main(): 2")
    assert int(lines[-1].split(":")[0]) < MOST_FRAMES


# Length.


def test_long_chains(make: Make) -> None:
    text = f"""
        class Counter(var n: int) {{ fun up() -> Counter {{ self.n = self.n + 1; return self; }} }}
        fun yes() -> bool {{ return true; }}
        fun main() {{
          println(({"+".join(["1"] * 300_000)}).toString());
          println(Counter(0){".up()" * 10_000}.n.toString());
          println(({" && ".join(["yes()"] * 10_000)}).toString());
          println(({"+".join(['"a"'] * 10_000)}).len().toString());
        }}
    """
    assert make(text).run() == Result(0, "300000\n10000\ntrue\n10000\n", "")


# Calls from outside.


def test_values_go_in_and_out(make: Make) -> None:
    walk = make("fun add(a: int, b: int) -> int { return a + b; } fun main() {}")
    assert walk.call("add", 2**31 - 1, 1) == -(2**31)
    assert str(walk.call("longToText", -5)) == "-5"


def test_failure_of_a_call(make: Make) -> None:
    walk = make("fun f(a: Array<int>) -> int { return a[3]; } fun main() {}")
    with pytest.raises(Failure) as caught:
        walk.call("f", None)
    failure = caught.value
    assert (failure.trap, failure.line, failure.status) == (Trap.NIL, "nil check failed", 103)
    assert failure.trace == ["f(Array<int>) -> int: 1"]
    assert failure.report() == b"nil check failed\n0: f(Array<int>) -> int: 1\n"


def test_fatal_errors_and_exit_of_a_call(make: Make) -> None:
    walk = make('fun f() { fatalError("no"); } fun g() { print("bye"); exit(300); } fun main() {}')
    with pytest.raises(Failure) as failed:
        walk.call("f")
    assert (failed.value.trap, failed.value.line, failed.value.trace) == (None, "fatal error: no", [])
    with pytest.raises(Exit) as exited:
        walk.call("g")
    assert exited.value.status == 44
    assert walk.stdout.getvalue() == b"bye"


def test_interrupt(make: Make) -> None:
    """Ctrl-C arrives as a Python exception, here from a stream."""

    class Impatient:
        def isatty(self) -> bool:
            return True

        def write(self, data: bytes) -> None:
            raise KeyboardInterrupt

        def flush(self) -> None:
            pass

    walk = make('fun main() {\n  do {\n    println("x"); } finally { println("y"); } }')
    walk.interpreter.output = walk.interpreter.context.output = type(walk.interpreter.output)(Impatient())
    result = walk.run()
    assert (result.status, result.err) == (130, "interrupted\n0: main(): 3\n")


# Memory.


@pytest.mark.parametrize(
    ("code", "fails"),
    [
        ("Array::<int>(-1);", True),
        ("Array::<long>(4000);", True),
        ("Array::<long>(126);", False),
        ("Array::<byte>(1000);", False),
        ('Array::<Str>(500, "x");', True),
        ('var s = "0123456789"; while true { s = s + s; }', True),
    ],
)
def test_heap_size_limits_each_object(make: Make, code: str, fails: bool) -> None:
    result = make(f"fun main() {{ {code} }}", heap_size=1 << 10).run()
    expected = Result(107, "", "out of memory\n0: main(): 1\n") if fails else Result(0, "", "")
    assert result == expected


def test_primitive_arrays_are_buffers(make: Make) -> None:
    text = """
        fun bytes() -> Array<byte> { return Array(3, 7Y); }
        fun flags() -> Array<bool> { let a = Array::<bool>(2); a[1] = true; return a; }
        fun chars() -> Array<char> { return Array(2, 'é'); }
        fun reals() -> Array<float> { return Array(2, 0.1F); }
        fun both() -> bool { let a = flags(); return a[0].equals(false) && a[1]; }
        fun main() {}
    """
    walk = make(text)
    for name, size, content in (
        ("bytes", 1, [7, 7, 7]),
        ("flags", 1, [0, 1]),
        ("chars", 4, [233, 233]),
        ("reals", 4, [0.10000000149011612] * 2),
    ):
        array = walk.call(name)
        assert isinstance(array, Array)
        view = memoryview(array.items)  # type: ignore[arg-type]
        assert (view.itemsize, view.tolist()) == (size, content)
    assert walk.call("both") is True


def test_arguments_that_are_no_utf8(make: Make) -> None:
    walk = make("fun f() -> Str { return argv(0); } fun main() {}", arguments=["a\udcffb"])
    text = walk.call("f")
    assert isinstance(text, Str) and text.data == "a\ufffdb".encode()
