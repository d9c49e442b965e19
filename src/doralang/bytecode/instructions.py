"""The bytecode instruction set: every instruction, once.

A class statement here *is* the definition (`bytecode.definition`).  The field annotations say what each
operand is, the decorator says what the instruction may do and the kinds of operands that have one always, and
the docstring says what it means.  Printing, encoding, def and use sets and most of the verifier are generic
over these definitions; whoever turns bytecode into something else has one method for each (`Methods`).

Arithmetic is not here: `Compute` carries a row of `types.primitives`.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.bytecode.definition import (
    ACCESSES as ACCESSES,
)
from doralang.bytecode.definition import (
    INSTRUCTIONS as INSTRUCTIONS,
)
from doralang.bytecode.definition import (
    NO_REGISTER as NO_REGISTER,
)
from doralang.bytecode.definition import (
    Access as Access,
)
from doralang.bytecode.definition import (
    Class,
    Def,
    Failure,
    Field,
    Function,
    Global,
    Jump,
    Operation,
    Text,
    Use,
    Uses,
    Value,
)
from doralang.bytecode.definition import (
    Effect as Effect,
)
from doralang.bytecode.definition import (
    Instruction as Instruction,
)
from doralang.bytecode.definition import (
    OperandKind as OperandKind,
)
from doralang.bytecode.definition import (
    Register as Register,
)
from doralang.bytecode.definition import (
    Target as Target,
)
from doralang.bytecode.definition import (
    defined as defined,
)
from doralang.bytecode.definition import (
    instruction as instruction,
)
from doralang.bytecode.definition import (
    target_of as target_of,
)
from doralang.bytecode.definition import (
    used as used,
)
from doralang.types.kinds import Kind
from doralang.typing_forms import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T", bound="Methods")


# Moves and constants.


@instruction()
class Move(Instruction):
    """dst = src"""

    dst: Def
    src: Use


@instruction()
class LoadConstant(Instruction):
    """dst = value, of the kind of dst; None is nil"""

    dst: Def
    value: Value


@instruction(dst=Kind.REF)
class LoadText(Instruction):
    """dst = the string object of a literal"""

    dst: Def
    text: Text


# Arithmetic.


@instruction(Effect.TRAPS)
class Compute(Instruction):
    """dst = operation(*args); traps if the operation's row says so"""

    dst: Def
    operation: Operation
    args: Uses


@instruction(left=Kind.REF, right=Kind.REF, dst=Kind.BOOL)
class Same(Instruction):
    """dst = whether left and right are the same reference"""

    dst: Def
    left: Use
    right: Use


# Objects.


@instruction(Effect.ALLOCATES | Effect.TRAPS, dst=Kind.REF)
class NewObject(Instruction):
    """dst = a new object of the class, all fields default"""

    dst: Def
    cls: Class


@instruction(Effect.ALLOCATES | Effect.TRAPS, dst=Kind.REF, length=Kind.INT)
class NewArray(Instruction):
    """dst = a new array of the class with length elements, all default; traps if length is negative"""

    dst: Def
    cls: Class
    length: Use


@instruction(Effect.READS | Effect.TRAPS, object=Kind.REF)
class LoadField(Instruction):
    """dst = object.field; traps if object is nil"""

    dst: Def
    object: Use
    field: Field
    nonnil: bool = False


@instruction(Effect.WRITES | Effect.TRAPS, object=Kind.REF)
class StoreField(Instruction):
    """object.field = value; traps if object is nil"""

    object: Use
    field: Field
    value: Use
    nonnil: bool = False


@instruction(Effect.READS | Effect.TRAPS, array=Kind.REF, index=Kind.INT)
class LoadElement(Instruction):
    """dst = array[index]; traps if array is nil, then if index is out of range"""

    dst: Def
    array: Use
    index: Use
    nonnil: bool = False
    unchecked: bool = False


@instruction(Effect.WRITES | Effect.TRAPS, array=Kind.REF, index=Kind.INT)
class StoreElement(Instruction):
    """array[index] = value; traps as `LoadElement`"""

    array: Use
    index: Use
    value: Use
    nonnil: bool = False
    unchecked: bool = False


@instruction(Effect.READS | Effect.TRAPS, array=Kind.REF, dst=Kind.INT)
class ArrayLength(Instruction):
    """dst = length of array; traps if array is nil"""

    dst: Def
    array: Use
    nonnil: bool = False


@instruction(Effect.WRITES, array=Kind.REF)
class FillArray(Instruction):
    """each element of array, which is new, = value"""

    array: Use
    value: Use


@instruction(Effect.READS)
class LoadGlobal(Instruction):
    """dst = variable"""

    dst: Def
    variable: Global


@instruction(Effect.WRITES)
class StoreGlobal(Instruction):
    """variable = value"""

    variable: Global
    value: Use


@instruction(Effect.READS, object=Kind.REF, dst=Kind.BOOL)
class IsInstance(Instruction):
    """dst = whether object is not nil and of the class or one that extends it"""

    dst: Def
    object: Use
    cls: Class


@instruction(Effect.READS | Effect.TRAPS, dst=Kind.REF, object=Kind.REF)
class CheckCast(Instruction):
    """dst = object; traps if object is neither nil nor of the class or one that extends it"""

    dst: Def
    object: Use
    cls: Class


@instruction(Effect.TRAPS, object=Kind.REF)
class CheckNil(Instruction):
    """traps if object is nil"""

    object: Use


# Calls.


@instruction(Effect.CALLS)
class Call(Instruction):
    """dst = function(*args)"""

    dst: Def
    function: Function
    args: Uses


@instruction(Effect.CALLS | Effect.TRAPS)
class CallVirtual(Instruction):
    """dst = the method of the class of args[0] in the slot of function; traps if args[0] is nil"""

    dst: Def
    function: Function
    args: Uses
    nonnil: bool = False


@instruction(Effect.CALLS | Effect.TRAPS)
class CallInternal(Instruction):
    """dst = what the row of the internal function gives; a receiver, args[0], is checked for nil"""

    dst: Def
    function: Function
    args: Uses
    nonnil: bool = False


# Exceptions.  One is pending from SetException or a call that throws until it is taken.


@instruction(Effect.JUMPS)
class CheckException(Instruction):
    """continue at target if an exception is pending; stands behind each call that throws"""

    target: Jump


@instruction(dst=Kind.REF)
class TakeException(Instruction):
    """dst = the pending exception; none is pending any more"""

    dst: Def


@instruction(Effect.TRAPS, value=Kind.REF)
class SetException(Instruction):
    """value is pending; traps if value is nil"""

    value: Use
    nonnil: bool = False


@instruction(Effect.TRAPS | Effect.ENDS)
class LeaveException(Instruction):
    """leave the function with the pending exception

    In a function that is not marked `throws` this is the failure `uncaught exception`, at the line in the
    register `line`, or at this instruction's own if there is none.
    """

    line: Use


# Control.


@instruction(Effect.ENDS | Effect.JUMPS)
class Goto(Instruction):
    """continue at target"""

    target: Jump


@instruction(Effect.JUMPS, condition=Kind.BOOL)
class BranchIf(Instruction):
    """continue at target if condition is true"""

    condition: Use
    target: Jump


@instruction(Effect.JUMPS, condition=Kind.BOOL)
class BranchUnless(Instruction):
    """continue at target if condition is false"""

    condition: Use
    target: Jump


@instruction(Effect.JUMPS, value=Kind.INT)
class BranchEqual(Instruction):
    """continue at target if value, an int, equals constant"""

    value: Use
    constant: Value
    target: Jump


@instruction(Effect.TRAPS)
class Poll(Instruction):
    """the head of a loop: look whether somebody wants attention"""


@instruction(Effect.ENDS)
class Return(Instruction):
    """leave the function with value"""

    value: Use


@instruction(Effect.TRAPS | Effect.ENDS)
class Trap(Instruction):
    """fail"""

    kind: Failure


AnyInstruction = (
    Move
    | LoadConstant
    | LoadText
    | Compute
    | Same
    | NewObject
    | NewArray
    | LoadField
    | StoreField
    | LoadElement
    | StoreElement
    | ArrayLength
    | FillArray
    | LoadGlobal
    | StoreGlobal
    | IsInstance
    | CheckCast
    | CheckNil
    | Call
    | CallVirtual
    | CallInternal
    | CheckException
    | TakeException
    | SetException
    | LeaveException
    | Goto
    | BranchIf
    | BranchUnless
    | BranchEqual
    | Poll
    | Return
    | Trap
)


# Whoever turns bytecode into something else.


class Methods(Protocol):
    """One method for each instruction, in their order.

    class Translator:
        def move(self, insn: i.Move) -> None: …

    METHODS = method_table(Translator)
    METHODS[type(insn)](translator, insn)

    The type checker misses a method that the protocol has and a class has not; a test, one that the protocol
    has not.
    """

    def move(self, insn: Move) -> None: ...
    def load_constant(self, insn: LoadConstant) -> None: ...
    def load_text(self, insn: LoadText) -> None: ...
    def compute(self, insn: Compute) -> None: ...
    def same(self, insn: Same) -> None: ...
    def new_object(self, insn: NewObject) -> None: ...
    def new_array(self, insn: NewArray) -> None: ...
    def load_field(self, insn: LoadField) -> None: ...
    def store_field(self, insn: StoreField) -> None: ...
    def load_element(self, insn: LoadElement) -> None: ...
    def store_element(self, insn: StoreElement) -> None: ...
    def array_length(self, insn: ArrayLength) -> None: ...
    def fill_array(self, insn: FillArray) -> None: ...
    def load_global(self, insn: LoadGlobal) -> None: ...
    def store_global(self, insn: StoreGlobal) -> None: ...
    def is_instance(self, insn: IsInstance) -> None: ...
    def check_cast(self, insn: CheckCast) -> None: ...
    def check_nil(self, insn: CheckNil) -> None: ...
    def call(self, insn: Call) -> None: ...
    def call_virtual(self, insn: CallVirtual) -> None: ...
    def call_internal(self, insn: CallInternal) -> None: ...
    def check_exception(self, insn: CheckException) -> None: ...
    def take_exception(self, insn: TakeException) -> None: ...
    def set_exception(self, insn: SetException) -> None: ...
    def leave_exception(self, insn: LeaveException) -> None: ...
    def goto(self, insn: Goto) -> None: ...
    def branch_if(self, insn: BranchIf) -> None: ...
    def branch_unless(self, insn: BranchUnless) -> None: ...
    def branch_equal(self, insn: BranchEqual) -> None: ...
    def poll(self, insn: Poll) -> None: ...
    def return_(self, insn: Return) -> None: ...
    def trap(self, insn: Trap) -> None: ...


def method_name(cls: type[Instruction]) -> str:
    """`LoadConstant` is handled by `load_constant`."""
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)
    return f"{name[1:]}_" if cls is Return else name[1:]


def method_table(cls: type[T]) -> dict[type[Instruction], Callable[[T, Any], None]]:
    """For each instruction the method of a class."""
    return {one: getattr(cls, method_name(one)) for one in INSTRUCTIONS}
