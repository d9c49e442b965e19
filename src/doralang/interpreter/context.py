"""What internal functions work with: the world outside, and the engine that calls them."""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple, Protocol

from doralang.interpreter.objects import Array, ObjectType, Str
from doralang.interpreter.output import Output, default_heap_size
from doralang.interpreter.outside import Outside
from doralang.types.failures import Trapped
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.settings import ByteSource


class FrameDescription(NamedTuple):
    """A function and where in it, as traces show it; `file` is None for the program's main file."""

    signature: str
    line: int
    file: str | None

    def __str__(self) -> str:
        place = f"{self.line}" if self.file is None else f"{self.file}:{self.line}"
        return f"{self.signature}: {place}"


class EngineServices(Protocol):
    """What an interpreter does for internal functions."""

    def call_by_name(self, name: str) -> None:
        """`call(name)`; a wrong name is a `FatalError`."""

    def record_stack(self) -> list[int]:
        """An entry for each active function, without the innermost, from inside to outside."""

    def describe(self, entry: int) -> FrameDescription:
        """What an entry of such a record stands for."""


class HostContext:
    """The world of one running program.

    `str_type` and `longs_type` are what the engine knows `Str` and `Array<long>` by.  An engine with a
    heap of its own reads files directly into that.
    """

    __slots__ = ("arguments", "engine", "heap_size", "longs_type", "output", "outside", "str_type")

    def __init__(
        self,
        engine: EngineServices,
        output: Output,
        stdin: ByteSource,
        arguments: list[bytes],
        heap_size: int | None,
        str_type: ObjectType,
        longs_type: ObjectType,
        *,
        has_heap: bool = False,
    ) -> None:
        self.engine = engine
        self.output = output
        self.arguments = arguments
        self.heap_size = heap_size if heap_size is not None else default_heap_size()
        self.outside = Outside(stdin, min(self.heap_size, MOST_BYTES), direct=has_heap)
        self.str_type = str_type
        self.longs_type = longs_type

    def text(self, data: bytes) -> Str:
        """A new string."""
        if len(data) > min(self.heap_size, MOST_BYTES):
            raise Trapped(Trap.MEMORY)
        return Str(self.str_type, data)

    def longs(self, values: list[int]) -> Array:
        """A new `Array<long>`."""
        return Array(self.longs_type, array("q", values))


MOST_BYTES: Final = 0x7FFF_FFFF
"""A string is no longer than an `int` can say."""
