"""The macro assembler for x86-64, System V calling convention.

`machine.macro` documents every method.  What is particular here:

* `r11` and `xmm15` belong to the assembler itself, `r10` and `xmm14` are what `scratch` hands out.
* Division, multiplication into 128 bits and shifts by a register need `rax`, `rdx` and `rcx`; what the
  client keeps there is saved around them, in `r11` or on the stack.  Nothing is saved where the
  operands are: quotients and products into `rax`, remainders into `rdx`, shift counts in `rcx`.
* `ucomis` reports "unordered" as "below and equal", so comparisons are turned until the condition is
  "above"; equality needs the parity flag as well.
* Of what not every x86-64 processor has, `roundsd` and `popcnt` are used (SSE4.2, in all since 2011).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from struct import Struct

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
from doralang.machine.values import float_pattern, in_32_bits, signed32, signed64
from doralang.machine.x64 import registers as x
from doralang.machine.x64 import sequences
from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.encoding import remembered
from doralang.machine.x64.registers import RAX, RBP, RCX, RDX, RSP
from doralang.machine.x64.selection import (
    ALL_BUT_SIGN,
    BINARY,
    BINARY_IMMEDIATE,
    BINARY_MEMORY,
    COMMUTES,
    CONDITIONS,
    CONVERT,
    FLOAT_BINARY,
    FLOAT_BINARY_MEMORY,
    FLOAT_COMMUTES,
    LOAD,
    LOAD_INDEXED,
    MOVE,
    ROUNDING_MODES,
    SHIFT,
    SHIFT_IMMEDIATE,
    SIGN,
    STORE,
    STORE_INDEXED,
)
from doralang.machine.x64.sequences import FLOAT_OWN, FLOAT_SCRATCH, OWN, SCRATCH
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, LONG, REF, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


# Members of enumerations are slow to reach through their class, and this code is run often.
ADD, SUB, MUL, SHIFT_LEFT = (
    BinaryOperation.ADD,
    BinaryOperation.SUB,
    BinaryOperation.MUL,
    BinaryOperation.SHIFT_LEFT,
)

MINIMUM: Final = -0x8000_0000
MAXIMUM: Final = 0x7FFF_FFFF
"""what 32 bits with a sign hold, as most immediates are"""

NONE: Final = -1
"""in place of the offset of an instruction"""

pack_size: Final = Struct("<i").pack_into


class MacroAssembler(Assembler):
    """Implements `doralang.machine.macro.MacroAssembler`."""

    __slots__ = ("float_scratch_register", "frame_patch", "saved", "scratch_register")

    thread = x.R13
    frame_pointer = RBP
    stack_pointer = RSP
    result = RAX
    float_result = x.XMM[0]
    arguments: tuple[Register, ...] = (x.RDI, x.RSI, RDX, RCX, x.R8, x.R9)
    float_arguments = x.XMM[:8]
    temporaries: tuple[Register, ...] = (RAX, RCX, RDX, x.RSI, x.RDI, x.R8, x.R9)
    float_temporaries = x.XMM[:14]
    callee_saved: tuple[Register, ...] = (x.RBX, x.R12, x.R14, x.R15)
    incoming_arguments = 16

    def __init__(self) -> None:
        super().__init__()
        self.scratch_register: Scratch | None = None
        self.float_scratch_register: FloatScratch | None = None
        self.saved: tuple[Register, ...] = ()
        self.frame_patch = NONE

    def align(self, boundary: int) -> None:
        self.nop(-len(self.code) % boundary)

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
        self.code += sequences.prologue(saved)
        self.frame_patch = len(self.code) - 4

    def set_frame_size(self, size: int) -> None:
        assert self.frame_patch != NONE, "there is no prologue"
        pushed = 8 * len(self.saved)
        aligned = (size + pushed + 15 & ~15) - pushed
        pack_size(self.code, self.frame_patch, aligned)
        self.frame_patch = NONE

    def use_frame(self, saved: tuple[Register, ...]) -> None:
        self.saved = saved

    def leave_frame(self) -> None:
        self.code += sequences.leaving(self.saved)

    def epilogue(self) -> None:
        self.code += sequences.returning(self.saved)

    def return_(self) -> None:
        self.ret()

    def call_layout(self, kinds: Sequence[Kind]) -> CallLayout:
        return call_layout(tuple(kinds), self.arguments, self.float_arguments)

    def call(self, target: Register) -> int:
        self.call_r(target)
        return len(self.code)

    def call_cell(self, symbol: Hashable) -> int:
        self.call_s(symbol)
        return len(self.code)

    def call_symbol(self, symbol: Hashable) -> int:
        self.movabs_rs(OWN, symbol)
        self.call_r(OWN)
        return len(self.code)

    def call_near(self, symbol: Hashable) -> int:
        self.call_near_s(symbol)
        return len(self.code)

    def call_memory(self, base: Register, displacement: int) -> int:
        self.call_m(base, displacement)
        return len(self.code)

    def jump(self, label: Label) -> None:
        self.jmp(label)

    def jump_register(self, target: Register) -> None:
        self.jmp_r(target)

    def jump_symbol(self, symbol: Hashable) -> None:
        self.movabs_rs(OWN, symbol)
        self.jmp_r(OWN)

    def jump_near(self, symbol: Hashable) -> None:
        self.jmp_near_s(symbol)

    # ---- Moves, constants, addresses ----

    @remembered
    def move(self, kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        if target != source:
            MOVE[kind](self, target, source)

    @staticmethod
    def encode_moves(moves: tuple[Move, ...]) -> bytes:
        return sequences.encode_moves(moves)

    def zero_extend(self, kind: Kind, target: Register, source: Register) -> None:
        if kind is LONG or kind is REF:
            self.move(kind, target, source)
        elif kind is BOOL or kind is BYTE:
            self.movzx32_8_rr(target, source)
        else:
            self.mov32_rr(target, source)

    def load_constant(self, kind: Kind, target: AnyRegister, value: int | float) -> None:
        if kind is DOUBLE or kind is FLOAT:
            sequences.float_constant(self, target, float_pattern(kind, value))
        else:
            self.load_integer(kind, target, int(value))

    @remembered
    def load_integer(self, kind: Kind, target: int, value: int) -> None:
        if value == 0:
            self.xor32_rr(target, target)
        elif kind is LONG or kind is REF:
            sequences.long_constant(self, target, value)
        else:
            self.mov32_ri(target, value)

    def load_symbol(self, target: Register, symbol: Hashable, addend: int = 0) -> None:
        self.movabs_rs(target, symbol, addend)

    def load_near(self, target: Register, symbol: Hashable) -> None:
        self.lea64_rs(target, symbol)

    def load_label(self, target: Register, label: Label) -> None:
        self.lea64_rl(target, label)

    def load_address(self, target: Register, base: Register, displacement: int) -> None:
        if displacement:
            self.lea64_rm(target, base, displacement)
        else:
            self.move(LONG, target, base)

    def load_address_indexed(
        self, target: Register, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        self.lea64_rx(target, base, index, scale, displacement)

    # ---- Memory ----

    def load(self, kind: Kind, target: AnyRegister, base: Register, displacement: int) -> None:
        LOAD[kind](self, target, base, displacement)

    def store(self, kind: Kind, source: AnyRegister, base: Register, displacement: int) -> None:
        STORE[kind](self, base, displacement, source)

    def load_indexed(
        self, kind: Kind, target: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        LOAD_INDEXED[kind](self, target, base, index, scale, displacement)

    def store_indexed(
        self, kind: Kind, source: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        STORE_INDEXED[kind](self, base, index, scale, displacement, source)

    def store_constant(self, kind: Kind, value: int | float, base: Register, displacement: int) -> None:
        if kind is DOUBLE or kind is FLOAT:
            value = int.from_bytes(float_pattern(kind, value), "little")
        bits = signed64(int(value))
        if kind is BOOL or kind is BYTE:
            self.mov8_mi(base, displacement, bits & 0xFF)
        elif kind is not LONG and kind is not REF and kind is not DOUBLE:
            self.mov32_mi(base, displacement, signed32(bits))
        elif in_32_bits(bits):
            self.mov64_mi(base, displacement, bits)
        else:
            self.movabs_ri(OWN, bits)
            self.mov64_mr(base, displacement, OWN)

    def load_short(self, target: Register, base: Register, displacement: int) -> None:
        self.movzx32_16_rm(target, base, displacement)

    def store_short(self, source: Register, base: Register, displacement: int) -> None:
        self.mov16_mr(base, displacement, source)

    def add_to_memory(self, kind: Kind, value: int, base: Register, displacement: int) -> None:
        if kind is LONG or kind is REF:
            self.add64_mi(base, displacement, value)
        else:
            self.add32_mi(base, displacement, signed32(value))

    def compare_and_swap(
        self, target: Register, base: Register, displacement: int, expected: Register, value: Register
    ) -> None:
        sequences.compare_and_swap(self, target, base, displacement, expected, value)

    def fence(self) -> None:
        self.mfence()

    def copy_memory(self, target: Register, source: Register, size: Register) -> None:
        sequences.copy_memory(self, target, source, size)

    def clear_memory(self, target: Register, size: Register) -> None:
        sequences.clear_memory(self, target, size)

    def synchronize_code(self, start: Register, end: Register) -> None:
        pass

    # ---- Integer arithmetic ----

    @remembered
    def binary(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, right: Register
    ) -> None:
        wide = kind is LONG or kind is REF
        if operation >= SHIFT_LEFT:
            sequences.shift(self, SHIFT[operation][wide], target, left, right)
            return
        emit = BINARY[operation][wide]
        if target == left:
            emit(self, target, right)
        elif operation is ADD:
            (self.lea64_rx if wide else self.lea32_rx)(target, left, right, 1, 0)
        elif target != right:
            self.mov64_rr(target, left)
            emit(self, target, right)
        elif COMMUTES[operation]:
            emit(self, target, left)
        else:
            self.mov64_rr(OWN, left)
            emit(self, OWN, right)
            self.mov64_rr(target, OWN)

    @remembered
    def binary_immediate(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, value: int
    ) -> None:
        wide = kind is LONG or kind is REF
        if not MINIMUM <= value <= MAXIMUM:
            value = signed64(value) if wide else signed32(value)
            if not MINIMUM <= value <= MAXIMUM and operation < SHIFT_LEFT:
                self.movabs_ri(OWN, value)
                self.binary(operation, kind, target, left, OWN)
                return
        if operation >= SHIFT_LEFT:
            self.move(LONG, target, left)
            SHIFT_IMMEDIATE[operation][wide](self, target, value & (63 if wide else 31))
        elif operation is MUL:
            (self.imul64_rri if wide else self.imul32_rri)(target, left, value)
        elif target == left:
            BINARY_IMMEDIATE[operation][wide](self, target, value)
        elif operation is ADD:
            (self.lea64_rm if wide else self.lea32_rm)(target, left, value)
        elif operation is SUB and value != MINIMUM:
            (self.lea64_rm if wide else self.lea32_rm)(target, left, -value)
        else:
            self.mov64_rr(target, left)
            BINARY_IMMEDIATE[operation][wide](self, target, value)

    def binary_memory(
        self,
        operation: BinaryOperation,
        kind: Kind,
        target: Register,
        left: Register,
        base: Register,
        displacement: int,
    ) -> None:
        emit = BINARY_MEMORY[operation][kind is LONG or kind is REF]
        if target == left:
            emit(self, target, base, displacement)
        elif target != base:
            self.mov64_rr(target, left)
            emit(self, target, base, displacement)
        else:
            self.mov64_rr(OWN, left)
            emit(self, OWN, base, displacement)
            self.mov64_rr(target, OWN)

    def divide(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        sequences.divide(self, kind is LONG or kind is REF, target, left, right, RAX)

    def remainder(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        sequences.divide(self, kind is LONG or kind is REF, target, left, right, RDX)

    def multiply_high(self, target: Register, left: Register, right: Register) -> None:
        sequences.multiply_high(self, target, left, right)

    def negate(self, kind: Kind, target: Register, source: Register) -> None:
        self.move(LONG, target, source)
        (self.neg64_r if kind is LONG or kind is REF else self.neg32_r)(target)

    def complement(self, kind: Kind, target: Register, source: Register) -> None:
        self.move(LONG, target, source)
        if kind is BOOL:
            self.xor32_ri(target, 1)
        else:
            (self.not64_r if kind is LONG or kind is REF else self.not32_r)(target)

    def count_one_bits(self, kind: Kind, target: Register, source: Register) -> None:
        (self.popcnt64_rr if kind is LONG else self.popcnt32_rr)(target, source)

    def leading_zeros(self, kind: Kind, target: Register, source: Register) -> None:
        sequences.leading_zeros(self, kind is LONG, target, source)

    # ---- Floating point ----

    def float_binary(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        emit = FLOAT_BINARY[operation][kind is DOUBLE]
        if target == left:
            emit(self, target, right)
        elif target != right:
            self.movaps_rr(target, left)
            emit(self, target, right)
        elif FLOAT_COMMUTES[operation]:
            emit(self, target, left)
        else:
            self.movaps_rr(FLOAT_OWN, left)
            emit(self, FLOAT_OWN, right)
            self.movaps_rr(target, FLOAT_OWN)

    def float_binary_memory(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        base: Register,
        displacement: int,
    ) -> None:
        self.move(kind, target, left)
        FLOAT_BINARY_MEMORY[operation][kind is DOUBLE](self, target, base, displacement)

    def float_negate(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        self.move(kind, target, source)
        self.xorps_rl(target, self.constant(SIGN[kind]))

    def float_absolute(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        self.move(kind, target, source)
        self.andps_rl(target, self.constant(ALL_BUT_SIGN[kind]))

    def float_square_root(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        (self.sqrtsd_rr if kind is DOUBLE else self.sqrtss_rr)(target, source)

    def float_round(
        self, rounding: Rounding, kind: Kind, target: FloatRegister, source: FloatRegister
    ) -> None:
        emit = self.roundsd_rri if kind is DOUBLE else self.roundss_rri
        emit(target, source, 8 | ROUNDING_MODES[rounding])

    def convert(self, source_kind: Kind, target_kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        CONVERT[source_kind, target_kind](self, target, source)

    def float_bits(self, kind: Kind, target: Register, source: FloatRegister) -> None:
        (self.movq_to64_rr if kind is DOUBLE else self.movd_to32_rr)(target, source)

    def float_from_bits(self, kind: Kind, target: FloatRegister, source: Register) -> None:
        (self.movq_from64_rr if kind is DOUBLE else self.movd_from32_rr)(target, source)

    # ---- Comparing ----

    def branch(self, kind: Kind, condition: Condition, left: Register, right: Register, label: Label) -> None:
        (self.cmp64_rr if kind is LONG or kind is REF else self.cmp32_rr)(left, right)
        self.jcc(CONDITIONS[condition], label)

    def branch_immediate(
        self, kind: Kind, condition: Condition, left: Register, value: int, label: Label
    ) -> None:
        if value:
            sequences.compare_immediate(self, kind is LONG or kind is REF, left, value)
        else:
            (self.test64_rr if kind is LONG or kind is REF else self.test32_rr)(left, left)
        self.jcc(CONDITIONS[condition], label)

    def branch_memory(
        self,
        kind: Kind,
        condition: Condition,
        left: Register,
        base: Register,
        displacement: int,
        label: Label,
    ) -> None:
        (self.cmp64_rm if kind is LONG or kind is REF else self.cmp32_rm)(left, base, displacement)
        self.jcc(CONDITIONS[condition], label)

    def mask_index(
        self, target: Register, index: Register, base: Register, displacement: int, label: Label
    ) -> None:
        """The carry of the comparison, as all bits."""
        self.cmp32_rm(index, base, displacement)
        self.jcc(x.AE, label)
        self.sbb64_rr(OWN, OWN)
        if target != index:
            self.mov32_rr(target, index)
        self.and64_rr(target, OWN)

    def branch_memory_immediate(
        self, kind: Kind, condition: Condition, base: Register, displacement: int, value: int, label: Label
    ) -> None:
        if kind is BOOL or kind is BYTE:
            self.cmp8_mi(base, displacement, value)
        elif kind is not LONG and kind is not REF:
            self.cmp32_mi(base, displacement, signed32(value))
        elif MINIMUM <= value <= MAXIMUM or in_32_bits(signed64(value)):
            self.cmp64_mi(base, displacement, signed64(value))
        else:
            self.movabs_ri(OWN, value)
            self.cmp64_mr(base, displacement, OWN)
        self.jcc(CONDITIONS[condition], label)

    def compare(
        self, kind: Kind, condition: Condition, target: Register, left: Register, right: Register
    ) -> None:
        (self.cmp64_rr if kind is LONG or kind is REF else self.cmp32_rr)(left, right)
        self.set_r(CONDITIONS[condition], target)
        self.movzx32_8_rr(target, target)

    def compare_immediate(
        self, kind: Kind, condition: Condition, target: Register, left: Register, value: int
    ) -> None:
        sequences.compare_immediate(self, kind is LONG or kind is REF, left, value)
        self.set_r(CONDITIONS[condition], target)
        self.movzx32_8_rr(target, target)

    def float_branch(
        self, kind: Kind, condition: FloatCondition, left: FloatRegister, right: FloatRegister, label: Label
    ) -> None:
        sequences.float_branch(self, kind is DOUBLE, condition, left, right, label)

    def float_compare(
        self,
        kind: Kind,
        condition: FloatCondition,
        target: Register,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        sequences.float_compare(self, kind is DOUBLE, condition, target, left, right)

    def float_compare_sign(
        self, kind: Kind, target: Register, left: FloatRegister, right: FloatRegister
    ) -> None:
        self.float_compare(kind, FloatCondition.LESS, OWN, left, right)
        self.float_compare(kind, FloatCondition.GREATER, target, left, right)
        self.sub32_rr(target, OWN)

    # ---- Stopping ----

    def trap(self) -> None:
        self.ud2()

    def breakpoint(self) -> None:
        self.int3()


def make(far: bool) -> Interface:
    """A new assembler, by the interface that all processors share; nothing is too far for it."""
    return MacroAssembler()
