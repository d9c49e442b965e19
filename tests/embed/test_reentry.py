"""Handlers of signals and finalizers that compile, call and drop while their own thread is in the midst of that.

Python runs them where something is called or has returned, so a profiler, which Python calls there, is one
that comes at each of these moments: here once at each place of the source.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from itertools import count, takewhile
from types import CodeType, FrameType

import pytest

import doralang as dora
from doralang.embed import standard_input
from doralang.embed.standard_input import HostInput

ALL = bool(os.environ.get("DORA_EVERY_TEST"))
PARTS = (
    ("",) if ALL else ("/machine/memory.py", "/machine/ranges.py", "/runtime/", "/embed/", "/text/pause.py")
)
"""of the paths of what is interrupted"""
EVERY = 2 if ALL else 7
"""one of so many places is"""

PROGRAM = """
class Point(let x: int, let name: Str)
fun f(s: Str, n: int) -> Str {{
  let points = Vec::<Point>();
  for i in 0..n {{ points.push(Point(i, s + i.toString())); }}
  return points[n - 1].name + "{0}";
}}
"""


def work(number: int) -> tuple[object, ...]:
    """Something that compiles, places, calls and drops by all ways there are."""
    program = dora.compile(PROGRAM.format(number))
    formula = dora.expr(f"x * {number} + y")
    text = dora.expr('len(name) > 3 ? upper(name) : "-"', {"name": str}, limits=dora.Limits())
    return program.f("a", 5), formula(2.0, 1.0), text("Anna")


def expected(number: int) -> tuple[object, ...]:
    return f"a4{number}", 2.0 * number + 1.0, "ANNA"


def interrupted(action: Callable[[], object], handler: Callable[[], object]) -> int:
    """Call `action` in a thread of its own, and `handler` at some places in it; how many."""
    seen: dict[tuple[CodeType, int, str], int] = {}
    calls, errors = [0], []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        place = frame.f_code, frame.f_lasti, event
        path = frame.f_code.co_filename
        if place in seen or "/doralang/" not in path or not any(part in path for part in PARTS):
            return
        seen[place] = len(seen)
        if seen[place] % EVERY == 0 and not errors:
            calls[0] += 1
            try:
                handler()
            except BaseException as error:
                error.add_note(f"at {path}:{frame.f_lineno}, {event} {frame.f_code.co_qualname}")
                errors.append(error)

    def run() -> None:
        sys.setprofile(profile)
        try:
            action()
        except BaseException as error:
            errors.append(error)
        finally:
            sys.setprofile(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(600)
    assert not thread.is_alive(), "it waits for itself"
    if errors:
        raise errors[0]
    return calls[0]


def test_a_handler_may_do_everything_in_the_midst_of_everything() -> None:
    numbers = iter(range(1, 1 << 20))
    assert work(0) == expected(0)  # or it comes in the midst of an import, for which it could not wait

    def handler() -> None:
        number = next(numbers)
        assert work(number) == expected(number)

    def action() -> None:
        for number in range(-2, 0):
            assert work(number) == expected(number)

    calls = interrupted(action, handler)
    assert calls > 20
    assert gc.isenabled()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_leaves_no_lock_taken() -> None:
    """Wherever it comes: other threads would wait for ever for the one that has it."""
    texts = (PROGRAM.format(number) for number in range(1 << 20))
    space = dora.compile(next(texts))._program.code.space

    def ends_before(moment: int) -> bool:
        """Whether all was done when the moment would have come."""
        left = moment

        def profile(frame: FrameType, event: str, argument: object) -> None:
            nonlocal left
            file = frame.f_code.co_filename
            is_lock = file.endswith("/doralang/locks.py") and event != "return"  # nothing comes behind that
            is_here = is_lock or file.endswith("/runtime/code_space.py")
            if is_here and event != "c_call":  # Python looks for signals when C has returned
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt

        sys.setprofile(profile)
        try:
            dora.compile(next(texts)).f("a", 5)
        except KeyboardInterrupt:
            assert left == 0
        finally:
            sys.setprofile(None)
        assert not space.is_mine(), f"moment {moment}"
        return left > 0

    assert ends_before(1 << 30)
    moments = takewhile(lambda moment: not ends_before(moment), count(1, 1 if ALL else 5))
    assert len(list(moments)) > 10


def test_a_handler_may_read_while_its_thread_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next of what there is: nothing is lost, nothing comes twice, and nobody waits."""
    given = HostInput()
    lines = iter([b"first line\n", b"second\n", b"third\n"])
    read: list[bytes] = []

    def line() -> bytes:
        mine = next(lines)
        if mine.startswith(b"first"):
            read.append(given.read1(3))
        return mine

    def main() -> None:
        read.extend(given.read1(6) for _ in range(4))

    monkeypatch.setattr(standard_input, "line", line)
    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "it waits for itself"
    assert read == [b"sec", b"first ", b"line\n", b"ond\n", b"third\n"]
