"""A module: the machine code of a program, on demand, for any number of instances.

    module = Module(options, lambda: program)
    module.supply("square")     ->   the address of its code, compiled if need be

Whatever is made of the library alone belongs to a module of its own, the `parent`, which all programs of the
process share (`library_module`).  A module may have code from an earlier run (`native.image`); then the
program is checked and lowered only if a function is called whose code is not there.
"""

from __future__ import annotations

import os
from time import perf_counter

from doralang.code.tiers import BASELINE, LLVM, OPTIMIZED
from doralang.machine import foreign
from doralang.machine.targets import host
from doralang.native.options import VERIFIES
from doralang.optional import LLVM as LLVM_PACKAGE
from doralang.optional import folder_of, load
from doralang.runtime.code_space import code_space
from doralang.runtime.loader import Loader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Protocol, TypeAlias

    from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
    from doralang.bytecode.function import Function as Bytecode
    from doralang.checker.program import Program
    from doralang.code.collectors import Collector
    from doralang.code.environment import Environment
    from doralang.code.objects import CodeObject
    from doralang.lower.specializer import Specializer
    from doralang.native.emission import Emission
    from doralang.native.options import CodeKey, CodeOptions
    from doralang.native.world import ProgramWorld
    from doralang.optimizing.optimizer import Times
    from doralang.runtime.code_space import CodeSpace

    Show: TypeAlias = Callable[[str], None]
    """prints a dump, in its place among the program's own output"""

    class Stored(Protocol):
        """The entities and the code of an earlier run (`native.image`)."""

        roots: Roots
        classes: list[ClassRef]
        functions: list[FunctionRef]
        internals: list[FunctionRef]
        upcalls: dict[str, str]
        """what answers those of the internal functions that were called, by key"""
        callables: dict[str, FunctionRef]
        codes: dict[str, Any]
        """by name of the function"""
        globals: tuple[int, list[int]]

        def code(self, name: str) -> CodeObject:
            """The code of a function that is in `codes`."""


MOST_NESTED: Final = 1000
"""Type arguments nested deeper are those of a generic that instantiates itself without end.

That recursion would overflow the stack, but long before it has compiled thousands of functions.
"""


class Roots:
    """What running code needs to know by name; all else is met through these.

    `longs_class` is `Array<long>`; `initializers` are those of the globals, in order.
    """

    __slots__ = (
        "exception_class",
        "initializers",
        "longs_class",
        "main",
        "msg_field",
        "record_field",
        "str_class",
    )

    def __init__(
        self,
        str_class: ClassRef,
        longs_class: ClassRef,
        exception_class: ClassRef,
        msg_field: FieldRef,
        record_field: FieldRef,
        initializers: tuple[FunctionRef, ...],
        main: FunctionRef | None,
    ) -> None:
        self.str_class = str_class
        self.longs_class = longs_class
        self.exception_class = exception_class
        self.msg_field = msg_field
        self.record_field = record_field
        self.initializers = initializers
        self.main = main

    @property
    def classes(self) -> list[ClassRef]:
        return [self.str_class, self.longs_class, self.exception_class]

    @property
    def functions(self) -> list[FunctionRef]:
        return [*self.initializers, *([self.main] if self.main else [])]


class Module:
    """The code of one program.  May be used from several threads."""

    def __init__(
        self,
        options: CodeOptions,
        program: Callable[[], Program],
        *,
        parent: Module | None = None,
        stored: Stored | None = None,
    ) -> None:
        target = host()
        assert target is not None, "the command line looks for a target"
        self.options = options
        self.space: CodeSpace = code_space(target)
        self.parent = parent
        self.find_program = program
        self.loader: Loader = Loader(self.space, self, parent.loader if parent else None)
        self.emission: Emission | None = None
        self.show: Show | None = None
        self.world: ProgramWorld | None = None
        """what the optimizer knows of the program, if it has asked"""
        self.times: Times | None = None
        """what the optimizer has taken, if anything was optimized"""
        self.compiled = 0
        """functions that were compiled, not taken from an earlier run"""
        self.stored_count = 0
        """functions whose code the image that it was loaded from has"""
        self.functions: dict[str, FunctionRef] = {}
        """by name, as an earlier run knew them"""
        self.classes: dict[str, ClassRef] = {}
        self.stored: dict[str, Stored] = {}
        """where the code of a function can be had, by name"""
        self.internals: dict[str, FunctionRef] = {}
        """internal functions that Python supplies, by key"""
        self.upcalls: dict[str, str] = {}
        """of a parent: what answers those that were called, by key"""
        self.callables: dict[str, FunctionRef] = {}
        """what `call(name)` has found"""
        self.stored_globals: tuple[int, list[int]] | None = None
        self.prepared: set[str] = set()
        """the collectors whose functions are placed"""
        self.at_once = BASELINE
        """the tier that functions move up to as soon as they are there"""
        self.made_specializer: Specializer | None = None
        self.made_environment: Environment | None = None
        self.made_roots: Roots | None = None
        if stored is not None:
            self.made_roots, self.stored_globals = stored.roots, stored.globals
            self.callables.update(stored.callables)
            self.stored_count = len(stored.codes)
            self.adopt(stored)

    def adopt(self, stored: Stored) -> None:
        """Know the functions, classes and code of an earlier run; those of the library go to its module."""
        parent = self.parent or self
        for function in stored.functions:
            module = parent if function.shared else self
            module.functions.setdefault(function.name, function)
            if function.name in stored.codes:
                module.stored.setdefault(function.name, stored)
        for cls in stored.classes:
            (parent if cls.shared else self).classes.setdefault(cls.symbol, cls)
        for function in stored.internals:
            parent.internals.setdefault(str(function.internal), function)
        for key, upcall in stored.upcalls.items():
            parent.upcalls.setdefault(key, upcall)
        if parent.made_roots is None:
            parent.made_roots = stored.roots

    # The program behind the code.

    @property
    def specializer(self) -> Specializer:
        """The lowered program, which is checked now if nobody has needed it yet.

        Whoever asks it for something has the code space's lock meanwhile.  Raises RuntimeError for a handler
        of a signal that has interrupted what would change it.
        """
        assert not VERIFIES or self.space.is_mine(), "another thread may be at work in it"
        load("doralang.checker.on_demand").TURN.refuse_handlers()
        if self.made_specializer is None:
            parent = self.parent.specializer if self.parent else None
            made = load("doralang.lower.functions").lowering(self.find_program(), parent)
            self.made_specializer = self.made_specializer or made
        return self.made_specializer

    @property
    def environment(self) -> Environment:
        """What the functions of this module are compiled for."""
        if self.made_environment is None:
            options = self.options
            made = load("doralang.code.environment").Environment(
                self.text_class,
                options.collector,
                self.supplied,
                bounds_checks=options.bounds_checks,
                counts_fuel=options.counts_fuel,
                masks_indexes=options.hardened,
                hides_numbers=options.hardened and self.parent is not None,
            )
            self.made_environment = self.made_environment or made
        return self.made_environment

    @property
    def roots(self) -> Roots:
        if self.made_roots is None:
            with self.space.freeing, self.space.lock:
                self.made_roots = find_roots(self.specializer)
        return self.made_roots

    @property
    def text_class(self) -> ClassRef:
        return self.roots.str_class

    def globals(self) -> tuple[int, list[int]]:
        """How many global variables there are, and the numbers of those that hold references."""
        if self.stored_globals is not None:
            return self.stored_globals
        with self.space.freeing, self.space.lock:
            return self.specializer.global_kinds()

    # Names (`runtime.loader.Names`).

    def function_named(self, name: str) -> FunctionRef:
        """A function of this program, by its canonical name."""
        if self.made_specializer is not None:
            ref = self.made_specializer.by_name.get(name)
            if ref is not None:
                return ref
        if name in self.functions:
            return self.functions[name]
        if self.parent is not None:
            return self.parent.function_named(name)
        with self.space.freeing, self.space.lock:
            return self.specializer.find(name, name)

    def class_named(self, symbol: str) -> ClassRef:
        """A class of this program, by its canonical name."""
        if self.made_specializer is not None:
            ref = self.made_specializer.class_by_symbol.get(symbol)
            if ref is not None:
                return ref
        if symbol in self.classes:
            return self.classes[symbol]
        assert self.parent is not None, f"{symbol} is no class"
        return self.parent.class_named(symbol)

    def internal_named(self, key: str) -> FunctionRef:
        """An internal function that Python supplies."""
        if key not in self.internals and self.parent is not None:
            return self.parent.internal_named(key)
        return self.internals[key]

    def upcall_of(self, key: str) -> str:
        """The method of `native.upcalls.Upcalls` that answers an internal function; empty for none."""
        if self.parent is not None:
            return self.parent.upcall_of(key)
        if key not in self.upcalls:
            self.upcalls[key] = load("doralang.library.internals").INTERNALS[key].upcall
        return self.upcalls[key]

    def heap_function(self, name: str) -> FunctionRef:
        """A function of the library's heap files."""
        return self.parent.heap_function(name) if self.parent else self.function_named(name)

    def supplied(self, function: FunctionRef) -> FunctionRef | None:
        """The function of the heap files that stands for an internal one; others are Python's."""
        key = function.internal
        assert key is not None
        internals = load("doralang.library.internals")
        row = internals.INTERNALS.get(key)
        if row is not None and row.supplier is internals.Supplier.COLLECTOR:
            return self.heap_function(self.options.collector.collect)
        if row is not None and row.stand_in:
            return self.heap_function(row.stand_in)
        self.internals[key] = function
        return None

    def callable(self, name: str) -> FunctionRef:
        """The function that `call(name)` finds.  Raises FatalError."""
        ref = self.callables.get(name)
        if ref is None:
            with self.space.freeing, self.space.lock:
                specializer = self.specializer
                function = specializer.program.callable_by_name(name)
                if function is None:
                    raise load("doralang.types.failures").FatalError(f"fct `{name}` not found.")
                if function.parameters or function.type_parameters:
                    raise load("doralang.types.failures").FatalError(f"fct `{name}` takes arguments.")
                ref = self.callables[name] = specializer.function_ref(function)
        return ref

    # Code.

    def supply(self, name: str) -> int:
        """Place the code of a function, which its cell leads to from then on; the address."""
        with self.space.freeing, self.space.lock:
            placed = self.loader.placed.get(name)
            if placed is not None:  # by another thread, just now
                return placed.address
            code = self.code(name)
            placed = self.loader.placed.get(name)
            if placed is not None:  # by a handler of a signal that came in between
                return placed.address
            address = self.loader.place(code)
            if self.emission is not None:
                self.emission.note_place(name, address, len(code.code.data))
            if self.at_once != BASELINE:
                self.promote(name, self.at_once)
            return address

    def promote(self, name: str, tier: str) -> bool:
        """Let a function have code of a better tier from its next call on; whether it has."""
        placed = self.loader.placed.get(name)
        if placed is None or placed.code.tier != BASELINE or placed.code.ref.raw:
            return False
        code = self.compile(name, tier)
        if not self.loader.has_room(len(code.code.data)):
            return False
        self.loader.place(code, keeps_old=True)
        return True

    def way_out(self, name: str, address: int, tier: str) -> int | None:
        """On-stack replacement: where the stub of a poll is to return to so that better code goes on there.

        The address is the one that the stub would return to, in the code of a function of this module.  None
        if that is no loop in the code of the baseline compiler, or if the better code takes too much room.
        """
        placed = self.loader.code_around(name, address)
        if placed is None or placed.code.tier != BASELINE or placed.code.ref.raw:
            return None
        function = self.bytecode(name)
        compiler, target = load("doralang.baseline.compiler"), self.space.target
        options = compiler.Options(stops_at_polls=self.options.at_once)
        again, context = compiler.compile_with_context(target, function, self.environment, options)
        assert again.code.data == placed.code.code.data, f"{name} is compiled in two ways"
        poll = context.loop_polls.get(address - placed.address)
        if poll is None:
            return None
        entered, live = load("doralang.optimizing.entry").entered_at(function, poll.at)
        if VERIFIES:
            load("doralang.bytecode.verifier").verify(entered)
        code = self.compiled_in(tier, entered)
        if not self.loader.has_room(len(code.code.data)):
            return None
        entry = self.loader.place_beside(code)
        way_into = load("doralang.baseline.replacement").way_into
        return self.loader.place_beside(way_into(target, context, poll, live, entered.ref, entry))

    def code(self, name: str) -> CodeObject:
        """The code of a function: stored by an earlier run, or compiled now."""
        stored = self.stored.get(name)
        return self.compile(name, self.options.tier) if stored is None else stored.code(name)

    def compile(self, name: str, tier: str) -> CodeObject:
        """Compile a function, and print what people want to see of it."""
        self.compiled += 1
        return self.compiled_in(tier, self.bytecode(name))

    def bytecode(self, name: str) -> Bytecode:
        """The bytecode of a function.  Raises Trapped."""
        specializer = self.specializer
        known = self.functions.get(name)
        ref = specializer.find(known.head if known is not None else name, name)
        if specializer.nesting(ref) > MOST_NESTED:
            raise load("doralang.types.failures").overflow()
        bytecode: Bytecode = specializer.code(ref)
        if VERIFIES:
            load("doralang.bytecode.verifier").verify(bytecode)
        return bytecode

    def compiled_in(self, tier: str, bytecode: Bytecode) -> CodeObject:
        """The code of a function in a tier; what people want to see of it is printed."""
        ref, shown = bytecode.ref, self.emission if self.show is not None else None
        dump = shown.bytecode(bytecode) if shown else ""
        if tier != BASELINE:
            graphs: list[Any] = []
            bytecode = self.optimized(bytecode, graphs.append if shown else None)
            dump += shown.optimized(bytecode, graphs[0]) if shown else ""
        code = self.lowered_by_llvm(bytecode, shown) if tier == LLVM else None
        if code is None:
            compiler = load("doralang.baseline.compiler")
            options = compiler.Options(
                stops_at_polls=self.options.at_once and tier == BASELINE,
                comments=shown is not None and shown.wants_asm(ref),
                breakpoint=shown is not None and shown.wants_breakpoint(ref.plain_name),
            )
            code = compiler.compile_for(self.space.target, bytecode, self.environment, options)
            if tier != BASELINE:
                code = code._replace(tier=OPTIMIZED)
        dump += shown.asm(code) if shown else ""
        if dump and self.show is not None:
            self.show(dump)
        made: CodeObject = code
        return made

    def lowered_by_llvm(self, bytecode: Bytecode, shown: Emission | None) -> CodeObject | None:
        """The code that LLVM makes of optimized bytecode; None if it is left to the other lowering."""
        compiler = llvm_compiler()
        if compiler is None:
            return None
        start = perf_counter()
        wants_breakpoint = shown is not None and shown.wants_breakpoint(bytecode.ref.plain_name)
        try:
            lowered = compiler.lower_for(
                self.space.target, bytecode, self.environment, breakpoint=wants_breakpoint
            )
            text = shown.llvm(bytecode, lowered.text) if shown else ""
            if text and self.show is not None:
                self.show(text)
            code: CodeObject = compiler.compile_lowered(self.space.target, bytecode, lowered)
            if self.times is not None:
                self.times.add("LLVM", start)
        except compiler.NotLowered:
            return None
        return code

    def optimized(self, bytecode: Bytecode, show: Callable[[Any], None] | None = None) -> Bytecode:
        """The bytecode that does the same in less time; `show` is given its graph."""
        optimizer = load("doralang.optimizing.optimizer")
        if self.times is None:
            self.times = optimizer.Times()
        if self.world is None:
            self.world = load("doralang.native.world").ProgramWorld(self.specializer)
        function: Bytecode = optimizer.optimize(
            bytecode, self.times, self.world, show, masks_indexes=self.options.hardened
        )
        return function

    def prepare_collector(self, collector: Collector) -> None:
        """Place all that a collector's functions call, so that no pause waits for the compiler."""
        if self.parent is not None:
            self.parent.prepare_collector(collector)
        elif collector.name not in self.prepared:
            self.prepared.add(collector.name)
            waiting = [collector.allocate, collector.collect]
            seen = {*waiting}
            while waiting:
                name = waiting.pop()
                self.supply(name)
                called = self.loader.placed[name].code.callees - seen
                seen |= called
                waiting += called

    @property
    def is_new(self) -> bool:
        """Whether there may be code that the image does not have from which the module was loaded."""
        return self.compiled > 0 or (self.parent is not None and self.parent.compiled > 0)

    def close(self) -> None:
        """Free all code.  No instance of the module is left."""
        with self.space.freeing, self.space.lock:
            self.loader.close()


def find_roots(specializer: Specializer) -> Roots:
    program = specializer.program
    library = program.library
    exception, fields = library.classes["Exception"].of(), library.classes["Exception"].fields
    long_type = load("doralang.types.types").LONG
    return Roots(
        str_class=specializer.class_ref(library.classes["Str"].of()),
        longs_class=specializer.class_ref(library.classes["Array"].of((long_type,))),
        exception_class=specializer.class_ref(exception),
        msg_field=specializer.field_ref(exception, fields["msg"]),
        record_field=specializer.field_ref(exception, fields["record"]),
        initializers=tuple(specializer.initializers()),
        main=specializer.entry_ref(program.main) if program.main else None,
    )


LIBRARIES: Final[dict[CodeKey, Module]] = {}
"""the code of the library, by what it is compiled for; bounded by the number of collectors"""
LLVM_LIBRARY: Final = ("binding", "libllvmlite.so")
"""where llvmlite has it"""
LOADED_LLVM: Final[list[Any]] = []
"""its compiler, or None, once somebody has tried to load it; for good"""


def preload_llvm() -> None:
    """Have the system map LLVM's library before llvmlite is imported.

    That takes tens of milliseconds, and importing keeps the interpreter's lock meanwhile: a program would
    wait that asks Python for something, or that ends.
    """
    folder = None if LOADED_LLVM else folder_of(LLVM_PACKAGE)
    if folder is not None:
        address, kinds = foreign.address_of("dlopen"), (foreign.BYTES, foreign.INT)
        open_library = foreign.function(address, foreign.WORD, *kinds, holds_gil=False)
        open_library(os.fsencode(os.path.join(folder, *LLVM_LIBRARY)), os.RTLD_NOW)


def llvm_compiler() -> Any:
    """The module that compiles by LLVM; None if LLVM cannot be loaded, for lack of memory perhaps."""
    if not LOADED_LLVM:
        try:
            LOADED_LLVM.append(load("doralang.optimizing.llvm.compiler"))
        except (ImportError, OSError, MemoryError):
            LOADED_LLVM.append(None)
    return LOADED_LLVM[0]


def library_module(options: CodeOptions) -> Module:
    """The code of the library that all programs of this process share."""
    return LIBRARIES.get(options.key) or LIBRARIES.setdefault(options.key, Module(options, library_program))


def library_program() -> Program:
    """The library as a program without anything of its own."""
    library = load("doralang.checker.library")
    program: Program = library.as_program(
        library.compiled_library(load("doralang.code.constants").layout_constants())
    )
    return program
