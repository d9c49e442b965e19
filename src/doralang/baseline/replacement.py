"""On-stack replacement: the way from a loop in baseline code into better code of the same function.

    a loop with i at home in esi, sum in the slot at rbp - 16; the better code takes (i, sum)

    mov edi, esi           where the stub of the poll returns to, in place of the loop:
    mov esi, [rbp - 16]      the frame is that of the old code, all registers are as at the poll
    movabs r10, entry
    call r10               the better code runs to its end
    mov rbx, [rbp - 8]
    leave                  and the old frame is left, with the result of the new one
    ret

A frame says nothing about itself, so the function is compiled once more, which gives the same code, and what
the compiler knows at the poll is where each value is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doralang.baseline.context import FunctionCompilation, LoopPoll
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import Register
from doralang.bytecode.places import Site
from doralang.code import layout
from doralang.code.objects import CodeObject, GCPoint
from doralang.machine.targets import Target
from doralang.types.kinds import LONG

STACK_ALIGNMENT: Final = 16


def way_into(
    target: Target,
    context: FunctionCompilation,
    poll: LoopPoll,
    live: Sequence[Register],
    entry: FunctionRef,
    address: int,
) -> CodeObject:
    """The code that leads from a poll to `address`, where `entry` begins, which takes the live registers.

    The context is that of the compiled function, which is not compiled any further.
    """
    masm, frame = target.assembler(), context.frame
    masm.use_frame(frame.kept_used)
    frame.masm = masm
    frame.constants = poll.constants
    frame.where = [None if number in poll.constants else home for number, home in enumerate(frame.homes)]
    passing = context.passing[entry.parameters]
    if passing.stack_size:
        room = layout.align(passing.stack_size, STACK_ALIGNMENT)
        masm.load_address(masm.stack_pointer, masm.stack_pointer, -room)
    frame.pass_arguments(passing, live)
    with masm.scratch() as code:
        masm.load_constant(LONG, code, address)
        returns_to = masm.call(code)
    masm.epilogue()
    return CodeObject(entry, masm.finish(), [unseen(entry, returns_to)])


def unseen(entry: FunctionRef, offset: int) -> GCPoint:
    """The GC point of a frame that stack traces leave out, as the frame of the better code stands for it.

    It holds no reference that is needed.  Whoever tells of frames looks at functions that were inlined one by
    one, and skips those that are hidden; so this is one that was inlined into itself.
    """
    hidden = FunctionRef(
        entry.name, entry.plain_name, entry.signature, entry.file, (), None, entry.throws, hidden=True
    )
    site = Site(hidden, 0)
    return GCPoint(offset, *site, (), (site,))
