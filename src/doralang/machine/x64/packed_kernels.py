"""Kernels of packed programs: what is the same at all levels (x86-64).

    load    ymm0, variable 0                    vmovupd ymm0, [r8 + rcx*8]
    vmulpd  ymm0, ymm0, ymm0            ->      vmulpd  ymm0, ymm0, ymm0
    store   ymm0                                vmovupd [rsi + rcx*8], ymm0 …

A kernel gets a table with the address of each variable, the address of the results and their count.  What is
left behind the main loop is computed with lanes masked off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doralang.machine.packed.emitting import StepEmitter
from doralang.machine.packed.programs import CORRECTED, SIZES
from doralang.machine.x64.assembler import Assembler
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
    from doralang.machine.packed.programs import PackedProgram, Step

POINTERS: Final = (R8, R9, R10, R11)
"""addresses of the first variables; others are loaded from the table each time"""
SAVED: Final = (RBX, R12, R13, R14, R15, RBP)
CHANGED: Final = (RAX, RDI, RSI, RCX, RDX)
"""what calls change; they are in the registers above meanwhile"""
HARD_BITS: Final = RBX
WORD: Final = 8


class PackedEmitter(StepEmitter, Assembler):
    """The kernel of a program; each level has a class that says how it loads, stores and masks."""

    __slots__ = ("calls", "frame", "is_masked", "program", "routines", "variables")

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

    def pointer(self, index: int) -> int:
        """The register with the address of a variable."""
        if index < len(POINTERS):
            return POINTERS[index]
        self.mov64_rm(RAX, RDI, 8 * index)
        return RAX

    def at(self, pointer: int, size: int, copy: int) -> tuple[int, int, int, int]:
        """Memory with the elements of a vector."""
        return pointer, RCX, size, size * self.program.lanes * copy

    def masked(self, steps: list[Step]) -> None:
        """A vector some of whose lanes are masked off."""
        self.is_masked = True
        self.mask_rest()
        self.emit(steps, 1)

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

    def kept(self) -> int:
        """Bytes on the stack for all registers."""
        raise NotImplementedError

    def places(self) -> list[tuple[int, int]]:
        """Where each register is on the stack, behind the frame; vectors are one behind the other."""
        raise NotImplementedError

    def bits_of(self, mask: int) -> None:
        """A bit for each lane, to rax; those of lanes that are not there are zero."""
        raise NotImplementedError

    # Hard lanes.

    def branch_if_hard(self, hard: int, slow: Label) -> None:
        self.bits_of(hard)
        self.test32_rr(RAX, RAX)
        self.jcc(NE, slow)

    def keep_all(self) -> None:
        self.call_l(self.routines[0])
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(saved, source)
        self.leave()

    def skip_easy(self, lane: int, next_one: Label) -> None:
        self.bt64_ri(HARD_BITS, lane)
        self.jcc(AE, next_one)

    def bring_lane(self, number: int, register: int, lane: int) -> None:
        self.movsd_rm(number, RSP, self.place(register, lane))

    def call_function(self, address: int) -> None:
        self.movabs_ri(RAX, address)
        self.call_r(RAX)

    def keep_lane(self, register: int, lane: int) -> None:
        self.movsd_mr(RSP, self.place(register, lane), 0)

    def place(self, register: int, lane: int) -> int:
        """Where a lane is on the stack meanwhile."""
        return self.frame + self.program.unit.vector * register + WORD * lane

    def bring_all(self, back: Label) -> None:
        for saved, source in zip(SAVED, CHANGED, strict=False):
            self.mov64_rr(source, saved)
        for variable, pointer in enumerate(POINTERS[: self.variables]):
            self.mov64_rm(pointer, RDI, WORD * variable)
        self.call_l(self.routines[1])
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
