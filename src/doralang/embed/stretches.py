"""Stretches of elements, shared out among threads.

    caller     takes the next stretch, and the next, …, then waits for the others
    others     the same, in threads that are kept from call to call

Whoever is free takes the next stretch, so no thread waits for a slower one but at the very end, and a call
whose helpers never come, since all are busy or no thread can be started, is done by its caller alone: calls
within calls cannot block each other.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Condition
from typing import TYPE_CHECKING, Final

from doralang.embed.arrays import ElementError

if TYPE_CHECKING:
    from collections.abc import Callable

    Compute = Callable[[int, int], None]
    """compute(first element, the one behind the last)"""

MOST_THREADS: Final = os.cpu_count() or 1
"""so many helpers exist at most, since more have no processor to work on; a thread that is started stays"""
ROUNDS: Final = 4
"""stretches a thread, so that one that is held up keeps the others waiting for a fourth of its part only"""


class Helpers:
    """The threads that help, started when they are first wanted."""

    def __init__(self) -> None:
        self.executor: ThreadPoolExecutor | None = None
        self.forks = 0
        """how many forks lie between this process and the one in which the first threads were started"""

    def ask(self, work: Callable[[], None], count: int) -> None:
        """Let so many threads do some work, or as many as can be had."""
        if self.executor is None:
            made = ThreadPoolExecutor(MOST_THREADS, "doralang")
            self.executor = self.executor or made  # of all threads that make one; nobody comes in between
        try:
            for _ in range(count):
                self.executor.submit(work)
        except RuntimeError:
            return  # no thread can be started, or the interpreter is about to end

    def forget(self) -> None:
        """In a child after a fork, which has none of the threads."""
        self.executor = None
        self.forks += 1


HELPERS: Final = Helpers()
os.register_at_fork(after_in_child=HELPERS.forget)


class SharedStretches:
    """The stretches of one call, and who is at work on them."""

    def __init__(self, compute: Compute, bounds: list[int]) -> None:
        self.compute = compute
        self.waiting = deque(pairwise(bounds))
        self.errors: list[tuple[int, BaseException]] = []
        """with the element at which it was"""
        self.changed = Condition()
        self.forks = HELPERS.forks
        self.helping = 0
        self.is_over = False
        """whether the caller does not wait for anybody who comes now"""

    def work(self) -> None:
        """Compute stretches until there are no more.

        They are taken in order, so when one fails those before it are done or in work, and only the others
        are left out.
        """
        while self.waiting:
            try:
                start, end = self.waiting.popleft()
            except IndexError:
                return  # somebody was faster
            try:
                self.compute(start, end)
            except BaseException as error:
                self.waiting.clear()
                index = error.index if isinstance(error, ElementError) else start
                self.errors.append((index, error))

    def help(self) -> None:
        """The work of a thread that is not the caller's."""
        with self.changed:
            if self.is_over:
                return
            self.helping += 1
        try:
            self.work()
        finally:
            with self.changed:
                self.helping -= 1
                self.changed.notify_all()

    def settle(self) -> None:
        """Wait until nobody is at work: the memory belongs to the caller.

        Raises RuntimeError in a child that was forked in the midst of the call: what others were at is not
        done there.
        """
        if self.forks != HELPERS.forks:
            raise RuntimeError("the process was forked within a call with several threads")
        with self.changed:
            self.is_over = True
            while self.helping:
                self.changed.wait()


def share(compute: Compute, count: int, threads: int, least: int) -> None:
    """Compute so many elements in several threads, in stretches that are not shorter than `least`.

    Raises what `compute` does, of several errors that at the first element.  Ctrl-C ends the call when all
    threads have come to the end of their stretch.
    """
    parts = max(threads, min(threads * ROUNDS, count // least))
    shared = SharedStretches(compute, [count * number // parts for number in range(parts + 1)])
    interruption: BaseException | None = None
    try:
        HELPERS.ask(shared.help, threads - 1)
        shared.work()
    except BaseException as error:  # between two stretches
        shared.waiting.clear()
        interruption = error
    while shared.forks == HELPERS.forks or interruption is None:
        try:
            shared.settle()
            break
        except BaseException as error:
            shared.waiting.clear()
            interruption = error
    if interruption is not None:
        raise interruption
    if shared.errors:
        raise first_error(shared.errors)


def first_error(errors: list[tuple[int, BaseException]]) -> BaseException:
    """That of the first element, but before it what is meant for the whole call, as Ctrl-C is."""
    return min(errors, key=lambda found: (isinstance(found[1], Exception), found[0]))[1]
