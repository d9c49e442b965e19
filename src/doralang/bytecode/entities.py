"""What bytecode refers to: concrete classes, fields, functions and globals.

Concrete means that all type arguments are put in: `Box<int>` and `Box<Str>` are two `ClassRef`s,
`swap<int>` and `swap<Str>` two `FunctionRef`s.  Lowering makes each once, so they are compared by identity.
Their names are the symbols by which machine code names them: `Box<int>`, `Box<int>.get`, `swap<int>`.

They are plain classes: programs with stored code make them, and start without more than these.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.types.kinds import Kind

CUT: Final = "…"
"""stands in a name that does not tell all of what it stands for, because that would be too long"""


class FieldRef:
    """A field of a concrete class; `index` counts the inherited ones, too."""

    __slots__ = ("index", "kind", "name", "owner")

    def __init__(self, name: str, kind: Kind, index: int, owner: ClassRef) -> None:
        self.name = name
        self.kind = kind
        self.index = index
        self.owner = owner

    def __repr__(self) -> str:
        return self.name


class ClassRef:
    """A concrete class.

    `fields` are all fields of an object, inherited ones first.  `element` is the kind of an array's elements,
    None for other classes.  `own_methods` are the virtual methods that it declares, by their place in the
    table: those in place of inherited ones, and new ones behind all of these.

    Tables of all ancestors and of all virtual methods are made when somebody asks for those of a class: in a
    deep hierarchy most classes have no objects, and never need them.
    """

    __slots__ = (
        "_display",
        "_methods",
        "depth",
        "element",
        "fields",
        "is_text",
        "method_count",
        "name",
        "has_heirs",
        "own_methods",
        "parent",
        "shared",
        "symbol",
    )

    def __init__(
        self,
        name: str,
        parent: ClassRef | None,
        symbol: str = "",
        *,
        element: Kind | None = None,
        is_text: bool = False,
        shared: bool = False,
    ) -> None:
        self.name = name
        self.parent = parent
        self.symbol = symbol
        """the canonical name: a program may have a class `Str` beside the library's"""
        self.fields: list[FieldRef] = []
        self.element = element
        self.own_methods: dict[int, FunctionRef] = {}
        self.is_text = is_text
        """whether it is `Str`, whose objects hold bytes"""
        self.shared = shared
        """whether it is made of the library alone, so that programs can share it"""
        self.depth: int = parent.depth + 1 if parent else 0
        """the number of its ancestors"""
        self.has_heirs = False
        """whether another class has begun with its tables, so that they must not grow any more"""
        if parent is not None:
            parent.has_heirs = True
        self.method_count: int = parent.method_count if parent else 0
        """the length of its table of virtual methods"""
        self._display: tuple[ClassRef, ...] = ()
        self._methods: tuple[FunctionRef, ...] | None = None

    def __repr__(self) -> str:
        return self.name

    def set_method(self, slot: int, method: FunctionRef) -> None:
        """Declare what is called at a place in the table, which may be the next new one."""
        assert self._methods is None and not self.has_heirs, f"{self} is complete"
        self.own_methods[slot] = method
        self.method_count = max(self.method_count, slot + 1)

    @property
    def display(self) -> tuple[ClassRef, ...]:
        """Its ancestors from `Object` on, itself last.

        A class extends `c` exactly if its display has `c` at the index `c.depth`.
        """
        if not self._display:
            new = [self]
            while (parent := new[-1].parent) is not None and not parent._display:
                new.append(parent)
            self._display = (*(parent._display if parent else ()), *reversed(new))
        return self._display

    @property
    def methods(self) -> tuple[FunctionRef, ...]:
        """The table of virtual methods: what is called at each place."""
        if self._methods is None:
            new = [self]
            while (parent := new[-1].parent) is not None and parent._methods is None:
                new.append(parent)
            table = list(parent._methods or ()) if parent else []
            for step in reversed(new):
                for slot, method in step.own_methods.items():
                    table[slot : slot + 1] = [method]  # in its place, or behind all
            self._methods = tuple(table)
        return self._methods

    def extends(self, other: ClassRef) -> bool:
        """Whether it is `other` or a descendant of it."""
        return other.depth <= self.depth and self.display[other.depth] is other


class FunctionRef:
    """A concrete function.

    `signature` and `file` are for stack traces; `file` is None in the program's main file.  `internal` is the
    key of its row if the implementation supplies it.  `slot` is the index in the table of virtual methods.
    """

    __slots__ = (
        "file",
        "fresh_self",
        "has_self",
        "head",
        "hidden",
        "internal",
        "name",
        "parameters",
        "plain_name",
        "raw",
        "result",
        "shared",
        "signature",
        "slot",
        "throws",
    )

    def __init__(
        self,
        name: str,
        plain_name: str,
        signature: str,
        file: str | None,
        parameters: tuple[Kind, ...],
        result: Kind | None,
        throws: bool,
        internal: str | None = None,
        slot: int | None = None,
        has_self: bool = False,
        raw: bool = False,
        hidden: bool = False,
        fresh_self: bool = False,
        head: str = "",
        shared: bool = False,
    ) -> None:
        self.name = name
        self.plain_name = plain_name
        self.signature = signature
        self.file = file
        self.parameters = parameters
        self.result = result
        self.throws = throws
        self.internal = internal
        self.slot = slot
        self.has_self = has_self
        """whether the first parameter is `self`, which is never nil and never written"""
        self.raw = raw
        """whether it neither polls nor checks the stack, and no collection can happen in it"""
        self.hidden = hidden
        """whether stack traces leave it out"""
        self.fresh_self = fresh_self
        """whether `self` has just been allocated when it is called: a constructor that no other one calls"""
        self.head = head
        """the name without type arguments"""
        self.shared = shared
        """whether it is made of the library alone, so that programs can share it"""

    def __repr__(self) -> str:
        return self.name

    def without_throws(self, name: str) -> FunctionRef:
        """The same function under another name, not marked `throws`."""
        return FunctionRef(
            name,
            self.plain_name,
            self.signature,
            self.file,
            self.parameters,
            self.result,
            False,
            self.internal,
            self.slot,
            self.has_self,
            self.raw,
            self.hidden,
            self.fresh_self,
            self.head,
            self.shared,
        )


class GlobalRef:
    """A global variable."""

    __slots__ = ("index", "kind", "name")

    def __init__(self, name: str, kind: Kind, index: int) -> None:
        self.name = name
        self.kind = kind
        self.index = index

    def __repr__(self) -> str:
        return self.name
