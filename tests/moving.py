"""A compiled engine that moves every object at every allocation: what GC points say is put to the test.

The allocation buffer is always full, so each allocation of compiled code calls up.  Then everything that
can be reached from the slots that GC points name, from globals and from the pending exception is copied to
fresh memory, references are redirected, and the old memory is filled with rubbish.  A slot that a GC
point forgets, names too late or names without reason ends in rubbish within an allocation or two.
"""

from __future__ import annotations

import ctypes

from doralang.bytecode.entities import ClassRef
from doralang.code import layout
from doralang.engines.native import Machine
from doralang.machine.macro import MacroAssembler
from doralang.runtime import stubs
from doralang.runtime.memory import Region, load_bytes, load_word, store_bytes, store_word
from doralang.settings import Settings
from doralang.types.kinds import Kind

SPACE = 1 << 28
RUBBISH = 0xD7


def no_room(masm: MacroAssembler) -> None:
    """In place of a collector's function that allocates: it finds no room, so Python is asked."""
    masm.load_constant(Kind.LONG, masm.result, 0)
    masm.return_()


class MovingMachine(Machine):
    """Collects at every allocation; `moves` counts the objects that were moved."""

    moves = 0

    def __init__(self, *arguments: object, **options: object) -> None:
        options["settings"] = Settings(gc="zero")
        super().__init__(*arguments, alone=True, **options)  # type: ignore[arg-type]
        self.spaces = [Region(SPACE), Region(SPACE)]
        assert self.instance.handles, "the heap is there, too, so nothing opens the buffer again"
        self.close_buffer()

    def use_collector(self) -> None:
        """Python is the collector; `forceCollect` does nothing."""
        space = self.module.space
        code = space.place(stubs.assemble(space.target.assembler, no_room))
        self.instance.thread[layout.THREAD_ALLOCATE] = space.arena.new_cell(code)

    def close_buffer(self) -> None:
        """Let the next allocation of compiled code find the buffer full."""
        thread = self.instance.thread
        thread[layout.THREAD_TOP] = thread[layout.THREAD_END] = 0

    def new_memory(self, size: int) -> int:
        address = self.spaces[0].allocate(size)
        ctypes.memset(address, 0, size)
        return address

    def allocate_slowly(self, size: int) -> int:
        self.collect()
        self.close_buffer()
        return self.new_memory(size)

    def close(self) -> None:
        super().close()
        for space in self.spaces:
            space.free()

    # A Cheney copy, in Python.

    def collect(self) -> None:
        old, new = self.spaces
        new.top = new.start
        moved: dict[int, int] = {}
        scan = new.start
        for root in self.roots():
            self.redirect(root, moved)
        while scan < new.top:
            for place in self.references(scan):
                self.redirect(place, moved)
            scan += self.size(scan)
        ctypes.memset(old.start, RUBBISH, old.top - old.start)
        self.spaces = [new, old]
        MovingMachine.moves += len(moved)

    def roots(self) -> list[int]:
        """Addresses of all references outside of the heap."""
        instance = self.instance
        roots = [instance.thread.address + layout.THREAD_EXCEPTION]
        assert self.module.made_specializer is not None, "the program runs"
        for variable in self.module.made_specializer.globals.values():
            if variable.kind is Kind.REF:
                roots.append(ctypes.addressof(instance.globals) + layout.WORD * variable.index)
        roots += instance.handles.places()
        for frame, address in instance.frames():
            place = instance.space.places.get(address)
            if place is not None:
                roots += [frame + slot for slot in place.slots]
        return roots

    def redirect(self, place: int, moved: dict[int, int]) -> None:
        """Make the reference at `place` that of the copy."""
        address = load_word(place)
        old, new = self.spaces
        if not old.start <= address < old.top:
            assert address == 0 or self.is_literal(address), f"{address:x} is no reference"
            return
        if address not in moved:
            size = self.size(address)
            copy = new.allocate(size)
            store_bytes(copy, load_bytes(address, size))
            moved[address] = copy
        store_word(place, moved[address])

    def is_literal(self, address: int) -> bool:
        data = self.instance.space.arena.data
        return data.start <= address < data.limit

    def class_of(self, address: int) -> ClassRef:
        return self.instance.space.classes[load_word(address + layout.HEADER)]

    def size(self, address: int) -> int:
        shape = load_word(address)
        size = load_word(shape + layout.SHAPE_SIZE)
        element = load_word(shape + layout.SHAPE_ELEMENT)
        if element:
            size += element * load_word(address + layout.ARRAY_LENGTH)
        return layout.align(size)

    def references(self, address: int) -> list[int]:
        """Addresses of the references in an object."""
        shape = load_word(address)
        map_address = load_word(shape + layout.SHAPE_REFERENCES)
        if map_address == 1:
            length = load_word(address + layout.ARRAY_LENGTH)
            return [address + layout.ARRAY_ELEMENTS + layout.WORD * index for index in range(length)]
        if map_address == 0:
            return []
        count = load_word(map_address)
        return [address + load_word(map_address + layout.WORD * (index + 1)) for index in range(count)]
