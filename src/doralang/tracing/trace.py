"""What a trace is made of.

    while i < n { sum = sum + a[i]; i = i + 1; }

    enter with i, n, sum, array a
    head 0:
      t = i < n          unless t: exit 1, at the instruction behind the loop
      e = a[i]           unless 0 <= i < length: exit 2, at the access, which then fails in the VM
      sum = sum + e
      …
      goto head 0

A trace is the path through a loop that was taken while it was recorded, with the bodies of the functions
that it calls.  It works on variables: registers of all these functions, fields and globals, all of primitive
kinds.  References stay outside (`references`).  Where the path might be left stands an exit, which knows
what the VM needs to go on there.  An exit that is taken often gets a path of its own.  A path ends at the
first head of a loop where one has been before; so loops in loops, and around loops, become part of the trace.
"""

from __future__ import annotations

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.text.records import field, record, replaced
from doralang.types.kinds import Kind
from doralang.types.primitives import Primitive


@record
class TraceVariable:
    """A variable of a trace.  Its number is its place in the list of values that goes in and comes out."""

    number: int
    kind: Kind
    name: str

    def __repr__(self) -> str:
        return self.name


# References: each is found once, when the trace is entered, and stays the same in all rounds.


@record(eq=True, frozen=True)
class InRegister:
    """What is in a register of the loop's function when the trace is entered."""

    register: int

    def __str__(self) -> str:
        return f"r{self.register}"


@record(eq=True, frozen=True)
class InField:
    """What is in a field of another one."""

    object: Reference
    field: FieldRef

    def __str__(self) -> str:
        return f"{self.object}.{self.field.name}"


@record(eq=True, frozen=True)
class InGlobal:
    variable: GlobalRef

    def __str__(self) -> str:
        return self.variable.name


@record(eq=True, frozen=True)
class NilReference:
    """The constant."""

    def __str__(self) -> str:
        return "nil"


Reference = InRegister | InField | InGlobal | NilReference


# Exits.


@record(eq=True)
class FrameState:
    """An active function at an exit.

    `index` is the instruction that comes next: for all but the innermost the one behind a call.  `result` is
    the register of the caller that gets the result.  `values` and `references` are what the registers hold
    that are still needed.
    """

    number: int
    function: FunctionRef
    index: int
    result: int
    values: dict[int, TraceVariable]
    references: dict[int, Reference]


@record
class SideExit:
    """Where the path is left.  `frames` are the active functions, outermost first: that of the loop."""

    number: int
    frames: list[FrameState]
    taken: int = 0
    path: list[Step] | None = None
    """what is done instead of leaving, once it was recorded"""
    closed: bool = False
    """whether nothing is to be recorded from here any more"""


# Steps.


@record(eq=True)
class Copy:
    target: TraceVariable
    source: TraceVariable


@record(eq=True)
class Put:
    """A constant."""

    target: TraceVariable
    value: bool | int | float


@record(eq=True)
class Operate:
    """A primitive operation; leaves before it would fail."""

    target: TraceVariable
    operation: Primitive
    operands: tuple[TraceVariable, ...]
    exit: SideExit | None


@record(eq=True)
class Length:
    target: TraceVariable
    array: int


@record(eq=True)
class Load:
    """An element; leaves if the index is out of range."""

    target: TraceVariable
    array: int
    index: TraceVariable
    exit: SideExit


@record(eq=True)
class Store:
    array: int
    index: TraceVariable
    value: TraceVariable
    exit: SideExit


@record(eq=True)
class Guard:
    """Leaves unless a condition is as it was."""

    condition: TraceVariable
    wanted: bool
    exit: SideExit


@record(eq=True)
class GuardEqual:
    """Leaves unless the comparison with a constant gives what it gave."""

    value: TraceVariable
    constant: int
    wanted: bool
    exit: SideExit


@record(eq=True)
class Enter:
    """The head of a loop."""

    head: int


@record(eq=True)
class TraceJump:
    """On at a head; the last step of each path."""

    head: int


Step = Copy | Put | Operate | Length | Load | Store | Guard | GuardEqual | Enter | TraceJump

Calls = tuple[tuple[int, int], ...]
"""the active functions: number and instruction, outermost first"""


@record
class Head:
    """The head of a loop on a path.  `references` are those in registers, by the number of the call."""

    number: int
    exit: SideExit
    references: dict[tuple[int, int], Reference]


# The whole.


@record(eq=True)
class ArrayUse:
    """An array whose elements the trace reads or writes."""

    reference: Reference
    element: Kind


@record
class LoopTrace:
    """The paths of one loop, and what must hold for them to be entered."""

    name: str
    function: FunctionRef
    index: int
    """of the head: the `Poll`"""
    rounds: TraceVariable = field(default_factory=lambda: TraceVariable(0, Kind.LONG, "rounds"))
    """how many there may be until the trace is left at a head, to look for Ctrl-C"""
    steps: list[Step] = field(default_factory=list)
    exits: list[SideExit] = field(default_factory=list)
    heads: dict[Calls, Head] = field(default_factory=dict)
    variables: list[TraceVariable] = field(default_factory=list)
    registers: dict[tuple[int, int], TraceVariable] = field(default_factory=dict)
    """by the number of the call, and the register"""
    inputs: dict[int, TraceVariable] = field(default_factory=dict)
    """registers of the loop's function that are needed at its head"""
    fields: dict[tuple[Reference, FieldRef], TraceVariable] = field(default_factory=dict)
    globals: dict[GlobalRef, TraceVariable] = field(default_factory=dict)
    arrays: list[ArrayUse] = field(default_factory=list)
    classes: dict[Reference, ClassRef | None] = field(default_factory=dict)
    """the class of each reference that the trace looks into; None for nil"""
    same: dict[tuple[Reference, Reference], bool] = field(default_factory=dict)
    """whether two references are the same"""
    frames: int = 1
    """how many calls there are in all paths, that of the loop's function included"""

    def __post_init__(self) -> None:
        if not self.variables:
            self.variables.append(self.rounds)

    def variable(self, kind: Kind, name: str) -> TraceVariable:
        variable = TraceVariable(len(self.variables), kind, name)
        self.variables.append(variable)
        return variable

    def draft(self) -> LoopTrace:
        """A copy to record another path into, which may come to nothing; exits and steps are shared."""
        return replaced(
            self,
            steps=self.steps.copy(),
            exits=self.exits.copy(),
            heads=self.heads.copy(),
            variables=self.variables.copy(),
            registers=self.registers.copy(),
            fields=self.fields.copy(),
            globals=self.globals.copy(),
            arrays=self.arrays.copy(),
            classes=self.classes.copy(),
            same=self.same.copy(),
        )

    @property
    def length(self) -> int:
        """How many steps there are in all paths."""
        return len(self.steps) + sum(len(exit.path) for exit in self.exits if exit.path is not None)
