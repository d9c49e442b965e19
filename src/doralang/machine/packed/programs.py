"""Straight-line packed code over whole arrays: from operations on vectors to steps with registers.

    program = PackedProgram(AVX2, WIDE)             load    ymm0, variable 0
    x = program.load(0, DOUBLE)             ->      vmulpd  ymm0, ymm0, ymm0
    program.store(program.op("vmulpd", x, x), DOUBLE)       store   ymm0

A program has as many lanes as a vector has elements of its widest kind.  Where these have 64 bits, elements
of 32 bits are in the lower half of their register, and what the upper one holds does not matter.  Operations
are named like the instructions of the level; equal ones are one.  A truth value is a mask: all bits of its
lane, or, with AVX-512, a bit in a mask register.

Registers go to values as they come; if none is left the value whose next use is farthest makes room (Belady,
"A study of replacement algorithms for a virtual-storage computer", 1966): it is computed again if that is a
load, else it waits on the stack.  `packed_kernels.py` makes code of the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = int
"""the number of an operation"""
Extra = tuple[int, Kind] | bytes | int | None
"""index and kind of a variable, the bytes of a constant, an immediate, the number of a slot"""

SIZES: Final = {BOOL: 1, INT: 4, FLOAT: 4, LONG: 8, DOUBLE: 8}
WIDE: Final = 8
"""bytes of the widest elements of a program"""
NARROW: Final = 4
FIRST_MASK: Final = 32
"""mask registers are numbered from here on"""
LEAVES: Final = ("load", "scalar", "constant")
"""operations that are done again rather than kept on the stack"""
FUSED: Final = "fma"
"""x * y + z, rounded once"""
CORRECTED: Final = "corrected"
"""a value, a mask, arguments: what a function of the C library gives where the mask is set"""


class VectorUnit(NamedTuple):
    """What a processor has for packed code."""

    name: str
    vector: int
    """bytes"""
    registers: int
    """vector registers for values"""
    masks: int
    """mask registers for values"""
    folds: frozenset[str]
    """instructions whose last operand may be a constant in memory"""
    truths: frozenset[str] = frozenset()
    """operations whose result is in a mask register"""
    overwrites: bool = False
    """whether instructions with two operands leave the result in the first one"""
    changes: frozenset[str] = frozenset()
    """instructions that do so where others do not"""
    accumulates: bool = False
    """whether x * y + z comes to be in the register of z only"""


class PackedOperation(NamedTuple):
    """An instruction's name, what it works on, and an immediate, or what a leaf is."""

    name: str
    operands: tuple[Value, ...]
    extra: Extra = None


class PackedProgram:
    """Operations on vectors, in the order in which they are computed."""

    def __init__(self, unit: VectorUnit, widest: int) -> None:
        self.unit = unit
        self.widest = widest
        """bytes of the widest elements"""
        self.lanes = unit.vector // widest
        self.operations: list[PackedOperation] = []
        self.known: dict[PackedOperation, Value] = {}
        self.result: tuple[Value, Kind] | None = None

    @property
    def result_size(self) -> int:
        """Bytes of an element of the results."""
        assert self.result is not None, "something is stored"
        return SIZES[self.result[1]]

    def op(self, name: str, *operands: Value, extra: Extra = None) -> Value:
        operation = PackedOperation(name, operands, extra)
        found = self.known.get(operation)
        if found is None:
            found = self.known[operation] = len(self.operations)
            self.operations.append(operation)
        return found

    def load(self, index: int, kind: Kind) -> Value:
        """The elements of a variable; of a truth value a byte in each lane."""
        return self.op("load", extra=(index, kind))

    def scalar(self, index: int, kind: Kind) -> Value:
        """A variable that is a single number, in all lanes."""
        return self.op("scalar", extra=(index, kind))

    def constant(self, data: bytes) -> Value:
        """4 or 8 bytes in all lanes."""
        return self.op("constant", extra=data * (WIDE // len(data)))

    def corrected(self, value: Value, hard: Value, arguments: Sequence[Value], function: int) -> Value:
        """Doubles, but in the lanes of a mask what a function of the C library gives for the arguments."""
        return self.op(CORRECTED, value, hard, *arguments, extra=function)

    def store(self, value: Value, kind: Kind) -> None:
        """The results; of a truth value a byte for each lane."""
        self.result = value, kind


# Registers.


class Step(NamedTuple):
    """An instruction with its registers, a leaf or a move."""

    name: str
    registers: tuple[int, ...]
    extra: Extra


class Allocator:
    """Gives registers to a program."""

    def __init__(self, program: PackedProgram, registers: int, masks: int) -> None:
        assert program.result is not None, "something is stored"
        self.program = program
        self.unit = program.unit
        self.result = program.result[0]
        self.order = self.needed()
        self.parts = {value: self.in_registers(program.operations[value]) for value in self.order}
        self.uses: dict[Value, list[int]] = {value: [] for value in self.order}
        for at, value in enumerate(self.order):
            for operand in self.parts[value]:
                self.uses[operand].append(at)
        self.uses[self.result].append(len(self.order))
        self.vectors = list(reversed(range(registers)))
        """registers that are free"""
        self.masks = list(reversed(range(FIRST_MASK, FIRST_MASK + masks)))
        self.places: dict[Value, int] = {}
        self.slots: dict[Value, int] = {}
        self.steps: list[Step] = []

    def needed(self) -> list[Value]:
        """What the result is computed from, in order."""
        found, waiting = set(), [self.result]
        while waiting:
            value = waiting.pop()
            if value not in found:
                found.add(value)
                waiting += self.program.operations[value].operands
        return sorted(found)

    def in_registers(self, operation: PackedOperation) -> tuple[Value, ...]:
        """The operands that are not folded."""
        folded = self.folded(operation)
        return tuple([operand for at, operand in enumerate(operation.operands) if at != folded])

    def folded(self, operation: PackedOperation) -> int | None:
        """Which operand is a constant that is read from memory."""
        last = len(operation.operands) - 1
        if operation.name == FUSED and self.unit.accumulates:
            return None
        for at in (2, 1) if operation.name == FUSED else (last,) if operation.name in self.unit.folds else ():
            operand = operation.operands[at]
            if self.program.operations[operand].name == "constant" and operation.operands.count(operand) == 1:
                return at
        return None

    def memory(self, operation: PackedOperation) -> Extra:
        """The constant that is folded, if there is one."""
        folded = self.folded(operation)
        return None if folded is None else self.program.operations[operation.operands[folded]].extra

    def run(self) -> list[Step]:
        for at, value in enumerate(self.order):
            operation = self.program.operations[value]
            if operation.name not in LEAVES:  # those are done when they are used
                self.compute(at, value, operation)
        self.step("store", self.register(self.result, len(self.order), ()))
        return self.steps

    def step(self, name: str, *registers: int, extra: Extra = None) -> None:
        self.steps.append(Step(name, registers, extra))

    def compute(self, at: int, value: Value, operation: PackedOperation) -> None:
        operands = self.parts[value]
        registers: list[int] = []
        for operand in operands:
            registers.append(self.register(operand, at, registers))
        for operand in operands:
            self.release(operand, at)
        if operation.name == FUSED:
            target = self.fuse(operation, registers)
        elif self.is_in_place(operation):
            target = self.changed(registers[0], registers[1:])
            self.finish(operation, target, registers[1:])
        else:
            target = self.take(self.free_for(operation), registers)
            self.finish(operation, target, registers)
        self.places[value] = target
        if not self.uses[value]:
            self.give_back(value)

    def is_in_place(self, operation: PackedOperation) -> bool:
        """Whether the result comes to be in the register of the first operand."""
        if operation.name == CORRECTED or operation.name in self.unit.changes:
            return True
        return self.unit.overwrites and len(operation.operands) > 1

    def finish(self, operation: PackedOperation, target: int, registers: Sequence[int]) -> None:
        memory = self.memory(operation)
        extra = operation.extra if memory is None else memory
        self.step(operation.name, target, *registers, extra=extra)

    def fuse(self, operation: PackedOperation, registers: list[int]) -> int:
        """x * y + z: the target is an operand of the instruction, too: x, or z in the form 231 (x86-64)."""
        if self.unit.accumulates:
            first, second, third = registers
            target = self.changed(third, (first, second))
            self.step(FUSED, target, first, second)
            return target
        folded, memory = self.folded(operation), self.memory(operation)
        first, second, *last = registers
        if folded == 1:
            return self.fuse_constant(first, second, memory)
        if folded is None and self.takes_over(last[0], (first, second)):
            self.step("vfmadd231pd", last[0], first, second)
            return last[0]
        if second in self.vectors and first not in self.vectors:
            first, second = second, first
        target = self.changed(first, (second, *last))
        self.step("vfmadd213pd", target, second, *last, extra=memory)
        return target

    def fuse_constant(self, factor: int, summand: int, memory: Extra) -> int:
        """Where y is in memory."""
        if factor in self.vectors and summand not in self.vectors:
            target = self.changed(factor, (summand,))
            self.step("vfmadd132pd", target, summand, extra=memory)
        else:
            target = self.changed(summand, (factor,))
            self.step("vfmadd231pd", target, factor, extra=memory)
        return target

    def takes_over(self, register: int, others: Sequence[int]) -> bool:
        """Whether a register whose value is used for the last time can be the target, and is now."""
        if register not in self.vectors or register in others:
            return False
        self.vectors.remove(register)
        return True

    def changed(self, register: int, others: Sequence[int]) -> int:
        """The register of a value that an instruction changes: its own, or that of a copy."""
        if self.takes_over(register, others):
            return register
        target = self.take(self.vectors, (register, *others), reuse=False)
        self.step("copy", target, register)
        return target

    def free_for(self, operation: PackedOperation) -> list[int]:
        """The free registers of the kind that an operation leaves its result in."""
        return self.masks if operation.name in self.unit.truths else self.vectors

    def register(self, value: Value, at: int, pinned: Sequence[int]) -> int:
        """The register in which a value is, or is brought now."""
        found = self.places.get(value)
        if found is not None:
            return found
        operation = self.program.operations[value]
        target = self.places[value] = self.take(self.free_for(operation), pinned, reuse=False)
        if operation.name in LEAVES:
            self.step(operation.name, target, extra=operation.extra)
        else:
            self.step("reload", target, extra=self.slots[value])
        return target

    def release(self, value: Value, at: int) -> None:
        """A use is over."""
        uses = self.uses[value]
        while uses and uses[0] <= at:
            uses.pop(0)
        if not uses and value in self.places:
            self.give_back(value)

    def give_back(self, value: Value) -> None:
        register = self.places.pop(value)
        (self.masks if register >= FIRST_MASK else self.vectors).append(register)

    def take(self, free: list[int], pinned: Sequence[int], reuse: bool = True) -> int:
        """A register that is free, or made so; one that is only read by this instruction is, if `reuse`."""
        for index in range(len(free) - 1, -1, -1):
            if reuse or free[index] not in pinned:
                return free.pop(index)
        value = max(
            (
                value
                for value, register in self.places.items()
                if register not in pinned and (register >= FIRST_MASK) is (free is self.masks)
            ),
            key=lambda value: self.uses[value][0],
        )
        register = self.places.pop(value)
        if self.program.operations[value].name not in LEAVES and value not in self.slots:
            self.slots[value] = len(self.slots)
            self.step("spill", register, extra=self.slots[value])
        return register
