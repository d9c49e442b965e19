"""Reading and writing native memory from Python, and regions that are filled from bottom to top."""

from __future__ import annotations

from doralang.code import layout
from doralang.machine.foreign import BYTE, INT32, WORD, bytes_at, copy
from doralang.machine.memory import map_memory, unmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MASK: Final = (1 << 64) - 1


class Words:
    """The 8-byte words from an address on, by their offset in bytes."""

    __slots__ = ("address", "words")

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.words = (WORD * (size // layout.WORD)).from_address(address)

    def __getitem__(self, offset: int) -> int:
        return self.words[offset // layout.WORD]

    def __setitem__(self, offset: int, value: int) -> None:
        self.words[offset // layout.WORD] = value & MASK

    def signed(self, offset: int) -> int:
        value = self.words[offset // layout.WORD]
        return value - (1 << 64) if value >> 63 else value


def load_word(address: int) -> int:
    return int(WORD.from_address(address).value)


def load_words(address: int, count: int) -> list[int]:
    return list((WORD * count).from_address(address)) if count else []


def store_word(address: int, value: int) -> None:
    WORD.from_address(address).value = value & MASK


def store_int(address: int, value: int) -> None:
    """Store four bytes at once: another thread sees the old value or the new one."""
    INT32.from_address(address).value = value


def load_bytes(address: int, size: int) -> bytes:
    data: bytes = bytes_at(address, size)
    return data


def store_bytes(address: int, data: bytes) -> None:
    copy(address, data, len(data))


def memory_at(address: int, size: int) -> memoryview:
    """Bytes in place, to be read and written."""
    return memoryview((BYTE * size).from_address(address)).cast("B")


class RegionFull(MemoryError):
    """There is no room left in a region."""


class Region:
    """Reserved memory, zero until it is used, given out from bottom to top and never taken back."""

    __slots__ = ("end", "size", "start", "top")

    def __init__(self, size: int) -> None:
        self.size = size
        self.start = self.top = map_memory(size)
        self.end = self.start + size

    def allocate(self, size: int) -> int:
        """The address of `size` bytes, a multiple of 8."""
        address = self.top
        if address + layout.align(size) > self.end:
            raise RegionFull(f"{size} more bytes than {self.size}")
        self.top += layout.align(size)
        return address

    def free(self) -> None:
        unmap(self.start, self.size)
