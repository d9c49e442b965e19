"""What all parts of the baseline compiler share while one function is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from dora.baseline.frame import Frame
from dora.baseline.result import GCPoint
from dora.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from dora.bytecode.function import Function
from dora.machine.buffer import Label
from dora.machine.macro import FloatRegister, MacroAssembler, Register
from dora.types.traps import Trap


class Environment(Protocol):
    """What a function is compiled for: the symbols and numbers of things outside it."""

    bounds_checks: bool

    def entry(self, function: FunctionRef) -> str:
        """The symbol of a function's entry cell."""

    def shape(self, cls: ClassRef) -> str:
        """The symbol of a class's shape."""

    def text_shape(self) -> str:
        """The symbol of the shape of `Str`."""

    def field_offset(self, cls_field: FieldRef) -> int:
        """Where a field is in its object."""

    def instance_size(self, cls: ClassRef) -> int:
        """Bytes of an object."""

    def literal(self, text: str) -> int:
        """Offset of a string literal in the table of literals."""

    def global_offset(self, variable: GlobalRef) -> int:
        """Offset of a global in the table of globals."""

    def internal(self, function: FunctionRef) -> FunctionRef | None:
        """The library's function that is called for an internal one, if there is one."""


TRAP_SYMBOLS: Final[Mapping[Trap, str]] = {trap: f"trap:{trap.name}" for trap in Trap}


class Context:
    """One function on its way to machine code."""

    def __init__(
        self, masm: MacroAssembler, function: Function, frame: Frame, environment: Environment
    ) -> None:
        self.masm = masm
        self.function = function
        self.frame = frame
        self.environment = environment
        self.index = 0
        """of the instruction that is being compiled"""
        self.points: list[GCPoint] = []
        self.traps: dict[tuple[Trap, int], Label] = {}
        self.work: tuple[Register, ...] = masm.temporaries[:3]
        """registers that are nobody's home"""
        self.float_work: tuple[FloatRegister, ...] = masm.float_temporaries[:2]

    @property
    def line(self) -> int:
        return self.function.lines[self.index]

    def point(self, offset: int, slots: tuple[int, ...] = (), line: int | None = None) -> None:
        """The call whose return address is `offset` can be looked at."""
        self.points.append(GCPoint(offset, self.line if line is None else line, slots))

    def trap(self, kind: Trap) -> Label:
        """Where to go to fail at the current line; the code stands behind the function's body."""
        line = self.line
        label = self.traps.get((kind, line))
        if label is None:
            label = self.traps[kind, line] = self.masm.label()
            self.masm.out_of_line(self.trap_code(kind, line, label))
        return label

    def trap_code(self, kind: Trap, line: int, label: Label) -> Callable[[], None]:
        def emit() -> None:
            self.masm.bind(label)
            self.masm.comment(f"{kind.text}, line {line}")
            self.point(self.masm.call_symbol(TRAP_SYMBOLS[kind]), (), line)

        return emit
