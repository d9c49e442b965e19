"""Expectations of the language tests: the `// expect …` comments of a file as a dataclass.

A language test is a small program that says in comments what must come out.  This module reads the
comments; `test_language` runs the files and compares.

    println("a");          // expect: a                        one line of stdout
    // expect stdout: "a\\u0000"                                 or all of stdout, as a JSON string
    let x: int = "a";      // expect error E0401 at 2:1        one report; `at *` for any place
    try f();               // expect warning W0801 at 3:1
    // expect exit 102                                         exit status; 0, or 1 with errors
    // expect failure: cast failed                             the lines of stderr, in order
    // expect trace: 0: main(): 4
    // expect stderr: any other line

In lines of stderr `*` stands for anything and the line `**` for any number of lines.  Whole-line
comments say how to run the file: `// args: a b`, `// stdin: "JSON"` (where `\\udcff` is the byte FF),
`// check-only` (`dora check`), `// test-file` (`dora test`), and `// not-stressed`, of a program that
allocates with a full stack: a collection at each of its allocations would take time in the square of
its depth.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

EXPECT: Final = "// expect"
ERROR_EXIT: Final = 1

REPORT: Final = re.compile(r" (error|warning) ([EW]\d{4}) at (\d+:\d+|\*)")
EXIT: Final = re.compile(r" exit (\d+)")
LINE: Final = re.compile(r": ?(.*)")
STDOUT: Final = re.compile(r" stdout: (.*)")
STDERR: Final = re.compile(r" (?:failure|trace|stderr): (.*)")
DIRECTIVE: Final = re.compile(r"// (args|stdin): (.*)|// (check-only|test-file|not-stressed)")


class Command(Enum):
    RUN = "run"
    CHECK = "check"
    TEST = "test"


class BadExpectation(Exception):
    """A comment that begins like an expectation and is none."""


@dataclass(frozen=True, slots=True, order=True)
class Report:
    """An expected or actual compile error or warning; `position` is `LINE:COLUMN`, or `*` for any."""

    code: str
    position: str


@dataclass(slots=True)
class Case:
    """What one file expects."""

    command: Command = Command.RUN
    stressed: bool = True
    arguments: list[str] = field(default_factory=list)
    stdin: bytes = b""
    lines: list[str] = field(default_factory=list)
    stdout: bytes | None = None
    reports: list[Report] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    exit_status: int | None = None

    @property
    def errors(self) -> list[Report]:
        return [report for report in self.reports if report.code.startswith("E")]

    @property
    def expected_exit(self) -> int:
        if self.exit_status is not None:
            return self.exit_status
        return ERROR_EXIT if self.errors else 0

    @property
    def expected_stdout(self) -> bytes:
        if self.stdout is not None:
            return self.stdout
        return "".join(line + "\n" for line in self.lines).encode()


def parse_file(path: Path) -> Case:
    return parse(path.read_bytes().decode("utf-8", "replace"))


def parse(text: str) -> Case:
    """Read all expectations of a text.  Raises `BadExpectation` with the line of a bad one."""
    case = Case()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            parse_line(case, line.rstrip("\r"))
        except (ValueError, BadExpectation) as error:
            raise BadExpectation(f"line {number}: {error}") from error
    if case.stdout is not None and case.lines:
        raise BadExpectation("`expect:` and `expect stdout:` in one file")
    return case


def parse_line(case: Case, line: str) -> None:
    directive = DIRECTIVE.fullmatch(line)
    if directive:
        parse_directive(case, directive)
    *comments, last = line.split(EXPECT)[1:] or [None]
    for comment in comments:
        parse_expectation(case, comment.removesuffix(" "))
    if last is not None:
        parse_expectation(case, last)


def parse_directive(case: Case, match: re.Match[str]) -> None:
    name = match[1] or match[3]
    if name == "args":
        case.arguments = match[2].split()
    elif name == "stdin":
        case.stdin = json.loads(match[2]).encode("utf-8", "surrogateescape")
    elif name == "not-stressed":
        case.stressed = False
    else:
        case.command = Command.CHECK if name == "check-only" else Command.TEST


def parse_expectation(case: Case, comment: str) -> None:
    """`comment` is what stands behind `// expect`, up to the next one of the line."""
    if match := LINE.fullmatch(comment):
        case.lines.append(match[1])
    elif match := REPORT.fullmatch(comment.rstrip()):
        case.reports.append(report(match[1], match[2], match[3]))
    elif match := STDERR.fullmatch(comment):
        case.stderr.append(match[1])
    elif match := EXIT.fullmatch(comment):
        case.exit_status = int(match[1])
    elif match := STDOUT.fullmatch(comment):
        case.stdout = json.loads(match[1]).encode()
    else:
        raise BadExpectation(f"not an expectation: {EXPECT}{comment}")


def report(severity: str, code: str, position: str) -> Report:
    if (severity == "error") != code.startswith("E"):
        raise BadExpectation(f"{code} is no {severity}")
    return Report(code, position)


def lines_match(patterns: list[str], lines: list[str]) -> bool:
    """Whether the lines fit the patterns, with `*` in a pattern for anything and `**` for any lines."""
    if not patterns:
        return not lines
    first, rest = patterns[0], patterns[1:]
    if first == "**":
        return any(lines_match(rest, lines[count:]) for count in range(len(lines) + 1))
    return bool(lines) and line_matches(first, lines[0]) and lines_match(rest, lines[1:])


def line_matches(pattern: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), line) is not None


def same_reports(expected: list[Report], actual: list[Report]) -> bool:
    """Whether each expected report has one actual report of its own and none is left."""
    left = list(actual)
    for wanted in sorted(expected, key=lambda report: report.position == "*"):
        fitting = [found for found in left if fits(wanted, found)]
        if not fitting:
            return False
        left.remove(fitting[0])
    return not left


def fits(wanted: Report, found: Report) -> bool:
    return wanted.code == found.code and wanted.position in ("*", found.position)
