"""The table of emitters: for each instruction of the bytecode the function that emits its machine code.

    @emits(i.Move)
    def move(context: Context, insn: i.Move) -> None: …

A test looks that every instruction has one.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.baseline.context import FunctionCompilation
from doralang.bytecode.instructions import Instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias, TypeVar

    Emitter: TypeAlias = Callable[[FunctionCompilation, Any], None]
    F = TypeVar("F", bound=Emitter)

EMITTERS: Final[dict[type[Instruction], Emitter]] = {}
"""filled by the modules of this package that define emitters"""


def emits(*instructions: type[Instruction]) -> Callable[[F], F]:
    """Enter a function as the emitter of these instructions."""

    def enter(emit: F) -> F:
        for cls in instructions:
            assert cls not in EMITTERS, f"{cls.__name__} has an emitter"
            EMITTERS[cls] = emit
        return emit

    return enter
