"""Writing bytecode: registers, labels, and nothing behind a jump that never comes back.

builder = Builder(ref)
done = builder.label()
builder.emit(BranchUnless(condition, done.target), line)
…
builder.bind(done)
function = builder.finish()
"""

from __future__ import annotations

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import (
    Instruction,
    Register,
    Target,
    target_of,
)
from doralang.types.kinds import Kind


class Label:
    """A place in the code.  `target` stands for it in instructions until the code is finished."""

    __slots__ = ("position", "target", "used")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.position: int | None = None
        self.used = False


class Builder:
    """The bytecode of one function while it is written."""

    def __init__(self, ref: FunctionRef) -> None:
        self.function = Function(ref, list(ref.parameters))
        self.labels: list[Label] = []
        self.free: dict[Kind, list[Register]] = {}
        self.reachable = True
        """whether the next instruction can be reached; if not, it is dropped"""

    # Registers.

    def register(self, kind: Kind) -> Register:
        """A new register that nobody else will get."""
        self.function.registers.append(kind)
        return Register(len(self.function.registers) - 1)

    def temporary(self, kind: Kind) -> Register:
        """A register until it is given back by `release`."""
        free = self.free.get(kind)
        return free.pop() if free else self.register(kind)

    def release(self, register: Register) -> None:
        """Give back a temporary."""
        self.free.setdefault(self.function.registers[register], []).append(register)

    def kind(self, register: Register) -> Kind:
        return self.function.registers[register]

    # Code.

    def emit(self, instruction: Instruction, line: int) -> None:
        if not self.reachable:
            return
        function = self.function
        function.code.append(instruction)
        function.lines.append(line)
        if instruction.leaves:
            function.ends.append(len(function.code))
            self.reachable = not instruction.ends
            target = target_of(instruction)
            if target is not None:
                self.labels[target].used = True

    def label(self) -> Label:
        label = Label(Target(len(self.labels)))
        self.labels.append(label)
        return label

    def bind(self, label: Label) -> None:
        """The label stands before the next instruction."""
        label.position = len(self.function.code)
        if label.used:
            self.reachable = True

    def bind_loop(self, label: Label) -> None:
        """As `bind`, for a label that is jumped to from further down."""
        label.position = len(self.function.code)

    def finish(self) -> Function:
        """Put the places of the labels into the instructions."""
        for end in self.function.ends:
            instruction = self.function.code[end - 1]
            target = target_of(instruction)
            if target is not None:
                position = self.labels[target].position
                assert position is not None, "a label that is used is bound"
                instruction.target = Target(position)  # type: ignore[attr-defined]
                self.function.targets.add(position)
        return self.function
