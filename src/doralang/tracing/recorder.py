"""Recording: an interpreter of bytecode that runs the program on, and writes down what it does.

    recorder = Recorder(trace, program, frames)
    reason = recorder.record()        empty if the path has come back to the head of the loop
    …go on in the VM, where `recorder.frames` are

What a trace cannot hold, or what is about to fail, ends the recording in front of that instruction, and the
VM does it.  So whatever comes of it, the program has done what it should, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import ClassRef, FunctionRef, GlobalRef
from doralang.bytecode.instructions import NO_REGISTER, Register, method_table
from doralang.bytecode.liveness import BITS
from doralang.interpreter.objects import Value
from doralang.tracing.trace import (
    ArrayUse,
    Calls,
    Copy,
    Enter,
    FrameState,
    Guard,
    GuardEqual,
    Head,
    InField,
    InGlobal,
    InRegister,
    Length,
    Load,
    LoopTrace,
    NilReference,
    Operate,
    Put,
    Reference,
    SideExit,
    Step,
    Store,
    TraceJump,
    TraceVariable,
)
from doralang.types.kinds import Kind
from doralang.vm.code import Registers
from doralang.vm.translator import Translator

MOST_STEPS: Final = 600
"""of a path"""

MOST_CALLS: Final = 16
"""nested in one another"""


class TracedProgram(Protocol):
    """What recording asks of the running program."""

    globals: list[Value]

    def translator_of(self, ref: FunctionRef) -> Translator:
        """A function, translated if it was not called yet."""

    def global_index(self, variable: GlobalRef) -> int:
        """Its place in `globals`."""


class Unfit(Exception):
    """This does not go into a trace; the text says why, as what the loop does."""


class RecordedFrame:
    """An active function while it is recorded.

    `number` tells it from all other calls in the paths of the trace.  `index` is the instruction that comes
    next, `result` the register of the caller that gets what it returns.
    """

    def __init__(
        self, number: int, translator: Translator, index: int, registers: Registers, result: int
    ) -> None:
        self.number = number
        self.translator = translator
        self.function = translator.function
        self.index = index
        self.registers = registers
        self.result = result
        self.references: dict[int, Reference] = {}

    def reference(self, register: int) -> Reference:
        """What a register refers to; at first, in the function of the loop, to what it held at the entry."""
        return self.references.get(register) or InRegister(register)

    def kind(self, register: int) -> Kind:
        return self.function.registers[register]


class TraceRecorder:
    """Records one path into a draft of a trace."""

    def __init__(self, trace: LoopTrace, program: TracedProgram, frames: list[RecordedFrame]) -> None:
        self.trace = trace
        self.program = program
        self.frames = frames
        self.steps: list[Step] = []
        self.next = 0
        self.is_complete = False

    def record(self) -> str:
        """Run on until the path is complete; else the reason why it never will be."""
        try:
            while not self.is_complete:
                self.step()
        except Unfit as reason:
            return str(reason)
        return ""

    def step(self) -> None:
        frame = self.frames[-1]
        insn = frame.function.code[frame.index]
        self.next = frame.index + 1
        METHODS[type(insn)](self, insn)
        frame.index = self.next
        if len(self.steps) > MOST_STEPS:
            raise Unfit("it is too long")

    # Variables, references, exits.

    @property
    def frame(self) -> RecordedFrame:
        return self.frames[-1]

    @property
    def registers(self) -> Registers:
        return self.frames[-1].registers

    def variable(self, register: int, frame: RecordedFrame | None = None) -> TraceVariable:
        frame = frame or self.frame
        key = frame.number, register
        variable = self.trace.registers.get(key)
        if variable is None:
            name = f"{frame.function.ref.plain_name}{frame.number}.r{register}"
            variable = self.trace.registers[key] = self.trace.variable(frame.kind(register), name)
        return variable

    def exit(self, index: int) -> SideExit:
        """An exit to an instruction of the innermost function."""
        exit = SideExit(len(self.trace.exits), [])
        for frame, inner in zip(self.frames, [*self.frames[1:], None], strict=True):
            exit.frames.append(self.state(frame, index if inner is None else frame.index, inner))
        self.trace.exits.append(exit)
        return exit

    def state(self, frame: RecordedFrame, index: int, inner: RecordedFrame | None) -> FrameState:
        live = frame.translator.live_before(index)
        if inner is not None and inner.result != NO_REGISTER:
            live &= ~(1 << inner.result)
        values: dict[int, TraceVariable] = {}
        references: dict[int, Reference] = {}
        for register in BITS[live]:
            if frame.kind(register) is not Kind.REF:
                values[register] = self.variable(register, frame)
            elif register in frame.references:
                references[register] = frame.references[register]
        return FrameState(frame.number, frame.function.ref, index, frame.result, values, references)

    def note_class(self, reference: Reference, cls: ClassRef | None) -> None:
        """The trace is right for this class only."""
        if self.trace.classes.setdefault(reference, cls) is not cls:
            raise Unfit("a class is another one than before")

    def look_into(self, register: int) -> tuple[Reference, Any]:
        """A reference that must not be nil, and its object."""
        object = self.registers[register]
        if object is None:
            raise Unfit("it fails")
        reference = self.frame.reference(register)
        self.note_class(reference, object.type)
        return reference, object

    def array(self, register: int) -> tuple[int, Any]:
        """The number of an array that must not be nil, and its elements."""
        reference, object = self.look_into(register)
        kind = object.type.element
        if kind is Kind.REF:
            raise Unfit("it uses an array of references")
        for number, use in enumerate(self.trace.arrays):
            if use.reference == reference:
                return number, object.items
        self.trace.arrays.append(ArrayUse(reference, kind))
        return len(self.trace.arrays) - 1, object.items

    def is_reference(self, register: int) -> bool:
        return self.frame.kind(register) is Kind.REF

    # Moves, constants, arithmetic.

    def move(self, insn: i.Move) -> None:
        if self.is_reference(insn.dst):
            self.frame.references[insn.dst] = self.frame.reference(insn.src)
        else:
            self.steps.append(Copy(self.variable(insn.dst), self.variable(insn.src)))
        self.registers[insn.dst] = self.registers[insn.src]

    def load_constant(self, insn: i.LoadConstant) -> None:
        if insn.value is None:
            self.frame.references[insn.dst] = NilReference()
        else:
            self.steps.append(Put(self.variable(insn.dst), insn.value))
        self.registers[insn.dst] = insn.value

    def load_text(self, insn: i.LoadText) -> None:
        raise Unfit("it uses a text")

    def compute(self, insn: i.Compute) -> None:
        row, registers = insn.operation, self.registers
        operands = [registers[register] for register in insn.args]
        exit = None
        if row.trap is not None:
            if not operands[-1]:
                raise Unfit("it fails")
            exit = self.exit(self.frame.index)
        variables = tuple(self.variable(register) for register in insn.args)
        self.steps.append(Operate(self.variable(insn.dst), row, variables, exit))
        registers[insn.dst] = row.meaning(*operands)

    def same(self, insn: i.Same) -> None:
        one, other = self.frame.reference(insn.left), self.frame.reference(insn.right)
        same = self.registers[insn.left] is self.registers[insn.right]
        if self.trace.same.setdefault((one, other), same) is not same:
            raise Unfit("an object is another one than before")
        self.put(insn.dst, same)

    def put(self, register: Register, value: bool) -> None:
        """What is known when the trace is entered."""
        self.steps.append(Put(self.variable(register), value))
        self.registers[register] = value

    # Objects.

    def new_object(self, insn: i.NewObject) -> None:
        raise Unfit(f"it makes objects of the class {insn.cls}")

    def load_field(self, insn: i.LoadField) -> None:
        reference, object = self.look_into(insn.object)
        if insn.field.kind is Kind.REF:
            self.frame.references[insn.dst] = InField(reference, insn.field)
        else:
            self.steps.append(Copy(self.variable(insn.dst), self.field(reference, insn)))
        self.registers[insn.dst] = object.fields[insn.field.index]

    def store_field(self, insn: i.StoreField) -> None:
        if insn.field.kind is Kind.REF:
            raise Unfit("it stores a reference")
        reference, object = self.look_into(insn.object)
        self.steps.append(Copy(self.field(reference, insn), self.variable(insn.value)))
        object.fields[insn.field.index] = self.registers[insn.value]

    def field(self, reference: Reference, insn: i.LoadField | i.StoreField) -> TraceVariable:
        key = reference, insn.field
        variable = self.trace.fields.get(key)
        if variable is None:
            name = f"{reference}.{insn.field.name}"
            variable = self.trace.fields[key] = self.trace.variable(insn.field.kind, name)
        return variable

    def is_instance(self, insn: i.IsInstance) -> None:
        object = self.registers[insn.object]
        cls = None if object is None else object.type
        self.note_class(self.frame.reference(insn.object), cls)
        self.put(insn.dst, cls is not None and cls.extends(insn.cls))

    def check_cast(self, insn: i.CheckCast) -> None:
        object = self.registers[insn.object]
        if object is not None and not object.type.extends(insn.cls):
            raise Unfit("it fails")
        reference = self.frame.reference(insn.object)
        self.note_class(reference, None if object is None else object.type)
        self.frame.references[insn.dst] = reference
        self.registers[insn.dst] = object

    def check_nil(self, insn: i.CheckNil) -> None:
        self.look_into(insn.object)

    def load_global(self, insn: i.LoadGlobal) -> None:
        index = self.program.global_index(insn.variable)
        if insn.variable.kind is Kind.REF:
            self.frame.references[insn.dst] = InGlobal(insn.variable)
        else:
            self.steps.append(Copy(self.variable(insn.dst), self.global_variable(insn.variable)))
        self.registers[insn.dst] = self.program.globals[index]

    def store_global(self, insn: i.StoreGlobal) -> None:
        if insn.variable.kind is Kind.REF:
            raise Unfit("it stores a reference")
        index = self.program.global_index(insn.variable)
        self.steps.append(Copy(self.global_variable(insn.variable), self.variable(insn.value)))
        self.program.globals[index] = self.registers[insn.value]

    def global_variable(self, ref: GlobalRef) -> TraceVariable:
        variable = self.trace.globals.get(ref)
        if variable is None:
            variable = self.trace.globals[ref] = self.trace.variable(ref.kind, ref.name)
        return variable

    # Arrays.

    def new_array(self, insn: i.NewArray) -> None:
        raise Unfit("it makes an array")

    def fill_array(self, insn: i.FillArray) -> None:
        raise Unfit("it makes an array")

    def element(self, array: Register, index: Register) -> tuple[int, Any, int, SideExit]:
        """Number and elements of an array, an index that is right, and where to go if it is not."""
        number, items = self.array(array)
        at = self.registers[index]
        if not 0 <= at < len(items):
            raise Unfit("it fails")
        return number, items, at, self.exit(self.frame.index)

    def load_element(self, insn: i.LoadElement) -> None:
        number, items, at, exit = self.element(insn.array, insn.index)
        self.steps.append(Load(self.variable(insn.dst), number, self.variable(insn.index), exit))
        self.registers[insn.dst] = items[at]

    def store_element(self, insn: i.StoreElement) -> None:
        number, items, at, exit = self.element(insn.array, insn.index)
        self.steps.append(Store(number, self.variable(insn.index), self.variable(insn.value), exit))
        items[at] = self.registers[insn.value]

    def array_length(self, insn: i.ArrayLength) -> None:
        number, items = self.array(insn.array)
        self.steps.append(Length(self.variable(insn.dst), number))
        self.registers[insn.dst] = len(items)

    # Calls: the path goes on in the function that is called.

    def call(self, insn: i.Call) -> None:
        self.enter(insn.function, insn.args, insn.dst)

    def call_virtual(self, insn: i.CallVirtual) -> None:
        _, object = self.look_into(insn.args[0])
        assert insn.function.slot is not None
        self.enter(object.type.methods[insn.function.slot], insn.args, insn.dst)

    def enter(self, ref: FunctionRef, arguments: Sequence[Register], result: Register) -> None:
        if len(self.frames) > MOST_CALLS:
            raise Unfit("its calls are nested too deep")
        caller, translator = self.frame, self.program.translator_of(ref)
        size = len(translator.function.registers) + 1
        frame = RecordedFrame(self.trace.frames, translator, 0, [None] * size, result)
        self.trace.frames += 1
        for index, argument in enumerate(arguments):
            frame.registers[index] = caller.registers[argument]
            if frame.kind(index) is Kind.REF:
                frame.references[index] = caller.reference(argument)
            else:
                self.steps.append(Copy(self.variable(index, frame), self.variable(argument)))
        self.frames.append(frame)

    def call_internal(self, insn: i.CallInternal) -> None:
        raise Unfit(f"it calls {insn.function.name}")

    def return_(self, insn: i.Return) -> None:
        if len(self.frames) == 1:
            raise Unfit("its function ends")
        frame = self.frames[-1]
        caller, result, value = self.frames[-2], frame.result, insn.value
        if NO_REGISTER not in (result, value):
            if frame.kind(value) is Kind.REF:
                caller.references[result] = frame.reference(value)
            else:
                self.steps.append(Copy(self.variable(result, caller), self.variable(value)))
            caller.registers[result] = frame.registers[value]
        self.frames.pop()

    # Exceptions: none is pending on a path that is recorded.

    def check_exception(self, insn: i.CheckException) -> None:
        """None is."""

    def take_exception(self, insn: i.TakeException) -> None:
        raise Unfit("it catches an exception")

    def set_exception(self, insn: i.SetException) -> None:
        raise Unfit("it throws an exception")

    def leave_exception(self, insn: i.LeaveException) -> None:
        raise Unfit("it throws an exception")

    # Control.

    def goto(self, insn: i.Goto) -> None:
        self.next = insn.target

    def branch_if(self, insn: i.BranchIf) -> None:
        self.branch(insn.condition, insn.target, self.frame.index + 1)

    def branch_unless(self, insn: i.BranchUnless) -> None:
        self.branch(insn.condition, self.frame.index + 1, insn.target)

    def branch(self, condition: Register, then: int, other: int) -> None:
        holds = bool(self.registers[condition])
        exit = self.exit(other if holds else then)
        self.steps.append(Guard(self.variable(condition), holds, exit))
        self.next = then if holds else other

    def branch_equal(self, insn: i.BranchEqual) -> None:
        holds = self.registers[insn.value] == insn.constant
        behind = self.frame.index + 1
        exit = self.exit(behind if holds else insn.target)
        assert isinstance(insn.constant, int)
        self.steps.append(GuardEqual(self.variable(insn.value), insn.constant, holds, exit))
        self.next = insn.target if holds else behind

    def trap(self, insn: i.Trap) -> None:
        raise Unfit("it fails")

    def poll(self, insn: i.Poll) -> None:
        """The path ends here if one has been here before, in the same calls."""
        calls: Calls = tuple((frame.number, frame.index) for frame in self.frames)
        head, references = self.trace.heads.get(calls), self.references_here()
        if head is None:
            self.begin_loop(calls, references)
        elif head.references != references:
            raise Unfit("a reference changes from round to round")
        else:
            self.steps.append(TraceJump(head.number))
            self.is_complete = True

    def begin_loop(self, calls: Calls, references: dict[tuple[int, int], Reference]) -> None:
        exit = self.exit(self.frame.index + 1)
        exit.closed = True
        head = self.trace.heads[calls] = Head(len(self.trace.heads), exit, references)
        self.steps.append(Enter(head.number))
        if head.number == 0:
            self.trace.inputs = dict(exit.frames[0].values)

    def references_here(self) -> dict[tuple[int, int], Reference]:
        """The references in registers that are needed at the head of a loop, in all active functions."""
        result: dict[tuple[int, int], Reference] = {}
        for frame, inner in zip(self.frames, [*self.frames[1:], None], strict=True):
            live = frame.translator.live_before(frame.index)
            if inner is not None and inner.result != NO_REGISTER:
                live &= ~(1 << inner.result)
            for register in BITS[live]:
                if frame.kind(register) is Kind.REF:
                    result[frame.number, register] = frame.reference(register)
        return result


METHODS: Final = method_table(TraceRecorder)
