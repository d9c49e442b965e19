"""The layout of everything that compiled code sees in memory, each offset once.  All are in bytes.

    object      header | fields, widest first
    array       header | length | elements
    text        header | length | bytes of UTF-8
    header      the address of the shape; the low three bits are the collector's

    shape       ... display[1] display[0] | size, element size, references, depth, class | method 0, 1, ...
                                          ^ the address of the shape

The display has the shape of the ancestor at each depth, so that "does it extend C" is one comparison
(Click and Rose, Fast Subtype Checking in the HotSpot JVM, 2002).  It has at least `DISPLAY_MINIMUM` entries,
and only for a C that is deeper must the depth be looked at first.  A method is the address of its entry cell.
"""

from __future__ import annotations

from typing import Final

from dora.bytecode.entities import ClassRef, FieldRef
from dora.types.types import Kind

WORD: Final = 8

SIZES: Final[dict[Kind, int]] = {
    Kind.BOOL: 1,
    Kind.BYTE: 1,
    Kind.CHAR: 4,
    Kind.INT: 4,
    Kind.FLOAT: 4,
    Kind.LONG: 8,
    Kind.DOUBLE: 8,
    Kind.REF: 8,
}
"""of a value in an object or array"""

# Objects.

HEADER: Final = 0
FIELDS: Final = 8
ARRAY_LENGTH: Final = 8
ARRAY_ELEMENTS: Final = 16

# Shapes.

SHAPE_SIZE: Final = 0
"""bytes of an instance; of arrays and texts those before the elements"""
SHAPE_ELEMENT: Final = 8
"""bytes of an element, 0 for what has none"""
SHAPE_REFERENCES: Final = 16
"""address of the reference map: a count, then offsets of fields; 1 for an array of references; 0 for none"""
SHAPE_DEPTH: Final = 24
SHAPE_CLASS: Final = 32
"""number of the class"""
SHAPE_METHODS: Final = 40
DISPLAY_MINIMUM: Final = 8


def display_offset(depth: int) -> int:
    """Where a shape has its ancestor of that depth."""
    return -WORD * (depth + 1)


def method_offset(slot: int) -> int:
    return SHAPE_METHODS + WORD * slot


# The thread block.

THREAD_LIMIT: Final = 0
"""the lowest address a frame may have; the highest there is, if somebody wants attention"""
THREAD_TOP: Final = 8
"""next free byte of the allocation buffer"""
THREAD_END: Final = 16
THREAD_EXCEPTION: Final = 24
"""the pending exception, 0 if there is none"""
THREAD_REAL_LIMIT: Final = 32
THREAD_LAST_FRAME: Final = 40
"""frame pointer of the stub through which Dora code was left"""
THREAD_HOST_STACK: Final = 48
THREAD_HOST_FRAME: Final = 56
THREAD_STACK_TOP: Final = 64
THREAD_LITERALS: Final = 72
THREAD_GLOBALS: Final = 80
THREAD_UPCALL: Final = 88
"""the Python object that is called by upcalls"""
THREAD_REASON: Final = 96
THREAD_ARGUMENT: Final = 104
THREAD_RESULT: Final = 112
THREAD_FLOAT_RESULT: Final = 120
THREAD_ARGUMENTS: Final = 128
"""integer arguments of an internal function that Python supplies: five words"""
THREAD_GIL: Final = 168
"""what PyEval_SaveThread returned, if the GIL is released"""
THREAD_TICKS: Final = 176
THREAD_OUTPUT: Final = 184
"""the buffer of printed text, its bytes in use, its size, and how full it may be after a print"""
THREAD_OUTPUT_FILL: Final = 192
THREAD_OUTPUT_SIZE: Final = 200
THREAD_OUTPUT_MOST: Final = 208
THREAD_ARGC: Final = 216
"""number of program arguments, and where the references to their texts stand"""
THREAD_ARGV: Final = 224
THREAD_SCRATCH: Final = 232
"""two words for results that C functions store"""
THREAD_HEAP: Final = 248
"""the numbers that the collector works with"""
THREAD_SIZE: Final = 256

# The numbers that collectors work with.

HEAP_FROM: Final = 0
"""the part of the heap that is in use"""
HEAP_FROM_END: Final = 8
HEAP_TO: Final = 16
"""the part that a collection copies into"""
HEAP_TO_END: Final = 24
HEAP_LEAST: Final = 32
"""bytes between two collections, at least"""
HEAP_STRESS: Final = 40
"""1 to collect at every allocation"""
HEAP_POINTS: Final = 48
"""the table of GC points, and its number of entries less 1"""
HEAP_POINTS_MASK: Final = 56
HEAP_GLOBALS: Final = 64
"""the addresses of the globals that hold references"""
HEAP_GLOBAL_COUNT: Final = 72
HEAP_HANDLES: Final = 80
"""the handles, from here to the top"""
HEAP_HANDLES_TOP: Final = 88
HEAP_USED: Final = 96
"""during a collection: the end of the originals, and the next free byte behind the copies"""
HEAP_NEXT: Final = 104
HEAP_WATCHED: Final = 112
"""1 if the host looks at the heap around every collection"""
HEAP_COLLECTIONS: Final = 120
"""what has happened so far: number of collections, bytes allocated before the last one, bytes that
survived it, most bytes in use, nanoseconds of the last, of all and of the longest"""
HEAP_ALLOCATED: Final = 128
HEAP_LIVE: Final = 136
HEAP_LARGEST: Final = 144
HEAP_PAUSE: Final = 152
HEAP_PAUSES: Final = 160
HEAP_LONGEST: Final = 168
HEAP_SIZE: Final = 176


def align(size: int, boundary: int = WORD) -> int:
    """`size`, rounded up to a multiple of `boundary`, a power of two."""
    return (size + boundary - 1) & -boundary


def field_offsets(cls: ClassRef) -> dict[FieldRef, int]:
    """Where the fields of an object are.

    Those of the parent stand where the parent has them; the class's own follow, widest first.
    """
    offsets, _ = layout_fields(cls)
    return offsets


def instance_size(cls: ClassRef) -> int:
    """Bytes of an object, header included."""
    return align(layout_fields(cls)[1])


def layout_fields(cls: ClassRef) -> tuple[dict[FieldRef, int], int]:
    offsets: dict[FieldRef, int] = {}
    end = FIELDS
    for step in cls.display:
        inherited = len(step.parent.fields) if step.parent else 0
        for field in sorted(cls.fields[inherited : len(step.fields)], key=lambda one: -SIZES[one.kind]):
            size = SIZES[field.kind]
            end = align(end, size)
            offsets[field] = end
            end += size
    return offsets, end
