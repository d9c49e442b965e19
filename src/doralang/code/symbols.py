"""Symbols: how machine code names what is outside of it, until it is placed.

    entry:Box.get<int>    the entry cell of a function
    shape:Box<int>        the shape of a class
    class:Box<int>        a word that stands for the class in the displays of its descendants
    number:12f            a word with this pattern, which is in no code
    literal:hello         a string literal, an object that never moves
    stub:… trap:NIL       pieces of code that are written by hand (`runtime.stubs`)
    upcall:exit           an internal function that Python supplies
    native:sin            a C function
    own:                  the code itself, from its start

A name is canonical: made of what the program says, never of what was met first, so code can be kept, shared
and stored.  Names are unique within a program and its library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.bytecode.entities import ClassRef, FunctionRef
    from doralang.types.traps import Trap

ENTRY: Final = "entry"
SHAPE: Final = "shape"
CLASS: Final = "class"
LITERAL: Final = "literal"
NUMBER: Final = "number"
STUB: Final = "stub"
TRAP: Final = "trap"
UPCALL: Final = "upcall"
NATIVE: Final = "native"


class Symbol(tuple[str, str]):
    """The name of something outside of a piece of code: its kind, and its name among those of the kind."""

    __slots__ = ()

    def __new__(cls, kind: str, name: str) -> Symbol:
        return tuple.__new__(cls, (kind, name))

    @property
    def kind(self) -> str:
        return self[0]

    @property
    def name(self) -> str:
        return self[1]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


new_tuple: Final = tuple.__new__
"""Makes a symbol of a tuple, which is quicker than naming each field."""


def entry_of(function: FunctionRef) -> Symbol:
    return new_tuple(Symbol, (ENTRY, function.name))


def shape_of(cls: ClassRef) -> Symbol:
    return new_tuple(Symbol, (SHAPE, cls.symbol))


def class_of(cls: ClassRef) -> Symbol:
    return new_tuple(Symbol, (CLASS, cls.symbol))


def trap_of(trap: Trap) -> Symbol:
    return new_tuple(Symbol, (TRAP, trap._name_))  # `name` is looked up by a method of the class


OWN: Final = Symbol("own", "")
ALLOCATE: Final = Symbol(STUB, "allocate")
ALLOCATE_FOR_C: Final = Symbol(STUB, "allocateForC")
ATTENTION: Final = Symbol(STUB, "attention")
CALL_BY_NAME: Final = Symbol(UPCALL, "callByName")
"""the internal function that a stub supplies"""
SPARE_STACKS: Final = Symbol(STUB, "spareStacks")
"""the word that leads to the stacks that nobody uses"""
