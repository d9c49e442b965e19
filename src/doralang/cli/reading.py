"""Arguments to an `Invocation`, by the rows of `options`.

Of `run`, options come before the file, and everything behind it belongs to the program.  Other commands take
their options anywhere:

    dora run --gc=copy --heap-size 64m prog.dora --not-ours
    dora check one.dora --color=never two.dora
"""

from __future__ import annotations

import os

from doralang.cli.invocation import COMMANDS, Command, Invocation, UsageError
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from doralang.cli.options import Option

INFORMATION: Final = {"--help": "help", "-h": "help", "--version": "version"}
END: Final = "--"
"""ends the options"""


def parse_arguments(arguments: list[str]) -> Invocation:
    """What the arguments ask for.  Raises UsageError, which knows the command if there is one."""
    rest = list(reversed(arguments))
    named = bool(rest) and rest[-1] in COMMANDS
    command = COMMANDS[rest.pop()] if named else COMMANDS["run"]
    invocation = Invocation(command, named=named)
    try:
        read(rest, invocation)
    except UsageError as error:
        error.command = command.name if arguments else ""
        raise
    return invocation


def read(rest: list[str], invocation: Invocation) -> None:
    command = invocation.command
    anywhere = command.name != "run"
    ended = False
    while rest and invocation.information is None:
        argument = rest.pop()
        if argument == END and not ended:
            ended = True
        elif not ended and is_option(argument):
            read_option(argument, rest, invocation)
        else:
            invocation.operands.append(argument)
            if not anywhere:
                invocation.operands += reversed(rest)
                if not ended:
                    invocation.strays = [one for one in invocation.operands[1:] if is_ours(one, command)]
                break
    if invocation.information is None and not invocation.operands:
        raise UsageError(command.missing if invocation.named or invocation.given else "nothing to do")


def is_option(argument: str) -> bool:
    return argument.startswith("-") and argument != "-"


def options() -> dict[str, Option]:
    """All options by name, loaded when somebody says one."""
    rows: dict[str, Option] = load("doralang.cli.options").BY_NAME
    return rows


def is_ours(argument: str, command: Command) -> bool:
    option = options().get(argument.partition("=")[0]) if is_option(argument) else None
    return option is not None and command.name in option.commands


def read_option(argument: str, rest: list[str], invocation: Invocation) -> None:
    if argument in INFORMATION:
        invocation.information = INFORMATION[argument]
        return
    name, equals, value = argument.partition("=")
    option = options().get(name)
    if option is None:
        raise unknown_option(argument, name, invocation.command)
    if invocation.command.name not in option.commands:
        others = sorted(option.commands, key=list(COMMANDS).index)
        raise UsageError(
            f"`{name}` is no option of `{invocation.command.name}`, but of `{'`, `'.join(others)}`"
        )
    if option.value is None:
        if equals:
            raise UsageError(f"`{name}` takes no value")
    elif not equals:
        if not rest:
            raise UsageError(f"`{name}` needs a value")
        value = rest.pop()
    invocation.given.append(name)
    apply(option, invocation, value)


def unknown_option(argument: str, name: str, command: Command) -> UsageError:
    if command.name in ("eval", "compare") and not argument[1:2].isalpha() and argument[1:2] != "-":
        return UsageError(f"`{argument}` begins like an option: write `--` before it")
    names = [option.name for option in options().values() if command.name in option.commands]
    return UsageError(f"unknown option `{name}`{nearest(name, [*names, *INFORMATION])}")


def nearest(name: str, names: Iterable[str]) -> str:
    """; did you mean `NAME`?"""
    near = load("difflib").get_close_matches(name, names, 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def apply(option: Option, invocation: Invocation, value: str) -> None:
    try:
        option.apply(invocation, value)
    except UsageError as error:
        raise UsageError(f"{option.name}: {error}") from None


def check_command(invocation: Invocation) -> None:
    """Without a command the first operand is a file, unless it is a command that there is not."""
    if invocation.named:
        return
    name = invocation.operands[0]
    if name == "-" or any(sign in name for sign in "./\\") or os.path.exists(name):
        return
    raise UsageError(f"no such command `{name}`: there are {', '.join(COMMANDS)}{nearest(name, COMMANDS)}")
