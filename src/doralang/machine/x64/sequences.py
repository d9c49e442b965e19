"""Operations of the macro assembler that x86-64 has no one instruction for.

Division, products of 128 bits, shifts and atomic operations work on fixed registers.  Whatever the
client keeps there is saved around them: in `OWN` first, on the stack if that is taken.
"""

from __future__ import annotations

from functools import cache, lru_cache

from doralang.machine.buffer import Label
from doralang.machine.macro import FloatCondition, FloatRegister, Move, Register
from doralang.machine.moves import KEPT, in_order
from doralang.machine.values import in_32_bits, signed32, signed64
from doralang.machine.x64 import registers as x
from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.registers import R11, RAX, RCX, RDX, ConditionCode
from doralang.machine.x64.selection import FLOAT_CONDITIONS, MOVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.machine.x64.encoding import Emit

FLOAT_EQUAL, FLOAT_NOT_EQUAL = FloatCondition.EQUAL, FloatCondition.NOT_EQUAL

OWN: Final = R11
"""The integer register of the macro assembler itself."""

FLOAT_OWN: Final = FloatRegister(15)

SCRATCH: Final = x.R10
FLOAT_SCRATCH: Final = x.XMM[14]
"""What the macro assembler lends."""


def copy(asm: Assembler, target: int, source: int) -> None:
    """Move 64 bits, if there is anything to move."""
    if target != source:
        asm.mov64_rr(target, source)


# ---- Frames ----


@cache
def prologue(saved: tuple[Register, ...]) -> bytes:
    """The frame pointer, the saved registers, and `sub rsp` in the long form, to be filled in later."""
    asm = Assembler()
    asm.push_r(x.RBP)
    asm.mov64_rr(x.RBP, x.RSP)
    for register in saved:
        asm.push_r(register)
    return bytes(asm.code) + b"\x48\x81\xec\0\0\0\0"


@cache
def leaving(saved: tuple[Register, ...]) -> bytes:
    """Loads what `prologue` saved, and takes down the frame."""
    asm = Assembler()
    for number, register in enumerate(saved, 1):
        asm.mov64_rm(register, x.RBP, -8 * number)
    asm.leave()
    return bytes(asm.code)


@cache
def returning(saved: tuple[Register, ...]) -> bytes:
    """The same, and the return."""
    asm = Assembler()
    asm.ret()
    return leaving(saved) + bytes(asm.code)


@lru_cache(KEPT)
def encode_moves(moves: tuple[Move, ...]) -> bytes:
    """Moves as if all at once.  There are few combinations: those of arguments."""
    asm = Assembler()
    for kind, target, source in in_order(moves, SCRATCH, FLOAT_SCRATCH):
        MOVE[kind](asm, target, source)
    return bytes(asm.code)


# ---- Constants, comparisons with constants, calls ----


def long_constant(asm: Assembler, target: int, value: int) -> None:
    """In 5, 7 or 10 bytes."""
    if not 0 <= value < 1 << 32:
        value = signed64(value)
    if 0 <= value < 1 << 32:
        asm.mov32_ri(target, value)
    elif in_32_bits(value):
        asm.mov64_ri(target, value)
    else:
        asm.movabs_ri(target, value)


def float_constant(asm: Assembler, target: int, data: bytes) -> None:
    """From memory behind the code, but for positive zero."""
    if not any(data):
        asm.xorps_rr(target, target)
    elif len(data) == 8:
        asm.movsd_rl(target, asm.constant(data))
    else:
        asm.movss_rl(target, asm.constant(data))


def compare_immediate(asm: Assembler, wide: bool, left: int, value: int) -> None:
    """Set the flags."""
    if value == 0:
        (asm.test64_rr if wide else asm.test32_rr)(left, left)
        return
    value = signed64(value) if wide else signed32(value)
    if not wide:
        asm.cmp32_ri(left, value)
    elif in_32_bits(value):
        asm.cmp64_ri(left, value)
    else:
        asm.movabs_ri(OWN, value)
        asm.cmp64_rr(left, OWN)


# ---- Shifts, division, long products ----


def shift(asm: Assembler, emit: Emit[[int]], target: int, left: int, count: int) -> None:
    """`emit` shifts its operand by `cl`."""
    if target == RCX:
        asm.mov64_rr(OWN, left)
        copy(asm, RCX, count)
        emit(asm, OWN)
        asm.mov64_rr(RCX, OWN)
    elif count == RCX:
        copy(asm, target, left)
        emit(asm, target)
    else:
        asm.mov64_rr(OWN, RCX)
        asm.mov64_rr(RCX, count)
        copy(asm, target, OWN if left == RCX else left)
        emit(asm, target)
        asm.mov64_rr(RCX, OWN)


def divide(asm: Assembler, wide: bool, target: int, left: int, right: int, result: Register) -> None:
    """`idiv` divides rdx:rax into rax (quotient) and rdx (remainder): `result` is the one wanted.

    It traps at the minimum by -1, so a divisor of -1 goes another way.
    """
    pushed = save_pair(asm, target, right)
    divisor = OWN if right in (RAX, RDX) else right
    copy(asm, RAX, left)
    ordinary, done = asm.label(), asm.label()
    (asm.cmp64_ri if wide else asm.cmp32_ri)(divisor, -1)
    asm.jcc_short(x.NE, ordinary)
    if result == RDX:
        asm.xor32_rr(RDX, RDX)
    else:
        (asm.neg64_r if wide else asm.neg32_r)(RAX)
    asm.jmp_short(done)
    asm.bind(ordinary)
    (asm.cqo if wide else asm.cdq)()
    (asm.idiv64_r if wide else asm.idiv32_r)(divisor)
    asm.bind(done)
    copy(asm, target, result)
    restore_pair(asm, target, right, pushed)


def multiply_high(asm: Assembler, target: int, left: int, right: int) -> None:
    """`mul` multiplies rax into rdx:rax."""
    if right in (RAX, RDX):
        left, right = right, left
    pushed = save_pair(asm, target, right)
    copy(asm, RAX, left)
    asm.mul64_r(OWN if right in (RAX, RDX) else right)
    copy(asm, target, RDX)
    restore_pair(asm, target, right, pushed)


def save_pair(asm: Assembler, target: int, right: int) -> bool:
    """Keep `rax` and `rdx`, unless they are the target; true if the stack was used.

    If the operand `right` is one of them, it is moved to `OWN`: there it is saved, too.
    """
    own_free = right not in (RAX, RDX)
    if not own_free:
        asm.mov64_rr(OWN, right)
    pushed = False
    for register in (RAX, RDX):
        if register in (target, right):
            continue
        if own_free:
            asm.mov64_rr(OWN, register)
            own_free = False
        else:
            asm.push_r(register)
            pushed = True
    return pushed


def restore_pair(asm: Assembler, target: int, right: int, pushed: bool) -> None:
    """Undo `save_pair`."""
    kept = [register for register in (RAX, RDX) if register != target]
    if pushed:
        last = next(register for register in (RDX, RAX) if register not in (target, right))
        kept.remove(last)
        asm.pop_r(last)
    for register in kept:
        asm.mov64_rr(register, OWN)


def leading_zeros(asm: Assembler, wide: bool, target: int, source: int) -> None:
    """`bsr` gives the number of the highest bit set, and says in the flags if there is none.

    `lzcnt` would do it alone, but a processor that has none runs it as `bsr`, with another result.
    """
    highest = 63 if wide else 31
    asm.mov32_ri(OWN, 2 * highest + 1)
    (asm.bsr64_rr if wide else asm.bsr32_rr)(target, source)
    asm.cmov32_rr(x.E, target, OWN)
    asm.xor32_ri(target, highest)


# ---- Comparing floats ----


def compare_floats(
    asm: Assembler, double: bool, condition: FloatCondition, left: int, right: int
) -> ConditionCode:
    """Compare, and tell what to look at."""
    swap, code = FLOAT_CONDITIONS[condition]
    if swap:
        left, right = right, left
    (asm.ucomisd_rr if double else asm.ucomiss_rr)(left, right)
    return code


def float_branch(
    asm: Assembler, double: bool, condition: FloatCondition, left: int, right: int, label: Label
) -> None:
    """Equality is two questions: the flags have "unordered" as "equal", too."""
    code = compare_floats(asm, double, condition, left, right)
    if condition is FLOAT_EQUAL:
        unordered = asm.label()
        asm.jcc_short(x.P, unordered)
        asm.jcc(code, label)
        asm.bind(unordered)
        return
    if condition is FLOAT_NOT_EQUAL:
        asm.jcc(x.P, label)
    asm.jcc(code, label)


def float_compare(
    asm: Assembler, double: bool, condition: FloatCondition, target: int, left: int, right: int
) -> None:
    code = compare_floats(asm, double, condition, left, right)
    asm.set_r(code, target)
    if condition is FLOAT_EQUAL:
        asm.set_r(x.NP, OWN)
        asm.and32_rr(target, OWN)
    elif condition is FLOAT_NOT_EQUAL:
        asm.set_r(x.P, OWN)
        asm.or32_rr(target, OWN)
    asm.movzx32_8_rr(target, target)


# ---- Memory ----


def compare_and_swap(
    asm: Assembler, target: int, base: int, displacement: int, expected: int, value: int
) -> None:
    """`cmpxchg` compares memory with `rax`."""
    asm.lea64_rm(OWN, base, displacement)
    asm.push_r(RAX)
    if value == RAX:
        other = RDX if expected == RCX else RCX
        asm.push_r(other)
        asm.mov64_rr(other, RAX)
        copy(asm, RAX, expected)
        asm.lock_cmpxchg64_mr(OWN, 0, other)
        asm.pop_r(other)
    else:
        copy(asm, RAX, expected)
        asm.lock_cmpxchg64_mr(OWN, 0, value)
    asm.set_r(x.E, OWN)
    asm.pop_r(RAX)
    asm.movzx32_8_rr(target, OWN)


def copy_memory(asm: Assembler, target: int, source: int, size: int) -> None:
    """Words, then the bytes that are left."""
    words, rest, byte, done = asm.label(), asm.label(), asm.label(), asm.label()
    asm.bind(words)
    asm.sub64_ri(size, 8)
    asm.jcc_short(x.B, rest)
    asm.mov64_rm(OWN, source, 0)
    asm.mov64_mr(target, 0, OWN)
    asm.add64_ri(source, 8)
    asm.add64_ri(target, 8)
    asm.jmp(words)
    asm.bind(rest)
    asm.add64_ri(size, 8)
    asm.jcc_short(x.E, done)
    asm.bind(byte)
    asm.movzx32_8_rm(OWN, source, 0)
    asm.mov8_mr(target, 0, OWN)
    asm.inc64_r(source)
    asm.inc64_r(target)
    asm.dec64_r(size)
    asm.jcc(x.NE, byte)
    asm.bind(done)


def clear_memory(asm: Assembler, target: int, size: int) -> None:
    """Words, then the bytes that are left."""
    words, rest, byte, done = asm.label(), asm.label(), asm.label(), asm.label()
    asm.xor32_rr(OWN, OWN)
    asm.bind(words)
    asm.sub64_ri(size, 8)
    asm.jcc_short(x.B, rest)
    asm.mov64_mr(target, 0, OWN)
    asm.add64_ri(target, 8)
    asm.jmp(words)
    asm.bind(rest)
    asm.add64_ri(size, 8)
    asm.jcc_short(x.E, done)
    asm.bind(byte)
    asm.mov8_mr(target, 0, OWN)
    asm.inc64_r(target)
    asm.dec64_r(size)
    asm.jcc(x.NE, byte)
    asm.bind(done)
