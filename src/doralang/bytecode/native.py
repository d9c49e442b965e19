"""Functions in native code: what the VM asks of whoever makes them, and what it gets.

    provider.compile([total, sum])   ->   {total: <native function>, sum: "it allocates"}
    native(7, 1.5, array)            ->   what the function returns

The VM knows no toolchain and the source JIT knows no VM; this is what both know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.types.traps import Trap

Place = tuple[FunctionRef, int]
"""a function, and the line it is at"""


class NativeFailure(Exception):
    """Native code has run into a failure.

    `places` are the native functions that were active, innermost first; the last one is that which was
    called from outside.  Of very many some may be missing in the middle: `left_out`.
    """

    def __init__(self, trap: Trap, places: Sequence[Place], left_out: int = 0) -> None:
        super().__init__(trap.text)
        self.trap = trap
        self.places = list(places)
        self.left_out = left_out


class NativeFunction(Protocol):
    """A function of the program in native code."""

    def __call__(self, *arguments: Any) -> Any:
        """Call it with values as the VM has them, and return one.

        `int` for the integers, within the range of their kind; `float`, already rounded for the kind `float`;
        `bool`; an array of primitives is an object whose `items` are its elements, a writable buffer, or None
        for nil.  Another thread may be in the same function.  Raises NativeFailure.
        """


class NativeProvider(Protocol):
    """Makes native functions.  It is asked by a thread of its own while the program runs on."""

    def reason(self, function: Function) -> str:
        """Why a function cannot be native, whatever the functions are that it calls; empty if it can.

        This is asked by the running program for each function that a hot one may call, so it is quick.
        """

    def compile(self, functions: Sequence[Function]) -> Mapping[FunctionRef, NativeFunction | str]:
        """Make functions that may call each other native.

        For each of them the result has a native function or the reason why there is none: it calls one that
        is none, there is no toolchain, the toolchain failed.  It raises nothing for any of these.
        """
