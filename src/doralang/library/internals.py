"""The internal functions of the library: one row each, the third table beside primitives and instructions.

`internal fun` in a file of the library says that a function is there; its row says what it means, who
supplies it in compiled code, and what the checker and the compilers must know about it.

    "a" + b    Str.plus   interpreters: interpreter.internals.str_plus
                          compiled code: a call of textPlus in library/heap/texts.dora

Functions that are primitive operations have rows in `types.primitives` and none here, but for the few that
only the library may name.
"""

from __future__ import annotations

from enum import Enum, auto

from doralang.text.records import record, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Supplier(Enum):
    """Who supplies a function in compiled code."""

    LOWERING = auto()
    """it is an instruction, a few of them, or a primitive operation"""
    COMPILER = auto()
    """it is a few machine instructions (`baseline.calls.INLINE`)"""
    LIBRARY = auto()
    """a function of the library's heap files stands in for it"""
    COLLECTOR = auto()
    """a function of the collector in use stands in for it"""
    PYTHON = auto()
    """it is an upcall"""


@record(eq=True, frozen=True)
class Internal:
    """The row of an internal function, which is known by its key: `name`, or `Class.name` of a method."""

    key: str
    supplier: Supplier
    meaning: str = ""
    """its name in `interpreter.internals`; empty if only the heap files, which are compiled, use it, or the
    interpreters have another way"""
    stand_in: str = ""
    """the function of the heap files that is called instead, with the same parameters and result"""
    upcall: str = ""
    """the method of `native.upcalls.Upcalls` that answers with words; empty if the meaning does"""
    is_raw: bool = False
    """works on raw memory: programs cannot name it (E0905)"""
    checks_receiver: bool = False
    """its receiver is checked for nil after the arguments have been evaluated (reference, 11.1)"""
    collects: bool = True
    """a collection can happen while it runs"""
    is_call: bool = True
    """its code calls something, so that registers are lost"""
    writes: bool = True
    """it may write memory of the program"""


def _rows() -> list[Internal]:
    return [*_values(), *_process(), *_outside(), *_traces(), *_foreign(), *_memory(), *_collectors()]


def _lowered(key: str, meaning: str, checks_receiver: bool = False) -> Internal:
    return Internal(
        key, Supplier.LOWERING, meaning, checks_receiver=checks_receiver, collects=False, is_call=False
    )


def _inline(key: str, meaning: str, checks_receiver: bool = False) -> Internal:
    return Internal(
        key,
        Supplier.COMPILER,
        meaning,
        checks_receiver=checks_receiver,
        collects=False,
        is_call=False,
        writes=False,
    )


def _library(key: str, meaning: str, stand_in: str) -> Internal:
    return Internal(key, Supplier.LIBRARY, meaning, stand_in)


def _python(key: str, meaning: str, upcall: str = "") -> Internal:
    return Internal(key, Supplier.PYTHON, meaning, upcall=upcall)


def _asked(key: str, upcall: str) -> Internal:
    """What functions of the heap files ask of Python, who leaves objects alone."""
    return Internal(key, Supplier.PYTHON, upcall=upcall, collects=False)


def _raw(key: str, is_call: bool = False, writes: bool = True) -> Internal:
    return Internal(key, Supplier.COMPILER, is_raw=True, collects=False, is_call=is_call, writes=writes)


def _values() -> list[Internal]:
    """Arrays and strings."""
    return [
        replaced(_lowered("Array.Array", "make_array"), collects=True),
        _lowered("Array.len", "array_len", checks_receiver=True),
        _lowered("Array.get", "array_get", checks_receiver=True),
        _lowered("Array.set", "array_set", checks_receiver=True),
        *_lent(),
        _lowered("defaultValue", ""),
        _inline("outOfBounds", "out_of_bounds"),
        _inline("valueMissing", "value_missing"),
        _inline("Str.len", "str_len", checks_receiver=True),
        _inline("Str.getByte", "str_get_byte", checks_receiver=True),
        _library("Str.plus", "str_plus", "textPlus"),
        _library("Str.equals", "str_equals", "textEquals"),
        _library("Str.compareTo", "str_compare_to", "textCompare"),
        _library("textHash", "text_hash", "hashOfText"),
        _library("Str.clone", "str_clone", "textClone"),
        _library("stringOfBytes", "string_of_bytes", "textOfBytes"),
        _library("copyBytes", "copy_bytes", "copyTextBytes"),
        _library("asciiEnd", "ascii_end", "endOfAscii"),
        _library("newlineIn", "newline_in", "findNewline"),
        _python("className", "class_name", upcall="class_name"),
    ]


def _lent() -> list[Internal]:
    """Slices.  What is written in them is no memory of the program."""
    return [
        _inline("LentElements.len", "lent_length", checks_receiver=True),
        _inline("LentElements.get", "no_lent_element", checks_receiver=True),
        _inline("MutSlice.set", "no_lent_element", checks_receiver=True),
        _inline("lentElement", "no_lent_element"),
        _inline("lentTogether", "not_together"),
        _inline("lentAt", "no_lent_element"),
        _inline("setLentAt", "no_lent_element"),
    ]


def _process() -> list[Internal]:
    """The process: its output, its arguments, its end."""
    return [
        _library("print", "print_text", "printText"),
        _library("println", "print_line", "printLine"),
        _lowered("assert", "assert_true"),
        _python("fatalError", "fatal_error"),
        _python("abort", "abort"),
        _python("exit", "exit_process"),
        _library("argc", "argument_count", "argumentCount"),
        _library("argv", "argument", "argumentText"),
        _library("sleep", "sleep", "sleepSeconds"),
        _library("getpid", "process_id", "processId"),
        _library("getppid", "parent_process_id", "parentProcessId"),
        _library("unlink", "unlink", "unlinkFile"),
        Internal("forceCollect", Supplier.COLLECTOR, "force_collect"),
        _asked("flushOutput", "flush_output"),
    ]


def _outside() -> list[Internal]:
    """Files, standard input, the environment, time."""
    return [
        _python("loadFile", "load_file"),
        _python("loadRest", "load_rest", upcall="load_rest"),
        _library("takeLoaded", "take_loaded", "loadedText"),
        _asked("loadedSize", "loaded_size"),
        _asked("fillLoaded", "fill_loaded"),
        _python("writeWhole", "write_whole", upcall="write_file"),
        _python("isFile", "is_file"),
        _python("readPiece", "read_piece", upcall="read_piece"),
        _python("reasonOfFailure", "reason_of_failure"),
        _python("environmentText", "environment_text"),
        _library("currentMillis", "current_millis", "milliseconds"),
        _library("monotonicNanos", "monotonic_nanos", "nanoseconds"),
    ]


def _traces() -> list[Internal]:
    """Stack traces, and calls by name."""
    return [
        _library("recordStack", "record_stack", "recordFrames"),
        _python("frameName", "frame_name"),
        _python("frameCount", "frame_count", upcall="frame_count"),
        _python("frameOf", "frame_of_chain", upcall="frame_of"),
        _python("frameLine", "frame_line"),
        _python("frameFile", "frame_file"),
        _python("callByName", "call_by_name"),
    ]


def _foreign() -> list[Internal]:
    """Functions of C, and memory of its own."""
    return [
        _library("loadFunction", "load_function", "findNative"),
        *(_library(f"call{count}", "call_native", f"nativeCall{count}") for count in range(4)),
        _library("native_malloc", "native_malloc", "nativeMalloc"),
        _library("native_free", "native_free", "nativeFree"),
        _library("set_uint8", "store_byte", "nativeStoreByte"),
    ]


NATIVE_ARGUMENTS: Final = 6
"""`callNative6` has the most"""


def _memory() -> list[Internal]:
    """Raw memory, for the heap files alone (reference, 16.4)."""
    reading = """
        loadByte loadShort loadInt loadLong addressOf fromAddress threadAddress framePointer attentionWanted
        nativeAddress
    """
    writing = "storeByte storeShort storeInt storeLong compareAndSwapLong fence"
    bits = ("doubleBits", "doubleFromBits", "floatBits", "floatFromBits", "multiplyHigh")
    return [
        *(_raw(key, writes=False) for key in reading.split()),
        *(_raw(key) for key in writing.split()),
        *(replaced(_lowered(key, ""), is_raw=True) for key in bits),
        _raw("copyMemory"),
        _raw("clearMemory"),
        *(_raw(f"callNative{count}", is_call=True) for count in range(NATIVE_ARGUMENTS + 1)),
        Internal("newText", Supplier.COMPILER),
    ]


def _collectors() -> list[Internal]:
    """What collectors ask of Python."""
    return [
        _asked("prepareCollector", "prepare_collector"),
        _asked("makeHeap", "make_heap"),
        _asked("collectionEnded", "collection_ended"),
        _asked("collectionInterrupted", "collection_interrupted"),
        _asked("heapIsWrong", "heap_is_wrong"),
        _asked("collectHalves", "collect_halves"),
        _asked("blocksAreExhausted", "blocks_are_exhausted"),
    ]


INTERNALS: Final = {row.key: row for row in _rows()}

RAW: Final = frozenset(key for key, row in INTERNALS.items() if row.is_raw)
"""what programs cannot name"""

CHECKS_RECEIVER: Final = frozenset(key for key, row in INTERNALS.items() if row.checks_receiver)

WITHOUT_CALL: Final = frozenset(
    key for key, row in INTERNALS.items() if row.supplier is Supplier.COMPILER and not row.is_call
)
"""functions that are a few machine instructions and no call"""

QUIET: Final = frozenset(
    key for key, row in INTERNALS.items() if row.supplier is Supplier.COMPILER and not row.writes
)
"""those that write no memory of the program, as far as the compiler supplies them"""
