"""Handles: how native code and Python hold objects while compiled code runs.

Objects move, so an address is good only until the next collection.  A handle is a word that the
collector knows as a root and redirects; it lives as long as the scope in which it was made:

    with instance.handles.scope() as scope:
        testing = scope.handle(address)
        run(function, [testing.address])
        look_at(testing.address)         where the object is now
"""

from __future__ import annotations

from types import TracebackType

from doralang.code import layout
from doralang.runtime.memory import Region, Words, load_word, store_word


class Handle:
    """One reference, kept up to date by the collector."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place

    @property
    def address(self) -> int:
        """Where the object is now; 0 for nil."""
        return load_word(self.place)


class Handles:
    """The handles of an instance: a stack of words, scope upon scope; or words with a free list."""

    def __init__(self, heap: Words, size: int) -> None:
        """In so many bytes, which are taken when they are used."""
        self.table = Region(size)
        self.heap = heap
        self.free_places: list[int] = []
        self.dropped: list[int] = []
        heap[layout.HEAP_HANDLES] = heap[layout.HEAP_HANDLES_TOP] = self.table.start

    def hold(self, address: int) -> int:
        """The place of a handle that lives until it is dropped.  Raises RegionFull.

        Nobody else may run in the instance.  Not to be mixed with scopes, which release what was made in
        them.
        """
        self.forget_dropped()
        if self.free_places:
            place = self.free_places.pop()
        else:
            place = self.table.allocate(layout.WORD)
            self.set_top(self.table.top)
        store_word(place, address)
        return place

    def drop(self, place: int) -> None:
        """Nobody needs a handle any more.  From any thread, while the instance runs, too."""
        self.dropped.append(place)

    def forget_dropped(self) -> None:
        """Let the objects of dropped handles go.  Nobody may run in the instance."""
        while self.dropped:
            place = self.dropped.pop()
            store_word(place, 0)
            self.free_places.append(place)

    def scope(self) -> Scope:
        return Scope(self)

    def set_top(self, top: int) -> None:
        """The handles below `top` are in use; the collector knows."""
        self.table.top = top
        self.heap[layout.HEAP_HANDLES_TOP] = top

    def places(self) -> range:
        """The addresses of the words in use: roots."""
        return range(self.table.start, self.table.top, layout.WORD)

    @property
    def in_use(self) -> int:
        """How many are not dropped."""
        return len(self.places()) - len(self.free_places) - len(self.dropped)

    def free(self) -> None:
        self.table.free()


class Scope:
    """Releases at its end the handles made in it."""

    __slots__ = ("handles", "top")

    def __init__(self, handles: Handles) -> None:
        self.handles = handles
        self.top = handles.table.top

    def __enter__(self) -> Scope:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.handles.set_top(self.top)

    def handle(self, address: int) -> Handle:
        """A new handle of an object."""
        place = self.handles.table.allocate(layout.WORD)
        store_word(place, address)
        self.handles.set_top(self.handles.table.top)
        return Handle(place)
