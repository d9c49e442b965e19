"""Signals that end the process: one is enough, nothing that was printed is lost, and Python says nothing.

While the command starts and when it is done, a signal ends the process at once: there is nothing to save.
In between it raises, once, so that programs end with their trace and what they printed is written:

    Ctrl-C               KeyboardInterrupt    exit status 130
    SIGTERM, SIGHUP      Terminated           the process ends by that signal, 143 and 129 for a shell

A second signal ends the process at once, as does a reader that does not take the rest of the output in time.
Python loses what is raised in a finalizer or a callback of a weak reference; then it is raised again later.
Only the process of the command calls anything here: a host program's signals are its own.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # what is below `signal` and its enums
import os
import sys
from _thread import get_ident

TYPE_CHECKING = False  # that of `typing`, which would have to be loaded before any signal is looked at
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Final, NoReturn

TERMINATING: Final = (signal.SIGTERM, signal.SIGHUP)
ENDING: Final = (signal.SIGINT, *TERMINATING)
INTERRUPTED: Final = 130
SOON: Final = 0.001
PATIENCE: Final = 5.0
"""seconds for the rest after a signal"""


class Terminated(BaseException):
    """The process was told to end, by another signal than Ctrl-C."""


class Received:
    """The first signal that has raised, or 0; and what is not to be cut in two."""

    number = 0
    waiting = 0
    """a signal that came within a shield"""
    shielded = False
    thread = 0
    """the main thread, which is the one that signals interrupt"""


RECEIVED: Final = Received()


class Shield:
    """Within such a block a signal does not raise, but at its end.  There is none within another."""

    def __enter__(self) -> None:
        RECEIVED.shielded = get_ident() == RECEIVED.thread

    def __exit__(self, *error: object) -> None:
        if get_ident() == RECEIVED.thread:
            RECEIVED.shielded = False
            if RECEIVED.waiting:
                interrupt(RECEIVED.waiting, None)


def end_at_once() -> None:
    """From now on a signal ends the process without further ado."""
    watch(leave)


def raise_once() -> None:
    """From now on a signal raises, and the next one ends the process."""
    sys.unraisablehook = raise_later
    RECEIVED.thread = get_ident()
    watch(interrupt)


def watch(handler: Any) -> None:
    """Let a function handle the signals, but for those that whoever started the process has it ignore."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt or Terminated."""
    if RECEIVED.shielded:
        RECEIVED.waiting = number
        return
    if number != signal.SIGALRM:
        RECEIVED.number = number
    watch(leave)
    signal.signal(signal.SIGALRM, leave)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    if RECEIVED.number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated


def raise_later(lost: sys.UnraisableHookArgs) -> None:
    """What Python calls when it cannot let an exception out."""
    if not isinstance(lost.exc_value, KeyboardInterrupt | Terminated):
        sys.__unraisablehook__(lost)
        return
    watch(interrupt)
    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SOON)


def raise_again() -> None:
    """Raise what a signal has raised already, if it may have become another exception on its way.

    Python does that, too: what is raised while a class is made comes out as a RuntimeError.
    """
    if RECEIVED.number == signal.SIGINT:
        raise KeyboardInterrupt
    raise_if_terminated()


def raise_if_terminated() -> None:
    """The same for those signals that native code takes for Ctrl-C."""
    if RECEIVED.number in TERMINATING:
        raise Terminated


def leave(number: int, frame: FrameType | None) -> NoReturn:
    first = RECEIVED.number or number
    if first == signal.SIGINT and not RECEIVED.number:
        say_interrupted()
    end(first)


def say_interrupted() -> None:
    try:
        os.write(2, b"interrupted\n")
    except OSError:
        return


def end(number: int, status: int = INTERRUPTED) -> NoReturn:
    """End the process the way a signal wants it, or with a status."""
    if number in TERMINATING:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(status)
