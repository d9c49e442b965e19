"""Internal functions of the library in compiled code: who supplies each of them.

One of five: a primitive operation or an instruction (lowering knows which), a few machine
instructions (`baseline.calls.INLINE`), a function of the library's heap files (`HEAP_FUNCTIONS`), or
Python (`UPCALLS`).  A test looks that each has exactly one.

    "a" + b    CallInternal Str.plus   ->   call of textPlus in library/heap/texts.dora
"""

from __future__ import annotations

from typing import Final

from doralang.code import layout

HEAP_FUNCTIONS: Final[dict[str, str]] = {
    "Str.plus": "textPlus",
    "Str.equals": "textEquals",
    "Str.compareTo": "textCompare",
    "Str.clone": "textClone",
    "stringOfBytes": "textOfBytes",
    "copyBytes": "copyTextBytes",
    "print": "printText",
    "println": "printLine",
    "argc": "argumentCount",
    "argv": "argumentText",
    "getpid": "processId",
    "getppid": "parentProcessId",
    "sleep": "sleepSeconds",
    "native_malloc": "nativeMalloc",
    "native_free": "nativeFree",
    "set_uint8": "nativeStoreByte",
    "unlink": "unlinkFile",
    "loadFunction": "findNative",
    "call0": "nativeCall0",
    "call1": "nativeCall1",
    "call2": "nativeCall2",
    "call3": "nativeCall3",
    "recordStack": "recordFrames",
}
"""by key: the function of the library that is called instead, with the same parameters and result"""

UPCALLS: Final = frozenset(
    [
        "className",
        "fatalError",
        "abort",
        "exit",
        "frameCount",
        "frameOf",
        "frameName",
        "frameLine",
        "frameFile",
        "callByName",
        "flushOutput",
        "collectionEnded",
        "collectionInterrupted",
        "heapIsWrong",
        "prepareCollector",
        "makeHeap",
        "blocksAreExhausted",
    ]
)
"""those that Python supplies"""


def layout_constants() -> str:
    """The layout as a text for `check.library.compiled_library`: each number of it as a constant."""
    numbers = {
        name: value
        for name, value in vars(layout).items()
        if name.isupper() and isinstance(value, int) and not isinstance(value, bool)
    }
    return "".join(f"const {name}: long = {value}L;\n" for name, value in numbers.items())
