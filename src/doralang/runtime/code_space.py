"""What all modules of a process share: the arena, stubs, entry cells, and what is known of placed code.

arena      one stretch of addresses with code and the data that code refers to
stubs      the pieces of code written by hand, which find all they need in the thread block
cells      a word for each function that something refers to; it leads to the function's code, and
           before there is any to a stub that has the function compiled
points     the slots of live references, by return address, for collectors
places     function and line, by return address, for stack traces
classes    the class of a shape, by its address
"""

from __future__ import annotations

import gc
import os
from itertools import count

from doralang.code import layout
from doralang.code.symbols import NATIVE, SPARE_STACKS, STUB, TRAP, UPCALL, Symbol
from doralang.locks import Lock
from doralang.machine.code import link
from doralang.machine.foreign import WORD, address_of, addressof, function
from doralang.machine.memory import ARENA_SIZE, CodeArena, is_room_for
from doralang.optional import load
from doralang.runtime.pieces import Piece, piece
from doralang.runtime.places import PlaceTable
from doralang.runtime.points import PointTable
from doralang.runtime.stacks import SPARE
from doralang.runtime.ticker import Ticker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Protocol

    from doralang.bytecode.entities import ClassRef, FunctionRef
    from doralang.machine.code import Code
    from doralang.machine.targets import Target

    class CodeOwner(Protocol):
        """Who has the functions of a loader compiled."""

        def supply(self, name: str) -> int:
            """Place the code of a function and return its address."""


CELLS_AT_ONCE: Final = 32
"""entry cells that are made together, as each needs a few bytes of code"""

LEAST_ARENA: Final = 8 << 20
SHARE: Final = 12
"""an arena takes so small a part of what the system gives, and its table of GC points twice as much"""


class Cell:
    """An entry cell, the number that its first stub passes, and the address of that stub."""

    __slots__ = ("address", "number", "stub")

    def __init__(self, address: int, number: int, stub: int) -> None:
        self.address = address
        self.number = number
        self.stub = stub


class Freeing:
    """What comes before and after the work of a thread that has the code space's lock: freeing what is
    condemned.

        with space.freeing, space.lock:
            …

    The lock stands by itself, as it is let go in C: a signal's handler may raise KeyboardInterrupt at the
    first line of any function in Python, and the lock would stay taken (`locks.py` sees to its being taken).
    Where that comes instead of the look at the list, the next one who looks frees what is there.
    """

    def __init__(self, space: CodeSpace) -> None:
        self.free_condemned = space.free_condemned

    def __enter__(self) -> None:
        self.free_condemned()

    def __exit__(self, *_: object) -> None:
        self.free_condemned()


class CodeSpace:
    """The native side of a process.  May be used from several threads.

    A handler of a signal, or a finalizer, may come between any two calls in here and compile, call or drop
    programs itself.  So the lock is one that its thread may take again, whatever is made is complete before
    a table leads to it, and who finds that the table has got an entry meanwhile takes that.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.lock = Lock()
        """had by who compiles, places or frees, one thread at a time"""
        self.freeing = Freeing(self)
        self.condemned: list[Callable[[], None]] = []
        """what frees things whose last reference has gone"""
        self.collecting = False
        """whether Python's collector of cycles is at work"""
        self.arena = CodeArena(arena_size())
        self.points = PointTable(self.arena)
        self.places = PlaceTable()
        self.classes: dict[int, ClassRef] = {}
        self.symbols: dict[tuple[str, str], int] = {SPARE_STACKS: addressof(SPARE)}
        """stubs and C functions, by symbol, those that somebody has asked for"""
        self.sizes: dict[tuple[str, str], int] = {}
        """bytes of each stub"""
        self.spare_cells: list[Cell] = []
        self.owners: list[tuple[CodeOwner, str] | None] = []
        """whose function a number is, and its name"""
        self.numbers = count(step=CELLS_AT_ONCE)
        """the first ones of the cells that are made together"""
        self.internals: list[FunctionRef] = []
        """internal functions that Python supplies, by the number that their stubs pass"""
        self.claim = self.stub("claim", 1)
        self.release = self.stub("release", 1)
        self.take_spare = self.stub("takeSpare", 0)
        self.add_spare = self.stub("addSpare", 1)
        self.enter = self.stub("enter", 3)
        self.made_enter_free: Callable[[int, int, int], int] | None = None
        self.ticker = Ticker(self.address(Symbol(STUB, "ticker")))

    def before_fork(self) -> None:
        """Wait for other threads that are at work here: in a child nobody would bring it to an end."""
        self.lock.acquire()

    def after_fork(self) -> None:
        """In the parent, which others may have dropped something in meanwhile."""
        self.lock.release()
        self.free_condemned()

    # Work, and freeing.

    def is_mine(self) -> bool:
        """Whether this thread has the lock."""
        return bool(self.lock._is_owned())  # type: ignore[attr-defined]

    def condemn(self, free: Callable[[], None]) -> None:
        """Free something whose last reference has gone.

        That is done at once, in this thread; or, if the lock is taken, as soon as that is let go, by whoever
        has it (`Freeing`).  While Python's collector of cycles is at work it is done when that is done, as
        finalizers that it has still to call may use what dies together with them (`watch_collections`).
        """
        self.condemned.append(free)
        self.free_condemned()

    def watch_collections(self) -> None:
        """Let `condemn` know of Python's collections from now on."""
        if self.note_collection not in gc.callbacks:
            gc.callbacks.append(self.note_collection)

    def note_collection(self, phase: str, info: dict[str, int]) -> None:
        self.collecting = phase == "start"
        self.free_condemned()

    def free_condemned(self) -> None:
        """Free what is condemned, if that may be done now."""
        if self.condemned and not self.collecting:
            self.reap()

    def reap(self) -> None:
        """Free what is condemned, if nobody is at work: else who is does so in the end.

        Nothing is left behind: it is on the list before the lock is tried here, and who lets the lock go,
        here as elsewhere, looks at the list afterwards.
        """
        if self.is_mine():
            return
        try:
            while self.condemned and self.lock.acquire(blocking=False):
                if self.condemned:
                    self.condemned.pop()()
                self.lock.release()
        finally:
            if self.is_mine():  # an exception came in between
                self.lock.release()

    # Stubs.

    def stub(self, name: str, count: int) -> Any:
        """A stub that takes so many addresses, for Python to call."""
        return function(self.address(Symbol(STUB, name)), WORD, *[WORD] * count)

    @property
    def enter_free(self) -> Callable[[int, int, int], int]:
        """`enter` without the GIL, made when it is first wanted."""
        if self.made_enter_free is None:
            self.made_enter_free = self.stub("enterFree", 3)
        return self.made_enter_free

    def place_all_stubs(self) -> None:
        """For who wants to know where they are."""
        for symbol in load("doralang.runtime.stubs").STUBS:
            self.address(symbol)

    def place_stub(self, symbol: tuple[str, str], name: str, *arguments: Any) -> int:
        """Place a piece of code that other code may refer to, made by `stubs.emitter(symbol, …)`."""

        def assemble() -> Piece:
            stubs = load("doralang.runtime.stubs")
            return Piece(stubs.assemble(self.target.assembler, stubs.emitter(symbol, *arguments)))

        code = piece(name, assemble).code
        address = self.symbols[symbol] = self.place(code)
        self.sizes[symbol] = len(code.data)
        return address

    def place(self, code: Code) -> int:
        """Place code that refers to nothing but stubs and C functions."""
        address = self.arena.allocate(len(code.data))
        self.arena.write(address, link(code, address, self.address))  # type: ignore[arg-type]
        return address

    def address(self, symbol: tuple[str, str]) -> int:
        """The address of a stub, placed now if nobody has asked before, or a C function.  Raises KeyError."""
        address = self.symbols.get(symbol)
        if address is None:
            kind, name = symbol
            with self.freeing, self.lock:
                if kind == NATIVE:
                    address = self.symbols[symbol] = address_of(name)
                elif symbol in self.symbols:  # placed by another thread, just now
                    address = self.symbols[symbol]
                elif kind in (STUB, TRAP, UPCALL):
                    address = self.place_stub(symbol, f"{kind}:{name}")
                else:
                    raise KeyError(symbol)
        return address

    def internal(self, function: FunctionRef) -> int:
        """The stub of an internal function that Python supplies; such functions are known by their keys."""
        assert function.internal is not None
        symbol = Symbol(UPCALL, function.internal)
        with self.freeing, self.lock:
            if symbol not in self.symbols:
                self.internals.append(function)
                number = self.internals.index(function)
                self.place_stub(symbol, f"{symbol}:{number}", number, function)
            return self.symbols[symbol]

    # Entry cells.

    def new_cell(self, owner: CodeOwner, name: str) -> Cell:
        """The entry cell of a function: who calls it first has its owner supply the code."""
        with self.freeing, self.lock:
            cell = self.take_cell()
            self.owners[cell.number] = owner, name
        return cell

    def take_cell(self) -> Cell:
        """A cell that nobody uses."""
        while True:
            try:
                return self.spare_cells.pop()
            except IndexError:
                self.make_cells()

    def make_cells(self) -> None:
        """Entry cells for the next functions."""
        first = next(self.numbers)
        while len(self.owners) < first + CELLS_AT_ONCE:
            self.owners += [None] * CELLS_AT_ONCE

        def assemble() -> Piece:
            stubs = load("doralang.runtime.stubs")
            return Piece(*stubs.compile_first(self.target, first, CELLS_AT_ONCE))

        block = piece(f"cells:{first}", assemble)
        start, offsets = self.place(block.code), block.entries
        cells = self.arena.new_cell(count=CELLS_AT_ONCE)
        self.arena.set_cells(cells, [start + offset for offset in offsets])
        made = [
            Cell(cells + layout.WORD * index, first + index, start + offset)
            for index, offset in enumerate(offsets)
        ]
        self.spare_cells += reversed(made)

    def free_cell(self, cell: Cell) -> None:
        """Nobody refers to the cell any more."""
        with self.freeing, self.lock:
            self.owners[cell.number] = None
            self.arena.set_cell(cell.address, cell.stub)
            self.spare_cells.append(cell)

    def supply(self, number: int) -> int:
        """A function is called for the first time: the address of its code."""
        owner = self.owners[number]
        assert owner is not None, "the cell is in use"
        supplier, name = owner
        return supplier.supply(name)


def arena_size() -> int:
    size = ARENA_SIZE
    while size > LEAST_ARENA and not is_room_for(SHARE * size):
        size //= 2
    return size


SPACES: Final[dict[str, CodeSpace]] = {}
"""the one of this process, by the name of its processor"""
MAKING: Final = Lock()
"""had by the thread that makes one: who has another one than the others has another lock"""
os.register_at_fork(before=MAKING.acquire, after_in_parent=MAKING.release, after_in_child=MAKING.release)


def code_space(target: Target) -> CodeSpace:
    """The one of this process."""
    space = SPACES.get(target.name)
    if space is None:
        with MAKING:
            space = SPACES.get(target.name) or new_space(target)
    return space


def new_space(target: Target) -> CodeSpace:
    made = CodeSpace(target)
    space = SPACES.setdefault(target.name, made)  # perhaps that of a handler that came in between
    if space is made:
        os.register_at_fork(
            before=space.before_fork, after_in_parent=space.after_fork, after_in_child=space.lock.release
        )
    return space
