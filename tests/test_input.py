"""Standard input and files from outside: pieces of any size, pipes, devices, Ctrl-C, large files."""

from __future__ import annotations

import io
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sampling
from command_line import ENGINES, Result, dora, dora_alone
from doralang.cli.main import run_command
from doralang.interpreter.output import NO_INPUT
from doralang.interpreter.outside import TOO_LARGE, Outside

PATIENCE = 120

SHOW_LINES = """
fun main() throws {
  loop {
    match try readLine() {
      Some(line) => { println("${line.len()} ${line.replace("\\r", "R")}"); }
      None => { return; }
    }
  }
}
"""
COPY = "fun main() throws { try writeFile(argv(1), try readFile(argv(0))); }"
SIZE = "fun main() throws { println((try readFile(argv(0))).len().toString()); }"


class Dribble:
    """Input that comes in pieces of any size."""

    def __init__(self, data: bytes, sizes: random.Random) -> None:
        self.data = io.BytesIO(data)
        self.sizes = sizes

    def read1(self, most: int, /) -> bytes:
        return self.data.read(min(most, self.sizes.choice((1, 2, 3, 50, 4000, 300_000))))


def program(folder: Path, text: str) -> str:
    path = folder / "program.dora"
    path.write_text(text)
    return str(path)


def shown(text: str) -> str:
    """What `SHOW_LINES` prints."""
    *lines, last = text.split("\n")
    lines = [line.removesuffix("\r") for line in lines] + ([last] if last else [])
    return "".join(f"{len(line.encode())} {line}\n".replace("\r", "R") for line in lines)


def random_text(chance: random.Random) -> str:
    parts = ("a", "bcdefghij", "\n", "\r\n", "\r", "é", "€", "😀", "x" * 5000, "ü" * 200_000)
    weights = (20, 20, 30, 10, 3, 5, 5, 5, 1, 0.2)
    return "".join(chance.choices(parts, weights, k=chance.randrange(300)))


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_in_pieces_of_any_size(tmp_path: Path, engine: str) -> None:
    path = program(tmp_path, SHOW_LINES)
    for seed in range(4):
        chance = random.Random(seed)
        text = random_text(chance)
        out, err = io.BytesIO(), io.BytesIO()
        status = run_command([f"--engine={engine}", path], Dribble(text.encode(), chance), out, err)
        assert (status, err.getvalue()) == (0, b"")
        assert out.getvalue().decode() == shown(text)


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_are_those_of_python(tmp_path: Path, engine: str) -> None:
    """If they end with `\\n` or `\\r\\n`, and no other character is an end of line for Python."""
    chance = random.Random(7)
    text = "".join(
        chance.choice("ab€") * chance.randrange(90) + chance.choice(["\n", "\r\n"]) for _ in range(500)
    )
    expected = "".join(f"{len(line.encode())} {line}\n" for line in text.splitlines())
    assert dora(f"--engine={engine}", program(tmp_path, SHOW_LINES), stdin=text) == Result(0, expected, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_files_of_any_kind(tmp_path: Path, engine: str) -> None:
    path, text = program(tmp_path, COPY), "äöü\n" + "€" * 900_000 + "\r\n"
    (tmp_path / "a").write_bytes(text.encode())
    assert dora(f"--engine={engine}", path, str(tmp_path / "a"), str(tmp_path / "b")) == Result(0, "", "")
    assert (tmp_path / "b").read_bytes() == text.encode()

    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(text.encode(),))
    writer.start()
    assert dora(f"--engine={engine}", path, str(tmp_path / "pipe"), str(tmp_path / "b")) == Result(0, "", "")
    writer.join()
    assert (tmp_path / "b").read_bytes() == text.encode()

    assert dora(f"--engine={engine}", path, "/proc/self/limits", str(tmp_path / "b")).status == 0
    assert b"Max open files" in (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_files_that_are_no_texts(tmp_path: Path, engine: str, bad: bytes) -> None:
    (tmp_path / "a").write_bytes(b"x" * ((1 << 20) - 1) + bad)
    result = dora(f"--engine={engine}", program(tmp_path, SIZE), str(tmp_path / "a"))
    assert result.err.startswith(f"uncaught exception: cannot read {tmp_path}/a: not valid UTF-8\n")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_character_across_two_portions(tmp_path: Path, engine: str) -> None:
    (tmp_path / "a").write_bytes(b"x" * ((1 << 20) - 1) + "€".encode())
    size = (1 << 20) + 2
    assert dora(f"--engine={engine}", program(tmp_path, SIZE), str(tmp_path / "a")) == Result(
        0, f"{size}\n", ""
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "a").touch(0)
    path = program(tmp_path, COPY)
    assert f"cannot read {tmp_path}/a: Permission denied\n" in dora(path, f"{tmp_path}/a", "/dev/null").err
    assert f"cannot write {tmp_path}/a: Permission denied\n" in dora(path, "/dev/null", f"{tmp_path}/a").err


@pytest.mark.parametrize("engine", ["walk", "vm", "baseline", "opt"])
def test_what_is_larger_than_the_heap(tmp_path: Path, engine: str) -> None:
    (tmp_path / "a").write_bytes(b"x" * 40_000_000)
    path = program(tmp_path, SIZE)
    for name in (str(tmp_path / "a"), "/dev/zero"):
        result = dora("run", f"--engine={engine}", "--heap-size=16m", path, name)
        assert (result.status, result.err.splitlines()[0]) == (107, "out of memory")


# Files that change while they are read.


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    file, outside = tmp_path / "a", Outside(NO_INPUT, 1 << 20, direct=True)
    file.write_bytes(b"0123456789")
    assert outside.load_file(bytes(file))
    assert outside.size == 10
    file.write_bytes(b"abc")
    assert outside.fill(memoryview(bytearray(10))) is None
    assert outside.size == 3
    memory = bytearray(3)
    assert outside.fill(memoryview(memory))
    assert memory == b"abc"


def test_a_file_that_disappears(tmp_path: Path) -> None:
    file, outside = tmp_path / "a", Outside(NO_INPUT, 1 << 20, direct=True)
    file.write_bytes(b"0123456789")
    assert outside.load_file(bytes(file))
    file.unlink()
    assert outside.fill(memoryview(bytearray(10))) is False
    assert outside.reason == "No such file or directory"


def test_what_no_text_can_hold(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"0123456789")
    for direct in (True, False):
        outside = Outside(NO_INPUT, 9, direct=direct)
        assert outside.load_file(bytes(file))
        assert outside.size == TOO_LARGE


# Processes.


def test_a_question_is_to_be_seen_before_its_answer(tmp_path: Path) -> None:
    text = 'fun main() throws { print("name? "); println("hello ${(try readLine()).unwrap()}"); }'
    for engine in ("walk", "tiered"):
        command = [sys.executable, "-m", "doralang", f"--engine={engine}", program(tmp_path, text)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin and process.stdout
        assert process.stdout.read(6) == b"name? "
        assert process.communicate(b"you\n", timeout=PATIENCE)[0] == b"hello you\n"


@pytest.mark.parametrize("engine", ["walk", "vm", "baseline", "opt", "tiered"])
@pytest.mark.parametrize("reading", ["readLine", "readInput"])
def test_ctrl_c_ends_waiting(tmp_path: Path, engine: str, reading: str) -> None:
    text = f'fun main() throws {{ println("ready"); try {reading}(); }}'
    command = [sys.executable, "-m", "doralang", f"--engine={engine}", program(tmp_path, text)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert process.stderr and process.stderr.read().startswith(b"interrupted\n")
    process.communicate()


@pytest.mark.parametrize("engine", ["walk", "baseline"])
def test_closed_input(tmp_path: Path, engine: str) -> None:
    path = program(tmp_path, SHOW_LINES)
    shell = f"exec {sys.executable} -m doralang --engine={engine} {path} <&-"
    result = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=PATIENCE, check=False)
    assert result.returncode == 104
    assert result.stderr.startswith(b"uncaught exception: cannot read <stdin>: Bad file descriptor\n")


def test_a_program_from_standard_input_has_an_empty_rest() -> None:
    text = 'fun main() throws { println("${try readLine()}[${try readInput()}]"); }'
    assert dora_alone("-", stdin=text) == Result(0, "None[]\n", "")


# Other commands.


def test_every_engine_that_is_compared_has_the_same_input(tmp_path: Path) -> None:
    text = """
        fun main() throws -> int {
          let first = (try readLine()).unwrap();
          println(first);
          if argc() > 0 { println(try readInput()); }
          return first.len();
        }
    """
    path = program(tmp_path, text)
    for arguments in ((), ("all",)):
        result = dora("compare", "--engines=vm,baseline", path, *arguments, stdin="seven..\nand more\nlast")
        assert (result.status, result.err) == (7, "dora: every engine ends with status 7\n")


def test_tests_may_read(tmp_path: Path) -> None:
    text = """
        fun testA(t: Testing) throws { if (try readLine()).unwrap() != "a" { t.fail(); } }
        fun testB(t: Testing) throws { if (try readInput()) != "b\\nc" { t.fail(); } }
    """
    result = dora("test", program(tmp_path, text), stdin="a\nb\nc")
    assert result.status == 0, result.out


@pytest.mark.skipif(not sampling.EVERY, reason="takes a while")
@pytest.mark.parametrize("engine", ["walk", "vm", "baseline", "opt"])
def test_a_large_file_is_in_memory_once(tmp_path: Path, engine: str) -> None:
    size = 200_000_000
    (tmp_path / "a").write_bytes(b"x" * size)
    small = peak(engine, program(tmp_path, SIZE), "/dev/null")
    large = peak(engine, program(tmp_path, SIZE), str(tmp_path / "a"))
    assert large - small < 1.3 * size


def peak(engine: str, *arguments: str) -> int:
    """The most memory that a process of the command has, in bytes."""
    process = subprocess.Popen([sys.executable, "-m", "doralang", f"--engine={engine}", *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss * 1024
