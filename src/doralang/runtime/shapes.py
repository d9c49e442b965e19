"""Shapes in native memory: what an object's header points to."""

from __future__ import annotations

from doralang.code import layout
from doralang.runtime.memory import load_bytes, store_bytes, store_word
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from doralang.bytecode.entities import ClassRef, FunctionRef
    from doralang.runtime.code_space import CodeSpace

    class Linker(Protocol):
        """What shapes ask of the loader that they belong to."""

        @property
        def space(self) -> CodeSpace: ...

        def new_data(self, size: int) -> int:
            """Room beside the code, if the program may have that much."""

        def cell(self, function: FunctionRef) -> int:
            """The address of the entry cell of a method."""

        def identity(self, cls: ClassRef) -> int:
            """The address of what stands for a class in displays."""


class Shapes:
    """The shapes of a module's concrete classes.  They never move and are freed with the module."""

    def __init__(self, loader: Linker) -> None:
        self.loader = loader
        self.addresses: dict[str, int] = {}
        """by symbol of the class; those that are complete"""
        self.rooms: dict[str, int] = {}
        """where they are to be, once there is room for them"""
        self.identities: dict[str, int] = {}
        """by symbol of the class: the words that stand for classes in displays"""
        self.blocks: list[tuple[int, int]] = []
        """address and size of everything allocated"""

    def address(self, cls: ClassRef) -> int:
        """The shape of a class."""
        address = self.addresses.get(cls.symbol)
        if address is None:
            address = self.room(cls)
            self.fill(cls, address)
            self.addresses[cls.symbol] = address
        return address

    def room(self, cls: ClassRef) -> int:
        """Where a shape is.  A handler that needs one that is being filled fills it, too, with the same."""
        address = self.rooms.get(cls.symbol)
        if address is None:
            display = max(layout.DISPLAY_MINIMUM, cls.depth + 1) * layout.WORD
            block = self.allocate(display + layout.method_offset(cls.method_count))
            address = self.rooms.setdefault(cls.symbol, block + display)
            self.loader.space.classes[address] = cls
        return address

    def identity(self, cls: ClassRef) -> int:
        """What stands for a class in displays: so ancestors of which there are no objects need no shapes."""
        address = self.identities.get(cls.symbol)
        if address is None:
            address = self.identities.setdefault(cls.symbol, self.allocate(layout.WORD))
        return address

    def allocate(self, size: int) -> int:
        address = self.loader.new_data(size)
        self.blocks.append((address, size))
        return address

    def fill(self, cls: ClassRef, address: int) -> None:
        store_word(self.identity(cls), address)  # for the verifier of the heap
        self.fill_tables(cls, address)
        offsets, end = layout.layout_fields(cls)
        is_array = cls.element is not None or cls.is_text
        size = layout.ARRAY_ELEMENTS if is_array else layout.align(end)
        store_word(address + layout.SHAPE_SIZE, size)
        store_word(address + layout.SHAPE_ELEMENT, self.element_size(cls))
        references = [offsets[field] for field in cls.fields if field.kind is Kind.REF]
        store_word(address + layout.SHAPE_REFERENCES, self.reference_map(cls, references))
        store_word(address + layout.SHAPE_DEPTH, cls.depth)

    def fill_tables(self, cls: ClassRef, address: int) -> None:
        """Display and methods: those of the nearest ancestor that has them here, then what is new since."""
        new, parent = [cls], cls.parent
        while parent is not None and parent.symbol not in self.addresses:
            new.append(parent)
            parent = parent.parent
        if parent is not None:
            copy_tables(parent, self.addresses[parent.symbol], address)
        for step in reversed(new):
            store_word(address + layout.display_offset(step.depth), self.loader.identity(step))
            for slot, method in step.own_methods.items():
                store_word(address + layout.method_offset(slot), self.loader.cell(method))

    @staticmethod
    def element_size(cls: ClassRef) -> int:
        if cls.is_text:
            return 1
        return 0 if cls.element is None else layout.SIZES[cls.element]

    def reference_map(self, cls: ClassRef, references: list[int]) -> int:
        """The map's address: a count and the offsets of reference fields."""
        if cls.element is Kind.REF:
            return 1
        if not references:
            return 0
        address = self.allocate(layout.WORD * (len(references) + 1))
        for index, value in enumerate([len(references), *references]):
            store_word(address + layout.WORD * index, value)
        return address

    def free(self) -> None:
        """No object of these classes is left."""
        space = self.loader.space
        for address in self.rooms.values():
            del space.classes[address]
        for address, size in self.blocks:
            space.arena.free_data(address, size)
        self.addresses.clear()
        self.rooms.clear()
        self.identities.clear()
        self.blocks.clear()


def copy_tables(cls: ClassRef, source: int, target: int) -> None:
    """The display and the methods of a class, as the first ones of a descendant's."""
    display, methods = layout.display_offset(cls.depth), layout.method_offset(0)
    store_bytes(target + display, load_bytes(source + display, -display))
    store_bytes(target + methods, load_bytes(source + methods, layout.WORD * cls.method_count))
