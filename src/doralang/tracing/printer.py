"""Traces as text, for `--emit=trace`.

trace of count, line 3
  enter with count0.r0:int, count0.r1:int
    head 0:
    count0.r3:bool = int.less(count0.r1, count0.r0)
    unless count0.r3: exit 1
    …
    goto head 0
  exit 0: count at 2 (count0.r1)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from doralang.tracing.trace import (
    Copy,
    Enter,
    FrameState,
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
    TraceVariable,
)


def print_trace(trace: LoopTrace) -> str:
    """All paths, and where the exits lead to."""
    lines = [f"trace of {trace.name}"]
    lines += [f"  {text}" for text in entry(trace)]
    lines += path(trace.steps)
    for exit in trace.exits:
        frames = ", in ".join(print_frame(frame) for frame in reversed(exit.frames))
        if exit.path is None:
            lines.append(f"  exit {exit.number}: {frames}")
        else:
            lines += [f"  exit {exit.number}:", *path(exit.path)]
    return "\n".join(lines) + "\n"


def entry(trace: LoopTrace) -> list[str]:
    """What comes in, and what must hold."""
    values = [*trace.inputs.values(), *trace.fields.values(), *trace.globals.values()]
    lines = [f"with {', '.join(map(definition, values))}"] if values else []
    for number, use in enumerate(trace.arrays):
        lines.append(f"array {number}: {use.reference}, of {use.element.value}")
    for reference, cls in trace.classes.items():
        lines.append(f"if {reference} is {'nil' if cls is None else f'of {cls.name}'}")
    for (one, other), same in trace.same.items():
        lines.append(f"if {one} {'===' if same else '!=='} {other}")
    return lines


def path(steps: list[Step]) -> list[str]:
    return [f"    {PRINTERS[type(step)](step)}" for step in steps]


def definition(variable: TraceVariable) -> str:
    return f"{variable.name}:{variable.kind.value}"


def print_frame(frame: FrameState) -> str:
    held = [*map(str, frame.values.values())]
    held += [f"r{register} = {reference}" for register, reference in frame.references.items()]
    return f"{frame.function.name} at {frame.index} ({', '.join(held)})"


def exit_number(exit: SideExit | None) -> str:
    return "" if exit is None else f", or exit {exit.number}"


def print_operation(step: Operate) -> str:
    operands = ", ".join(map(str, step.operands))
    return f"{definition(step.target)} = {step.operation.name}({operands}){exit_number(step.exit)}"


def print_guard(step: Guard) -> str:
    return f"{'unless' if step.wanted else 'if'} {step.condition}: exit {step.exit.number}"


def print_guard_equal(step: GuardEqual) -> str:
    return f"if {step.value} {'!=' if step.wanted else '=='} {step.constant}: exit {step.exit.number}"


def print_put(step: Put) -> str:
    value = str(step.value).lower() if isinstance(step.value, bool) else repr(step.value)
    return f"{definition(step.target)} = {value}"


PRINTERS: Final[dict[type[Any], Callable[[Any], str]]] = {
    Copy: lambda step: f"{definition(step.target)} = {step.source}",
    Put: print_put,
    Operate: print_operation,
    Length: lambda step: f"{definition(step.target)} = length of {step.array}",
    Load: lambda step: f"{definition(step.target)} = {step.array}[{step.index}]{exit_number(step.exit)}",
    Store: lambda step: f"{step.array}[{step.index}] = {step.value}{exit_number(step.exit)}",
    Guard: print_guard,
    GuardEqual: print_guard_equal,
    Enter: lambda step: f"head {step.head}:",
    TraceJump: lambda step: f"goto head {step.head}",
}
