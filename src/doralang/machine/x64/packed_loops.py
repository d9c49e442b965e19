"""The loops of kernels: several vectors a round, then what is left, with lanes masked off (x86-64).

    [first]     some elements, so that all others are where vectors begin in memory
    main        several vectors a round
    rest        vector by vector; lanes beyond the end are neither read nor written

Memory is read and written in lines of 64 bytes, and a vector that lies across two of them takes both.  Arrays
of NumPy's begin at any multiple of 16 bytes, mostly all of a call at the same one.

rdx has how many elements are left, rcx how many are done; how many are left behind the first ones waits on
the stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from doralang.machine.x64.registers import AE, NE, RAX, RCX, RDX, RSP, A, B, E

if TYPE_CHECKING:
    from collections.abc import Callable

    from doralang.machine.x64.assembler import Assembler

LEAST_ROUNDS: Final = 8
"""rounds of the main loop for which the first elements are worth while"""


class Alignment(NamedTuple):
    """Which elements are to lie well: the results, or, if those are bytes, a variable's."""

    pointer: int
    """the register with their address"""
    size: int
    """bytes of an element"""
    vector: int
    """bytes of a vector of them, at multiples of which vectors are to begin"""
    slot: int
    """where a word is free on the stack"""


def emit_loops(
    asm: Assembler,
    step: int,
    lanes: int,
    body: Callable[[], None],
    rest: Callable[[], None],
    alignment: Alignment | None,
) -> None:
    """`body` computes as many elements as are a step, `rest` as many as are left, or as there are lanes."""
    main, remaining, masked, end = asm.labels(4)
    asm.xor32_rr(RCX, RCX)
    if alignment is not None:
        asm.mov64_mr(RSP, alignment.slot, RCX)
        asm.cmp64_ri(RDX, LEAST_ROUNDS * step)
        asm.jcc(B, main)
        asm.mov64_rr(RAX, alignment.pointer)
        asm.neg64_r(RAX)
        asm.and32_ri(RAX, alignment.vector - alignment.size)
        asm.jcc(E, main)
        asm.shr32_ri(RAX, alignment.size.bit_length() - 1)
        asm.sub64_rr(RDX, RAX)
        asm.mov64_mr(RSP, alignment.slot, RDX)
        asm.mov64_rr(RDX, RAX)
        asm.jmp(masked)
    asm.bind(main)
    asm.sub64_ri(RDX, step)
    asm.jcc(B, remaining)
    asm.nop(-len(asm.code) % 32)
    again = asm.bound()
    body()
    asm.add64_ri(RCX, step)
    asm.sub64_ri(RDX, step)
    asm.jcc(AE, again)
    asm.bind(remaining)
    asm.add64_ri(RDX, step)
    asm.jcc(E, end)
    asm.bind(masked)
    rest()
    asm.add64_ri(RCX, lanes)
    asm.sub64_ri(RDX, lanes)
    asm.jcc(A, masked)
    asm.bind(end)
    if alignment is not None:  # rdx is minus the lanes that were not there
        asm.add64_rr(RCX, RDX)
        asm.mov64_rm(RDX, RSP, alignment.slot)
        asm.xor32_rr(RAX, RAX)
        asm.mov64_mr(RSP, alignment.slot, RAX)
        asm.test64_rr(RDX, RDX)
        asm.jcc(NE, main)
