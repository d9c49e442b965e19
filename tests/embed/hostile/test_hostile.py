"""The hostile corpus, in a child process: it ends well, and asks the system for nothing that it should not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CHILD = HERE / "child.py"
LEAST = {"formulas": 100, "programs": 50, "uses": 100}

ALLOWED = frozenset(
    [
        "access",
        "arch_prctl",
        "brk",
        "clock_gettime",
        "clock_nanosleep",
        "clone",
        "clone3",
        "close",
        "dup",
        "epoll_create1",
        "execve",
        "exit",
        "exit_group",
        "fcntl",
        "fstat",
        "ftruncate",
        "futex",
        "get_robust_list",
        "getcwd",
        "getdents64",
        "getegid",
        "geteuid",
        "getgid",
        "getpid",
        "getrandom",
        "gettid",
        "gettimeofday",
        "getuid",
        "ioctl",
        "lseek",
        "lstat",
        "madvise",
        "membarrier",
        "mincore",
        "mmap",
        "mprotect",
        "mremap",
        "munmap",
        "newfstatat",
        "open",
        "openat",
        "pipe2",
        "poll",
        "ppoll",
        "pread64",
        "prlimit64",
        "pselect6",
        "pwrite64",
        "read",
        "readlink",
        "restart_syscall",
        "rseq",
        "rt_sigaction",
        "rt_sigprocmask",
        "rt_sigreturn",
        "sched_getaffinity",
        "sched_yield",
        "select",
        "set_robust_list",
        "set_tid_address",
        "setitimer",
        "sigaltstack",
        "stat",
        "statx",
        "sysinfo",
        "tgkill",
        "timer_create",
        "timer_delete",
        "timer_settime",
        "uname",
        "write",
    ]
)
"""what Python needs to start, and Dora for memory, threads and time: no sockets, no changes of files"""
READS = re.compile(r'open(?:at)?\([^"]*"([^"]*)", [^)]*O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)')
WRITABLE = ("/proc/self/mem", "/dev/null")


def ran(command: list[str], group: str) -> dict[str, Any]:
    done = subprocess.run(
        [*command, sys.executable, "-B", str(CHILD), group],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2] / "src")},
    )
    assert done.returncode == 0, f"the child ended with {done.returncode}: {done.stderr[-2000:]}"
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("group", sorted(LEAST))
def test_hostile(group: str) -> None:
    report = ran([], group)
    assert report["wrong"] == []
    assert report["count"] >= LEAST[group]


def can_trace() -> bool:
    strace = shutil.which("strace")
    return (
        strace is not None and subprocess.run([strace, "-o", os.devnull, "true"], check=False).returncode == 0
    )


@pytest.mark.skipif(not can_trace(), reason="there is no strace, or it may not trace")
@pytest.mark.parametrize("group", ["programs", "formulas"])
def test_system_calls(group: str, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    assert ran(["strace", "-f", "-qq", "--signal=none", "-o", str(log)], group)["wrong"] == []
    text = log.read_text(errors="replace")
    called = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", text, re.MULTILINE))
    assert called - ALLOWED == set()
    opened = set(READS.findall(text))
    assert {path for path in opened if path not in WRITABLE} == set()
    assert len(re.findall(r"execve\(", text)) == 1
