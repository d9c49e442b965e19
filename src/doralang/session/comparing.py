"""The same program or formula in every engine, against the clock.

first      seconds from the text to the first result, in a process that has used the engine before
each       seconds of each further run, or call of the formula
needed     evaluations from which on the engine has been faster than the tree walk, its start included
"""

from __future__ import annotations

import gc
import io
import math
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import BinaryIO, Final, NamedTuple

from doralang.checker.checker import MainRule
from doralang.engines.rows import ENGINES, machine, works_here
from doralang.engines.runner import Runner
from doralang.interpreter.objects import Str, Value
from doralang.interpreter.output import NO_INPUT
from doralang.session.checking import compile_program
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.failures import Failure
from doralang.types.traps import Trap
from doralang.types.types import Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource

REFERENCE: Final = "walk"
ROUNDS: Final = 5
ROUND_SECONDS: Final = 0.02
PATIENCE: Final = 1.0
"""seconds for all further runs of a program, if one does not take longer"""
WARM_UP: Final = "1 + 1"


class FormulaVariable(NamedTuple):
    """A variable of a formula."""

    name: str
    type: Type
    value: Value


class Ended(NamedTuple):
    """How a program ended, or an evaluation that failed, and what there was to read."""

    status: int
    report: bytes
    """what stands on stderr"""
    output: bytes = b""


class Measured(NamedTuple):
    """What one engine gave; `outcome` is what must be the same in all."""

    engine: str
    first: float
    each: float
    code: str
    outcome: object


def engines_that_work() -> list[str]:
    """All engines that can be compared here, the reference first."""
    return [name for name, row in ENGINES.items() if not row.comparable_as and works_here(row)]


# Formulas.


def compare_formula(
    formula: Source, variables: Sequence[FormulaVariable], engines: Iterable[str], settings: Settings
) -> list[Measured]:
    """A formula without errors in each engine."""
    results = []
    for name in engines:
        settings.engine = name
        results.append(measure_formula(formula, variables, settings))
    return results


def measure_formula(formula: Source, variables: Sequence[FormulaVariable], settings: Settings) -> Measured:
    types = {variable.name: variable.type for variable in variables}
    values = {variable.name: variable.value for variable in variables}
    formulas = Formulas(silent_streams(), settings)

    def evaluate() -> object:
        checked = formulas.check(formula, types, Diagnostics())
        return result_of(lambda: formulas.value(checked, values))

    try:
        warm_up(formulas)
        size = size_of(formulas)
        outcome = evaluate()
        size = size_of(formulas) - size
        first = best_time(evaluate, 1 if ENGINES[settings.engine].is_slow_to_start else ROUNDS)
        checked = formulas.check(formula, types, Diagnostics())
        each = time_of_each(lambda: result_of(lambda: formulas.value(checked, values)))
    finally:
        formulas.close()
    return Measured(settings.engine, first, each, described(size, settings.engine), outcome)


def warm_up(formulas: Formulas) -> None:
    """Load what the engine loads when it is first used."""
    formulas.value(formulas.check(Source("<warm-up>", WARM_UP), {}, Diagnostics()), {})


def size_of(formulas: Formulas) -> int:
    return formulas.made.code_size() if formulas.made else 0


def result_of(call: Callable[[], Value]) -> object:
    """The value, or how the evaluation failed, in a form that can be compared."""
    try:
        value = call()
    except Failure as failure:
        raise_if_interrupted(failure)
        return Ended(failure.status, failure.report())
    return value.data if isinstance(value, Str) else repr(value)


def raise_if_interrupted(failure: Failure) -> None:
    """Other failures are results; Ctrl-C is meant for the comparison.  Raises KeyboardInterrupt."""
    if failure.trap is Trap.INTERRUPT:
        raise KeyboardInterrupt


# Programs.


class Replay:
    """The same standard input for every run, read when the first run wants it.

    In lines, so that a program that begins anew has nothing left of the run before.
    """

    def __init__(self, stdin: ByteSource) -> None:
        self._stdin = stdin
        self._read = bytearray()
        self._at = 0

    def rewind(self) -> None:
        self._at = 0

    def read1(self, most: int, /) -> bytes:
        searched = self._at
        while (end := self._read.find(b"\n", searched) + 1) == 0:
            searched = len(self._read)
            piece = self._stdin.read1(most)
            if not piece:
                end = searched
                break
            self._read += piece
        start, self._at = self._at, min(end, self._at + most)
        return bytes(self._read[start : self._at])


def compare_program(
    source: Source, arguments: Sequence[str], stdin: ByteSource, engines: Iterable[str], settings: Settings
) -> list[Measured]:
    """A program without errors in each engine."""
    results, replay = [], Replay(stdin)
    for name in engines:
        settings.engine = name
        results.append(measure_program(source, arguments, replay, settings))
    return results


def measure_program(source: Source, arguments: Sequence[str], stdin: Replay, settings: Settings) -> Measured:
    warm = Formulas(silent_streams(), settings)
    warm_up(warm)
    warm.close()
    streams = silent_streams(stdin)
    gc.collect()
    start = time.perf_counter()
    program = compile_program(source, Diagnostics(), main=MainRule.REQUIRED, engine=settings.engine)
    assert program is not None, "the program was checked before"
    engine = machine(program, list(arguments), streams, settings)
    try:
        status = run_whole(engine, streams, stdin)
        first = time.perf_counter() - start
        outcome = Ended(status, contents(streams.stderr), contents(streams.stdout))
        each = median(further_runs(lambda: run_whole(engine, streams, stdin)))
        return Measured(settings.engine, first, each, described(engine.code_size(), settings.engine), outcome)
    finally:
        engine.close()


def run_whole(engine: Runner, streams: Streams, stdin: Replay) -> int:
    """The exit status of a run.  Raises KeyboardInterrupt."""
    stdin.rewind()
    written = len(contents(streams.stderr))
    status = engine.run_main()
    if contents(streams.stderr).startswith(f"{Trap.INTERRUPT.text}\n".encode(), written):
        raise KeyboardInterrupt
    return status


def further_runs(run: Callable[[], object]) -> list[float]:
    """Seconds of each of a few runs; of one, if that takes long."""
    times: list[float] = []
    while not times or (len(times) < ROUNDS and sum(times) < PATIENCE):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def silent_streams(stdin: ByteSource = NO_INPUT) -> Streams:
    return Streams(stdin, io.BytesIO(), io.BytesIO())


def contents(stream: BinaryIO) -> bytes:
    assert isinstance(stream, io.BytesIO)
    return stream.getvalue()


# Time.


def best_time(action: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def time_of_each(action: Callable[[], object]) -> float:
    """Seconds of one of many calls: the median of rounds that are long enough to be measured."""
    count = 1
    while (seconds := time_of(action, count)) < ROUND_SECONDS:
        count *= 2
    return median([seconds, *(time_of(action, count) for _ in range(ROUNDS - 1))]) / count


def time_of(action: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        action()
    return time.perf_counter() - start


# What the figures say.


def described(size: int, engine: str) -> str:
    """The size of code in words."""
    unit = ENGINES[engine].unit
    return f"{size:,} {unit}" if unit else "none"


def break_even(measured: Measured, reference: Measured) -> int | None:
    """The number of evaluations that must be wanted for the engine to be worth its start; None for never."""
    gain = reference.each - measured.each
    behind = measured.first - reference.first
    if behind <= 0 and gain >= 0:
        return 1
    return 1 + math.ceil(behind / gain) if gain > 0 else None


def differing(results: Sequence[Measured]) -> list[str]:
    """The engines that do not give what the first one gives."""
    return [each.engine for each in results if each.outcome != results[0].outcome]


def ending(results: Sequence[Measured]) -> Ended | None:
    """How the program or formula ended in all engines alike, if there is something to say about it."""
    outcome = results[0].outcome
    return outcome if isinstance(outcome, Ended) and (outcome.status or outcome.report) else None
