"""Stretches of elements shared out among threads, tried with Python functions in the place of machine code."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event, get_ident, main_thread
from typing import Any

import pytest

from doralang.embed import stretches
from doralang.embed.arrays import ElementError
from doralang.embed.stretches import share

COUNT = 100


def marking(marks: list[int]) -> Callable[[int, int], None]:
    def compute(start: int, end: int) -> None:
        for at in range(start, end):
            marks[at] += 1

    return compute


@pytest.mark.parametrize("threads", [2, 3, 50, 100])
def test_every_element_once(threads: int) -> None:
    marks = [0] * COUNT
    share(marking(marks), COUNT, threads, 1)
    assert marks == [1] * COUNT


def test_threads_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "HELPERS", stretches.Helpers())
    monkeypatch.setattr(stretches, "MOST_THREADS", 2)
    seen: set[int] = set()
    both = [Event(), Event()]

    def meet(start: int, end: int) -> None:
        """The caller and another thread wait for each other, so there are two."""
        mine = int(get_ident() == main_thread().ident)
        both[mine].set()
        assert both[1 - mine].wait(10)
        seen.add(get_ident())

    for _ in range(20):
        both[:] = Event(), Event()
        share(meet, 2, 2, 1)
    assert len(seen) <= 1 + stretches.MOST_THREADS


def test_calls_within_calls_need_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "HELPERS", stretches.Helpers())
    monkeypatch.setattr(stretches, "MOST_THREADS", 1)
    marks = [0] * COUNT

    def inner(start: int, end: int) -> None:
        for at in range(start, end):
            share(lambda first, last, at=at: marking(marks)(at + first, at + last), 1, 4, 1)  # type: ignore[misc]

    share(inner, COUNT, 4, 1)
    assert marks == [1] * COUNT


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(stretches, "HELPERS", stretches.Helpers())
    monkeypatch.setattr("threading.Thread.start", refuse)
    marks = [0] * COUNT
    share(marking(marks), COUNT, 4, 1)
    assert marks == [1] * COUNT


def test_the_error_at_the_first_element_comes_out() -> None:
    done: list[int] = []

    def compute(start: int, end: int) -> None:
        done.append(start)
        if start >= 30:
            raise ElementError(start + 3, ValueError(start))

    for _ in range(20):
        done.clear()
        with pytest.raises(ElementError) as caught:
            share(compute, COUNT, 3, 10)
        assert caught.value.index == 33
        assert {0, 10, 20, 30} <= set(done)


def test_an_interruption_goes_before_errors_and_waits_for_all() -> None:
    at_work, told, ended = Event(), Event(), Event()

    def compute(start: int, end: int) -> None:
        if get_ident() == main_thread().ident:
            assert at_work.wait(10)
            told.set()
            raise KeyboardInterrupt
        at_work.set()
        assert told.wait(10)
        ended.set()
        raise ElementError(0, ValueError())

    with pytest.raises(KeyboardInterrupt):
        share(compute, 2, 2, 1)
    assert ended.is_set()


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_child_has_threads_of_its_own() -> None:
    share(marking([0] * COUNT), COUNT, 2, 1)
    child = os.fork()
    if not child:
        marks = [0] * COUNT
        share(marking(marks), COUNT, 2, 1)
        os._exit(0 if marks == [1] * COUNT and stretches.HELPERS.executor is not None else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_child_of_the_midst_of_a_call_does_not_wait_for_threads_that_it_has_not() -> None:
    helped, done = Event(), Event()
    children: list[int] = []

    def compute(start: int, end: int) -> None:
        if get_ident() != main_thread().ident:
            helped.set()
            assert done.wait(10)
            return
        if not children and helped.wait(10):
            children.append(os.fork())
            done.set()

    try:
        share(compute, 2, 2, 1)
    except RuntimeError as error:
        os._exit(7 if "forked within a call" in str(error) else 1)
    assert children and os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
