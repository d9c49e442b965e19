"""What functions become in the VM, and the loop that runs them.

    Block(body, end)      body: closures, called one after the other with the registers of the call
                          end: a closure that gives the block to go on with, or None at a return

Operands are bound into the closures, so nothing is decoded while a program runs:

    Compute r2, int.plus, (r2, r5)   ->   def op(r): v = r[2] + r[5]; r[2] = v if … else wrap(v)

A call of the program is a call of `run` in Python, and the stack of the program is Python's: which function
is active, and which closure it is in, stands in the local variables of the Python frames of `run`.  So calls
pay nothing for stack traces; `active_sites` reads them out when somebody asks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Final

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.places import Chain, Site

Registers = list[Any]
"""those of one call, and behind them one more, for results that nobody wants: it is `r[NO_REGISTER]`, too"""

Op = Callable[[Registers], None]
End = Callable[[Registers], "ClosureBlock | None"]


class ClosureBlock:
    """Closures that run one after the other."""

    __slots__ = ("body", "end")

    def __init__(self, body: tuple[Op, ...], end: End) -> None:
        self.body = body
        self.end = end


class ClosureCode:
    """A function, ready to run.

    `rest` are the registers behind the parameters, all empty.  `places` has the chain of each closure that
    may fail or call; `line` serves for the others.
    """

    __slots__ = ("entry", "line", "places", "ref", "rest")

    def __init__(self, ref: FunctionRef, entry: ClosureBlock) -> None:
        self.ref = ref
        self.entry = entry
        self.rest: Registers = [None]
        self.places: dict[Op | End, Chain] = {}
        self.line = 0


def run(code: ClosureCode, r: Registers) -> Any:
    """Call a function; the registers given are its arguments."""
    r += code.rest
    block: ClosureBlock | None = code.entry
    op: Callable[[Registers], Any]
    while block is not None:
        for op in block.body:
            op(r)
        op = block.end
        block = op(r)
    return r[0]


def go_on(code: ClosureCode, block: ClosureBlock | None, r: Registers) -> Any:
    """As `run`, but in the middle of a function, with the registers as they are there."""
    op: Callable[[Registers], Any]
    while block is not None:
        for op in block.body:
            op(r)
        op = block.end
        block = op(r)
    return r[0]


def with_room(first: ClosureBlock, depth: int) -> ClosureBlock:
    """An entry of a function with many registers: it overflows where so many Python frames are active."""

    def end(r: Registers) -> ClosureBlock:
        try:
            sys._getframe(depth)
        except ValueError:
            return first
        raise RecursionError

    return ClosureBlock((), end)


RUNNING: Final = (run.__code__, go_on.__code__)
"""what runs in the Python frames that are calls of the program"""


CALLS: Final = "doralang.vm.calls"
"""whose closures call"""


def active_sites(frame: FrameType | None) -> list[Site]:
    """The functions of the program that are active in a Python frame and its callers, innermost first."""
    sites: list[Site] = []
    while frame is not None:
        if frame.f_code in RUNNING:
            sites += told_of(frame)
        frame = frame.f_back
    return sites


def told_of(frame: FrameType) -> list[Site]:
    """The functions that are active in a frame of `run`, without those that nobody is told of."""
    return [site for site in chain_of(frame) if not site.function.hidden]


def failed_frames(error: BaseException) -> list[FrameType]:
    """The frames of the functions that were active where an exception was raised, innermost first."""
    frames = [frame for frame in frames_of(error.__traceback__) if frame.f_code in RUNNING][::-1]
    if isinstance(error, RecursionError) and frames and not is_calling(frames[0]):
        del frames[0]  # there was room for `run`, but not for the first closure
    return frames


def frames_of(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def is_calling(frame: FrameType) -> bool:
    """Whether a frame of `run` is at a call: all other closures have room if the function has."""
    return getattr(frame.f_locals.get("op"), "__module__", "") == CALLS


def chain_of(frame: FrameType) -> Chain:
    """The site in a function of the program that a frame of `run` is at; its callers if it was inlined."""
    variables = frame.f_locals
    code: ClosureCode = variables["code"]
    return code.places.get(variables.get("op")) or (Site(code.ref, code.line),)  # type: ignore[arg-type]
