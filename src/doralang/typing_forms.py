"""What classes and functions are made with that `typing` has, for modules which every start loads.

    from doralang.typing_forms import NamedTuple, Protocol

`typing` takes as long to load as twenty modules of ours.  So what is named in annotations alone (`Final`,
`Any`, type variables, …) is imported under `TYPE_CHECKING = False`, and this is the rest.  To type checkers
these are those of `typing`; when a program runs they do no more than is needed.
"""

from __future__ import annotations

__all__ = ["Annotated", "NamedTuple", "NewType", "Protocol", "cast", "dataclass_transform", "overload"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, NamedTuple, NewType, Protocol, cast, dataclass_transform, overload
else:
    from _collections import _tuplegetter
    from types import FunctionType

    Protocol = object

    class Annotated:
        def __class_getitem__(cls, form):
            return form

    def NewType(name, base):
        return base

    def cast(form, value):
        return value

    def dataclass_transform(**options):
        return lambda decorator: decorator

    def overload(function):
        return function

    make = tuple.__new__
    CONSTRUCTORS = (
        lambda cls: make(cls, ()),
        lambda cls, a: make(cls, (a,)),
        lambda cls, a, b: make(cls, (a, b)),
        lambda cls, a, b, c: make(cls, (a, b, c)),
        lambda cls, a, b, c, d: make(cls, (a, b, c, d)),
        lambda cls, a, b, c, d, e: make(cls, (a, b, c, d, e)),
        lambda cls, a, b, c, d, e, f: make(cls, (a, b, c, d, e, f)),
        lambda cls, a, b, c, d, e, f, g: make(cls, (a, b, c, d, e, f, g)),
        lambda cls, a, b, c, d, e, f, g, h: make(cls, (a, b, c, d, e, f, g, h)),
        lambda cls, a, b, c, d, e, f, g, h, i: make(cls, (a, b, c, d, e, f, g, h, i)),
    )
    """by number of fields, whose names they are given"""

    class NamedTupleType(type):
        """Makes a class of what it is annotated with; what stands behind `=` are defaults."""

        def __new__(cls, name, bases, content):
            fields = tuple(content.get("__annotations__", ()))
            defaults = tuple([content[field] for field in fields if field in content])
            code = CONSTRUCTORS[len(fields)].__code__.replace(
                co_varnames=("cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
            )
            content |= {field: _tuplegetter(at, field) for at, field in enumerate(fields)}
            content |= {"__slots__": (), "_fields": fields, "__match_args__": fields}
            content["__new__"] = FunctionType(code, globals(), "__new__", defaults)
            return super().__new__(cls, name, bases, content)

    class NamedTuple(tuple, metaclass=NamedTupleType):
        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            parts = [f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)]
            return f"{type(self).__name__}({', '.join(parts)})"

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes):
            return type(self)(**(self._asdict() | changes))
