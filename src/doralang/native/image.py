"""A module as plain data: what one run has compiled, for the next run to start with.

    capture(module)  ->  image       tuples, lists, numbers, texts and bytes only
    Stored(image)    ->  entities that are linked as they were, and code

Classes and functions refer to each other in circles, so each has a number, and a reference is one:

    classes     name, symbol, number of the parent, own fields, element, own methods by slot, two flags
    functions   the fields of `FunctionRef` in order
    code        by name of the function: bytes, relocations, GC points

Everything has a canonical name, so what is stored does not depend on what the run met first.
"""

from __future__ import annotations

from doralang.bytecode.entities import CUT, ClassRef, FieldRef, FunctionRef
from doralang.code.symbols import CLASS, ENTRY, SHAPE
from doralang.machine.code import Code
from doralang.native.module import Roots
from doralang.optional import load
from doralang.runtime.pieces import PIECES, Piece
from doralang.types.kinds import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from doralang.code.objects import CodeObject, GCPoint
    from doralang.native.module import Module
    from doralang.types.kinds import Kind

Image: TypeAlias = "tuple[Any, ...]"
"""a module as plain data; only this file looks inside"""


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
        """Number the methods of the classes, too."""
        for cls in self.classes:
            for method in cls.own_methods.values():
                self.add_function(method)

    def class_data(self, cls: ClassRef) -> Image:
        inherited = len(cls.parent.fields) if cls.parent else 0
        return (
            cls.name,
            cls.symbol,
            None if cls.parent is None else self.classes[cls.parent],
            [(field.name, field.kind.value) for field in cls.fields[inherited:]],
            name_of(cls.element),
            {slot: self.functions[method] for slot, method in cls.own_methods.items()},
            cls.is_text,
            cls.shared,
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
            function.has_self,
            function.raw,
            function.hidden,
            function.fresh_self,
            function.head,
            function.shared,
        )

    def code_data(self, code: CodeObject) -> Image:
        points = [
            (
                point.offset,
                self.functions[point.function],
                point.line,
                point.slots,
                [(self.functions[function], line) for function, line in point.callers],
            )
            for point in code.points
        ]
        return self.functions[code.ref], *plain(code.code), points, code.tier


def plain(code: Code) -> tuple[bytes, int, list[Any]]:
    """A piece of code as plain data."""
    places = zip(code.relocations, symbols_of(code), strict=True)
    relocations = [(offset, kind, (*symbol,), addend) for (offset, kind, _, addend), symbol in places]
    return bytes(code.data), code.body_size, relocations


def symbols_of(code: Code) -> list[tuple[str, str]]:
    """Kinds and names of what a piece of code refers to."""
    return [symbol for _, _, symbol, _ in code.relocations]  # type: ignore[misc]


def name_of(kind: Kind | None) -> str | None:
    return None if kind is None else kind.value


def capture(module: Module) -> Image | None:
    """A module with its code, and what it needs of the library's.

    None if something could not be found by its name again.
    """
    roots = module.roots
    codes, classes = reached(module)
    numbering = Numbering()
    for code in codes:
        numbering.add_function(code.ref)
        for point in code.points:
            numbering.add_function(point.function)
            for function, _ in point.callers:
                numbering.add_function(function)
        for name in code.callees:
            numbering.add_function(module.function_named(name))
    # Whatever the program does, a run asks for this one, if only for its entry cell.
    numbering.add_function(module.heap_function(module.options.collector.allocate))
    internals = {**module.internals, **(module.parent.internals if module.parent else {})}
    for function in [*internals.values(), *roots.functions, *module.callables.values()]:
        numbering.add_function(function)
    for cls in [*classes, *roots.classes]:
        numbering.add_class(cls)
    numbering.close()
    functions = numbering.functions
    if any(CUT in function.name for function in functions):
        return None
    return (
        [numbering.class_data(cls) for cls in numbering.classes],
        [numbering.function_data(function) for function in functions],
        {code.ref.name: numbering.code_data(code) for code in codes},
        [numbering.classes[cls] for cls in roots.classes],
        (roots.msg_field.index, roots.record_field.index),
        [functions[function] for function in roots.initializers],
        None if roots.main is None else functions[roots.main],
        module.globals(),
        [functions[function] for function in internals.values()],
        (module.parent or module).upcalls,
        [(name, functions[function]) for name, function in module.callables.items()],
        module.parent is None,
        {name: (*plain(piece.code), piece.entries) for name, piece in PIECES.items()},
    )


def code_count(image: Image) -> int:
    """How many functions have their code in an image."""
    return len(image[2])


def reached(module: Module) -> tuple[list[CodeObject], list[ClassRef]]:
    """The code that is there of the module and, as far as that leads, of the library; the classes in it."""
    own = [*module.loader.placed, *module.stored]
    options = module.options
    waiting = [*own, options.collector.allocate, options.collector.collect]
    seen = set(waiting)
    codes: list[CodeObject] = []
    classes: dict[str, ClassRef] = {}
    while waiting:
        code = find_code(module, waiting.pop())
        if code is None:
            continue
        codes.append(code)
        for kind, name in symbols_of(code.code):
            called = [name] if kind == ENTRY else []
            if kind in (SHAPE, CLASS):
                cls = classes[name] = module.class_named(name)
                called = [method.name for method in cls.methods] if kind == SHAPE else []
            waiting += [one for one in called if one not in seen]
            seen.update(called)
    return codes, list(classes.values())


def find_code(module: Module, name: str) -> CodeObject | None:
    """The code of a function if there is any, in the module or in the library's."""
    placed = module.loader.placed.get(name)
    if placed is not None:
        return placed.code
    if name in module.stored:
        return module.stored[name].code(name)
    return find_code(module.parent, name) if module.parent is not None else None


# Restoring.


class Stored:
    """The entities and the code in an image."""

    def __init__(self, image: Image) -> None:
        classes, functions, self.codes, roots, fields, initializers, main, self.globals = image[:8]
        internals, self.upcalls, callables, self.is_alone, pieces = image[8:]
        for name, (data, body_size, relocations, entries) in pieces.items():
            PIECES.setdefault(name, Piece(Code(bytearray(data), body_size, relocations, []), entries))
        self.functions = [restore_function(data) for data in functions]
        self.classes = restore_classes(classes, self.functions)
        self.internals = [self.functions[number] for number in internals]
        self.callables = {name: self.functions[number] for name, number in callables}
        str_class, longs_class, exception = (self.classes[number] for number in roots)
        self.roots = Roots(
            str_class,
            longs_class,
            exception,
            exception.fields[fields[0]],
            exception.fields[fields[1]],
            tuple(self.functions[number] for number in initializers),
            None if main is None else self.functions[main],
        )

    def code(self, name: str) -> CodeObject:
        """The code of a function that is in `codes`."""
        code: Any = StoredCode(self.functions, *self.codes[name])
        return code  # type: ignore[no-any-return]  # it looks the same


class StoredCode:
    """Code as it is stored: a `CodeObject` whose points are made when somebody wants to know where it is."""

    __slots__ = ("code", "functions", "made_points", "plain_points", "ref", "tier")

    def __init__(
        self,
        functions: Sequence[FunctionRef],
        number: int,
        data: bytes,
        body_size: int,
        relocations: list[Any],
        points: list[Any],
        tier: str,
    ) -> None:
        self.ref = functions[number]
        self.code = Code(bytearray(data), body_size, relocations, [])
        self.functions = functions
        self.plain_points = points
        self.made_points: list[GCPoint] | None = None
        self.tier = tier

    @property
    def points(self) -> list[GCPoint]:
        if self.made_points is None:
            objects, functions = load("doralang.code.objects"), self.functions
            self.made_points = [
                objects.GCPoint(
                    offset,
                    functions[function],
                    line,
                    slots,
                    tuple([objects.Site(functions[caller], at) for caller, at in callers]),
                )
                for offset, function, line, slots, callers in self.plain_points
            ]
        return self.made_points

    @property
    def live_slots(self) -> list[tuple[int, tuple[int, ...]]]:
        return [(point[0], point[3]) for point in self.plain_points if point[3]]

    @property
    def callees(self) -> set[str]:
        return {name for kind, name in symbols_of(self.code) if kind == ENTRY}


def restore_classes(data: Sequence[Image], functions: Sequence[FunctionRef]) -> list[ClassRef]:
    """The classes.  Each is complete before a descendant is made: that begins with its parent's tables."""
    classes: list[ClassRef] = []
    for name, symbol, parent_number, fields, element, methods, is_text, shared in data:
        parent = None if parent_number is None else classes[parent_number]
        cls = ClassRef(name, parent, symbol, element=KINDS.get(element), is_text=is_text, shared=shared)
        cls.fields = list(parent.fields) if parent else []
        for field, kind in fields:
            cls.fields.append(FieldRef(field, KINDS[kind], len(cls.fields), cls))
        for slot, number in methods.items():
            cls.set_method(slot, functions[number])
        classes.append(cls)
    return classes


def restore_function(data: Image) -> FunctionRef:
    name, plain_name, signature, file, parameters, result, throws, internal, slot = data[:9]
    has_self, raw, hidden, fresh_self, head, shared = data[9:]
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
        has_self=has_self,
        raw=raw,
        hidden=hidden,
        fresh_self=fresh_self,
        head=head,
        shared=shared,
    )
