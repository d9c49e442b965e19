"""Shapes in native memory: what an object's header points to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
from doralang.code import layout
from doralang.runtime.memory import Region, store_word
from doralang.types.kinds import Kind


class Shapes:
    """The shapes of a program's concrete classes.  They never move and are never freed before it.

    `cell_of` gives the entry cell of a method.
    """

    def __init__(self, region: Region, cell_of: Callable[[FunctionRef], int]) -> None:
        self.region = region
        self.cell_of = cell_of
        self.addresses: dict[ClassRef, int] = {}
        self.classes: dict[int, ClassRef] = {}
        self.offsets: dict[FieldRef, int] = {}
        self.sizes: dict[ClassRef, int] = {}

    def lay_out(self, cls: ClassRef) -> None:
        """Fix size and field offsets of a class."""
        if cls not in self.sizes:
            offsets, end = layout.layout_fields(cls)
            self.offsets.update(offsets)
            is_array = cls.element is not None or cls.is_text
            self.sizes[cls] = layout.ARRAY_ELEMENTS if is_array else layout.align(end)

    def offset(self, field: FieldRef) -> int:
        """Where a field is in its object."""
        self.lay_out(field.owner)
        return self.offsets[field]

    def size(self, cls: ClassRef) -> int:
        self.lay_out(cls)
        return self.sizes[cls]

    def address(self, cls: ClassRef) -> int:
        """The shape of a class, complete."""
        address = self.place(cls)
        if address not in self.classes:
            self.classes[address] = cls
            self.fill(cls, address)
        return address

    def place(self, cls: ClassRef) -> int:
        """Where the shape of a class is or will be.

        An ancestor of which there are no objects needs a place in displays and nothing more, so that
        deep hierarchies do not fill the memory with displays of their own.
        """
        address = self.addresses.get(cls)
        if address is None:
            display = max(layout.DISPLAY_MINIMUM, len(cls.display)) * layout.WORD
            block = self.region.allocate(display + layout.method_offset(len(cls.methods)))
            address = self.addresses[cls] = block + display
        return address

    def fill(self, cls: ClassRef, address: int) -> None:
        for depth, step in enumerate(cls.display):
            store_word(address + layout.display_offset(depth), self.place(step))
        store_word(address + layout.SHAPE_SIZE, self.size(cls))
        store_word(address + layout.SHAPE_ELEMENT, self.element_size(cls))
        store_word(address + layout.SHAPE_REFERENCES, self.reference_map(cls))
        store_word(address + layout.SHAPE_DEPTH, cls.depth)
        store_word(address + layout.SHAPE_CLASS, len(self.classes))
        for slot, method in enumerate(cls.methods):
            store_word(address + layout.method_offset(slot), self.cell_of(method))

    @staticmethod
    def element_size(cls: ClassRef) -> int:
        if cls.is_text:
            return 1
        return 0 if cls.element is None else layout.SIZES[cls.element]

    def reference_map(self, cls: ClassRef) -> int:
        """The map's address: a count and the offsets of reference fields."""
        if cls.element is Kind.REF:
            return 1
        references = [self.offsets[field] for field in cls.fields if field.kind is Kind.REF]
        if not references:
            return 0
        address = self.region.allocate(layout.WORD * (len(references) + 1))
        for index, value in enumerate([len(references), *references]):
            store_word(address + layout.WORD * index, value)
        return address

    def replace_classes(self, classes: Mapping[ClassRef, ClassRef]) -> None:
        """Know these classes in place of others that stand for the same."""
        self.addresses = {classes[cls]: address for cls, address in self.addresses.items()}
        self.classes = {address: classes[cls] for address, cls in self.classes.items()}
        self.offsets = {
            classes[field.owner].fields[field.index]: offset for field, offset in self.offsets.items()
        }
        self.sizes = {classes[cls]: size for cls, size in self.sizes.items()}
