"""Code for each row of the primitives: one emitter for each family.

An emitter gets the compiler and the instruction.  `EMITTERS` has one for every row; a test asserts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dora.bytecode.instructions import Compute
from dora.machine.macro import (
    SWAPPED,
    AnyRegister,
    Binary,
    Condition,
    FloatBinary,
    FloatCondition,
    FloatRegister,
    Register,
    Rounding,
)
from dora.types.primitives import C_FUNCTIONS_1, C_FUNCTIONS_2, PRIMITIVES
from dora.types.traps import Trap
from dora.types.types import Kind
