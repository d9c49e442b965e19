"""Kernels of packed programs: what is the same at all levels (x86-64).

    load    ymm0, variable 0                    vmovupd ymm0, [r8 + rcx*8]
    vmulpd  ymm0, ymm0, ymm0            ->      vmulpd  ymm0, ymm0, ymm0
    store   ymm0                                vmovupd [rsi + rcx*8], ymm0 …

A kernel gets a table with the address of each variable, the address of the results and their count.  The
main loop computes several vectors a round, each with registers of its own, so that their latencies overlap;
what is left is computed with lanes masked off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.packed import CORRECTED, FIRST_MASK, SIZES, Allocator, Step
from doralang.machine.x64.packed_loops import Alignment, emit_loops
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
    E,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doralang.machine.buffer import Label
    from doralang.machine.x64.packed import Extra, PackedProgram
    from doralang.types.kinds import Kind

Registers = tuple[int, ...]
MOVES: Final = frozenset({"store", "copy", "constant", "spill", "reload", CORRECTED})
"""steps that are no instructions with registers alone, beside loads"""
MOST_AT_ONCE: Final = 4
"""vectors a round of the main loop"""
MOST_STEPS: Final = 100
"""in a round: processors look about that far ahead, so longer rounds overlap by themselves"""
POINTERS: Final = (R8, R9, R10, R11)
"""addresses of the first variables; others are loaded from the table each time"""
SAVED: Final = (RBX, R12, R13, R14, R15, RBP)
CHANGED: Final = (RAX, RDI, RSI, RCX, RDX)
"""what calls change; they are in the registers above meanwhile"""
HARD_BITS: Final = RBX
WORD: Final = 8


class PackedEmitter(Assembler):
    """The kernel of a program; each level has a class that says how it loads, stores and masks."""

    __slots__ = ("calls", "frame", "is_masked", "program", "routines", "variables")
    in_memory: ClassVar[str] = "l"
    """the letter of a constant that an instruction reads"""

    def __init__(self, program: PackedProgram) -> None:
        super().__init__()
        self.program = program
        self.calls = any(operation.name == CORRECTED for operation in program.operations)
        """whether functions of the C library may be called"""
        self.variables = 0
        self.is_masked = False
        self.frame = 0
        """bytes on the stack for values that wait"""
        self.routines: Sequence[Label] = ()
        """that put all registers on the stack, and bring them back"""

    def kernel(self, variables: int) -> bytearray:
        """The code of `kernel(table, results, count)`."""
        self.variables = variables
        plan, copies = self.plan()
        for index, pointer in enumerate(POINTERS[:variables]):
            self.mov64_rm(pointer, RDI, 8 * index)
        self.frame = self.program.unit.vector * len(plan.slots)
        size = self.frame + 8
        if self.calls:
            for register in SAVED:
                self.push_r(register)
            size += self.kept()
            self.routines = keep_all, bring_all = self.labels(2)
            self.out_of_line(lambda: self.move_all(keep_all, self.keep))
            self.out_of_line(lambda: self.move_all(bring_all, self.bring))
        self.sub64_ri(RSP, size)
        emit_loops(
            self,
            self.program.lanes * copies,
            self.rest_lanes,
            lambda: self.emit(plan.steps, copies),
            lambda: self.masked(plan.steps),
            self.alignment(size - 8),
        )
        self.add64_ri(RSP, size)
        if self.calls:
            for register in reversed(SAVED):
                self.pop_r(register)
        self.leave()
        self.ret()
        return self.finish_tabled()

    def alignment(self, slot: int) -> Alignment | None:
        """Of the results, if no variable has wider elements.  None where vectors lie in one line anyway, or
        all elements are bytes."""
        program, pointers = self.program, [(RSI, self.program.result_size)]
        for name, _, variable in program.operations:
            if name == "load" and isinstance(variable, tuple) and variable[0] < len(POINTERS):
                pointers.append((POINTERS[variable[0]], SIZES[variable[1]]))
        pointer, size = max(pointers, key=lambda found: found[1])
        if size == 1 or self.rest_lanes == 1:
            return None
        return Alignment(pointer, size, size * program.lanes, slot)

    def plan(self) -> tuple[Allocator, int]:
        """Registers for one vector, and for how many vectors there are such registers."""
        unit = self.program.unit
        plan = Allocator(self.program, unit.registers, unit.masks)
        most = min(MOST_AT_ONCE, MOST_STEPS // len(plan.run()))
        if most <= 1:
            return plan, 1
        copies = min(most, self.vectors_for(plan))
        if copies == 1:
            half = Allocator(self.program, unit.registers // 2, unit.masks // 2)
            half.run()
            if not half.slots:
                return half, 2
        return plan, copies

    def vectors_for(self, plan: Allocator) -> int:
        """How many vectors have room beside each other."""
        if plan.slots:
            return 1
        unit, vectors, masks = self.program.unit, used(plan.steps, 0), used(plan.steps, FIRST_MASK)
        rooms = [unit.registers // vectors] if vectors else []
        return min(rooms + [unit.masks // masks] if masks else rooms)

    def masked(self, steps: list[Step]) -> None:
        """A vector some of whose lanes are masked off."""
        self.is_masked = True
        self.mask_rest()
        self.emit(steps, 1)

    def emit(self, steps: list[Step], copies: int) -> None:
        """Each step for some vectors, whose registers stand one behind the other."""
        width, masks = used(steps, 0), used(steps, FIRST_MASK)
        for name, registers, extra in steps:
            several = [registers] + [
                tuple([at + copy * (masks if at >= FIRST_MASK else width) for at in registers])
                for copy in range(1, copies)
            ]
            if name in MOVES or isinstance(extra, tuple):
                for copy, own in enumerate(several):
                    self.move(name, own, extra, copy)
            else:
                self.instruction(name, several, extra)

    def instruction(self, name: str, several: Sequence[Registers], extra: bytes | int | None) -> None:
        """The same for each of several vectors.

        The method is found by the operands: registers, a constant in memory, an immediate.
        """
        shape = self.shape_of(name, len(several[0]))
        last: tuple[int, ...] = ()
        if isinstance(extra, bytes):
            shape, last = shape + self.in_memory, (self.repeated(extra),)
        elif extra is not None:
            shape, last = shape + "i", (extra,)
        emit = getattr(self, f"{name}_{shape}")
        for registers in several:
            emit(*registers, *last)

    def shape_of(self, name: str, count: int) -> str:
        """The letters of so many registers."""
        return "r" * count

    def move(self, name: str, registers: Registers, extra: Extra, copy: int) -> None:
        """What is no instruction with registers alone."""
        if name == "store":
            self.store(registers[0], copy)
        elif name == "copy":
            self.copy(*registers)
        elif name == "scalar" and isinstance(extra, tuple):
            self.scalar(registers[0], self.pointer(extra[0]), extra[1])
        elif isinstance(extra, tuple):
            self.load(registers[0], self.pointer(extra[0]), extra[1], copy)
        elif isinstance(extra, bytes):
            self.everywhere(registers[0], extra)
        elif name == CORRECTED and extra is not None:
            self.correct(registers, extra)
        elif extra is not None:
            place = self.program.unit.vector * extra
            (self.keep if name == "spill" else self.bring)(registers[0], place)

    def pointer(self, index: int) -> int:
        """The register with the address of a variable."""
        if index < len(POINTERS):
            return POINTERS[index]
        self.mov64_rm(RAX, RDI, 8 * index)
        return RAX

    def at(self, pointer: int, size: int, copy: int) -> tuple[int, int, int, int]:
        """Memory with the elements of a vector."""
        return pointer, RCX, size, size * self.program.lanes * copy

    # What a level says.

    @property
    def rest_lanes(self) -> int:
        """Elements of the rest that are computed together."""
        return self.program.lanes

    def mask_rest(self) -> None:
        """Find out which lanes are there; how many elements are left is in rdx."""
        raise NotImplementedError

    def leave(self) -> None:
        """What is to be done in the end."""
        raise NotImplementedError

    def repeated(self, data: bytes) -> Label:
        """A constant in memory, as often as instructions read it."""
        raise NotImplementedError

    def scalar(self, register: int, pointer: int, kind: Kind) -> None:
        """A single number in all lanes."""
        raise NotImplementedError

    def everywhere(self, register: int, data: bytes) -> None:
        """A constant in all lanes."""
        raise NotImplementedError

    def load(self, register: int, pointer: int, kind: Kind, copy: int) -> None:
        raise NotImplementedError

    def store(self, register: int, copy: int) -> None:
        raise NotImplementedError

    def copy(self, target: int, source: int) -> None:
        """Of a vector."""
        raise NotImplementedError

    def keep(self, register: int, place: int) -> None:
        """On the stack."""
        raise NotImplementedError

    def bring(self, register: int, place: int) -> None:
        """From the stack."""
        raise NotImplementedError

    # Hard lanes.

    def kept(self) -> int:
        """Bytes on the stack for all registers."""
        raise NotImplementedError

    def places(self) -> list[tuple[int, int]]:
        """Where each register is on the stack, behind the frame; vectors are one behind the other."""
        raise NotImplementedError

    def bits_of(self, mask: int) -> None:
        """A bit for each lane, to rax; those of lanes that are not there are zero."""
        raise NotImplementedError

    def correct(self, registers: tuple[int, ...], function: int) -> None:
        """Lanes of the first register, where the second is a mask; the others have the arguments."""
        target, hard, *arguments = registers
        slow, back = self.labels(2)
        self.bits_of(hard)
        self.test32_rr(RAX, RAX)
        self.jcc(NE, slow)
        self.bind(back)
        self.out_of_line(lambda: self.hard_lanes(target, arguments, function, slow, back))

    def hard_lanes(
        self, target: int, arguments: Sequence[int], function: int, slow: Label, back: Label
    ) -> None:
        """Call a function for the lanes whose bits are set in rax, with all vectors on the stack."""
        keep_all, bring_all = self.routines
        self.bind(slow)
        self.call_l(keep_all)
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(saved, source)
        self.leave()
        vector = self.program.unit.vector
        for lane in range(self.program.lanes):
            next_one = self.label()
            self.bt64_ri(HARD_BITS, lane)
            self.jcc(AE, next_one)
            for number, register in enumerate(arguments):
                self.movsd_rm(number, RSP, self.frame + vector * register + 8 * lane)
            self.movabs_ri(RAX, function)
            self.call_r(RAX)
            self.movsd_mr(RSP, self.frame + vector * target + 8 * lane, 0)
            self.bind(next_one)
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(source, saved)
        for variable, pointer in enumerate(POINTERS[: self.variables]):
            self.mov64_rm(pointer, RDI, 8 * variable)
        self.call_l(bring_all)
        self.jmp(back)

    def move_all(self, label: Label, move: Callable[[int, int], None]) -> None:
        """A routine that puts all registers on the stack, or brings them back, above its return address."""
        self.bind(label)
        for register, place in self.places():
            move(register, self.frame + place + WORD)
        self.ret()

    # Truth values.

    def store_bytes(self, word: int) -> None:
        """The bytes that are there, of as many as there are lanes, from a general register."""
        lanes, done = self.program.lanes, self.label()
        for lane in range(lanes):
            self.mov8_xr(RSI, RCX, 1, lane, word)
            if lane < lanes - 1:
                self.shr64_ri(word, 8)
                self.cmp64_ri(RDX, lane + 1)
                self.jcc(E, done)
        self.bind(done)


def used(steps: Sequence[Step], first: int) -> int:
    """How many registers there are in the steps, of those of vectors or those of masks, which begin here."""
    is_mask = first == FIRST_MASK
    found = [at for step in steps for at in step.registers if (at >= FIRST_MASK) is is_mask]
    return max(found, default=first - 1) - first + 1
