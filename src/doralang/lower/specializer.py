"""The one place where type arguments are put in: concrete classes, functions and globals.

Each is made once, when something that is lowered first mentions it, and a function's bytecode when
somebody first asks for it; so a program that is generic without end gets as far as it runs.

Threads that share a specializer take turns: who has its module compile has the lock of the code space.  A
handler of a signal may come in between any two lines nevertheless and make the same thing.  So whatever is
made is complete before a table leads to it, and the first one that gets into the table counts.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, takewhile

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.program import CALL, Class, Field, Function, FunctionKind, Global, Program, Trait
from doralang.lower.names import NUMBER, OUTERMOST, Names, find_types, functions_near, shortened
from doralang.text.pause import NO_CYCLES
from doralang.text.records import record
from doralang.types.kinds import Kind
from doralang.types.types import (
    NIL,
    ClassHead,
    ClassType,
    EnumType,
    PrimitiveType,
    Type,
    TypeParameter,
    has_value,
    kind_of,
    lineage,
    nil_is_value,
    substitute,
)

Mapping = dict[TypeParameter, Type]


@record(eq=True, frozen=True)
class Implementation:
    """The function that a method of a trait is for some type, with its type arguments."""

    function: Function
    arguments: tuple[Type, ...]
    virtual: bool = False


FROM_OUTSIDE: tuple[Type, ...] = (NIL,)
"""in place of type arguments: the function as the one that is entered from outside"""
Lower = Callable[["Specializer", FunctionRef, Function, Mapping], Bytecode]


class Specializer:
    """The concrete entities of one program.

    `lower` makes the bytecode of a function; it is given by whoever puts lowering together.
    """

    def __init__(self, program: Program, lower: Lower, parent: Specializer | None = None) -> None:
        self.program = program
        self.lower = lower
        self.parent = None if extends_library(program) else parent
        self.shares = not program.source.main
        """whether what is made here is shared by programs"""
        self.classes: dict[ClassType, ClassRef] = {}
        self.own_fields: dict[ClassRef, dict[Field, FieldRef]] = {}
        self.slots: dict[Function, int] = {}
        """where virtual methods stand in the tables of their classes and all subclasses"""
        self.functions: dict[tuple[Function, tuple[Type, ...]], FunctionRef] = {}
        self.origins: dict[FunctionRef, tuple[Function, Mapping]] = {}
        self.globals: dict[Global, GlobalRef] = {}
        self.bytecode: dict[FunctionRef, Bytecode] = {}
        self.names = Names(program.library)
        self.by_name: dict[str, FunctionRef] = {}
        self.class_by_symbol: dict[str, ClassRef] = {}
        self.heads: dict[str, Function] = {}
        """functions of program and library by their names without type arguments, as far as somebody asked"""
        self.formulas = count()
        """their numbers"""

    # Bytecode.

    def code(self, ref: FunctionRef) -> Bytecode:
        """The bytecode of a function that is not internal."""
        bytecode = self.bytecode.get(ref)
        if bytecode is None:
            if ref.shared and self.parent is not None:
                return self.parent.code(ref)
            function, mapping = self.origins[ref]
            with NO_CYCLES:
                bytecode = self.bytecode.setdefault(ref, self.lower(self, ref, function, mapping))
        return bytecode

    def declaration(self, ref: FunctionRef) -> Function:
        """What a function was made of."""
        if ref.shared and self.parent is not None:
            return self.parent.declaration(ref)
        return self.origins[ref][0]

    def nesting(self, ref: FunctionRef) -> int:
        """How deep the type arguments of a function are nested: 2 for `Box<Box<int>>`."""
        if ref.shared and self.parent is not None:
            return self.parent.nesting(ref)
        types = self.origins[ref][1].values()
        return max((type.depth for type in types if isinstance(type, ClassType)), default=0)

    # Classes.

    def class_ref(self, type: ClassType) -> ClassRef:
        """The concrete class of a type without type parameters."""
        ref = self.classes.get(type)
        if ref is not None:
            return ref
        if self.parent is not None and is_of_library(type):
            ref = self.classes[type] = self.parent.class_ref(type)
            return ref
        unknown = list(takewhile(lambda step: step not in self.classes, lineage(type)))
        for step in reversed(unknown):  # parents first, without recursion
            if self.parent is not None and is_of_library(step):
                self.classes[step] = self.parent.class_ref(step)
            else:
                ref = self.make_class(step)
        assert ref is not None
        return ref

    def make_class(self, type: ClassType) -> ClassRef:
        """A class whose parent is made.  It is known when its tables are complete, and not before.

        A class may stand in the type arguments of its own parent (`class Item: Ranked<Item>`), so nothing
        that a class is made of may ask for another class: its methods are made, but not what they mention.
        """
        head = type.head
        assert isinstance(head, Class)
        parent = self.classes[type.parent] if type.parent is not None else None
        ref = ClassRef(str(type), parent, self.names.type(type))
        ref.shared = self.shares
        ref.is_text = head is self.program.library.classes["Str"]
        if head is self.program.library.classes["Array"]:
            ref.element = kind_of(type.arguments[0])
        mapping = mapping_of(type)
        self.add_fields(ref, head, mapping)
        self.add_methods(type, ref, head)
        ref = self.classes.setdefault(type, ref)
        self.class_by_symbol[ref.symbol] = ref
        return ref

    def add_fields(self, ref: ClassRef, head: Class, mapping: Mapping) -> None:
        ref.fields = list(ref.parent.fields) if ref.parent else []
        own = self.own_fields[ref] = {}
        for field in head.fields.values():
            field_ref = FieldRef(field.name, kind_of(substitute(field.type, mapping)), len(ref.fields), ref)
            own[field] = field_ref
            ref.fields.append(field_ref)

    def add_methods(self, type: ClassType, ref: ClassRef, head: Class) -> None:
        """Extend the parent's table of virtual methods: overridden ones replaced, new ones behind.

        Where a method stands depends on its class alone, not on type arguments.
        """
        for method in head.methods.values():
            slot = self.slot(method.overridden)
            if slot is None and not method.virtual:
                continue
            made = self.function_ref(method, type.arguments)
            made.slot = self.slots[method] = ref.method_count if slot is None else slot
            ref.set_method(made.slot, made)

    def slot(self, method: Function | None) -> int | None:
        """Where a virtual method stands in the tables; None if it is none."""
        if method is None:
            return None
        slot = self.slots.get(method)
        return self.parent.slot(method) if slot is None and self.parent is not None else slot

    def field_ref(self, object_type: Type, field: Field) -> FieldRef:
        """A field of an object whose static type is `object_type`."""
        assert isinstance(object_type, ClassType)
        self.class_ref(object_type)
        owner = next(step for step in lineage(object_type) if step.head is field.owner)
        if self.parent is not None and is_of_library(owner):
            return self.parent.field_ref(owner, field)
        return self.own_fields[self.classes[owner]][field]

    # Functions.

    def function_ref(self, function: Function, arguments: tuple[Type, ...] = ()) -> FunctionRef:
        """A function with its type arguments: those of its owner, then its own."""
        key = (function, arguments)
        ref = self.functions.get(key)
        if ref is None:
            if self.parent and not function.source.main and all(map(is_of_library, arguments)):
                ref = self.functions[key] = self.parent.function_ref(function, arguments)
            else:
                ref = self.publish(key, self.make_function(function, arguments))
        return ref

    def publish(self, key: tuple[Function, tuple[Type, ...]], made: FunctionRef) -> FunctionRef:
        """Let others find a function that is complete; which one that is then."""
        ref = self.functions.setdefault(key, made)
        known = self.by_name.setdefault(ref.name, ref)
        assert known is ref, f"two functions have the name {ref.name}"
        return ref

    def entry_ref(self, function: Function) -> FunctionRef:
        """A function as the outermost one: not marked `throws`, because nobody outside could catch."""
        ref = self.function_ref(function)
        if not ref.throws:
            return ref
        if ref.shared and self.parent is not None:
            return self.parent.entry_ref(function)
        key = (function, FROM_OUTSIDE)
        entry = self.functions.get(key)
        if entry is None:
            made = ref.without_throws(ref.name + OUTERMOST)
            self.origins[made] = self.origins[ref]
            entry = self.publish(key, made)
        return entry

    def find(self, head: str, name: str) -> FunctionRef:
        """The function of a canonical name; `head` is the name without type arguments."""
        ref = self.by_name.get(name)
        if ref is None:
            function = self.function_named(head) or self.lambda_named(head)
            if name.endswith(OUTERMOST):
                ref = self.entry_ref(function)
            else:
                ref = self.function_ref(function, find_types(name[len(head) :], self.program))
            assert ref.name == name, f"{name} is {ref.name} now"
        return ref

    def function_named(self, head: str) -> Function | None:
        """The function of a canonical name without type arguments, unless it is a lambda."""
        if head not in self.heads:
            self.heads.update((self.names.function(one), one) for one in functions_near(head, self.program))
        return self.heads.get(head)

    def lambda_named(self, head: str) -> Function:
        """The method of a lambda, `f#2.call`: the function that it stands in says what its lambdas are."""
        name, _, rest = head.rpartition(NUMBER)
        function = self.function_named(name)
        assert function is not None and function.body is not None, f"there is no {head}"
        return function.lambdas[int(rest.removesuffix(f".{CALL}")) - 1].methods[CALL]

    def make_function(self, function: Function, arguments: tuple[Type, ...]) -> FunctionRef:
        mapping: Mapping = dict(zip(function.all_type_parameters, arguments, strict=True))
        result = substitute(function.result, mapping)
        stores = function.kind is FunctionKind.GLOBAL
        locals = function.locals[: len(function.parameters) + function.has_self]
        head = self.names.function(function)
        if function.kind is FunctionKind.FORMULA:
            head += f"#{next(self.formulas)}"  # a program of its own each, but one engine may run many
        name = head + shortened(self.names.arguments(arguments))
        ref = FunctionRef(
            name,
            function.name,
            function.signature,
            None if function.source.main else function.source.name,
            tuple(kind_of(substitute(local.type, mapping)) for local in locals),
            None if stores or not has_value(result) else kind_of(result),
            function.throws,
            function.key if function.internal else None,
            has_self=function.has_self and not nil_is_value(substitute(function.locals[0].type, mapping)),
            raw=function.raw,
            hidden=function.hidden,
            fresh_self=function.is_only_constructor,
            head=head,
            shared=self.shares,
        )
        self.origins[ref] = (function, mapping)
        return ref

    def implementation(self, method: Function, arguments: tuple[Type, ...]) -> Implementation:
        """What is called for a method of a trait; the first of its type arguments is `Self`."""
        receiver = arguments[0]
        if method.is_final:
            return Implementation(method, arguments)
        head: ClassHead
        if isinstance(receiver, EnumType):
            head = receiver.head
        elif isinstance(receiver, PrimitiveType):
            head = self.program.library.classes[receiver.name]
        else:
            assert isinstance(receiver, ClassType)
            head = receiver.head
        assert method.trait is not None
        if isinstance(receiver, ClassType) and isinstance(head.trait, Trait):
            return Implementation(head.trait.dispatched[method], receiver.arguments, virtual=True)
        impl = self.program.impls_of(head)[method.trait]
        given = receiver.arguments if isinstance(receiver, ClassType) else ()
        mine = impl.methods.get(method.name)
        if mine is not None:
            return Implementation(mine, given)
        adopted = impl.adopted.get(method.name)
        if adopted is None:
            return Implementation(method, arguments)
        mapping = dict(zip(head.parameters, given, strict=True))
        owner = tuple(substitute(one, mapping) for one in adopted.owner.arguments)
        return Implementation(adopted.function, owner, adopted.function.virtual)

    # Globals.

    def global_ref(self, variable: Global) -> GlobalRef:
        """Those of the library come first, so their places are the same in all programs."""
        ref = self.globals.get(variable)
        if ref is None:
            known = [*self.program.library.globals.values(), *self.program.globals]
            ref = GlobalRef(variable.name, kind_of(variable.type), known.index(variable))
            self.globals[variable] = ref
        return ref

    def global_kinds(self) -> tuple[int, list[int]]:
        """How many globals there are, the library's first, and the numbers of those with references."""
        known = [*self.program.library.globals.values(), *self.program.globals]
        references = [index for index, one in enumerate(known) if kind_of(one.type) is Kind.REF]
        return len(known), references

    def initializers(self) -> list[FunctionRef]:
        """The functions that give the program's globals their first values, in order."""
        return [
            self.function_ref(variable.initializer)
            for variable in self.program.globals
            if variable.initializer is not None
        ]


def mapping_of(type: ClassType) -> Mapping:
    return dict(zip(type.head.parameters, type.arguments, strict=True))


def is_of_library(type: Type) -> bool:
    """Whether nothing in a type is the program's own."""
    waiting = [type]
    while waiting:
        type = waiting.pop()
        if isinstance(type, ClassType | EnumType):
            assert isinstance(type.head, Class)
            if type.head.source.main:
                return False
            waiting += type.arguments if isinstance(type, ClassType) else ()
    return True


def extends_library(program: Program) -> bool:
    """Whether the program has an impl of a trait of the library for a class of it.

    Then what is made of the library alone may be something else than in other programs.
    """
    if not program.source.main:
        return False
    for head, impls in program.impls.items():
        if isinstance(head, Class) and not head.source.main:
            known = program.library.impls_of(head)
            for trait, impl in impls.items():
                if isinstance(trait, Trait) and not trait.source.main and known.get(trait) is not impl:
                    return True
    return False
