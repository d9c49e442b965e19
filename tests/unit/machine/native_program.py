"""Runs code made by a macro assembler, all registers in view: natively or under an emulator.

A `Program` is made from a function that emits a few operations.  It fills every register that a client
may use from a block of memory, runs the operations, and writes every register back, so that a test sees
what was computed and what else changed.  `choose` says for which processor.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from struct import pack, unpack

import pytest

from doralang.machine.code import Code, link
from doralang.machine.macro import AnyRegister, MacroAssembler
from doralang.machine.memory import CodeArena
from doralang.machine.targets import TARGETS, Target, host
from doralang.optional import load
from doralang.types.kinds import Kind

MASK_32, MASK_64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
FLOATS = (Kind.FLOAT, Kind.DOUBLE)
WIDE = (Kind.LONG, Kind.REF)

ROOM = 128
SLOT = -160
"""In the frame of a `Program`, 8 bytes for tests, below the registers that are saved."""

arena = CodeArena(32 << 20)


class Processor:
    """What code is made for, and how it is run."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.is_native = target is host()
        self.emulator = None if self.is_native else load("emulated").Emulator()

    def call(self, address: int, *arguments: int) -> int:
        """Call a function with integers; its result, with a sign."""
        if self.emulator is None:
            kinds = [ctypes.c_int64] * len(arguments)
            return int(ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(address)(*arguments))
        result = int(self.emulator.call(address, *arguments))
        return result - (1 << 64) if result >> 63 else result


@cache
def processor_of(name: str) -> Processor:
    """One for each target."""
    return Processor(TARGETS[name])


EMULATED = ("arm64",)
"""the targets that can be run on other hosts"""

chosen: list[Processor] = []


def choose(name: str) -> None:
    """The target of all that follows; the test is skipped where its code cannot be run."""
    if TARGETS[name] is not host() and name not in EMULATED:
        pytest.skip(f"code for {name} can be run on such a machine only")
    chosen[:] = [processor_of(name)]


def processor() -> Processor:
    return chosen[0]


def assembler() -> MacroAssembler:
    return processor().target.assembler()


def place(code: Code, symbols: dict[str, int] | None = None) -> int:
    """The address of the placed code."""
    address = arena.allocate(len(code.data))
    arena.write(address, link(code, address, (symbols or {}).__getitem__))
    emulator = processor().emulator
    if emulator is not None:
        emulator.forget()
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
    """Operations with all registers around them, which must leave the scratch registers alone if those are taken."""

    def __init__(
        self,
        emit: Callable[[MacroAssembler], None],
        masm: MacroAssembler | None = None,
        symbols: dict[str, int] | None = None,
        loses_scratch: bool = False,
    ) -> None:
        masm = masm or assembler()
        self.loses_scratch = loses_scratch
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
        masm.set_frame_size(ROOM)
        self.code = masm.finish()
        self.address = place(self.code, symbols)
        self.processor = processor()

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
        self.processor.call(self.address, ctypes.addressof(self.block))
        after = list(self.block)
        assert self.loses_scratch or after[-2:] == before[-2:], "a scratch register that is taken was changed"
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
