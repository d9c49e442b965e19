"""Registers and condition codes of AArch64, by the numbers the encodings use.

The encoding 31 is the stack pointer in some places and the zero register in others.  Here they have
numbers of their own, so that a row (`encoding`) refuses the one where the other is meant.
"""

from __future__ import annotations

from doralang.machine.macro import FloatRegister, Register
from doralang.typing_forms import NewType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

X: Final = tuple(Register(number) for number in range(31))

FP: Final = X[29]
"""The frame pointer."""
LR: Final = X[30]
"""Where `bl` and `blr` leave the return address."""
SP: Final = Register(31)
ZR: Final = Register(32)
"""Reads as zero; what is written to it is lost."""

D: Final = tuple(FloatRegister(number) for number in range(32))

ConditionCode = NewType("ConditionCode", int)
"""The four bits of `b.cond`, `csel`, `csinc`; the lowest one negates."""

EQ: Final = ConditionCode(0)
NE: Final = ConditionCode(1)
HS: Final = ConditionCode(2)
LO: Final = ConditionCode(3)
MI: Final = ConditionCode(4)
PL: Final = ConditionCode(5)
VS: Final = ConditionCode(6)
VC: Final = ConditionCode(7)
HI: Final = ConditionCode(8)
LS: Final = ConditionCode(9)
GE: Final = ConditionCode(10)
LT: Final = ConditionCode(11)
GT: Final = ConditionCode(12)
LE: Final = ConditionCode(13)

CONDITION_NAMES: Final = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
"""By number."""
