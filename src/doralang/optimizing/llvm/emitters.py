"""The table of emitters: for each instruction of the bytecode the function that writes its text.

    @lowers(i.Move)
    def move(context: Context, insn: i.Move) -> None: …

A test looks that every instruction has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from doralang.bytecode.instructions import Instruction
from doralang.optimizing.llvm.context import FunctionLowering

Emitter = Callable[[FunctionLowering, Any], None]
F = TypeVar("F", bound=Emitter)

EMITTERS: Final[dict[type[Instruction], Emitter]] = {}
"""filled by the modules of this package that define emitters"""


class NotLowered(Exception):
    """LLVM is not asked to compile this function; the other lowering is."""


def lowers(*instructions: type[Instruction]) -> Callable[[F], F]:
    """Enter a function as the emitter of these instructions."""

    def enter(emit: F) -> F:
        for cls in instructions:
            assert cls not in EMITTERS, f"{cls.__name__} has an emitter"
            EMITTERS[cls] = emit
        return emit

    return enter
