"""Memory for code, cells, stacks and heaps, straight from the operating system (Linux).

No page is ever writable and executable.  A `CodeArena` reserves one stretch of addresses, so that all
its code and cells are within reach of each other (2 GB); pages are committed as they are touched:

    data                      read+write: cells of 8 bytes, such as the entry of a function, and constant data
    code                      read+execute: private pages, written through /proc/self/mem

`/proc/self/mem` may write to private pages whatever their protection, while other threads run in them, and
after a fork each process has its own.  Where a kernel refuses that, or an emulator does not notice it, code
is placed in whole fresh pages that are filled while read+write and then switched to read+execute, once.
"""

from __future__ import annotations

import os
from _weakref import ref

from doralang.machine.foreign import INT, WORD, address_of, copy, fill, function, get_errno
from doralang.machine.ranges import SharedRanges
from doralang.machine.targets import host
from doralang.types.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from doralang.machine.targets import Target

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
CODE_ALIGNMENT: Final = 64
CELL: Final = 8
ARENA_SIZE: Final = 256 << 20
DATA_SIZE: Final = 64 << 20
SMALLEST_ARENA: Final = 32 << 20

NOTHING: Final = 0
READ: Final = 1
READ_WRITE: Final = 3
READ_EXECUTE: Final = 5

MAP_PRIVATE: Final = 0x02
MAP_ANONYMOUS: Final = 0x20
MAP_NORESERVE: Final = 0x4000
MADV_DONTNEED: Final = 4

CLOSED: Final = -1
"""in place of the number of a file"""

MOST_ADDRESSES: Final = 1 << 47
"""of a process; a size beyond it must not get as far as C, which would take it modulo 2**64"""

MAP_FAILED: Final = (1 << 64) - 1


def prototype(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the C library with its types."""
    return function(address_of(name), result, *arguments, keeps_errno=True)


libc_mmap: Final = prototype("mmap", WORD, WORD, WORD, INT, INT, INT, WORD)
libc_mprotect: Final = prototype("mprotect", INT, WORD, WORD, INT)
libc_munmap: Final = prototype("munmap", INT, WORD, WORD)
libc_madvise: Final = prototype("madvise", INT, WORD, WORD, INT)


class MappingError(MemoryError):
    """The operating system refused memory."""


def pages(size: int) -> int:
    """`size` rounded up to whole pages."""
    return size + PAGE - 1 & -PAGE


# ---- Plain mappings ----


def refuse(what: str) -> MappingError:
    return MappingError(f"{what}: {os.strerror(get_errno())}")


def map_memory(size: int, protection: int = READ_WRITE) -> int:
    """Fresh zeroed memory of whole pages, at an address the system chooses; committed when touched."""
    if size > MOST_ADDRESSES:
        raise MappingError(f"mapping {size} bytes: there are no such addresses")
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    address = libc_mmap(0, pages(size), protection, flags, -1, 0)
    if address == MAP_FAILED:
        raise refuse(f"mapping {size} bytes")
    return int(address)


def is_room_for(size: int) -> bool:
    """Whether the system would give so many bytes now."""
    try:
        unmap(map_memory(size), size)
    except MappingError:
        return False
    return True


def protect(address: int, size: int, protection: int) -> None:
    """Change what may be done with whole pages."""
    if libc_mprotect(address, pages(size), protection):
        raise refuse("changing the protection of memory")


def discard(address: int, size: int) -> None:
    """Give the pages back; the addresses stay and read as zeros."""
    if libc_madvise(address, pages(size), MADV_DONTNEED):
        raise refuse("giving memory back")


def unmap(address: int, size: int) -> None:
    """Give pages and addresses back."""
    if libc_munmap(address, pages(size)):
        raise refuse("unmapping memory")


class Stack:
    """A stack growing downwards from `top` to `bottom`; the page below `bottom` may not be touched."""

    __slots__ = ("bottom", "size", "top")

    def __init__(self, size: int) -> None:
        self.size = pages(size) + PAGE
        guard = map_memory(self.size)
        protect(guard, PAGE, NOTHING)
        self.bottom = guard + PAGE
        self.top = guard + self.size

    def free(self) -> None:
        """Unmap it."""
        unmap(self.bottom - PAGE, self.size)


# ---- Writing code ----


class ProcessMemory:
    """Writes into read+execute pages through /proc/self/mem.

    The file belongs to the process that opened it, so a child closes it, and opens its own to write.
    """

    granule = CODE_ALIGNMENT

    __slots__ = ("file",)

    def __init__(self) -> None:
        self.file = CLOSED
        self.open()

    def open(self) -> None:
        """In a child as well, where another thread may do so at the same time."""
        file = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
        if self.file == CLOSED:
            self.file = file
        else:
            os.close(file)

    def after_fork(self) -> None:
        """What a child has to do before it writes."""
        self.close()

    def prepare(self, address: int, size: int) -> None:
        protect(address, size, READ_EXECUTE)

    def write(self, address: int, data: bytes | bytearray) -> None:
        if self.file == CLOSED:
            self.open()
        written = os.pwrite(self.file, data, address)
        assert written == len(data), "code was written in part only"

    def clear(self, address: int, size: int, filler: bytes) -> None:
        """Overwrite what is no longer in use, so that running it by mistake stops at once."""
        self.write(address, filler * (size // len(filler)))

    def close(self) -> None:
        if self.file != CLOSED:
            os.close(self.file)
            self.file = CLOSED


class FreshPages:
    """Fills whole pages while they are read+write, then makes them read+execute, for good."""

    granule = PAGE

    __slots__ = ()

    def after_fork(self) -> None:
        pass

    def prepare(self, address: int, size: int) -> None:
        pass

    def write(self, address: int, data: bytes | bytearray) -> None:
        size = len(data)
        protect(address, size, READ_WRITE)
        copy(address, bytes(data), size)
        protect(address, size, READ_EXECUTE)

    def clear(self, address: int, size: int, filler: bytes) -> None:
        protect(address, size, NOTHING)
        discard(address, size)

    def close(self) -> None:
        pass


def code_writer(address: int, size: int) -> ProcessMemory | FreshPages:
    """The way that works here, tried out at the start of the code."""
    try:
        writer = ProcessMemory()
    except OSError:
        return FreshPages()
    writer.prepare(address, size)
    try:
        writer.write(address, b"\0")
    except OSError:
        writer.close()
        protect(address, size, NOTHING)
        return FreshPages()
    return writer


# ---- The arena ----

ARENAS: Final[set[ref[CodeArena]]] = set()
"""all of them, weakly"""


HELD: Final[list[list[SharedRanges]]] = []
"""what forks that are under way keep other threads out of"""


def before_fork() -> None:
    """No other thread is in the midst of something, which nobody in the child would bring to an end."""
    arenas = [known() for known in list(ARENAS)]
    held = [ranges for arena in arenas if arena is not None for ranges in (arena.code, arena.data)]
    for ranges in held:
        ranges.lock.acquire()
    HELD.append(held)


def after_fork() -> None:
    for ranges in HELD.pop():
        ranges.lock.release()


def after_fork_in_child() -> None:
    after_fork()
    for arena in [known() for known in list(ARENAS)]:
        if arena is not None:
            arena.writer.after_fork()


os.register_at_fork(before=before_fork, after_in_parent=after_fork, after_in_child=after_fork_in_child)


class CodeArena:
    """Code and data within reach of each other; placed, freed and reused exactly.

    `fresh_pages` chooses that way of placing instead of trying for the other.  May be used from several
    threads, and by what interrupts them; a forked child goes on with its own copy.
    """

    __slots__ = (
        "__weakref__",
        "address",
        "code",
        "data",
        "filler",
        "size",
        "synchronize",
        "words",
        "writer",
    )

    def __init__(self, size: int = ARENA_SIZE, fresh_pages: bool = False) -> None:
        target = host()
        self.address, self.size = reserve(min(size, target.reach) if target else size)
        data_size = min(DATA_SIZE, self.size // 4)
        protect(self.address, data_size, READ_WRITE)
        start, rest = self.address + data_size, self.size - data_size
        self.writer = FreshPages() if fresh_pages else code_writer(start, rest)
        self.data = SharedRanges(self.address, data_size, CELL)
        self.code = SharedRanges(start, rest, self.writer.granule)
        self.words = (WORD * (data_size // CELL)).from_address(self.address)
        self.filler = target.filler if target else b"\0"
        self.synchronize: Any = None
        ARENAS.add(ref(self, ARENAS.discard))
        if target and not target.coherent:
            self._make_coherent(target)

    def _make_coherent(self, target: Target) -> None:
        """Synchronize what is written, and choose fresh pages if rewritten code is not noticed even so.

        The first page is for the function that synchronizes.
        """
        start, size = self.code.start, self.code.limit - self.code.start
        self._write_synchronizer(target, start)
        if isinstance(self.writer, ProcessMemory) and not self._is_rewriting_noticed(target, start):
            self.writer.close()
            protect(start, size, NOTHING)
            self.writer = FreshPages()
            self._write_synchronizer(target, start)
        self.code = SharedRanges(start + PAGE, size - PAGE, self.writer.granule)

    def _write_synchronizer(self, target: Target, address: int) -> None:
        """synchronize(start, end); for this very function the kernel has seen to it."""
        masm = target.assembler()
        masm.synchronize_code(masm.arguments[0], masm.arguments[1])
        masm.return_()
        self.writer.write(address, masm.finish().data)
        self.synchronize = function(address, None, WORD, WORD)

    def _is_rewriting_noticed(self, target: Target, start: int) -> bool:
        """Whether new code in the place of old is what runs: emulators may remember the old."""
        address = start + PAGE
        answers = []
        for answer in (1, 2):
            masm = target.assembler()
            masm.load_constant(Kind.INT, masm.result, answer)
            masm.return_()
            self.write(address, masm.finish().data)
            answers.append(function(address, INT)())
        return answers == [1, 2]

    def allocate(self, size: int) -> int:
        """The address of room for code, a multiple of 16."""
        return self.code.allocate(size)

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Fill what `allocate` gave out, from its start and at once."""
        self.writer.write(address, data)
        if self.synchronize is not None:
            self.synchronize(address, address + len(data))

    def place(self, data: bytes | bytearray) -> int:
        """Allocate and write code that does not depend on its address."""
        address = self.allocate(len(data))
        self.write(address, data)
        return address

    def free(self, address: int, size: int) -> None:
        """Take back code; nobody may run it any more."""
        self.writer.clear(address, self.code.rounded(size), self.filler)
        self.code.release(address, size)

    def new_cell(self, value: int = 0, count: int = 1) -> int:
        """The address of `count` neighbouring 8-byte words, all holding `value`."""
        address = self.data.allocate(CELL * count)
        self.set_cells(address, [value] * count)
        return address

    def set_cells(self, address: int, values: Sequence[int]) -> None:
        """Store neighbouring words that nobody uses yet."""
        index = (address - self.address) // CELL
        self.words[index : index + len(values)] = [*values]

    def set_cell(self, address: int, value: int) -> None:
        """Store a word at once: another thread sees the old value or the new one.

        Who sees the address of code sees the code: that was complete for everybody when `write` returned.
        """
        self.words[(address - self.address) // CELL] = value

    def cell(self, address: int) -> int:
        """The value of a word."""
        return self.words[(address - self.address) // CELL]

    def free_cell(self, address: int, count: int = 1) -> None:
        """Take back what `new_cell` gave out."""
        self.data.release(address, CELL * count)

    def new_data(self, size: int) -> int:
        """The address of `size` zeroed bytes that code can refer to, a multiple of 8."""
        address = self.data.allocate(size)
        fill(address, 0, size)
        return address

    def free_data(self, address: int, size: int) -> None:
        """Take back what `new_data` gave out."""
        self.data.release(address, size)

    def contains(self, address: int) -> bool:
        """Whether the address lies in the code of this arena."""
        return self.code.start <= address < self.code.limit

    def close(self) -> None:
        """Unmap everything; nothing of it may be in use."""
        ARENAS.discard(ref(self, ARENAS.discard))
        self.writer.close()
        unmap(self.address, self.size)


def reserve(size: int) -> tuple[int, int]:
    """Addresses without memory behind them, fewer where the process may not have that many."""
    while True:
        try:
            return map_memory(size, NOTHING), size
        except MappingError:
            size //= 2
            if size < SMALLEST_ARENA:
                raise
