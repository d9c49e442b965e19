"""One running program in native memory: its code, its shapes, its tables, its stack and heap.

`Instance` places what a compiler makes (`Placeable`) and binds symbols; it knows no compiler:

    entry:F        the entry cell of a function; first it leads to the stub that has F compiled
    shape:C        the shape of a class
    stub:… trap:…  runtime.stubs
    upcall:KEY     an internal function that Python supplies
    native:NAME    a C function
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Final, Protocol

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef, GlobalRef
from doralang.code import layout
from doralang.code.collectors import Collector
from doralang.machine.buffer import ABSOLUTE_64, RELATIVE_32, RELOCATE, Code
from doralang.machine.memory import CodeArena, Stack
from doralang.machine.targets import Target
from doralang.runtime import stubs
from doralang.runtime.handles import Handles
from doralang.runtime.heap import Heap
from doralang.runtime.memory import Region, Words, load_bytes, store_bytes, store_word
from doralang.runtime.shapes import Shapes
from doralang.runtime.spaces import Sizes
from doralang.runtime.ticker import ticker
from doralang.types.kinds import Kind

STACK_SIZE: Final = 64 << 20
STACK_RESERVE: Final = 64 << 10
"""kept free below the limit for stubs and functions of the C library"""
TABLE_SIZE: Final = 8 << 20
"""reserved for literals and for globals, committed when used"""
SHAPES_SIZE: Final = 4 << 30
TEXTS_SIZE: Final = 1 << 30
OUTPUT_SIZE: Final = 64 << 10
CELLS_AT_ONCE: Final = 32
"""entry cells that are made together, as each needs a few bytes of code"""

pack_distance: Final = Struct("<i").pack_into
pack_address: Final = Struct("<Q").pack_into

libc: Final = ctypes.CDLL(None)
libm: Final = ctypes.CDLL("libm.so.6")


class Place(Protocol):
    """A GC point: what a return address stands for, and its offset in the code."""

    @property
    def offset(self) -> int: ...
    @property
    def function(self) -> FunctionRef: ...
    @property
    def line(self) -> int: ...
    @property
    def slots(self) -> tuple[int, ...]: ...
    def _replace(self, *, line: int) -> Place: ...


class Instance:
    """The native side of a program.

    `upcall` is called when Dora code wants something of Python: it finds the reason in `thread`, and
    raises to end the call into the program.
    """

    bounds_checks = True

    def __init__(
        self,
        target: Target,
        sizes: Sizes,
        str_class: ClassRef,
        upcall: Callable[[], None],
        collector: Collector,
        *,
        stress: int = 0,
    ) -> None:
        self.target = target
        self.arena = CodeArena()
        self.ticker = ticker(target)
        self.thread = Words(self.ticker.new_block(), layout.THREAD_SIZE)
        self.stack = Stack(STACK_SIZE)
        self.heap = Heap(collector, sizes, self.thread, stress=stress)
        self.literals = Region(TABLE_SIZE)
        self.globals = Region(TABLE_SIZE)
        self.texts = Region(TEXTS_SIZE)
        self.printed = Region(OUTPUT_SIZE)
        self.shapes = Shapes(Region(SHAPES_SIZE), self.cell)
        self.handles = Handles(self.heap.block)
        self.str_class = str_class
        self.symbols: dict[str, int] = {}
        self.literal_offsets: dict[str, int] = {}
        self.cells: dict[FunctionRef, int] = {}
        self.spare_cells: list[int] = []
        """those of the functions that come next, the last one first"""
        self.entries: dict[FunctionRef, str] = {}
        """the symbols of the cells"""
        self.functions: list[FunctionRef] = []
        """those that have a cell, by the number that the compile stub passes"""
        self.by_symbol: dict[str, FunctionRef] = {}
        self.classes: dict[str, ClassRef] = {}
        self.places: dict[int, Place] = {}
        """by return address"""
        self.stubs: dict[str, tuple[int, int]] = {}
        """address and size of the stubs that run more than once, by symbol"""
        self.internals: dict[str, int] = {}
        self.internal_functions: list[FunctionRef] = []
        self.known_globals: set[GlobalRef] = set()
        self.upcall = upcall  # kept alive here, called by address
        self.prepare_thread()
        self.describe_heap()
        self.enter = self.place_stubs()

    # The thread block.

    def prepare_thread(self) -> None:
        thread = self.thread
        thread[layout.THREAD_REAL_LIMIT] = self.stack.bottom + STACK_RESERVE
        thread[layout.THREAD_LIMIT] = thread[layout.THREAD_REAL_LIMIT]
        thread[layout.THREAD_STACK_TOP] = self.stack.top - 64
        thread[layout.THREAD_LITERALS] = self.literals.start
        thread[layout.THREAD_GLOBALS] = self.globals.start
        thread[layout.THREAD_UPCALL] = id(self.upcall)

    def describe_heap(self) -> None:
        """What the verifier knows of what is outside of the heap."""
        block = self.heap.block
        shapes = self.shapes.region
        block[layout.HEAP_SHAPES], block[layout.HEAP_SHAPES_END] = shapes.start, shapes.end
        block[layout.HEAP_TEXTS], block[layout.HEAP_TEXTS_END] = self.texts.start, self.texts.end

    def set_arguments(self, arguments: Sequence[bytes]) -> None:
        """Make the texts of the program's arguments, which never move, and a table of them."""
        table = self.texts.allocate(layout.WORD * len(arguments))
        for index, data in enumerate(arguments):
            store_word(table + layout.WORD * index, self.new_fixed_text(data))
        self.thread[layout.THREAD_ARGC] = len(arguments)
        self.thread[layout.THREAD_ARGV] = table

    def set_output_most(self, most: int) -> None:
        """The program's output may wait for so many bytes of it."""
        self.thread[layout.THREAD_OUTPUT] = self.printed.start
        self.thread[layout.THREAD_OUTPUT_SIZE] = self.printed.size
        self.thread[layout.THREAD_OUTPUT_MOST] = most

    def take_output(self) -> bytes:
        """What the program has printed since the last time."""
        data = load_bytes(self.printed.start, self.thread[layout.THREAD_OUTPUT_FILL])
        self.thread[layout.THREAD_OUTPUT_FILL] = 0
        return data

    def run(self, code: int, arguments: int) -> None:
        """Call a function with a block of arguments; what an upcall raises comes out."""
        block = self.thread.address
        self.ticker.activate(block)
        self.thread[layout.THREAD_LAST_FRAME] = 0
        try:
            self.enter(block, code, arguments)
            self.thread[layout.THREAD_LAST_FRAME] = 0
        finally:
            self.ticker.deactivate(block)

    # Symbols.

    def address(self, symbol: str) -> int:
        """What a symbol of machine code stands for."""
        address = self.symbols.get(symbol)
        if address is None:
            kind, _, name = symbol.partition(":")
            address = self.symbols[symbol] = FINDERS[kind](self, name)
        return address

    def find_entry(self, name: str) -> int:
        return self.cell(self.by_symbol[name])

    def find_shape(self, name: str) -> int:
        return self.shapes.address(self.classes[name])

    def find_native(self, name: str) -> int:
        for library in (ctypes.pythonapi, libm, libc):
            function = getattr(library, name, None)
            if function is not None:
                return int(ctypes.cast(function, ctypes.c_void_p).value or 0)
        raise KeyError(name)

    def find_internal(self, key: str) -> int:
        number = self.internals[key]
        return self.place_stub(stubs.internal(number, self.internal_functions[number].result))

    # Placing code.

    def place_stubs(self) -> Any:
        make = {
            "stub:cut": stubs.cut,
            "stub:python": stubs.python,
            "stub:attention": stubs.attention,
            "stub:compile": stubs.compile_and_go_on,
        }
        for symbol, emit in make.items():
            self.place_named(symbol, emit)
        for index, trap in enumerate(stubs.TRAPS):
            self.place_named(f"trap:{trap.name}", stubs.trap(index))
        self.place_named("upcall:callByName", stubs.call_by_name)
        prototype = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        return prototype(self.place_named("stub:enter", stubs.enter))

    def place_named(self, symbol: str, emit: Callable[[Any], None]) -> int:
        """A stub that code may refer to."""
        code = stubs.assemble(self.target.assembler, emit)
        address = self.symbols[symbol] = self.place(code)
        self.stubs[symbol] = address, len(code.data)
        return address

    def use_allocator(self, function: FunctionRef) -> None:
        """The collector's function that finds room when the allocation buffer is full."""
        self.symbols["cell:allocate"] = self.cell(function)
        self.place_named("stub:allocate", stubs.allocate)

    def place_stub(self, emit: Callable[[Any], None]) -> int:
        return self.place(stubs.assemble(self.target.assembler, emit))

    def place(self, code: Code) -> int:
        """Bind the symbols of a piece of code and put it where it can run."""
        address = self.arena.allocate(len(code.data))
        data, symbols = code.data, self.symbols
        for offset, kind, symbol, addend in code.relocations:
            value = (symbols.get(symbol) or self.address(symbol)) + addend
            if kind is RELATIVE_32:
                pack_distance(data, offset, value - address - offset)
            elif kind is ABSOLUTE_64:
                pack_address(data, offset, value)
            else:
                RELOCATE[kind](data, offset, value, address + offset, symbol)
        self.arena.write(address, data)
        return address

    def place_function(self, ref: FunctionRef, code: Code, points: Iterable[Place]) -> int:
        """Place a compiled function, make its GC points known, and let its entry cell lead to it."""
        address = self.place(code)
        for point in points:
            at = address + point.offset
            self.places[at] = point
            if point.slots:
                self.heap.add_point(at, point.slots)
        self.arena.set_cell(self.cell(ref), address)
        return address

    # What compilers ask for (`baseline.context.Environment`).

    def cell(self, ref: FunctionRef) -> int:
        """The entry cell of a function."""
        cell = self.cells.get(ref)
        if cell is None:
            if not self.spare_cells:
                self.make_cells()
            cell = self.cells[ref] = self.spare_cells.pop()
            self.functions.append(ref)
            self.by_symbol[ref.name] = ref
        return cell

    def make_cells(self) -> None:
        """Entry cells for the next functions: one that is called first has itself compiled."""
        code, places = stubs.compile_first(self.target, len(self.functions), CELLS_AT_ONCE)
        assert len(places) == CELLS_AT_ONCE, "there is a stub for each cell"
        start = self.place(code._replace(data=code.data.copy()))
        first = self.arena.new_cell(count=CELLS_AT_ONCE)
        self.spare_cells = [first + layout.WORD * index for index in reversed(range(CELLS_AT_ONCE))]
        self.arena.set_cells(first, [start + offset for offset in places])

    def entry(self, function: FunctionRef) -> str:
        symbol = self.entries.get(function)
        if symbol is None:
            symbol = self.entries[function] = f"entry:{function.name}"
            self.symbols[symbol] = self.cell(function)
        return symbol

    def shape(self, cls: ClassRef) -> str:
        self.classes[cls.symbol] = cls
        return f"shape:{cls.symbol}"

    def field_offset(self, cls_field: FieldRef) -> int:
        return self.shapes.offset(cls_field)

    def instance_size(self, cls: ClassRef) -> int:
        return self.shapes.size(cls)

    def global_offset(self, variable: GlobalRef) -> int:
        offset = variable.index * layout.WORD
        if variable.kind is Kind.REF and variable not in self.known_globals:
            self.known_globals.add(variable)
            self.heap.add_global(self.globals.start + offset)
        return offset

    def literal(self, text: str) -> int:
        offset = self.literal_offsets.get(text)
        if offset is None:
            offset = self.literal_offsets[text] = len(self.literal_offsets) * layout.WORD
            data = text.encode("utf-8", "surrogateescape")
            store_word(self.literals.start + offset, self.new_fixed_text(data))
        return offset

    def new_fixed_text(self, data: bytes) -> int:
        """A string object outside the heap."""
        address = self.texts.allocate(layout.ARRAY_ELEMENTS + len(data))
        self.write_text(address, data)
        return address

    def write_text(self, address: int, data: bytes) -> None:
        """Make a string object of fresh memory."""
        store_word(address + layout.HEADER, self.shapes.address(self.str_class))
        store_word(address + layout.ARRAY_LENGTH, len(data))
        store_bytes(address + layout.ARRAY_ELEMENTS, data)

    def internal_symbol(self, function: FunctionRef) -> None:
        """Make an internal function that Python supplies known by its key."""
        assert function.internal is not None
        if function.internal not in self.internals:
            self.internals[function.internal] = len(self.internal_functions)
            self.internal_functions.append(function)

    def replace_entities(
        self,
        functions: Mapping[FunctionRef, FunctionRef],
        classes: Mapping[ClassRef, ClassRef],
        variables: Mapping[GlobalRef, GlobalRef],
    ) -> None:
        """Know these entities in place of others that stand for the same; nothing changes in memory."""
        self.cells = {functions[ref]: cell for ref, cell in self.cells.items()}
        self.entries = {functions[ref]: symbol for ref, symbol in self.entries.items()}
        self.functions = [functions[ref] for ref in self.functions]
        self.by_symbol = {symbol: functions[ref] for symbol, ref in self.by_symbol.items()}
        self.internal_functions = [functions[ref] for ref in self.internal_functions]
        self.classes = {symbol: classes[cls] for symbol, cls in self.classes.items()}
        self.known_globals = {variables[variable] for variable in self.known_globals}
        self.str_class = classes[self.str_class]
        self.shapes.replace_classes(classes)

    # The stack.

    def frames(self) -> Iterable[tuple[int, int]]:
        """Frame pointer and return address into each frame of Dora code, innermost first."""
        frame = self.thread[layout.THREAD_LAST_FRAME]
        while frame:
            words = Words(frame, 2 * layout.WORD)
            yield words[0], words[layout.WORD]
            frame = words[0]

    def stack_places(self) -> list[Place]:
        """The active functions, innermost first."""
        places = (self.places.get(address) for _, address in self.frames())
        return [place for place in places if place is not None and not place.function.hidden]

    def close(self) -> None:
        """Free everything: code, stack, heap, tables."""
        self.arena.close()
        self.stack.free()
        self.handles.free()
        self.ticker.free_block(self.thread.address)
        self.heap.free()
        for region in (self.literals, self.globals, self.texts, self.printed, self.shapes.region):
            region.free()


FINDERS: Final[dict[str, Callable[[Instance, str], int]]] = {
    "entry": Instance.find_entry,
    "shape": Instance.find_shape,
    "native": Instance.find_native,
    "upcall": Instance.find_internal,
}
