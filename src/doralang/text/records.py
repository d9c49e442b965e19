"""Classes that are little more than their fields: nodes, rows, small values.

    @record
    class Number(Node):
        kind: NumberKind
        value: int | float
        bits: bool = False

    Number(span, kind, 7)    fields_of(number)   ->   ("span", "kind", "value", "bits")

They are as those of `dataclasses` with slots, which compiles an `__init__` from text for each class, at every
start.  Here the code of an `__init__` for as many fields is there, and is given the names of the fields.
Records are compared by identity, or with `eq` by what is in their fields.  `frozen` is for the type checker,
and makes a record hashable.

    class Node(metaclass=RecordType):
        span: Span

Where there are very many, as below `Node`, a metaclass does it for a class and all that extend it: slots are
made together with a class, so the decorator makes each class twice.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

from doralang.typing_forms import dataclass_transform, overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeVar

    T = TypeVar("T")

MISSING: Final = object()


class FieldDescription:
    """What is special about a field."""

    def __init__(
        self, default: Any, default_factory: Callable[[], Any] | None, init: bool, compare: bool
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.compare = compare


def field(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    init: bool = True,
    compare: bool = True,
) -> Any:
    """A field whose default is made anew each time; that is no argument, and not there until it is assigned
    to (`init`); or that says only where or how something was written (`compare`)."""
    return FieldDescription(default, default_factory, init, compare)


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, eq: bool = False, frozen: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def record(cls: type[T] | None = None, /, *, eq: bool = False, frozen: bool = False) -> Any:
    """Make a record of a class whose fields are annotated; it may extend another record."""
    if cls is None:
        return lambda one: made(one, eq, frozen)
    return made(cls, eq, frozen)


def fields_of(value: Any) -> tuple[str, ...]:
    """The names of the fields of a record that tell what it is, in order."""
    names: tuple[str, ...] = value.__compared__
    return names


def all_fields_of(value: Any) -> tuple[str, ...]:
    """The names of all fields; those that are no arguments may not be there."""
    names: tuple[str, ...] = value.__all_fields__
    return names


def replaced(record: T, **changes: Any) -> T:
    """Another record of the class, with some other values in its fields."""
    names: tuple[str, ...] = record.__match_args__  # type: ignore[attr-defined]
    return type(record)(**{name: getattr(record, name) for name in names} | changes)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class RecordType(type):
    """That of records which are compared by identity."""

    def __new__(cls, name: str, bases: tuple[type, ...], content: dict[str, Any]) -> RecordType:
        complete(content, bases[0] if bases else object)
        return type.__new__(cls, name, bases, content)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class FrozenRecordType(RecordType):
    """The same of those whose fields nobody assigns to."""


def made(cls: Any, eq: bool, frozen: bool) -> Any:
    """The same class with slots and an `__init__`."""
    content = vars(cls).copy()
    content.pop("__dict__", None)
    content.pop("__weakref__", None)
    content["__qualname__"] = cls.__qualname__
    complete(content, cls)
    if eq:
        content |= {"__eq__": same_fields, "__hash__": hash_of if frozen else None}
        content.setdefault("__repr__", shown)
    return type(cls)(cls.__name__, cls.__bases__, content)


def complete(content: dict[str, Any], parent: type) -> None:
    """Give what will be a class slots and an `__init__`; other fields are those of its parent."""
    forms = content.get("__annotations__", {})
    own = tuple([name for name in forms if not forms[name].startswith("ClassVar")])
    special = {name: as_field(content.pop(name)) for name in own if name in content}
    arguments = compared = own
    if special:
        arguments = tuple([name for name in own if name not in special or special[name].init])
        compared = tuple([name for name in arguments if name not in special or special[name].compare])
    names = content["__match_args__"] = getattr(parent, "__match_args__", ()) + arguments
    content["__compared__"] = getattr(parent, "__compared__", ()) + compared
    content["__all_fields__"] = getattr(parent, "__all_fields__", ()) + own
    special = content["__special__"] = getattr(parent, "__special__", {}) | special
    content["__slots__"] = own
    if own and "__init__" not in content:
        content["__init__"] = initializer_when_called(names, special, "__post_init__" in content)


PLAIN: Final = FieldDescription(MISSING, None, True, True)


def as_field(default: Any) -> FieldDescription:
    """What stands behind the `=` of a field."""
    return default if isinstance(default, FieldDescription) else FieldDescription(default, None, True, True)


def initializer_when_called(
    names: tuple[str, ...], special: dict[str, FieldDescription], has_more: bool
) -> Any:
    """An `__init__` that is made when the first object is: few starts need that of every class."""

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        store = initializer(names, special, has_more)
        cls: Any
        for cls in type(self).__mro__:
            if vars(cls).get("__init__") is __init__:
                cls.__init__ = store
        store(self, *values, **named)

    return __init__


def initializer(names: tuple[str, ...], special: dict[str, FieldDescription], has_more: bool) -> Any:
    """An `__init__` that stores its arguments in the fields of these names."""
    if len(names) >= len(STORES):
        store = general_initializer(names, special)
    else:
        code = STORES[len(names)].__code__.replace(
            co_varnames=("self", *names), co_names=names, co_name="__init__", co_qualname="__init__"
        )
        described = [special[name] for name in names if name in special]
        defaults = [one.default for one in described if one.default_factory or one.default is not MISSING]
        store = FunctionType(code, globals(), "__init__", tuple(defaults))
    made_anew = [(name, special[name].default_factory) for name in names if name in special]
    made_anew = [(name, make) for name, make in made_anew if make]
    return completing(store, made_anew, has_more) if made_anew or has_more else store


def completing(store: Any, made_anew: list[Any], has_more: bool) -> Any:
    """An `__init__` that stores its arguments, makes what was not given anew, and does what is more to do."""

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        store(self, *values, **named)
        for name, make in made_anew:
            if getattr(self, name) is MISSING:
                setattr(self, name, make())
        if has_more:
            self.__post_init__()

    return __init__


def general_initializer(names: tuple[str, ...], special: dict[str, FieldDescription]) -> Any:
    """The same as the code of `STORES`, more slowly, for any number of fields."""

    known = frozenset(names)

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        given = dict(zip(names, values, strict=False)) | named
        if len(given) != len(values) + len(named) or not given.keys() <= known:
            raise TypeError(f"{type(self).__name__}() has other fields: {', '.join(names)}")
        for name in names:
            default = special.get(name, PLAIN)
            setattr(self, name, given[name] if name in given else default_of(self, name, default))

    return __init__


def default_of(record: Any, name: str, field: FieldDescription) -> Any:
    if field.default is MISSING and field.default_factory is None:
        raise TypeError(f"{type(record).__name__}() lacks `{name}`")
    return field.default


def values_of(value: Any) -> tuple[object, ...]:
    return tuple([getattr(value, name) for name in fields_of(value)])


def same_fields(self: Any, other: object) -> bool:
    return values_of(self) == values_of(other) if type(self) is type(other) else NotImplemented


def hash_of(self: Any) -> int:
    return hash(values_of(self))


def shown(self: Any) -> str:
    parts = [f"{name}={getattr(self, name)!r}" for name in fields_of(self)]
    return f"{type(self).__qualname__}({', '.join(parts)})"


# The code of `__init__`, by number of fields.


def store_0(self: Any) -> None: ...


def store_1(self: Any, a: Any) -> None:
    self.a = a


def store_2(self: Any, a: Any, b: Any) -> None:
    self.a = a
    self.b = b


def store_3(self: Any, a: Any, b: Any, c: Any) -> None:
    self.a = a
    self.b = b
    self.c = c


def store_4(self: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d


def store_5(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e


def store_6(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f


def store_7(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g


def store_8(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h


def store_9(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h
    self.i = i


def store_10(
    self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any
) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h
    self.i = i
    self.j = j


def store_11(
    self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any, k: Any
) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h
    self.i = i
    self.j = j
    self.k = k


def store_12(
    self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any, k: Any, m: Any
) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h
    self.i = i
    self.j = j
    self.k = k
    self.m = m


STORES: Final[list[Any]] = [
    store_0,
    store_1,
    store_2,
    store_3,
    store_4,
    store_5,
    store_6,
    store_7,
    store_8,
    store_9,
    store_10,
    store_11,
    store_12,
]
