"""Kernels: a formula on doubles over whole arrays, straight from a small tree to packed code (x86-64, AVX2).

    ("binary", "*", ("variable", 0), ("variable", 1))       ->      vmovupd ymm0, [r8 + rcx*8]
                                                                    vmulpd ymm0, ymm0, [r9 + rcx*8]
                                                                    vmovupd [rsi + rcx*8], ymm0 …

A kernel gets a table with the address of each variable, the address of the results and their count; arrays
are contiguous, a variable that is a scalar is a single double.  The main loop takes several vectors a
round, so that their latencies overlap; what is left is done by vectors some of whose lanes are masked off.

Each operation is the packed form of that of the scalar code (`doubles.py`), operands in the same order,
nothing fused: lane by lane the results have the same bits.  Comparisons are masks, a choice computes both
sides and blends them, as nothing on doubles can fail.

`element_loop` is for what has no packed form here: it calls the scalar code for one element after the other.
"""

from __future__ import annotations

from struct import pack

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.doubles import SIGN, TooDeep
from doralang.machine.x64.packed_loops import Alignment, emit_loops
from doralang.machine.x64.registers import (
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
    B,
    E,
)
from doralang.machine.x64.vectors import VectorAssembler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from doralang.machine.x64.doubles import Node

LANES: Final = 4
"""doubles in a vector"""
DOUBLE_SIZE: Final = 8
RED_ZONE: Final = -8
"""a word below the stack, which is free as nothing is called (System V ABI, 3.2.2)"""
REGISTERS: Final = 13
"""for what is live"""
MASK: Final = 13
"""lanes that are there, where some are not"""
SPARE: Final = 14
SCRATCH: Final = 15
MOST_AT_ONCE: Final = 4
"""vectors a round of the main loop"""

POINTERS: Final = (R8, R9, R10, R11)
"""addresses of the first variables; others are loaded from the table each time"""
NOT_NUMBER, EQUAL = 3, 0
# Predicates of vcmppd: "not equal" alone is true of what is no number.
PREDICATES: Final = {"==": EQUAL, "<": 1, "<=": 2, "!=": 4, ">=": 13, ">": 14}
ROUNDINGS: Final = {"floor": 9, "ceil": 10, "trunc": 11}
"""immediates of vroundpd: direction, and no exception for what is inexact"""
SIMPLE: Final = frozenset({"sqrt", "abs", "min", "max", "clamp", *ROUNDINGS})
"""functions that `KernelEmitter` has"""
PACKED: Final = SIMPLE | {"round"}
"""functions that have a packed form"""
MASKED: Final = frozenset({"compare", "choice", "min", "max", "clamp"})
"""what makes or takes masks"""
DIVISIONS: Final = frozenset({"/", "sqrt"})
"""what takes twice the time on vectors of twice the width"""
MANY: Final = 16
"""operations that cost more than reading what they work on"""
CHAINS: Final = ("binary", "and", "or")
"""nodes that nest to the left, however deep"""


def consists_of(node: Node, functions: frozenset[str]) -> bool:
    """Whether a formula calls no other functions; how deep it is does not matter here."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node[0] == "function" and node[1] not in functions:
            return False
        waiting += parts_of(node)
    return True


def has_packed_form(node: Node) -> bool:
    """Whether all that a formula computes does."""
    return consists_of(node, PACKED)


def gains_by_width(node: Node) -> bool:
    """Whether wider vectors with mask registers are faster for a formula: it compares, chooses or computes
    much.  Otherwise time goes by with memory and divisions, for which the width does not matter."""
    waiting, count, has_masks, divides = [node], 0, False, False
    while waiting:
        node = waiting.pop()
        name = node[1] if node[0] in ("binary", "function") else node[0]
        has_masks |= name in MASKED
        divides |= name in DIVISIONS
        count += not is_leaf(node)
        waiting += parts_of(node)
    return count >= MANY or has_masks and not divides


def parts_of(node: Node) -> list[Node]:
    """What a node is computed from."""
    return [part for part in (node[2] if node[0] == "function" else node[1:]) if isinstance(part, tuple)]


def needed(node: Node) -> int:
    """How many registers the computation of a node needs."""
    most = 1
    while node[0] in CHAINS:
        *_, node, right = node
        most = max(most, 1 if is_leaf(right) else 1 + needed(right))
    for depth, part in enumerate(parts_of(node)):
        most = max(most, depth + needed(part))
    return most


def is_leaf(node: Node) -> bool:
    return node[0] in ("variable", "number")


class KernelEmitter(VectorAssembler):
    """The kernel of one formula, for certain variables that are scalars."""

    __slots__ = ("at_once", "is_masked", "scalars", "width")

    def __init__(self, scalars: Sequence[bool]) -> None:
        super().__init__()
        self.scalars = scalars
        self.at_once = 1
        """vectors that are computed together"""
        self.is_masked = False
        self.width = 1
        """registers of each"""

    def kernel(self, node: Node, truth: bool) -> bytearray:
        """The code of `kernel(table, results, count)`.  Raises TooDeep."""
        self.width = needed(node)
        if self.width > REGISTERS:
            raise TooDeep
        most = min(MOST_AT_ONCE, REGISTERS // self.width)
        for index, pointer in enumerate(POINTERS[: len(self.scalars)]):
            self.mov64_rm(pointer, RDI, 8 * index)
        arrays = [pointer for pointer, scalar in zip(POINTERS, self.scalars, strict=False) if not scalar]
        pointers = arrays if truth else [RSI]
        alignment = Alignment(pointers[0], DOUBLE_SIZE, LANES * DOUBLE_SIZE, RED_ZONE) if pointers else None
        emit_loops(
            self,
            LANES * most,
            LANES,
            lambda: self.several(node, truth, most),
            lambda: self.masked(node, truth),
            alignment,
        )
        self.vzeroupper()
        self.ret()
        return self.finish_tabled()

    def several(self, node: Node, truth: bool, count: int) -> None:
        """So many vectors, computed together."""
        self.at_once = count
        self.vectors(node, truth)

    def masked(self, node: Node, truth: bool) -> None:
        """A vector some of whose lanes are masked off."""
        self.at_once, self.is_masked = 1, True
        self.vmovq_from64_rr(MASK, RDX)
        self.vpbroadcastq_rr(MASK, MASK)
        self.vpmovsxbq_rl(SCRATCH, self.constant(bytes(range(LANES))))
        self.vpcmpgtq_rrr(MASK, MASK, SCRATCH)
        self.vectors(node, truth)

    def vectors(self, node: Node, truth: bool) -> None:
        """Some vectors of results, computed and stored."""
        self.value(node, 0)
        for copy in range(self.at_once):
            register = copy * self.width
            if truth:
                self.store_truth(register, LANES * copy)
            elif self.is_masked:
                self.vmaskmovpd_xrr(RSI, RCX, 8, 0, MASK, register)
            else:
                self.vmovupd_xr(RSI, RCX, 8, 8 * LANES * copy, register)

    def store_truth(self, register: int, displacement: int) -> None:
        """A byte for each mask: 0, or the absolute value of -1."""
        self.vextractf128_rri(SCRATCH, register, 1)
        self.vshufps128_rrri(register, register, SCRATCH, 0x88)
        self.vpackssdw128_rrr(register, register, register)
        self.vpacksswb128_rrr(register, register, register)
        self.vpabsb128_rr(register, register)
        if not self.is_masked:
            self.vmovd_xr(RSI, RCX, 1, displacement, register)
            return
        done = self.label()
        self.vmovd_to32_rr(RAX, register)
        for lane in range(LANES):
            self.mov8_xr(RSI, RCX, 1, lane, RAX)
            if lane < LANES - 1:
                self.shr32_ri(RAX, 8)
                self.cmp64_ri(RDX, lane + 1)
                self.jcc(E, done)
        self.bind(done)

    def each(self, depth: int) -> range:
        """The register of this depth, of all vectors."""
        return range(depth, depth + self.at_once * self.width, self.width)

    # Values.

    def value(self, node: Node, depth: int) -> None:
        """Compute a number, or a mask, in registers of this depth.  Chains to the left need no recursion."""
        chain = []
        while node[0] in CHAINS:
            kind, *_, left, right = node
            chain.append((node[1] if kind == "binary" else kind, right))
            node = left
        VALUES[node[0]](self, node, depth)
        for operator, right in reversed(chain):
            self.joined(operator, depth, right)

    def pointer(self, index: int) -> int:
        """The register with the address of a variable."""
        if index < len(POINTERS):
            return POINTERS[index]
        self.mov64_rm(RAX, RDI, 8 * index)
        return RAX

    def same_for_all(self, node: Node, register: int) -> bool:
        """Load a constant or a scalar; False if it is an array."""
        if node[0] == "number":
            self.vbroadcastsd_rl(register, self.constant(pack("<d", node[1])))
        elif self.scalars[node[1]]:
            self.vbroadcastsd_rm(register, self.pointer(node[1]), 0)
        else:
            return False
        return True

    def load(self, node: Node, depth: int) -> None:
        first, *others = self.each(depth)
        if self.same_for_all(node, first):
            for register in others:
                self.vmovapd_rr(register, first)
            return
        pointer = self.pointer(node[1])
        for copy, register in enumerate(self.each(depth)):
            self.load_vector(register, pointer, copy)

    def load_vector(self, register: int, pointer: int, copy: int) -> None:
        if self.is_masked:
            self.vmaskmovpd_rrx(register, MASK, pointer, RCX, 8, 0)
        else:
            self.vmovupd_rx(register, pointer, RCX, 8, 8 * LANES * copy)

    def joined(self, operator: str, depth: int, right: Node) -> None:
        """An operation on what is there and another value."""
        with_register, with_memory = ARITHMETIC[operator]
        if not is_leaf(right):
            self.value(right, depth + 1)
            for register in self.each(depth):
                with_register(self, register, register, register + 1)
        elif self.same_for_all(right, SCRATCH):
            for register in self.each(depth):
                with_register(self, register, register, SCRATCH)
        elif self.is_masked:
            self.load_vector(SCRATCH, self.pointer(right[1]), 0)
            with_register(self, depth, depth, SCRATCH)
        else:
            assert with_memory is not None, "conditions are no leaves"
            pointer = self.pointer(right[1])
            for copy, register in enumerate(self.each(depth)):
                with_memory(self, register, register, pointer, RCX, 8, 8 * LANES * copy)

    def negate(self, node: Node, depth: int) -> None:
        self.value(node[1], depth)
        self.vbroadcastsd_rl(SCRATCH, self.constant(SIGN.to_bytes(8, "little")))
        for register in self.each(depth):
            self.vxorpd_rrr(register, register, SCRATCH)

    def choice(self, node: Node, depth: int) -> None:
        for index in (1, 2, 3):
            self.value(node[index], depth + index - 1)
        for register in self.each(depth):
            self.vblendvpd_rrrr(register, register + 2, register + 1, register)

    # Functions.

    def function(self, node: Node, depth: int) -> None:
        name, arguments = node[1], node[2]
        for index, argument in enumerate(arguments):
            self.value(argument, depth + index)
        for register in self.each(depth):
            if name in ROUNDINGS:
                self.vroundpd_rri(register, register, ROUNDINGS[name])
            else:
                FUNCTIONS[name](self, register)

    def square_root(self, register: int) -> None:
        self.vsqrtpd_rr(register, register)

    def absolute(self, register: int) -> None:
        self.vbroadcastsd_rl(SCRATCH, self.constant((SIGN - 1).to_bytes(8, "little")))
        self.vandpd_rrr(register, register, SCRATCH)

    def maximum(self, register: int) -> None:
        """Of equal ones the sign is minus if both have it."""
        self.vmaxpd_rrr(SCRATCH, register, register + 1)
        self.vcmppd_rrri(SPARE, register, register + 1, EQUAL)
        self.vandpd_rrr(register + 1, register, register + 1)
        self.extreme(register)

    def minimum(self, register: int) -> None:
        """Of equal ones the sign is minus if one has it."""
        self.vminpd_rrr(SCRATCH, register, register + 1)
        self.vcmppd_rrri(SPARE, register, register + 1, EQUAL)
        self.vorpd_rrr(register + 1, register, register + 1)
        self.extreme(register)

    def extreme(self, register: int) -> None:
        """vmaxpd and vminpd give the second if one is no number, or both are equal; here the first counts if
        it is no number, and of equal ones what `register + 1` holds now."""
        self.vblendvpd_rrrr(SCRATCH, SCRATCH, register + 1, SPARE)
        self.vcmppd_rrri(SPARE, register, register, NOT_NUMBER)
        self.vblendvpd_rrrr(register, SCRATCH, register, SPARE)

    def clamp(self, register: int) -> None:
        self.maximum(register)
        self.vmovapd_rr(register + 1, register + 2)
        self.minimum(register)

    # Truth.

    def compare(self, node: Node, depth: int) -> None:
        self.value(node[2], depth)
        self.value(node[3], depth + 1)
        for register in self.each(depth):
            self.vcmppd_rrri(register, register, register + 1, PREDICATES[node[1]])

    def opposite(self, node: Node, depth: int) -> None:
        self.value(node[1], depth)
        self.vpcmpeqd_rrr(SCRATCH, SCRATCH, SCRATCH)
        for register in self.each(depth):
            self.vxorpd_rrr(register, register, SCRATCH)


ARITHMETIC: Final[dict[str, tuple[Callable[..., None], Callable[..., None] | None]]] = {
    "+": (VectorAssembler.vaddpd_rrr, VectorAssembler.vaddpd_rrx),
    "-": (VectorAssembler.vsubpd_rrr, VectorAssembler.vsubpd_rrx),
    "*": (VectorAssembler.vmulpd_rrr, VectorAssembler.vmulpd_rrx),
    "/": (VectorAssembler.vdivpd_rrr, VectorAssembler.vdivpd_rrx),
    "and": (VectorAssembler.vandpd_rrr, None),
    "or": (VectorAssembler.vorpd_rrr, None),
}
"""on two registers, and on a register and memory, where numbers can be"""
VALUES: Final[dict[str, Callable[[KernelEmitter, Node, int], None]]] = {
    "variable": KernelEmitter.load,
    "number": KernelEmitter.load,
    "negate": KernelEmitter.negate,
    "choice": KernelEmitter.choice,
    "function": KernelEmitter.function,
    "compare": KernelEmitter.compare,
    "not": KernelEmitter.opposite,
}
FUNCTIONS: Final[dict[str, Callable[[KernelEmitter, int], None]]] = {
    "sqrt": KernelEmitter.square_root,
    "abs": KernelEmitter.absolute,
    "max": KernelEmitter.maximum,
    "min": KernelEmitter.minimum,
    "clamp": KernelEmitter.clamp,
}


def element_loop(code: int, scalars: Sequence[bool], truth: bool) -> bytearray:
    """The same as a kernel, by calls of the scalar code at an address, element after element."""
    asm = Assembler()
    saved = (RBX, R12, R13, R14, R15)
    asm.push_r(RBP)
    for register in saved:
        asm.push_r(register)
    size = 8 * (len(scalars) | 1)  # with what is pushed a multiple of 16
    asm.sub64_ri(RSP, size)
    for target, source in ((RBX, RDI), (R12, RSI), (R13, RDX)):
        asm.mov64_rr(target, source)
    asm.movabs_ri(R15, code)
    asm.xor32_rr(R14, R14)
    again = asm.bound()
    for index, is_scalar in enumerate(scalars):
        asm.mov64_rm(RAX, RBX, 8 * index)
        if is_scalar:
            asm.mov64_rm(RAX, RAX, 0)
        else:
            asm.mov64_rx(RAX, RAX, R14, 8, 0)
        asm.mov64_mr(RSP, 8 * index, RAX)
    asm.mov64_rr(RDI, RSP)
    asm.call_r(R15)
    if truth:
        asm.mov8_xr(R12, R14, 1, 0, RAX)
    else:
        asm.movsd_xr(R12, R14, 8, 0, 0)
    asm.inc64_r(R14)
    asm.cmp64_rr(R14, R13)
    asm.jcc(B, again)
    asm.add64_ri(RSP, size)
    for register in reversed(saved):
        asm.pop_r(register)
    asm.pop_r(RBP)
    asm.ret()
    return asm.finish().data
