"""Which level of packed code goes with what a processor says of itself."""

from __future__ import annotations

import pytest

from doralang.machine.x64.levels import (
    AVX,
    AVX2_BIT,
    AVX512_BITS,
    FMA_BIT,
    MASKS_AND_ZMM,
    OSXSAVE,
    XMM_AND_YMM,
    Level,
    level_of,
)

BASIC = OSXSAVE | AVX | FMA_BIT
WIDE = AVX2_BIT | AVX512_BITS
ALL = XMM_AND_YMM | MASKS_AND_ZMM


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ((0, 0, 0), Level.SSE2),
        ((OSXSAVE | AVX, 0, XMM_AND_YMM), Level.SSE2),
        ((BASIC, WIDE, 0), Level.SSE2),
        ((BASIC, WIDE, 0b10), Level.SSE2),
        ((OSXSAVE | AVX, AVX2_BIT, XMM_AND_YMM), Level.AVX2),
        ((OSXSAVE | AVX, WIDE, ALL), Level.AVX2),
        ((BASIC, AVX2_BIT, ALL), Level.FMA),
        ((BASIC, WIDE, XMM_AND_YMM), Level.FMA),
        ((BASIC, WIDE & ~(1 << 30), ALL), Level.FMA),
        ((BASIC, WIDE, ALL & ~(1 << 5)), Level.FMA),
        ((BASIC, WIDE, ALL), Level.AVX512),
    ],
)
def test_the_level_of(words: tuple[int, int, int], level: Level) -> None:
    """What the system does not save does not count."""
    assert level_of(*words) is level
