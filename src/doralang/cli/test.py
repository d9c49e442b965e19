"""`dora test`: run the test functions of files, and of the files in folders.

test testPush ... ok
test testPop ... failed
array index out of bounds
0: Vec.pop() -> T: vector.dora:17
1: testPop(Testing): 10
1 passed, 1 failed

What a test prints stands behind its name; the report of its failure (on stderr) behind the word `failed`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from doralang.checker.checker import MainRule
from doralang.checker.program import Program
from doralang.cli.invocation import Invocation, UsageError
from doralang.cli.output import report, write
from doralang.pipeline import dump_files
from doralang.session.checking import compile_program
from doralang.session.testing import ExitRequest, TestRun, start_tests
from doralang.settings import Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import load_source
from doralang.text.records import record
from doralang.types.failures import Failure

SUFFIX = ".dora"


@record(eq=True)
class Tally:
    passed: int = 0
    failed: int = 0


def main(invocation: Invocation, streams: Streams) -> int:
    paths = [path for operand in invocation.operands for path in files(operand)]
    if not paths:
        raise UsageError(f"no file `*{SUFFIX}` in `{'`, `'.join(invocation.operands)}`")
    all_diagnostics = [Diagnostics() for _ in paths]
    programs = [
        compile_file(path, invocation, streams, diagnostics)
        for path, diagnostics in zip(paths, all_diagnostics, strict=True)
    ]
    report(invocation, streams, *all_diagnostics)
    if any(diagnostics.errors for diagnostics in all_diagnostics):
        return 1
    tally = Tally()
    try:
        for path, program in zip(paths, programs, strict=True):
            if len(paths) > 1:
                write(streams.stdout, path + "\n")
            assert program is not None, "without errors there is a program"
            run_tests(start_tests(program, streams, invocation.settings), streams, tally)
    except ExitRequest as request:
        return request.status
    write(streams.stdout, f"{tally.passed} passed, {tally.failed} failed\n")
    return 1 if tally.failed else 0


def files(operand: str) -> list[str]:
    """The files that an operand stands for, sorted by path if it is a folder."""
    return sorted(files_below(operand)) if os.path.isdir(operand) else [operand]


def files_below(folder: str) -> Iterator[str]:
    for path, _, names in os.walk(folder):
        yield from (os.path.join(path, name) for name in names if name.endswith(SUFFIX))


def compile_file(
    path: str, invocation: Invocation, streams: Streams, diagnostics: Diagnostics
) -> Program | None:
    source = load_source(path, streams.stdin, diagnostics)
    if source is None:
        return None
    if invocation.settings.emit:
        write(streams.stdout, dump_files(invocation.settings.emit, source))
    settings = invocation.settings
    return compile_program(source, diagnostics, main=MainRule.TESTS, engine=settings.engine)


def run_tests(tests: TestRun, streams: Streams, tally: Tally) -> None:
    try:
        names = tests.names()
        if not names:
            write(streams.stdout, "no tests\n")
        for name in names:
            write(streams.stdout, f"test {name} ... ")
            streams.stdout.flush()
            outcome = tests.run(name)
            passed = outcome is True
            write(streams.stdout, "ok\n" if passed else "failed\n")
            if isinstance(outcome, Failure):
                streams.stdout.flush()
                tests.report(outcome)
            tally.passed += passed
            tally.failed += not passed
    finally:
        tests.close()
