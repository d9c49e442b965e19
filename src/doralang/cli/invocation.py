"""What a command line asks for: a command with its settings and operands.

Every start loads this, so it needs nothing but the settings.
"""

from __future__ import annotations

from doralang.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class UsageError(Exception):
    """The arguments make no sense; the message says why."""

    command = ""
    """whose help says more; empty for that of `dora` itself"""


class Command:
    """`name` is also that of the module of `cli` that has its `main(invocation, streams) -> int`.

    `missing` is what to say if no operand is given.
    """

    __slots__ = ("help", "missing", "name", "operands")

    def __init__(self, name: str, operands: str, help: str, missing: str) -> None:
        self.name = name
        self.operands = operands
        self.help = help
        self.missing = missing


COMMANDS: Final = {
    row.name: row
    for row in (
        Command("run", "FILE [ARG...]", "compile and run a program", "no file given"),
        Command("check", "FILE...", "look for errors only", "no file given"),
        Command("test", "FILE|DIR...", "run test functions", "no file given"),
        Command("compare", "FILE [ARG...]|EXPRESSION", "race all engines", "no file or expression given"),
        Command("eval", "EXPRESSION", "print the value of a formula", "no expression given"),
    )
}


class Invocation:
    """A command with its options and operands."""

    def __init__(self, command: Command, named: bool = True) -> None:
        self.command = command
        self.named = named
        """whether the command was said, or is `run` by default"""
        self.settings = Settings()
        self.format = "human"
        """the value of a `text.reports.Format`"""
        self.color = "auto"
        self.variables: list[tuple[str, str]] = []
        """name and expression of each `--let`"""
        self.operands: list[str] = []
        self.engines: set[str] = set()
        """those to be compared; empty for all"""
        self.plot: str | None = None
        """file for a plot"""
        self.given: list[str] = []
        """the names of all options"""
        self.strays: list[str] = []
        """what looks like an option of ours, but stands behind the file, so that the program gets it"""
        self.information: str | None = None
        """`--help` or `--version`, which end everything else"""
