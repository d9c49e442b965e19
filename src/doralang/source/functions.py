"""Bytecode to the text of a function, in any language with labels: a statement or two an instruction.

    5: LoadElement    r4:int, r0, r3        if (r0 == NULL) { … }
                                            if ((uint32_t)r3 >= r0->length) { … }
                                            r4 = ((int32_t *)r0->items)[r3];
    6: Compute        r2:int, int.plus …    r2 = r2 + r4;
    7: Call           r5:int, twice, (r2)   r5 = dora_twice(t, r2);  if (t->trap) { … }

What differs between languages is asked of a `Language`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register, method_table
from doralang.types.kinds import Kind
from doralang.types.primitives import Primitive
from doralang.types.traps import Trap

Value = bool | int | float | None

TRAPS: Final = {trap: number for number, trap in enumerate(Trap, 1)}
"""what `thread.trap` says"""

MOST_ROOM: Final = 1 << 20
"""bytes of a frame; what a host keeps free for compilers' prologues is more"""

TEXT_FUNCTIONS: Final = ("Str.len", "Str.getByte")
"""internal functions that are held"""

WHY_NOT: Final[dict[type[Instruction], str]] = {
    i.LoadText: "it makes strings",
    i.NewObject: "it makes objects",
    i.NewArray: "it makes arrays",
    i.FillArray: "it makes arrays",
    i.LoadField: "it uses fields",
    i.StoreField: "it uses fields",
    i.LoadGlobal: "it uses globals",
    i.StoreGlobal: "it uses globals",
    i.IsInstance: "it asks for classes",
    i.CheckCast: "it asks for classes",
    i.CallVirtual: "it calls virtual methods",
    i.CheckException: "it handles exceptions",
    i.TakeException: "it handles exceptions",
    i.SetException: "it throws exceptions",
    i.LeaveException: "it throws exceptions",
}
"""the instructions that generated code does not hold"""


def reason_against(function: Function) -> str:
    """Why a function cannot be in generated code; empty if it can."""
    if function.ref.throws:
        return "it throws exceptions"
    if frame_room(function) > MOST_ROOM:
        return "its frame is too large"
    for insn in function.code:
        why = WHY_NOT.get(type(insn), "") or reason_of_operands(function, insn)
        if why:
            return why
    return ""


def reason_of_operands(function: Function, insn: Instruction) -> str:
    """Why an instruction that could be held is not, because of what it works with."""
    if isinstance(insn, i.CallInternal) and insn.function.internal not in TEXT_FUNCTIONS:
        return f"it calls {insn.function.name}"
    element = NO_REGISTER
    if isinstance(insn, i.LoadElement):
        element = insn.dst
    elif isinstance(insn, i.StoreElement):
        element = insn.value
    if element != NO_REGISTER and function.registers[element] is Kind.REF:
        return "it uses arrays of objects"
    return ""


def frame_room(function: Function) -> int:
    """Bytes that a frame may take: twice what the registers and the longest call need."""
    longest = max((len(insn.args) for insn in function.code if isinstance(insn, i.Call)), default=0)
    return 16 * (len(function.registers) + longest)


def calls_of(function: Function) -> list[FunctionRef]:
    """The functions that it calls, each once."""
    return list(dict.fromkeys(insn.function for insn in function.code if isinstance(insn, i.Call)))


class Language(Protocol):
    """How a language says things.  Registers come as names, places in the code as labels."""

    indent: str

    def constant(self, kind: Kind, value: Value) -> str: ...

    def operation(self, primitive: Primitive, operands: Sequence[str]) -> str: ...

    def assign(self, target: str, value: str) -> str: ...

    def label(self, label: str) -> str: ...

    def goto(self, label: str) -> str: ...

    def branch(self, condition: str, label: str) -> str: ...

    def negated(self, condition: str) -> str: ...

    def equal(self, left: str, right: str) -> str: ...

    def fail_if(self, condition: str, trap: Trap, line: int) -> list[str]:
        """Fail on a condition; always, if it is empty."""

    def is_nil(self, object: str) -> str: ...

    def is_outside(self, object: str, index: str) -> str: ...

    def length(self, object: str) -> str: ...

    def element(self, kind: Kind, object: str, index: str) -> str: ...

    def call(self, target: str, name: str, arguments: Sequence[str], line: int) -> list[str]:
        """A call, after which a failure of the callee leads out."""

    def poll(self, line: int) -> list[str]: ...

    def return_(self, value: str) -> str: ...

    def comment(self, text: str) -> str: ...


class FunctionText:
    """One function on its way to text."""

    def __init__(self, function: Function, language: Language, names: Mapping[FunctionRef, str]) -> None:
        self.function = function
        self.language = language
        self.names = names
        self.lines: list[str] = []
        self.index = 0

    def statements(self) -> list[str]:
        """The body, without declarations."""
        code = self.function.code
        targets = {insn.target for insn in code if insn.jumps}  # type: ignore[attr-defined]
        shown = 0
        for self.index, insn in enumerate(code):
            if self.index in targets:
                self.lines.append(self.language.label(label(self.index)))
            if self.line != shown:
                shown = self.line
                self.lines.append(self.language.indent + self.language.comment(f"line {shown}"))
            METHODS[type(insn)](self, insn)
        return self.lines

    @property
    def line(self) -> int:
        return self.function.lines[self.index]

    def kind(self, register: Register) -> Kind:
        return self.function.registers[register]

    def emit(self, *statements: str) -> None:
        self.lines += [self.language.indent + statement for statement in statements]

    def assign(self, target: Register, value: str) -> None:
        if target != NO_REGISTER:
            self.emit(self.language.assign(name(target), value))

    def fail_if(self, condition: str, trap: Trap) -> None:
        self.emit(*self.language.fail_if(condition, trap, self.line))

    # Moves and arithmetic.

    def move(self, insn: i.Move) -> None:
        self.assign(insn.dst, name(insn.src))

    def load_constant(self, insn: i.LoadConstant) -> None:
        self.assign(insn.dst, self.language.constant(self.kind(insn.dst), insn.value))

    def compute(self, insn: i.Compute) -> None:
        operands = [name(operand) for operand in insn.args]
        if insn.operation.trap is Trap.DIVISION:
            zero = self.language.constant(insn.operation.operands[1], 0)
            self.fail_if(self.language.equal(operands[1], zero), Trap.DIVISION)
        self.assign(insn.dst, self.language.operation(insn.operation, operands))

    def same(self, insn: i.Same) -> None:
        self.assign(insn.dst, self.language.equal(name(insn.left), name(insn.right)))

    # Arrays and strings.

    def check_index(self, insn: i.LoadElement | i.StoreElement) -> None:
        self.check_nil_register(insn.array, insn.nonnil)
        if not insn.unchecked:
            self.fail_if(self.language.is_outside(name(insn.array), name(insn.index)), Trap.INDEX)

    def check_nil_register(self, object: Register, nonnil: bool = False) -> None:
        if not nonnil:
            self.fail_if(self.language.is_nil(name(object)), Trap.NIL)

    def load_element(self, insn: i.LoadElement) -> None:
        self.check_index(insn)
        self.assign(insn.dst, self.language.element(self.kind(insn.dst), name(insn.array), name(insn.index)))

    def store_element(self, insn: i.StoreElement) -> None:
        self.check_index(insn)
        place = self.language.element(self.kind(insn.value), name(insn.array), name(insn.index))
        self.emit(self.language.assign(place, name(insn.value)))

    def array_length(self, insn: i.ArrayLength) -> None:
        self.check_nil_register(insn.array, insn.nonnil)
        self.assign(insn.dst, self.language.length(name(insn.array)))

    def check_nil(self, insn: i.CheckNil) -> None:
        self.check_nil_register(insn.object)

    # Calls.

    def call(self, insn: i.Call) -> None:
        target = "" if insn.dst == NO_REGISTER else name(insn.dst)
        arguments = [name(argument) for argument in insn.args]
        self.emit(*self.language.call(target, self.names[insn.function], arguments, self.line))

    def call_internal(self, insn: i.CallInternal) -> None:
        """Strings are like arrays of bytes."""
        self.check_nil_register(insn.args[0], insn.nonnil)
        if insn.function.internal == "Str.len":
            self.assign(insn.dst, self.language.length(name(insn.args[0])))
        else:
            self.fail_if(self.language.is_outside(*map(name, insn.args)), Trap.INDEX)
            self.assign(insn.dst, self.language.element(Kind.BYTE, *map(name, insn.args)))

    # Control.

    def goto(self, insn: i.Goto) -> None:
        self.emit(self.language.goto(label(insn.target)))

    def branch_if(self, insn: i.BranchIf) -> None:
        self.emit(self.language.branch(name(insn.condition), label(insn.target)))

    def branch_unless(self, insn: i.BranchUnless) -> None:
        condition = self.language.negated(name(insn.condition))
        self.emit(self.language.branch(condition, label(insn.target)))

    def branch_equal(self, insn: i.BranchEqual) -> None:
        constant = self.language.constant(Kind.INT, insn.constant)
        condition = self.language.equal(name(insn.value), constant)
        self.emit(self.language.branch(condition, label(insn.target)))

    def poll(self, insn: i.Poll) -> None:
        self.emit(*self.language.poll(self.line))

    def return_(self, insn: i.Return) -> None:
        self.emit(self.language.return_("" if insn.value == NO_REGISTER else name(insn.value)))

    def trap(self, insn: i.Trap) -> None:
        self.fail_if("", insn.kind)

    # What is not held (`WHY_NOT`).

    def refuse(self, insn: Instruction) -> None:
        raise AssertionError(f"{type(insn).__name__} in generated code")

    load_text = new_object = new_array = load_field = store_field = fill_array = refuse
    load_global = store_global = is_instance = check_cast = call_virtual = refuse
    check_exception = take_exception = set_exception = leave_exception = refuse


METHODS: Final = method_table(FunctionText)


def name(register: Register) -> str:
    return f"r{register}"


def label(index: int) -> str:
    return f"L{index}"
