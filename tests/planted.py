"""Planted bugs: mistakes in collectors and in what compiled code does for them, which the tests must notice.

    python tests/planted.py NAME     plants one and runs programs until one goes wrong; status 1 if none does

Most are other words in a file of the library; the rest are other functions of the compiler or the runtime.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from doralang.baseline import objects
from doralang.baseline.frame import FrameLayout
from doralang.checker import library
from doralang.cli.main import run_command
from doralang.code.objects import CodeObject
from doralang.library.files import read_heap, read_prelude
from doralang.runtime.loader import Loader
from doralang.runtime.shapes import Shapes
from language_cases import Command, parse_file

os.environ["DORA_CACHE"] = "off"
HERE = Path(__file__).parent
FOLDERS = ("heaps", "language/memory", "language/exceptions")
MINOR = ("--gc=swiper", "--gc-stress-minor", "--gc-verify", "--heap-size=8m")
FULL = ("--gc=swiper", "--gc-stress", "--gc-verify", "--heap-size=8m")
SMALL = ("--gc=swiper", "--young-size=32k", "--gc-verify", "--heap-size=8m")
COPY = ("--gc=copy", "--gc-stress", "--gc-verify", "--heap-size=8m")
SWEEP = ("--gc=sweep", "--gc-stress", "--gc-verify", "--heap-size=8m")
PLAIN = ("--gc=sweep", "--gc-verify", "--heap-size=8m")


class Text(NamedTuple):
    """Other words in a file of the library, and the options with which somebody must notice."""

    file: str
    right: str
    wrong: str
    options: tuple[str, ...]


class Function(NamedTuple):
    """Another function in place of one."""

    owner: object
    name: str
    wrong: Callable[..., object]
    options: tuple[str, ...]


def without_last_slot(self: Loader, code: CodeObject) -> int:
    return place(
        self, code._replace(points=[point._replace(slots=point.slots[:-1]) for point in code.points])
    )


def with_stale_slots(self: Loader, code: CodeObject) -> int:
    """The slots of the point before."""
    slots = [point.slots for point in code.points if point.slots]
    stale = iter([*slots[:1], *slots])
    points = [point._replace(slots=next(stale)) if point.slots else point for point in code.points]
    return place(self, code._replace(points=points))


def without_last_field(cls: object, size: int) -> int:
    return max(size - 8, 16)


def mark_header(context: objects.Context, address: objects.Register) -> None:
    """The card before the right one."""
    work = context.work[1]
    context.masm.binary_immediate(objects.Binary.SUB, objects.Kind.LONG, work, address, 512)
    mark_card(context, work)


class NeverCleared(set[int]):
    def clear(self) -> None:
        pass


def init_frame(self: FrameLayout, *arguments: object) -> None:
    make_frame(self, *arguments)  # type: ignore[arg-type]
    self.fresh = NeverCleared(self.fresh)  # type: ignore[assignment]


place, mark_card, make_frame = Loader.place, objects.mark_card, FrameLayout.__init__

PLANTS: dict[str, Text | Function] = {
    "globals are no roots": Text("roots.dora", "  gatherGlobals(heap);\n", "", MINOR),
    "the outermost frame is left out": Text(
        "roots.dora", "if caller == 0L { return; }", "if loadLong(caller) == 0L { return; }", COPY
    ),
    "the first slot of a frame is left out": Text(
        "roots.dora", "var slot = point + 8L;", "var slot = point + 16L;", MINOR
    ),
    "GC points lack their last slot": Function(Loader, "place", without_last_slot, MINOR),
    "GC points have the slots of the one before": Function(Loader, "place", with_stale_slots, COPY),
    "no write barrier": Function(objects, "needs_barrier", lambda context, object: False, MINOR),
    "the write barrier marks another card": Function(objects, "mark_card", mark_header, SMALL),
    "objects count as new for ever": Function(FrameLayout, "__init__", init_frame, MINOR),
    "maps of references are empty": Function(Shapes, "reference_map", lambda self, cls, references: 0, COPY),
    "promoted objects leave their cards clean": Text(
        "young.dora", "if young && object >= loadLong(heap + HEAP_YOUNG_END)", "if false", MINOR
    ),
    "a block is swept while its card is visited": Text(
        "cards.dora",
        "  while object < from + CARD_SIZE && object <= last {\n"
        "    if (loadLong(object) & 1L) == 0L && isKept(heap, record, object) {",
        "  let swept = !isUnswept(heap, record);\n"
        "  while object < from + CARD_SIZE && object <= last {\n"
        "    if (loadLong(object) & 1L) == 0L && (swept || isMarked(heap, object)) {",
        MINOR,
    ),
    "cards are cleaned, not looked at": Text(
        "cards.dora", "visitCard(heap, (card - loadLong(heap + HEAP_CARDS)) << CARD_SHIFT);", "", SMALL
    ),
    "a cell that begins before its card is left out": Text(
        "cards.dora", "(from - start) / cell * cell", "(from - start + cell - 1L) / cell * cell", SMALL
    ),
    "the last field of an object stays": Text(
        "young.dora",
        "let end = map + 8L + loadLong(map) * 8L;",
        "let end = map + loadLong(map) * 8L;",
        MINOR,
    ),
    "arrays are copied without their last word": Text("objects.dora", "+ 7L) & -8L", "- 1L) & -8L", COPY),
    "a copy is not remembered": Text("collector_copy.dora", "storeLong(object, copy + 1L);", "", COPY),
    "eden is not cleared": Text("collector_generational.dora", "clearMemory(end, to - end);", "", SMALL),
    "old objects that a minor collection meets stay white": Text(
        "young.dora", "{ mark(heap, object); }", "{ }", MINOR
    ),
    "only what marking began with is marked": Text(
        "collector_generational.dora",
        "if isTime && wasMarking { remark(heap); }",
        "if wasMarking { endMarking(heap); }",
        MINOR,
    ),
    "what is promoted while marking goes on is white": Text(
        "young.dora", "{ bornMarked(heap, cell, size); }", "{ }", MINOR
    ),
    "the mark of a neighbour counts": Text(
        "marking.dora", "return 1L << (address >> 3L);", "return 1L << (address >> 4L);", SWEEP
    ),
    "free lists outlive sweeping": Text(
        "blocks.dora", "clearMemory(heap + HEAP_FREE, CELLS_BEHIND_FREE);", "", SWEEP
    ),
    "a cell is given twice": Text("blocks.dora", "storeLong(list, loadLong(cell) - 1L);", "", PLAIN),
    "large objects are freed although they are marked": Text(
        "blocks.dora", "  if isMarked(heap, object) {\n    clearMark", "  if false {\n    clearMark", SWEEP
    ),
    "the rest of a long array is not looked at": Text(
        "marking.dora", "    pushGrey(heap, end + 1L);\n", "", PLAIN
    ),
}


def outcomes(options: tuple[str, ...], folders: Sequence[str] = FOLDERS) -> Iterator[str]:
    """What goes wrong with the programs of these folders, one after the other."""
    size = "800" if "stress" in str(options) else "5000"
    """the argument of the programs that take one"""
    for path in [path for folder in folders for path in sorted((HERE / folder).glob("*.dora"))]:
        case = parse_file(path)
        if case.command is not Command.RUN or case.errors:
            continue
        stdout, stderr = io.BytesIO(), io.BytesIO()
        arguments = ["run", *options, str(path), size]
        status = run_command(arguments, io.BytesIO(case.stdin), stdout, stderr)
        if (status, stdout.getvalue()) != (case.expected_exit, case.expected_stdout):
            yield f"{path.name}: {status} {stderr.getvalue().decode()[:300]}"


def put(plant: Text | Function) -> None:
    """Plant a bug, for as long as this process lives."""
    if isinstance(plant, Function):
        patch.object(plant.owner, plant.name, plant.wrong).start()
        return
    for reader in (read_heap, read_prelude):
        files = dict(reader())
        if plant.file in files:
            assert plant.right in files[plant.file], f"{plant.file} has no {plant.right!r}"
            files[plant.file] = files[plant.file].replace(plant.right, plant.wrong)
            patch.object(library, reader.__name__, partial(list, files.items())).start()
            return
    raise AssertionError(f"the library has no {plant.file}")


def main() -> int:
    plant = PLANTS[sys.argv[1]]
    put(plant)
    return 1 if next(outcomes(plant.options), None) is None else 0


if __name__ == "__main__":
    sys.exit(main())
