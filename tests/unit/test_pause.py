"""Python's search for cycles, off while trees are made and on again afterwards."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator

import pytest

from doralang.checker.library import check_source
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES, Pause
from doralang.text.source import Source


@pytest.fixture(autouse=True)
def _the_search_stays_as_it_was() -> Iterator[None]:
    assert gc.isenabled()
    yield
    assert gc.isenabled()


def test_it_is_off_inside_and_on_outside() -> None:
    with NO_CYCLES:
        assert not gc.isenabled()
        with NO_CYCLES:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), NO_CYCLES:
        raise ValueError("x")
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        check_source(Source("a.dora", "fun main() { }"), Diagnostics())
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_on_when_the_last_thread_has_left() -> None:
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with NO_CYCLES:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=stay)
    thread.start()
    inside.wait()
    with NO_CYCLES:
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_does_not_wait_for_threads_that_it_has_not() -> None:
    pause = Pause()
    pause.inside, pause.was_on = 1, True
    pause.lock.acquire()
    gc.disable()
    pause.forked()
    with pause:
        assert not gc.isenabled()


def test_a_text_with_errors_leaves_it_on() -> None:
    check_source(Source("a.dora", "fun main() { x; (((" + "(" * 5000), Diagnostics())
    assert gc.isenabled()
