"""Slices in loops: what of the library's calls is an access of an element, and what it is in a strip.

    LentElements.get(xs, i)            ->    before the strip:  n = LentElements.len(xs)
    MutSlice.set(xs, i, x)                                      first = lentTogether(xs, 8)
    lentElement(address, xs, i)              in the strip:      lentAt(first, i)
                                                                setLentAt(first, i, x)

Which elements are there is the same throughout a call of the program, so it is asked once: a slice of another
call has the length 0.  `lentTogether` gives the address of the first element if they stand one behind the
other, as those of an array do, and else 0, and the loop stays as it was.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, INT, LONG, REF, Kind

KINDS: Final = (BOOL, BYTE, INT, LONG, FLOAT, DOUBLE)
"""of which there are slices with elements"""
LENGTH_KEY, GET, SET, NEXT = "LentElements.len", "LentElements.get", "MutSlice.set", "lentElement"


class LentAccess(NamedTuple):
    """Of an element."""

    slice: Register
    at: Register
    """the index"""
    kind: Kind
    value: Register
    """what is stored, or `NO_REGISTER`"""


def access_of(insn: Instruction) -> LentAccess | None:
    """What an instruction accesses of a slice, if it does."""
    if not isinstance(insn, i.CallInternal):
        return None
    key, kind, value = insn.function.internal, insn.function.result, NO_REGISTER
    if key == GET:
        slice, at = insn.args
    elif key == SET:
        slice, at, value = insn.args
        kind = insn.function.parameters[2]
    elif key == NEXT:
        _, slice, at = insn.args
    else:
        return None
    return LentAccess(slice, at, kind, value) if kind in KINDS else None


def is_length(insn: Instruction) -> bool:
    return isinstance(insn, i.CallInternal) and insn.function.internal == LENGTH_KEY


def internal(key: str, parameters: tuple[Kind, ...], result: Kind | None, of: str = "") -> FunctionRef:
    name = f"{key}{of}"
    return FunctionRef(name, name, name, None, parameters, result, False, internal=key, shared=True)


LENGTH: Final = internal(LENGTH_KEY, (REF,), INT)
TOGETHER: Final = internal("lentTogether", (REF, LONG), LONG)
LOADS: Final = {kind: internal("lentAt", (LONG, INT), kind, f"<{kind.value}>") for kind in KINDS}
STORES: Final = {kind: internal("setLentAt", (LONG, INT, kind), None, f"<{kind.value}>") for kind in KINDS}


def in_strip(insn: Instruction, access: LentAccess, first: Register) -> Instruction:
    """The same access by the address of the first element."""
    if access.value != NO_REGISTER:
        return i.CallInternal(NO_REGISTER, STORES[access.kind], (first, access.at, access.value))
    return i.CallInternal(i.defined(insn), LOADS[access.kind], (first, access.at))
