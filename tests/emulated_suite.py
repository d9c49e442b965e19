"""The language suite in one process, for machines where processes are slow to start: the emulated AArch64.

    python tests/emulated_suite.py                        everything
    python tests/emulated_suite.py --every 5              a fifth of the programs
    python tests/emulated_suite.py lambdas library/str    those in some folders
    python tests/emulated_suite.py --gc copy --no-stress
    python tests/emulated_suite.py --hardened             compiled as what untrusted people have written
    python tests/emulated_suite.py --engine opt           by the optimizing compiler, and LLVM if it is there

A few programs at a time are run by a forked child: it finds the library checked already, and takes with it
what the emulator remembers of its memory.  Nothing is run before: the emulator does not survive a fork when there
are threads, and running starts the ticker.  The last line counts, as pytest's does.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from doralang.code.collectors import COLLECTORS
from doralang.engines import native
from doralang.native.options import code_options
from doralang.session.checking import compile_program
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from language_cases import Case, Command, lines_match, parse_file, same_reports
from test_language import FILES, LANGUAGE, run_with

BATCH = 40
NOT_COLLECTING = ("zero",)
STRESSED = 3
"""Every so many programs are run under stress as well."""


class Job(NamedTuple):
    """A program and the options it is run with."""

    path: Path
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join((str(self.path.relative_to(LANGUAGE)), *self.options))


def programs(folders: Sequence[str]) -> list[Path]:
    """Those that are run, of all folders if none is named: what is refused is refused on every machine."""
    chosen = [LANGUAGE / folder for folder in folders] or [LANGUAGE]
    files = [path for path in FILES if any(path.is_relative_to(folder) for folder in chosen)]
    cases = [(path, parse_file(path)) for path in files]
    return [path for path, case in cases if case.command is not Command.CHECK and not case.errors]


def jobs(
    chosen: Sequence[Path], collectors: Sequence[str], stress: bool, more: tuple[str, ...]
) -> Iterator[Job]:
    """Each program with each collector, some under stress as well, all with some more options."""
    for name in collectors:
        for path in chosen:
            yield Job(path, (f"--gc={name}", *more))
        if stress and name not in NOT_COLLECTING:
            for path in [one for one in chosen if parse_file(one).stressed][::STRESSED]:
                yield Job(path, (f"--gc={name}", "--gc-stress", "--gc-verify", *more))


def complaint(job: Job, engine: str) -> str:
    """What is wrong with the outcome; empty if nothing is."""
    case: Case = parse_file(job.path)
    try:
        outcome = run_with(case, job.path, engine, list(job.options))
    except Exception:
        return traceback.format_exc()
    if not same_reports(case.reports, outcome.reports):
        return f"reports {outcome.reports}"
    if outcome.stdout != case.expected_stdout:
        return f"prints {outcome.stdout!r} and {outcome.stderr}, not {case.expected_stdout!r}"
    if not lines_match(case.stderr, outcome.stderr):
        return f"says {outcome.stderr}, not {case.stderr}"
    return "" if outcome.exit_status == case.expected_exit else f"exit status {outcome.exit_status}"


def run_in_child(batch: Sequence[Job], engine: str) -> int:
    """How many of the programs fail; a child that dies counts as one that fails."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print(f"FAILED one of {', '.join(job.name for job in batch)}: signal {os.WTERMSIG(status)}")
            return 1
        return os.WEXITSTATUS(status)
    failures = 0
    for job in batch:
        problem = complaint(job, engine)
        if problem:
            failures += 1
            print(f"FAILED {job.name}: {problem}", flush=True)
    sys.stdout.flush()
    os._exit(failures)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The language suite as machine code.")
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="of tests/language; all without any")
    parser.add_argument("--every", type=int, default=1, help="run every so many programs only")
    parser.add_argument("--gc", action="append", choices=sorted(COLLECTORS), help="with this collector only")
    parser.add_argument("--engine", choices=("baseline", "opt"), default="baseline")
    parser.add_argument("--no-llvm", action="store_true", help="without LLVM, if it is there")
    parser.add_argument("--hardened", action="store_true", help="as untrusted programs are compiled")
    parser.add_argument("--no-stress", action="store_true", help="no collections at every allocation")
    return parser.parse_args()


def harden() -> None:
    """Compile all programs as those are that nobody trusts."""
    native.code_options = partial(code_options, hardened=True)  # type: ignore[assignment]


def main() -> int:
    options = parse_arguments()
    if options.hardened:
        harden()
    chosen = programs(options.folders)[:: options.every]
    more = ("--no-llvm",) if options.no_llvm else ()
    work = list(jobs(chosen, options.gc or sorted(COLLECTORS), not options.no_stress, more))
    compile_program(
        Source("", "fun main() {}"), Diagnostics(), engine=options.engine
    )  # all children find it done
    start, failed = time.monotonic(), 0
    for first in range(0, len(work), BATCH):
        failed += run_in_child(work[first : first + BATCH], options.engine)
    print(f"{len(work)} runs on {os.uname().machine} in {time.monotonic() - start:.0f} seconds")
    print(f"{len(work) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
