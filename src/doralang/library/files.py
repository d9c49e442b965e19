"""The files of the library, in the order in which they are read, and the names they give to programs.

The prelude is for every engine; the files of the heap, which use raw memory, are for compiled code only.
The order decides nothing for programs; newcomers may read the files in it.  All names that are not listed
here are for the library itself (reference, 14.1).
"""

from __future__ import annotations

import os.path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PRELUDE: Final = (
    "object.dora",
    "primitives.dora",
    "hashing.dora",
    "arrays.dora",
    "slices.dora",
    "strings.dora",
    "text_search.dora",
    "decimals.dora",
    "utf8.dora",
    "string_buffer.dora",
    "vector.dora",
    "sorting.dora",
    "iterators.dora",
    "ranges.dora",
    "traits.dora",
    "tuples.dora",
    "option.dora",
    "functions.dora",
    "hash_map.dora",
    "hash_set.dora",
    "deque.dora",
    "priority_queue.dora",
    "random.dora",
    "numbers_to_text.dora",
    "powers_of_ten.dora",
    "exceptions.dora",
    "process.dora",
    "files.dora",
    "standard_input.dora",
    "environment.dora",
    "native.dora",
    "testing.dora",
    "formulas.dora",
)

HEAP: Final = (
    "raw.dora",
    "texts.dora",
    "output.dora",
    "system.dora",
    "stack.dora",
    "objects.dora",
    "roots.dora",
    "pauses.dora",
    "blocks.dora",
    "marking.dora",
    "cards.dora",
    "young.dora",
    "collector_zero.dora",
    "collector_copy.dora",
    "collector_sweep.dora",
    "collector_generational.dora",
    "verify.dora",
)
"""Functions of these files are not shown in stack traces: they stand for internal functions."""

FUNCTIONS: Final = """
    abort appendFile argc argv assert bubbleSort call call0 call1 call2 call3 currentMillis defaultValue
    environment exit fatalError fileExists forceCollect getpid getppid isValidUtf8 loadFunction monotonicNanos
    native_free native_malloc native_string print println range readFile readInput readLine removeItem
    set_uint8 sleep throwFromNative throwFromNativeButNotThrows unimplemented unreachable writeFile
"""
CLASSES: Final = """
    Array bool byte char ClosedIntRange ClosedLongRange Deque double Exception File float HashMap HashSet int
    IntRange IntRangeIter IoError long LongRange MutSlice Object Option PriorityQueue Random Result
    Slice StackTraceElement Str StrCodePointIterator StringBuf Testing Vec
"""
TRAITS: Final = "Comparable Equals Hash Iterable Iterator Number Show"

VARIANTS: Final = "None Some Ok Err"

PUBLIC_NAMES: Final = frozenset(f"{FUNCTIONS} {CLASSES} {TRAITS} {VARIANTS}".split())
"""What programs see of the prelude."""

_GRANTED: Final = """
    appendFile call0 call1 call2 call3 currentMillis environment File fileExists getpid getppid IoError
    loadFunction monotonicNanos native_free native_malloc native_string readFile readInput readLine set_uint8
    sleep writeFile
"""
GRANTED: Final = frozenset(_GRANTED.split())
"""The names among them that a host must grant (reference, 1.6)."""

FOLDER: Final = os.path.join(os.path.dirname(__file__), "prelude")
HEAP_FOLDER: Final = os.path.join(os.path.dirname(__file__), "heap")


def read_prelude() -> list[tuple[str, str]]:
    """Name and text of each file."""
    return [(name, read_file(FOLDER, name)) for name in PRELUDE]


def read_heap() -> list[tuple[str, str]]:
    """Name and text of each file."""
    return [(name, read_file(HEAP_FOLDER, name)) for name in HEAP]


def read_file(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()
