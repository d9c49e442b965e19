"""One run of a command: its output, wall time and CPU time.

measure(["sleep", "1"])  ->  Run(output=b"", wall=1.0, cpu=0.0)
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# With it Python would not keep what it has compiled, and every start would look like the first one.
UNWANTED: Final = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds."""

    output: bytes
    wall: float
    cpu: float


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != UNWANTED}


def measure(command: Sequence[str], **variables: str) -> Run:
    """With these variables in its environment.  Raises CalledProcessError if the command fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**environment(), **variables})
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Run(output, wall, usage.ru_utime + usage.ru_stime)


def pin(cpu: int | None) -> int:
    """Keep this process, and so all that it starts, on one CPU; without a number on the last one, since
    the first one tends to have the interrupts."""
    if cpu is None:
        cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


def processor() -> str:
    """The processor's name, as Linux has it."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"
