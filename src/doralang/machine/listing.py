"""Listings: machine code as text, comments beside the instructions they belong to.

    code.data, code.comments  ->      0: pushq %rbp
                                      1: movq %rsp, %rbp
                                      4: addl %ecx, %eax             # int.plus

Capstone decodes; it is an optional part and is asked for only here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from doralang.machine.code import Code
from doralang.machine.targets import Target
from doralang.optional import load

COMMENT_COLUMN: Final = 48
HEXADECIMAL: Final = re.compile("[0-9a-f]+")
MISSING: Final = "printing machine code needs the package capstone: pip install capstone"


class Syntax(Enum):
    """How x86-64 is written; other processors have one way only."""

    ATT = "att"
    INTEL = "intel"


class ListingError(Exception):
    """No listing can be made; the text says why."""


def decoder(target: Target, syntax: Syntax) -> Any:
    """Capstone's decoder.  Raises ListingError if it is not installed."""
    try:
        capstone = load("capstone")
    except ImportError:
        raise ListingError(MISSING) from None
    architecture, mode = (getattr(capstone, name) for name in target.capstone)
    result = capstone.Cs(architecture, mode)
    result.skipdata = True  # go on behind bytes that are no instruction
    if syntax is Syntax.ATT and architecture == capstone.CS_ARCH_X86:
        result.syntax = capstone.CS_OPT_SYNTAX_ATT
    return result


def comments_by_offset(code: Code) -> dict[int, list[str]]:
    """What was said about each offset, what is outside included."""
    result: dict[int, list[str]] = {}
    for offset, text in code.comments:
        result.setdefault(offset, []).append(text)
    return result


def symbols_within(code: Code, start: int, end: int) -> list[str]:
    """The symbols that an instruction mentions."""
    return [str(symbol) for offset, _, symbol, _ in code.relocations if start <= offset < end]


def symbols_behind(code: Code) -> dict[int, str]:
    """By offset, the symbols whose addresses stand behind the instructions."""
    return {offset: str(symbol) for offset, _, symbol, _ in code.relocations if offset >= code.body_size}


def symbol_at_end(operands: str, behind: dict[int, str]) -> list[str]:
    """The symbol whose address an instruction loads: its last operand is where that stands."""
    last = operands.rpartition("#0x")[2] if behind else ""
    return [behind[int(last, 16)]] if HEXADECIMAL.fullmatch(last) and int(last, 16) in behind else []


def instruction_lines(code: Code, target: Target, syntax: Syntax) -> Iterator[str]:
    """The instructions; the first comment of an offset on the line, others on lines above."""
    comments, behind = comments_by_offset(code), symbols_behind(code)
    body = bytes(code.data[: code.body_size])
    for address, size, mnemonic, operands in decoder(target, syntax).disasm_lite(body, 0):
        notes = comments.pop(address, [])
        yield from (f"{'':{COMMENT_COLUMN}}# {note}" for note in notes[:-1])
        beside = notes[-1:] + symbols_within(code, address, address + size) + symbol_at_end(operands, behind)
        text = f"{address:5x}: {mnemonic} {operands}".rstrip()
        yield f"{text:{COMMENT_COLUMN}}# {', '.join(beside)}" if beside else text


def constant_lines(code: Code) -> Iterator[str]:
    """The data behind the instructions, in lines of 8 aligned bytes."""
    offset, behind = code.body_size, symbols_behind(code)
    while offset < len(code.data):
        end = min(offset + 8 & -8, len(code.data))
        text = f"{offset:5x}: .byte {code.data[offset:end].hex(' ')}"
        yield f"{text:{COMMENT_COLUMN}}# {behind[offset]}" if offset in behind else text
        offset = end


def listing(code: Code, target: Target, syntax: Syntax = Syntax.ATT) -> str:
    """The whole text.  Raises ListingError where Capstone is missing."""
    return "".join(f"{line}\n" for line in (*instruction_lines(code, target, syntax), *constant_lines(code)))
