"""Registers and condition codes of x86-64, by the numbers the encodings use."""

from __future__ import annotations

from doralang.machine.macro import FloatRegister, Register
from doralang.typing_forms import NewType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

RAX: Final = Register(0)
RCX: Final = Register(1)
RDX: Final = Register(2)
RBX: Final = Register(3)
RSP: Final = Register(4)
RBP: Final = Register(5)
RSI: Final = Register(6)
RDI: Final = Register(7)
R8: Final = Register(8)
R9: Final = Register(9)
R10: Final = Register(10)
R11: Final = Register(11)
R12: Final = Register(12)
R13: Final = Register(13)
R14: Final = Register(14)
R15: Final = Register(15)

XMM: Final = tuple(FloatRegister(number) for number in range(16))

ConditionCode = NewType("ConditionCode", int)
"""The low four bits of `jcc`, `setcc` and `cmovcc`; the lowest one negates."""

B: Final = ConditionCode(2)
AE: Final = ConditionCode(3)
E: Final = ConditionCode(4)
NE: Final = ConditionCode(5)
BE: Final = ConditionCode(6)
A: Final = ConditionCode(7)
P: Final = ConditionCode(10)
NP: Final = ConditionCode(11)
L: Final = ConditionCode(12)
GE: Final = ConditionCode(13)
LE: Final = ConditionCode(14)
G: Final = ConditionCode(15)

CONDITION_NAMES: Final = (
    "o",
    "no",
    "b",
    "ae",
    "e",
    "ne",
    "be",
    "a",
    "s",
    "ns",
    "p",
    "np",
    "l",
    "ge",
    "le",
    "g",
)
"""By number."""
