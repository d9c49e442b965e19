"""Traces as C: one function, whose variables are those of the trace.

head_0:;
  dora_count0_r3 = dora_count0_r1 < dora_count0_r0;
  if (!dora_count0_r3) goto leave_1;
  …
  if (--dora_rounds == 0) goto leave_0;
  goto head_0;
leave_1:;
  v[1].as_int = dora_count0_r1;
  v[0].as_long = dora_rounds;
  return 1;
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from doralang.source.c import TYPES, C
from doralang.source.names import distinct
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
    TraceVariable,
)
from doralang.types.kinds import Kind


class TraceText:
    """One trace on its way to text."""

    def __init__(self, trace: LoopTrace) -> None:
        self.trace = trace
        self.language = C(0, Kind.INT)
        variables = trace.variables
        self.names = dict(zip(variables, distinct(one.name for one in variables), strict=True))
        self.exits = {head.number: head.exit for head in trace.heads.values()}
        self.lines: list[str] = []

    def text(self) -> str:
        trace = self.trace
        self.lines = [f"/* trace of {trace.name} */", "int32_t trace(value *v, object *arrays) {"]
        self.emit(self.declarations())
        self.path(trace.steps)
        for exit in trace.exits:
            self.lines.append(f"{label(exit)}:;")
            if exit.path is None:
                self.emit(self.leave(exit))
            else:
                self.path(exit.path)
        self.lines.append("}")
        return "\n".join(self.lines) + "\n"

    def emit(self, statements: Iterable[str]) -> None:
        self.lines += [f"  {statement}" for statement in statements]

    def declarations(self) -> Iterator[str]:
        for variable in self.trace.variables:
            kind = variable.kind
            name = self.name(variable)
            yield f"{TYPES[kind]} {name} = v[{variable.number}].as_{kind.value};"
        for number in range(len(self.trace.arrays)):
            yield f"object array{number} = arrays[{number}];"

    def path(self, steps: list[Step]) -> None:
        for step in steps:
            if isinstance(step, Enter):
                self.lines.append(self.language.label(f"head_{step.head}"))
            else:
                self.emit(STATEMENTS[type(step)](self, step))

    def leave(self, exit: SideExit) -> Iterator[str]:
        """What the VM needs goes out."""
        held = [variable for frame in exit.frames for variable in frame.values.values()]
        held += [*self.trace.fields.values(), *self.trace.globals.values(), self.trace.rounds]
        for variable in dict.fromkeys(held):
            yield f"v[{variable.number}].as_{variable.kind.value} = {self.name(variable)};"
        yield f"return {exit.number};"

    def name(self, variable: TraceVariable) -> str:
        return self.names[variable]

    # Steps.

    def copy(self, step: Copy) -> list[str]:
        return [self.language.assign(self.name(step.target), self.name(step.source))]

    def put(self, step: Put) -> list[str]:
        constant = self.language.constant(step.target.kind, step.value)
        return [self.language.assign(self.name(step.target), constant)]

    def operate(self, step: Operate) -> list[str]:
        operands = [self.name(operand) for operand in step.operands]
        value = self.language.operation(step.operation, operands)
        checks = [] if step.exit is None else [f"if ({operands[-1]} == 0) goto {label(step.exit)};"]
        return [*checks, self.language.assign(self.name(step.target), value)]

    def length(self, step: Length) -> list[str]:
        return [self.language.assign(self.name(step.target), self.language.length(array(step.array)))]

    def load(self, step: Load) -> list[str]:
        place = self.language.element(step.target.kind, array(step.array), self.name(step.index))
        return [self.check(step), self.language.assign(self.name(step.target), place)]

    def store(self, step: Store) -> list[str]:
        place = self.language.element(step.value.kind, array(step.array), self.name(step.index))
        return [self.check(step), self.language.assign(place, self.name(step.value))]

    def check(self, step: Load | Store) -> str:
        outside = self.language.is_outside(array(step.array), self.name(step.index))
        return f"if (unlikely({outside})) goto {label(step.exit)};"

    def guard(self, step: Guard) -> list[str]:
        negation = "!" if step.wanted else ""
        return [f"if ({negation}{self.name(step.condition)}) goto {label(step.exit)};"]

    def guard_equal(self, step: GuardEqual) -> list[str]:
        operator, constant = "!=" if step.wanted else "==", self.language.constant(Kind.INT, step.constant)
        return [f"if ({self.name(step.value)} {operator} {constant}) goto {label(step.exit)};"]

    def jump(self, step: TraceJump) -> list[str]:
        leave = label(self.exits[step.head])
        return [f"if (--{self.name(self.trace.rounds)} == 0) goto {leave};", f"goto head_{step.head};"]


STATEMENTS: Final[dict[type[Any], Callable[[TraceText, Any], list[str]]]] = {
    Copy: TraceText.copy,
    Put: TraceText.put,
    Operate: TraceText.operate,
    Length: TraceText.length,
    Load: TraceText.load,
    Store: TraceText.store,
    Guard: TraceText.guard,
    GuardEqual: TraceText.guard_equal,
    TraceJump: TraceText.jump,
}


def label(exit: SideExit) -> str:
    return f"leave_{exit.number}" if exit.path is None else f"path_{exit.number}"


def array(number: int) -> str:
    """The address of an `object`."""
    return f"(&array{number})"
