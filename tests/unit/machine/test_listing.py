"""Listings: instructions, comments beside them, symbols, constants."""

from __future__ import annotations

import pytest

from dora.machine import listing as listing_module
from dora.machine.buffer import Code
from dora.machine.listing import ListingError, Syntax, listing
from dora.machine.macro import Binary, Condition
from dora.machine.targets import TARGETS
from dora.types.types import Kind

X64 = TARGETS["x64"]


def example() -> Code:
    """A function that adds two ints and calls another for negative sums."""
    masm = X64.assembler()
    a, b = masm.temporaries[:2]
    slow = masm.label()
    masm.comment("prologue")
    masm.prologue((masm.thread,))
    masm.load(Kind.INT, a, masm.frame_pointer, -24)
    masm.load(Kind.INT, b, masm.frame_pointer, -32)
    masm.comment("line 3")
    masm.comment("int.plus")
    masm.binary(Binary.ADD, Kind.INT, a, a, b)
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
    4: pushq %r15
    6: subq $0x18, %rsp
    d: movl -0x18(%rbp), %eax
   10: movl -0x20(%rbp), %ecx
                                                # line 3
   13: addl %ecx, %eax                          # int.plus
   15: testl %eax, %eax
   17: jl 0x2b
   1d: movsd 0x1b(%rip), %xmm0
   25: movq -8(%rbp), %r15
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
    4: push r15
    6: sub rsp, 0x18
    d: mov eax, dword ptr [rbp - 0x18]
   10: mov ecx, dword ptr [rbp - 0x20]
                                                # line 3
   13: add eax, ecx                             # int.plus
   15: test eax, eax
   17: jl 0x2b
   1d: movsd xmm0, qword ptr [rip + 0x1b]
   25: mov r15, qword ptr [rbp - 8]
   29: leave
   2a: ret
   2b: call qword ptr [rip]                     # slow path, entry:negative
   31: ud2
   33: .byte cc cc cc cc cc
   38: .byte cc cc cc cc cc cc cc cc
   40: .byte 00 00 00 00 00 00 f8 3f
"""
