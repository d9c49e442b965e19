"""How the memory of objects is divided for each kind of collector, and the tables that belong to it.

    ONE          | all of it
    HALVES       | half | half
    BLOCKS       | blocks
    GENERATIONS  | survivors | eden | survivors | blocks

Memory is reserved, and taken from the system when it is touched.  Blocks reserve more than `--heap-size`,
because cells are a little larger than objects; how many bytes objects have together is counted exactly.

Where all that a heap takes is limited (`within`) it is two halves, whose tables are of a known size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doralang.code import layout
from doralang.code.collectors import Spaces
from doralang.machine.memory import PAGE, is_room_for, pages
from doralang.runtime.memory import Region, Words, store_bytes
from doralang.runtime.stacks import stack_size
from doralang.settings import ImpossibleSetting

LEAST: Final = 32 << 20
"""bytes that are allocated at least between two full collections"""
STACKS_BESIDE: Final = 4
"""stacks that would take as much as what an instance reserves beside its heap: one, and the list of roots"""
SPARE_ROOM: Final = 64 << 20
"""for Python itself, which goes on growing"""
LEAST_HEAP: Final = 1 << 20
YOUNG_SIZE: Final = 8 << 20
"""bytes of eden, unless asked for otherwise"""
SPARE_BLOCKS: Final = 512
"""blocks beyond twice the size of the heap: each size of cell may have one that is almost empty"""
HANDLES_SIZE: Final = 1 << 20
"""bytes for handles"""
HANDLES_SHARE: Final = 64
"""so small a part of a limit is for handles"""
LOG_SIZE: Final = 8 << 20
"""bytes for the lengths of pauses"""
LIMITED_LEAST: Final = 2 << 20
"""bytes that are allocated at least between two collections, where memory is limited"""
EXACT_CLASSES: Final = 16
"""sizes of cells go up word by word to this many words, then in eight steps to the double"""


class Sizes:
    """What the heap is asked to be, in bytes."""

    __slots__ = ("handles", "heap", "least", "log", "young")

    def __init__(
        self,
        heap: int,
        young: int = YOUNG_SIZE,
        least: int = LEAST,
        handles: int = HANDLES_SIZE,
        log: int = LOG_SIZE,
    ) -> None:
        self.heap = heap
        self.young = young
        self.least = least
        self.handles = handles
        self.log = log


def fitting(spaces: str, heap: int | None, default: int, young: int | None = None) -> Sizes:
    """The sizes that were asked for, as far as the system has room for them.

    The heap is as large as its user has said, else the default or a part of it: half, a quarter and so on.
    Raises ImpossibleSetting and MemoryError.
    """
    sizes = Sizes(default if heap is None else heap, young or YOUNG_SIZE)
    beside = STACKS_BESIDE * stack_size() + SPARE_ROOM
    if is_room_for(needed(spaces, sizes) + beside):
        return sizes
    if heap is not None:
        raise ImpossibleSetting(f"--heap-size: this process is not given {heap} bytes and what they need")
    while not is_room_for(2 * needed(spaces, sizes) + beside):
        sizes.heap //= 2
        if sizes.heap < LEAST_HEAP:
            raise MemoryError("the system gives this process no memory")
    return sizes


def within(memory: int, beside: int) -> Sizes:
    """The sizes of a heap of two halves that takes so many bytes with all its tables, but for `beside`.

    The list of roots counts as one page here: it is as long as stacks are deep.  A limit beyond what the
    system gives is as good as none.
    """
    handles = max(min(HANDLES_SIZE, memory // HANDLES_SHARE), PAGE)
    tables = pages(layout.HEAP_SIZE) + pages(handles) + 2 * PAGE
    cards = (1 << layout.CARD_SHIFT) + 1
    sizes = Sizes(
        max(memory - beside - tables, 0) // cards << layout.CARD_SHIFT, 0, LIMITED_LEAST, handles, 0
    )
    room = STACKS_BESIDE * stack_size() + SPARE_ROOM
    while sizes.heap and not is_room_for(needed(Spaces.HALVES, sizes) + room):
        sizes.heap //= 2
    return sizes


def needed(spaces: str, sizes: Sizes) -> int:
    """At most so many bytes are reserved for a heap with its tables."""
    if spaces in (Spaces.ONE, Spaces.HALVES):
        return sizes.heap + sizes.heap // 16
    young = min(sizes.young, sizes.heap // 4) if spaces == Spaces.GENERATIONS else 0
    return sizes.heap * 13 // 4 + young * 6 + 2 * SPARE_BLOCKS * layout.BLOCK_SIZE


Reserve = Callable[[int], Region]
"""makes a region that is freed with the heap"""


def cell_sizes() -> list[int]:
    """The sizes of cells, in bytes."""
    words = list(range(1, EXACT_CLASSES + 1))
    while words[-1] * layout.WORD < layout.LARGEST_CELL:
        words.append(words[-1] + (1 << words[-1].bit_length() - 4))
    return [layout.WORD * count for count in words]


def divide(spaces: str, sizes: Sizes, block: Words, thread: Words, reserve: Reserve) -> None:
    """Reserve the memory of objects and enter it into the heap block and the thread block."""
    divider = {
        Spaces.ONE: one,
        Spaces.HALVES: halves,
        Spaces.BLOCKS: blocks,
        Spaces.GENERATIONS: generations,
    }[spaces]
    block[layout.HEAP_LIMIT] = sizes.heap
    block[layout.HEAP_LEAST] = sizes.least
    divider(sizes, block, thread, reserve)


def reserve_all(size: int, block: Words, reserve: Reserve) -> int:
    """The memory of objects, with a bit for each word of it for the verifier."""
    region = reserve(max(size, layout.WORD))
    block[layout.HEAP_START], block[layout.HEAP_END] = region.start, region.end
    for table in (layout.HEAP_HEADERS, layout.HEAP_GREYS):
        block[table] = bits_for(region.start, region.end, reserve)
    return region.start


def bits_for(start: int, end: int, reserve: Reserve) -> int:
    """A bit for each word from `start` to `end`; biased, so that addresses need no subtraction."""
    first = start >> layout.MARK_SHIFT
    words = (end >> layout.MARK_SHIFT) + 2 - first
    return reserve(words * layout.WORD).start - first * layout.WORD


def one(sizes: Sizes, block: Words, thread: Words, reserve: Reserve) -> None:
    size = sizes.heap // layout.WORD * layout.WORD
    start = reserve_all(size, block, reserve)
    block[layout.HEAP_FROM], block[layout.HEAP_FROM_END] = start, start + size
    thread[layout.THREAD_TOP], thread[layout.THREAD_END] = start, start + size


def halves(sizes: Sizes, block: Words, thread: Words, reserve: Reserve) -> None:
    half = sizes.heap // 2 // layout.WORD * layout.WORD
    start = reserve_all(2 * half, block, reserve)
    block[layout.HEAP_FROM], block[layout.HEAP_FROM_END] = start, start + half
    block[layout.HEAP_TO], block[layout.HEAP_TO_END] = start + half, start + 2 * half
    lay_out_cards(start, start + 2 * half, block, thread, reserve)
    thread[layout.THREAD_TOP] = start
    thread[layout.THREAD_END] = start if block[layout.HEAP_STRESS] else start + min(half, sizes.least)


def blocks(sizes: Sizes, block: Words, thread: Words, reserve: Reserve) -> None:
    size = blocks_size(sizes)
    start = reserve_all(size + layout.BLOCK_SIZE, block, reserve)
    lay_out_blocks(layout.align(start, layout.BLOCK_SIZE), size, block, reserve)
    if not block[layout.HEAP_STRESS]:
        block[layout.HEAP_TRIGGER] = min(sizes.least, sizes.heap)


def generations(sizes: Sizes, block: Words, thread: Words, reserve: Reserve) -> None:
    eden = max(min(sizes.young, sizes.heap // 4) & -layout.BLOCK_SIZE, layout.BLOCK_SIZE)
    survivors = layout.align(eden // 4, layout.BLOCK_SIZE)
    size = blocks_size(sizes) + 2 * eden
    start = reserve_all(2 * survivors + eden + size + layout.BLOCK_SIZE, block, reserve)
    young = layout.align(start, layout.BLOCK_SIZE)
    block[layout.HEAP_YOUNG] = block[layout.HEAP_SURVIVORS] = block[layout.HEAP_SURVIVORS_TOP] = young
    block[layout.HEAP_EDEN] = young + survivors
    block[layout.HEAP_EDEN_END] = young + survivors + eden
    first = block[layout.HEAP_EDEN_SIZE] = max(eden // 4, layout.LARGEST_CELL)
    limit = block[layout.HEAP_EDEN_LIMIT] = young + survivors + min(first, sizes.heap & -layout.WORD)
    block[layout.HEAP_YOUNG_END] = young + 2 * survivors + eden
    # Fresh memory is zero, so all of it is the first allocation buffer.
    thread[layout.THREAD_TOP] = block[layout.HEAP_EDEN]
    thread[layout.THREAD_END] = block[layout.HEAP_EDEN] if block[layout.HEAP_STRESS] else limit
    block[layout.HEAP_GREY] = block[layout.HEAP_GREY_TOP] = reserve(eden).start
    lay_out_blocks(block[layout.HEAP_YOUNG_END], size, block, reserve)
    lay_out_cards(block[layout.HEAP_YOUNG], block[layout.HEAP_OLD_END], block, thread, reserve)
    if not block[layout.HEAP_STRESS]:
        block[layout.HEAP_TRIGGER] = min(sizes.least, sizes.heap // 2)


def lay_out_cards(start: int, end: int, block: Words, thread: Words, reserve: Reserve) -> None:
    """A byte for each card of the whole memory; biased as mark bits are.

    Halves need none, but the code that runs there may have been made for generations.
    """
    first = start >> layout.CARD_SHIFT
    cards = (end >> layout.CARD_SHIFT) - first
    block[layout.HEAP_CARDS] = thread[layout.THREAD_CARDS] = reserve(cards + layout.WORD).start - first


def blocks_size(sizes: Sizes) -> int:
    return layout.align(2 * sizes.heap, layout.BLOCK_SIZE) + SPARE_BLOCKS * layout.BLOCK_SIZE


def lay_out_blocks(start: int, size: int, block: Words, reserve: Reserve) -> None:
    """The block space from `start` on, its records, mark bits and mark stack, and the sizes of its cells."""
    count = size >> layout.BLOCK_SHIFT
    block[layout.HEAP_OLD] = block[layout.HEAP_OLD_TOP] = start
    block[layout.HEAP_OLD_END] = start + size
    block[layout.HEAP_BLOCKS] = block[layout.HEAP_FIRST_FREE] = reserve(count << layout.RECORD_SHIFT).start
    block[layout.HEAP_MARKS] = bits_for(start, start + size, reserve)
    # An object with references has at least two words.
    block[layout.HEAP_STACK] = block[layout.HEAP_STACK_TOP] = reserve(size // 2).start
    classes = bytearray()
    for number, cell in enumerate(cell_sizes()):
        block[layout.HEAP_CELLS + layout.WORD * number] = cell
        classes += bytes([number]) * (cell // layout.WORD + 1 - len(classes))
    store_bytes(block.address + layout.HEAP_CLASS_OF, bytes(classes))
