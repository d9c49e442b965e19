"""What `--help` prints: of `dora` the commands, of a command its options; all from the rows of `options`."""

from __future__ import annotations

from collections.abc import Iterable

from doralang.cli.invocation import COMMANDS, Command
from doralang.cli.options import OPTIONS, Option

WIDTH = 43


def usage() -> str:
    """The text of `dora --help`."""
    lines = ["usage:"]
    lines += [f"  dora {invocation_of(command):<{WIDTH}} {command.help}" for command in COMMANDS.values()]
    lines += ["  dora COMMAND --help", "  dora --version", "", "options of `run`:", *rows(options_of("run"))]
    return "\n".join(lines) + "\n"


def command_usage(command: Command) -> str:
    """The text of `dora COMMAND --help`."""
    lines = ["usage:", f"  dora {invocation_of(command)}", "", command.help, "", "options:"]
    return "\n".join([*lines, *rows(options_of(command.name))]) + "\n"


def invocation_of(command: Command) -> str:
    name = "[run]" if command.name == "run" else command.name
    return f"{name} [options] {command.operands}"


def options_of(command: str) -> list[Option]:
    return [option for option in OPTIONS if command in option.commands]


def rows(options: Iterable[Option]) -> list[str]:
    return [f"  {spelling(option):<28} {option.help}" for option in options]


def spelling(option: Option) -> str:
    return f"{option.name}={option.value}" if option.value else option.name
