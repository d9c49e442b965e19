"""A compiled program as plain data: what one run has compiled, for the next run to start with.

    capture(roots, instance, ...)  ->  image       tuples, lists, numbers, texts and bytes only
    Stored(image)                  ->  entities that are linked as they were, and code

Classes and functions refer to each other in circles, so each has a number, and a reference is one:

    classes     name, symbol, number of the parent, own fields, element, slots, methods, is it Str
    functions   the fields of `FunctionRef` in order
    code        by function: bytes, relocations, GC points
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.code.objects import CompiledFunction, GCPoint
from doralang.machine.buffer import Code, RelocationKind
from doralang.native.supplier import Image, Request, Roots
from doralang.runtime.instance import Instance
from doralang.types.kinds import Kind

KINDS: Final = {kind.value: kind for kind in Kind}
RELOCATIONS: Final = {kind.name: kind for kind in RelocationKind}


# Capturing.


class Numbering:
    """The classes and functions of a program that can be reached from some, each with a number."""

    def __init__(self) -> None:
        self.classes: dict[ClassRef, int] = {}
        self.functions: dict[FunctionRef, int] = {}

    def add_class(self, cls: ClassRef) -> None:
        """Ancestors get their numbers first."""
        for step in cls.display:
            self.classes.setdefault(step, len(self.classes))

    def add_function(self, function: FunctionRef) -> None:
        self.functions.setdefault(function, len(self.functions))

    def close(self) -> None:
        """Number all that those refer to which have a number."""
        done = 0
        while done < len(self.classes) + len(self.functions):
            done = len(self.classes) + len(self.functions)
            for cls in list(self.classes):
                for method in cls.methods:
                    self.add_function(method)
            for function in list(self.functions):
                for argument in function.type_arguments:
                    if isinstance(argument, ClassRef):
                        self.add_class(argument)

    def class_data(self, cls: ClassRef) -> Image:
        inherited = len(cls.parent.fields) if cls.parent else 0
        return (
            cls.name,
            cls.symbol,
            None if cls.parent is None else self.classes[cls.parent],
            [(field.name, field.kind.value) for field in cls.fields[inherited:]],
            name_of(cls.element),
            cls.slots,
            [self.functions[method] for method in cls.methods],
            cls.is_text,
        )

    def function_data(self, function: FunctionRef) -> Image:
        return (
            function.name,
            function.plain_name,
            function.signature,
            function.file,
            [kind.value for kind in function.parameters],
            name_of(function.result),
            function.throws,
            function.internal,
            function.slot,
            [
                self.classes[argument] if isinstance(argument, ClassRef) else argument.value
                for argument in function.type_arguments
            ],
            function.has_self,
            function.raw,
            function.hidden,
            function.fresh_self,
        )

    def code_data(self, compiled: CompiledFunction) -> Image:
        code = compiled.code
        relocations = [
            (offset, kind.name, symbol, addend) for offset, kind, symbol, addend in code.relocations
        ]
        points = [
            (point.offset, self.functions[point.function], point.line, point.slots)
            for point in compiled.points
        ]
        return bytes(code.data), code.body_size, relocations, points


def name_of(kind: Kind | None) -> str | None:
    return None if kind is None else kind.value


def capture(
    roots: Roots,
    instance: Instance,
    compiled: Iterable[CompiledFunction],
    requests: Sequence[Request],
    found: Mapping[Request, FunctionRef],
) -> Image:
    """A program as it is in an instance, with these functions' code."""
    numbering = Numbering()
    for function in [*instance.functions, *instance.internal_functions, *roots.functions, *found.values()]:
        numbering.add_function(function)
    for cls in [*instance.shapes.addresses, *instance.classes.values(), *roots.classes]:
        numbering.add_class(cls)
    numbering.close()
    functions = numbering.functions
    code = {functions[one.ref]: numbering.code_data(one) for one in compiled}
    return (
        [numbering.class_data(cls) for cls in numbering.classes],
        [numbering.function_data(function) for function in functions],
        code,
        [numbering.classes[cls] for cls in roots.classes],
        (roots.msg_field.index, roots.record_field.index),
        [functions[function] for function in roots.initializers],
        None if roots.main is None else functions[roots.main],
        [(one.name, one.kind.value, one.index) for one in instance.known_globals],
        list(instance.literal_offsets),
        [functions[function] for function in instance.internal_functions],
        [tuple(request) for request in requests],
        [(*request, functions[function]) for request, function in found.items()],
    )


# Restoring.


class Stored:
    """The entities and the code in an image."""

    def __init__(self, image: Image) -> None:
        classes, functions, self.code, roots, fields, initializers, main, variables = image[:8]
        self.literals: list[str] = image[8]
        self.classes = restore_classes(classes)
        self.functions = [restore_function(data, self.classes) for data in functions]
        for cls, data in zip(self.classes, classes, strict=True):
            cls.methods = [self.functions[number] for number in data[6]]
        self.globals = [GlobalRef(name, KINDS[kind], index) for name, kind, index in variables]
        self.internals = [self.functions[number] for number in image[9]]
        self.requests = [Request(*request) for request in image[10]]
        self.found = {Request(kind, name): self.functions[number] for kind, name, number in image[11]}
        str_class, longs_class, exception = (self.classes[number] for number in roots)
        self.numbers = {function.name: number for number, function in enumerate(self.functions)}
        self.roots = Roots(
            str_class,
            longs_class,
            exception,
            exception.fields[fields[0]],
            exception.fields[fields[1]],
            tuple(self.functions[number] for number in initializers),
            None if main is None else self.functions[main],
        )

    def function(self, name: str) -> CompiledFunction | None:
        """The code of a function, if it is stored."""
        number = self.numbers.get(name)
        data = self.code.get(number)
        if number is None or data is None:
            return None
        text, body_size, relocations, points = data
        code = Code(
            bytearray(text),
            body_size,
            [(offset, RELOCATIONS[kind], symbol, addend) for offset, kind, symbol, addend in relocations],
            [],
        )
        functions = self.functions
        return CompiledFunction(
            functions[number],
            code,
            [GCPoint(offset, functions[number], line, slots) for offset, number, line, slots in points],
        )

    def compiled(self) -> list[CompiledFunction]:
        """All code."""
        found = [self.function(self.functions[number].name) for number in self.code]
        return [one for one in found if one is not None]


def restore_classes(data: Sequence[Image]) -> list[ClassRef]:
    """The classes, still without methods."""
    classes: list[ClassRef] = []
    for name, symbol, parent_number, fields, element, slots, _, is_text in data:
        parent = None if parent_number is None else classes[parent_number]
        cls = ClassRef(name, parent, symbol, element=KINDS.get(element), slots=slots, is_text=is_text)
        cls.display = (*(parent.display if parent else ()), cls)
        cls.fields = list(parent.fields) if parent else []
        for field, kind in fields:
            cls.fields.append(FieldRef(field, KINDS[kind], len(cls.fields), cls))
        classes.append(cls)
    return classes


def restore_function(data: Image, classes: Sequence[ClassRef]) -> FunctionRef:
    name, plain_name, signature, file, parameters, result, throws, internal, slot, arguments = data[:10]
    return FunctionRef(
        name,
        plain_name,
        signature,
        file,
        tuple([KINDS[kind] for kind in parameters]),
        KINDS.get(result),
        throws,
        internal,
        slot,
        tuple([KINDS[one] if isinstance(one, str) else classes[one] for one in arguments]),
        *data[10:],
    )
