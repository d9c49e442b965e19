"""Numbers as processors hold them: low bits with and without a sign, and the bytes of floats."""

from __future__ import annotations

from struct import pack

from doralang.types.kinds import Kind


def signed32(value: int) -> int:
    """The low 32 bits, as a signed number."""
    return ((value + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def signed64(value: int) -> int:
    """The low 64 bits, as a signed number."""
    return ((value + 0x8000_0000_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000


def pattern32(value: int) -> int:
    """The low 32 bits, without sign."""
    return value & 0xFFFF_FFFF


def pattern64(value: int) -> int:
    """The low 64 bits, without sign."""
    return value & 0xFFFF_FFFF_FFFF_FFFF


def in_32_bits(value: int) -> bool:
    """Whether 32 bits with a sign hold it."""
    return -0x8000_0000 <= value < 0x8000_0000


def float_pattern(kind: Kind, value: float) -> bytes:
    """The bytes of a float constant."""
    return pack("<d" if kind is Kind.DOUBLE else "<f", value)
