"""Runs traces in Python, step by step: what compiled traces are compared with.

Not fast, and not meant to be: it says in the plainest way what a trace means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from dora.tracing.trace import (
    Copy,
    Exit,
    Guard,
    GuardEqual,
    Length,
    Load,
    Operate,
    Put,
    Step,
    Store,
    Trace,
)

Values = list[Any]
"""of the variables of a trace, by number"""


class Runner(Protocol):
    """A trace, ready to run."""

    def __call__(self, values: Values, arrays: list[Any]) -> int:
        """Run until an exit is taken; its number.  The values are then those of the exit's variables."""


def interpreted(trace: Trace) -> Runner:
    """A runner that walks over the steps."""
    rounds = trace.rounds.number

    def run(values: Values, arrays: list[Any]) -> int:
        path = trace.steps
        while True:
            exit = follow(path, values, arrays)
            if exit is None:
                values[rounds] -= 1
                if not values[rounds]:
                    return 0
                path = trace.steps
            elif exit.path is None:
                return exit.number
            else:
                path = exit.path

    return run


def follow(path: list[Step], values: Values, arrays: list[Any]) -> Exit | None:
    """Go along a path; the exit at which it is left."""
    for step in path:
        exit = STEPS[type(step)](step, values, arrays)
        if exit is not None:
            return exit
    return None


def copy(step: Copy, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = values[step.source.number]


def put(step: Put, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = step.value


def operate(step: Operate, values: Values, arrays: list[Any]) -> Exit | None:
    operands = [values[operand.number] for operand in step.operands]
    if step.exit is not None and not operands[-1]:
        return step.exit
    values[step.target.number] = step.operation.meaning(*operands)
    return None


def length(step: Length, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = len(arrays[step.array])


def load(step: Load, values: Values, arrays: list[Any]) -> Exit | None:
    index, items = values[step.index.number], arrays[step.array]
    if not 0 <= index < len(items):
        return step.exit
    values[step.target.number] = items[index]
    return None


def store(step: Store, values: Values, arrays: list[Any]) -> Exit | None:
    index, items = values[step.index.number], arrays[step.array]
    if not 0 <= index < len(items):
        return step.exit
    items[index] = values[step.value.number]
    return None


def guard(step: Guard, values: Values, arrays: list[Any]) -> Exit | None:
    return None if values[step.condition.number] is step.wanted else step.exit


def guard_equal(step: GuardEqual, values: Values, arrays: list[Any]) -> Exit | None:
    return None if (values[step.value.number] == step.constant) is step.wanted else step.exit


STEPS: Final[dict[type[Any], Callable[[Any, Values, list[Any]], Exit | None]]] = {
    Copy: copy,
    Put: put,
    Operate: operate,
    Length: length,
    Load: load,
    Store: store,
    Guard: guard,
    GuardEqual: guard_equal,
}
