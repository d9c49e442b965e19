"""The layout of everything that compiled code sees in memory, each offset once.  All are in bytes.

    object      header | fields, widest first
    array       header | length | elements
    text        header | length | bytes of UTF-8
    header      the address of the shape; the low three bits are the collector's

    shape       ... display[1] display[0] | size, element size, references, depth | method 0, 1, ...
                                          ^ the address of the shape

The display has a word that stands for the ancestor at each depth, by its address, so that "does it extend C"
is one comparison (Click and Rose, Fast Subtype Checking in the HotSpot JVM, 2002).  It has at least
`DISPLAY_MINIMUM` entries, and only for a C that is deeper must the depth be looked at first.  A method is the
address of its entry cell.
"""

from __future__ import annotations

from itertools import groupby

from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.bytecode.entities import ClassRef, FieldRef

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

# Slices, and parts of them: `LentElements` of the library.

SLICE_CLASS: Final = "LentElements<"
"""with which the symbols of these classes begin"""
SLICE_ADDRESS: Final = 8
SLICE_STRIDE: Final = 16
"""bytes from one element to the next"""
SLICE_CALL: Final = 24
"""the number of the call in which the elements are there"""
SLICE_LENGTH: Final = 32
SLICE_SIZE: Final = 40

# Shapes.

SHAPE_SIZE: Final = 0
"""bytes of an instance; of arrays and texts those before the elements"""
SHAPE_ELEMENT: Final = 8
"""bytes of an element, 0 for what has none"""
SHAPE_REFERENCES: Final = 16
"""address of the reference map: a count, then offsets of fields; 1 for an array of references; 0 for none"""
SHAPE_DEPTH: Final = 24
SHAPE_METHODS: Final = 32
DISPLAY_MINIMUM: Final = 8


def display_offset(depth: int) -> int:
    """Where a shape has its ancestor of that depth."""
    return -WORD * (depth + 1)


def method_offset(slot: int) -> int:
    return SHAPE_METHODS + WORD * slot


# Globals.

GLOBAL_HASH_SEED: Final = 0
"""the number of the library's global `hashSeed`"""

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
THREAD_ALLOCATE: Final = 72
"""the entry cell of the collector's function that finds room when the allocation buffer is full"""
THREAD_GLOBALS: Final = 80
THREAD_UPCALL: Final = 88
"""the Python object that is called by upcalls"""
THREAD_REASON: Final = 96
THREAD_ARGUMENT: Final = 104
THREAD_RESULT: Final = 112
THREAD_FLOAT_RESULT: Final = 120
THREAD_ARGUMENTS: Final = 128
"""where the arguments of an internal function that Python supplies stand, a word each"""
THREAD_PATIENCE: Final = 136
"""ticks of the ticker until Python is asked"""
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
"""the numbers that the collector works with; 0 until something is allocated"""
THREAD_CARDS: Final = 256
"""the table of cards, biased: the card of an address is the byte at this plus address >> CARD_SHIFT"""
THREAD_STATE: Final = 264
"""who may enter: one of the states below"""
THREAD_CALLS: Final = 272
"""how many calls into the instance there have been, the present one included"""
THREAD_LANDING: Final = 280
"""where to go, back on the host's stack, when Python has raised an exception"""
THREAD_STACK: Final = 288
"""the top of the stack that was taken for the present call"""
THREAD_STACK_SIZE: Final = 296
"""how many bytes of it the call may use"""
THREAD_FUEL: Final = 304
"""what the present call may still use; counted by code that was compiled to count it"""
THREAD_SIZE: Final = 320

STATE_IDLE: Final = 0
STATE_RUNNING: Final = 1
STATE_UNUSABLE: Final = 2
"""the instance was closed, or its heap was left in the middle of a collection"""
STATE_FRESH: Final = 3
"""the first call has to go by way of Python, which has something to do before"""
NO_STACK: Final = 4
"""what the stub `claim` returns if no stack is left; else it returns the state that it found"""

# The block of arguments that `enter` gets: a word for each argument register, then the doubles.

FLOAT_ARGUMENTS: Final = 8
FLOATS_AT: Final = 64
ARGUMENT_WORDS: Final = FLOATS_AT // WORD + FLOAT_ARGUMENTS

# The numbers that collectors work with.

HEAP_FROM: Final = 0
"""where the objects are that a copying collection moves: the half in use, or eden and one survivor space"""
HEAP_FROM_END: Final = 8
HEAP_TO: Final = 16
"""what it copies into"""
HEAP_TO_END: Final = 24
HEAP_LEAST: Final = 32
"""bytes between two collections, at least"""
HEAP_STRESS: Final = 40
"""0, or what every allocation begins with: `STRESS_MINOR`, `STRESS_FULL`"""
HEAP_POINTS: Final = 48
"""the table of GC points, for each `POINT_GRANULE` bytes of code a word of four bytes (`runtime.points`)"""
HEAP_DATA: Final = 56
"""the data beside the code: shapes, literals, and the records of GC points, in words from here on"""
HEAP_GLOBALS: Final = 64
"""the addresses of the globals that hold references"""
HEAP_GLOBAL_COUNT: Final = 72
HEAP_HANDLES: Final = 80
"""the handles, from here to the top"""
HEAP_HANDLES_TOP: Final = 88
HEAP_USED: Final = 96
"""during a collection: the end of the originals, and the next free byte behind the copies"""
HEAP_NEXT: Final = 104
HEAP_EVENTS: Final = 112
"""1 if the host wants to hear of every collection"""
HEAP_VERIFY: Final = 120
"""1 to look through the whole heap before and after every collection"""
HEAP_ROOTS: Final = 128
"""the list of roots: addresses of references outside of the heap"""
HEAP_ROOTS_TOP: Final = 136
HEAP_LIMIT: Final = 144
"""bytes that objects may have together"""
HEAP_BUSY: Final = 152
"""1 while a collection is under way and the heap is not to be used"""
HEAP_WORK: Final = 160
"""bytes of work until a collection looks whether somebody wants attention"""

# Statistics.

HEAP_MINORS: Final = 168
"""collections of the young generation, of everything at once, cycles of incremental marking, their steps"""
HEAP_FULLS: Final = 176
HEAP_CYCLES: Final = 184
HEAP_STEPS: Final = 192
HEAP_ALLOCATED: Final = 200
"""bytes: allocated before the last collection, promoted, freed; most in use; found alive by the last one"""
HEAP_PROMOTED: Final = 208
HEAP_FREED: Final = 216
HEAP_LARGEST: Final = 224
HEAP_LIVE: Final = 232
HEAP_STARTED: Final = 240
"""when the present pause began; nanoseconds of the thread's CPU time"""
HEAP_PAUSE: Final = 248
"""nanoseconds of the last pause, and its kind"""
HEAP_PAUSE_KIND: Final = 256
HEAP_LOG: Final = 264
"""all pauses, 16 times their nanoseconds plus their kind: where the list is, its end, the end of its room"""
HEAP_LOG_TOP: Final = 272
HEAP_LOG_END: Final = 280

# The block space, where objects do not move.

HEAP_OLD: Final = 288
"""where the blocks begin, the end of those that were ever in use, the end of the room for them"""
HEAP_OLD_TOP: Final = 296
HEAP_OLD_END: Final = 304
HEAP_OLD_BYTES: Final = 312
"""bytes of the objects in blocks, dead ones included until marking has found them"""
HEAP_BLOCKS: Final = 320
"""the records of blocks"""
HEAP_FREE_BLOCKS: Final = 328
"""free blocks below the top, and a record below which there are none"""
HEAP_FIRST_FREE: Final = 336
HEAP_EPOCH: Final = 344
"""number of the marking whose result sweeping uses"""
HEAP_SWEEP: Final = 352
"""the record that is to be swept next, and the end of those to be swept"""
HEAP_SWEEP_END: Final = 360
HEAP_MARKS: Final = 368
"""the mark bits, biased: the word of an address is at this plus 8 * (address >> MARK_SHIFT)"""
HEAP_MARKED: Final = 376
"""bytes of the objects that this marking has found"""
HEAP_STACK: Final = 384
"""the mark stack, and its top"""
HEAP_STACK_TOP: Final = 392
HEAP_STATE: Final = 400
"""`IDLE`, `MARKING` or `SWEEPING`"""

# The young generation.

HEAP_YOUNG: Final = 408
"""survivors, eden, survivors: one after the other"""
HEAP_EDEN: Final = 416
HEAP_EDEN_END: Final = 424
HEAP_YOUNG_END: Final = 432
HEAP_EDEN_LIMIT: Final = 440
"""how far eden may be filled, which the limit of the heap may make less"""
HEAP_SURVIVORS: Final = 448
"""where the survivors of the last collection are"""
HEAP_SURVIVORS_TOP: Final = 456
HEAP_PROMOTING: Final = 464
"""1 if this collection empties the young generation"""
HEAP_GREY: Final = 472
"""promoted objects whose references are still to be looked at, and the top of the list"""
HEAP_GREY_TOP: Final = 480
HEAP_CARDS: Final = 488
"""the same as THREAD_CARDS"""
HEAP_TRIGGER: Final = 496
"""so many bytes in blocks begin a marking"""

# Verifying.

HEAP_HEADERS: Final = 504
"""a bit for each word where an object begins, biased as the mark bits are"""
HEAP_DATA_END: Final = 512
HEAP_CODE: Final = 520
"""where code begins, and how many bytes of it there can be"""
HEAP_CODE_SIZE: Final = 528
HEAP_GREYS: Final = 560
"""a bit for each object on the mark stack, biased as the mark bits are"""
HEAP_PREPARED: Final = 568
"""1 once the collector's functions are compiled"""

HEAP_START: Final = 576
"""all memory of objects"""
HEAP_END: Final = 584
HEAP_EDEN_SIZE: Final = 592
"""how much of eden is used at present"""

HEAP_GIVE_BACK: Final = 600
"""the record below which free blocks may be given back to the system, and how many have been since marking"""
HEAP_GIVEN_BACK: Final = 608

HEAP_FIRST_TIME: Final = 616
"""during a minor collection: objects in eden below this may go to the survivors"""
HEAP_UNWANTED: Final = 624
"""1 if what is to be raised waits for the collection, which is broken off where it can be"""
HEAP_FREE: Final = 768
"""a list of free cells for each size of cell"""
HEAP_CELLS: Final = 1408
"""the sizes"""
CELLS_BEHIND_FREE: Final = HEAP_CELLS - HEAP_FREE
HEAP_CLASS_OF: Final = 2048
"""which list serves objects of so many words, one byte each"""
HEAP_SIZE: Final = 8192

# What they mean.

STRESS_MINOR: Final = 1
STRESS_FULL: Final = 2

IDLE: Final = 0
MARKING: Final = 1
SWEEPING: Final = 2

PAUSE_MINOR: Final = 0
PAUSE_FULL: Final = 1
PAUSE_MARK: Final = 2
PAUSE_SWEEP: Final = 3
PAUSE_KINDS: Final = ("minor", "full", "mark", "sweep")

POINT_GRANULE: Final = 2
"""bytes of code: return addresses are at least that far apart"""

CARD_SHIFT: Final = 9
CARD_SIZE: Final = 1 << CARD_SHIFT
CARD_DIRTY: Final = 1
"""what the write barrier stores"""

MARK_SHIFT: Final = 9
"""a word of mark bits is for 512 bytes"""

BLOCK_SHIFT: Final = 15
BLOCK_SIZE: Final = 1 << BLOCK_SHIFT
LARGEST_CELL: Final = BLOCK_SIZE // 2
"""larger objects have blocks for themselves"""
CACHE_LINE: Final = 64
"""bytes that a processor's cache keeps together"""
BLOCK_CELL: Final = 0
"""bytes of a cell; 0 if the block is free"""
BLOCK_START: Final = 8
"""address of the first cell"""
BLOCK_EPOCH: Final = 16
"""the marking after which the block was swept last"""
BLOCK_USED: Final = 24
"""1 if the memory may be other than zero"""
RECORD_SHIFT: Final = 5
RECORD_SIZE: Final = 1 << RECORD_SHIFT

WORK_PORTION: Final = 1 << 16
"""bytes of work between two looks for attention"""
CHUNK: Final = 1 << 15
"""bytes by which the allocation buffer grows in eden"""

STEP_MOST: Final = 1 << 21
"""bytes of objects that a step of marking looks at, at most"""
REMARK_MOST: Final = 1 << 19
"""bytes of objects that the end of marking may still find"""

POISON: Final = 0x5A5A_5A5A_5A5A_5A5A
"""what verifying collectors leave in freed memory; neither a shape nor an object"""


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
    for _, own in groupby(cls.fields, key=lambda one: one.owner):
        for field in sorted(own, key=lambda one: -SIZES[one.kind]):
            size = SIZES[field.kind]
            end = align(end, size)
            offsets[field] = end
            end += size
    return offsets, end


class Reason:
    """Why Dora code calls up: what is wanted of Python, a number that the stubs leave in the thread block."""

    COMPILE: Final = 0
    ATTENTION: Final = 1
    ALLOCATE: Final = 2
    INTERNAL: Final = 3
    FIND: Final = 4
    OUTPUT: Final = 5
    TRAP: Final = 16
    """plus the index of the trap"""
