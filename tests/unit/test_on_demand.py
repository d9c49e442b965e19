"""The library declared piece by piece, in whatever order, against the whole of it declared at once."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from doralang.checker import on_demand as module
from doralang.checker.checker import CheckedLibrary, check_program
from doralang.checker.library import LAYOUT, sources_of, whole_library
from doralang.checker.on_demand import on_demand
from doralang.checker.printer import dump_program
from doralang.checker.program import Class, Function, Global, Impl, Program, Trait, Variant
from doralang.checker.scopes import ConstantName
from doralang.code.constants import layout_constants
from doralang.library.files import PUBLIC_NAMES, read_heap, read_prelude
from doralang.syntax.outline import outline
from doralang.syntax.parser import parse_declaration, parse_file
from doralang.syntax.tree import Modifier
from doralang.text.diagnostics import Diagnostics, OutOfTime
from doralang.text.source import LIBRARY, Source, Span
from doralang.types.types import TypeParameter

SOURCES = sources_of([*read_prelude(), (LAYOUT, layout_constants()), *read_heap()])


# What a library says, as text.


def described(library: CheckedLibrary) -> list[str]:
    """Everything that is declared, in the order of the files."""
    lines: list[str] = []
    names = [heading.name for source in SOURCES for heading in outline(source) if heading.keyword != "impl"]
    for name in [*names, "None", "Some", "Ok", "Err", *(f"Tuple{count}" for count in range(2, 9))]:
        entity = library.unit.own(name)
        lines += describe(entity)
        if isinstance(entity, Class):
            for trait, impl in library.unit.impls_of(entity).items():
                assert impl.trait is trait
                lines += describe_impl(impl)
    return lines


def describe(entity: object) -> Iterator[str]:
    match entity:
        case Function():
            yield describe_function(entity)
        case Class():
            yield from describe_class(entity)
        case Trait():
            yield f"trait {entity.name}{bounds(entity.parameters)}: {texts(entity.supertraits)}"
            for method in (*entity.methods.values(), *entity.statics.values()):
                yield f"  {describe_function(method)} default {method.has_default}"
            yield from describe_class(entity.form)
            yield from describe_class(entity.holder) if entity.holder else ()
            for method, form in entity.dispatched.items():
                yield f"  {method.signature} is {form.signature}"
            for above, function in entity.conversions.items():
                yield f"  {above.name} by {function.signature}"
        case Global():
            yield f"{entity.name}: {entity.type} {entity.mutable} {entity.span}"
        case ConstantName():
            yield f"{entity.name}: {entity.type} = {entity.value} {entity.progress}"
        case Variant():
            yield f"{entity.owner.name}::{entity.name} {entity.index} {describe_function(entity.function)}"
            yield from describe_class(entity.made) if entity.made else ()
        case _:
            raise AssertionError(entity)


def describe_class(cls: Class) -> Iterator[str]:
    flags = cls.is_value, cls.nil_is_value, cls.plain_type, cls.trait and cls.trait.name, list(cls.variants)
    yield f"{cls.modifiers} class {cls.self_type}{bounds(cls.parameters)}: {cls.parent} {flags} {cls.span}"
    for field in cls.fields.values():
        yield f"  {field.name}: {field.type} {field.mutable} {field.internal} {field.owner.name} {field.span}"
    for table in (cls.methods, cls.late, cls.statics):
        yield f"  {list(table)}"
        yield from (f"  {describe_function(one)}" for one in table.values())
    yield from (f"  {describe_function(one)}" for one in cls.constructors)


def describe_impl(impl: Impl) -> Iterator[str]:
    yield f"impl {impl.trait_type} for {impl.owner.name} {impl.span} {impl.source.name}"
    yield from (f"  {parameter}: {texts(traits)}" for parameter, traits in impl.bounds.items())
    for function in (*impl.methods.values(), *impl.statics.values()):
        yield f"  {describe_function(function)}"
    for name, one in impl.adopted.items():
        yield f"  {name} is {one.owner} {one.function.signature}"


def describe_function(one: Function) -> str:
    owner, trait = one.owner and one.owner.name, one.trait and one.trait.name
    above = one.overridden and (one.overridden.owner, one.overridden.signature)
    where = {str(parameter): texts(traits) for parameter, traits in one.conditions.items()}
    locals = [f"{local.name}: {local.type} {local.mutable} {local.index}" for local in one.locals]
    marks = one.modifiers, one.throws, one.rethrows, one.is_hidden, one.kind.value
    names = owner, trait, one.impl_of and one.impl_of.name, above and (above[0] and above[0].name, above[1])
    return f"{one.signature}{bounds(one.type_parameters)} {marks} {names} {where} {locals} {one.span}"


def bounds(parameters: tuple[TypeParameter, ...]) -> str:
    return f"<{', '.join(f'{one}: {one.class_bound} {texts(one.traits)}' for one in parameters)}>"


def texts(types: object) -> str:
    return " + ".join(map(str, types))  # type: ignore[call-overload, no-any-return]


WHOLE = described(whole_library(SOURCES))


# What one may ask a library for.


def questions(library: CheckedLibrary) -> list[Callable[[], object]]:
    unit = library.unit

    def members(name: str) -> object:
        entity = unit.own(name)
        return entity.methods if isinstance(entity, Class | Trait) else None

    def impl_members(name: str) -> object:
        entity = unit.own(name)
        return [one.methods for one in unit.impls_of(entity).values()] if isinstance(entity, Class) else None

    return [
        lambda ask=ask, name=name: ask(name)  # type: ignore[misc]
        for name in sorted(unit.all_names())
        for ask in (unit.own, members, impl_members)
    ]


def fresh() -> CheckedLibrary:
    return on_demand(SOURCES, PUBLIC_NAMES)


def test_nothing_is_declared_before_somebody_asks() -> None:
    library = fresh()
    assert all(name.startswith("Tuple") for name in library.unit.names)
    library.unit.own("println")
    assert "HashMap" not in library.unit.names
    text = library.unit.own("Str")
    assert isinstance(text, Class) and text.undeclared is not None


def test_the_parts_together_are_the_whole() -> None:
    assert described(fresh()) == WHOLE


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_questions_changes_nothing(seed: int) -> None:
    library = fresh()
    asked = questions(library)
    random.Random(seed).shuffle(asked)
    for ask in asked:
        ask()
    assert described(library) == WHOLE
    assert not library.unit.diagnostics.errors


def test_names_by_kind_are_those_of_the_whole() -> None:
    library, whole = fresh().library, whole_library(SOURCES).library
    for mine, theirs in (
        (library.functions, whole.functions),
        (library.classes, {name: one for name, one in whole.classes.items() if "Tuple" not in name}),
        (library.traits, whole.traits),
        (library.globals, whole.globals),
    ):
        assert [name for name in mine if "Tuple" not in name] == list(theirs)
    overriding = {one.name for one in library.overriding()}
    for name, cls in whole.classes.items():
        assert name in overriding or not any(method.overridden for method in cls.methods.values())


# Breaking off.


TraceFunction = Callable[[FrameType, str, Any], Any]


class Broken(BaseException):
    pass


def broken_off(ask: Callable[[], object], left: int) -> None:
    """Ask, and raise an exception after so many lines and calls."""

    def handler() -> None:
        raise Broken

    with suppress(Broken):
        interrupted(ask, left, handler)


def interrupted(ask: Callable[[], object], left: int, handler: Callable[[], None]) -> None:
    """Ask, and call a handler after so many lines and calls."""

    def trace(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        nonlocal left
        left -= 1
        is_lock = frame.f_code.co_filename.endswith("/doralang/locks.py")
        if left <= 0 and frame.f_code.co_name != "in_turn" and not is_lock:
            sys.settrace(None)
            handler()
            return None
        return trace

    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(None)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_broken_off_is_made_anew(seed: int) -> None:
    """An exception anywhere while something is declared, as when Ctrl-C is pressed, leaves nothing half made.

    CPython looks at signals between any two lines, but not between a `with` and the lock that it releases.
    """
    chance, library = random.Random(seed), fresh()
    asked = questions(library)
    chance.shuffle(asked)
    for ask in asked[:300]:
        broken_off(ask, int(chance.expovariate(1 / 400)))
    assert described(library) == WHOLE
    assert not module.TURN.lock._is_owned()


def functions_of(library: CheckedLibrary) -> Iterator[Function]:
    """Some of the prelude: functions, and what classes and their impls have."""
    for name in (
        "sortedCopy",
        "hashOf",
        "areEqual",
        "range",
        "HashMap",
        "Vec",
        "StringBuf",
        "Option",
        "Exception",
    ):
        entity = library.unit.own(name)
        if isinstance(entity, Function):
            yield entity
        elif isinstance(entity, Class):
            yield from (*entity.methods.values(), *entity.late.values(), *entity.constructors)
            for impl in library.unit.impls_of(entity).values():
                yield from impl.methods.values()


def printed(library: CheckedLibrary, function: Function) -> str:
    """The body of a function, with its locals and lambdas."""
    assert function.internal or function.body is not None
    return dump_program(Program(function.source, library.library, {function.name: function}))


@pytest.mark.parametrize("seed", range(3))
def test_a_body_that_is_broken_off_is_checked_anew(seed: int) -> None:
    chance, library, whole = random.Random(seed), fresh(), fresh()
    for function, one in zip(functions_of(library), functions_of(whole), strict=True):
        broken_off(lambda function=function: function.body, int(chance.expovariate(1 / 200)))  # type: ignore[misc]
        assert printed(library, function) == printed(whole, one)
        assert function.complete is None


@pytest.mark.parametrize("seed", range(4))
def test_a_handler_is_refused_rather_than_given_what_is_half_made(seed: int) -> None:
    """Where a method of `int` is not there yet, `self.toString()` means that of `Show`, which calls itself."""
    chance, library, whole = random.Random(seed), fresh(), fresh()
    functions, refused = list(functions_of(whole)), 0

    def handler() -> None:
        nonlocal refused
        try:
            module.TURN.refuse_handlers()  # as every way to a library begins (`checker.library`)
            assert printed(library, chance.choice(list(functions_of(library)))) in right
        except RuntimeError:
            refused += 1

    right = {printed(whole, one) for one in functions}
    asked = questions(library)
    chance.shuffle(asked)
    for ask in asked[:100]:
        interrupted(ask, int(chance.expovariate(1 / 400)), handler)
    assert refused
    assert {printed(library, one) for one in functions_of(library)} == right


def test_threads_find_whole_bodies() -> None:
    library, whole = fresh(), fresh()
    functions = list(functions_of(library))
    at_once(lambda seed: [printed(library, one) for one in functions])
    assert [printed(library, one) for one in functions] == [
        printed(whole, one) for one in functions_of(whole)
    ]


def test_no_body_of_the_library_needs_another_thread() -> None:
    """Which would wait for the one that checks it."""
    library = fresh()
    for function in library.library.functions.values():
        assert function.internal or function.body is not None
    for cls in library.library.classes.values():
        impls = library.unit.impls_of(cls).values()
        for one in (
            *cls.methods.values(),
            *cls.constructors,
            *(m for impl in impls for m in impl.methods.values()),
        ):
            assert one.body is not None or one.internal or Modifier.ABSTRACT in one.modifiers, one.signature


def at_once(work: Callable[[int], object]) -> None:
    """Call it in some threads, with the number of each."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failures


def test_threads_declare_one_after_the_other() -> None:
    library = fresh()
    asked = questions(library)

    def work(seed: int) -> None:
        mine = list(asked)
        random.Random(seed).shuffle(mine)
        for ask in mine:
            ask()

    at_once(work)
    assert described(library) == WHOLE


def test_a_child_process_declares_what_its_parent_was_about_to() -> None:
    library = fresh()
    with module.TURN.lock:
        module.TURN.thread = -1  # another thread is at it
        child = os.fork()
        if not child:
            os._exit(0 if described(library) == WHOLE else 1)
    assert os.waitpid(child, 0)[1] == 0


class Impatient(Diagnostics):
    """Out of time when the clock is looked at for the `left`th time."""

    left = 0

    def look_at_clock(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OutOfTime


def test_a_deadline_of_a_program_does_not_break_off_the_library() -> None:
    """What is declared in the middle of checking it is of the library, which takes its time."""
    text = (
        'fun main() { let m = HashMap::<Str, int>(); m.insert("a", 1); for x in [1, 2].iter() { print(x); } }'
    )
    source, library = Source("case", text), fresh()
    ends = 0
    for looks in range(1, 12):
        diagnostics = Impatient()
        file = parse_file(source, diagnostics)
        diagnostics.left = looks
        try:
            check_program(source, file, diagnostics, library)
        except OutOfTime:
            ends += 1
        assert not library.unit.diagnostics.reports
    assert 3 < ends < 11, "some looks at the clock come before the end, not all"
    assert described(library) == WHOLE


# The outline.


def test_the_outline_is_what_the_parser_finds() -> None:
    for source in SOURCES:
        diagnostics = Diagnostics()
        declarations, headings = (
            parse_file(source, diagnostics, lazy=True).declarations,
            list(outline(source)),
        )
        assert len(declarations) == len(headings)
        for whole, heading in zip(declarations, headings, strict=True):
            part = Span(heading.start, heading.end)
            alone = parse_declaration(source, diagnostics, part)
            head = parse_declaration(source, diagnostics, part, head=True)
            assert (alone.span, alone.start, alone.end) == (whole.span, whole.start, whole.end)
            assert type(alone) is type(head) is type(whole) and head.span == whole.span
        assert not diagnostics.reports


def test_the_head_of_a_declaration_ends_before_its_members() -> None:
    source = Source("case", "open class A\n// not { this\nclass B<T>: A { fun f(); }\n", unit=LIBRARY)
    first, second = outline(source)
    for heading, name in ((first, "A"), (second, "B")):
        diagnostics = Diagnostics()
        node = parse_declaration(source, diagnostics, Span(heading.start, heading.end), head=True)
        assert (node.name, node.members, diagnostics.reports) == (name, [], [])  # type: ignore[union-attr]
