"""The types of the language: a closed set of small values.

Class types are made by their class and made once (`ClassHead.of`), so two types are the same
exactly if they are the same object, and types are good dictionary keys:

    Array<int>  is  ARRAY.of((INT,))  is  ARRAY.of((INT,))

Types inside generic code mention `TypeParameter`s; `substitute` puts others in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from doralang.text.recursion import on_fresh_stack
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias


class PrimitiveType:
    """`bool byte char int long float double`; `size` is the bytes of a value in memory."""

    __slots__ = ("kind", "name", "size")

    home: Home = None

    def __init__(self, kind: Kind, size: int) -> None:
        self.kind = kind
        self.name = kind.value
        self.size = size

    def __str__(self) -> str:
        return self.name


class EnumType(PrimitiveType):
    """An enum without any data: the numbers of its variants, from 0 on, as an `int` in memory."""

    __slots__ = ("head", "home")

    def __init__(self, head: ClassHead) -> None:
        super().__init__(Kind.INT, 4)
        self.head = head
        self.name = head.name
        self.home: Home = head.home


BOOL = PrimitiveType(Kind.BOOL, 1)
BYTE = PrimitiveType(Kind.BYTE, 1)
CHAR = PrimitiveType(Kind.CHAR, 4)
INT = PrimitiveType(Kind.INT, 4)
LONG = PrimitiveType(Kind.LONG, 8)
FLOAT = PrimitiveType(Kind.FLOAT, 4)
DOUBLE = PrimitiveType(Kind.DOUBLE, 8)

PRIMITIVE_TYPES: dict[str, PrimitiveType] = {
    type.name: type for type in (BOOL, BYTE, CHAR, INT, LONG, FLOAT, DOUBLE)
}


class SpecialType:
    """A type without a class: unit, the type of `nil`, the type of an error."""

    __slots__ = ("name",)

    home: Home = None

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


UNIT = SpecialType("()")
NIL = SpecialType("nil")
ERROR = SpecialType("error")
"""The type of what was reported already: it fits everywhere and leads to no further report."""
NEVER = SpecialType("Never")
"""The type of what has no value because it does not end: it fits everywhere."""


class TypeParameter:
    """A type parameter of a class or function, or at a call one that is to be found there (`is_sought`).

    `class_bound` and `traits` (the types of its trait bounds) are filled in when the bounds are
    resolved, which may need other declarations first.  `Self` of a trait is one, too, bounded by the trait.
    """

    __slots__ = ("class_bound", "home", "is_sought", "name", "traits")

    def __init__(self, name: str, *, is_sought: bool = False) -> None:
        self.name = name
        self.is_sought = is_sought
        self.home: Home = {}
        self.class_bound: ClassType | TypeParameter | None = None
        self.traits: list[ClassType] = []

    def __str__(self) -> str:
        return self.name


class TraitHead:
    """What types know of a trait: its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class ClassHead:
    """What types know of a class: name, type parameters and the type of its parent.

    `parent` mentions the parameters: `class Tin<T>: Box<T>` has the parent `Box<T>`.  `lasts` says
    that the class is there as long as the process, as those of the library are: it keeps no types of programs
    alive.  `is_value` says that its values have no identity and are never `nil`, though some of them may be
    `nil` in memory (`nil_is_value`); those of tuples are written `(A, B)`.  The types of functions are
    `(A, B) -> R`, with `throws` if they `may_throw`; R, the last argument, may be `()` or `Never`.  `trait`
    is set for the hidden class that stands for a trait: its types are bounds, and those of trait objects.
    """

    __slots__ = (
        "_types",
        "home",
        "is_function",
        "is_tuple",
        "is_value",
        "may_throw",
        "name",
        "nil_is_value",
        "parameters",
        "parent",
        "parent_is_wrong",
        "trait",
    )

    def __init__(self, name: str, parameters: tuple[TypeParameter, ...] = (), *, lasts: bool = False) -> None:
        self.name = name
        self.home: Home = None if lasts else {}
        self.parameters = parameters
        self.parent: ClassType | None = None
        self.parent_is_wrong = False
        """whether there should be another one, which was reported"""
        self.is_value = self.nil_is_value = self.is_tuple = False
        self.is_function = self.may_throw = False
        self.trait: TraitHead | None = None
        self._types: dict[tuple[Type, ...], ClassType] = {}

    @property
    def lasts(self) -> bool:
        return self.home is None

    def of(self, arguments: tuple[Type, ...] = ()) -> ClassType:
        """The one type of this class with these arguments, for all threads that ask for the first time."""
        type = self._types.get(arguments)
        if type is None:
            home = None if self.home is not None else home_of(arguments)
            if home is None:
                return self._types.setdefault(arguments, ClassType(self, arguments))
            type = home.get((self, arguments))
            if type is None:
                return home.setdefault((self, arguments), ClassType(self, arguments))
        return type


class ClassType:
    """A class with its type arguments.  Made by `ClassHead.of` only.

    Types may be nested very deep, and one may stand in another many times, though it is there once: written
    out, `P<p, p>` with a `p` like itself doubles with each level.  So what can be known of the arguments is
    found out at once, and whoever walks a type walks each part of it once.
    """

    __slots__ = ("_parent", "arguments", "depth", "head", "home", "is_open", "is_wrong", "size")

    def __init__(self, head: ClassHead, arguments: tuple[Type, ...]) -> None:
        self.head = head
        self.home: Home = head.home if head.home is not None else home_of(arguments)
        self.arguments = arguments
        self._parent: ClassType | None = None
        inner = [argument for argument in arguments if isinstance(argument, ClassType)]
        self.depth: int = 1 + max((argument.depth for argument in inner), default=0)
        """levels of types in types"""
        self.size: int = sum(len(one) if isinstance(one, str) else size_of(one) for one in _pieces(self))
        """characters of it as it is written"""
        self.is_wrong: bool = ERROR in arguments or any(argument.is_wrong for argument in inner)
        """whether an erroneous type stands anywhere in it"""
        self.is_open: bool = any(
            argument.is_open if isinstance(argument, ClassType) else isinstance(argument, TypeParameter)
            for argument in arguments
        )
        """whether a type parameter stands anywhere in it"""

    def __str__(self) -> str:
        """As in source; what is longer than `LARGEST` is cut."""
        written: list[str] = []
        parts: list[Type | str] = [self]
        room = self.size if self.size <= LARGEST else LARGEST
        while parts:
            if room < 0:
                return f"{''.join(written)[:LARGEST]}…"
            part = parts.pop()
            if isinstance(part, ClassType) and part.arguments:
                parts += reversed(_pieces(part))
                continue
            text = part if isinstance(part, str) else name_of(part)
            room -= len(text)
            written.append(text)
        return "".join(written)

    @property
    def parent(self) -> ClassType | None:
        """The type of the parent class, with the arguments put in."""
        if self._parent is None and self.head.parent is not None:
            mapping = dict(zip(self.head.parameters, self.arguments, strict=True))
            parent = substitute(self.head.parent, mapping)
            assert isinstance(parent, ClassType)
            self._parent = parent
        return self._parent


def _pieces(type: ClassType) -> list[Type | str]:
    """What a type is written as: texts and other types."""
    head, arguments = type.head, list(type.arguments)
    if not arguments:
        return [head.name]
    opening, closing = ("(", ")") if head.is_tuple or head.is_function else (f"{head.name}<", ">")
    result = arguments.pop() if head.is_function else None
    pieces: list[Type | str] = [opening]
    for argument in arguments:
        pieces += argument, ", "
    if arguments:
        pieces.pop()
    pieces.append(closing)
    if result is not None:
        pieces += " throws -> " if head.may_throw else " -> ", result
    return pieces


Type: TypeAlias = PrimitiveType | SpecialType | TypeParameter | ClassType
Home: TypeAlias = "dict[tuple[ClassHead, tuple[Type, ...]], ClassType] | None"
"""types of lasting classes whose arguments mention something of a program, kept there; None for what lasts"""


def home_of(arguments: tuple[Type, ...]) -> Home:
    """Where the type of a lasting class with these arguments is kept; None for the class itself."""
    return next((one.home for one in arguments if one.home is not None), None)


def name_of(type: Type) -> str:
    """The name of a type without its arguments."""
    return type.head.name if isinstance(type, ClassType) else type.name


def size_of(type: Type) -> int:
    """Characters of a type as it is written."""
    return type.size if isinstance(type, ClassType) else len(type.name)


Substitution: TypeAlias = Mapping["Type", "Type"] | Mapping[TypeParameter, "Type"]


def substitute(type: Type, mapping: Substitution) -> Type:
    """`type` with each type parameter replaced by what `mapping` has for it."""
    if isinstance(type, ClassType):
        return _substitute(type, mapping, {}) if type.is_open and mapping else type
    return mapping.get(type, type)  # type: ignore[arg-type]


def _substitute(type: ClassType, mapping: Substitution, known: dict[ClassType, Type]) -> Type:
    """`known` is what has become of the parts that were met before."""
    result = known.get(type)
    if result is None:
        if type.depth % DEEP == 0:
            result = on_fresh_stack(lambda: _substitute_arguments(type, mapping, known))
        else:
            result = _substitute_arguments(type, mapping, known)
        known[type] = result
    return result


def _substitute_arguments(type: ClassType, mapping: Substitution, known: dict[ClassType, Type]) -> Type:
    arguments: list[Type] = []
    for argument in type.arguments:
        if not isinstance(argument, ClassType):
            arguments.append(mapping.get(argument, argument))  # type: ignore[arg-type]
        else:
            arguments.append(_substitute(argument, mapping, known) if argument.is_open else argument)
    return type.head.of(tuple(arguments))


LARGEST: Final = 20_000
"""Characters of a type as it is written; the checker reports a larger one (E0617), and what generic code
makes of its types at run time is cut to that where it is shown."""

DEEP: Final = 100
"""Levels of types in types after which recursion changes the stack."""


def lineage(type: ClassType) -> Iterator[ClassType]:
    """The class type itself, then its parents up to `Object`."""
    current: ClassType | None = type
    while current is not None:
        yield current
        current = current.parent


def is_subclass(type: ClassType, other: ClassType) -> bool:
    """Whether `type` is `other` or one of its descendants, type arguments included."""
    return any(ancestor is other for ancestor in lineage(type))


def ancestor_of(type: ClassType, head: ClassHead) -> ClassType | None:
    """The type of class `head` that `type` is or descends from."""
    return next((ancestor for ancestor in lineage(type) if ancestor.head is head), None)


def is_assignable(source: Type, target: Type) -> bool:
    """Whether a value of type `source` may be put in a place of type `target` (section 4)."""
    if source is target or source is ERROR or target is ERROR or source is NEVER:
        return True
    if not isinstance(target, ClassType):
        return False
    if isinstance(source, ClassType):
        return (
            is_subclass(source, target)
            or has_error(source)
            or has_error(target)
            or any(step.head.parent_is_wrong for step in lineage(source))
        )
    return source is NIL and not target.head.is_value


def is_reference(type: Type) -> bool:
    """Whether values of a type have identity: a class type, but no tuple, enum, trait or function."""
    return may_be_nil(type) and not is_function(type) and not is_trait_type(type)


def is_function(type: Type) -> bool:
    """Whether values of a type are functions, or `nil`."""
    return isinstance(type, ClassType) and type.head.is_function


def is_trait_type(type: Type) -> bool:
    """Whether a type is that of trait objects."""
    return isinstance(type, ClassType) and type.head.trait is not None


def may_be_nil(type: Type) -> bool:
    """Whether `nil` is a value of a type."""
    return isinstance(type, ClassType) and not type.head.is_value


def nil_is_value(type: Type) -> bool:
    """Whether `nil` in memory stands for a value of the type: a tuple of defaults, a variant without data."""
    return isinstance(type, ClassType) and type.head.nil_is_value


def has_error(type: Type) -> bool:
    """Whether an erroneous type stands anywhere in `type`, so that mismatches mean nothing."""
    return type.is_wrong if isinstance(type, ClassType) else type is ERROR


def mentions(type: Type, parameters: frozenset[TypeParameter] | set[TypeParameter]) -> bool:
    """Whether one of `parameters` stands anywhere in `type`."""
    waiting, seen = [type], set()
    while waiting:
        type = waiting.pop()
        if not isinstance(type, ClassType):
            if type in parameters:
                return True
        elif type.is_open and type not in seen:
            seen.add(type)
            waiting += type.arguments
    return False


def has_sought(type: Type) -> bool:
    """Whether a type parameter that is still to be found stands anywhere in `type`."""
    waiting, seen = [type], set()
    while waiting:
        type = waiting.pop()
        if isinstance(type, TypeParameter):
            if type.is_sought:
                return True
        elif isinstance(type, ClassType) and type.is_open and type not in seen:
            seen.add(type)
            waiting += type.arguments
    return False


def has_value(type: Type) -> bool:
    """Whether expressions of a type give a value."""
    return type is not UNIT and type is not NEVER


def kind_of(type: Type) -> Kind:
    """The register kind of a concrete type that has values."""
    if isinstance(type, PrimitiveType):
        return type.kind
    assert isinstance(type, ClassType) or type is NIL, f"{type} has no register kind"
    return Kind.REF
