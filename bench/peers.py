"""The languages that take part: how each is found, built and started.

A peer's program is `programs/NAME/NAME.SUFFIX`; what has to be built goes into a folder of its own
under `.bench/`, and is built anew only if the source is younger or the command has changed.

    PEERS["C"].prepare("fib")  ->  ["/.../.bench/fib/c/fib"]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
PROGRAMS: Final = HERE / "programs"
CACHE: Final = ROOT / ".bench"

C_FLAGS: Final = ["-O3", "-march=native", "-ffp-contract=off"]


@dataclass(frozen=True, slots=True)
class Peer:
    """`build` and `start` make a command from the source file and the folder for what is built."""

    name: str
    suffix: str
    tool: str | None
    start: Callable[[Path, Path], list[str]]
    build: Callable[[Path, Path], list[str]] | None = None
    version: tuple[str, ...] = ("--version",)

    def prepare(self, program: str) -> list[str]:
        """Build a program where that is needed; the command that runs it, without arguments."""
        source = PROGRAMS / program / f"{program}.{self.suffix}"
        folder = CACHE / program / self.suffix
        if self.build is not None:
            build_once(self.build(source, folder), source, folder)
        return self.start(source, folder)

    def is_there(self) -> bool:
        return self.tool is not None

    def version_line(self) -> str:
        """What the tool says about itself, in one line."""
        assert self.tool is not None
        done = subprocess.run([self.tool, *self.version], capture_output=True, text=True, check=True)
        return (done.stdout or done.stderr).splitlines()[0]


def build_once(command: list[str], source: Path, folder: Path) -> None:
    """Raises CalledProcessError."""
    stamp = folder / "command.txt"
    text = " ".join(command)
    done = stamp.exists() and stamp.stat().st_mtime > source.stat().st_mtime and stamp.read_text() == text
    if done:
        return
    folder.mkdir(parents=True, exist_ok=True)
    caches = {"GOCACHE": str(CACHE / "go-cache"), "GOPATH": str(CACHE / "go-path")}
    subprocess.run(command, check=True, env={**os.environ, **caches})
    stamp.write_text(text)


def find(name: str) -> str | None:
    """A tool beside this Python (as pip installs them) or on the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def interpreted(name: str, suffix: str, tool: str | None, *options: str) -> Peer:
    return Peer(name, suffix, tool, lambda source, folder: [tool or "", *options, str(source)])


def dora(name: str, options: list[str]) -> Peer:
    """Dora with some options of the command line."""
    command = find("dora")
    start = [command] if command else [sys.executable, "-m", "doralang"]
    return Peer(name, "dora", start[0], lambda source, folder: [*start, "run", *options, str(source)])


def optimizing(options: list[str]) -> list[Peer]:
    """Dora with all code optimized from the start, by LLVM where that is installed, and without it.

    Nothing if the options choose an engine themselves.
    """
    if any(one.startswith("--engine") for one in options):
        return []
    opt = ["--engine=opt", *options]
    with_llvm = [dora("opt", opt)] if find_spec("llvmlite") else []
    return [*with_llvm, dora("opt-own", [*opt, "--no-llvm"] if with_llvm else opt)]


def java() -> Peer:
    tool, compiler = find("java"), find("javac")
    return Peer(
        "Java",
        "java",
        tool if compiler else None,
        lambda source, folder: [tool or "", "-cp", str(folder), "Main"],
        lambda source, folder: [compiler or "", "-d", str(folder), str(source)],
    )


def go() -> Peer:
    tool = find("go")
    return Peer(
        "Go",
        "go",
        tool,
        lambda source, folder: [str(folder / source.stem)],
        lambda source, folder: [tool or "", "build", "-o", str(folder / source.stem), str(source)],
        version=("version",),
    )


def c() -> Peer:
    tool = find("gcc")
    return Peer(
        "C",
        "c",
        tool,
        lambda source, folder: [str(folder / source.stem)],
        lambda source, folder: [tool or "", *C_FLAGS, "-o", str(folder / source.stem), str(source), "-lm"],
    )


def peers(dora_options: list[str]) -> dict[str, Peer]:
    """All that are on this machine, in the order of the table."""
    everyone = [
        c(),
        dora("Dora", dora_options),
        *optimizing(dora_options),
        java(),
        go(),
        interpreted("Node", "js", find("node")),
        interpreted("LuaJIT", "lua", find("luajit")),
        interpreted("PyPy", "py", find("pypy3")),
        interpreted("CPython", "py", sys.executable),
    ]
    return {peer.name: peer for peer in everyone if peer.is_there()}
