"""What bytecode refers to: concrete classes, fields, functions and globals.

Concrete means that all type arguments are put in: `Box<int>` and `Box<Str>` are two `ClassRef`s,
`swap<int>` and `swap<Str>` two `FunctionRef`s.  Lowering makes each once, so they are compared by identity.
Their names are the symbols by which machine code names them: `Box<int>`, `Box<int>.get`, `swap<int>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from doralang.types.kinds import Kind

CUT: Final = "…"
"""stands in a name that does not tell all of what it stands for, because that would be too long"""


@dataclass(slots=True, eq=False)
class FieldRef:
    """A field of a concrete class; `index` counts the inherited ones, too."""

    name: str
    kind: Kind
    index: int
    owner: ClassRef

    def __repr__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class ClassRef:
    """A concrete class.

    `fields` are all fields of an object, inherited ones first.  `element` is the kind of an array's elements,
    None for other classes.  `display` are the class's ancestors from `Object` on, itself last: a class
    extends `c` exactly if its display has `c` at the index `c.depth`.  `slots` gives each overridable
    method its place in the table of virtual methods, and `methods` what is called there.
    """

    name: str
    parent: ClassRef | None
    symbol: str = ""
    """the canonical name: a program may have a class `Str` beside the library's"""
    fields: list[FieldRef] = field(default_factory=list)
    element: Kind | None = None
    display: tuple[ClassRef, ...] = ()
    slots: dict[str, int] = field(default_factory=dict)
    methods: list[FunctionRef] = field(default_factory=list)
    is_text: bool = False
    """whether it is `Str`, whose objects hold bytes"""
    shared: bool = False
    """whether it is made of the library alone, so that programs can share it"""

    def __repr__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        return len(self.display) - 1

    def extends(self, other: ClassRef) -> bool:
        """Whether it is `other` or a descendant of it."""
        return other.depth < len(self.display) and self.display[other.depth] is other


@dataclass(slots=True, eq=False)
class FunctionRef:
    """A concrete function.

    `signature` and `file` are for stack traces; `file` is None in the program's main file.  `internal` is the
    key of its row if the implementation supplies it.  `slot` is the index in the table of virtual methods.
    """

    name: str
    plain_name: str
    signature: str
    file: str | None
    parameters: tuple[Kind, ...]
    result: Kind | None
    throws: bool
    internal: str | None = None
    slot: int | None = None
    has_self: bool = False
    """whether the first parameter is `self`, which is never nil and never written"""
    raw: bool = False
    """whether it neither polls nor checks the stack, and no collection can happen in it"""
    hidden: bool = False
    """whether stack traces leave it out"""
    fresh_self: bool = False
    """whether `self` has just been allocated when it is called: a constructor that no other one calls"""
    head: str = ""
    """the name without type arguments"""
    shared: bool = False
    """whether it is made of the library alone, so that programs can share it"""

    def __repr__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class GlobalRef:
    """A global variable."""

    name: str
    kind: Kind
    index: int

    def __repr__(self) -> str:
        return self.name
