"""The level of packed code on this processor, and who makes it.

x86-64 has several, and `DORA_VECTORS`, one of `sse2`, `avx2`, `fma` and `avx512`, lets less be used than
there is: so all of them are tested.  All of AArch64 is the same.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import TYPE_CHECKING, Final

from doralang.embed import direct
from doralang.machine.targets import X64, host
from doralang.machine.x64.levels import Level, detector, level_of
from doralang.optional import load

if TYPE_CHECKING:
    from doralang.machine.packed.primitives import Packer

PACKERS: Final = {
    Level.SSE2: ("doralang.machine.x64.packed_sse2", "Sse2Packer"),
    Level.AVX2: ("doralang.machine.x64.packed_avx2", "Avx2Packer"),
    Level.FMA: ("doralang.machine.x64.packed_avx2", "Avx2Packer"),
    Level.AVX512: ("doralang.machine.x64.packed_avx512", "Avx512Packer"),
}
NEON_PACKER: Final = ("doralang.machine.arm64.packed_neon", "NeonPacker")


def named(name: str) -> Level:
    """Raises ValueError."""
    for one in Level:
        if one.name.lower() == name:
            return one
    raise ValueError(f"DORA_VECTORS: {name!r} is none of {', '.join(one.name.lower() for one in Level)}")


HIGHEST: Final = named(os.environ.get("DORA_VECTORS") or "avx512")


def level() -> Level:
    """The level that is used."""
    return min(found(), HIGHEST)


@cache
def found() -> Level:
    """The level of the processor."""
    place = direct.PLACES[0]
    code, words = detector(), (ctypes.c_uint32 * 3)()
    address = place.arena.place(code)
    try:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(words)
    finally:
        place.arena.free(address, len(code))
    return level_of(*words)


def packer() -> type[Packer]:
    """What adds primitives to packed programs for this processor."""
    return packer_for(level()) if host() is X64 else loaded(*NEON_PACKER)


def has_fused_products() -> bool:
    """Whether there are products and sums in one, which fast mathematics is made of."""
    return host() is not X64 or level() >= Level.FMA


def packer_for(level: Level) -> type[Packer]:
    """The same for a level of x86-64."""
    return loaded(*PACKERS[level])


def loaded(module: str, name: str) -> type[Packer]:
    return getattr(load(module), name)  # type: ignore[no-any-return]
