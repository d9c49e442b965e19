"""How instructions are defined: kinds of operands, effects, and what a class statement comes to.

    @instruction(Effect.JUMPS, condition=Kind.BOOL)
    class BranchIf(Instruction):
        condition: Use
        target: Jump

    BranchIf.use_names == ("condition",)    BranchIf.leaves    BranchIf.kinds == (("condition", Kind.BOOL),)

Registers are typed (`Function.registers`); the arguments of a function are its first ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, Flag, auto
from operator import attrgetter

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.text.records import FrozenRecordType, record
from doralang.types.kinds import Kind
from doralang.types.primitives import Primitive
from doralang.types.traps import Trap as TrapKind
from doralang.typing_forms import Annotated, NewType, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final, TypeAlias, TypeVar

    T = TypeVar("T", bound="Instruction")
    AccessReader: TypeAlias = "tuple[Callable[[Any], Any], AccessTable, int]"

Register = NewType("Register", int)
Target = NewType("Target", int)

NO_REGISTER: Final = Register(-1)
"""In place of a result that nobody wants or that there is not."""


class OperandKind(Enum):
    """What an operand is; decides how it is printed, encoded and verified."""

    DEF = auto()  # register written; may be NO_REGISTER where a call has no result
    USE = auto()  # register read; may be NO_REGISTER in a `Return` without a value
    USES = auto()  # list of registers read
    TARGET = auto()  # index of an instruction in the same function
    VALUE = auto()  # a constant; None is nil
    TEXT = auto()  # a string
    PRIMITIVE = auto()  # a row of the primitives
    CLASS = auto()
    FIELD = auto()
    FUNCTION = auto()
    GLOBAL = auto()
    TRAP = auto()


K = OperandKind
Def = Annotated[Register, K.DEF]
Use = Annotated[Register, K.USE]
Uses = Annotated[tuple[Register, ...], K.USES]
Jump = Annotated[Target, K.TARGET]
Value = Annotated[bool | int | float | None, K.VALUE]
Text = Annotated[str, K.TEXT]
Operation = Annotated[Primitive, K.PRIMITIVE]
Class = Annotated[ClassRef, K.CLASS]
Field = Annotated[FieldRef, K.FIELD]
Function = Annotated[FunctionRef, K.FUNCTION]
Global = Annotated[GlobalRef, K.GLOBAL]
Failure = Annotated[TrapKind, K.TRAP]

KINDS: Final = {
    "Def": K.DEF,
    "Use": K.USE,
    "Uses": K.USES,
    "Jump": K.TARGET,
    "Value": K.VALUE,
    "Text": K.TEXT,
    "Operation": K.PRIMITIVE,
    "Class": K.CLASS,
    "Field": K.FIELD,
    "Function": K.FUNCTION,
    "Global": K.GLOBAL,
    "Failure": K.TRAP,
}
"""The kind that each of these names stands for in a class statement below."""


FLAG: Final = "bool"
"""annotates a flag: a check that is left out, because an earlier one or a proof stands for it.

`nonnil` says that the first operand is not nil, `unchecked` that the index is within the array.  Engines may
use that or check nevertheless; lowering sets none, the optimizer does.
"""


class Effect(Flag):
    NONE = 0
    READS = auto()  # reads the heap or a global
    WRITES = auto()  # writes the heap or a global
    TRAPS = auto()  # may end the call with a failure
    ALLOCATES = auto()  # a collection may happen here
    CALLS = auto()  # runs other code: reads, writes, traps, collects
    JUMPS = auto()  # may continue at its target
    ENDS = auto()  # never continues at the next instruction


@record(eq=True, frozen=True)
class Operand:
    name: str
    kind: OperandKind


class Instruction(metaclass=FrozenRecordType):
    """Base of all instructions; the class attributes are filled in by `instruction`."""

    __slots__ = ()
    opcode: ClassVar[int]
    operands: ClassVar[tuple[Operand, ...]]
    effects: ClassVar[Effect]
    kinds: ClassVar[tuple[tuple[str, Kind], ...]]
    """names of operands whose registers have always the same kind, and the kind"""
    # What the effects and operands come to, for passes that look at every instruction:
    jumps: ClassVar[bool]
    ends: ClassVar[bool]
    leaves: ClassVar[bool]
    """whether it may continue elsewhere than at the next instruction: it jumps or ends"""
    is_safepoint: ClassVar[bool]
    calls: ClassVar[bool]
    """whether it calls or allocates"""
    defines: ClassVar[str | None]
    """name of the operand that is written"""
    use_names: ClassVar[tuple[str, ...]]
    """names of the operands that are single registers read"""
    flags: ClassVar[tuple[str, ...]]
    """what may be known of it, so that it need not check: names of attributes that are false by themselves"""
    list_name: ClassVar[str | None]
    """name of the operand that is a list of registers read"""


INSTRUCTIONS: Final[list[type[Instruction]]] = []
"""All instruction classes; the index is the opcode."""


def instruction(effects: Effect = Effect.NONE, **kinds: Kind) -> Callable[[type[T]], type[T]]:
    """Give a class its opcode, operand list and effects; `kinds` of operands that have one always."""

    def define(cls: type[T]) -> type[T]:
        made: Any = cls
        made.opcode = len(INSTRUCTIONS)
        names = cls.__annotations__
        made.operands = tuple(Operand(name, KINDS[alias]) for name, alias in names.items() if alias in KINDS)
        made.flags = tuple(name for name, alias in names.items() if alias == FLAG)
        made.effects = effects
        made.kinds = tuple(kinds.items())
        assert set(kinds) <= set(names), f"{cls.__name__} has other operands"
        summarize(made)
        INSTRUCTIONS.append(made)
        return cls

    return define


def summarize(cls: Any) -> None:
    """Work out once what passes ask again and again."""
    effects: Effect = cls.effects
    by_kind: dict[OperandKind, list[str]] = {}
    for operand in cls.operands:
        by_kind.setdefault(operand.kind, []).append(operand.name)
    cls.jumps = Effect.JUMPS in effects
    cls.ends = Effect.ENDS in effects
    cls.leaves = cls.jumps or cls.ends
    cls.calls = bool(effects & (Effect.ALLOCATES | Effect.CALLS))
    cls.is_safepoint = cls.calls or Effect.TRAPS in effects
    cls.defines = by_kind.get(K.DEF, [None])[0]
    cls.use_names = tuple(by_kind.get(K.USE, ()))
    cls.list_name = by_kind.get(K.USES, [None])[0]
    ACCESSES[cls] = access_reader(cls)


Access = tuple[int, int, Register, tuple[Register, ...]]
"""The registers that an instruction writes and reads, as bits for sets and as numbers for tables.

All but the one that is written; those that are read; the one that is written, or NO_REGISTER; those that are
read, each once.
"""


class AccessTable(dict["Any", Access]):
    """The accesses by operands, for all classes with a like list of operands.

    Functions use the same few registers over and over, so an access is made once and then looked up.
    """

    def __init__(self, *, defines: bool, alone: bool, lists: bool) -> None:
        self.defines, self.alone, self.lists = defines, alone, lists

    def __missing__(self, operands: Any) -> Access:
        if len(self) >= MOST_ACCESSES:
            self.clear()
        registers = [operands] if self.alone else [*operands]
        if self.lists:
            registers[-1:] = registers[-1]
        target = registers.pop(0) if self.defines else NO_REGISTER
        sources = tuple(register for register in dict.fromkeys(registers) if register != NO_REGISTER)
        used = sum(1 << register for register in sources)
        kept = ~(1 << target) if target != NO_REGISTER else -1
        access = self[operands] = (kept, used, target, sources)
        return access


MOST_ACCESSES: Final = 1 << 14
NOTHING: Final = AccessTable(defines=False, alone=False, lists=False)
TABLES: Final[dict[tuple[bool, bool, bool], AccessTable]] = {}
"""by whether there is a register written, one operand only, a list"""

NO_CALL, ALLOCATES, CALLS, COMPUTES = range(4)
"""What an instruction is to passes that look for calls.  A `Compute` may call the C library; a call of what
the implementation supplies may be a few instructions instead."""

ACCESSES: Final[dict[type[Instruction], AccessReader]] = {}
"""for each class what reads its operands, the table that has their access, and what it is of those four"""


def access_reader(cls: Any) -> AccessReader:
    """The entry of a class in `ACCESSES`."""
    names = [name for name in (cls.defines, *cls.use_names, cls.list_name) if name is not None]
    if not names:
        return no_operands, NOTHING, what_is(cls)
    key = cls.defines is not None, len(names) == 1, cls.list_name is not None
    table = TABLES.get(key)
    if table is None:
        table = TABLES[key] = AccessTable(defines=key[0], alone=key[1], lists=key[2])
    return attrgetter(*names), table, what_is(cls)


def what_is(cls: Any) -> int:
    """Which of the four a class is, by its effects and operands."""
    kinds = {operand.kind for operand in cls.operands}
    if K.PRIMITIVE in kinds:
        return COMPUTES
    if K.FUNCTION in kinds:
        return CALLS
    return ALLOCATES if cls.calls else NO_CALL


def no_operands(instruction: Instruction) -> tuple[()]:
    return ()


def defined(instruction: Instruction) -> Register:
    """The register that an instruction writes, or NO_REGISTER."""
    name = instruction.defines
    return NO_REGISTER if name is None else cast(Register, getattr(instruction, name))


def used(instruction: Instruction) -> Iterator[Register]:
    """The registers that an instruction reads, in order."""
    for operand in instruction.operands:
        if operand.kind is K.USES:
            yield from getattr(instruction, operand.name)
        elif operand.kind is K.USE and getattr(instruction, operand.name) != NO_REGISTER:
            yield getattr(instruction, operand.name)


def target_of(instruction: Instruction) -> Target | None:
    """Where an instruction may jump to."""
    return cast(Target, instruction.target) if instruction.jumps else None  # type: ignore[attr-defined]
