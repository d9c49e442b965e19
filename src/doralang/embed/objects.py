"""Objects of a program in Python: fields are attributes, methods are methods, `==` is `===`."""

from __future__ import annotations

from typing import Any, Final

from doralang.checker.program import Class, Field
from doralang.checker.program import Function as Typed
from doralang.code import layout
from doralang.embed import errors
from doralang.embed.borders import Border, border_of
from doralang.embed.conversion import TO_WORD
from doralang.embed.functions import Function, SlowCallee, comment_above
from doralang.embed.held import Held
from doralang.embed.instances import Host, Instances
from doralang.embed.programs import CheckedProgram
from doralang.runtime.memory import load_bytes, store_bytes
from doralang.types.kinds import Kind
from doralang.types.types import ClassType, lineage

SIZES: Final = {Kind.BOOL: 1, Kind.BYTE: 1, Kind.CHAR: 4, Kind.INT: 4, Kind.FLOAT: 4}
"""bytes of a field; of all other kinds 8"""


class Object(Held):
    """An object of a program, held by a handle until dropped; fields are attributes, methods are methods.

    Reading a field takes no turn of the instance, but raises InstanceBusy while it runs.
    """

    __slots__ = ("_program", "_type")

    def __init__(
        self, program: CheckedProgram, instances: Instances, host: Host, address: int, type: ClassType
    ) -> None:
        super().__init__(instances, host, address)
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_type", type)

    def __new__(cls, *args: Any) -> Object:
        if not args or not isinstance(args[0], CheckedProgram):
            raise TypeError(f"a program makes objects of {cls.__name__} by itself; call a function of it")
        return super().__new__(cls)

    def __getattr__(self, name: str) -> Any:
        for cls in lineage(self._type):
            assert isinstance(cls.head, Class), "it is a checked one"
            field = cls.head.fields.get(name)
            if field is not None and not field.internal:
                return self._load(field)
            method = cls.head.methods.get(name)
            if method is not None and not method.all_type_parameters:
                return Method(self, method)
        raise AttributeError(f"{self._type} has no field or method `{name}` that can be reached")

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(f"a {self._type} of a program cannot be pickled or copied: it lives in its instance")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Held.__slots__:
            object.__setattr__(self, name, value)
            return
        for cls in lineage(self._type):
            assert isinstance(cls.head, Class), "it is a checked one"
            field = cls.head.fields.get(name)
            if field is not None and not field.internal:
                self._store(field, value)
                return
        raise AttributeError(f"{self._type} has no field `{name}`")

    def _place_of(self, field: Field) -> tuple[int, Border]:
        """The address of a field, and how it crosses.  Raises InstanceBusy, InstanceSpent and TypeError."""
        host, program = self._host, self._program
        if host.instance.is_closed:
            raise errors.InstanceSpent("the instance was closed")
        if host.instance.is_running:
            raise errors.InstanceBusy("the instance is running")
        border = border_of(field.type, program.text)
        if border is None:
            raise TypeError(f"`{field.name}` is a {field.type}, which cannot cross")
        with program.code.space.freeing, program.code.space.lock:
            ref = program.code.specializer.field_ref(self._type, field)
        return self._address + program.code.environment.field_offset(ref), border

    def _load(self, field: Field) -> Any:
        place, border = self._place_of(field)
        word = int.from_bytes(load_bytes(place, SIZES.get(border.kind, layout.WORD)), "little")
        if border is Border.OBJECT:
            return (
                self._program.make_object(self._program, self._instances, self._host, word) if word else None
            )
        value = self._host.from_word(word, border.kind)
        if border is Border.TEXT:
            return None if value is None else value.data.decode()  # type: ignore[union-attr]
        return chr(value) if border is Border.CHAR else value  # type: ignore[arg-type]

    def _store(self, field: Field, value: Any) -> None:
        if not field.mutable:
            raise AttributeError(f"`{field.name}` cannot be changed: it is declared with `let`")
        place, border = self._place_of(field)
        if border.kind is Kind.REF:
            raise TypeError(f"`{field.name}` is a {field.type}; only the program can change it")
        word = TO_WORD[border](value, field.name)
        store_bytes(place, word.to_bytes(layout.WORD, "little")[: SIZES.get(border.kind, layout.WORD)])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Object) or other._host is not self._host:
            return False
        if other is not self and self._host.instance.is_closed:
            raise errors.InstanceSpent("the instance was closed")
        return other is self or other._address == self._address

    def __hash__(self) -> int:
        return hash((id(self._host), self._type.head.name))  # the object itself moves

    def __dir__(self) -> list[str]:
        names = {name for cls in lineage(self._type) for name in [*cls.head.fields, *cls.head.methods]}  # type: ignore[attr-defined]
        return sorted({*super().__dir__(), *names})

    def __repr__(self) -> str:
        return f"<dora object of {self._type}>"


class Method(Function[Any]):
    """A method of an object."""

    def __init__(self, receiver: Object, method: Typed) -> None:
        super().__init__(SlowCallee(receiver._program, method, receiver._instances, receiver))


def object_at(program: CheckedProgram, instances: Instances, host: Host, address: int) -> Object:
    """The Python object for the object at an address, in a turn of the host."""
    type = type_of(program, host, address)
    assert isinstance(type.head, Class), "it is a checked one"
    return python_class(program, type.head)(program, instances, host, address, type)


def python_class(program: CheckedProgram, head: Class) -> type[Object]:
    """The Python class for a class of the program, made when it is first needed; for others `Object`."""
    if not head.source.main:
        return Object
    found = program.python_classes.get(head)
    if found is None:
        parent = head.parent.head if isinstance(head.parent, ClassType) else None
        base = python_class(program, parent) if isinstance(parent, Class) else Object
        namespace = {"__slots__": (), "__doc__": comment_above(head), "__module__": __name__}
        made = type(head.name, (base,), namespace)
        found = program.python_classes.setdefault(head, made)
    assert isinstance(found, type) and issubclass(found, Object), "it is made here"
    return found


def type_of(program: CheckedProgram, host: Host, address: int) -> ClassType:
    """The class of the object at an address, as the checker knows it."""
    ref = host.class_at(address)
    with program.code.space.freeing, program.code.space.lock:
        specializer = program.code.specializer
        known = [specializer.classes, specializer.parent.classes if specializer.parent else {}]
        found = next(
            (type for classes in known for type, one in classes.items() if one.symbol == ref.symbol), None
        )
    assert found is not None, f"{ref.symbol} is a class of the program"
    return found
