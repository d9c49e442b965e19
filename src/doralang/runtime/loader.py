"""The loader: puts the code of a module where it can run, binds its symbols, and takes it all back.

All instances of a module share one loader.  What is made of the library alone (`shared` functions and
classes) belongs to the loader of the library, the `parent`, which programs have in common.

    entry:F      the cell of a function
    shape:C      the shape of a class
    class:C      what stands for it in displays
    literal:T    a text object, one for all modules with the same parent
    number:N     a word with a number in it
"""

from __future__ import annotations

from doralang.code import layout
from doralang.code.symbols import CALL_BY_NAME, CLASS, ENTRY, LITERAL, NUMBER, OWN, SHAPE, UPCALL, entry_of
from doralang.machine.code import ABSOLUTE_64, RELATIVE_32, RELOCATE
from doralang.optional import load
from doralang.runtime.memory import store_bytes, store_word
from doralang.runtime.shapes import Shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from doralang.bytecode.entities import ClassRef, FunctionRef
    from doralang.code.objects import CodeObject
    from doralang.machine.code import Code
    from doralang.runtime.code_space import Cell, CodeOwner, CodeSpace

    class NameResolver(CodeOwner, Protocol):
        """What a loader asks its module."""

        def function_named(self, name: str) -> FunctionRef:
            """A function that code refers to."""

        def class_named(self, symbol: str) -> ClassRef:
            """A class that code refers to."""

        def internal_named(self, key: str) -> FunctionRef:
            """An internal function that Python supplies."""

        @property
        def text_class(self) -> ClassRef:
            """`Str`"""


class Placed:
    """Code that has been placed."""

    __slots__ = ("address", "code", "size")

    def __init__(self, code: CodeObject, address: int, size: int) -> None:
        self.code = code
        self.address = address
        self.size = size


class Literal:
    """A text object and how many loaders refer to it."""

    __slots__ = ("address", "size", "users")

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.size = size
        self.users = 0


class Loader:
    """The code of one module."""

    def __init__(self, space: CodeSpace, names: NameResolver, parent: Loader | None = None) -> None:
        self.space: CodeSpace = space
        self.names = names
        self.parent = parent
        self.root: Loader = parent.root if parent else self
        self.symbols: dict[tuple[str, str], int] = {}
        """those that are bound so far"""
        self.cells: dict[str, Cell] = {}
        self.placed: dict[str, Placed] = {}
        """by name of the function"""
        self.retired: list[Placed] = []
        """code to which no entry cell leads: replaced, or entered from a loop of what was replaced"""
        self.c_entries: dict[str, tuple[int, int]] = {}
        """address and size, by name of the function"""
        self.shapes = Shapes(self)
        self.literals: dict[str, Literal] = {}
        """of a root: all texts of the modules below"""
        self.texts: list[str] = []
        """those that this loader refers to"""
        self.numbers: dict[str, int] = {}
        """addresses of words, by their patterns"""
        self.most: int | None = None
        """bytes that code and what belongs to it, shapes and texts, may have"""
        self.data_size = 0
        """bytes of shapes and texts"""

    # Symbols.

    def address(self, symbol: tuple[str, str]) -> int:
        """What a symbol of machine code stands for."""
        address = self.symbols.get(symbol)
        if address is None:
            kind, name = symbol
            if kind == ENTRY:
                address = self.cell(self.names.function_named(name))
            elif kind == SHAPE:
                address = self.shape(self.names.class_named(name))
            elif kind == CLASS:
                address = self.identity(self.names.class_named(name))
            elif kind == LITERAL:
                address = self.literal(name)
            elif kind == NUMBER:
                address = self.number(name)
            elif kind == UPCALL and symbol != CALL_BY_NAME:
                address = self.space.internal(self.names.internal_named(name))
            else:
                address = self.space.address(symbol)
            self.symbols[symbol] = address
        return address

    def cell(self, function: FunctionRef) -> int:
        """The address of the entry cell of a function."""
        if function.shared and self.parent is not None:
            return self.parent.cell(function)
        cell = self.cells.get(function.name)
        if cell is None:
            made = self.space.new_cell(self.names, function.name)
            cell = self.cells.setdefault(function.name, made)
            if cell is not made:
                self.space.free_cell(made)
        return cell.address

    def c_entry(self, function: FunctionRef) -> int:
        """The address at which C code may call a function, with the thread block as first argument."""
        if function.shared and self.parent is not None:
            return self.parent.c_entry(function)
        entry = self.c_entries.get(function.name)
        if entry is None:
            stubs = load("doralang.runtime.stubs")
            code = stubs.assemble(self.space.target.assembler, stubs.c_entry(function, entry_of(function)))
            address, size = self.space.arena.allocate(len(code.data)), len(code.data)
            self.space.arena.write(address, self.bind(code, address))
            entry = self.c_entries[function.name] = address, size
        return entry[0]

    def shape(self, cls: ClassRef) -> int:
        """The address of the shape of a class, complete."""
        return self.loader_of(cls).shapes.address(cls)

    def identity(self, cls: ClassRef) -> int:
        """The address of what stands for a class in displays."""
        return self.loader_of(cls).shapes.identity(cls)

    def loader_of(self, cls: ClassRef) -> Loader:
        """Where the shape of a class belongs."""
        return self.parent if cls.shared and self.parent is not None else self

    def literal(self, text: str) -> int:
        """The address of a text object that never moves; the same for the same text."""
        literal = self.root.literals.get(text)
        if literal is None:
            data = text.encode("utf-8", "surrogateescape")
            self.look_for_room(len(data))
            address, size = self.new_text(data)
            literal = self.root.literals.setdefault(text, Literal(address, size))
            if literal.address != address:
                self.space.arena.free_data(address, size)
        literal.users += 1
        self.texts.append(text)
        self.data_size += literal.size
        return literal.address

    def number(self, pattern: str) -> int:
        """The address of a word that is never written again."""
        address = self.numbers.get(pattern)
        if address is None:
            made = self.new_data(layout.WORD)
            store_word(made, int(pattern, 16))
            address = self.numbers.setdefault(pattern, made)
        return address

    def new_data(self, size: int) -> int:
        """The address of zeroed bytes for shapes.  Raises Trapped."""
        self.look_for_room(size)
        self.data_size += size
        return self.space.arena.new_data(size)

    def new_text(self, data: bytes) -> tuple[int, int]:
        """A text object outside of the heap: its address and the bytes that it takes."""
        size = layout.ARRAY_ELEMENTS + len(data)
        address = self.space.arena.new_data(size)
        self.write_text(address, data)
        return address, size

    def write_text(self, address: int, data: bytes) -> None:
        """Make a text object of fresh memory."""
        store_word(address + layout.HEADER, self.shape(self.names.text_class))
        store_word(address + layout.ARRAY_LENGTH, len(data))
        store_bytes(address + layout.ARRAY_ELEMENTS, data)

    # Placing and freeing.

    def bind(self, code: Code, address: int) -> bytearray:
        """The bytes of a piece of code as they must be at `address`."""
        data, symbols = bytearray(code.data), self.symbols
        symbols[OWN] = address
        for offset, kind, symbol, addend in code.relocations:
            value = (symbols.get(symbol) or self.address(symbol)) + addend  # type: ignore[call-overload, arg-type]
            if kind is RELATIVE_32:
                data[offset : offset + 4] = (value - address - offset).to_bytes(4, "little", signed=True)
            elif kind is ABSOLUTE_64:
                data[offset : offset + 8] = value.to_bytes(8, "little")
            else:
                RELOCATE[kind](data, offset, value, address + offset, symbol)
        return data

    def place(self, code: CodeObject, *, keeps_old: bool = False) -> int:
        """Place the code of a function, make its GC points known, and let its entry cell lead to it.

        Another code of the same function is freed, so nobody may be running that, unless it is to be kept:
        then it is freed with everything else.
        """
        function, space = code.ref, self.space
        if function.shared and self.parent is not None:
            return self.parent.place(code, keeps_old=keeps_old)
        if function.name in self.placed:
            if keeps_old:
                self.retired.append(self.placed.pop(function.name))
            else:
                self.free(function.name)
        placed = self.placed[function.name] = self.put(code)
        space.arena.set_cell(self.cell(function), placed.address)
        return placed.address

    def place_beside(self, code: CodeObject) -> int:
        """Place code that no entry cell leads to; it is freed with everything else."""
        placed = self.put(code)
        self.retired.append(placed)
        return placed.address

    def put(self, code: CodeObject) -> Placed:
        """Copy code to where it can run, and make its GC points known.  Raises Trapped."""
        space, size = self.space, len(code.code.data)
        self.look_for_room(size)
        address = space.arena.allocate(size)
        try:
            data = self.bind(code.code, address)
        except BaseException:  # no room for what it refers to
            space.arena.free(address, size)
            raise
        space.arena.write(address, data)
        add = space.points.add
        for offset, slots in code.live_slots:
            add(address + offset, slots)
        space.places.add(address, code)
        return Placed(code, address, size)

    def code_around(self, name: str, address: int) -> Placed | None:
        """The code of a function, perhaps one that has been replaced, that an address is in."""
        codes = [*self.retired, self.placed[name]] if name in self.placed else self.retired
        return next((one for one in codes if one.address <= address < one.address + one.size), None)

    def free(self, name: str) -> None:
        """Take back the code of a function; who calls it next has it supplied again."""
        space = self.space
        placed, cell = self.placed.pop(name), self.cells[name]
        space.arena.set_cell(cell.address, cell.stub)
        self.free_placed(placed)

    def free_placed(self, placed: Placed) -> None:
        """Forget the GC points of code, and take it back."""
        code, address, size = placed.code, placed.address, placed.size
        space = self.space
        space.places.remove(address)
        for offset, slots in code.live_slots:
            space.points.remove(address + offset, slots)
        space.arena.free(address, size)

    def close(self) -> None:
        """Take back everything; nobody may run it, or refer to it, any more."""
        for name in list(self.placed):
            self.free(name)
        for placed in self.retired:
            self.free_placed(placed)
        self.retired.clear()
        for address, size in self.c_entries.values():
            self.space.arena.free(address, size)
        self.c_entries.clear()
        for cell in self.cells.values():
            self.space.free_cell(cell)
        self.cells.clear()
        for text in self.texts:
            literal = self.root.literals[text]
            literal.users -= 1
            if not literal.users:
                del self.root.literals[text]
                self.space.arena.free_data(literal.address, literal.size)
        self.texts.clear()
        for address in self.numbers.values():
            self.space.arena.free_data(address, layout.WORD)
        self.numbers.clear()
        self.shapes.free()
        self.symbols.clear()
        self.data_size = 0

    def has_room(self, size: int) -> bool:
        """Whether the program may have so many bytes more of code and what belongs to it."""
        return self.most is None or self.code_size + self.data_size + size <= self.most

    def look_for_room(self, size: int) -> None:
        """Raises Trapped if there is no room for so many bytes more."""
        if not self.has_room(size):
            raise load("doralang.types.failures").limit("code_size")

    @property
    def code_size(self) -> int:
        """Bytes of the code of all functions so far, without stubs."""
        return sum(placed.size for placed in [*self.placed.values(), *self.retired])
