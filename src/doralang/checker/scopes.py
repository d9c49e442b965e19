"""Names: the two global scopes, the types visible at a place, and reporting.

A `Unit` is one compilation: a program, or the library.  A `Context` is a place in it where types and
global names are looked up: in a file, perhaps in a class, perhaps in a generic function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType

from doralang.checker.messages import render
from doralang.checker.program import Class, Field, Function, Global, Impl, Local, Trait, Variant
from doralang.syntax import tree
from doralang.text.diagnostics import Diagnostics
from doralang.text.records import field, record
from doralang.text.source import Position, Source, Span
from doralang.types.types import ClassHead, ClassType, SpecialType, TraitHead, Type, TypeParameter
from doralang.typing_forms import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class Progress(Enum):
    TODO = 0
    RUNNING = 1
    DONE = 2


@record
class ConstantName:
    """A `const`: its value is computed when first needed."""

    node: tree.Constant
    source: Source
    context: Context
    type: Type
    value: bool | int | float | str | None = None
    progress: Progress = Progress.TODO

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def span(self) -> Span:
        return self.node.span


Entity: TypeAlias = Function | Class | Trait | Global | ConstantName | Variant
Meaning: TypeAlias = Entity | Local | Field | TypeParameter | SpecialType
"""what a name in a text can mean"""


class NameRecorder:
    """Notes what names mean while a program is checked, for tools: definitions, uses, renaming.

    `meanings` has, for each source, by the offset at which a name begins, what it means there.  Names that
    could not be resolved are missing.  What the library's own names mean is not noted.
    """

    __slots__ = ("meanings",)

    def __init__(self) -> None:
        self.meanings: dict[Source, dict[int, Meaning]] = {}

    def note(self, source: Source, start: int, meaning: Meaning) -> None:
        self.meanings.setdefault(source, {})[start] = meaning


KINDS: dict[type, str] = {
    Function: "a function",
    Class: "a class",
    Trait: "a trait",
    Global: "a global",
    ConstantName: "a constant",
    Variant: "a variant",
}


def kind_name(entity: Entity) -> str:
    """How messages call what a name stands for."""
    if isinstance(entity, Class) and entity.variants:
        return "an enum"
    return next(kind for cls, kind in KINDS.items() if isinstance(entity, cls))


class Undeclared(Protocol):
    """Declarations of the library that are made when somebody asks for them (`checker.on_demand`)."""

    @property
    def kinds(self) -> Mapping[str, type]:
        """By name, what it stands for."""

    def entity(self, name: str) -> Entity | None:
        """What a name stands for, declared now if it has not been yet."""

    def impls(self, head: ClassHead) -> dict[TraitHead, Impl]:
        """The impls of a class, declared now if they have not been yet."""


NO_IMPLS: Mapping[TraitHead, Impl] = MappingProxyType({})


@record
class Unit:
    """One compilation.

    `parents` are the units that it is built upon, whose names are found where it has none of its own: those
    of the first that has the name.  The first unit of all, which has no parents, is the library.  `names` are
    its own global names, `visible` those of its parents' that it sees.  `incomplete` means that the parser
    skipped text at top level, so that any name may be declared; `incomplete_classes` are those in which that
    happened or whose parents are unknown.  What needs all declarations to be known first (bounds
    of type arguments) waits in `later`; in a library with declarations on demand it is left out, because
    tests check the whole of it.
    """

    diagnostics: Diagnostics
    parents: tuple[Unit, ...] = ()
    names: dict[str, Entity] = field(default_factory=dict)
    visible: frozenset[str] = frozenset()
    """which names of its parents it sees"""
    granted: frozenset[str] | None = None
    """which of the names that a host must grant it may use; None is all"""
    impls: dict[ClassHead, dict[TraitHead, Impl]] = field(default_factory=dict)
    """the impls of classes by trait; of a class of the library only if one of them is not the library's"""
    incomplete: bool = False
    incomplete_classes: set[ClassHead] = field(default_factory=set)
    unknown_bounds: set[TypeParameter] = field(default_factory=set)
    """type parameters with a bound that is none, so that what they have is not known"""
    unknown_impls: set[TraitHead] = field(default_factory=set)
    """traits with an `impl` for something that is no class, so that any class may have been meant"""
    later: list[Callable[[], object]] | None = field(default_factory=list)
    functions: dict[tuple[int, bool], Class] = field(default_factory=dict)
    """in the library: the classes of function types, by the number of parameters and whether they throw"""
    undeclared: Undeclared | None = None
    """in the library: what makes its declarations on demand; then `names` are those that were made"""
    recorder: NameRecorder | None = None
    """told what each name means, if somebody wants to know"""

    def own(self, name: str) -> Entity | None:
        """What a name of the unit's own stands for."""
        entity = self.names.get(name)
        if entity is None and self.undeclared is not None:
            return self.undeclared.entity(name)
        return entity

    def find(self, name: str) -> Entity | None:
        """What a global name stands for: the unit's own, else one of its parents' that it sees."""
        entity = self.own(name)
        if entity is None and name in self.visible:
            return self.inherited(name)
        return entity

    def inherited(self, name: str) -> Entity | None:
        """What a name that is not the unit's own stands for in its parents."""
        for parent in self.parents:
            entity = parent.own(name)
            if entity is None:
                entity = parent.inherited(name)
            if entity is not None:
                return entity
        return None

    def kind_of(self, name: str) -> type | None:
        """What a name of the unit or its parents stands for, without declaring it."""
        if name in self.names:
            return type(self.names[name])
        if self.undeclared is not None and name in self.undeclared.kinds:
            return self.undeclared.kinds[name]
        return next((kind for parent in self.parents if (kind := parent.kind_of(name)) is not None), None)

    def names_of(self, *kinds: type) -> Iterator[str]:
        """The visible names of functions, classes and so on: the unit's own first."""
        for name, entity in self.names.items():
            if isinstance(entity, kinds):
                yield name
        for name in sorted(self.visible):
            if name not in self.names and issubclass(self.kind_of(name) or type(None), kinds):
                yield name

    def all_names(self) -> frozenset[str]:
        """The unit's own names, whether declared by now or not."""
        return frozenset(self.names).union(self.undeclared.kinds if self.undeclared is not None else ())

    @property
    def base(self) -> Unit:
        """The library, whose names the language itself uses."""
        unit = self
        while unit.parents:
            unit = unit.parents[0]
        return unit

    def library_class(self, name: str) -> Class:
        entity = self.base.own(name)
        assert isinstance(entity, Class)
        return entity

    def library_function(self, name: str) -> Function:
        entity = self.base.own(name)
        assert isinstance(entity, Function)
        return entity

    def library_trait(self, name: str) -> Trait:
        entity = self.base.own(name)
        assert isinstance(entity, Trait)
        return entity

    def impls_of(self, head: ClassHead) -> Mapping[TraitHead, Impl]:
        """The impls of exactly this class, by trait."""
        found = self.impls.get(head)
        if found is not None:
            return found
        if self.undeclared is not None:
            return self.undeclared.impls(head)
        return self.parents[0].impls_of(head) if self.parents and head.lasts else NO_IMPLS

    def when_declared(self, action: Callable[[], object]) -> None:
        """Run `action` once all declarations are known: now, if they are."""
        if self.undeclared is not None:
            return
        if self.later is None:
            action()
        else:
            self.later.append(action)

    def declared(self) -> None:
        """All declarations are known: run what waited for that."""
        waiting, self.later = self.later or [], None
        for action in waiting:
            action()

    def knows_members(self, head: ClassHead) -> bool:
        """Whether all members of a class and its parents are known."""
        if not self.incomplete_classes:
            return True
        current: ClassHead | None = head
        while current is not None:
            if current in self.incomplete_classes:
                return False
            current = current.parent.head if current.parent else None
        return True


@record
class Context:
    """A place where names of types are looked up."""

    unit: Unit
    source: Source
    parameters: dict[str, TypeParameter] = field(default_factory=dict)
    """the type parameters that are visible, by name"""
    own_self: TypeParameter | None = None
    """what `Self` is in a trait"""
    bounds: dict[TypeParameter, list[ClassType]] = field(default_factory=dict)
    """traits that type parameters have here besides their own, by an `impl` with bounds or a `where`"""
    satisfied: dict[tuple[Type, TraitHead], ClassType | None] = field(default_factory=dict)
    """what was asked so far: the trait, with its arguments, that a type satisfies here, or None"""

    def error(self, code: str, span: Span, /, **values: object) -> None:
        """Report an error of the table in `messages`."""
        message, hint = render(code, values)
        self.unit.diagnostics.report(code, self.source, span, message, hint)

    def note(self, start: int, meaning: Meaning) -> None:
        """Tell the recorder, if there is one, what the name that begins at an offset means."""
        if self.unit.recorder is not None:
            self.unit.recorder.note(self.source, start, meaning)

    def inner(self, parameters: dict[str, TypeParameter]) -> Context:
        """The same place with more type parameters."""
        visible = {**self.parameters, **parameters}
        return Context(self.unit, self.source, visible, self.own_self, self.bounds)

    def knowing(self, bounds: dict[TypeParameter, list[ClassType]]) -> Context:
        """The same place, where type parameters have more traits."""
        known = {**self.bounds}
        for parameter, traits in bounds.items():
            known[parameter] = [*known.get(parameter, ()), *traits]
        return Context(self.unit, self.source, self.parameters, self.own_self, known)

    def traits_of(self, parameter: TypeParameter) -> list[ClassType]:
        """The traits that a type parameter is known to have here."""
        more = self.bounds.get(parameter)
        return [*parameter.traits, *more] if more else parameter.traits

    def position(self, span: Span) -> Position:
        return self.source.position(span.start)

    @property
    def is_library(self) -> bool:
        return not self.source.main

    def visible(self, method: Function | None) -> Function | None:
        """A method, unless it is one that only the library sees."""
        return method if method is None or self.is_library or not method.is_private else None
