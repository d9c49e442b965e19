"""Functions, and formulas of the general path, over arrays: a loop in Dora around what is called.

    x: int, result long     ->      fun elements(table: long, results: long, count: long, place: long) {
                                      let in0 = loadLong(table + 0L);
                                      var i = 0L;
                                      while i < count {
                                        storeLong(place, i);
                                        let value = called(loadInt(in0 + 4L * i));
                                        storeLong(results + 8L * i, value);
                                        i = i + 1L;
                                      } }

Where the loop has come to is stored before each element, for whoever asks which one has failed.  It polls as
every loop does, so limits and Ctrl-C end it.  Stretches that are long enough run without the GIL, so several
threads, each in an instance of its own, share out an array.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from doralang.checker.checker import check_around
from doralang.checker.library import compiled_library
from doralang.checker.program import Function as Typed
from doralang.checker.program import Program
from doralang.code.constants import layout_constants
from doralang.embed.arrays import BLOCK, CHUNK, ElementError, Loop
from doralang.embed.buffers import SIZES
from doralang.embed.instances import Host, Instances
from doralang.embed.programs import CheckedProgram
from doralang.locks import Lock
from doralang.text.pause import NO_CYCLES
from doralang.text.source import Source
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.types import PrimitiveType

if TYPE_CHECKING:
    from doralang.embed.expressions import FormulaRecipe, Rewrite
    from doralang.embed.functions import SlowCallee

AddLoop = Callable[[Program, Typed], Typed]
"""adds the loop around a function to its program; gives the loop"""

ADDING: Final = Lock()
"""a function has one loop, whichever threads ask for it; handlers of signals may do so in the midst of it"""

LOADS: Final[dict[Kind, str]] = {
    BOOL: "loadByte({0}) != 0Y",
    BYTE: "loadByte({0})",
    INT: "loadInt({0})",
    LONG: "loadLong({0})",
    FLOAT: "floatFromBits(loadInt({0}))",
    DOUBLE: "doubleFromBits(loadLong({0}))",
}
STORES: Final[dict[Kind, str]] = {
    BOOL: "storeByte({0}, if value {{ 1Y }} else {{ 0Y }})",
    BYTE: "storeByte({0}, value)",
    INT: "storeInt({0}, value)",
    LONG: "storeLong({0}, value)",
    FLOAT: "storeInt({0}, floatBits(value))",
    DOUBLE: "storeLong({0}, doubleBits(value))",
}


def loop_text(kinds: Sequence[Kind], result: Kind, throws: bool) -> str:
    """The loop for parameters of these kinds."""
    inputs = [f"let in{index} = loadLong(table + {8 * index}L);" for index in range(len(kinds))]
    loads = [LOADS[kind].format(f"in{index} + {SIZES[kind]}L * i") for index, kind in enumerate(kinds)]
    store = STORES[result].format(f"results + {SIZES[result]}L * i")
    marked, tried = ("throws ", "try ") if throws else ("", "")
    return f"""fun elements(table: long, results: long, count: long, place: long) {marked}{{
  {" ".join(inputs)}
  var i = 0L;
  while i < count {{
    storeLong(place, i);
    let value = {tried}called({", ".join(loads)});
    {store};
    i = i + 1L;
  }}
}}
"""


class Compiled(NamedTuple):
    """A loop that can be called: the program that it is in, the function, and where it runs."""

    program: CheckedProgram
    function: Typed
    instances: Instances


class ElementLoops:
    """The loop around one function."""

    takes_scalars = False
    takes_any_truth = False

    def __init__(self, callee: SlowCallee, compiled: Callable[[AddLoop], Compiled]) -> None:
        """For a function that is called.  `compiled` adds a loop to a program, where it puts it."""
        self.names = tuple([name for name, _, _ in callee.parameters])
        self.kinds = kinds_of(callee)
        self.accepts = self.kinds
        self.result = kind_of(callee.function.result, "the result")
        source = Source("<element loop>", loop_text(self.kinds, self.result, callee.function.throws))
        with NO_CYCLES:
            self.program, self.function, self.instances = compiled(
                lambda program, called: check_around(
                    program, called, source, compiled_library(layout_constants())
                )
            )
        code = self.program.code
        self.most = CHUNK if code.options.counts_fuel else BLOCK
        """elements a call: each has the fuel of a call, which must not depend on threads"""
        with code.space.freeing, code.space.lock:
            self.ref = code.specializer.entry_ref(self.function)
            self.cell = code.loader.cell(self.ref)

    @contextmanager
    def loop(self, scalars: Sequence[bool]) -> Iterator[Loop]:
        """What computes a stretch of elements, each in a turn of an instance."""
        place = ctypes.c_int64()

        def run(table: int, results: int, count: int) -> None:
            place.value = 0
            words = [table, results, count, ctypes.addressof(place)]
            host = self.instances.take()
            try:
                self.call(host, words, count)
            except Exception as error:
                raise ElementError(place.value, error) from None
            finally:
                self.instances.give_back(host)

        yield run

    def call(self, host: Host, words: list[int], count: int) -> None:
        """Compute so many elements: few of them with the GIL, which others may keep some milliseconds."""
        is_short = count <= CHUNK
        host.call(self.ref, self.cell, lambda: words, lambda result: None, holds_gil=is_short)


def loops_of_formula(callee: SlowCallee, recipe: FormulaRecipe, rewrite: Rewrite) -> ElementLoops:
    """The loop around a formula, which is compiled anew, as `rewrite` makes it."""
    return ElementLoops(callee, lambda add: Compiled(*recipe.callee(rewrite, add)))


def loops_of_function(callee: SlowCallee) -> ElementLoops:
    """The loop around a function of a program, which is there already and runs where it does.

    Raises TypeError.
    """
    program = callee.program
    if callee.receiver is not None:
        raise TypeError(
            f"{callee.function.name}() is a method of an object, which is for single values alone"
        )

    def compiled(add: AddLoop) -> Compiled:
        with ADDING:
            loop = program.loops.get(callee.function)
            if loop is None:
                loop = program.loops[callee.function] = add(program.typed, callee.function)
        return Compiled(program, loop, callee.instances)

    return ElementLoops(callee, compiled)


def kinds_of(callee: SlowCallee) -> tuple[Kind, ...]:
    """The kinds of the parameters.  Raises TypeError."""
    return tuple([kind_of(type, f"`{name}`") for name, _, type in callee.parameters])


def kind_of(type: object, what: str) -> Kind:
    """The kind of an array's elements.  Raises TypeError."""
    if isinstance(type, PrimitiveType) and type.kind in SIZES:
        return type.kind
    raise TypeError(f"{what} is {type}, of which there are no arrays")
