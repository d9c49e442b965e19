"""Canonical names: what machine code, stored code and listings call classes and functions.

    swap<int>                    a function and its type arguments
    Box<int>.get                 a method: its class without arguments, all arguments behind
    Item.Item(Str, int)          a constructor, by the types of its parameters
    Item::make                   a static
    <Item as Hash>.hash          a method of an impl
    Named.greet<Item>            a default method of a trait, with what `Self` is
    Named::Self.name<Item>       the method that objects of a trait have, which calls on
    global total                 the initialiser of a global
    main::Str                    what the program calls like something of the library
    <Str as main::Show>.toString a method of the program's impl that takes the place of the library's

A name follows from what is written, not from what was met first; two things of a program and its library
never have the same.  From a name, the thing can be found again (`find_types`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doralang.bytecode.entities import CUT
from doralang.checker.program import FUNCTION_CLASS, Class, Function, FunctionKind, Library, Program, Trait
from doralang.optional import load
from doralang.types.types import (
    NEVER,
    PRIMITIVE_TYPES,
    UNIT,
    ClassHead,
    ClassType,
    EnumType,
    TraitHead,
    Type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OWN: Final = "main::"
"""before the name of what the program calls like something of the library"""
LONGEST: Final = 2000
"""characters of the name of a type"""
NEVER_NAME: Final = "!"
"""the name of `Never` as the result of a function type; programs may have a class that is called so"""
OUTERMOST: Final = " (outermost)"
"""behind the name of a function as the one that is entered from outside"""


class Names:
    """The names of one program."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.types: dict[ClassType, str] = {}

    def qualified(self, name: str, own: bool) -> str:
        """A top-level name, which the program may have in common with the library."""
        return f"{OWN}{name}" if own and self.is_taken(name.partition("::")[0]) else name

    def is_taken(self, name: str) -> bool:
        """Whether something of the library has this name."""
        library = self.library
        return name in library.functions or name in library.classes or name in library.traits

    def head(self, head: ClassHead | TraitHead) -> str:
        """The name of a class or trait without type arguments."""
        assert isinstance(head, Class | Trait)
        if isinstance(head, Class) and head.inside is not None:
            return f"{self.function(head.inside)}{NUMBER}{head.number}"
        return self.qualified(head.name, head.source.main)

    def type(self, type: Type) -> str:
        """The name of a type, however deep it is nested; parts first, each of them once."""
        waiting = [type]
        while waiting:
            type = waiting[-1]
            if not isinstance(type, ClassType) or type in self.types:
                waiting.pop()
                continue
            parts = [one for one in type.arguments if isinstance(one, ClassType) and one not in self.types]
            if not parts:
                self.types[type] = shortened(self.head(type.head) + self.arguments(type.arguments))
            waiting += parts
        if isinstance(type, EnumType):
            return self.head(type.head)
        if type is NEVER:
            return NEVER_NAME
        return self.types[type] if isinstance(type, ClassType) else str(type)

    def function(self, function: Function) -> str:
        """The name of a function without type arguments."""
        name, owner, kind = function.name, function.owner, function.kind
        if kind is FunctionKind.GLOBAL:
            return function.signature
        if function.trait is not None:
            return f"{self.head(function.trait)}{SEPARATORS.get(kind, '.')}{name}"
        if owner is None:
            return self.qualified(name, function.source.main)
        if function.impl_of is not None:
            return f"<{self.head(owner)} as {self.trait(function)}>{SEPARATORS.get(kind, '.')}{name}"
        if owner.trait is not None:
            return f"{self.head(owner)}.{name} (dispatched)"
        name = f"{self.head(owner)}{SEPARATORS.get(kind, '.')}{name}"
        if kind is FunctionKind.CONSTRUCTOR:
            name += f"({', '.join(self.type(parameter.type) for parameter in function.parameters)})"
        return name

    def trait(self, function: Function) -> str:
        """The name of the trait that a method of an impl is for."""
        owner, trait = function.owner, function.impl_of
        assert isinstance(owner, Class) and isinstance(trait, Trait)
        replaces = function.source.main and not owner.source.main and not trait.source.main
        return f"{OWN}{trait.name}" if replaces else self.head(trait)

    def arguments(self, arguments: tuple[Type, ...]) -> str:
        """What stands behind a name for the type arguments."""
        names = [self.type(one) for one in arguments]
        return f"<{', '.join(names)}>" if names else ""


def shortened(name: str) -> str:
    """A name that is not too long: types may double in every step, and would fill the memory.

    What is cut has a digest in its place, so the name is still canonical, but nothing can be found by it.
    """
    if len(name) <= LONGEST:
        return name
    digest = load("hashlib").blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{name[: name.index('<')]}<{CUT}{digest}>"


NUMBER: Final = "#"
"""between the name of a function and the number of a lambda in it"""
SEPARATORS: Final = {FunctionKind.STATIC: "::"}


def functions_of(program: Program) -> Iterator[Function]:
    """All functions of a program and its library, generic ones once."""
    library = program.library
    yield from library.functions.values()
    yield from program.functions.values()
    for cls in (*library.classes.values(), *program.classes.values()):
        yield from functions_of_class(cls)
    for trait in (*library.traits.values(), *program.traits.values()):
        yield from functions_of_trait(trait)
    for impl in program.all_impls():
        yield from (*impl.methods.values(), *impl.statics.values())
    yield from initializers_of(program)


def functions_of_class(cls: Class) -> Iterator[Function]:
    """What a class declares, without its impls."""
    yield from (*cls.methods.values(), *cls.late.values(), *cls.statics.values(), *cls.constructors)


def functions_of_trait(trait: Trait) -> Iterator[Function]:
    """The default methods of a trait, and the methods of its objects."""
    yield from (one for one in (*trait.methods.values(), *trait.statics.values()) if one.has_default)
    yield from trait.form.methods.values()
    yield from trait.holder.methods.values() if trait.holder else ()


def initializers_of(program: Program) -> Iterator[Function]:
    """The functions that give the program's globals their first values."""
    for variable in program.globals:
        if variable.initializer is not None:
            yield variable.initializer


_FIRST_NAME: Final = rf"<?(?:{OWN})?([^\s.:(<#]+)"


def functions_near(name: str, program: Program) -> Iterator[Function]:
    """The functions among which that of a canonical name is, if it is not a lambda.

    They are those of the class, trait or function whose name stands first in it; no other part of the library
    is looked at.
    """
    found = re.match(_FIRST_NAME, name)
    first = found[1] if found else ""
    for scope in (program.library, program):
        if first in scope.functions:
            yield scope.functions[first]
        if first in scope.traits:
            yield from functions_of_trait(scope.traits[first])
        cls = scope.classes.get(first)
        if cls is not None and name.startswith("<"):
            for impl in program.impls_of(cls).values():
                yield from (*impl.methods.values(), *impl.statics.values())
        elif cls is not None:
            yield from functions_of_class(cls)
    yield from initializers_of(program)


SPECIAL: Final[dict[str, Type]] = {**PRIMITIVE_TYPES, str(UNIT): UNIT, NEVER_NAME: NEVER}
"""types that are no classes, by their names"""


def find_types(text: str, program: Program) -> tuple[Type, ...]:
    """The types of a list of type arguments as `Names.arguments` has written it."""
    levels: list[list[Type]] = [[]]
    heads: list[str] = []
    name = ""
    for char in text.replace(" ", "") + ",":
        if char == "<":
            heads.append(name)
            levels.append([])
            name = ""
        elif char in ",>":
            if name:
                levels[-1].append(find_type(name, (), program))
                name = ""
            if char == ">":
                arguments, head = tuple(levels.pop()), heads.pop()
                if not head:
                    return arguments
                levels[-1].append(find_type(head, arguments, program))
        else:
            name += char
    return ()


def find_type(name: str, arguments: tuple[Type, ...], program: Program) -> Type:
    """The type of a primitive, a class or a trait, by its name."""
    special = SPECIAL.get(name)
    if special is not None:
        return special
    if name.startswith(FUNCTION_CLASS):
        assert program.library.function_class is not None
        _, count, *throws = name.split("/")
        return program.library.function_class(int(count), bool(throws)).of(arguments)
    head = named(program.library, name) or named(program, name.removeprefix(OWN))
    assert head is not None, f"there is no {name}"
    return head.plain_type or head.of(arguments)


def named(scope: Program | Library, name: str) -> Class | None:
    """The class of a name, or that of a trait's objects."""
    trait = scope.traits.get(name)
    return trait.form if trait is not None else scope.classes.get(name)
