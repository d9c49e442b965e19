"""Kernels of packed programs for AArch64: vectors of 128 bits.

    load    v0, variable 0                      add  x16, x4, x3, lsl #3;  ldr q0, [x16]
    fmul_2d v0, v0, v0                  ->      fmul v0.2d, v0.2d, v0.2d
    store   v0                                  add  x17, x1, x3, lsl #3;  str q0, [x17]

A kernel gets a table with the address of each variable (x0), the address of the results (x1) and their count
(x2); x3 is how many are done.  What is left behind the main loop is computed one by one, in the lowest lane.
Constants are in a table of their own, which may lie anywhere: its address comes to be in x15.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doralang.machine.arm64.encoding import put_word, unpack_word
from doralang.machine.arm64.registers import EQ, FP, HS, LO, LR, NE, SP, ZR, X
from doralang.machine.arm64.vectors import VectorAssembler
from doralang.machine.buffer import Tabled
from doralang.machine.packed.emitting import StepEmitter
from doralang.machine.packed.programs import CORRECTED, FUSED, NARROW, SIZES, WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doralang.machine.buffer import Label
    from doralang.machine.packed.emitting import Registers
    from doralang.machine.packed.programs import PackedProgram
    from doralang.types.kinds import Kind

VECTOR: Final = 16
TABLE, RESULTS, LEFT, DONE = X[:4]
POINTERS: Final = X[4:15]
"""addresses of the first variables; others are loaded from the table each time"""
CONSTANTS: Final = X[15]
"""the address of their table"""
ADDRESS: Final = X[16]
"""where the elements of a vector are that is loaded; the bits of lanes"""
RESULT_ADDRESS: Final = X[17]
VALUES: Final = (*range(8), *range(16, 31))
"""vector registers for values: calls need not keep them"""
SCRATCH: Final = 31
"""the vector register that holds no value"""
KEPT: Final = X[19:24]
CHANGED: Final = (TABLE, RESULTS, LEFT, DONE, CONSTANTS)
"""what calls change; they are in the registers above meanwhile"""
KEPT_CONSTANTS: Final = KEPT[-1]
HARD_BITS: Final = X[24]
SAVED: Final = ((X[19], X[20]), (X[21], X[22]), (X[23], X[24]), (FP, LR))
SAVED_SIZE: Final = 16 * len(SAVED)
LOW_BITS: Final = 0xFFF
"""of what one addition to the stack pointer can hold"""
UPPER_HALF: Final = (32, 63)
"""of a shift to the right, as a field of bits"""
WORD_WITH_SIGN: Final = (0, 31)
HALF_WORD: Final = 16
HALF_WORD_FIELD: Final = 0xFFFF << 5
"""of the instructions that move 16 bits"""


def put_distance(code: bytearray, offset: int, target: int) -> None:
    """How far the table is behind the instruction `adr` at the offset: into the two that follow."""
    distance = target - offset
    assert -1 << 31 <= distance < 1 << 31, "code and data are close to each other"
    for half in range(2):
        at = offset + 4 * (1 + half)
        word = unpack_word(code, at)[0] & ~HALF_WORD_FIELD
        put_word(code, at, word | (distance >> HALF_WORD * half & 0xFFFF) << 5)


class PackedEmitter(StepEmitter, VectorAssembler):
    """The kernel of a program."""

    __slots__ = ("base", "frame", "is_masked", "places", "program", "routines", "table", "variables")

    def __init__(self, program: PackedProgram) -> None:
        super().__init__()
        self.program = program
        self.is_masked = False
        self.variables = 0
        self.frame = 0
        """bytes on the stack for values that wait"""
        self.routines: Sequence[Label] = ()
        """that put all registers on the stack, and bring them back"""
        self.table = bytearray()
        """constants, each as often as a vector has room for it"""
        self.places: dict[bytes, int] = {}
        """where in the table they are"""
        self.base = 0
        """where in the code the distance of the table is"""

    def kernel(self, variables: int) -> Tabled:
        self.variables = variables
        plan, copies = self.plan()
        self.frame = size = VECTOR * len(plan.slots)
        calls = any(operation.name == CORRECTED for operation in self.program.operations)
        if calls:
            size += VECTOR * len(VALUES)
            self.enter()
        self.move_stack(-size)
        self.load_pointers()
        if any(operation.name in ("constant", CORRECTED) for operation in self.program.operations):
            self.locate_table()
        self.mov64_rr(DONE, ZR)
        self.loops(self.program.lanes * copies, lambda count: self.emit(plan.steps, count), copies)
        self.move_stack(size)
        if calls:
            self.restore()
        self.ret()
        return self.finish_tabled()

    def locate_table(self) -> None:
        """The distance from here is filled in when it is known."""
        self.base = self.position
        self.adr(CONSTANTS, self.bound())
        self.movz64_ri(ADDRESS, 0, 0)
        self.movk64_ri(ADDRESS, 0, 16)
        self.sbfm64_rr(ADDRESS, ADDRESS, *WORD_WITH_SIGN)
        self.add64_rr(CONSTANTS, CONSTANTS, ADDRESS)

    def constant_place(self, data: bytes) -> int:
        """Where in the table a vector of these bytes is."""
        place = self.places.get(data)
        if place is None:
            place = self.places[data] = len(self.table)
            self.table += data * (VECTOR // len(data))
        return place

    def finish_tabled(self) -> Tabled:
        made = Tabled(self.finish().data)
        made += bytes(-len(made) % VECTOR)
        made.table = len(made)
        made.references = [(self.base, put_distance, made.table)] if self.table else []
        made += self.table
        for offset, patch, place in made.references:
            patch(made, offset, place)
        return made

    def enter(self) -> None:
        """Save what calls need."""
        first, *others = SAVED
        self.stp_64_pre(*first, SP, -SAVED_SIZE)
        for at, pair in enumerate(others, 1):
            self.stp_64(*pair, SP, 16 * at)
        self.routines = keep_all, bring_all = self.labels(2)
        self.out_of_line(lambda: self.move_all(keep_all, is_kept=True))
        self.out_of_line(lambda: self.move_all(bring_all, is_kept=False))

    def restore(self) -> None:
        first, *others = SAVED
        for at, pair in enumerate(others, 1):
            self.ldp_64(*pair, SP, 16 * at)
        self.ldp_64_post(*first, SP, SAVED_SIZE)

    def move_stack(self, size: int) -> None:
        low, high = (self.add64_ri, self.add64_ri12) if size > 0 else (self.sub64_ri, self.sub64_ri12)
        if abs(size) & LOW_BITS:
            low(SP, SP, abs(size) & LOW_BITS)
        if abs(size) > LOW_BITS:
            high(SP, SP, abs(size) >> LOW_BITS.bit_length())

    def load_pointers(self) -> None:
        for index, pointer in enumerate(POINTERS[: self.variables]):
            self.ldr_64(pointer, TABLE, 8 * index)

    def loops(self, step: int, body: Callable[[int], None], copies: int) -> None:
        """`body` computes so many vectors: all of a round, then single elements."""
        remaining, end = self.labels(2)
        self.subs64_ri(LEFT, LEFT, step)
        self.b_cond(LO, remaining)
        again = self.bound()
        body(copies)
        self.add64_ri(DONE, DONE, step)
        self.subs64_ri(LEFT, LEFT, step)
        self.b_cond(HS, again)
        self.bind(remaining)
        self.adds64_ri(LEFT, LEFT, step)
        self.b_cond(EQ, end)
        self.is_masked = True
        one_more = self.bound()
        body(1)
        self.add64_ri(DONE, DONE, 1)
        self.subs64_ri(LEFT, LEFT, 1)
        self.b_cond(NE, one_more)
        self.bind(end)

    def instruction(self, name: str, several: Sequence[Registers], extra: bytes | int | None) -> None:
        assert extra is None, "no operand is in memory, no instruction has an immediate"
        emit = self.fmla_2d if name == FUSED else getattr(self, name)
        for registers in several:
            emit(*[VALUES[register] for register in registers])

    # Leaves and results.

    def locate(self, target: int, pointer: int, size: int) -> None:
        """Where the next elements are."""
        if size == 1:
            self.add64_rr(target, pointer, DONE)
        else:
            self.add64_shifted(target, pointer, DONE, size.bit_length() - 1)

    def pointer(self, variable: int) -> int:
        """The register with the address of a variable."""
        if variable < len(POINTERS):
            return POINTERS[variable]
        self.ldr_64(ADDRESS, TABLE, 8 * variable)
        return ADDRESS

    def scalar(self, register: int, variable: int, kind: Kind) -> None:
        target, pointer = VALUES[register], self.pointer(variable)
        if SIZES[kind] == WIDE:
            self.ldr_double(target, pointer, 0)
            self.dup_2d(target, target)
        else:
            self.ldr_float(target, pointer, 0)
            self.dup_4s(target, target)

    def everywhere(self, register: int, data: bytes) -> None:
        self.ldr_quad(VALUES[register], CONSTANTS, self.constant_place(data))

    def load(self, register: int, variable: int, kind: Kind, copy: int) -> None:
        """The vectors of a round are loaded one after another: the address is made with the first one."""
        size, target = SIZES[kind], VALUES[register]
        if copy == 0:
            self.locate(ADDRESS, self.pointer(variable), size)
        lanes = 1 if self.is_masked else self.program.lanes
        LOADS[size * lanes](self, target, ADDRESS, size * lanes * copy)
        if size == 1:
            self.uxtl_8h(target, target)
            self.uxtl_4s(target, target)

    def store(self, register: int, copy: int) -> None:
        size = self.program.result_size
        if copy == 0:
            self.locate(RESULT_ADDRESS, RESULTS, size)
        lanes = 1 if self.is_masked else self.program.lanes
        STORES[size * lanes](self, VALUES[register], RESULT_ADDRESS, size * lanes * copy)

    def copy(self, target: int, source: int) -> None:
        self.orr_16b(VALUES[target], VALUES[source], VALUES[source])

    def keep(self, register: int, place: int) -> None:
        self.str_quad(VALUES[register], SP, place)

    def bring(self, register: int, place: int) -> None:
        self.ldr_quad(VALUES[register], SP, place)

    # Hard lanes.

    def branch_if_hard(self, hard: int, slow: Label) -> None:
        self.xtn_2s(SCRATCH, VALUES[hard])
        if self.is_masked:
            self.fmov_to_32(ADDRESS, SCRATCH)
        else:
            self.fmov_to_64(ADDRESS, SCRATCH)
        self.cbnz64(ADDRESS, slow)

    def keep_all(self) -> None:
        self.bl(self.routines[0])
        self.mov64_rr(HARD_BITS, ADDRESS)
        for kept, source in zip(KEPT, CHANGED, strict=True):
            self.mov64_rr(kept, source)

    def skip_easy(self, lane: int, next_one: Label) -> None:
        if lane:
            self.ubfm64_rr(HARD_BITS, HARD_BITS, *UPPER_HALF)
        self.cbz32(HARD_BITS, next_one)

    def bring_lane(self, number: int, register: int, lane: int) -> None:
        self.ldr_double(number, SP, self.place(register) + WIDE * lane)

    def call_function(self, address: int) -> None:
        self.ldr_64(ADDRESS, KEPT_CONSTANTS, self.constant_place(address.to_bytes(WIDE, "little")))
        self.blr(ADDRESS)

    def keep_lane(self, register: int, lane: int) -> None:
        self.str_double(0, SP, self.place(register) + WIDE * lane)

    def bring_all(self, back: Label) -> None:
        for kept, source in zip(KEPT, CHANGED, strict=True):
            self.mov64_rr(source, kept)
        self.load_pointers()
        self.bl(self.routines[1])
        self.b(back)

    def place(self, register: int) -> int:
        """Where a register is on the stack meanwhile."""
        return self.frame + VECTOR * register

    def move_all(self, label: Label, is_kept: bool) -> None:
        """A routine that puts all registers on the stack, or brings them back."""
        self.bind(label)
        move = self.keep if is_kept else self.bring
        for register in range(len(VALUES)):
            move(register, self.place(register))
        self.ret()


LOADS: Final = {
    1: VectorAssembler.ldr_byte,
    2: VectorAssembler.ldr_half,
    NARROW: VectorAssembler.ldr_float,
    WIDE: VectorAssembler.ldr_double,
    VECTOR: VectorAssembler.ldr_quad,
}
STORES: Final = {
    1: VectorAssembler.str_byte,
    2: VectorAssembler.str_half,
    NARROW: VectorAssembler.str_float,
    WIDE: VectorAssembler.str_double,
    VECTOR: VectorAssembler.str_quad,
}
"""by bytes"""
