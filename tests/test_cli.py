"""The command line, sections 1.1 to 1.5 of the reference."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from command_line import ENGINES, Result, dora, recorded
from doralang.cli.options import COMMANDS, OPTIONS
from doralang.machine.targets import host
from doralang.version import VERSION

HELLO = 'fun main() { println("hello"); }\n'
ARGUMENTS = "fun main() { for i in range(0, argc()) { println(argv(i)); } }\n"
WRONG = 'fun main() {\n  var count: int = 3;\n  count = "three";\n}\n'
WARNED = "fun f() throws { }\nfun main() {\n  try f();\n}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in a folder of its own, so that files are named without folders."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


def write(name: str, text: str) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name


def assert_usage_error(result: Result) -> None:
    assert (result.status, result.out) == (2, "")
    assert re.fullmatch(r"dora: .+ see `dora( \w+)? --help`\n", result.err)


class TestRun:
    def test_with_and_without_the_command(self) -> None:
        file = write("a.dora", HELLO)
        assert dora(file) == Result(0, "hello\n", "")
        assert dora("run", file) == Result(0, "hello\n", "")

    def test_a_file_from_stdin(self) -> None:
        assert dora("-", stdin=HELLO) == Result(0, "hello\n", "")
        assert dora("run", "-", stdin=HELLO) == Result(0, "hello\n", "")

    def test_stdin_is_called_so_in_reports(self) -> None:
        result = dora("--error-format=short", "-", stdin=WRONG)
        assert result.err.startswith("<stdin>:3:9: error[E0401]: ")

    def test_a_file_named_like_a_command(self) -> None:
        write("check", HELLO)
        assert dora("run", "check").out == "hello\n"

    def test_arguments_behind_the_file_are_the_programs(self) -> None:
        file = write("a.dora", ARGUMENTS)
        result = dora(file, "one", "-h", "--help", "--none", "--", "-")
        assert result == Result(0, "one\n-h\n--help\n--none\n--\n-\n", "")

    def test_options_behind_the_file_are_the_programs_with_a_warning(self) -> None:
        file = write("a.dora", ARGUMENTS)
        result = dora("--engine=walk", file, "--engine=none", "x", "--stats")
        assert (result.status, result.out) == (0, "--engine=none\nx\n--stats\n")
        assert re.fullmatch(
            r"dora: warning: `--engine=none`, `--stats` stand behind the file.*\n", result.err
        )
        assert dora("--", file, "--stats") == Result(0, "--stats\n", "")

    @pytest.mark.parametrize("engine", ENGINES)
    def test_arguments_that_are_no_utf_8_become_valid_text(self, engine: str) -> None:
        """In the way that Unicode recommends: a cut character is one U+FFFD, any other byte one of its own."""
        path = write(
            "a.dora",
            "fun main() { for i in range(0, argc()) {\n"
            "  let bytes = Array::<byte>(argv(i).len());\n"
            "  for k in range(0, bytes.len()) { bytes[k] = argv(i).getByte(k); }\n"
            "  println(isValidUtf8(bytes).toString() + argv(i)); } }",
        )
        arguments = [b"\xff", b"a\xe2\x82b", b"\xed\xa0\x80", b"\xc3\xa9", b"\xf0\x9f\x98"]
        result = dora("run", f"--engine={engine}", path, *map(os.fsdecode, arguments), "\ud800")
        lines = ["\ufffd", "a\ufffdb", "\ufffd" * 3, "\u00e9", "\ufffd", "\ufffd" * 3]
        assert result == Result(0, "".join(f"true{line}\n" for line in lines), "")

    def test_arguments_behind_stdin(self) -> None:
        assert dora("run", "-", "x", "y", stdin=ARGUMENTS).out == "x\ny\n"

    def test_two_dashes_end_the_options(self) -> None:
        file = write("--odd.dora", ARGUMENTS)
        assert dora("--", file, "x").out == "x\n"
        assert dora("run", "--engine=walk", "--", file, "--", "y").out == "--\ny\n"

    def test_values_with_and_without_equals_sign(self) -> None:
        file = write("a.dora", HELLO)
        assert dora("--engine=walk", file).out == "hello\n"
        assert dora("--engine", "walk", file).out == "hello\n"
        assert dora("run", "--engine", "walk", "--color", "never", file).out == "hello\n"

    def test_status_of_main(self) -> None:
        assert dora("-", stdin="fun main() -> int { return 300; }").status == 44
        assert dora("-", stdin="fun main() -> int { return -1; }").status == 255

    def test_nothing_is_printed_at_the_end(self) -> None:
        assert dora("-", stdin="fun main() -> int { return 3; }") == Result(3, "", "")

    def test_the_file_without_folders_is_main_in_traces(self) -> None:
        file = write("deep/inside.dora", "fun main() {\n  assert(false);\n}\n")
        assert dora(file) == Result(101, "", "assert failed\n0: main(): 2\n")

    @pytest.mark.parametrize("option", ["--emit=tokens", "--emit=ast", "--emit=program", "--emit-ast"])
    def test_stages_are_printed_to_stdout(self, option: str) -> None:
        result = dora(option, write("a.dora", HELLO))
        assert (result.status, result.err) == (0, "")
        assert result.out.endswith("hello\n")
        assert len(result.out) > len("hello\n")

    @pytest.mark.parametrize("size", ["1048576", "1024k", "1024K", "64m", "64M", "1g", "1G"])
    def test_heap_sizes(self, size: str) -> None:
        assert dora(f"--heap-size={size}", write("a.dora", HELLO)).out == "hello\n"


class TestUsage:
    def test_version(self) -> None:
        assert dora("--version") == Result(0, f"dora {VERSION}\n", "")

    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_help(self, option: str) -> None:
        result = dora(option)
        assert (result.status, result.err) == (0, "")
        for word in ("usage", "run", "check", "test", "eval", "--engine", "--error-format"):
            assert word in result.out.lower()

    def test_nothing_to_do(self) -> None:
        for command in ([], ["run"], ["check"], ["test"], ["eval"], ["--engine=walk"]):
            assert_usage_error(dora(*command))

    @pytest.mark.parametrize(
        "options",
        [
            ["--no-such-option"],
            ["-x"],
            ["run", "--no-such-option"],
            ["--engine=steam"],
            ["--engine", "steam"],
            ["--gc=steam"],
            ["--error-format=xml"],
            ["--color=sometimes"],
            ["--heap-size=many"],
            ["--heap-size=10x"],
            ["--heap-size=-1"],
            ["--emit=everything"],
            ["--asm-syntax=greek"],
            ["--gc-stress=3"],
            ["check", "--engine=walk"],
            ["check", "--no-such-option"],
            ["test", "--no-such-option"],
        ],
        ids=" ".join,
    )
    def test_wrong_options(self, options: list[str]) -> None:
        assert_usage_error(dora(*options, write("a.dora", HELLO)))

    @pytest.mark.parametrize("options", [["--engine"], ["run", "--heap-size"], ["eval", "--let"]])
    def test_missing_values(self, options: list[str]) -> None:
        assert_usage_error(dora(*options))

    def test_options_of_other_commands(self) -> None:
        assert_usage_error(dora("run", "--let=x=1", write("a.dora", HELLO)))

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_lists_exactly_what_a_command_takes(self, command: str) -> None:
        result = dora(command, "--help")
        assert (result.status, result.err) == (0, "")
        listed = set(re.findall(r"(?m)^  (--[a-z-]+)", result.out))
        assert listed == {option.name for option in OPTIONS if command in option.commands}
        for option in OPTIONS:
            value = ["1"] if option.value else []
            taken = "is no option of" not in dora(command, option.name, *value).err
            assert taken == (option.name in listed), option.name

    @pytest.mark.parametrize(
        ("name", "near"), [("rnu", "run"), ("chekc", "check"), ("tests", "test"), ("help", ""), ("repl", "")]
    )
    def test_a_command_that_there_is_not(self, name: str, near: str) -> None:
        result = dora(name, "x")
        assert_usage_error(result)
        assert result.err.startswith(f"dora: no such command `{name}`: there are run, check, ")
        assert ("did you mean" in result.err) == bool(near)
        assert f"`{near}`?" in result.err or not near

    def test_a_file_without_a_suffix_is_a_file(self) -> None:
        assert dora(write("rnu", HELLO)).out == "hello\n"
        assert "E0903" in dora("run", "rnuu").err
        assert "E0903" in dora("./rnuu").err

    def test_options_stand_anywhere_but_for_run(self) -> None:
        file = write("a.dora", WRONG)
        assert dora("check", file, "--error-format=short").err.startswith("a.dora:3:9: error")
        assert dora("eval", "x + 1", "--let", "x=2").out == "3\n"
        assert dora("test", write("b.dora", "fun testA(t: Testing) { }"), "--engine=walk").status == 0
        assert_usage_error(dora("check", file, "--engine=walk"))
        assert dora("check", file, "--help").status == 0

    def test_formulas_that_begin_like_options(self) -> None:
        for formula in ("-3+1", "-(2)"):
            result = dora("eval", formula)
            assert_usage_error(result)
            assert "write `--` before it" in result.err

    @pytest.mark.parametrize(
        "options",
        [
            "--engine=walk --gc=copy",
            "--engine=walk --gc-stress",
            "--engine=vm --gc-stats",
            "--engine=vm --young-size=1m",
            "--engine=c --perf",
            "--engine=vm --omit-bounds-check",
            "--engine=walk --no-cache",
            "--engine=walk --emit-debug=main",
            "--engine=walk --emit-asm=main",
            "--engine=walk --emit-bytecode=main",
            "--engine=walk --emit=bytecode",
            "--engine=vm --emit=asm",
            "--engine=vm --emit=c",
            "--emit=c",
            "--emit=go",
            "--emit=trace",
            "--emit=graph",
            "--emit=llvm",
            "--emit=ast:all",
            "--emit=bytecode:main",
            "--engine=opt --emit=llvm --no-llvm",
            "--engine=baseline --no-llvm",
            "--engine=baseline --hot=3",
            "--engine=opt --hot-now",
            "--engine=vm --hot=3",
            "--engine=baseline --stats",
            "--engine=walk --stats",
            "--asm-syntax=intel",
            "--gc=zero --gc-stress",
            "--gc=zero --gc-events",
            "--gc=copy --young-size=1m",
            "--gc=sweep --gc-stress-minor",
            "--target=arm64",
            "--target=arm64 --emit-asm=main --gc-stats",
            "--target=arm64 --emit-asm=main --asm-syntax=intel",
            "--target=x64 --emit-bytecode=main --emit-debug=main",
        ],
    )
    def test_what_would_do_nothing_is_wrong_usage(self, options: str) -> None:
        assert_usage_error(dora(*options.split(), write("a.dora", HELLO)))

    def test_variables_of_a_program(self) -> None:
        assert_usage_error(dora("compare", "--let=x=1", write("a.dora", HELLO)))

    def test_a_usage_error_runs_nothing(self) -> None:
        assert dora("--no-such-option", write("a.dora", HELLO)).out == ""


class TestMissingFiles:
    @pytest.mark.parametrize("command", [[], ["run"], ["check"], ["test"]], ids=str)
    def test_a_missing_file(self, command: list[str]) -> None:
        result = dora(*command, "--error-format=short", "nowhere.dora")
        assert (result.status, result.out) == (1, "")
        assert re.fullmatch(r"nowhere\.dora:1:1: error\[E0903\]: .+\n1 error\n", result.err)

    def test_a_folder_is_no_file(self) -> None:
        Path("folder").mkdir()
        result = dora("run", "--error-format=short", "folder")
        assert result.status == 1
        assert result.err.startswith("folder:1:1: error[E0903]: ")

    def test_in_the_human_format(self) -> None:
        result = dora("nowhere.dora")
        assert result.status == 1
        assert result.err.startswith("error[E0903]: ")
        assert result.err.endswith("1 error\n")


class TestCheck:
    def test_a_correct_file(self) -> None:
        assert dora("check", write("a.dora", HELLO)) == Result(0, "", "")

    def test_main_is_not_required(self) -> None:
        assert dora("check", write("a.dora", "fun f() { }\n")) == Result(0, "", "")

    def test_several_files_are_programs_of_their_own(self) -> None:
        one, other = write("a.dora", HELLO), write("b.dora", HELLO)
        assert dora("check", one, other) == Result(0, "", "")

    def test_every_file_is_reported(self) -> None:
        files = [write("a.dora", WRONG), write("b.dora", HELLO), write("c.dora", WRONG)]
        result = dora("check", "--error-format=short", *files)
        assert (result.status, result.out) == (1, "")
        found = re.findall(r"(?m)^(\w+\.dora:\d+:\d+): error\[(E\d+)\]", result.err)
        assert found == [("a.dora:3:9", "E0401"), ("c.dora:3:9", "E0401")]

    def test_one_missing_file_of_several(self) -> None:
        result = dora("check", "--error-format=short", "nowhere.dora", write("a.dora", WRONG))
        assert result.status == 1
        assert "nowhere.dora:1:1: error[E0903]" in result.err
        assert "a.dora:3:9: error[E0401]" in result.err

    def test_a_warning_is_no_error(self) -> None:
        result = dora("check", "--error-format=short", write("a.dora", WARNED))
        assert result.status == 0
        assert re.fullmatch(r"a\.dora:3:3: warning\[W0801\]: .+\n", result.err)

    def test_from_stdin(self) -> None:
        result = dora("check", "--error-format=short", "-", stdin=WRONG)
        assert result.status == 1
        assert result.err.startswith("<stdin>:3:9: error[E0401]: ")


class TestErrorFormats:
    def test_human(self) -> None:
        result = dora(write("shop.dora", WRONG))
        assert (result.status, result.out) == (1, "")
        lines = result.err.split("\n")
        assert re.fullmatch(r"error\[E0401\]: .*`int`.*`Str`.*", lines[0])
        assert lines[1:5] == ["  shop.dora:3:9", "  |", '3 |   count = "three";', "  |         ^"]
        assert lines[5].startswith("  help: ")
        assert lines[-2:] == ["1 error", ""]

    def test_human_is_the_default(self) -> None:
        file = write("shop.dora", WRONG)
        assert dora(file) == dora("--error-format=human", file) == dora("--error-format", "human", file)

    def test_human_expands_tabs(self) -> None:
        result = dora(write("a.dora", "fun main() {\n\tvar a = 1;\n\ta\t= true;\n}\n"))
        lines = result.err.split("\n")
        assert lines[1:5] == ["  a.dora:3:9", "  |", "3 |     a   = true;", "  |         ^"]

    def test_human_counts_code_points(self) -> None:
        result = dora(write("a.dora", 'fun main() {\n  "äöü" - 1;\n}\n'))
        lines = result.err.split("\n")
        assert lines[1:5] == ["  a.dora:2:9", "  |", '2 |   "äöü" - 1;', "  |         ^"]

    def test_short(self) -> None:
        result = dora("--error-format=short", write("shop.dora", WRONG))
        assert (result.status, result.out) == (1, "")
        assert re.fullmatch(r"shop\.dora:3:9: error\[E0401\]: [^\n]+\n1 error\n", result.err)

    def test_short_with_several_errors(self) -> None:
        text = "fun main() {\n  b();\n  a();\n}\n"
        result = dora("--error-format=short", write("a.dora", text))
        pattern = r"a\.dora:2:3: error\[E0302\]: .+\na\.dora:3:3: error\[E0302\]: .+\n2 errors\n"
        assert re.fullmatch(pattern, result.err)

    def test_json(self) -> None:
        result = dora("--error-format=json", write("shop.dora", WRONG))
        assert (result.status, result.out) == (1, "")
        report = json.loads(result.err)
        assert list(report) == ["code", "severity", "message", "file", "span", "help"]
        assert (report["code"], report["severity"], report["file"]) == ("E0401", "error", "shop.dora")
        assert report["span"] == {"start": {"line": 3, "column": 9}, "end": {"line": 3, "column": 10}}
        assert isinstance(report["message"], str)
        assert isinstance(report["help"], str)

    def test_json_is_one_object_a_line(self) -> None:
        text = "fun f() throws { }\nfun main() {\n  try f();\n  b();\n  let x: Nowhere = 1;\n}\n"
        lines = dora("--error-format=json", write("a.dora", text)).err.splitlines()
        assert [json.loads(line)["code"] for line in lines] == ["W0801", "E0302", "E0303"]
        assert [json.loads(line)["severity"] for line in lines] == ["warning", "error", "error"]

    @pytest.mark.parametrize(
        ("text", "code", "start", "end"),
        [
            ("fun main() { nowhere(1); }", "E0302", (1, 14), (1, 21)),
            ("fun main() { let x: Nowhere = 1; }", "E0303", (1, 21), (1, 28)),
            ("fun main() { let x: Array<int, int> = nil; }", "E0607", (1, 21), (1, 36)),
            ('fun main() { "a".nothing(); }', "E0311", (1, 17), (1, 25)),
            ("fun main() { 1 + true; }", "E0412", (1, 16), (1, 17)),
            ("fun main() { let a = 2147483648; }", "E0106", (1, 22), (1, 32)),
            ("fun main() { if 1 { } }", "E0403", (1, 17), (1, 18)),
            ("fun main() {\n\tlet x: int = true;\n}", "E0401", (2, 18), (2, 22)),
            ("", "E0901", (1, 1), None),
        ],
    )
    def test_spans(self, text: str, code: str, start: tuple[int, int], end: tuple[int, int] | None) -> None:
        report = json.loads(dora("--error-format=json", write("a.dora", text)).err)
        span = report["span"]
        assert report["code"] == code
        assert (span["start"]["line"], span["start"]["column"]) == start
        if end:
            assert (span["end"]["line"], span["end"]["column"]) == end

    def test_warnings_are_not_counted(self) -> None:
        result = dora("--error-format=short", write("a.dora", WARNED))
        assert result.status == 0
        assert re.fullmatch(r"a\.dora:3:3: warning\[W0801\]: .+\n", result.err)

    def test_a_human_warning(self) -> None:
        result = dora(write("a.dora", WARNED))
        lines = result.err.split("\n")
        assert (result.status, result.out) == (0, "")
        assert lines[0].startswith("warning[W0801]: ")
        assert lines[1:4] == ["  a.dora:3:3", "  |", "3 |   try f();"]
        assert not lines[-2].endswith(" error")


class TestColor:
    def test_only_where_told(self) -> None:
        file = write("a.dora", WRONG)
        plain = dora("--color=never", file).err
        colored = dora("--color=always", file).err
        assert "\x1b" not in plain
        assert "\x1b[" in colored
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain

    def test_auto_is_the_default_and_none_without_a_terminal(self) -> None:
        file = write("a.dora", WRONG)
        assert dora(file).err == dora("--color=auto", file).err == dora("--color=never", file).err

    def test_always_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" in dora("--color=always", write("a.dora", WRONG)).err

    def test_machines_get_no_color(self) -> None:
        report = dora("--error-format=json", "--color=always", write("a.dora", WRONG)).err
        assert json.loads(report)["code"] == "E0401"

    def test_for_check(self) -> None:
        assert "\x1b[" in dora("check", "--color", "always", write("a.dora", WRONG)).err


class TestOrderOfOutput:
    def test_output_comes_before_a_failure(self) -> None:
        file = write("a.dora", 'fun main() {\n  print("before");\n  assert(false);\n}\n')
        assert recorded(file) == (101, [("out", b"before"), ("err", b"assert failed\n0: main(): 3\n")])

    def test_output_comes_before_an_uncaught_exception(self) -> None:
        file = write("a.dora", 'fun main() throws {\n  print("before");\n  throw "x";\n}\n')
        assert recorded(file) == (
            104,
            [("out", b"before"), ("err", b"uncaught exception: x\n0: main(): 3\n")],
        )

    def test_output_comes_before_a_fatal_error(self) -> None:
        file = write("a.dora", 'fun main() { print("before"); fatalError("x"); }\n')
        assert recorded(file) == (1, [("out", b"before"), ("err", b"fatal error: x\n")])

    def test_exit_flushes(self) -> None:
        file = write("a.dora", 'fun main() { print("before"); exit(4); }\n')
        assert recorded(file) == (4, [("out", b"before")])

    def test_warnings_come_before_the_program(self) -> None:
        file = write("a.dora", 'fun f() throws { }\nfun main() { try f(); println("a"); }\n')
        status, log = recorded(file)
        assert (status, [name for name, _ in log]) == (0, ["err", "out"])

    def test_output_of_a_test_comes_before_its_failure(self) -> None:
        text = "fun testA(t: Testing) { assert(false); }\nfun testB(t: Testing) { }\n"
        status, log = recorded("test", write("a.dora", text))
        assert status == 1
        assert log == [
            ("out", b"test testA ... failed\n"),
            ("err", b"assert failed\n0: testA(Testing): 1\n"),
            ("out", b"test testB ... ok\n1 passed, 1 failed\n"),
        ]


class TestTest:
    GOOD = "fun testA(t: Testing) { }\n"
    BAD = "fun testB(t: Testing) { t.fail(); }\n"

    def test_one_file(self) -> None:
        result = dora("test", write("a.dora", self.GOOD + self.BAD))
        assert result == Result(1, "test testA ... ok\ntest testB ... failed\n1 passed, 1 failed\n", "")

    def test_all_pass(self) -> None:
        assert dora("test", write("a.dora", self.GOOD)) == Result(
            0, "test testA ... ok\n1 passed, 0 failed\n", ""
        )

    def test_several_files_are_named(self) -> None:
        files = [write("b.dora", self.BAD), write("a.dora", self.GOOD)]
        expected = "b.dora\ntest testB ... failed\na.dora\ntest testA ... ok\n1 passed, 1 failed\n"
        assert dora("test", *files) == Result(1, expected, "")

    def test_a_folder_stands_for_all_files_below_sorted(self) -> None:
        for name in ("t/z.dora", "t/a.dora", "t/m/n.dora"):
            write(name, self.GOOD)
        write("t/other.txt", "no program")
        result = dora("test", "t")
        lines = result.out.splitlines()
        assert (result.status, result.err) == (0, "")
        assert [Path(line).name for line in lines[0:6:2]] == ["a.dora", "n.dora", "z.dora"]
        assert lines[1:6:2] == ["test testA ... ok"] * 3
        assert lines[6:] == ["3 passed, 0 failed"]

    def test_one_error_and_nothing_is_run(self) -> None:
        files = [write("a.dora", self.GOOD), write("b.dora", WRONG)]
        result = dora("test", "--error-format=short", *files)
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith("b.dora:3:9: error[E0401]: ")

    def test_files_do_not_share_anything(self) -> None:
        text = "var n: int = 0;\nfun testN(t: Testing) { n = n + 1; if n != 1 { t.fail(); } }\n"
        files = [write("a.dora", text), write("b.dora", text)]
        assert dora("test", *files).out.endswith("2 passed, 0 failed\n")

    def test_options(self) -> None:
        assert dora("test", "--engine", "walk", write("a.dora", self.GOOD)).status == 0

    def test_a_file_without_tests_says_so(self) -> None:
        one, other = write("a.dora", "fun main() { }\n"), write("b.dora", self.GOOD)
        assert dora("test", one) == Result(0, "no tests\n0 passed, 0 failed\n", "")
        expected = "a.dora\nno tests\nb.dora\ntest testA ... ok\n1 passed, 0 failed\n"
        assert dora("test", one, other) == Result(0, expected, "")

    def test_a_folder_without_files_is_a_mistake(self) -> None:
        Path("empty").mkdir()
        assert_usage_error(dora("test", "empty"))

    def test_what_looks_like_a_test_and_is_none(self) -> None:
        text = self.GOOD + "fun testN(n: int) { }\nfun test_r(t: Testing) -> int { return 1; }\n"
        text += "fun test() { }\nfun tester(n: int) { }\nvar testing: int;\nfun testG<T>(t: Testing) { }\n"
        result = dora("test", "--error-format=short", write("a.dora", text))
        assert (result.status, result.out) == (0, "test testA ... ok\n1 passed, 0 failed\n")
        assert re.findall(r"(?m)^a\.dora:(\d+):1: warning\[W0901\]: `(\w+)` is no test$", result.err) == [
            ("2", "testN"),
            ("3", "test_r"),
            ("4", "test"),
            ("7", "testG"),
        ]
        assert dora("check", "a.dora") == Result(0, "", "")

    def test_exit_ends_the_whole_run(self) -> None:
        files = [write("a.dora", "fun testA(t: Testing) { exit(9); }\n"), write("b.dora", self.GOOD)]
        assert dora("test", *files) == Result(9, "a.dora\ntest testA ... ", "")


class TestEval:
    @pytest.mark.parametrize(
        ("formula", "value"),
        [
            ("11+1.2-5", "7.2"),
            ("7/2", "3.5"),
            ("1/3", "0.3333333333333333"),
            ("2 * (3 + 4)", "14"),
            ("(-5) % 3", "-2"),
            ("1_000", "1000"),
            ("017", "17"),
            ("11L", "11"),
            ("7L/2L", "3"),
            ("3Y", "3"),
            ("0x1F", "31"),
            ("0x1F / 2.toInt()", "15"),
            ("0b11", "3"),
            ("1F/3F", "0.33333334"),
            ("1 < 2", "true"),
            ("1 < 2 && !(3 < 2)", "true"),
            ('"a" + "b"', "ab"),
            ("'x'", "x"),
            ("max(3, 4)", "4"),
            ("min(3L, 4L)", "3"),
            ("sqrt(9)", "3"),
            ("abs(0 - 3)", "3"),
            ("pow(2, 10)", "1024"),
            ("sin(0)", "0"),
            ("max(1, max(2, 3))", "3"),
            ("toString(3)", "3"),
            ("4.sqrt()", "2"),
            ("int::max_value()", "2147483647"),
            ("1 < 2 ? 10 : 20", "10"),
            ("2 < 1 ? 10 : 20", "20"),
            ("2 < 1 ? 1 : 3 < 2 ? 2 : 3", "3"),
            ("1 < 2 ? 3 < 2 ? 1 : 2 : 3", "2"),
            ("1 < 2 || false ? 1 + 1 : 3", "2"),
            ("true ? 1L : 1L / 0L", "1"),
            ("false ? 1L / 0L : 2L", "2"),
            ("100000000000 * 100000000000", "10000000000000000000000"),
            ("0 / 0", "NaN"),
            ("1 / 0", "inf"),
            ("1 + 1L", "2"),
            ("2 ** 10 == 1024 and not false", "true"),
            ("(-2 ** 2)", "-4"),
            ("if(1 < 2, 3Y, 4L)", "3"),
            ("3L in [1, 2, 3]", "true"),
            ("9007199254740993L == 9007199254740993", "true"),
            ("3L not in []", "true"),
            ("max(1L, 2, 3.5F)", "3.5"),
            ("sqrt(9L) + min(4Y, 2L)", "5"),
            ("round(2.675, 2)", "2.68"),
            ("round(1234.5, -2)", "1200"),
            ("round(-0.5, 0)", "-1"),
            ("sum(1, 2, 3)", "6"),
            ("ln(e) * pi", "3.141592653589793"),
            ('len("größe")', "5"),
            ('upper("Straßeñ") + lower("ÀΣЖ")', "STRAßEÑàσж"),
            ('trim("  a b ") + text(1L)', "a b1"),
            ('contains("abc", "bc") && startsWith("abc", "ab") && endsWith("abc", "c")', "true"),
            ('contains("abc", "cb") or startsWith("a", "ab") or endsWith("c", "bc")', "false"),
            ('"abc".getByte(1)', "98"),
            ("5L & 4", "4"),
            ('"${1 + 2} of ${true ? "a${7L}" : ""}"', "3 of a7"),
            ('len("<${1/4}>") + 1', "7"),
            ('"${"$"}5" in ["$5"] and "${not true}" == "false"', "true"),
            ("isMissing(2) or coalesce(1, 2) == 1", "true"),
        ],
    )
    def test_formulas(self, formula: str, value: str) -> None:
        assert dora("eval", formula) == Result(0, value + "\n", "")

    @pytest.mark.parametrize(
        ("formula", "value"),
        [
            ("0.1+0.2", "0.3"),
            ("0.1+0.2 == 0.3", "true"),
            ("-(0.1+0.2)", "-0.3"),
            ("+(0.1+0.2)", "0.3"),
            ("(0.1+0.2)*10/(1.1-0.1)", "3"),
            ("1/3*3", "1"),
            ("1/3+1/3+1/3", "1"),
            ("1.1*1.1", "1.21"),
            ("max(0.1+0.2, 0)", "0.3"),
            ("(0.1+0.2).toString()", "0.3"),
            ("true ? 0.1+0.2 : 0", "0.3"),
            ("0.1+0.2-0.3", "0"),
            ("0.1+0.2-0.3+0.1+0.2", "0.3"),
            ("1_0.0_1+0.2", "10.21"),
            ("1.0e200*1.0e200/1.0e200", "1" + "0" * 200),
            # Where exactness ends.
            ("0.1D+0.2", "0.30000000000000004"),
            ("0.1+0.2+0D", "0.3"),
            ("0.1+(0.2+0D)", "0.30000000000000004"),
            ("max(0.1, 0)+0.2", "0.30000000000000004"),
            ("-0", "-0"),
            ("-0.0+0", "0"),
            ("0*-5", "-0"),
            ("0/-5", "-0"),
            ("-0-0", "-0"),
            ("1/(0*-5)", "-inf"),
            ("-1/0", "-inf"),
            ("1/(0.1+0.2-0.3)", "inf"),
            ("1.0e308*10", "inf"),
            ("-1.0e308*10", "-inf"),
            ("5.3%0.1", "0.09999999999999953"),
            ("(0.1+0.2)%1", "0.3"),
            ("11F+1.2F-5F", "7.2"),
        ],
    )
    def test_plain_numbers_are_computed_exactly(self, formula: str, value: str) -> None:
        assert dora("eval", "--", formula) == Result(0, value + "\n", "")

    def test_variables_hold_doubles(self) -> None:
        assert dora("eval", "--let", "x=0.1", "x+0.2").out == "0.30000000000000004\n"
        assert dora("eval", "--let", "x=0.1+0.2", "x == 0.3").out == "true\n"
        assert dora("eval", "--let", "x=3", "x*(1/3)").out == "1\n"
        assert dora("eval", "--let", "x=0", "x+0.1+0.2").out == "0.30000000000000004\n"

    def test_programs_round_each_operation(self) -> None:
        text = "fun main() { println((11.0+1.2-5.0).toString()); }"
        assert dora("-", stdin=text).out == "7.199999999999999\n"

    def test_enormous_numbers_are_ordinary(self) -> None:
        assert dora("eval", "*".join(["1.5"] * 5000)).out == "inf\n"
        assert dora("eval", "1/" + "3" * 2000).status == 1  # too large for a double in any case
        assert dora("eval", "0." + "1" * 5000 + "*9").out == "1\n"
        assert dora("eval", "+".join(["0.1"] * 100_000)).out == "10000\n"

    def test_variables(self) -> None:
        assert dora("eval", "--let", "x=3", "x * 2").out == "6\n"
        assert dora("eval", "--let=x=3", "x * 2").out == "6\n"
        assert dora("eval", "--let", 's="a"', "s + s").out == "aa\n"

    def test_variables_see_those_to_their_left(self) -> None:
        assert dora("eval", "--let", "x=3", "--let", "y=x+1", "x * y").out == "12\n"

    def test_variables_do_not_see_those_to_their_right(self) -> None:
        result = dora("eval", "--let", "y=x+1", "--let", "x=3", "y")
        assert result.status == 1
        assert "E0301" in result.err

    def test_errors_in_variables_have_their_own_name_text_and_position(self) -> None:
        options = ["--let", "x=1 + nowhere", "--let", "y=1L+true"]
        result = dora("eval", *options, "--error-format=short", "nothing + x + y")
        assert re.findall(r"(?m)^(<\w+>:\d+:\d+): error\[(E\d+)\]", result.err) == [
            ("<x>:1:5", "E0301"),
            ("<y>:1:3", "E0412"),
            ("<expression>:1:1", "E0301"),
        ]
        human = dora("eval", *options, "x").err.splitlines()
        assert human[1:5] == ["  <x>:1:5", "  |", "1 | 1 + nowhere", "  |     ^^^^^^^"]
        failed = dora("eval", "--let", "x=1L / 0L", "x")
        assert (failed.status, failed.err) == (101, "division by 0\n0: <x>: 1\n")
        assert dora("compare", "--let", "x=1L / 0L", "x").err == failed.err
        assert "<x>:1:5" in dora("compare", *options, "x").err

    @pytest.mark.parametrize(
        ("formula", "value"),
        [
            ("1e3", "1000"),
            ("1e3/2", "500"),
            ("2.5E-1", "0.25"),
            ("1e1L", None),
            ("1e400", None),
            ("0x1e3", "483"),
        ],
    )
    def test_exponents(self, formula: str, value: str | None) -> None:
        result = dora("eval", formula)
        assert result.out == ("" if value is None else f"{value}\n")

    @pytest.mark.parametrize("formula", ["x // 2", "x//2", "x //", "// x", "x /* a */ // b\n+ 1", "(x // 2)"])
    def test_two_slashes_are_no_comment(self, formula: str) -> None:
        result = dora("eval", "--let", "x=7", "--error-format=short", formula)
        assert (result.status, result.out) == (1, "")
        column = formula.index("//") + 1
        assert re.fullmatch(rf"<expression>:1:{column}: error\[E0110\]: .+\n1 error\n", result.err)
        assert "`(x / 2).trunc()`" in dora("eval", "--let", "x=7", formula).err

    def test_slashes_in_texts_and_block_comments(self) -> None:
        assert dora("eval", '"a//b" + "" /* // */').out == "a//b\n"

    def test_types_of_variables(self) -> None:
        assert dora("eval", "--let", "n=7L", "n / 2L").out == "3\n"
        assert dora("eval", "--let", "n=0x7", "n + n").out == "14\n"

    def test_methods_of_variables(self) -> None:
        assert dora("eval", "--let", "y=0", "cos(y) + y.cos()").out == "2\n"

    def test_two_dashes(self) -> None:
        assert dora("eval", "--", "-3 + 1").out == "-2\n"
        assert dora("eval", "--let", "x=2", "--", "-x").out == "-2\n"

    def test_other_types_are_errors(self) -> None:
        result = dora("eval", "--error-format=short", "Vec::<int>()")
        assert (result.status, result.out) == (1, "")
        assert re.fullmatch(r"<expression>:1:1: error\[E0401\]: .+\n1 error\n", result.err)

    def test_columns_count_from_the_first_character(self) -> None:
        result = dora("eval", "--error-format=short", "1 + nowhere * 2")
        assert re.fullmatch(r"<expression>:1:5: error\[E0301\]: .+\n1 error\n", result.err)

    @pytest.mark.parametrize(
        ("formula", "code"),
        [
            ("1 + true", "E0412"),
            ("1 +", "E0203"),
            ("1 ? 2 : 3", None),
            ("f(1)", None),
            ("1 2", None),
        ],
    )
    def test_errors(self, formula: str, code: str | None) -> None:
        result = dora("eval", "--error-format=short", formula)
        assert (result.status, result.out) == (1, "")
        assert f"error[{code or 'E'}" in result.err
        assert result.err.endswith("\n1 error\n")

    @pytest.mark.parametrize("options", [[], ["--emit=tokens,ast,program"]])
    def test_bytes_that_are_no_text(self, options: list[str]) -> None:
        expected = Result(1, "", "<expression>:1:3: error[E0108]: the file is not valid UTF-8\n1 error\n")
        short = ["eval", "--error-format=short", *options]
        assert dora(*short, '"a\udcff"') == expected
        in_variable = Result(1, "", expected.err.replace("<expression>", "<x>"))
        assert dora(*short, "--let", 'x="a\udcff"', "x") == in_variable

    def test_stages(self) -> None:
        stages = dora("eval", "--emit=tokens,ast,program", "--let", "x=1L", "x == 2L ? 1 : 0")
        assert (stages.status, stages.err) == (0, "")
        for line in (
            "1:9 ?",
            "Choice 1:9",
            "formula <expression>",
            "  Return 1:9",
            "        GetLocal 1:1 x#0 : long",
        ):
            assert stages.out.count(f"{line}\n") == 1
        assert stages.out.endswith(" : double\n0\n")
        assert dora("eval", "--emit=program", "1 +").out == ""

    def test_failures(self) -> None:
        result = dora("eval", "1L / 0L")
        assert (result.status, result.out) == (101, "")
        assert result.err.startswith("division by 0\n0: ")


class TestProcess:
    """The installed command, as a process of its own."""

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "doralang", *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )

    def test_output_and_status(self) -> None:
        process = self.start(write("a.dora", 'fun main() -> int { print("a\\0b"); return 3; }\n'))
        assert process.communicate() == (b"a\0b", b"")
        assert process.returncode == 3

    def test_interrupt(self) -> None:
        text = 'fun main() {\n  println("ready");\n  var n = 0;\n  while true {\n    n = n + 1;\n  }\n}\n'
        for patience in (2, 8, 32):  # on a busy machine the first one may come before the program runs
            process = self.start(write("a.dora", text))
            status, out, err = interrupt_until_it_ends(process, patience)
            if out:
                break
        assert (status, out) == (130, b"ready\n")
        assert re.fullmatch(rb"interrupted\n0: main\(\): [456]\n", err)


def interrupt_until_it_ends(process: subprocess.Popen[bytes], patience: int) -> tuple[int, bytes, bytes]:
    """Wait some seconds until the program runs, then send Ctrl-C."""
    for _ in range(100):
        try:
            out, err = process.communicate(timeout=patience)
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    process.kill()
    raise AssertionError("the program does not end")


TWICE = """
class Twice(let value: int) { fun get() -> int { return self.value * 2; } }
fun main() { println("ran"); println(Twice(4).get().toString()); }
"""


@pytest.mark.parametrize(("target", "returns"), [("x64", "retq"), ("arm64", "ret")])
def test_code_for_any_processor_is_shown_and_not_run(target: str, returns: str, tmp_path: Path) -> None:
    path = tmp_path / "twice.dora"
    path.write_text(TWICE)
    result = dora("--emit-asm=get", f"--target={target}", str(path))
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "Twice.get"
    assert any(line.split(":")[1].split("#")[0].strip() == returns for line in lines[1:])
    everything = dora("--emit-asm=all", f"--target={target}", str(path)).out
    names = [line for line in everything.splitlines() if line and not line.startswith(" ")]
    assert {"main", "Twice.get", "printLine"} <= set(names)
    assert names == sorted(names)
    own = dora("--emit=asm", f"--target={target}", str(path)).out
    assert {line for line in own.splitlines() if line and not line.startswith(" ")} == {
        "main",
        "Twice.Twice(int)",
        "Twice.get",
    }
    assert_usage_error(dora(f"--target={target}", str(path)))
    assert_usage_error(dora(f"--target={target}", "--emit=asm", "--engine=walk", str(path)))


def test_what_does_not_compile_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "wrong.dora"
    path.write_text("fun main() { nothing(); }")
    result = dora("--emit-asm=main", "--target=arm64", str(path))
    assert (result.status, result.out) == (1, "")
    assert "E0302" in result.err


def test_a_run_loads_its_own_processor_only() -> None:
    program = (
        "import sys; from doralang.cli.main import run_command; o = sys.stdout.buffer; "
        "run_command(['eval', '--engine=baseline', '1'], sys.stdin.buffer, o, o); "
        "print(sorted({name.split('.')[2] for name in sys.modules if name.count('.') > 2 and "
        "name.startswith('doralang.machine.')}), 'doralang.native.showing' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    found = host()
    assert found is not None
    assert result.stdout == f"1\n['{found.name}'] False\n"


STAGES_OF_FUNCTIONS = [("vm", "bytecode"), ("baseline", "bytecode"), ("baseline", "asm"), ("c", "c")]


@pytest.mark.parametrize(("engine", "stage"), STAGES_OF_FUNCTIONS)
def test_the_library_is_shown_only_if_asked_for(engine: str, stage: str, tmp_path: Path) -> None:
    path = tmp_path / "own.dora"
    path.write_text(
        "fun twice(n: int) -> int { return n.max(3) * 2; }\nfun main() { println(twice(4).toString()); }"
    )
    own = dora(f"--engine={engine}", f"--emit={stage}", str(path))
    everything = dora(f"--engine={engine}", f"--emit={stage}:all", str(path))
    assert (own.status, own.err) == (everything.status, everything.err) == (0, "")
    assert "twice" in own.out
    assert "int.max" not in re.sub(r"#.*|/\*.*|.*Call.*", "", own.out)
    assert len(own.out) < len(everything.out) or engine == "c"
    assert own.out.endswith("8\n")


@pytest.mark.parametrize(("engine", "stage"), STAGES_OF_FUNCTIONS)
def test_of_a_formula_only_the_formula_is_shown(engine: str, stage: str) -> None:
    result = dora("eval", f"--engine={engine}", f"--emit={stage}", "1.5 * 2 + 1L.toDouble()")
    assert (result.status, result.err) == (0, "")
    assert len(result.out.splitlines()) < 40
    assert result.out.endswith("4\n")


@pytest.mark.parametrize(
    "options", ["--emit-asm=mian", "--engine=vm --emit-bytecode=mian,main", "--emit-asm=mian --target=arm64"]
)
def test_a_function_to_be_shown_that_there_is_not(options: str, tmp_path: Path) -> None:
    path = tmp_path / "twice.dora"
    path.write_text(TWICE)
    result = dora(*options.split(), str(path))
    assert (result.status, result.err) == (0, "dora: warning: there is no function `mian`\n")
    names = ["main", "get", "Twice", "println", "push", "all"]
    known = dora("--emit-debug=none", "--emit-bytecode=" + ",".join(names), "--engine=baseline", str(path))
    assert known.err == "dora: warning: there is no function `none`\n"


@pytest.mark.parametrize("name", ["dora", "doralang"])
def test_both_commands_are_installed(name: str) -> None:
    try:
        distribution("dora-lang")
    except PackageNotFoundError:
        pytest.skip("the package is not installed")
    command = Path(sys.executable).parent / name
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == dora("--version").out
