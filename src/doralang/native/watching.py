"""What collections tell: `--gc-events`, `--gc-stats`, and what `--gc-verify` has found."""

from __future__ import annotations

from doralang.code import layout
from doralang.runtime.instance import Instance
from doralang.runtime.memory import Words

MILLISECOND = 1_000_000
KIND_BITS = 4
"""of an entry in the log of pauses"""

COMPLAINTS = (
    "the object at {place:x} has the header {value:x}, which is no shape",
    "the reference at {place:x} is {value:x}, where no object begins",
    "the reference at {place:x} to the young object {value:x} is on a card that does not tell",
    "the object of {place:x} has been looked at, but not what it refers to there, {value:x}",
    "the last object ends at {place:x}, behind the end {value:x}",
)
"""in the order of the constants in `verify.dora`"""


class HeapError(Exception):
    """The heap is not as it should be: a bug in the compiler or a collector."""


def heap_error(what: int, place: int, value: int) -> HeapError:
    return HeapError(COMPLAINTS[what].format(place=place, value=value))


def event(instance: Instance) -> str:
    """The line about the pause that has just ended."""
    block = instance.heap.block
    kind = layout.PAUSE_KINDS[block[layout.HEAP_PAUSE_KIND]]
    return f"GC {kind}: collect garbage ({block[layout.HEAP_PAUSE] / MILLISECOND:.3f} ms)\n"


def pauses(instance: Instance) -> list[tuple[int, str]]:
    """Nanoseconds and kind of all pauses."""
    block = instance.heap.block
    start, end = block[layout.HEAP_LOG], block[layout.HEAP_LOG_TOP]
    entries = Words(start, end - start).words
    return [(entry >> KIND_BITS, layout.PAUSE_KINDS[entry & (1 << KIND_BITS) - 1]) for entry in entries]


def statistics(instance: Instance) -> str:
    """The summary at the end of a program."""
    heap = instance.heap
    block, in_use, times = heap.block, heap.bytes_in_use(), sorted(time for time, _ in pauses(instance))
    total, longest = sum(times) / MILLISECOND, max(times, default=0) / MILLISECOND
    half, most = (times[len(times) * share // 100] / MILLISECOND if times else 0.0 for share in (50, 99))
    return (
        f"GC stats: collector {heap.collector.name}\n"
        f"  collections:     {block[layout.HEAP_MINORS] + block[layout.HEAP_FULLS]}"
        f" ({block[layout.HEAP_MINORS]} minor, {block[layout.HEAP_FULLS]} full)\n"
        f"  cycles:          {block[layout.HEAP_CYCLES]} ({block[layout.HEAP_STEPS]} steps)\n"
        f"  total pause:     {total:.3f} ms\n"
        f"  longest pause:   {longest:.3f} ms\n"
        f"  median, 99 %:    {half:.3f} ms, {most:.3f} ms\n"
        f"  bytes allocated: {allocated(instance)}\n"
        f"  bytes promoted:  {block[layout.HEAP_PROMOTED]}\n"
        f"  bytes freed:     {block[layout.HEAP_FREED]}\n"
        f"  largest heap:    {max(block[layout.HEAP_LARGEST], in_use)}\n" + histogram(times)
    )


def allocated(instance: Instance) -> int:
    """Bytes of all objects ever; what has come since the last collection is not in the count of some."""
    heap = instance.heap
    block, count = heap.block, heap.block[layout.HEAP_ALLOCATED]
    if block[layout.HEAP_FROM] and not block[layout.HEAP_OLD]:
        return count + heap.bytes_in_use() - block[layout.HEAP_LIVE]
    return count + heap.thread[layout.THREAD_TOP] - block[layout.HEAP_EDEN]


def histogram(times: list[int]) -> str:
    """How many pauses took how long, in powers of two."""
    counts: dict[int, int] = {}
    for time in times:
        microseconds = time // 1000
        counts[microseconds.bit_length()] = counts.get(microseconds.bit_length(), 0) + 1
    lines = [f"    under {1 << bits:>7} us: {counts[bits]}" for bits in sorted(counts)]
    return "".join(f"{line}\n" for line in ["  pauses:", *lines] if counts)
