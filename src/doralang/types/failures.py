"""The ways out of a running program that no `catch` of the program sees.

Code that runs deep inside raises `Trapped`, `FatalError` or `Exit`.  Nothing in between handles them;
`finally` blocks do not run.  At the border to the caller the engine makes one `Failure` of what
arrives, with text, exit status and stack trace:

    raise Trapped(Trap.NIL)   ->   Failure("nil check failed", 103, ["main(): 3"])
"""

from __future__ import annotations

from doralang.types.arithmetic import DivisionByZero
from doralang.types.traps import FATAL_STATUS, StackTrace, Trap, trace_lines


class Trapped(Exception):
    """A failure of section 13.  `trace` is set if it is not that of the functions now active."""

    def __init__(self, trap: Trap, detail: str | None = None, trace: StackTrace | None = None) -> None:
        super().__init__(trap.text)
        self.trap = trap
        self.detail = detail
        self.trace = trace

    @property
    def line(self) -> str:
        return self.trap.text if self.detail is None else f"{self.trap.text}: {self.detail}"


class FatalError(Exception):
    """A failure without a trace: `fatalError`, `abort`, a wrong `call`."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class Exit(Exception):
    """`exit(status)`"""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status & 255


class Failure(Exception):
    """How a program failed, as its caller sees it.  `trap` is None for a fatal error.

    `line` is what is printed; it may hold bytes that are no UTF-8, as surrogate escapes.
    """

    def __init__(self, trap: Trap | None, line: str, status: int, trace: StackTrace) -> None:
        super().__init__(line)
        self.trap = trap
        self.line = line
        self.status = status
        self.trace = trace

    def report(self) -> bytes:
        """The line and the trace as they are printed."""
        return "".join(f"{line}\n" for line in [self.line, *trace_lines(self.trace)]).encode(
            "utf-8", "surrogateescape"
        )


def as_trap(error: BaseException) -> Trapped | None:
    """The failure that a Python exception from inside an engine stands for."""
    if isinstance(error, Trapped):
        return error
    trap = next((trap for type, trap in HOST_ERRORS if isinstance(error, type)), None)
    return Trapped(trap) if trap else None


HOST_ERRORS: list[tuple[type[BaseException], Trap]] = [
    (DivisionByZero, Trap.DIVISION),
    (MemoryError, Trap.MEMORY),
    (RecursionError, Trap.STACK),
    (KeyboardInterrupt, Trap.INTERRUPT),
]


def end_if_interrupted(failure: Failure) -> None:
    """Where other failures end a part of what is going on, Ctrl-C ends everything.  Raises Exit."""
    if failure.trap is Trap.INTERRUPT:
        raise Exit(failure.status)


def out_of_memory() -> Trapped:
    return Trapped(Trap.MEMORY)


def nil() -> Trapped:
    return Trapped(Trap.NIL)


def overflow() -> Trapped:
    return Trapped(Trap.STACK)


def limit(name: str) -> Trapped:
    """What a host allows is used up."""
    return Trapped(Trap.LIMIT, name)


def fatal(line: str) -> Failure:
    """A failure without a trace."""
    return Failure(None, line, FATAL_STATUS, StackTrace())


def as_failure(error: BaseException, trace: StackTrace) -> Failure | None:
    """What the caller is told, or None if `error` is none of the program's; `trace` is the one of now."""
    if isinstance(error, FatalError):
        return fatal(error.line)
    trapped = as_trap(error)
    if trapped is None:
        return None
    chosen = trapped.trace if trapped.trace is not None else trace
    return Failure(trapped.trap, trapped.line, trapped.trap.status, chosen)
