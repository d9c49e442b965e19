"""Reads what assemblers write."""

from __future__ import annotations


def sections_of(data: bytes) -> dict[str, bytes]:
    """The sections of an ELF file of 64 bits."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "little")

    table, entry, count, names = number(40, 8), number(58, 2), number(60, 2), number(62, 2)
    headers = [table + entry * index for index in range(count)]
    strings = number(headers[names] + 24, 8)
    result = {}
    for header in headers:
        start = strings + number(header, 4)
        name = data[start : data.index(b"\0", start)].decode()
        offset, size = number(header + 24, 8), number(header + 32, 8)
        result[name] = data[offset : offset + size]
    return result
