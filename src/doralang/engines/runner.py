"""A program ready to run, in whatever engine: the part of the door that needs no checked program."""

from __future__ import annotations

from abc import ABC, abstractmethod

from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.interpreter.objects import Value
    from doralang.interpreter.sinks import ByteSink
    from doralang.types.failures import Failure


class Runner(ABC):
    """A program ready to run, which need not be checked (`engines.stored`).

    All its output is written when a method returns.
    """

    stderr: ByteSink

    @abstractmethod
    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""

    @abstractmethod
    def call_main(self) -> Value:
        """Raises Failure and Exit."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the engine holds outside of Python's memory; nothing is called any more."""

    @abstractmethod
    def print_statistics(self) -> None:
        """Tell what the settings ask for, to standard error; a program has ended."""

    def run_main(self) -> int:
        """Initialise the globals, run `main`, report a failure, and return the exit status."""
        try:
            self.initialize_globals()
            result = self.call_main()
        except Exception as error:
            return self.ended_by(error)
        finally:
            self.print_statistics()
        return int(result) & 255 if isinstance(result, int) else 0

    def ended_by(self, error: Exception) -> int:
        """The exit status of a program that did not come to its end.  What is no failure is raised again."""
        failures = load("doralang.types.failures")
        if isinstance(error, failures.Failure):
            self.report(error)
        elif not isinstance(error, failures.Exit):
            raise error
        return int(error.status)

    def report(self, failure: Failure) -> None:
        """Print the line and the trace.  What the program has printed is written already."""
        self.stderr.write(failure.report())
        self.stderr.flush()
