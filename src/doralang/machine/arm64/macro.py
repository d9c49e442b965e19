"""The macro assembler for AArch64, the procedure call standard of Linux (AAPCS64).

`machine.macro` documents every method.  What is particular here:

* `x16` and `v31` belong to the assembler itself for values, `x15` for addresses; `x17` and `v30` are what
  `scratch` hands out.  `x18` is the platform's.
* Float registers that calls would keep (`v8` to `v15`) are not used, so no prologue needs to save them.
* Instructions have three operands and divide by whatever they are given, so few need more than one;
  what they cannot hold of constants and displacements is made in the assembler's own registers.
* The address of a symbol is a word behind the code; cells are reached by page (`adrp`), calls within the
  arena by `bl`.
* Conditional branches, and loads of words behind the code, reach 1 MB.  `finish` raises RangeError for code
  that is larger; made again with `far`, branches go around jumps and words stand where they are used.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from doralang.machine.arm64 import registers as a
from doralang.machine.arm64 import selection as s
from doralang.machine.arm64 import sequences
from doralang.machine.arm64.assembler import Assembler
from doralang.machine.arm64.immediates import bitmask
from doralang.machine.arm64.registers import FP, SP, ZR, X
from doralang.machine.arm64.selection import (
    BINARY,
    CONDITIONS,
    FLOAT_BINARY,
    FLOAT_CONDITIONS,
    LOAD,
    LOGICAL_IMMEDIATE,
    STORE,
)
from doralang.machine.arm64.sequences import FLOAT_OWN, FLOAT_SCRATCH, OWN, OWN_ADDRESS, SCRATCH
from doralang.machine.buffer import Label
from doralang.machine.code import Code
from doralang.machine.macro import (
    AnyRegister,
    BinaryOperation,
    CallLayout,
    Condition,
    FloatBinary,
    FloatCondition,
    FloatRegister,
    FloatScratch,
    Move,
    Register,
    Rounding,
    Scratch,
)
from doralang.machine.macro import MacroAssembler as Interface
from doralang.machine.moves import call_layout
from doralang.machine.values import float_pattern, pattern32, pattern64, signed32, signed64
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, INT, LONG, REF, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


# Members of enumerations are slow to reach through their class, and this code is run often.
ADD, SUB, MUL, AND, SHIFT_LEFT = (
    BinaryOperation.ADD,
    BinaryOperation.SUB,
    BinaryOperation.MUL,
    BinaryOperation.AND,
    BinaryOperation.SHIFT_LEFT,
)
EQUAL, NOT_EQUAL = Condition.EQUAL, Condition.NOT_EQUAL

SHIFTS: Final = {
    BinaryOperation.SHIFT_LEFT: "left",
    BinaryOperation.SHIFT_RIGHT: "signed",
    BinaryOperation.UNSIGNED_SHIFT_RIGHT: "unsigned",
}


NONE: Final = -1
"""in place of the offset of an instruction"""


class MacroAssembler(Assembler):
    """Implements `doralang.machine.macro.MacroAssembler`."""

    __slots__ = ("float_scratch_register", "frame_patch", "saved", "scratch_register")

    thread = X[20]
    frame_pointer = FP
    stack_pointer = SP
    result = X[0]
    float_result = a.D[0]
    arguments: tuple[Register, ...] = X[:8]
    float_arguments = a.D[:8]
    temporaries: tuple[Register, ...] = (X[0], *X[9:11], *X[1:9], *X[11:15])
    float_temporaries = (*a.D[:8], *a.D[16:30])
    callee_saved: tuple[Register, ...] = (X[19], *X[21:29])
    incoming_arguments = 16

    def __init__(self, far: bool = False) -> None:
        super().__init__(far)
        self.scratch_register: Scratch | None = None
        self.float_scratch_register: FloatScratch | None = None
        self.saved: tuple[Register, ...] = ()
        self.frame_patch = NONE

    def align(self, boundary: int) -> None:
        while len(self.code) % boundary:
            self.nop()

    def scratch(self) -> Scratch:
        if self.scratch_register is None:
            self.scratch_register = Scratch(SCRATCH)
        return self.scratch_register

    def float_scratch(self) -> FloatScratch:
        if self.float_scratch_register is None:
            self.float_scratch_register = FloatScratch(FLOAT_SCRATCH)
        return self.float_scratch_register

    def finish(self) -> Code:
        code = super().finish()
        assert self.frame_patch == NONE, "the size of the frame was not set"
        return code

    # ---- Frames and calls ----

    def prologue(self, saved: tuple[Register, ...] = ()) -> None:
        assert self.frame_patch == NONE, "the size of another frame has not been set"
        self.saved = saved
        self.code += sequences.prologue()
        self.frame_patch = len(self.code)
        self.code += bytes(4)
        self.code += sequences.save(saved)

    def set_frame_size(self, size: int) -> None:
        assert self.frame_patch != NONE, "there is no prologue"
        room = sequences.frame_room(size + 8 * len(self.saved) + 15 & ~15)
        self.code[self.frame_patch : self.frame_patch + 4] = room
        self.frame_patch = NONE

    def use_frame(self, saved: tuple[Register, ...]) -> None:
        self.saved = saved

    def leave_frame(self) -> None:
        self.code += sequences.leaving(self.saved)

    def epilogue(self) -> None:
        self.code += sequences.leaving(self.saved)
        self.ret()

    def return_(self) -> None:
        self.ret()

    def call_layout(self, kinds: Sequence[Kind]) -> CallLayout:
        return call_layout(tuple(kinds), self.arguments, self.float_arguments)

    def call(self, target: Register) -> int:
        self.blr(target)
        return len(self.code)

    def call_cell(self, symbol: Hashable) -> int:
        self.adrp_s(OWN, symbol)
        self.ldr_64_low_s(OWN, OWN, symbol)
        self.blr(OWN)
        return len(self.code)

    def call_symbol(self, symbol: Hashable) -> int:
        sequences.load_address_of(self, OWN, symbol)
        self.blr(OWN)
        return len(self.code)

    def call_near(self, symbol: Hashable) -> int:
        self.bl_s(symbol)
        return len(self.code)

    def call_memory(self, base: Register, displacement: int) -> int:
        sequences.access(self, s.LOAD_64, OWN, base, displacement)
        self.blr(OWN)
        return len(self.code)

    def jump(self, label: Label) -> None:
        self.b(label)

    def jump_register(self, target: Register) -> None:
        self.br(target)

    def jump_symbol(self, symbol: Hashable) -> None:
        sequences.load_address_of(self, OWN, symbol)
        self.br(OWN)

    def jump_near(self, symbol: Hashable) -> None:
        self.b_s(symbol)

    # ---- Moves, constants, addresses ----

    def move(self, kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        if target != source:
            sequences.move(self, kind, target, source)

    @staticmethod
    def encode_moves(moves: tuple[Move, ...]) -> bytes:
        return sequences.encode_moves(moves)

    def zero_extend(self, kind: Kind, target: Register, source: Register) -> None:
        if kind is LONG or kind is REF:
            self.move(kind, target, source)
        elif kind is BOOL or kind is BYTE:
            self.and32_ri(target, source, 0xFF)
        else:
            self.mov32_rr(target, source)

    def load_constant(self, kind: Kind, target: AnyRegister, value: int | float) -> None:
        if kind is DOUBLE or kind is FLOAT:
            sequences.float_constant(self, kind, target, value)
        else:
            sequences.constant(self, kind is LONG or kind is REF, target, int(value))

    def load_symbol(self, target: Register, symbol: Hashable, addend: int = 0) -> None:
        sequences.load_address_of(self, target, symbol, addend)

    def load_near(self, target: Register, symbol: Hashable) -> None:
        self.adrp_s(target, symbol)
        self.add_low_s(target, target, symbol)

    def load_label(self, target: Register, label: Label) -> None:
        self.adr(target, label)

    def load_address(self, target: Register, base: Register, displacement: int) -> None:
        if displacement:
            sequences.add_constant(self, True, target, base, displacement)
        else:
            self.move(LONG, target, base)

    def load_address_indexed(
        self, target: Register, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        sequences.indexed_address(self, target, base, index, scale, displacement)

    # ---- Memory ----

    def load(self, kind: Kind, target: AnyRegister, base: Register, displacement: int) -> None:
        sequences.access(self, LOAD[kind], target, base, displacement)

    def store(self, kind: Kind, source: AnyRegister, base: Register, displacement: int) -> None:
        sequences.access(self, STORE[kind], source, base, displacement)

    def load_indexed(
        self, kind: Kind, target: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        sequences.access_indexed(self, LOAD[kind], target, base, index, scale, displacement)

    def store_indexed(
        self, kind: Kind, source: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        sequences.access_indexed(self, STORE[kind], source, base, index, scale, displacement)

    def store_constant(self, kind: Kind, value: int | float, base: Register, displacement: int) -> None:
        how, bits = STORE[kind], value
        if kind is DOUBLE or kind is FLOAT:
            bits = int.from_bytes(float_pattern(kind, value), "little")
            how = s.STORE_64 if kind is DOUBLE else s.STORE_32
        source = ZR
        if bits:
            sequences.constant(self, how.size == 8, OWN, int(bits))
            source = OWN
        sequences.access(self, how, source, base, displacement)

    def load_short(self, target: Register, base: Register, displacement: int) -> None:
        sequences.access(self, s.LOAD_16, target, base, displacement)

    def store_short(self, source: Register, base: Register, displacement: int) -> None:
        sequences.access(self, s.STORE_16, source, base, displacement)

    def add_to_memory(self, kind: Kind, value: int, base: Register, displacement: int) -> None:
        self.load(kind, OWN, base, displacement)
        if abs(value) < 1 << 24:
            sequences.add_constant(self, kind is LONG or kind is REF, OWN, OWN, value)
        else:
            sequences.constant(self, True, OWN_ADDRESS, value)
            self.add64_rr(OWN, OWN, OWN_ADDRESS)
        self.store(kind, OWN, base, displacement)

    def compare_and_swap(
        self, target: Register, base: Register, displacement: int, expected: Register, value: Register
    ) -> None:
        sequences.compare_and_swap(self, target, base, displacement, expected, value)

    def fence(self) -> None:
        self.dmb_ish()

    def copy_memory(self, target: Register, source: Register, size: Register) -> None:
        sequences.copy_memory(self, target, source, size)

    def clear_memory(self, target: Register, size: Register) -> None:
        sequences.clear_memory(self, target, size)

    def synchronize_code(self, start: Register, end: Register) -> None:
        sequences.synchronize_code(self, start, end)

    # ---- Integer arithmetic ----

    def binary(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, right: Register
    ) -> None:
        BINARY[operation][kind is LONG or kind is REF](self, target, left, right)

    def binary_immediate(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, value: int
    ) -> None:
        wide = kind is LONG or kind is REF
        if operation >= SHIFT_LEFT:
            sequences.shift_constant(self, wide, SHIFTS[operation], target, left, value)
        elif operation is ADD or operation is SUB:
            amount = value if operation is ADD else -value
            sequences.add_constant(self, wide, target, left, signed64(amount) if wide else signed32(amount))
        elif operation is not MUL and bitmask(
            pattern64(value) if wide else pattern32(value), 64 if wide else 32
        ):
            bits = pattern64(value) if wide else pattern32(value)
            LOGICAL_IMMEDIATE[operation][wide](self, target, left, bits)
        else:
            sequences.constant(self, wide, OWN, value)
            BINARY[operation][wide](self, target, left, OWN)

    def binary_memory(
        self,
        operation: BinaryOperation,
        kind: Kind,
        target: Register,
        left: Register,
        base: Register,
        displacement: int,
    ) -> None:
        sequences.access(self, LOAD[kind], OWN, base, displacement)
        BINARY[operation][kind is LONG or kind is REF](self, target, left, OWN)

    def divide(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        (self.sdiv64_rr if kind is LONG or kind is REF else self.sdiv32_rr)(target, left, right)

    def remainder(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        sequences.remainder(self, kind is LONG or kind is REF, target, left, right)

    def multiply_high(self, target: Register, left: Register, right: Register) -> None:
        self.umulh_rr(target, left, right)

    def negate(self, kind: Kind, target: Register, source: Register) -> None:
        (self.neg64_r if kind is LONG or kind is REF else self.neg32_r)(target, source)

    def complement(self, kind: Kind, target: Register, source: Register) -> None:
        if kind is BOOL:
            self.eor32_ri(target, source, 1)
        else:
            (self.mvn64_r if kind is LONG or kind is REF else self.mvn32_r)(target, source)

    def count_one_bits(self, kind: Kind, target: Register, source: Register) -> None:
        # There is an instruction for the bytes of a vector, and one for their sum.
        (self.fmov_from_64 if kind is LONG else self.fmov_from_32)(FLOAT_OWN, source)
        self.cnt_8b(FLOAT_OWN, FLOAT_OWN)
        self.addv_8b(FLOAT_OWN, FLOAT_OWN)
        self.fmov_to_32(target, FLOAT_OWN)

    def leading_zeros(self, kind: Kind, target: Register, source: Register) -> None:
        (self.clz64_rr if kind is LONG else self.clz32_rr)(target, source)

    # ---- Floating point ----

    def float_binary(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        FLOAT_BINARY[operation][kind is DOUBLE](self, target, left, right)

    def float_binary_memory(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        base: Register,
        displacement: int,
    ) -> None:
        sequences.access(self, LOAD[kind], FLOAT_OWN, base, displacement)
        FLOAT_BINARY[operation][kind is DOUBLE](self, target, left, FLOAT_OWN)

    def float_negate(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        (self.fneg_double if kind is DOUBLE else self.fneg_float)(target, source)

    def float_absolute(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        (self.fabs_double if kind is DOUBLE else self.fabs_float)(target, source)

    def float_square_root(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        (self.fsqrt_double if kind is DOUBLE else self.fsqrt_float)(target, source)

    def float_round(
        self, rounding: Rounding, kind: Kind, target: FloatRegister, source: FloatRegister
    ) -> None:
        s.ROUND[rounding][kind is DOUBLE](self, target, source)

    def convert(self, source_kind: Kind, target_kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        sequences.convert(self, source_kind, target_kind, target, source)

    def float_bits(self, kind: Kind, target: Register, source: FloatRegister) -> None:
        (self.fmov_to_64 if kind is DOUBLE else self.fmov_to_32)(target, source)

    def float_from_bits(self, kind: Kind, target: FloatRegister, source: Register) -> None:
        (self.fmov_from_64 if kind is DOUBLE else self.fmov_from_32)(target, source)

    # ---- Comparing ----

    def branch(self, kind: Kind, condition: Condition, left: Register, right: Register, label: Label) -> None:
        (self.cmp64_rr if kind is LONG or kind is REF else self.cmp32_rr)(left, right)
        sequences.branch_if(self, CONDITIONS[condition], label)

    def branch_immediate(
        self, kind: Kind, condition: Condition, left: Register, value: int, label: Label
    ) -> None:
        wide = kind is LONG or kind is REF
        if value == 0 and condition is EQUAL:
            sequences.branch_if_zero(self, wide, True, left, label)
        elif value == 0 and condition is NOT_EQUAL:
            sequences.branch_if_zero(self, wide, False, left, label)
        else:
            sequences.compare_constant(self, wide, left, value)
            sequences.branch_if(self, CONDITIONS[condition], label)

    def branch_memory(
        self,
        kind: Kind,
        condition: Condition,
        left: Register,
        base: Register,
        displacement: int,
        label: Label,
    ) -> None:
        sequences.access(self, LOAD[kind], OWN, base, displacement)
        self.branch(kind, condition, left, OWN, label)

    def mask_index(
        self, target: Register, index: Register, base: Register, displacement: int, label: Label
    ) -> None:
        """A selection behind which no value is guessed any more."""
        sequences.access(self, LOAD[INT], OWN, base, displacement)
        self.cmp32_rr(index, OWN)
        sequences.branch_if(self, a.HS, label)
        self.csel32_rr(target, index, ZR, a.LO)
        self.csdb()

    def branch_memory_immediate(
        self, kind: Kind, condition: Condition, base: Register, displacement: int, value: int, label: Label
    ) -> None:
        sequences.access(self, LOAD[kind], OWN, base, displacement)
        if value == 0 and condition <= NOT_EQUAL:
            self.branch_immediate(kind, condition, OWN, 0, label)
            return
        sequences.compare_constant(self, kind is LONG or kind is REF, OWN, value, OWN_ADDRESS)
        sequences.branch_if(self, CONDITIONS[condition], label)

    def compare(
        self, kind: Kind, condition: Condition, target: Register, left: Register, right: Register
    ) -> None:
        (self.cmp64_rr if kind is LONG or kind is REF else self.cmp32_rr)(left, right)
        sequences.set_condition(self, target, CONDITIONS[condition])

    def compare_immediate(
        self, kind: Kind, condition: Condition, target: Register, left: Register, value: int
    ) -> None:
        sequences.compare_constant(self, kind is LONG or kind is REF, left, value)
        sequences.set_condition(self, target, CONDITIONS[condition])

    def _float_compare(self, kind: Kind, left: FloatRegister, right: FloatRegister) -> None:
        (self.fcmp_double if kind is DOUBLE else self.fcmp_float)(left, right)

    def float_branch(
        self, kind: Kind, condition: FloatCondition, left: FloatRegister, right: FloatRegister, label: Label
    ) -> None:
        self._float_compare(kind, left, right)
        sequences.branch_if(self, FLOAT_CONDITIONS[condition], label)

    def float_compare(
        self,
        kind: Kind,
        condition: FloatCondition,
        target: Register,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        self._float_compare(kind, left, right)
        sequences.set_condition(self, target, FLOAT_CONDITIONS[condition])

    def float_compare_sign(
        self, kind: Kind, target: Register, left: FloatRegister, right: FloatRegister
    ) -> None:
        self._float_compare(kind, left, right)
        sequences.set_condition(self, target, a.GT)
        self.csinv32_rr(target, target, ZR, a.PL)

    # ---- Stopping ----

    def trap(self) -> None:
        self.udf(0)

    def breakpoint(self) -> None:
        self.brk(0)


def make(far: bool) -> Interface:
    """A new assembler, by the interface that all processors share."""
    return MacroAssembler(far)
