"""The inner loop of a ufunc of NumPy's over a formula on doubles (x86-64).

    void loop(char **args, npy_intp *dimensions, npy_intp *steps, void *data)

`args` are the addresses of the inputs and, last, of the output, `steps` the bytes between their elements.
Where all of them stand close the kernel of the formula does the work, as its table is what `args` is, unless
an input has later elements where results come to stand, as in `accumulate`; else its scalar code is called
for each element, or the kernel if that gives other bits.  NumPy warns of the
exceptions of floating point that it finds noted afterwards; formulas have none, and lanes that nobody asked
for may have, so the notes are put back as they were.
"""

from __future__ import annotations

from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.registers import (
    NE,
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SAVED: Final = (RBX, R12, R13, R14, R15)
WORD: Final = 8


def ufunc_loop(kernel: int, code: int, inputs: int, truth: bool, is_exact: bool) -> bytearray:
    """The loop for so many inputs; `kernel` is 0 if there is none.  If it is not exact it computes all."""
    asm = Assembler()
    slow, end = asm.labels(2)
    size = WORD * (inputs + 1 | 1)  # the variables and the control word; with what is pushed a multiple of 16
    control = WORD * inputs
    asm.push_r(RBP)
    for register in SAVED:
        asm.push_r(register)
    asm.sub64_ri(RSP, size)
    asm.stmxcsr_m(RSP, control)
    for target, source in ((RBX, RDI), (R12, RDX)):
        asm.mov64_rr(target, source)
    asm.mov64_rm(R13, RSI, 0)
    asm.test64_rr(R13, R13)
    asm.jcc(E, end)
    if kernel:
        for index in range(inputs + 1):
            asm.cmp64_mi(R12, WORD * index, 1 if truth and index == inputs else WORD)
            asm.jcc(NE, slow)
        asm.mov64_rm(RSI, RBX, WORD * inputs)
        asm.mov64_rr(RCX, R13)
        asm.shl64_ri(RCX, 3)
        asm.dec64_r(RCX)
        for index in range(inputs):
            asm.mov64_rr(RAX, RSI)
            asm.sub64_rm(RAX, RBX, WORD * index)
            asm.dec64_r(RAX)  # below the size less 1, if the results begin in the midst of this input
            asm.cmp64_rr(RAX, RCX)
            asm.jcc(B, slow)
        asm.mov64_rr(RDX, R13)
        asm.movabs_ri(RAX, kernel)
        asm.call_r(RAX)
        asm.jmp(end)
    asm.bind(slow)
    if is_exact or not kernel:
        emit_elements(asm, code, inputs, truth)
    else:
        emit_lone_elements(asm, kernel, inputs)
    asm.bind(end)
    asm.ldmxcsr_m(RSP, control)
    asm.add64_ri(RSP, size)
    for register in reversed(SAVED):
        asm.pop_r(register)
    asm.pop_r(RBP)
    asm.ret()
    return asm.finish().data


def emit_elements(asm: Assembler, code: int, inputs: int, truth: bool) -> None:
    """One element after the other: rbx leads to the addresses, r12 to the steps, r13 is how many are left.

    r14 is how many are done, so that `args` stays as it is.
    """
    asm.xor32_rr(R14, R14)
    asm.movabs_ri(R15, code)
    again = asm.bound()
    for index in range(inputs):
        emit_address(asm, index)
        asm.mov64_rm(RAX, RAX, 0)
        asm.mov64_mr(RSP, WORD * index, RAX)
    asm.mov64_rr(RDI, RSP)
    asm.call_r(R15)
    if truth:
        asm.mov32_rr(RDX, RAX)
    emit_address(asm, inputs)
    if truth:
        asm.mov8_mr(RAX, 0, RDX)
    else:
        asm.movsd_mr(RAX, 0, 0)
    asm.inc64_r(R14)
    asm.dec64_r(R13)
    asm.jcc(NE, again)


def emit_lone_elements(asm: Assembler, kernel: int, inputs: int) -> None:
    """The same with a kernel, whose table has the addresses of single elements."""
    asm.xor32_rr(R14, R14)
    asm.movabs_ri(R15, kernel)
    again = asm.bound()
    for index in range(inputs):
        emit_address(asm, index)
        asm.mov64_mr(RSP, WORD * index, RAX)
    emit_address(asm, inputs)
    asm.mov64_rr(RDI, RSP)
    asm.mov64_rr(RSI, RAX)
    asm.mov32_ri(RDX, 1)
    asm.call_r(R15)
    asm.inc64_r(R14)
    asm.dec64_r(R13)
    asm.jcc(NE, again)


def emit_address(asm: Assembler, index: int) -> None:
    """rax is the address of the element of one array that is next; xmm0 and rdx are left alone."""
    asm.mov64_rm(RCX, R12, WORD * index)
    asm.imul64_rr(RCX, R14)
    asm.mov64_rm(RAX, RBX, WORD * index)
    asm.add64_rr(RAX, RCX)
