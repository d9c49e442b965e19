"""Looking at the heap around collections: `--gc-events`, `--gc-verify`, `--gc-stats`."""

from __future__ import annotations

from collections.abc import Iterator

from dora.runtime import layout
from dora.runtime.instance import Instance
from dora.runtime.memory import load_word

MILLISECOND = 1_000_000


class HeapError(Exception):
    """The heap is not as it should be: a bug in the compiler or a collector."""


def event(instance: Instance) -> str:
    """The line about the collection that has just been made."""
    pause = instance.heap.block[layout.HEAP_PAUSE] / MILLISECOND
    return f"GC full: collect garbage ({pause:.3f} ms)\n"


def statistics(instance: Instance) -> str:
    """The summary at the end of a program."""
    block = instance.heap.block
    in_use = instance.thread[layout.THREAD_TOP] - block[layout.HEAP_FROM]
    allocated = block[layout.HEAP_ALLOCATED] + in_use - block[layout.HEAP_LIVE]
    return (
        f"GC stats: collector {instance.heap.collector.name}\n"
        f"  collections:     {block[layout.HEAP_COLLECTIONS]}\n"
        f"  total pause:     {block[layout.HEAP_PAUSES] / MILLISECOND:.3f} ms\n"
        f"  longest pause:   {block[layout.HEAP_LONGEST] / MILLISECOND:.3f} ms\n"
        f"  bytes allocated: {allocated}\n"
        f"  largest heap:    {max(block[layout.HEAP_LARGEST], in_use)}\n"
    )


# Verifying.


def verify_heap(instance: Instance, global_places: list[int]) -> None:
    """Every reference refers to the header of an object in the part of the heap that is in use.

    Raises HeapError.  Objects lie one behind the other, so a walk finds all headers.
    """
    start, top = instance.heap.block[layout.HEAP_FROM], instance.thread[layout.THREAD_TOP]
    objects: set[int] = set()
    address = start
    while address < top:
        shape = load_word(address)
        if shape not in instance.shapes.classes:
            raise HeapError(f"the object at {address:x} has the header {shape:x}, which is no shape")
        objects.add(address)
        address += object_size(address, shape)
    if address != top:
        raise HeapError(f"the last object ends at {address:x}, behind the heap's end {top:x}")
    for place in [*roots(instance, global_places), *references(objects)]:
        target = load_word(place)
        if target and target not in objects and not is_fixed(instance, target):
            raise HeapError(f"the reference at {place:x} is {target:x}, where no object begins")


def roots(instance: Instance, global_places: list[int]) -> Iterator[int]:
    """Addresses of the references outside of the heap."""
    yield instance.thread.address + layout.THREAD_EXCEPTION
    yield from global_places
    yield from instance.handles.places()
    for frame, address in instance.frames():
        place = instance.places.get(address)
        if place is not None:
            yield from (frame + slot for slot in place.slots)


def references(objects: set[int]) -> Iterator[int]:
    """Addresses of the references in objects."""
    for address in objects:
        shape = load_word(address)
        fields = load_word(shape + layout.SHAPE_REFERENCES)
        if fields == 1:
            end = layout.WORD * load_word(address + layout.ARRAY_LENGTH)
            yield from range(
                address + layout.ARRAY_ELEMENTS, address + layout.ARRAY_ELEMENTS + end, layout.WORD
            )
        elif fields:
            count = load_word(fields)
            yield from (address + load_word(fields + layout.WORD * index) for index in range(1, count + 1))


def object_size(address: int, shape: int) -> int:
    size = load_word(shape + layout.SHAPE_SIZE)
    element = load_word(shape + layout.SHAPE_ELEMENT)
    if element:
        size += element * load_word(address + layout.ARRAY_LENGTH)
    return layout.align(size)


def is_fixed(instance: Instance, address: int) -> bool:
    """Whether it is a text outside of the heap, such as a literal."""
    return instance.texts.start <= address < instance.texts.top
