"""What classes look like at run time: fields of objects, methods found by name, type arguments.

Everything is found the plain way once and remembered.
"""

from __future__ import annotations

from typing import Final

from doralang.checker.program import Class, Field, Function, Instantiation, Library, Program, Trait
from doralang.interpreter.objects import Value, default_value
from doralang.types.types import (
    ClassHead,
    ClassType,
    EnumType,
    PrimitiveType,
    Type,
    TypeParameter,
    is_subclass,
    lineage,
    substitute,
)


class Bindings:
    """What the type parameters of a function stand for in one call of it."""

    __slots__ = ("_known", "mapping")

    def __init__(self, mapping: dict[TypeParameter, Type]) -> None:
        self.mapping = mapping
        self._known: dict[Type, Type] = {}

    def of(self, type: Type) -> Type:
        """The concrete type that `type` is in this call."""
        if not self.mapping:
            return type
        concrete = self._known.get(type)
        if concrete is None:
            concrete = self._known[type] = substitute(type, self.mapping)
        return concrete

    def class_of(self, type: Type) -> ClassType:
        concrete = self.of(type)
        assert isinstance(concrete, ClassType), f"{concrete} is no class"
        return concrete


NO_BINDINGS: Final = Bindings({})

Method = tuple[Function, Bindings]
TraitMethod = tuple[Function, Bindings, bool]
"""and whether the class of the receiver decides"""


def class_of(type: ClassType) -> Class:
    assert isinstance(type.head, Class), "class types are made by classes"
    return type.head


class Classes:
    """The classes of a program and its library."""

    def __init__(self, program: Program) -> None:
        self._impls_of = program.impls_of
        self._library: Library = program.library
        self._slots: dict[Field, int] = {}
        self._defaults: dict[ClassType, list[Value]] = {}
        self._bindings: dict[tuple[Function, tuple[Type, ...]], Bindings] = {}
        self._methods: dict[tuple[ClassType, str], Method] = {}
        self._trait_methods: dict[tuple[Function, tuple[Type, ...]], TraitMethod] = {}
        self._subclasses: dict[tuple[ClassType, ClassType], bool] = {}

    # Type arguments.

    def bindings(self, function: Function, arguments: tuple[Type, ...]) -> Bindings:
        """What the type parameters of a function are, given concrete arguments."""
        if not arguments:
            return NO_BINDINGS
        key = (function, arguments)
        bindings = self._bindings.get(key)
        if bindings is None:
            mapping = dict(zip(function.all_type_parameters, arguments, strict=True))
            bindings = self._bindings[key] = Bindings(mapping)
        return bindings

    def bindings_of(self, target: Instantiation, outer: Bindings) -> Bindings:
        """Those of a called function, whose arguments may mention parameters of the calling one."""
        if not target.arguments:
            return NO_BINDINGS
        return self.bindings(target.function, tuple(map(outer.of, target.arguments)))

    # Objects.

    def slot(self, field: Field) -> int:
        """The place of a field in an object: those of the parents come first."""
        slot = self._slots.get(field)
        if slot is None:
            parents = list(lineage(field.owner.self_type))[1:]
            before = sum(len(class_of(parent).fields) for parent in parents)
            slot = self._slots[field] = before + list(field.owner.fields.values()).index(field)
        return slot

    def default_fields(self, type: ClassType) -> list[Value]:
        """The fields of a new object."""
        defaults = self._defaults.get(type)
        if defaults is None:
            defaults = self._defaults[type] = self._make_defaults(type)
        return defaults.copy()

    def _make_defaults(self, type: ClassType) -> list[Value]:
        defaults: list[Value] = []
        for ancestor in reversed(list(lineage(type))):
            bindings = Bindings(dict(zip(ancestor.head.parameters, ancestor.arguments, strict=True)))
            fields = class_of(ancestor).fields.values()
            defaults += [default_value(bindings.of(field.type)) for field in fields]
        return defaults

    def is_instance(self, type: ClassType, wanted: ClassType) -> bool:
        if type is wanted:
            return True
        key = (type, wanted)
        answer = self._subclasses.get(key)
        if answer is None:
            answer = self._subclasses[key] = is_subclass(type, wanted)
        return answer

    # Methods.

    def virtual_method(self, type: ClassType, name: str) -> Method:
        """The method of an object's class: the first one of that name, from the class upwards."""
        key = (type, name)
        method = self._methods.get(key)
        if method is None:
            method = self._methods[key] = self._find_method(type, name)
        return method

    def _find_method(self, type: ClassType, name: str) -> Method:
        for ancestor in lineage(type):
            function = class_of(ancestor).methods.get(name)
            if function is not None:
                return function, self.bindings(function, ancestor.arguments)
        raise AssertionError(f"{type} has no method {name}")

    def trait_method(self, function: Function, arguments: tuple[Type, ...]) -> TraitMethod:
        """What a method of a trait is for concrete types, of which the first is `Self`."""
        key = (function, arguments)
        method = self._trait_methods.get(key)
        if method is None:
            method = self._trait_methods[key] = self._find_trait_method(function, arguments)
        return method

    def _find_trait_method(self, function: Function, arguments: tuple[Type, ...]) -> TraitMethod:
        default = function, self.bindings(function, arguments), False
        if function.is_final:
            return default
        head, given = self._head_of(arguments[0])
        assert function.trait is not None
        if isinstance(head.trait, Trait):
            method = head.trait.dispatched[function]
            return method, self.bindings(method, given), True
        impl = self._impls_of(head)[function.trait]
        if function.name in impl.methods:
            mine = impl.methods[function.name]
            return mine, self.bindings(mine, given), False
        if function.name in impl.adopted:
            adopted = impl.adopted[function.name]
            inside = Bindings(dict(zip(head.parameters, given, strict=True)))
            owner = tuple(map(inside.of, adopted.owner.arguments))
            return adopted.function, self.bindings(adopted.function, owner), adopted.function.virtual
        return default

    def _head_of(self, type: Type) -> tuple[ClassHead, tuple[Type, ...]]:
        if isinstance(type, EnumType):
            return type.head, ()
        if isinstance(type, PrimitiveType):
            return self._library.classes[type.name], ()
        assert isinstance(type, ClassType)
        return type.head, type.arguments
