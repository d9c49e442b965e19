"""What compilers must know besides the function: the choices that change code, and who supplies what.

Nothing here depends on an instance or on addresses: the same function gives the same code.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
from doralang.code import layout
from doralang.code.collectors import Collector
from doralang.code.symbols import Symbol, shape_of

Supplied = Callable[[FunctionRef], FunctionRef | None]
"""the function of the library's heap files that stands for an internal one, if there is one"""


class Environment:
    """What functions are compiled for; the layouts of classes are remembered."""

    __slots__ = (
        "bounds_checks",
        "counts_fuel",
        "hides_numbers",
        "internal",
        "marks_cards",
        "masks_indexes",
        "offsets",
        "sizes",
        "text_shape",
    )

    def __init__(
        self,
        text_class: ClassRef,
        collector: Collector,
        supplied: Supplied,
        *,
        bounds_checks: bool = True,
        counts_fuel: bool = False,
        masks_indexes: bool = False,
        hides_numbers: bool = False,
    ) -> None:
        self.text_shape: Symbol = shape_of(text_class)
        self.internal = supplied
        self.bounds_checks = bounds_checks
        self.counts_fuel = counts_fuel
        """whether each call of a function and each round of a loop uses a unit of fuel"""
        self.masks_indexes = masks_indexes
        """whether an index is 0 where the processor goes on beyond a check that fails"""
        self.hides_numbers = hides_numbers
        """whether numbers of more than 16 bits stand beside the code and not in it"""
        self.marks_cards = collector.marks_cards
        """whether stores of references must mark cards"""
        self.offsets: dict[FieldRef, int] = {}
        self.sizes: dict[ClassRef, int] = {}

    def field_offset(self, field: FieldRef) -> int:
        """Where a field is in its object."""
        offset = self.offsets.get(field)
        if offset is None:
            self.offsets.update(layout.field_offsets(field.owner))
            offset = self.offsets[field]
        return offset

    def instance_size(self, cls: ClassRef) -> int:
        """Bytes of an object."""
        size = self.sizes.get(cls)
        if size is None:
            size = self.sizes[cls] = layout.instance_size(cls)
        return size
