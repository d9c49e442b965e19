"""Runs code made by a macro assembler natively, all registers in view.

A `Program` is made from a function that emits a few operations.  It fills every register that a client
may use from a block of memory, runs the operations, and writes every register back, so that a test sees
what was computed and what else changed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from struct import pack, unpack

import pytest

from dora.machine.buffer import Code, link
from dora.machine.macro import AnyRegister, MacroAssembler
from dora.machine.memory import CodeArena
from dora.machine.targets import Target, host
from dora.types.types import Kind

MASK_32, MASK_64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
FLOATS = (Kind.FLOAT, Kind.DOUBLE)
WIDE = (Kind.LONG, Kind.REF)

arena = CodeArena()


def target() -> Target:
    """The host's; the test is skipped where there is none."""
    found = host()
    if found is None:
        pytest.skip("no code can be made for this machine")
    return found


def assembler() -> MacroAssembler:
    return target().assembler()


def place(code: Code, symbols: dict[str, int] | None = None) -> int:
    """The address of the placed code."""
    address = arena.allocate(len(code.data))
    arena.write(address, link(code, address, (symbols or {}).__getitem__))
    return address


def to_bits(kind: Kind, value: int | float) -> int:
    """What a register or 8 bytes of memory hold."""
    if kind is Kind.DOUBLE:
        return int(unpack("<Q", pack("<d", value))[0])
    if kind is Kind.FLOAT:
        return int(unpack("<I", pack("<f", value))[0])
    return int(value) & (MASK_64 if kind in WIDE else MASK_32)


def from_bits(kind: Kind, bits: int) -> int | float:
    """The value of a register, of which all 64 bits count."""
    if kind is Kind.DOUBLE:
        return float(unpack("<d", pack("<Q", bits))[0])
    if kind is Kind.FLOAT:
        return float(unpack("<f", pack("<I", bits & MASK_32))[0])
    if kind in WIDE:
        return bits - (1 << 64) if bits >> 63 else bits
    assert bits <= MASK_32, f"the upper half is not clear: {bits:#x}"
    return bits - (1 << 32) if kind is Kind.INT and bits >> 31 else bits


class Program:
    """Operations with all registers around them."""

    def __init__(
        self,
        emit: Callable[[MacroAssembler], None],
        masm: MacroAssembler | None = None,
        symbols: dict[str, int] | None = None,
    ) -> None:
        masm = masm or assembler()
        self.integers = (*masm.temporaries, *masm.callee_saved)
        self.floats = masm.float_temporaries
        self.places = [(Kind.LONG, number) for number in self.integers]
        self.places += [(Kind.DOUBLE, number) for number in self.floats]
        self.block = (ctypes.c_uint64 * (len(self.places) + 2))()
        masm.prologue((*masm.callee_saved, masm.thread))
        masm.move(Kind.LONG, masm.thread, masm.arguments[0])
        with masm.scratch() as scratch, masm.float_scratch() as float_scratch:
            around = [*self.places, (Kind.LONG, scratch), (Kind.DOUBLE, float_scratch)]
            for index, (kind, register) in enumerate(around):
                masm.load(kind, register, masm.thread, 8 * index)
            emit(masm)
            for index, (kind, register) in enumerate(around):
                masm.store(kind, register, masm.thread, 8 * index)
        masm.epilogue()
        masm.set_frame_size(64)
        self.code = masm.finish()
        self.address = place(self.code, symbols)
        self.function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)

    def run(self, inputs: dict[tuple[Kind, AnyRegister], int | float]) -> dict[tuple[bool, int], int]:
        """Registers after the run as bits, by (is it a float register, number).  Only those that changed."""
        given = {
            (kind in FLOATS, register): to_bits(kind, value) for (kind, register), value in inputs.items()
        }
        before = []
        for index, (kind, register) in enumerate(self.places):
            before.append(given.get((kind in FLOATS, register), 0x0101_0101_0101_0101 * (index + 1)))
        before += [0x5C5C_5C5C_5C5C_5C5C, 0x6C6C_6C6C_6C6C_6C6C]
        self.block[:] = before
        self.function(ctypes.addressof(self.block))
        after = list(self.block)
        assert after[-2:] == before[-2:], "a scratch register that is taken was changed"
        self.after = {
            (kind in FLOATS, register): bits
            for (kind, register), bits in zip(self.places, after, strict=False)
        }
        return {
            key: bits
            for key, bits, old in zip(self.after, self.after.values(), before, strict=False)
            if bits != old
        }

    def value(
        self, kind: Kind, register: AnyRegister, inputs: dict[tuple[Kind, AnyRegister], int | float]
    ) -> int | float:
        """What is in `register` after the run, which must have changed nothing else."""
        changed = self.run(inputs)
        changed.pop((kind in FLOATS, register), None)
        assert not changed, f"clobbered: {changed}"
        return from_bits(kind, self.after[kind in FLOATS, register])

    def free(self) -> None:
        arena.free(self.address, len(self.code.data))
