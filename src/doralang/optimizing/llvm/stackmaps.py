"""Stack maps: where calls return to, and in which slots of the frame references are then.

A statepoint's record has three constants, then two places for each live reference, the same for us.
They are relative to the stack pointer; collectors know the frame pointer, so the distance between the two
must be known, too.  (LLVM: Stack maps and patch points; Garbage Collection Safepoints in LLVM.)
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from doralang.optimizing.llvm.emitters import NotLowered

HEADER: Final = Struct("<BBHIII")
FUNCTION: Final = Struct("<QQQ")
RECORD: Final = Struct("<QIHH")
LOCATION: Final = Struct("<BBHHHi")
OUTS: Final = Struct("<HH")

VERSION: Final = 3
INDIRECT, CONSTANT = 3, 4
"""kinds of locations: memory at a register plus an offset; a number"""
FIRST: Final = 3
"""locations of a statepoint before those of references"""
WORD: Final = 8
UNKNOWN_SIZE: Final = 1 << 40
"""A frame of a size that is not known when code is made says it is larger than this."""


class FrameRegisters(NamedTuple):
    """The numbers that DWARF gives a processor's registers, and where the frame pointer is."""

    stack_pointer: int
    frame_pointer: int
    distance: int
    """of the frame pointer from the stack pointer, behind the prologue"""


class StackMapRecord(NamedTuple):
    """A call: the number of its statepoint, where it returns to, its slots, from the frame pointer."""

    site: int
    offset: int
    slots: tuple[int, ...]


def stack_size(data: bytes) -> int:
    """Bytes of the frame of the one function that a section tells of."""
    _, _, _, functions, _, _ = HEADER.unpack_from(data)
    if functions != 1:
        raise NotLowered(f"stack map of {functions} functions")
    _, size, _ = FUNCTION.unpack_from(data, HEADER.size)
    if size > UNKNOWN_SIZE:
        raise NotLowered("the frame's size is not known")
    return int(size)


def records(data: bytes, frame: FrameRegisters) -> Iterator[StackMapRecord]:
    """The calls of a function.  Raises NotLowered for what this reader does not know."""
    version, _, _, functions, constants, count = HEADER.unpack_from(data)
    if version != VERSION:
        raise NotLowered(f"stack maps of version {version}")
    at = HEADER.size + FUNCTION.size * functions + WORD * constants
    for _ in range(count):
        site, offset, _, locations = RECORD.unpack_from(data, at)
        at += RECORD.size
        slots = set()
        for number in range(locations):
            place = slot_of(LOCATION.unpack_from(data, at), frame, number)
            at += LOCATION.size
            if place is not None:
                slots.add(place)
        at += -at % WORD
        _, outs = OUTS.unpack_from(data, at)
        at += OUTS.size + 4 * outs
        at += -at % WORD
        yield StackMapRecord(site, offset, tuple(sorted(slots)))


def slot_of(location: tuple[int, ...], frame: FrameRegisters, number: int) -> int | None:
    """The distance of a slot from the frame pointer; None if there is no reference in it."""
    kind, _, size, register, _, value = location
    if kind == CONSTANT and (number < FIRST or value == 0):
        return None
    if kind == INDIRECT and size == WORD and number >= FIRST:
        if register == frame.stack_pointer:
            return value - frame.distance
        if register == frame.frame_pointer:
            return value
    raise NotLowered(f"a reference in a location of kind {kind}, register {register}, size {size}")
