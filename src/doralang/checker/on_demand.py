"""The library, declared piece by piece, each when somebody asks for it.

Most programs need little of the library, so at first only names are known (`syntax.outline`).  What is there
is made in three steps, each of which needs of other declarations only what the steps before it make:

1. heads: functions, globals, constants; classes and traits with type parameters, parents, supertraits and
   bounds, but without members; enums with their variants; impls with their trait and bounds, all those of a
   class together.  A head needs other heads, perhaps in a cycle (`class A: B<A>`).
2. members: fields, methods and constructors of one class; methods of one trait, or of one impl, and what
   follows from them.  A class needs the members of its parents, a trait those of its supertraits, an impl
   those of its class and trait.
3. bodies, as ever.

Nobody sees anything half made: heads get into the unit's names together, once none is open; members are
there for all from the moment when `undeclared` is not.  What is broken off, by an exception of whatever kind,
is made anew by who asks next.  One thread at a time declares, and who waits for it finds it done.  A handler
of a signal, for which its thread cannot wait, is refused (`Turn.refuse_handlers`).

What is wrong is not looked for: the library is right, as tests find that declare the whole of it with
`checker.check_library`.
"""

from __future__ import annotations

import os
from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from doralang.checker import enums, tuples
from doralang.checker.checker import (
    CheckedLibrary,
    Completion,
    class_completions,
    declare_function,
    function_completion,
)
from doralang.checker.classes import declare_members, declare_parent, overridden_by
from doralang.checker.constants import ConstantChecker
from doralang.checker.declarations import (
    ClassDeclaration,
    Declarations,
    EnumDeclaration,
    TraitDeclaration,
    make_entity,
    resolve_bounds,
)
from doralang.checker.function_types import function_class
from doralang.checker.program import Class, Function, Global, Impl, Library, Trait, Variant
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import ConstantName, Context, Entity, Unit
from doralang.checker.trait_objects import declare_forms
from doralang.checker.traits import (
    adopt,
    declare_method,
    declare_methods,
    declare_supertraits,
    find_trait,
    new_impl,
)
from doralang.locks import Lock
from doralang.syntax import tree
from doralang.syntax.outline import Heading, outline
from doralang.syntax.parser import parse_declaration
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source, Span
from doralang.types.types import ClassHead, TraitHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    E = TypeVar("E", bound=Function | Class | Trait | Global)
    T = TypeVar("T")
Members = Class | Trait | Impl

KINDS: Final[dict[str, type]] = {
    "fun": Function,
    "class": Class,
    "enum": Class,
    "trait": Trait,
    "let": Global,
    "var": Global,
    "const": ConstantName,
}


def on_demand(sources: Sequence[Source], public: frozenset[str]) -> CheckedLibrary:
    """A library of which nothing is declared yet."""
    unit = Unit(Diagnostics(), later=None)
    tuples.declare_tuples(unit)
    declared = OnDemand(unit, sources)
    unit.undeclared = declared
    library = Library(
        functions=Named(declared, Function),
        classes=Named(declared, Class),
        traits=Named(declared, Trait),
        globals=Named(declared, Global),
        impls_of=unit.impls_of,
        function_class=partial(function_class, unit),
        overriding=declared.overriding,
    )
    return CheckedLibrary(unit, library, public)


class Named(Mapping[str, "E"]):
    """The declarations of one kind by name, in the order of the files."""

    def __init__(self, declared: OnDemand, kind: type[E]) -> None:
        self.declared = declared
        self.kind = kind
        self.names = {name: None for name, one in declared.kinds.items() if one is kind}

    def __getitem__(self, name: str) -> E:
        entity = self.declared.unit.own(name)
        if not isinstance(entity, self.kind):
            raise KeyError(name)
        return entity

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Turn:
    """Who declares something of a library: one thread at a time, for whom steps need steps.

    The lock says whether anybody does: an exception may come between any two lines, those that would tidy up
    included.
    """

    __slots__ = ("lock", "thread")

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        """In a child process nobody is at it, and what another thread had begun is made anew."""
        self.lock = Lock()
        self.thread = 0

    def is_mine(self) -> bool:
        return self.thread == get_ident() and self.lock._is_owned()  # type: ignore[attr-defined]

    def refuse_handlers(self) -> None:
        """Raises RuntimeError for a handler of a signal that has come in the middle of a step of its thread.

        What such a handler compiles would get its meaning from what is half made: a method that is not there
        yet gives way to one of a trait, and that stays so.  The step can only go on once the handler is done.
        """
        if self.is_mine():
            raise RuntimeError("a handler of a signal cannot compile now: it has interrupted a compilation")


TURN: Final = Turn()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TURN.forked)


class OnDemand:
    """Implements `doralang.checker.scopes.Undeclared`."""

    def __init__(self, unit: Unit, sources: Iterable[Source]) -> None:
        self.unit = unit
        self.headings: dict[str, Heading] = {}
        """functions, classes and so on by name; an enum by the names of some variants, too"""
        self.impl_headings: dict[str, list[Heading]] = {}
        """by the name of what they are for"""
        self.kinds: dict[str, type] = dict.fromkeys(unit.names, Class)
        self.open_heads: dict[str, Entity] = {}
        """those that other heads may mention, and nobody else sees yet"""
        self.heads_level = 0
        self.open_members: list[Members] = []
        """whose members are being made"""
        self.contexts: dict[Source, Context] = {}
        for source in sources:
            self.enter(source)
        for name, variants in PRELUDE_VARIANTS.items():
            for variant in variants:
                self.headings[variant] = self.headings[name]
                self.kinds[variant] = Variant

    def enter(self, source: Source) -> None:
        self.contexts[source] = Context(self.unit, source)
        for heading in outline(source):
            if heading.keyword == "impl":
                self.impl_headings.setdefault(target_name(heading.name), []).append(heading)
            else:
                self.headings[heading.name] = heading
                self.kinds[heading.name] = KINDS[heading.keyword]

    def overriding(self) -> Iterator[Class]:
        """The classes that have the word `override` in their text, without which no method overrides."""
        for name, heading in self.headings.items():
            if heading.keyword == "class" and heading.mentions("override"):
                cls = self.unit.own(name)
                assert isinstance(cls, Class)
                yield cls

    # Heads.

    def entity(self, name: str) -> Entity | None:
        heading = self.headings.get(name)
        if heading is None:
            return None
        return self.in_turn(lambda: self.head_of(name, heading))

    def in_turn(self, step: Callable[[], T]) -> T:
        """Do a step when no other thread is at one; perhaps as a part of the step that this thread is at."""
        if TURN.is_mine():
            return step()
        with TURN.lock:
            TURN.thread = get_ident()
            self.open_heads, self.heads_level, self.open_members = {}, 0, []  # some were broken off, perhaps
            try:
                return step()
            finally:
                TURN.thread = 0  # or this thread might believe that it has the turn of the next one

    def head_of(self, name: str, heading: Heading) -> Entity:
        found = self.unit.names.get(name) or self.open_heads.get(name)
        if found is not None:
            return found
        self.heads_level += 1
        self.make_head(heading)
        self.heads_level -= 1
        made = self.open_heads[name]
        if not self.heads_level:
            self.unit.names.update(self.open_heads)
            self.open_heads = {}
        return made

    def make_head(self, heading: Heading) -> None:
        """Open a head, then make what it needs."""
        declarations = Declarations(self.unit)
        node = self.read(heading, head=heading.keyword in ("class", "trait"))
        assert not isinstance(node, tree.Impl | tree.InvalidDeclaration), f"{heading.name} is none"
        entity = make_entity(declarations, self.contexts[heading.source], node)
        self.open_heads[heading.name] = entity
        for function in declarations.functions:
            self.complete([function_completion(declare_function(function))])
        for cls in declarations.classes:
            self.make_class(cls, heading)
        for enum in declarations.enums:
            self.make_enum(enum)
        for trait in declarations.traits:
            self.make_trait(trait, heading)
        for variable in declarations.globals:
            variable.variable.type = resolve_type(variable.context, variable.node.type)
        for constant in declarations.constants:
            ConstantChecker(self.unit).compute(constant)

    def make_class(self, declaration: ClassDeclaration, heading: Heading) -> None:
        cls, context = declaration.entity, declaration.context
        cls.undeclared = partial(self.members, cls, lambda: self.add_members(cls, context, heading))
        declare_parent(declaration)
        resolve_bounds(context, declaration.node.type_parameters)

    def make_enum(self, declaration: EnumDeclaration) -> None:
        enum = declaration.entity
        enums.declare_form(declaration)
        if enum.name in PRELUDE_VARIANTS:
            self.open_heads |= enum.variants
        resolve_bounds(declaration.context, declaration.node.type_parameters)
        enums.declare_variants(declaration)
        enum.undeclared = partial(self.members, enum, lambda: self.add_enum_methods(declaration))

    def make_trait(self, declaration: TraitDeclaration, heading: Heading) -> None:
        trait, context = declaration.trait, declaration.context
        resolve_bounds(context, declaration.node.type_parameters)
        declare_supertraits(declaration)
        trait.undeclared = partial(
            self.members, trait, lambda: self.add_trait_methods(trait, context, heading)
        )
        trait.form.undeclared = trait.undeclared

    # Impls.

    def impls(self, head: ClassHead) -> dict[TraitHead, Impl]:
        headings = self.impl_headings.get(head.name)
        if headings is None or self.unit.names.get(head.name) is not head:
            return {}
        return self.in_turn(lambda: self.impls_by_trait(head, headings))

    def impls_by_trait(self, owner: ClassHead, headings: Sequence[Heading]) -> dict[TraitHead, Impl]:
        found = self.unit.impls.get(owner)
        if found is None:
            assert isinstance(owner, Class)
            made = [self.make_impl(owner, heading) for heading in headings]
            found = self.unit.impls[owner] = {impl.trait: impl for impl in made}
        return found

    def make_impl(self, owner: Class, heading: Heading) -> Impl:
        context = self.contexts[heading.source]
        node = self.read(heading, head=True)
        assert isinstance(node, tree.Impl), f"{heading.name} is none"
        trait = find_trait(context, node)
        if not node.trait.arguments and trait is self.unit.library_trait("Iterator"):
            node = self.read(heading)  # what `next` gives decides
            assert isinstance(node, tree.Impl)
        impl, inner = new_impl(context, node, trait, owner)
        impl.undeclared = partial(self.members, impl, lambda: self.add_impl_methods(impl, inner, heading))
        return impl

    # Members.

    def members(self, owner: Members, add: Callable[[], list[Completion]]) -> None:
        """Let a class, trait or impl have its members, unless it has them by now.

        Who makes them sees what is there already.
        """
        self.in_turn(lambda: self.add_once(owner, add))

    def add_once(self, owner: Members, add: Callable[[], list[Completion]]) -> None:
        if owner.undeclared is None or owner in self.open_members:
            return
        self.open_members.append(owner)
        self.complete(add())
        owner.undeclared = None
        if isinstance(owner, Trait):
            owner.form.undeclared = None
        self.open_members.pop()

    def add_members(self, cls: Class, context: Context, heading: Heading) -> list[Completion]:
        node = self.read(heading)
        assert isinstance(node, tree.Class)
        cls.forget_members()
        declaration = ClassDeclaration(cls, node, context)
        declare_members(declaration)
        for method in cls.methods.values():
            method.overridden = overridden_by(method)
        return class_completions(declaration)

    def add_enum_methods(self, declaration: EnumDeclaration) -> list[Completion]:
        declaration.entity.forget_methods()
        declaration.methods.clear()
        enums.declare_methods(declaration)
        return [function_completion(one) for one in declaration.methods]

    def add_trait_methods(self, trait: Trait, context: Context, heading: Heading) -> list[Completion]:
        node = self.read(heading)
        assert isinstance(node, tree.Trait)
        trait.forget_methods()
        completions = [
            function_completion(one) for one in declare_methods(TraitDeclaration(trait, node, context))
        ]
        declare_forms(self.unit, [trait])
        return completions

    def add_impl_methods(self, impl: Impl, context: Context, heading: Heading) -> list[Completion]:
        node = self.read(heading)
        assert isinstance(node, tree.Impl)
        impl.forget_methods()
        methods = [
            declare_method(context, impl, one) for one in node.methods if isinstance(one, tree.Function)
        ]
        adopt(impl)
        return [function_completion(one) for one in methods]

    # Bodies.

    def complete(self, completions: Iterable[Completion]) -> None:
        """Let functions have their bodies checked when those are asked for, by one thread at a time."""
        for function, check in completions:
            if function is not None:
                function.complete = partial(self.check_body, partial(function.check_body, check))

    def check_body(self, check: Callable[[], None]) -> None:
        """No step asks for a body."""
        TURN.refuse_handlers()
        self.in_turn(check)

    # Texts.

    def read(self, heading: Heading, *, head: bool = False) -> tree.Declaration:
        part = Span(heading.start, heading.end)
        return parse_declaration(heading.source, self.unit.diagnostics, part, head=head)


PRELUDE_VARIANTS: Final = {"Option": ("None", "Some"), "Result": ("Ok", "Err")}
"""the enums whose variants are names by themselves"""


def target_name(written: str) -> str:
    """The name of the class that an impl is for; of tuples `(A, B)`, it has the number of their elements."""
    return f"Tuple{written.count(',') + 1}" if written.startswith("(") else written
