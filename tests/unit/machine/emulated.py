"""Runs code for AArch64 on any host, under Unicorn.

The emulator sees the memory of this process at its own addresses: pages are mapped when they are first touched.
So tests hand over pointers to ctypes arrays as they do natively.  Every call looks that the registers and the
stack pointer that the calling convention keeps are kept.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import unicorn
from unicorn import arm64_const as names

PAGE = 4096
STACK = 1 << 18
RETURN = 0x10_0000
"""where calls return to; nothing is there"""
KEPT = [names.UC_ARM64_REG_X19 + number for number in range(10)]
KEPT_FLOATS = [names.UC_ARM64_REG_D8 + number for number in range(8)]


def mapped_here(address: int) -> bool:
    """Whether this process may read there: a wild pointer of wrong code must not end the test run."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        start, _, end = span.partition("-")
        if int(start, 16) <= address < int(end, 16):
            return rights.startswith("r")
    return False


class Emulator:
    """One processor."""

    def __init__(self) -> None:
        self.uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self.stack = (ctypes.c_uint8 * STACK)()
        self.top = ctypes.addressof(self.stack) + STACK - 64 & -16
        kinds = unicorn.UC_HOOK_MEM_UNMAPPED
        self.uc.hook_add(kinds, self.map_page)

    def map_page(self, uc: Any, access: int, address: int, size: int, value: int, data: object) -> bool:
        pages = range(address & -PAGE, address + size, PAGE)
        if address == RETURN or not all(mapped_here(page) for page in pages):
            return False
        for page in pages:
            uc.mem_map_ptr(page, PAGE, unicorn.UC_PROT_ALL, ctypes.c_void_p(page))
        return True

    def forget(self) -> None:
        """Code has changed; what was translated is void."""
        self.uc.ctl_flush_tb()

    def call(self, address: int, *arguments: int) -> int:
        """Call a function with integers; its result, without sign."""
        uc = self.uc
        uc.reg_write(names.UC_ARM64_REG_SP, self.top)
        uc.reg_write(names.UC_ARM64_REG_LR, RETURN)
        for number, argument in enumerate(arguments):
            uc.reg_write(names.UC_ARM64_REG_X0 + number, argument)
        for number, register in enumerate((*KEPT, *KEPT_FLOATS)):
            uc.reg_write(register, 0x1111 * number + 7)
        uc.emu_start(address, RETURN)
        kept = [uc.reg_read(register) for register in (*KEPT, *KEPT_FLOATS)]
        assert kept == [0x1111 * number + 7 for number in range(len(kept))], "a kept register was changed"
        assert uc.reg_read(names.UC_ARM64_REG_SP) == self.top
        return int(uc.reg_read(names.UC_ARM64_REG_X0))
