"""Running instances inside Python: limits of time and output, `cancel`, and where printed text goes."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable

from doralang.embed.limits import Limits
from doralang.native.module import Module
from doralang.native.running import Executor
from doralang.runtime.instance import PATIENCE, RunOptions
from doralang.settings import Settings
from doralang.types.failures import Trapped
from doralang.types.traps import Trap

Print = Callable[[str], object]


class CancelRequest(Exception):
    """Somebody called `cancel`."""


class Sink:
    """Takes the bytes that a program prints and gives them on as text."""

    def __init__(self, print: Print | None, most: int | None) -> None:
        self.print = print
        self.most = most
        self.written = 0
        """bytes, in the present call"""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> None:
        room = len(data) if self.most is None else max(self.most - self.written, 0)
        self.written += len(data)
        text = self.decoder.decode(data[:room])
        if text and self.print is not None:
            self.print(text)
        if room < len(data):
            raise Trapped(Trap.LIMIT, "output")

    def flush(self) -> None:
        """Nothing waits here."""

    def isatty(self) -> bool:
        return False


class Host(Executor):
    """An instance of a program that another program calls."""

    def __init__(self, module: Module, limits: Limits, print: Print | None) -> None:
        self.limits = limits
        self.sink = Sink(print, limits.output)
        self.deadline: float | None = None
        self.is_cancelled = False
        super().__init__(
            module,
            stdout=self.sink,
            stderr=self.sink,
            settings=Settings(heap_size=limits.memory),
            run_options=RunOptions(limits.stack, PATIENCE if limits.time is None else 1),
        )

    def begin_call(self) -> None:
        """The time that a call may take begins."""
        self.sink.written = 0
        self.is_cancelled = False
        limit = self.limits.time
        self.deadline = None if limit is None else time.monotonic() + limit

    def look_at_limits(self) -> None:
        if self.is_cancelled:
            raise CancelRequest
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise Trapped(Trap.LIMIT, "time")

    def cancel(self) -> None:
        """From any thread: the running call ends soon."""
        self.is_cancelled = True
        self.instance.ask_attention()
