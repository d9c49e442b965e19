"""Where an executor gets compiled functions from: a protocol, because there are two places.

Translator      lowers and compiles them from a typed program
StoredProgram   has them from an earlier run, and makes a Translator only when one is missing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
from doralang.code.collectors import Collector
from doralang.code.objects import CompiledFunction
from doralang.native.emission import Emission
from doralang.runtime.instance import Instance

Image: TypeAlias = tuple[Any, ...]
"""a program as plain data; only `doralang.native.image` looks inside"""


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

    @property
    def classes(self) -> list[ClassRef]:
        return [self.str_class, self.longs_class, self.exception_class]

    @property
    def functions(self) -> list[FunctionRef]:
        return [*self.initializers, *([self.main] if self.main else [])]


class Request(NamedTuple):
    """Something that was asked of a translator: with the same requests in the same order, another one
    gives everything the same name."""

    kind: Literal["function", "heap", "call"]
    name: str


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

    def image(self) -> Image | None:
        """The program with all its code, to be stored; None if nothing is new."""

    def heap_function(self, name: str) -> FunctionRef:
        """A function of the library's heap files."""

    def callable(self, name: str) -> FunctionRef:
        """The function that `call(name)` finds.  Raises FatalError."""
