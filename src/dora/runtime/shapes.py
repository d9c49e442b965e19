"""Shapes in native memory: what an object's header points to."""

from __future__ import annotations

from collections.abc import Callable

from dora.bytecode.entities import ClassRef, FieldRef, FunctionRef
from dora.runtime import layout
from dora.runtime.memory import Region, store_word
from dora.types.types import Kind


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
        """The shape of a class; made at the first look, after those of its parents."""
        address = self.addresses.get(cls)
        if address is None:
            for step in cls.display:
                if step not in self.addresses:
                    self.addresses[step] = self.make(step)
            address = self.addresses[cls]
        return address

    def make(self, cls: ClassRef) -> int:
        display = max(layout.DISPLAY_MINIMUM, len(cls.display)) * layout.WORD
        block = self.region.allocate(display + layout.method_offset(len(cls.methods)))
        address = block + display
        self.addresses[cls] = address
        self.classes[address] = cls
        for depth, step in enumerate(cls.display):
            store_word(address + layout.display_offset(depth), self.addresses[step])
        store_word(address + layout.SHAPE_SIZE, self.size(cls))
        store_word(address + layout.SHAPE_ELEMENT, self.element_size(cls))
        store_word(address + layout.SHAPE_REFERENCES, self.reference_map(cls))
        store_word(address + layout.SHAPE_DEPTH, cls.depth)
        store_word(address + layout.SHAPE_CLASS, len(self.addresses))
        for slot, method in enumerate(cls.methods):
            store_word(address + layout.method_offset(slot), self.cell_of(method))
        return address

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
