"""The command line: options, usage, exit statuses, and what goes to which stream."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from doralang.cli.main import run_command
from doralang.cli.options import UsageError
from doralang.cli.reading import parse_arguments
from doralang.text.reports import Format


def command(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    status = run_command(list(arguments), io.BytesIO(stdin), stdout, stderr)
    return status, stdout.getvalue().decode(), stderr.getvalue().decode()


def test_options_end_at_the_file() -> None:
    read = parse_arguments(["--gc=copy", "--heap-size", "64M", "x.dora", "--gc=none", "-h"])
    assert read.command.name == "run"
    assert (read.settings.gc, read.settings.heap_size) == ("copy", 64 * 1024**2)
    assert read.operands == ["x.dora", "--gc=none", "-h"]


def test_two_dashes_end_the_options() -> None:
    assert parse_arguments(["eval", "--", "-1"]).operands == ["-1"]
    assert parse_arguments(["run", "--", "--odd.dora", "--"]).operands == ["--odd.dora", "--"]
    assert parse_arguments(["-", "a"]).operands == ["-", "a"]


def test_a_file_named_like_a_command() -> None:
    read = parse_arguments(["run", "check", "x"])
    assert (read.command.name, read.operands) == ("run", ["check", "x"])


def test_every_value_arrives() -> None:
    line = (
        "eval --engine=walk --gc sweep --gc-stress --gc-verify --gc-events --gc-stats --emit=ast,asm --emit-ast "
        "--emit-bytecode=f,g --emit-asm all --asm-syntax=intel --emit-debug=h --omit-bounds-check --enable-perf "
        "--error-format=json --color=never --let a=1 --let b=a==2 a"
    )
    read = parse_arguments(line.split())
    settings = read.settings
    assert (settings.engine, settings.gc, settings.asm_syntax) == ("walk", "sweep", "intel")
    assert settings.gc_stress and settings.gc_verify and settings.gc_events and settings.gc_stats
    assert settings.omit_bounds_check and settings.perf
    assert settings.emit == {"ast", "asm"}
    assert (settings.emit_bytecode, settings.emit_asm, settings.emit_debug) == ({"f", "g"}, {"all"}, {"h"})
    assert (read.format, read.color) == (Format.JSON.value, "never")
    assert read.variables == [("a", "1"), ("b", "a==2")]


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "run",
        "check",
        "test --gc=copy",
        "eval",
        "--what x",
        "-x x",
        "--gc",
        "--gc=best x",
        "--gc= x",
        "--gc-stress=1 x",
        "--heap-size=many x",
        "--heap-size=0 x",
        "--emit=ast,all x",
        "--emit= x",
        "--color=red x",
        "--error-format=xml x",
        "check --gc=copy x",
        "run --let a=1 x",
        "eval --let a 1",
        "eval --let 1a=1 1",
        "eval 1 2",
        "--engine=opt x",
        "--engine=fast x",
    ],
)
def test_wrong_usage(arguments: str) -> None:
    status, stdout, stderr = command(*arguments.split())
    assert (status, stdout) == (2, "")
    assert re.fullmatch(r"dora: .+ see `dora( \w+)? --help`\n", stderr)


def test_information() -> None:
    assert command("--version")[0:2] == (0, "dora 0.1.0\n")
    for flag in ("--help", "-h"):
        status, stdout, stderr = command(flag)
        assert (status, stderr) == (0, "")
        assert "--heap-size" in stdout


def test_check(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.dora", tmp_path / "bad.dora"
    good.write_text("fun helper() { }\n")
    bad.write_text("fun main() { let x = ; }\n")
    assert command("check", str(good)) == (0, "", "")
    status, stdout, stderr = command("check", "--error-format", "short", str(good), str(bad), str(bad))
    assert (status, stdout) == (1, "")
    assert stderr == f"{bad}:1:22: error[E0203]: expected an expression, found `;`\n" * 2 + "2 errors\n"


def test_stdin_and_files_that_are_not_there() -> None:
    status, _, stderr = command("check", "--error-format=short", "-", stdin=b"fun f() { \xff }")
    assert (status, stderr) == (1, "<stdin>:1:11: error[E0108]: the file is not valid UTF-8\n1 error\n")
    status, _, stderr = command("/no/such.dora")
    assert status == 1
    assert "E0903" in stderr


def test_stages_are_printed_in_the_order_of_the_flow() -> None:
    status, stdout, stderr = command("--emit=ast,tokens", "--error-format=short", "-", stdin=b"fun")
    assert status == 1
    assert stdout == "1:1 fun\n1:4 END\nFile 1:1\n  declarations: InvalidDeclaration 1:1\n"
    assert stderr == "<stdin>:1:4: error[E0202]: expected a name, found end of file\n1 error\n"


def test_errors_in_formulas() -> None:
    status, stdout, stderr = command("eval", "--error-format=short", "--let", "x=1+", "x*")
    assert (status, stdout) == (1, "")
    assert stderr.splitlines()[-1] == "2 errors"
    names = ("<x>", "<expression>")
    for line, name in zip(stderr.splitlines(), names, strict=False):
        assert line.startswith(f"{name}:1:3: ")


class Closed(io.BytesIO):
    def write(self, data: object) -> int:
        raise BrokenPipeError


class Full(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


class Interrupting(io.BytesIO):
    def read1(self, size: int | None = -1) -> bytes:
        raise KeyboardInterrupt


class Broken(io.BytesIO):
    def read1(self, size: int | None = -1) -> bytes:
        raise RuntimeError("the reader is out of order")


def test_streams_that_do_not_work() -> None:
    error = io.BytesIO()
    assert run_command(["--help"], io.BytesIO(), Closed(), error) == 141
    assert run_command(["--help"], io.BytesIO(), Full(), error) == 1
    assert run_command(["--bad"], io.BytesIO(), io.BytesIO(), Closed()) == 141
    assert b"No space left" in error.getvalue()


def test_interruption_and_internal_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    error = io.BytesIO()
    assert run_command(["check", "-"], Interrupting(), io.BytesIO(), error) == 130
    assert error.getvalue() == b"interrupted\n"
    for debug, traced in (("", False), ("1", True)):
        monkeypatch.setenv("DORA_DEBUG", debug)
        error = io.BytesIO()
        assert run_command(["check", "-"], Broken(), io.BytesIO(), error) == 70
        assert b"the reader is out of order" in error.getvalue()
        assert b"report" in error.getvalue()
        assert (b"Traceback" in error.getvalue()) is traced


def test_usage_errors_are_exceptions_of_the_parser() -> None:
    with pytest.raises(UsageError, match="no file given"):
        parse_arguments(["check"])


def test_targets() -> None:
    assert parse_arguments(["--target=arm64", "x"]).settings.target == "arm64"
    with pytest.raises(UsageError):
        parse_arguments(["--target=vax", "x"])
