"""Runs traces in Python, step by step: what compiled traces are compared with.

Not fast, and not meant to be: it says in the plainest way what a trace means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from doralang.tracing.trace import (
    Copy,
    Enter,
    Guard,
    GuardEqual,
    Length,
    Load,
    LoopTrace,
    Operate,
    Put,
    SideExit,
    Step,
    Store,
    TraceJump,
)

Values = list[Any]
"""of the variables of a trace, by number"""


class TraceRunner(Protocol):
    """A trace, ready to run."""

    def __call__(self, values: Values, arrays: list[Any]) -> int:
        """Run until an exit is taken; its number.  The values are then those of the exit's variables."""


def interpreted(trace: LoopTrace) -> TraceRunner:
    """A runner that walks over the steps there are now; exits may get more paths later."""
    paths = {exit: exit.path for exit in trace.exits if exit.path is not None}
    rounds = trace.rounds.number
    exits = {head.number: head.exit for head in trace.heads.values()}
    behind = parts(trace)

    def run(values: Values, arrays: list[Any]) -> int:
        path = trace.steps
        while True:
            left = follow(path, values, arrays)
            if isinstance(left, TraceJump):
                values[rounds] -= 1
                if not values[rounds]:
                    return exits[left.head].number
                path = behind[left.head]
            elif left in paths:
                path = paths[left]
            else:
                return left.number

    return run


def parts(trace: LoopTrace) -> dict[int, list[Step]]:
    """For each head the steps behind it."""
    result = {}
    for path in [trace.steps, *(exit.path for exit in trace.exits if exit.path is not None)]:
        for index, step in enumerate(path):
            if isinstance(step, Enter):
                result[step.head] = path[index + 1 :]
    return result


def follow(path: list[Step], values: Values, arrays: list[Any]) -> SideExit | TraceJump:
    """Go along a path; the exit at which it is left, or the jump at its end."""
    for step in path:
        left = STEPS[type(step)](step, values, arrays)
        if left is not None:
            return left
    raise AssertionError("a path ends with a jump")


def copy(step: Copy, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = values[step.source.number]


def put(step: Put, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = step.value


def operate(step: Operate, values: Values, arrays: list[Any]) -> SideExit | None:
    operands = [values[operand.number] for operand in step.operands]
    if step.exit is not None and not operands[-1]:
        return step.exit
    values[step.target.number] = step.operation.meaning(*operands)
    return None


def length(step: Length, values: Values, arrays: list[Any]) -> None:
    values[step.target.number] = len(arrays[step.array])


def load(step: Load, values: Values, arrays: list[Any]) -> SideExit | None:
    index, items = values[step.index.number], arrays[step.array]
    if not 0 <= index < len(items):
        return step.exit
    values[step.target.number] = items[index]
    return None


def store(step: Store, values: Values, arrays: list[Any]) -> SideExit | None:
    index, items = values[step.index.number], arrays[step.array]
    if not 0 <= index < len(items):
        return step.exit
    items[index] = values[step.value.number]
    return None


def guard(step: Guard, values: Values, arrays: list[Any]) -> SideExit | None:
    return None if values[step.condition.number] is step.wanted else step.exit


def guard_equal(step: GuardEqual, values: Values, arrays: list[Any]) -> SideExit | None:
    return None if (values[step.value.number] == step.constant) is step.wanted else step.exit


def enter(step: Enter, values: Values, arrays: list[Any]) -> None:
    """Nothing happens here."""


def jump(step: TraceJump, values: Values, arrays: list[Any]) -> TraceJump:
    return step


STEPS: Final[dict[type[Any], Callable[[Any, Values, list[Any]], SideExit | TraceJump | None]]] = {
    Copy: copy,
    Put: put,
    Operate: operate,
    Length: length,
    Load: load,
    Store: store,
    Guard: guard,
    GuardEqual: guard_equal,
    Enter: enter,
    TraceJump: jump,
}
