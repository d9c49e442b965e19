"""A computation over arrays: broadcasting, strides, kinds, overlap, threads, around a loop over elements.

    inputs, any strides         gathered, 4096 at a time, unless they stand close and have the right kind
    loop(table, results, n)     machine code over elements that stand close (`embed/kernels.py`, …)
    output, any strides         scattered, unless it is close

An output that shares memory with an input is computed apart and copied at the end, so it is as if all
inputs had been read first; only where it is that very input each element may be replaced at once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from math import prod
from typing import Final, NamedTuple, Protocol

from doralang.embed.buffers import DTYPES, SIZES, ArrayView, extent, row_strides
from doralang.embed.walks import Dimensions, copier, merged, walk
from doralang.optional import load
from doralang.types.kinds import BOOL, Kind

Loop = Callable[[int, int, int], object]
"""loop(address of a table with the addresses of the inputs, address of the results, count)"""

CHUNK: Final = 4096
"""elements that are gathered at a time"""
BLOCK: Final = 1 << 19
"""elements between two looks at Ctrl-C, where nothing is gathered"""
WORD: Final = 8
LEAST_OF_THREAD: Final = 1 << 15
"""elements for which another thread is worth while"""
STRETCHES: Final = "doralang.embed.stretches"


class Computation(Protocol):
    """Something that is computed element by element."""

    names: tuple[str, ...]
    accepts: tuple[Kind, ...]
    """kinds of the parameters: what they take, and refuse"""
    kinds: tuple[Kind, ...]
    """the same as the loop has them: a value is of that of the parameter, then of this one"""
    result: Kind
    takes_scalars: bool
    """whether an input may be a single element, or all have to be arrays"""
    takes_any_truth: bool
    """whether a true value may be any byte but zero, or has to be one"""
    most: int
    """elements that it may compute at a time"""

    def loop(self, scalars: Sequence[bool]) -> AbstractContextManager[Loop]:
        """What computes, for these inputs being scalars.  What it raises says in `element` where."""


class ElementError(Exception):
    """Something went wrong at an element of a stretch."""

    def __init__(self, index: int, error: BaseException) -> None:
        super().__init__(index)
        self.index = index
        self.error = error


class StridedElements(NamedTuple):
    """An input or the output: where, of which kind its elements are, its parameter is, and the loop has them;
    and its dimensions."""

    name: str
    address: int
    element: Kind
    parameter: Kind
    kind: Kind
    dimensions: Dimensions

    @property
    def is_scalar(self) -> bool:
        return self.dimensions[0][1] == 0 and len(self.dimensions) == 1

    @property
    def is_close(self) -> bool:
        """Whether machine code can take it as it is."""
        size = SIZES[self.kind]
        return self.element is self.kind and len(self.dimensions) == 1 and self.dimensions[0][1] == size


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that all of these fit.  Raises ValueError."""
    count = max(map(len, shapes), default=0)
    found = [1] * count
    for shape in shapes:
        for at, size in enumerate(shape, count - len(shape)):
            if size != 1 and found[at] not in (1, size):
                spoken = ", ".join(map(str, shapes))
                raise ValueError(f"arrays of shapes {spoken} do not fit together")
            found[at] = found[at] if size == 1 else size
    return tuple(found)


def fits(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether the one is repeated to be the other."""
    own = larger[len(larger) - len(shape) :] if shape else ()
    return len(shape) <= len(larger) and all(
        size in (1, other) for size, other in zip(shape, own, strict=True)
    )


def broadcast_strides(view: ArrayView, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides for a larger shape: what is repeated has stride 0."""
    own = [0 if size == 1 else stride for size, stride in zip(view.shape, view.strides, strict=True)]
    return (0,) * (len(shape) - len(own)) + tuple(own)


def memory_order(views: Sequence[ArrayView], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes in the order in which the first input of full shape has them in memory, widest steps first."""
    first = next((view for view in views if view.shape == shape), None)
    if first is None:
        return tuple(range(len(shape)))
    return tuple(sorted(range(len(shape)), key=lambda axis: -abs(first.strides[axis])))


def permuted(items: tuple[int, ...], order: Sequence[int]) -> tuple[int, ...]:
    return tuple([items[axis] for axis in order])


def compute(
    computation: Computation,
    inputs: Sequence[ArrayView | bytes],
    out: ArrayView,
    order: Sequence[int],
    threads: int,
) -> None:
    """Compute all elements of an output, whose shape the inputs fit; those that are bytes are scalars.

    `order` are the axes in the order in which they are walked.  Raises what the computation raises, with the
    element named, and OverflowError for an element that its parameter cannot hold.
    """
    count = prod(out.shape)
    if not count:
        return
    shape = permuted(out.shape, order)
    operands, kept = [], []
    columns = zip(computation.names, computation.accepts, computation.kinds, inputs, strict=True)
    for name, accepted, kind, given in columns:
        if isinstance(given, bytes):
            word = ctypes.create_string_buffer(given, WORD)
            kept.append(word)
            operands.append(
                StridedElements(name, ctypes.addressof(word), accepted, accepted, kind, [(count, 0)])
            )
        else:
            strides = permuted(broadcast_strides(given, out.shape), order)
            operands.append(
                StridedElements(name, given.address, given.kind, accepted, kind, merged(shape, strides))
            )
    result, dimensions = computation.result, merged(shape, permuted(out.strides, order))
    target = StridedElements("out", out.address, out.kind, result, result, dimensions)
    if not needs_copy(operands, inputs, target, out):
        run(computation, operands, target, count, shape, order, threads)
        return
    size = SIZES[result]
    apart = (ctypes.c_char * (count * size))()
    address = ctypes.addressof(apart)
    close = target._replace(address=address, element=target.kind, dimensions=[(count, size)])
    run(computation, operands, close, count, shape, order, threads)
    copier(target.element, target.kind, False)(walk(target.address, target.dimensions, 0), count, address)


def needs_copy(
    operands: Sequence[StridedElements],
    inputs: Sequence[ArrayView | bytes],
    target: StridedElements,
    out: ArrayView,
) -> bool:
    """Whether the output shares memory with an input and is not that very input."""
    low, high = extent(out)
    for operand, given in zip(operands, inputs, strict=True):
        if isinstance(given, bytes):
            continue
        start, end = extent(given)
        is_same = (operand.address, operand.element, operand.dimensions) == (
            target.address,
            target.element,
            target.dimensions,
        )
        if start < high and low < end and not is_same:
            return True
    return False


def run(
    computation: Computation,
    operands: Sequence[StridedElements],
    target: StridedElements,
    count: int,
    shape: tuple[int, ...],
    order: Sequence[int],
    threads: int,
) -> None:
    """Compute with so many threads; of several errors the one at the first element comes out."""
    threads = max(1, min(threads, count // LEAST_OF_THREAD))
    try:
        if threads == 1:
            run_part(computation, operands, target, 0, count)
        else:
            part = partial(run_part, computation, operands, target)
            load(STRETCHES).share(part, count, threads, LEAST_OF_THREAD)
    except ElementError as error:
        raise located(error, shape, order) from None


def located(found: ElementError, shape: tuple[int, ...], order: Sequence[int]) -> BaseException:
    """The error, which says at which element it was."""
    index, place = found.index, [0] * len(shape)
    for axis, size in zip(reversed(order), reversed(shape), strict=True):
        index, place[axis] = divmod(index, size)
    if isinstance(found.error, Exception):
        name_element(found.error, tuple(place))
    return found.error


def name_element(error: BaseException, place: tuple[int, ...]) -> None:
    """Let an error say at which element it was; what it has said before is forgotten."""
    forget_element(error)
    notes = error.__dict__.setdefault("__notes__", [])
    error.__dict__["element"] = place
    notes.append(f"in element {place[0] if len(place) == 1 else place}")


def forget_element(error: BaseException) -> None:
    """Let an error not say any more at which element it was."""
    if error.__dict__.pop("element", None) is not None:
        error.__dict__["__notes__"].pop()


def element_of(error: BaseException) -> tuple[int, ...] | None:
    """Where an error says that it was."""
    found: tuple[int, ...] | None = error.__dict__.get("element")
    return found


def run_part(
    computation: Computation,
    operands: Sequence[StridedElements],
    target: StridedElements,
    start: int,
    end: int,
) -> None:
    """Compute the elements from one number up to another."""
    scalars = [
        computation.takes_scalars and operand.is_scalar and operand.kind is not BOOL for operand in operands
    ]
    table = (ctypes.c_int64 * len(operands))()
    part = Part(operands, scalars, computation.takes_any_truth, table, target, start)
    step = min(computation.most, BLOCK if part.is_close else CHUNK)
    with computation.loop(scalars) as loop:
        for at in range(start, end, step):
            count = min(step, end - at)
            try:
                loop(ctypes.addressof(table), part.gather(at, count), count)
            except ElementError as error:
                raise ElementError(at + error.index, error.error) from None
            part.scatter(count)


class Part:
    """What one thread needs to go through its elements: walks through what does not stand close, and room."""

    def __init__(
        self,
        operands: Sequence[StridedElements],
        scalars: Sequence[bool],
        any_truth: bool,
        table: ctypes.Array[ctypes.c_int64],
        target: StridedElements,
        start: int,
    ) -> None:
        self.table = table
        self.target = target
        self.close: list[tuple[int, StridedElements]] = []
        self.walks: list[tuple[StridedElements, ctypes.Array[ctypes.c_int64], int]] = []
        self.rooms: list[ctypes.Array[ctypes.c_char]] = []
        for index, operand in enumerate(operands):
            as_it_is = any_truth or operand.kind is not BOOL
            if operand.is_close and not scalars[index] and as_it_is:
                self.close.append((index, operand))
                continue
            room = self.room(operand.kind, 1 if scalars[index] else CHUNK)
            table[index] = room
            if scalars[index]:
                gather(operand, walk(operand.address, operand.dimensions, 0), 1, room)
            else:
                self.walks.append((operand, walk(operand.address, operand.dimensions, start), room))
        self.out = 0 if target.is_close else self.room(target.kind, CHUNK)
        self.out_walk = walk(target.address, target.dimensions, start)

    @property
    def is_close(self) -> bool:
        """Whether nothing has to be copied."""
        return not self.walks and not self.out

    def room(self, kind: Kind, count: int) -> int:
        self.rooms.append((ctypes.c_char * (count * SIZES[kind]))())
        return ctypes.addressof(self.rooms[-1])

    def gather(self, at: int, count: int) -> int:
        """Let the table lead to the inputs from one element on.  Returns where the results go."""
        for index, operand in self.close:
            self.table[index] = operand.address + at * SIZES[operand.kind]
        for operand, place, room in self.walks:
            gather(operand, place, count, room)
        return self.out or self.target.address + at * SIZES[self.target.kind]

    def scatter(self, count: int) -> None:
        if self.out:
            copier(self.target.element, self.target.kind, False)(self.out_walk, count, self.out)


def gather(operand: StridedElements, place: ctypes.Array[ctypes.c_int64], count: int, room: int) -> None:
    """Copy elements to where they stand close.  Raises ElementError for one that does not fit."""
    left = copier(operand.element, operand.kind, True, operand.parameter)(place, count, room)
    if left:
        found, wanted = DTYPES[operand.element], operand.parameter.value
        line = f"`{operand.name}`: an element of {found} does not fit {wanted}"
        raise ElementError(count - left, OverflowError(line))


def close_strides(shape: tuple[int, ...], order: Sequence[int], size: int) -> tuple[int, ...]:
    """Strides of a fresh array that is walked in this order of its axes."""
    strides = [0] * len(shape)
    for axis, stride in zip(order, row_strides(permuted(shape, order), size), strict=True):
        strides[axis] = stride
    return tuple(strides)
