"""The options: one row for each, from which arguments are read (`reading`), help is written (`usage`), and
useless combinations are found (`combinations`).  Who says no option does not load them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from enum import Flag, auto
from typing import Final

from doralang.cli.invocation import COMMANDS, Invocation, UsageError
from doralang.code.collectors import COLLECTORS
from doralang.engines.rows import ENGINES
from doralang.machine.targets import TARGETS
from doralang.pipeline import OF_FUNCTIONS, STAGES, Stage
from doralang.settings import ALL
from doralang.text.records import record
from doralang.text.reports import Format

Action = Callable[[Invocation, str], None]

RUNNING: Final = frozenset({"run", "test", "eval"})
ALL_ENGINES: Final = frozenset(ENGINES)


class Need(Flag):
    """What an option does nothing without."""

    NOTHING = 0
    RUN = auto()
    """a program that runs: not with `--target`"""
    COLLECTIONS = auto()
    GENERATIONS = auto()


@record(eq=True, frozen=True)
class Option:
    name: str
    value: str | None
    """how the value is called in the usage text; none for an option without one"""
    help: str
    apply: Action
    commands: frozenset[str] = RUNNING
    engines: frozenset[str] = ALL_ENGINES
    """those in which it does something"""
    needs: Need = Need.NOTHING


def one_of(value: str, values: Collection[str]) -> str:
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
    for name in names(value):
        stage, colon, functions = name.partition(":")
        invocation.settings.emit.add(one_of(stage, [stage.value for stage in STAGES]))
        if colon:
            if functions != ALL or Stage(stage) not in OF_FUNCTIONS:
                stages = ", ".join(stage.value for stage in OF_FUNCTIONS)
                raise UsageError(f"`{name}`: only `:{ALL}` can follow, behind {stages}")
            invocation.settings.emit_all.add(stage)


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


def _no_llvm(invocation: Invocation, value: str) -> None:
    invocation.settings.llvm = False


def _error_format(invocation: Invocation, value: str) -> None:
    invocation.format = one_of(value, [format.value for format in Format])


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
_RUN: Final = frozenset({"run"})
_NATIVE: Final = frozenset(row.name for row in ENGINES.values() if row.is_native)
_STORING: Final = frozenset(row.name for row in ENGINES.values() if row.can_store)
_HOT: Final = frozenset(row.name for row in ENGINES.values() if row.finds_hot)
_LLVM: Final = frozenset(row.name for row in ENGINES.values() if row.optimizes)
_TELLING: Final = frozenset(row.name for row in ENGINES.values() if row.tells)
_BYTECODE: Final = frozenset(row.name for row in ENGINES.values() if Stage.BYTECODE.value in row.stages)
_COLLECTED: Final = Need.RUN | Need.COLLECTIONS
_STAGES: Final = ", ".join(stage.value for stage in STAGES)

OPTIONS: Final = (
    Option("--engine", "NAME", ", ".join(ENGINES), _engine),
    Option("--gc", "NAME", "the collector: " + ", ".join(COLLECTORS), _gc, engines=_NATIVE),
    Option("--gc-stress", None, "collect at every allocation", _gc_stress, engines=_NATIVE, needs=_COLLECTED),
    Option(
        "--gc-stress-minor",
        None,
        "collect the young generation at every allocation",
        _gc_stress_minor,
        engines=_NATIVE,
        needs=_COLLECTED | Need.GENERATIONS,
    ),
    Option(
        "--gc-verify",
        None,
        "check the heap around every collection",
        _gc_verify,
        engines=_NATIVE,
        needs=_COLLECTED,
    ),
    Option("--gc-events", None, "one line per collection", _gc_events, engines=_NATIVE, needs=_COLLECTED),
    Option(
        "--gc-stats",
        None,
        "a summary of all collections at the end",
        _gc_stats,
        engines=_NATIVE,
        needs=Need.RUN,
    ),
    Option("--hot", "N", "calls, rounds of a loop or samples until a function is hot", _hot, engines=_HOT),
    Option("--hot-now", None, "everything is hot at once, and waits for its code", _hot_now, engines=_HOT),
    Option("--stats", None, "what the engine did, at the end", _stats, engines=_TELLING),
    Option("--heap-size", "SIZE", "most bytes of the heap; suffix k, m or g", _heap_size, needs=Need.RUN),
    Option(
        "--young-size",
        "SIZE",
        "bytes of the young generation's allocation space",
        _young_size,
        engines=_NATIVE,
        needs=Need.RUN | Need.GENERATIONS,
    ),
    Option("--emit", "STAGES", f"print {_STAGES}; behind a stage, `:{ALL}` adds the library", _emit),
    Option("--emit-ast", None, "short for --emit=ast", _emit_ast),
    Option(
        "--emit-bytecode",
        "NAMES",
        f"print the bytecode of functions, or `{ALL}`",
        _emit_bytecode,
        engines=_BYTECODE,
    ),
    Option(
        "--emit-asm", "NAMES", f"print the machine code of functions, or `{ALL}`", _emit_asm, engines=_NATIVE
    ),
    Option("--asm-syntax", "NAME", "intel or att (default)", _asm_syntax, engines=_NATIVE),
    Option("--target", "NAME", f"with --emit: for {' or '.join(TARGETS)}, not run", _target, _RUN, _NATIVE),
    Option(
        "--emit-debug", "NAMES", "put a breakpoint at the start of functions", _emit_debug, engines=_NATIVE
    ),
    Option("--omit-bounds-check", None, "do not check indexes", _omit_bounds_check, engines=_NATIVE),
    Option(
        "--perf", None, "write a map of the machine code for perf", _perf, engines=_NATIVE, needs=Need.RUN
    ),
    Option("--enable-perf", None, "the same", _perf, engines=_NATIVE, needs=Need.RUN),
    Option(
        "--no-cache", None, "compile everything anew, and store nothing", _no_cache, _RUN, _STORING, Need.RUN
    ),
    Option("--no-llvm", None, "make optimized code without LLVM", _no_llvm, engines=_LLVM),
    Option("--error-format", "FORMAT", "human (default), short, json", _error_format, _EVERYWHERE),
    Option("--color", "WHEN", "auto (default), always, never", _color, _EVERYWHERE),
    Option("--let", "NAME=EXPRESSION", "define a variable for the formula", _let, _FORMULAS),
    Option("--engines", "NAMES", "compare only these (and walk)", _engines, _COMPARE),
    Option("--plot", "FILE", "draw time against evaluations; .svg, .png or .pdf", _plot, _COMPARE),
)
BY_NAME: Final = {option.name: option for option in OPTIONS}
