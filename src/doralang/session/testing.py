"""Running the test functions of a program."""

from __future__ import annotations

from doralang.checker.checker import is_test
from doralang.checker.program import Program
from doralang.engines.door import Door
from doralang.engines.rows import machine
from doralang.settings import Settings, Streams
from doralang.types.failures import Exit, Failure, end_if_interrupted


class ExitRequest(Exception):
    """The program called `exit`; it ends the whole run of tests."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TestRun:
    """One program, its globals initialised, whose tests are run one after the other."""

    def __init__(self, program: Program, engine: Door) -> None:
        self._program = program
        self._engine = engine

    def names(self) -> list[str]:
        """The test functions in order of definition."""
        library = self._program.library
        return [name for name, function in self._program.functions.items() if is_test(function, library)]

    def run(self, name: str) -> bool | Failure:
        """Run a test: whether it passed, or the failure that ended it.  Raises ExitRequest."""
        try:
            return self._engine.run_test(self._program.functions[name])
        except Failure as failure:
            return failure
        except Exit as exit:
            raise ExitRequest(exit.status) from None

    def report(self, failure: Failure) -> None:
        """Print the message and the trace of a failure to stderr.  Raises ExitRequest after Ctrl-C."""
        self._engine.report(failure)
        try:
            end_if_interrupted(failure)
        except Exit as exit:
            raise ExitRequest(exit.status) from None

    def close(self) -> None:
        """The tests are done."""
        self._engine.close()


def start_tests(program: Program, streams: Streams, settings: Settings) -> TestRun:
    """Initialise the program's globals, ready to run its tests.  A failure ends the whole run."""
    engine = machine(program, [], streams, settings)
    try:
        engine.initialize_globals()
    except Exit as exit:
        raise ExitRequest(exit.status) from None
    except Failure as failure:
        engine.report(failure)
        raise ExitRequest(failure.status) from None
    return TestRun(program, engine)
