"""One Ctrl-C or SIGTERM ends the command, whenever it comes: no traceback of Python, nothing printed is lost.

The processes are told to end at random moments, from the first statement that is ours to the very end.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from command_line import ENGINES
from doralang.source.toolchains import find_c

MOMENTS = int(os.environ.get("DORA_SIGNALS", "6"))
"""moments for each command"""
PATIENCE = 600
INTERRUPTED = 130
READY = b"."
START = (
    "import _signal, os\n"
    "for number in ENDING: _signal.signal(number, _signal.SIG_DFL)\n"  # until the first line of ours
    "os.write(2, b'.')\n"
    "from doralang.__main__ import entry\n"
    "entry()\n"
)
LINES = """
fun work(n: int) -> int {{ var sum = 0; for i in range(0, 200) {{ sum = sum + i % (n + 1); }} return sum; }}
fun main() {{
  for i in range(0, {count}) {{ if work(i % 7) >= 0 {{ println("line " + i.toString()); }} }}
}}
"""
TESTS = """
fun testEndless(t: Testing) { var i = 0; while i >= 0 { i = (i + 1) % 1000; } }
fun testNext(t: Testing) { println("the next test"); }
"""
ENDLESS = 1 << 30
FEW = 300


class Ended(NamedTuple):
    status: int
    out: str
    err: str


def started(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """A process of the command whose next statement is the first one of ours."""
    text = START.replace(
        "ENDING", str(tuple(int(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    )
    process = subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stderr is not None and process.stderr.read(1) == READY
    return process


def ended(process: subprocess.Popen[bytes]) -> Ended:
    out, err = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, out.decode(), err.decode())


def told(delay: float, number: int, *arguments: str, **environment: str) -> Ended:
    """How a command ends that is told to after some seconds, once."""
    process = started(*arguments, **environment)
    time.sleep(delay)
    process.send_signal(number)
    return ended(process)


def check(result: Ended, number: int, normal: set[int]) -> None:
    assert "Traceback" not in result.err and "Exception ignored" not in result.err, result.err
    assert "internal error" not in result.err and ".py" not in result.err, result.err
    wanted = {-number} if number != signal.SIGINT else {INTERRUPTED, -number}
    assert result.status in wanted | normal, result


def is_prefix(out: str) -> bool:
    """Whether the lines are those of the program from the first on, the last perhaps cut."""
    lines = out.split("\n")
    return all(line == f"line {index}" for index, line in enumerate(lines[:-1]))


@pytest.fixture
def endless(tmp_path: Path) -> str:
    path = tmp_path / "endless.dora"
    path.write_text(LINES.format(count=ENDLESS))
    return str(path)


@pytest.fixture
def short(tmp_path: Path) -> str:
    path = tmp_path / "short.dora"
    path.write_text(LINES.format(count=FEW))
    return str(path)


NUMBERS = [signal.SIGINT, signal.SIGTERM]


def moments(seed: str, longest: float) -> list[float]:
    some = random.Random(seed)
    return [some.random() * longest for _ in range(MOMENTS)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_program_that_does_not_end(endless: str, engine: str, number: int) -> None:
    for delay in moments(f"{engine} {number}", 0.6):
        result = told(delay, number, f"--engine={engine}", endless)
        check(result, number, set())
        assert is_prefix(result.out)
        if result.out and number == signal.SIGINT:
            assert "interrupted\n" in result.err


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("cached", [True, False], ids=["stored", "first"])
def test_a_program_that_ends(short: str, tmp_path: Path, number: int, cached: bool) -> None:
    environment = {"DORA_CACHE": str(tmp_path / "cache")} if cached else {}
    for delay in moments(f"{cached} {number}", 0.4 if cached else 0.7):
        result = told(delay, number, short, **environment)
        check(result, number, {0})
        assert is_prefix(result.out)
        if result.status == 0:
            assert result.out.count("\n") == FEW


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "command",
    [
        ("compare", "{endless}"),
        ("compare", "--let", "x=3", "x * x"),
        ("compare", "{short}"),
        ("eval", "1 + 1"),
        ("check", "{short}"),
        ("check", "{wrong}"),
        ("--emit=ast,bytecode", "{short}"),
        ("--version",),
        ("--help",),
        ("--engine=c", "{endless}"),
        ("--engine=trace", "--hot-now", "{endless}"),
    ],
    ids=" ".join,
)
def test_other_commands(
    endless: str, short: str, tmp_path: Path, command: tuple[str, ...], number: int
) -> None:
    if find_c() is None and "c" in command[0]:
        pytest.skip("there is no C compiler")
    wrong = tmp_path / "wrong.dora"
    wrong.write_text("fun main() { missing(); }\n" * 50)
    arguments = [word.format(endless=endless, short=short, wrong=wrong) for word in command]
    for delay in moments(f"{command} {number}", 1.0):
        check(told(delay, number, *arguments), number, {0, 1})


@pytest.mark.parametrize("engine", ENGINES)
def test_tests_end_all_together(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "tests.dora"
    path.write_text(TESTS)
    process = started("test", f"--engine={engine}", str(path))
    assert process.stdout is not None
    shown = b""
    while not shown.endswith(b"testEndless ... "):
        shown += process.stdout.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    result = ended(process)
    check(result, signal.SIGINT, set())
    assert "the next test" not in result.out


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_printed_is_written(tmp_path: Path, engine: str, number: int) -> None:
    """The output waits for more when the signal comes: the program itself sees to that."""
    path = tmp_path / "waits.dora"
    path.write_text(
        'fun main() { println("printed"); '
        f'call2(loadFunction("kill"), getpid().toLong(), {int(number)}L); '
        "var i = 0; while i >= 0 { i = (i + 1) % 1000; } }"
    )
    result = ended(started(f"--engine={engine}", str(path)))
    check(result, number, set())
    assert result.out == "printed\n"
    assert result.err == ("" if number != signal.SIGINT else "interrupted\n0: main(): 1\n")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "options", [["--engine=c"], ["--engine=trace"], ["--engine=trace", "--hot-now"]], ids=" ".join
)
def test_compilers_of_other_languages_end_too(
    endless: str, tmp_path: Path, options: list[str], number: int
) -> None:
    """In the thread of the program and in another one; they leave neither children nor files."""
    compiler, log, temporary = tmp_path / "cc", tmp_path / "log", tmp_path / "temporary"
    compiler.write_text(f"#!/bin/sh\nsleep 600 & echo $$ $! > {log}.new\nmv {log}.new {log}\nwait\n")
    compiler.chmod(0o700)
    temporary.mkdir()
    process = started(*options, endless, CC=str(compiler), TMPDIR=str(temporary))
    output = b""
    while not log.exists():
        if "--engine=c" not in options and process.stdout is not None and "--hot-now" not in options:
            output += os.read(process.stdout.fileno(), 1 << 16)
        time.sleep(0.01)
    process.send_signal(number)
    result = ended(process)
    check(result, number, set())
    assert is_prefix(output.decode() + result.out)
    assert not list(temporary.iterdir())
    for child in map(int, log.read_text().split()):
        assert has_ended(child), "a compiler goes on"


def has_ended(child: int) -> bool:
    """Whether a process has ended, or is about to after having been killed."""
    for _ in range(PATIENCE):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.1)
    return False


def test_a_reader_that_does_not_read_keeps_nobody(endless: str) -> None:
    """The pipe is full, and stays so."""
    for number in NUMBERS:
        process = started(endless)
        time.sleep(1.0)
        process.send_signal(number)
        process.wait(PATIENCE)
        check(ended(process), number, set())


def test_signals_are_taken_over_before_anything_large_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "doralang", "--version"], capture_output=True, text=True
    )
    loaded = [line.rpartition(" ")[2] for line in done.stderr.splitlines()]
    before = loaded[: loaded.index("doralang.interrupts")]
    assert {name for name in before if name.startswith("doralang")} <= {
        "doralang",
        "doralang.optional",
        "doralang.version",
    }
    assert not {"typing", "re", "enum", "signal"} & set(before)


def test_signals_that_are_ignored_stay_so(short: str) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "doralang", short], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert ended(process).status == 0
    finally:
        signal.signal(signal.SIGINT, before)
