"""The conformance suite: every program under `tests/language` under every engine.

Programs run in this process through `run_command`, as the command line would run them.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import sampling
from command_line import ENGINE_ROWS, ENGINES
from doralang.cli.main import run_command
from language_cases import (
    BadExpectation,
    Case,
    Command,
    Report,
    line_matches,
    lines_match,
    parse,
    parse_file,
    same_reports,
)
from sampling import some

HERE = Path(__file__).parent
LANGUAGE = HERE / "language"
REFERENCE = HERE.parent / "docs" / "reference.md"

FILES = sorted(LANGUAGE.rglob("*.dora"))
LIBRARIES = ("walk", "baseline")
"""engines with the two libraries that there are: without and with the heap"""

# Only a host program sets limits.
STATUSES_OF_HOSTS = {109}
# Nobody presses a key here; `test_cli` does.
STATUSES_OF_KEYS = {130}

SHORT_REPORT = re.compile(r".*?:(\d+:\d+): (?:error|warning)\[([EW]\d{4})\]: .+")


@dataclass(slots=True)
class Outcome:
    """What running one file gave: stderr is split into compile reports and everything else."""

    exit_status: int
    stdout: bytes
    reports: list[Report]
    stderr: list[str]


def command_line(case: Case, path: Path, engine: str) -> list[str]:
    options = [] if case.command is Command.CHECK else [f"--engine={engine}"]
    return [case.command.value, *options, "--error-format=short", str(path), *case.arguments]


def run(case: Case, path: Path, engine: str) -> Outcome:
    return run_with(case, path, engine, [])


def run_with(case: Case, path: Path, engine: str, options: list[str]) -> Outcome:
    """Run a program with further options."""
    stdout, stderr = io.BytesIO(), io.BytesIO()
    command, *rest_of_line = command_line(case, path, engine)
    arguments = [command, *options, *rest_of_line]
    exit_status = run_command(arguments, io.BytesIO(case.stdin), stdout, stderr)
    reports, rest = split_reports(stderr.getvalue().decode())
    return Outcome(exit_status, stdout.getvalue(), reports, rest)


def split_reports(text: str) -> tuple[list[Report], list[str]]:
    """The reports at the top of stderr, and the other lines.  Reports must be sorted and counted."""
    lines = text.split("\n")
    assert lines.pop() == "", "stderr does not end in a newline"
    reports: list[Report] = []
    while lines and (match := SHORT_REPORT.fullmatch(lines[0])):
        reports.append(Report(match[2], match[1]))
        lines.pop(0)
    errors = sum(report.code.startswith("E") for report in reports)
    if errors:
        assert lines and lines.pop(0) == summary(errors)
    assert reports == sorted(reports, key=order), "reports are not sorted by position"
    return reports, lines


def summary(errors: int) -> str:
    return "1 error" if errors == 1 else f"{errors} errors"


def order(report: Report) -> tuple[int, ...]:
    return tuple(map(int, report.position.split(":")))


def chosen() -> list[tuple[Path, str]]:
    """Every program with every engine.  In a quick run those that only the checker sees go without most of
    them, and of the others some without the engines that take long to compile."""
    slow = {name for name in ENGINES if ENGINE_ROWS[name].optimizes}
    optimized = {*some(FILES, 3)}
    runs = []
    for path in FILES:
        case = parse_file(path)
        for engine in ENGINES:
            if case.command is Command.CHECK or case.errors:
                is_chosen = sampling.EVERY or engine in LIBRARIES
            else:
                is_chosen = engine not in slow or path in optimized
            if is_chosen:
                runs.append((path, engine))
    return runs


@pytest.mark.parametrize(
    ("path", "engine"),
    chosen(),
    ids=lambda one: str(one.relative_to(LANGUAGE).with_suffix("")) if isinstance(one, Path) else one,
)
def test_language(path: Path, engine: str) -> None:
    case = parse_file(path)
    outcome = run(case, path, engine)
    assert same_reports(case.reports, outcome.reports), show_reports(case, outcome)
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr), show_stderr(case, outcome)
    assert outcome.exit_status == case.expected_exit


def show_reports(case: Case, outcome: Outcome) -> str:
    return f"expected {sorted(case.reports)}, found {outcome.reports}"


def show_stderr(case: Case, outcome: Outcome) -> str:
    return "\n".join(["expected:", *case.stderr, "found:", *outcome.stderr])


def all_cases() -> list[Case]:
    return [parse_file(path) for path in FILES]


def codes_of_the_reference() -> set[str]:
    """Every code of the table of section 15.3; the headlines of the areas have two digits only."""
    section = REFERENCE.read_text().split("### 15.3")[1].split("\n## ")[0]
    return set(re.findall(r"(?m)^\| ([EW]\d{4}) \|", section))


def statuses_of_the_reference() -> set[int]:
    """Every exit status of the table of section 13."""
    section = REFERENCE.read_text().split("\n## 13 ")[1].split("### 13.1")[0]
    return set(map(int, re.findall(r"(?m)^\|.*\| (\d+)(?: \(modulo 256\))? \|$", section)))


# `test_large_programs` nests too deeply, `test_cli` names a missing file, formulas have errors of their own; the rules of library
# files and names that a host does not grant cannot be had from a program's file.
CODES_TESTED_ELSEWHERE = {"E0110", "E0215", "E0217", "E0903", "E0906", "E0907"}


def test_every_code_of_the_reference_is_expected_somewhere() -> None:
    codes = codes_of_the_reference()
    assert len(codes) > 100
    expected = {report.code for case in all_cases() for report in case.reports}
    assert codes - CODES_TESTED_ELSEWHERE <= expected, sorted(codes - expected)
    assert expected <= codes


def test_every_failure_status_is_expected_somewhere() -> None:
    statuses = statuses_of_the_reference()
    assert {1, 2, 101, 108, 109, 130} <= statuses
    expected = {case.expected_exit for case in all_cases()}
    usage = {2}
    assert statuses - STATUSES_OF_HOSTS - STATUSES_OF_KEYS - usage <= expected


def test_programs_with_errors_expect_no_output() -> None:
    for path in FILES:
        case = parse_file(path)
        assert not (case.errors and (case.expected_stdout or case.stderr)), path


def test_there_are_many_programs() -> None:
    assert len(FILES) >= 450


def test_a_line_of_output_is_parsed() -> None:
    case = parse('println("a"); // expect: a\n// expect:\n// expect:  b')
    assert case.lines == ["a", "", " b"]
    assert case.expected_stdout == b"a\n\n b\n"
    assert case.expected_exit == 0


def test_several_expectations_fit_on_a_line() -> None:
    case = parse("x(); // expect: a // expect warning W0801 at 1:1 // expect: b ")
    assert (case.lines, len(case.reports)) == (["a", "b "], 1)


def test_whole_output_is_parsed() -> None:
    assert parse('// expect stdout: "a\\u0000\\u00fc"').expected_stdout == "a\0ü".encode()


def test_reports_are_parsed() -> None:
    case = parse(
        "x(); // expect error E0302 at 1:2 // expect warning W0801 at 1:3\n// expect error E0215 at *"
    )
    assert case.reports == [Report("E0302", "1:2"), Report("W0801", "1:3"), Report("E0215", "*")]
    assert case.expected_exit == 1


def test_warnings_alone_do_not_change_the_exit_status() -> None:
    assert parse("// expect warning W0801 at 3:1").expected_exit == 0


def test_failures_and_traces_are_parsed_in_order() -> None:
    case = parse("// expect failure: cast failed\n// expect trace: 0: main(): 3\n// expect exit 105")
    assert case.stderr == ["cast failed", "0: main(): 3"]
    assert case.expected_exit == 105


def test_directives_are_parsed() -> None:
    case = parse('// args: a -b\n// stdin: "x\\n"\n// test-file')
    assert (case.arguments, case.stdin, case.command) == (["a", "-b"], b"x\n", Command.TEST)
    assert parse("// check-only").command is Command.CHECK


@pytest.mark.parametrize(
    "comment",
    [
        "// expect eror E0401 at 1:2",
        "// expect error E401 at 1:2",
        "// expect error E0401 at line 1",
        "// expect error W0801 at 1:2",
        "// expect warning E0401 at 1:2",
        "// expect exit",
        "// expected: a",
        "// expect stdout: a",
        '// expect stdout: "a" // expect: b',
    ],
)
def test_bad_expectations_raise(comment: str) -> None:
    with pytest.raises(BadExpectation):
        parse(comment)


def test_stars_match() -> None:
    assert line_matches("1: call(Str): *", "1: call(Str): native.dora:12")
    assert not line_matches("1: call(Str): 5", "1: call(Str): 55")
    assert lines_match(["a", "**", "*: main()"], ["a", "x", "y", "3: main()"])
    assert lines_match(["a", "**"], ["a"])
    assert not lines_match(["a", "**", "b"], ["a", "c"])
    assert not lines_match([], ["a"])


def test_reports_are_compared_as_sets() -> None:
    one, other, any_place = Report("E0401", "1:2"), Report("E0402", "1:3"), Report("E0401", "*")
    assert same_reports([one, other], [other, one])
    assert same_reports([any_place], [one])
    assert not same_reports([one], [one, one])
    assert not same_reports([one, other], [one])


def test_reports_are_split_from_the_rest() -> None:
    text = "a:1:2: error[E0401]: no\na:1:4: warning[W0801]: hm\n1 error\nrest\n"
    assert split_reports(text) == ([Report("E0401", "1:2"), Report("W0801", "1:4")], ["rest"])
