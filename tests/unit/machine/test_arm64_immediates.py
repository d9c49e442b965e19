"""Which constants the instructions of AArch64 can hold: all of those that can be enumerated, and others."""

from __future__ import annotations

import random
import struct

import pytest

from doralang.machine.arm64.immediates import bitmask, fits_add, float_immediate, float_immediates, pieces


def decoded(immediate: int, width: int) -> int:
    """The manual's DecodeBitMasks, in its order."""
    n, rotation, size = immediate >> 12, immediate >> 6 & 63, immediate & 63
    element = 1 << (n << 6 | ~size & 63).bit_length() - 1
    ones, turns = (size & element - 1) + 1, rotation & element - 1
    run = (1 << ones) - 1
    run = (run >> turns | run << element - turns) & (1 << element) - 1
    return sum(run << place for place in range(0, width, element))


def all_bitmasks(width: int) -> set[int]:
    """Every run of ones, at every place, repeated in every size."""
    found = set()
    size = 2
    while size <= width:
        for ones in range(1, size):
            for turns in range(size):
                run = (1 << ones) - 1
                run = (run << turns | run >> size - turns) & (1 << size) - 1
                found.add(sum(run << place for place in range(0, width, size)))
        size *= 2
    return found


@pytest.mark.parametrize(("width", "count"), [(32, 1302), (64, 5334)])
def test_every_bitmask_is_found_and_means_itself(width: int, count: int) -> None:
    masks = all_bitmasks(width)
    assert len(masks) == count
    for mask in masks:
        immediate = bitmask(mask, width)
        assert immediate is not None and decoded(immediate, width) == mask


@pytest.mark.parametrize("width", [32, 64])
def test_nothing_else_is_a_bitmask(width: int) -> None:
    masks, source = all_bitmasks(width), random.Random(1)
    values = {0, (1 << width) - 1, 5, *(source.getrandbits(width) for _ in range(2000))}
    values |= {mask ^ 1 << source.randrange(width) for mask in list(masks)[:2000]}
    assert [value for value in values - masks if bitmask(value, width) is not None] == []


def test_floats_in_eight_bits() -> None:
    assert len(float_immediates()) == 256
    for value, bits in float_immediates().items():
        sign, fraction = bits >> 7, bits & 15
        exponent = 0x3FC if bits & 0x40 else 0x400
        pattern = sign << 63 | (exponent | bits >> 4 & 3) << 52 | fraction << 48
        assert struct.pack("<d", value) == pattern.to_bytes(8, "little")
        assert float_immediate(value) == bits
    for value in (0.0, -0.0, 0.1, 32.0, 0.0625, float("inf"), float("nan")):
        assert float_immediate(value) is None


@pytest.mark.parametrize("width", [32, 64])
def test_pieces_make_the_constant(width: int) -> None:
    source = random.Random(2)
    values = [0, 1, 0xFFFF, 0x10000, (1 << width) - 1, (1 << width) - 2, 1 << width - 1, 0x1234_5678]
    values += [source.getrandbits(width) & source.getrandbits(width) for _ in range(500)]
    values += [(1 << width) - 1 - value for value in values]
    for value in values:
        made = pieces(value, width)
        result = 0
        for mnemonic, bits, shift in made:
            if mnemonic == "movz":
                result = bits << shift
            elif mnemonic == "movn":
                result = (1 << width) - 1 - (bits << shift)
            else:
                result = result & ~(0xFFFF << shift) | bits << shift
        assert result == value
        quarters = [value >> place & 0xFFFF for place in range(0, width, 16)]
        boring = max(quarters.count(0), quarters.count(0xFFFF))
        assert len(made) == max(len(quarters) - boring, 1)


def test_what_add_and_compare_hold() -> None:
    held = (0, 1, 0xFFF, 0x1000, 0xFFF000)
    assert all(fits_add(value) for value in held)
    assert not any(fits_add(value) for value in (-1, 0x1001, 0x1000000, 0xFFF001))
