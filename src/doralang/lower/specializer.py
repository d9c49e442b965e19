"""The one place where type arguments are put in: concrete classes, functions and globals.

Each is made once, when something that is lowered first mentions it, and a function's bytecode when
somebody first asks for it; so a program that is generic without end gets as far as it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.bytecode.function import Function as Bytecode
from doralang.check.program import Class, Field, Function, FunctionKind, Global, Program, Trait
from doralang.text.pause import NO_CYCLES
from doralang.types.kinds import Kind
from doralang.types.types import (
    NIL,
    UNIT,
    ClassHead,
    ClassType,
    PrimitiveType,
    Type,
    TypeParameter,
    kind_of,
    lineage,
    substitute,
)

Mapping = dict[TypeParameter, Type]

OUTERMOST: tuple[Type, ...] = (NIL,)
"""in place of type arguments: the function as the one that is entered from outside"""
Lower = Callable[["Specializer", FunctionRef, Function, Mapping], Bytecode]


class Specializer:
    """The concrete entities of one program.

    `lower` makes the bytecode of a function; it is given by whoever puts lowering together.
    """

    def __init__(self, program: Program, lower: Lower) -> None:
        self.program = program
        self.lower = lower
        self.classes: dict[ClassType, ClassRef] = {}
        self.own_fields: dict[ClassType, dict[Field, FieldRef]] = {}
        self.functions: dict[tuple[Function, tuple[Type, ...]], FunctionRef] = {}
        self.origins: dict[FunctionRef, tuple[Function, Mapping]] = {}
        self.globals: dict[Global, GlobalRef] = {}
        self.bytecode: dict[FunctionRef, Bytecode] = {}
        self.symbols: set[str] = set()
        self.repeated: dict[str, int] = {}
        """how often a name was met that was taken"""

    # Bytecode.

    def code(self, ref: FunctionRef) -> Bytecode:
        """The bytecode of a function that is not internal."""
        bytecode = self.bytecode.get(ref)
        if bytecode is None:
            function, mapping = self.origins[ref]
            with NO_CYCLES:
                bytecode = self.bytecode[ref] = self.lower(self, ref, function, mapping)
        return bytecode

    def nesting(self, ref: FunctionRef) -> int:
        """How deep the type arguments of a function are nested: 2 for `Box<Box<int>>`."""
        types = self.origins[ref][1].values()
        return max((type.depth for type in types if isinstance(type, ClassType)), default=0)

    # Classes.

    def class_ref(self, type: ClassType) -> ClassRef:
        """The concrete class of a type without type parameters."""
        ref = self.classes.get(type)
        if ref is not None:
            return ref
        for step in reversed(list(lineage(type))):  # parents first, without recursion
            if step not in self.classes:
                ref = self.make_class(step)
        assert ref is not None
        return ref

    def make_class(self, type: ClassType) -> ClassRef:
        head = type.head
        assert isinstance(head, Class)
        parent = self.classes[type.parent] if type.parent is not None else None
        ref = ClassRef(str(type), parent, self.unique(str(type)))
        self.classes[type] = ref
        ref.display = (*(parent.display if parent else ()), ref)
        ref.is_text = head is self.program.library.classes["Str"]
        if head is self.program.library.classes["Array"]:
            ref.element = kind_of(type.arguments[0])
        mapping = mapping_of(type)
        self.add_fields(type, ref, head, mapping)
        self.add_methods(type, ref, head)
        return ref

    def add_fields(self, type: ClassType, ref: ClassRef, head: Class, mapping: Mapping) -> None:
        ref.fields = list(ref.parent.fields) if ref.parent else []
        own = self.own_fields[type] = {}
        for field in head.fields.values():
            field_ref = FieldRef(field.name, kind_of(substitute(field.type, mapping)), len(ref.fields), ref)
            own[field] = field_ref
            ref.fields.append(field_ref)

    def add_methods(self, type: ClassType, ref: ClassRef, head: Class) -> None:
        """Extend the parent's table of virtual methods: overridden ones replaced, new ones behind."""
        if ref.parent:
            ref.slots = dict(ref.parent.slots)
            ref.methods = list(ref.parent.methods)
        for name, method in head.methods.items():
            slot = ref.slots.get(name)
            if slot is None and not method.virtual:
                continue
            if slot is None:
                slot = ref.slots[name] = len(ref.methods)
                ref.methods.append(self.function_ref(method, type.arguments))
            else:
                ref.methods[slot] = self.function_ref(method, type.arguments)
            ref.methods[slot].slot = slot

    def field_ref(self, object_type: Type, field: Field) -> FieldRef:
        """A field of an object whose static type is `object_type`."""
        assert isinstance(object_type, ClassType)
        self.class_ref(object_type)
        owner = next(step for step in lineage(object_type) if step.head is field.owner)
        return self.own_fields[owner][field]

    # Functions.

    def function_ref(self, function: Function, arguments: tuple[Type, ...] = ()) -> FunctionRef:
        """A function with its type arguments: those of its owner, then its own."""
        key = (function, arguments)
        ref = self.functions.get(key)
        if ref is None:
            ref = self.functions[key] = self.make_function(function, arguments)
        return ref

    def entry_ref(self, function: Function) -> FunctionRef:
        """A function as the outermost one: not marked `throws`, because nobody outside could catch."""
        ref = self.function_ref(function)
        if not ref.throws:
            return ref
        key = (function, OUTERMOST)
        entry = self.functions.get(key)
        if entry is None:
            entry = self.functions[key] = replace(ref, name=f"{ref.name} (outermost)", throws=False)
            self.origins[entry] = self.origins[ref]
        return entry

    def make_function(self, function: Function, arguments: tuple[Type, ...]) -> FunctionRef:
        mapping: Mapping = dict(zip(function.all_type_parameters, arguments, strict=True))
        result = substitute(function.result, mapping)
        stores = function.kind is FunctionKind.GLOBAL
        locals = function.locals[: len(function.parameters) + function.has_self]
        ref = FunctionRef(
            self.symbol(function, arguments),
            function.name,
            function.signature,
            None if function.source.main else function.source.name,
            tuple(kind_of(substitute(local.type, mapping)) for local in locals),
            None if result is UNIT or stores else kind_of(result),
            function.throws,
            function.key if function.internal else None,
            type_arguments=tuple(self.argument(argument) for argument in arguments),
            has_self=function.has_self,
            raw=function.raw,
            hidden=function.hidden,
            fresh_self=function.is_only_constructor,
        )
        self.origins[ref] = (function, mapping)
        return ref

    def argument(self, type: Type) -> ClassRef | Kind:
        return self.class_ref(type) if isinstance(type, ClassType) else kind_of(type)

    def symbol(self, function: Function, arguments: tuple[Type, ...]) -> str:
        """A name that no other function of the program has: `Box.get<int>`, `Item.Item(Str)`."""
        name = function.name
        if function.owner is not None:
            separator = "::" if function.kind is FunctionKind.STATIC else "."
            name = f"{function.owner.name}{separator}{name}"
        if function.kind is FunctionKind.GLOBAL:
            name = function.signature
        if function.kind is FunctionKind.CONSTRUCTOR:
            name += f"({', '.join(str(parameter.type) for parameter in function.parameters)})"
        if arguments:
            name += f"<{', '.join(map(str, arguments))}>"
        return self.unique(name)

    def unique(self, name: str) -> str:
        """A symbol that nothing else has: two impls, or the program and the library, may share a name."""
        unique = name
        while unique in self.symbols:
            self.repeated[name] = number = self.repeated.get(name, 1) + 1
            unique = f"{name}#{number}"
        self.symbols.add(unique)
        return unique

    def implementation(self, trait_method: Function, receiver: Type) -> tuple[Function, tuple[Type, ...]]:
        """The function of the impl that a type has for the trait of `trait_method`."""
        head: ClassHead
        arguments: tuple[Type, ...] = ()
        if isinstance(receiver, PrimitiveType):
            head = self.program.library.classes[receiver.name]
        else:
            assert isinstance(receiver, ClassType)
            head, arguments = receiver.head, receiver.arguments
        for trait, impl in self.program.impls[head].items():
            assert isinstance(trait, Trait)
            if trait.methods.get(trait_method.name) is trait_method:
                return impl.methods[trait_method.name], arguments
        raise AssertionError(f"{receiver} has no impl with {trait_method.name}")

    # Globals.

    def global_ref(self, variable: Global) -> GlobalRef:
        ref = self.globals.get(variable)
        if ref is None:
            ref = GlobalRef(variable.name, kind_of(variable.type), len(self.globals))
            self.globals[variable] = ref
        return ref

    def initializers(self) -> list[FunctionRef]:
        """The functions that give the program's globals their first values, in order."""
        return [
            self.function_ref(variable.initializer)
            for variable in self.program.globals
            if variable.initializer is not None
        ]


def mapping_of(type: ClassType) -> Mapping:
    return dict(zip(type.head.parameters, type.arguments, strict=True))
