"""Listings: instructions, comments beside them, symbols, constants."""

from __future__ import annotations

import pytest

from doralang.machine import listing as listing_module
from doralang.machine.code import Code
from doralang.machine.listing import ListingError, Syntax, listing
from doralang.machine.macro import BinaryOperation, Condition
from doralang.machine.targets import TARGETS, Target
from doralang.types.kinds import Kind

X64 = TARGETS["x64"]


ARM64 = TARGETS["arm64"]


def example(target: Target = X64) -> Code:
    """A function that adds two ints and calls another for negative sums."""
    masm = target.assembler()
    a, b = masm.temporaries[:2]
    slow = masm.label()
    masm.comment("prologue")
    masm.prologue((masm.thread,))
    masm.load(Kind.INT, a, masm.frame_pointer, -24)
    masm.load(Kind.INT, b, masm.frame_pointer, -32)
    masm.comment("line 3")
    masm.comment("int.plus")
    masm.binary(BinaryOperation.ADD, Kind.INT, a, a, b)
    masm.branch_immediate(Kind.INT, Condition.LESS, a, 0, slow)
    masm.load_constant(Kind.DOUBLE, masm.float_result, 1.5)
    masm.epilogue()

    def call() -> None:
        masm.comment("slow path")
        masm.bind(slow)
        masm.call_cell("entry:negative")
        masm.trap()

    masm.out_of_line(call)
    masm.set_frame_size(24)
    return masm.finish()


def test_att_syntax() -> None:
    assert listing(example(), X64) == ATT[1:]


def test_intel_syntax() -> None:
    assert listing(example(), X64, Syntax.INTEL) == INTEL[1:]


def test_constants_and_symbols_behind_the_code_of_arm64() -> None:
    masm = ARM64.assembler()
    a, x = masm.temporaries[0], masm.float_temporaries[0]
    masm.load_symbol(a, "shape:Node")
    masm.load_constant(Kind.DOUBLE, x, 0.1)
    masm.call_cell("cell")
    masm.call_symbol("far")
    masm.load_symbol(a, "shape:Node")
    masm.return_()
    assert listing(masm.finish(), ARM64) == BEHIND[1:]


def test_arm64() -> None:
    assert listing(example(ARM64), ARM64) == ARM[1:]


def test_without_capstone_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(listing_module, "load", load)
    with pytest.raises(ListingError, match="pip install capstone"):
        listing(example(), X64)


def test_every_byte_is_listed() -> None:
    code = example()
    lines = listing(code, X64).splitlines()
    offsets = [int(line.split(":")[0], 16) for line in lines if line[:5].strip()]
    assert offsets[0] == 0
    assert offsets == sorted(set(offsets))
    assert offsets[-1] + 8 >= len(code.data)


ATT = """
    0: pushq %rbp                               # prologue
    1: movq %rsp, %rbp
    4: pushq %r13
    6: subq $0x18, %rsp
    d: movl -0x18(%rbp), %eax
   10: movl -0x20(%rbp), %ecx
                                                # line 3
   13: addl %ecx, %eax                          # int.plus
   15: testl %eax, %eax
   17: jl 0x2b
   1d: movsd 0x1b(%rip), %xmm0
   25: movq -8(%rbp), %r13
   29: leave
   2a: retq
   2b: callq *(%rip)                            # slow path, entry:negative
   31: ud2
   33: .byte cc cc cc cc cc
   38: .byte cc cc cc cc cc cc cc cc
   40: .byte 00 00 00 00 00 00 f8 3f
"""

INTEL = """
    0: push rbp                                 # prologue
    1: mov rbp, rsp
    4: push r13
    6: sub rsp, 0x18
    d: mov eax, dword ptr [rbp - 0x18]
   10: mov ecx, dword ptr [rbp - 0x20]
                                                # line 3
   13: add eax, ecx                             # int.plus
   15: test eax, eax
   17: jl 0x2b
   1d: movsd xmm0, qword ptr [rip + 0x1b]
   25: mov r13, qword ptr [rbp - 8]
   29: leave
   2a: ret
   2b: call qword ptr [rip]                     # slow path, entry:negative
   31: ud2
   33: .byte cc cc cc cc cc
   38: .byte cc cc cc cc cc cc cc cc
   40: .byte 00 00 00 00 00 00 f8 3f
"""

ARM = """
    0: stp x29, x30, [sp, #-0x10]!              # prologue
    4: mov x29, sp
    8: sub sp, sp, #0x20
    c: stur x20, [x29, #-8]
   10: ldur w0, [x29, #-0x18]
   14: ldur w9, [x29, #-0x20]
                                                # line 3
   18: add w0, w0, w9                           # int.plus
   1c: cmp w0, #0
   20: b.lt #0x38
   24: fmov d0, #1.50000000
   28: ldur x20, [x29, #-8]
   2c: mov sp, x29
   30: ldp x29, x30, [sp], #0x10
   34: ret
   38: adrp x16, #0                             # slow path, entry:negative
   3c: ldr x16, [x16]                           # entry:negative
   40: blr x16
   44: udf #0
"""

BEHIND = """
    0: ldr x0, #0x28                            # shape:Node
    4: ldr d0, #0x40
    8: adrp x16, #0                             # cell
    c: ldr x16, [x16]                           # cell
   10: blr x16
   14: ldr x16, #0x30                           # far
   18: blr x16
   1c: ldr x0, #0x28                            # shape:Node
   20: ret
   24: .byte 00 00 20 d4
   28: .byte 00 00 00 00 00 00 00 00            # shape:Node
   30: .byte 00 00 00 00 00 00 00 00            # far
   38: .byte 00 00 20 d4 00 00 20 d4
   40: .byte 9a 99 99 99 99 99 b9 3f
"""
