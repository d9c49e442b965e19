"""Back into the VM: the functions that are active in the middle of a path, as calls of the VM.

    loop's function, at a call        a block whose only closure goes on in g, then on behind the call
      g, at a call                      a block whose only closure goes on in h, then on behind the call
        h, at any instruction             its block that starts there

Each goes on in a Python frame of its own, so stack traces are those of any other program.
"""

from __future__ import annotations

from doralang.text.records import record
from doralang.vm.code import ClosureBlock, Registers, go_on
from doralang.vm.control import goto
from doralang.vm.translator import Translator


@record(eq=True)
class Active:
    """A function, the instruction that comes next, and the register of its caller that gets its result."""

    translator: Translator
    index: int
    result: int
    registers: Registers


def resume(frames: list[Active], depth: int = 0) -> ClosureBlock:
    """The block with which the function at this depth goes on; the outermost one is at 0."""
    frame = frames[depth]
    if depth == len(frames) - 1:
        return frame.translator.block(frame.index)
    inner, code = frames[depth + 1], frame.translator.code

    def op(r: Registers) -> None:
        r[inner.result] = go_on(inner.translator.code, resume(frames, depth + 1), inner.registers)
        del code.places[op]

    code.places[op] = frame.translator.function.chain(frame.index - 1)
    return ClosureBlock((op,), goto(frame.translator.block(frame.index)))
