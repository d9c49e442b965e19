"""The command line: one row for each option, and the parser that reads arguments by them.

Options come before the file, everything behind it belongs to the program:

    dora run --gc=copy --heap-size 64m prog.dora --not-ours
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from doralang.optional import load
from doralang.pipeline import STAGES, Stage
from doralang.settings import ALL, COLLECTORS, ENGINES, TARGETS, Settings
from doralang.text.reports import Format


class UsageError(Exception):
    """The arguments make no sense; the message says why."""


class Command(NamedTuple):
    name: str
    module: str
    """of `cli`, with a function `main(invocation, streams) -> int`"""
    usage: str
    help: str
    missing: str
    """what to say if the operand is not given"""


COMMANDS: Final = {
    row.name: row
    for row in (
        Command("run", "run", "[run] [options] FILE [ARG...]", "compile and run a program", "no file given"),
        Command("check", "check", "check [options] FILE...", "look for errors only", "no file given"),
        Command("test", "test", "test [options] FILE|DIR...", "run test functions", "no file given"),
        Command(
            "compare",
            "compare",
            "compare [options] FILE [ARG...]|EXPRESSION",
            "race all engines",
            "no file or expression given",
        ),
        Command(
            "eval", "eval", "eval [options] EXPRESSION", "print the value of a formula", "no expression given"
        ),
    )
}


class Invocation:
    """A command with its options and operands."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.settings = Settings()
        self.format = Format.HUMAN
        self.color = "auto"
        self.variables: list[tuple[str, str]] = []
        """name and expression of each `--let`"""
        self.operands: list[str] = []
        self.engines: set[str] = set()
        """those to be compared; empty for all"""
        self.plot: str | None = None
        """file for a plot"""
        self.information: str | None = None
        """`--help` or `--version`, which end everything else"""


Action = Callable[[Invocation, str], None]


class Option(NamedTuple):
    name: str
    value: str | None
    """how the value is called in the usage text; none for an option without one"""
    help: str
    apply: Action
    commands: frozenset[str] = frozenset({"run", "test", "eval"})


def one_of(value: str, values: Sequence[str]) -> str:
    if value not in values:
        raise UsageError(f"`{value}` is none of {', '.join(values)}")
    return value


def names(value: str) -> set[str]:
    """The parts of a comma-separated list."""
    parts = {part.strip() for part in value.split(",")}
    if "" in parts:
        raise UsageError(f"`{value}` is no list of names")
    return parts


_SIZE: Final = re.compile(r"([0-9]{1,18})([kmg]?)", re.IGNORECASE | re.ASCII)
_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def size(value: str) -> int:
    """A number of bytes, perhaps with a unit: `64m`."""
    match = _SIZE.fullmatch(value)
    bytes = int(match[1]) * _UNITS[match[2].lower()] if match else 0
    if not bytes:
        raise UsageError(f"`{value}` is no size")
    return bytes


def definition(value: str) -> tuple[str, str]:
    """The name and the expression of `NAME=EXPRESSION`."""
    name, equals, expression = value.partition("=")
    name = name.strip()
    if not equals or not (name.isidentifier() and name.isascii()):
        raise UsageError(f"`{value}` is not of the form NAME=EXPRESSION")
    return name, expression


# What the options do.


def _engine(invocation: Invocation, value: str) -> None:
    invocation.settings.engine = one_of(value, ENGINES)


def _gc(invocation: Invocation, value: str) -> None:
    invocation.settings.gc = one_of(value, COLLECTORS)


def _gc_stress(invocation: Invocation, value: str) -> None:
    invocation.settings.gc_stress = True


def _gc_stress_minor(invocation: Invocation, value: str) -> None:
    invocation.settings.gc_stress_minor = True


def _gc_verify(invocation: Invocation, value: str) -> None:
    invocation.settings.gc_verify = True


def _gc_events(invocation: Invocation, value: str) -> None:
    invocation.settings.gc_events = True


def _gc_stats(invocation: Invocation, value: str) -> None:
    invocation.settings.gc_stats = True


def count(value: str) -> int:
    """A positive number."""
    if not (value.isascii() and value.isdigit() and int(value)):
        raise UsageError(f"`{value}` is no positive number")
    return int(value)


def _hot(invocation: Invocation, value: str) -> None:
    invocation.settings.hot = count(value)


def _hot_now(invocation: Invocation, value: str) -> None:
    invocation.settings.hot_now = True


def _stats(invocation: Invocation, value: str) -> None:
    invocation.settings.stats = True


def _heap_size(invocation: Invocation, value: str) -> None:
    invocation.settings.heap_size = size(value)


def _young_size(invocation: Invocation, value: str) -> None:
    invocation.settings.young_size = size(value)


def _emit(invocation: Invocation, value: str) -> None:
    stages = [stage.value for stage in STAGES]
    invocation.settings.emit |= {one_of(name, stages) for name in names(value)}


def _emit_ast(invocation: Invocation, value: str) -> None:
    invocation.settings.emit.add(Stage.AST.value)


def _emit_bytecode(invocation: Invocation, value: str) -> None:
    invocation.settings.emit_bytecode |= names(value)


def _emit_asm(invocation: Invocation, value: str) -> None:
    invocation.settings.emit_asm |= names(value)


def _emit_debug(invocation: Invocation, value: str) -> None:
    invocation.settings.emit_debug |= names(value)


def _asm_syntax(invocation: Invocation, value: str) -> None:
    invocation.settings.asm_syntax = one_of(value, ("intel", "att"))


def _target(invocation: Invocation, value: str) -> None:
    invocation.settings.target = one_of(value, TARGETS)


def _omit_bounds_check(invocation: Invocation, value: str) -> None:
    invocation.settings.omit_bounds_check = True


def _perf(invocation: Invocation, value: str) -> None:
    invocation.settings.perf = True


def _no_cache(invocation: Invocation, value: str) -> None:
    invocation.settings.cache = False


def _error_format(invocation: Invocation, value: str) -> None:
    invocation.format = Format(one_of(value, [format.value for format in Format]))


def _color(invocation: Invocation, value: str) -> None:
    invocation.color = one_of(value, ("auto", "always", "never"))


def _engines(invocation: Invocation, value: str) -> None:
    invocation.engines |= {one_of(name, ENGINES) for name in names(value)}


def _plot(invocation: Invocation, value: str) -> None:
    invocation.plot = value


def _let(invocation: Invocation, value: str) -> None:
    invocation.variables.append(definition(value))


_EVERYWHERE: Final = frozenset(COMMANDS)
_FORMULAS: Final = frozenset({"eval", "compare"})
_COMPARE: Final = frozenset({"compare"})

OPTIONS: Final = (
    Option("--engine", "NAME", ", ".join(ENGINES), _engine),
    Option("--gc", "NAME", "the collector: " + ", ".join(COLLECTORS), _gc),
    Option("--gc-stress", None, "collect at every allocation", _gc_stress),
    Option("--gc-stress-minor", None, "collect the young generation at every allocation", _gc_stress_minor),
    Option("--gc-verify", None, "check the heap around every collection", _gc_verify),
    Option("--gc-events", None, "one line per collection", _gc_events),
    Option("--gc-stats", None, "a summary of all collections at the end", _gc_stats),
    Option("--hot", "N", "calls or rounds of a loop until a function is hot", _hot),
    Option("--hot-now", None, "wait for the native code of hot functions", _hot_now),
    Option("--stats", None, "what the engine did, at the end", _stats),
    Option("--heap-size", "SIZE", "most bytes of the heap; suffix k, m or g", _heap_size),
    Option("--young-size", "SIZE", "bytes of the young generation's allocation space", _young_size),
    Option("--emit", "STAGES", "print " + ", ".join(stage.value for stage in STAGES), _emit),
    Option("--emit-ast", None, "short for --emit=ast", _emit_ast),
    Option("--emit-bytecode", "NAMES", f"print the bytecode of functions, or `{ALL}`", _emit_bytecode),
    Option("--emit-asm", "NAMES", f"print the machine code of functions, or `{ALL}`", _emit_asm),
    Option("--asm-syntax", "NAME", "intel or att (default)", _asm_syntax),
    Option("--target", "NAME", "with --emit: for x64 or arm64, not run", _target, frozenset({"run"})),
    Option("--emit-debug", "NAMES", "put a breakpoint at the start of functions", _emit_debug),
    Option("--omit-bounds-check", None, "do not check indexes", _omit_bounds_check),
    Option("--perf", None, "write a map of the machine code for perf", _perf),
    Option("--enable-perf", None, "the same", _perf),
    Option("--no-cache", None, "compile everything anew, and store nothing", _no_cache, frozenset({"run"})),
    Option("--error-format", "FORMAT", "human (default), short, json", _error_format, _EVERYWHERE),
    Option("--color", "WHEN", "auto (default), always, never", _color, _EVERYWHERE),
    Option("--let", "NAME=EXPRESSION", "define a variable for the formula", _let, _FORMULAS),
    Option("--engines", "NAMES", "compare only these (and walk)", _engines, _COMPARE),
    Option("--plot", "FILE", "draw time against evaluations; .svg, .png or .pdf", _plot, _COMPARE),
)
_BY_NAME: Final = {option.name: option for option in OPTIONS}
_INFORMATION: Final = {"--help": "help", "-h": "help", "--version": "version"}


# Reading arguments.


def parse_arguments(arguments: list[str]) -> Invocation:
    """What the arguments ask for.  Raises UsageError."""
    rest = list(reversed(arguments))
    command = COMMANDS[rest.pop()] if rest and rest[-1] in COMMANDS else COMMANDS["run"]
    invocation = Invocation(command)
    while rest and invocation.information is None and is_option(rest[-1]):
        argument = rest.pop()
        if argument == "--":
            break
        _read_option(argument, rest, invocation)
    invocation.operands = rest[::-1]
    if invocation.information is None and not rest:
        raise UsageError(command.missing)
    return invocation


def is_option(argument: str) -> bool:
    return argument.startswith("-") and argument != "-"


def _read_option(argument: str, rest: list[str], invocation: Invocation) -> None:
    if argument in _INFORMATION:
        invocation.information = _INFORMATION[argument]
        return
    name, equals, value = argument.partition("=")
    option = _BY_NAME.get(name)
    if option is None:
        near = load("difflib").get_close_matches(name, _BY_NAME, 1)
        raise UsageError(f"unknown option `{name}`" + (f"; did you mean `{near[0]}`?" if near else ""))
    if invocation.command.name not in option.commands:
        raise UsageError(f"`{name}` is no option of `{invocation.command.name}`")
    if option.value is None:
        if equals:
            raise UsageError(f"`{name}` takes no value")
    elif not equals:
        if not rest:
            raise UsageError(f"`{name}` needs a value")
        value = rest.pop()
    _apply(option, invocation, value)


def _apply(option: Option, invocation: Invocation, value: str) -> None:
    try:
        option.apply(invocation, value)
    except UsageError as error:
        raise UsageError(f"{option.name}: {error}") from None


def usage() -> str:
    """The text of `--help`."""
    lines = ["usage:"]
    lines += [f"  dora {command.usage:<43} {command.help}" for command in COMMANDS.values()]
    lines += ["  dora --version", "  dora --help", "", "options:"]
    lines += [f"  {_spelling(option):<28} {option.help}" for option in OPTIONS]
    return "\n".join(lines) + "\n"


def _spelling(option: Option) -> str:
    return f"{option.name}={option.value}" if option.value else option.name
