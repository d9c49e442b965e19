"""What the compiler hands to whoever places code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from doralang.bytecode.entities import FunctionRef
from doralang.machine.buffer import Code


class GCPoint(NamedTuple):
    """A place where a frame may be looked at: the return address of a call.

    `slots` are the distances from the frame pointer of the slots that hold live references.
    """

    offset: int
    function: FunctionRef
    line: int
    slots: tuple[int, ...]


@dataclass(slots=True)
class CompiledFunction:
    """Machine code that is not placed yet, and its GC points by offset."""

    ref: FunctionRef
    code: Code
    points: list[GCPoint] = field(default_factory=list)
