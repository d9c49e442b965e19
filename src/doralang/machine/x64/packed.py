"""Straight-line packed code over whole arrays: from operations on vectors to a kernel (x86-64, AVX2).

    program = PackedProgram(4)                      vmovupd ymm0, [r8 + rcx*8]
    x = program.load(0, DOUBLE)             ->      vmulpd ymm1, ymm0, ymm0
    program.store(program.op("vmulpd", x, x), DOUBLE)   vmovupd [rsi + rcx*8], ymm1

A program has as many lanes as a vector has elements of its widest kind: 8 of 32 bits, or 4 of 64.  In the
latter, elements of 32 bits are in the lower half of their register, and what the upper one holds does not
matter.  Operations are named like their instructions; equal ones are one.  A truth value is a mask: all bits
of its lane.

A kernel gets a table with the address of each variable, the address of the results and their count.  The main
loop computes several vectors a round; what is left is computed vector by vector, with lanes masked off.
Registers go to values as they come; if none is left the value whose next use is farthest makes room (Belady,
"A study of replacement algorithms for a virtual-storage computer", 1966): it is computed again if that is a
load, else it waits on the stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from doralang.machine.x64.registers import (
    AE,
    NE,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RSI,
    RSP,
    A,
    B,
    E,
)
from doralang.machine.x64.vectors import VectorAssembler
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doralang.machine.buffer import Label

Value = int
"""the number of an operation"""
Extra = tuple[int, Kind] | bytes | int | None
"""index and kind of a variable, the bytes of a constant, an immediate, the number of a slot"""

VECTOR: Final = 32
"""bytes"""
SIZES: Final = {BOOL: 1, INT: 4, FLOAT: 4, LONG: 8, DOUBLE: 8}
WIDE: Final = 4
"""lanes of a program with elements of 64 bits"""
NARROW: Final = 8
MASK_64: Final = 15
"""lanes that are there, where some are not"""
MASK_32: Final = 14
REGISTERS: Final = 14
MOST_AT_ONCE: Final = 4
"""vectors a round of the main loop"""
VECTORS: Final = 16
"""vector registers"""
ALL_VECTORS: Final = VECTORS * VECTOR
SAVED: Final = (RBX, R12, R13, R14, R15, RBP)
CHANGED: Final = (RAX, RDI, RSI, RCX, RDX)
"""what calls change; they are in the registers above meanwhile"""
HARD_BITS: Final = RBX
POINTERS: Final = (R8, R9, R10, R11)
"""addresses of the first variables; others are loaded from the table each time"""
LEAVES: Final = ("load", "scalar", "constant")
"""operations that are done again rather than kept on the stack"""
MOVES: Final = ("spill", "reload")
"""to the stack, and back"""
FOLDS: Final = frozenset(
    f"v{name}" for name in ("addpd", "subpd", "mulpd", "maxpd", "minpd", "paddq", "paddd")
) | frozenset(f"v{name}pd" for name in ("and", "andn", "or", "xor"))
"""instructions whose last operand may be a constant in memory"""
FUSED: Final = "fma"
"""x * y + z, rounded once"""
CORRECTED: Final = "corrected"
"""a value, a mask, arguments: what a function of the C library gives where the mask is set"""
LANE_NUMBERS_64: Final = bytes(range(WIDE))
BEYOND: Final = 127
"""the number of a lane that is never there"""


class PackedOperation(NamedTuple):
    """An instruction's name, what it works on, and an immediate, or what a leaf is."""

    name: str
    operands: tuple[Value, ...]
    extra: Extra = None


class PackedProgram:
    """Operations on vectors, in the order in which they are computed."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.operations: list[PackedOperation] = []
        self.known: dict[PackedOperation, Value] = {}
        self.result: tuple[Value, Kind] | None = None

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
        return self.op("constant", extra=data * (VECTOR // len(data)))

    def corrected(self, value: Value, hard: Value, arguments: Sequence[Value], function: int) -> Value:
        """Doubles, but in the lanes of a mask what a function of the C library gives for the arguments."""
        return self.op(CORRECTED, value, hard, *arguments, extra=function)

    def store(self, value: Value, kind: Kind) -> None:
        """The results; of a truth value a byte for each lane."""
        self.result = value, kind


# Registers.


class Step(NamedTuple):
    """An instruction with its registers, a leaf or a move; `copy` is the number of the vector."""

    name: str
    registers: tuple[int, ...]
    extra: Extra
    copy: int


class Allocator:
    """Gives registers to some copies of a program, which are computed together."""

    def __init__(self, program: PackedProgram, copies: int, registers: int) -> None:
        assert program.result is not None, "something is stored"
        self.program = program
        self.copies = copies
        self.result = program.result[0]
        needed = self.needed()
        self.parts = {value: self.in_registers(program.operations[value]) for value in needed}
        self.order = [(value, copy) for value in needed for copy in range(copies)]
        self.uses: dict[tuple[Value, int], list[int]] = {item: [] for item in self.order}
        for at, (value, copy) in enumerate(self.order):
            for operand in self.parts[value]:
                self.uses[operand, copy].append(at)
        for copy in range(copies):
            self.uses[self.result, copy].append(len(self.order) + copy)
        self.free = list(reversed(range(registers)))
        self.places: dict[tuple[Value, int], int] = {}
        self.slots: dict[tuple[Value, int], int] = {}
        self.steps: list[Step] = []
        self.most = 1
        """registers that were in use together"""

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
        for at in (2, 1) if operation.name == FUSED else (1,) if operation.name in FOLDS else ():
            operand = operation.operands[at]
            if self.program.operations[operand].name == "constant" and operation.operands.count(operand) == 1:
                return at
        return None

    def memory(self, operation: PackedOperation) -> Extra:
        """The constant that is folded, if there is one."""
        folded = self.folded(operation)
        return None if folded is None else self.program.operations[operation.operands[folded]].extra

    def run(self) -> list[Step]:
        for at, (value, copy) in enumerate(self.order):
            operation = self.program.operations[value]
            if operation.name in LEAVES:
                continue  # when it is used
            self.compute(at, value, copy, operation)
        for copy in range(self.copies):
            at = len(self.order) + copy
            register = self.register((self.result, copy), at, ())
            self.steps.append(Step("store", (register,), None, copy))
            self.release((self.result, copy), at)
        return self.steps

    def compute(self, at: int, value: Value, copy: int, operation: PackedOperation) -> None:
        operands = [(operand, copy) for operand in self.parts[value]]
        registers: list[int] = []
        for operand in operands:
            registers.append(self.register(operand, at, registers))
        for operand in operands:
            self.release(operand, at)
        if operation.name == FUSED:
            target = self.fuse(operation, registers, copy)
        elif operation.name == CORRECTED:
            target = self.correct(operation, registers, copy)
        else:
            target = self.take(registers)
            name, extra = operation.name, operation.extra
            memory = self.memory(operation)
            self.steps.append(Step(name, (target, *registers), extra if memory is None else memory, copy))
        self.places[value, copy] = target
        self.most = max(self.most, len(self.places))
        if not self.uses[value, copy]:
            self.free.append(self.places.pop((value, copy)))

    def fuse(self, operation: PackedOperation, registers: list[int], copy: int) -> int:
        """x * y + z: the target is an operand of the instruction, too: x, or z in the form 231."""
        folded, memory = self.folded(operation), self.memory(operation)
        first, second, *last = registers
        if folded == 1:
            return self.fuse_constant(first, second, memory, copy)
        if folded is None and self.takes_over(last[0], (first, second)):
            self.steps.append(Step("vfmadd231pd", (last[0], first, second), None, copy))
            return last[0]
        if second in self.free and first not in self.free:
            first, second = second, first
        target = self.changed(first, (second, *last), copy)
        self.steps.append(Step("vfmadd213pd", (target, second, *last), memory, copy))
        return target

    def fuse_constant(self, factor: int, summand: int, memory: Extra, copy: int) -> int:
        """Where y is in memory."""
        if factor in self.free and summand not in self.free:
            target = self.changed(factor, (summand,), copy)
            self.steps.append(Step("vfmadd132pd", (target, summand), memory, copy))
        else:
            target = self.changed(summand, (factor,), copy)
            self.steps.append(Step("vfmadd231pd", (target, factor), memory, copy))
        return target

    def takes_over(self, register: int, others: Sequence[int]) -> bool:
        """Whether a register whose value is used for the last time can be the target, and is now."""
        if register not in self.free or register in others:
            return False
        self.free.remove(register)
        return True

    def changed(self, register: int, others: Sequence[int], copy: int) -> int:
        """The register of a value that an instruction changes: its own, or that of a copy."""
        if self.takes_over(register, others):
            return register
        target = self.take((register, *others), reuse=False)
        self.steps.append(Step("vmovapd", (target, register), None, copy))
        return target

    def correct(self, operation: PackedOperation, registers: list[int], copy: int) -> int:
        """The target is the first operand, too."""
        first, *others = registers
        target = self.changed(first, others, copy)
        self.steps.append(Step(CORRECTED, (target, *others), operation.extra, copy))
        return target

    def register(self, item: tuple[Value, int], at: int, pinned: Sequence[int]) -> int:
        """The register in which a value is, or is brought now."""
        found = self.places.get(item)
        if found is not None:
            return found
        target = self.places[item] = self.take(pinned, reuse=False)
        operation = self.program.operations[item[0]]
        if operation.name in LEAVES:
            self.steps.append(Step(operation.name, (target,), operation.extra, item[1]))
        else:
            self.steps.append(Step("reload", (target,), self.slots[item], item[1]))
        return target

    def release(self, item: tuple[Value, int], at: int) -> None:
        """A use is over."""
        uses = self.uses[item]
        while uses and uses[0] <= at:
            uses.pop(0)
        if not uses and item in self.places:
            self.free.append(self.places.pop(item))

    def take(self, pinned: Sequence[int], reuse: bool = True) -> int:
        """A register that is free, or made so; one that is only read by this instruction is, if `reuse`."""
        for index in range(len(self.free) - 1, -1, -1):
            if reuse or self.free[index] not in pinned:
                return self.free.pop(index)
        item = max(
            (item for item, register in self.places.items() if register not in pinned),
            key=lambda item: self.uses[item][0],
        )
        register = self.places.pop(item)
        if self.program.operations[item[0]].name not in LEAVES and item not in self.slots:
            self.slots[item] = len(self.slots)
            self.steps.append(Step("spill", (register,), self.slots[item], item[1]))
        return register


# Code.


class PackedEmitter(VectorAssembler):
    """The kernel of a program."""

    __slots__ = ("calls", "frame", "is_masked", "program", "variables")

    def __init__(self, program: PackedProgram) -> None:
        super().__init__()
        self.program = program
        self.calls = any(operation.name == CORRECTED for operation in program.operations)
        """whether functions of the C library may be called"""
        self.variables = 0
        self.is_masked = False
        self.frame = 0
        """bytes on the stack for values that wait"""

    def kernel(self, variables: int) -> bytearray:
        """The code of `kernel(table, results, count)`."""
        self.variables = variables
        program = self.program
        rest_plan = plan = Allocator(program, 1, REGISTERS)
        rest_steps = rest_plan.run()
        for copies in range(min(MOST_AT_ONCE, REGISTERS // rest_plan.most), 1, -1):
            tried = Allocator(program, copies, REGISTERS)
            tried.run()
            if not tried.slots:
                plan = tried
                break
        steps, copies = plan.steps, plan.copies
        slots = max(len(plan.slots), len(rest_plan.slots))
        step, end, rest = program.lanes * copies, self.label(), self.label()
        for index, pointer in enumerate(POINTERS[:variables]):
            self.mov64_rm(pointer, RDI, 8 * index)
        self.frame = VECTOR * slots
        size = self.frame + 8
        if self.calls:
            for register in SAVED:
                self.push_r(register)
            size += ALL_VECTORS
        self.sub64_ri(RSP, size)
        self.xor32_rr(RCX, RCX)
        self.sub64_ri(RDX, step)
        self.jcc(B, rest)
        self.nop(-len(self.code) % 32)
        again = self.bound()
        self.emit(steps)
        self.add64_ri(RCX, step)
        self.sub64_ri(RDX, step)
        self.jcc(AE, again)
        self.bind(rest)
        self.add64_ri(RDX, step)
        self.jcc(E, end)
        self.masked_rest(rest_steps)
        self.bind(end)
        self.add64_ri(RSP, size)
        if self.calls:
            for register in reversed(SAVED):
                self.pop_r(register)
        self.vzeroupper()
        self.ret()
        return self.finish_tabled()

    def masked_rest(self, steps: list[Step]) -> None:
        """Vector by vector; lanes beyond the end are neither read nor written."""
        self.is_masked = True
        lanes = self.program.lanes
        again = self.bound()
        self.vmovq_from64_rr(MASK_64, RDX)
        self.vpbroadcastd_rr(MASK_32, MASK_64)
        self.vpmovsxbd_rl(0, self.constant(bytes(range(lanes)) + bytes([BEYOND]) * (NARROW - lanes)))
        self.vpcmpgtd_rrr(MASK_32, MASK_32, 0)
        self.vpbroadcastq_rr(MASK_64, MASK_64)
        self.vpmovsxbq_rl(0, self.constant(LANE_NUMBERS_64))
        self.vpcmpgtq_rrr(MASK_64, MASK_64, 0)
        self.emit(steps)
        self.add64_ri(RCX, lanes)
        self.sub64_ri(RDX, lanes)
        self.jcc(A, again)

    def emit(self, steps: list[Step]) -> None:
        for name, registers, extra, copy in steps:
            if name == "store":
                self.store(registers[0], copy)
            elif isinstance(extra, tuple):
                if name == "load":
                    self.load(registers[0], extra, copy)
                else:
                    self.scalar(registers[0], extra)
            elif name == "constant":
                self.instruction("vmovupd", registers, extra)
            elif name == CORRECTED and isinstance(extra, int):
                self.correct(registers, extra)
            elif name in MOVES and isinstance(extra, int):
                self.move(name, registers[0], VECTOR * extra)
            else:
                self.instruction(name, registers, extra)

    def move(self, name: str, register: int, slot: int) -> None:
        if name == "spill":
            self.vmovupd_mr(RSP, slot, register)
        else:
            self.vmovupd_rm(register, RSP, slot)

    def instruction(self, name: str, registers: tuple[int, ...], extra: bytes | int | None) -> None:
        """Its method is found by its operands: registers, a constant in memory, an immediate."""
        shape = "r" * len(registers)
        if extra is None:
            getattr(self, f"{name}_{shape}")(*registers)
        elif isinstance(extra, bytes):
            getattr(self, f"{name}_{shape}l")(*registers, self.constant(extra))
        else:
            getattr(self, f"{name}_{shape}i")(*registers, extra)

    def pointer(self, index: int) -> int:
        """The register with the address of a variable."""
        if index < len(POINTERS):
            return POINTERS[index]
        self.mov64_rm(RAX, RDI, 8 * index)
        return RAX

    def scalar(self, register: int, what: tuple[int, Kind]) -> None:
        index, kind = what
        broadcast = self.vbroadcastsd_rm if SIZES[kind] == 8 else self.vbroadcastss_rm
        broadcast(register, self.pointer(index), 0)

    def load(self, register: int, what: tuple[int, Kind], copy: int) -> None:
        index, kind = what
        pointer, size, lanes = self.pointer(index), SIZES[kind], self.program.lanes
        at = (pointer, RCX, size, size * lanes * copy)
        if size == 1:  # some bytes beyond the end may be read
            (self.vpmovzxbq_rx if lanes == WIDE else self.vpmovzxbd_rx)(register, *at)
        elif self.is_masked:
            masked, mask = (self.vmaskmovpd_rrx, MASK_64) if size == 8 else (self.vmaskmovps_rrx, MASK_32)
            masked(register, mask, *at)
        elif size * lanes == VECTOR:
            self.vmovupd_rx(register, *at)
        else:
            self.vmovups128_rx(register, *at)

    def store(self, register: int, copy: int) -> None:
        assert self.program.result is not None, "something is stored"
        size, lanes = SIZES[self.program.result[1]], self.program.lanes
        at = (RSI, RCX, size, size * lanes * copy)
        if size == 1:
            self.store_bytes(register, copy)
        elif self.is_masked:
            if size == 8:
                self.vmaskmovpd_xrr(*at, MASK_64, register)
            else:
                self.vmaskmovps_xrr(*at, MASK_32, register)
        elif size * lanes == VECTOR:
            self.vmovupd_xr(*at, register)
        else:
            self.vmovups128_xr(*at, register)

    def correct(self, registers: tuple[int, ...], function: int) -> None:
        """Lanes of the first register, where the second is a mask; the others have the arguments."""
        target, hard, *arguments = registers
        slow, back = self.labels(2)
        self.vmovmskpd_rr(RAX, hard)
        if self.is_masked:
            self.vmovmskpd_rr(HARD_BITS, MASK_64)
            self.and32_rr(RAX, HARD_BITS)
        self.test32_rr(RAX, RAX)
        self.jcc(NE, slow)
        self.bind(back)
        self.out_of_line(lambda: self.hard_lanes(target, arguments, function, slow, back))

    def hard_lanes(
        self, target: int, arguments: Sequence[int], function: int, slow: Label, back: Label
    ) -> None:
        """Call a function for the lanes whose bits are set in rax, with all vectors on the stack."""
        self.bind(slow)
        for register in range(VECTORS):
            self.vmovupd_mr(RSP, self.frame + VECTOR * register, register)
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(saved, source)
        self.vzeroupper()
        for lane in range(WIDE):
            next_one = self.label()
            self.bt64_ri(HARD_BITS, lane)
            self.jcc(AE, next_one)
            for number, register in enumerate(arguments):
                self.movsd_rm(number, RSP, self.frame + VECTOR * register + 8 * lane)
            self.movabs_ri(RAX, function)
            self.call_r(RAX)
            self.movsd_mr(RSP, self.frame + VECTOR * target + 8 * lane, 0)
            self.bind(next_one)
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(source, saved)
        for variable, pointer in enumerate(POINTERS[: self.variables]):
            self.mov64_rm(pointer, RDI, 8 * variable)
        for register in range(VECTORS):
            self.vmovupd_rm(register, RSP, self.frame + VECTOR * register)
        self.jmp(back)

    def store_bytes(self, register: int, copy: int) -> None:
        lanes = self.program.lanes
        if not self.is_masked and lanes == WIDE:
            self.vmovd_xr(RSI, RCX, 1, lanes * copy, register)
            return
        self.vmovq_to64_rr(RAX, register)
        if not self.is_masked:
            self.mov64_xr(RSI, RCX, 1, lanes * copy, RAX)
            return
        done = self.label()
        for lane in range(lanes):
            self.mov8_xr(RSI, RCX, 1, lane, RAX)
            if lane < lanes - 1:
                self.shr64_ri(RAX, 8)
                self.cmp64_ri(RDX, lane + 1)
                self.jcc(E, done)
        self.bind(done)
