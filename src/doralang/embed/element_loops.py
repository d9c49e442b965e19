"""Formulas of the general path over arrays: a loop in Dora around the formula, compiled with it.

    x: int, result long     ->      fun elements(table: long, results: long, count: long, place: long) {
                                      let in0 = loadLong(table + 0L);
                                      var i = 0L;
                                      while i < count {
                                        storeLong(place, i);
                                        let value = formula(loadInt(in0 + 4L * i));
                                        storeLong(results + 8L * i, value);
                                        i = i + 1L;
                                      } }

Where the loop has come to is stored before each element, for whoever asks which one has failed.  It polls as
every loop does, so limits and Ctrl-C end it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from doralang.checker.checker import check_around
from doralang.checker.library import compiled_library
from doralang.code.constants import layout_constants
from doralang.embed.arrays import CHUNK, ElementError, Loop
from doralang.embed.buffers import SIZES
from doralang.embed.instances import Host
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES
from doralang.text.source import Source
from doralang.types.kinds import BOOL, BYTE, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.types import PrimitiveType

if TYPE_CHECKING:
    from doralang.embed.expressions import FormulaRecipe, Rewrite
    from doralang.embed.functions import SlowCallee

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


def loop_text(kinds: Sequence[Kind], result: Kind) -> str:
    """The loop for parameters of these kinds."""
    inputs = [f"let in{index} = loadLong(table + {8 * index}L);" for index in range(len(kinds))]
    loads = [LOADS[kind].format(f"in{index} + {SIZES[kind]}L * i") for index, kind in enumerate(kinds)]
    store = STORES[result].format(f"results + {SIZES[result]}L * i")
    return f"""fun elements(table: long, results: long, count: long, place: long) {{
  {" ".join(inputs)}
  var i = 0L;
  while i < count {{
    storeLong(place, i);
    let value = formula({", ".join(loads)});
    {store};
    i = i + 1L;
  }}
}}
"""


class ElementLoops:
    """The loop around one formula."""

    takes_scalars = False
    most = CHUNK

    def __init__(self, callee: SlowCallee, recipe: FormulaRecipe, rewrite: Rewrite) -> None:
        """For a formula that is called, and what it is made from."""
        self.names = tuple([name for name, _, _ in callee.parameters])
        self.kinds = kinds_of(callee)
        self.accepts = self.kinds
        self.result = kind_of(callee.function.result, "the result")
        text = loop_text(self.kinds, self.result)
        library = compiled_library(layout_constants())
        with NO_CYCLES:
            source, diagnostics = Source("<element loop>", text), Diagnostics()
            file = parse_file(source, diagnostics)
            self.program, self.function, self.pool = recipe.callee(
                rewrite,
                lambda program, formula: check_around(program, formula, source, file, diagnostics, library),
            )
        self.ref = self.program.code.specializer.entry_ref(self.function)
        self.cell = self.program.code.loader.cell(self.ref)

    @contextmanager
    def loop(self, scalars: Sequence[bool]) -> Iterator[Loop]:
        """What computes a stretch of elements, each in a turn of an instance."""
        place = ctypes.c_int64()

        def run(table: int, results: int, count: int) -> None:
            place.value = 0
            words = [table, results, count, ctypes.addressof(place)]
            host = self.pool.take()
            try:
                self.call(host, words)
            except Exception as error:
                raise ElementError(place.value, error) from None
            finally:
                self.pool.give_back(host)

        yield run

    def call(self, host: Host, words: list[int]) -> None:
        host.call(self.ref, self.cell, lambda: words, lambda result: None)


def kinds_of(callee: SlowCallee) -> tuple[Kind, ...]:
    """The kinds of the parameters.  Raises TypeError."""
    return tuple([kind_of(type, f"`{name}`") for name, _, type in callee.parameters])


def kind_of(type: object, what: str) -> Kind:
    """The kind of an array's elements.  Raises TypeError."""
    if isinstance(type, PrimitiveType) and type.kind in SIZES:
        return type.kind
    raise TypeError(f"{what} is {type}, of which there are no arrays")
