"""The code that gathers and scatters elements, for both processors, against the plainest Python."""

from __future__ import annotations

import ctypes
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from emulated import Emulator

from doralang.embed.buffers import FORMATS, SIZES
from doralang.embed.walks import COPY, READABLE, WRITABLE, emit_copy, merged, walk
from doralang.machine.memory import CodeArena
from doralang.machine.targets import TARGETS, Target, host
from doralang.types.kinds import BOOL, BYTE, FLOATING, INT, LONG, Kind

PAIRS = [
    *((element, close, True) for close, elements in READABLE.items() for element in elements),
    *((element, close, False) for close, elements in WRITABLE.items() for element in elements),
]
Copy = Callable[[Any, int, Any], int]
EMULATED = next(target for target in TARGETS.values() if not target.coherent)


def native(code: bytes, arena: CodeArena) -> Copy:
    function = COPY(arena.place(code))
    return lambda place, count, close: function(place, count, close)


def emulated(code: bytes) -> Copy:
    emulator, kept = Emulator(), ctypes.create_string_buffer(code, len(code))

    def call(place: Any, count: int, close: Any) -> int:
        return emulator.call(ctypes.addressof(kept), ctypes.addressof(place), count, ctypes.addressof(close))

    return call


def code_of(target: Target, element: Kind, close: Kind, gathers: bool, between: Kind | None = None) -> bytes:
    masm = target.assembler()
    emit_copy(masm, element, close, gathers, between or close)
    return bytes(masm.finish().data)


def value_for(choose: random.Random, kinds: tuple[Kind, Kind]) -> int | float:
    """One that both kinds hold."""
    if BOOL in kinds:
        return choose.randrange(2)
    if BYTE in kinds:
        return choose.randrange(256)
    if INT in kinds:
        return choose.choice([0, 1, -1, 2**31 - 1, -(2**31), choose.randrange(-(2**31), 2**31)])
    if LONG in kinds and set(kinds) & set(FLOATING):
        return choose.randrange(-(2**53), 2**53)
    if LONG in kinds:
        return choose.choice([2**63 - 1, -(2**63), choose.randrange(-(2**63), 2**63)])
    return (
        choose.choice([0.0, -0.0, 0.5, 2.0**100, float("inf")])
        if choose.random() < 0.5
        else choose.randrange(1000) / 8
    )


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
@pytest.mark.parametrize(("element", "close", "gathers"), PAIRS, ids=str)
def test_copies(target: Target, element: Kind, close: Kind, gathers: bool) -> None:
    choose = random.Random(f"{element}{close}{gathers}")
    code = code_of(target, element, close, gathers)
    if target is host():
        arena = CodeArena(1 << 20)
        copy = native(code, arena)
    elif target is EMULATED:
        copy = emulated(code)
    else:
        pytest.skip("there is an emulator for the other one only")
    for _ in range(6):
        check_walk(choose, copy, element, close, gathers)


def check_walk(choose: random.Random, copy: Copy, element: Kind, close: Kind, gathers: bool) -> None:
    """Some elements of an array of any strides, in two goes, from any one on."""
    shape = tuple(choose.randrange(1, 5) for _ in range(choose.randrange(4)))
    size, form = SIZES[element], "<" + FORMATS[element]
    strides, step = [], size
    for extent in shape:
        strides.append(step * choose.choice([1, 2]) * choose.choice([1, -1]))
        step = abs(strides[-1]) * extent
    if gathers and strides and choose.random() < 0.3:
        strides[choose.randrange(len(strides))] = 0
    low = sum(min(0, stride * (extent - 1)) for stride, extent in zip(strides, shape, strict=True))
    offsets = [0]
    for stride, extent in zip(strides, shape, strict=True):
        offsets = [offset + stride * at for offset in offsets for at in range(extent)]
    memory = ctypes.create_string_buffer(4 * step + 64 + choose.randrange(4))
    base = ctypes.addressof(memory) - low
    values = [value_for(choose, (element, close)) for _ in offsets]
    start = choose.randrange(len(offsets))
    place = walk(base, merged(shape, strides), start)
    count = len(offsets) - start
    room = ctypes.create_string_buffer((count + 1) * SIZES[close])
    close_form = "<" + FORMATS[close]
    for offset, value in zip(offsets, values, strict=True) if gathers else ():
        struct.pack_into(form, memory, offset - low, value)
    for index in range(0 if gathers else count):
        struct.pack_into(close_form, room, index * SIZES[close], values[start + index])
    first = choose.randrange(count + 1)
    rest = (ctypes.c_char * ((count - first + 1) * SIZES[close])).from_buffer(room, first * SIZES[close])
    assert copy(place, first, room) == 0
    assert copy(place, count - first, rest) == 0
    for index, offset in enumerate(offsets[start:]):
        if gathers:
            held = struct.unpack_from(form, memory, offset - low)[0]
            assert struct.unpack_from(close_form, room, index * SIZES[close])[0] == held
        else:
            assert struct.unpack_from(form, memory, offset - low)[0] == values[start + index]


@pytest.mark.parametrize("at", [0, 3, 6])
def test_the_first_that_does_not_fit_is_told(at: int) -> None:
    for target in TARGETS.values():
        code = code_of(target, LONG, INT, True)
        copies = [emulated(code)] if target is EMULATED else []
        arena = CodeArena(1 << 20)
        copies += [native(code, arena)] if target is host() else []
        for copy in copies:
            for wrong in (1 << 31, -(1 << 31) - 1, 1 << 40):
                numbers = (ctypes.c_int64 * 7)(*[wrong if index == at else -index for index in range(7)])
                place = walk(ctypes.addressof(numbers), merged((7,), (8,)), 0)
                room = (ctypes.c_int32 * 7)()
                assert copy(place, 7, room) == 7 - at
                assert list(room[:at]) == [-index for index in range(at)]


def test_dimensions_are_merged() -> None:
    assert merged((2, 3, 4), (96, 32, 8)) == [(24, 8)]
    assert merged((2, 3, 4), (8, 16, 48)) == [(4, 48), (3, 16), (2, 8)]
    assert merged((5, 1, 4), (0, 9, 8)) == [(4, 8), (5, 0)]
    assert merged((5, 4), (0, 0)) == [(20, 0)]
    assert merged((1, 1), (3, 4)) == [(1, 0)]
    assert merged((), ()) == [(1, 0)]
