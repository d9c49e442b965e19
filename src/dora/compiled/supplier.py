"""Where an executor gets compiled functions from: a protocol, because there are two places.

Translator      lowers and compiles them from a typed program
StoredProgram   has them from an earlier run, and makes a Translator only when one is missing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from dora.baseline.result import CompiledFunction
from dora.bytecode.entities import ClassRef, FieldRef, FunctionRef
from dora.compiled.emission import Emission
from dora.runtime.collectors import Collector
from dora.runtime.instance import Instance


class Roots(NamedTuple):
    """What an executor knows by name; all else it meets through these."""

    str_class: ClassRef
    longs_class: ClassRef
    """`Array<long>`"""
    exception_class: ClassRef
    msg_field: FieldRef
    record_field: FieldRef
    initializers: tuple[FunctionRef, ...]
    """of the globals, in order"""
    main: FunctionRef | None


class Client(NamedTuple):
    """Whom functions are compiled for."""

    instance: Instance
    collector: Collector
    emission: Emission
    show: Callable[[str], None]
    """print a dump, in its place among the program's own output"""
    bounds_checks: bool


class Supplier(Protocol):
    """Compiled functions on demand."""

    @property
    def roots(self) -> Roots: ...

    def serve(self, client: Client) -> None:
        """Called once, before the first function is asked for."""

    def function(self, ref: FunctionRef) -> CompiledFunction:
        """A function, ready to be placed.  Its `ref` may be another than the one that was asked for: then
        the instance has been told, and knows only the new one."""

    def heap_function(self, name: str) -> FunctionRef:
        """A function of the library's heap files."""

    def callable(self, name: str) -> FunctionRef:
        """The function that `call(name)` finds.  Raises FatalError."""
