"""Runs the command in this process, for tests of its options and messages."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass

from doralang.cli.main import run_command
from doralang.engines.rows import ENGINES as ENGINE_ROWS

ENGINES = [name for name, row in ENGINE_ROWS.items() if not row.comparable_as and not row.is_slow_to_start]
"""The engines of the suites of whole programs: all that are quick, each once."""


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    out: str
    err: str


def dora(*arguments: str, stdin: str = "") -> Result:
    """What `dora ARGUMENTS` gives, with `stdin` as its input."""
    out, err = io.BytesIO(), io.BytesIO()
    status = run_command(list(arguments), io.BytesIO(stdin.encode()), out, err)
    return Result(status, out.getvalue().decode(), err.getvalue().decode())


def dora_alone(*arguments: str, stdin: str = "") -> Result:
    """What `dora ARGUMENTS` gives in a process of its own."""
    command = [sys.executable, "-m", "doralang", *arguments]
    done = subprocess.run(command, input=stdin.encode(), capture_output=True, check=False)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Recorder(io.RawIOBase):
    """A stream that notes each write in a log shared with others, to see what came first."""

    def __init__(self, name: str, log: list[tuple[str, bytes]]) -> None:
        self.name = name
        self.log = log

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        written = bytes(memoryview(data))  # type: ignore[arg-type]
        if written:
            self.log.append((self.name, written))
        return len(written)


def recorded(*arguments: str) -> tuple[int, list[tuple[str, bytes]]]:
    """The status, and what was written where, in order; writes to one stream in a row are joined."""
    log: list[tuple[str, bytes]] = []
    status = run_command(list(arguments), io.BytesIO(), Recorder("out", log), Recorder("err", log))  # type: ignore[arg-type]
    joined: list[tuple[str, bytes]] = []
    for name, data in log:
        if joined and joined[-1][0] == name:
            data = joined.pop()[1] + data
        joined.append((name, data))
    return status, joined
