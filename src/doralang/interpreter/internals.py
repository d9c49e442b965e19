"""The internal functions of the library that are no primitive operations: what each of them means.

Their rows in `library.internals` name the functions here.  A meaning gets the context and the arguments, the
receiver first; receivers of methods are never nil, that is the caller's business.

    Str.plus   (context, "a", "b")  ->  "ab"
    assert     (context, False)     ->  raises Trapped(ASSERT)
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from doralang.interpreter import natives
from doralang.interpreter.context import FrameDescription, HostContext
from doralang.interpreter.objects import Array, ClassInstance, Object, Str, Value, default_value, new_array
from doralang.interpreter.output import as_utf8
from doralang.interpreter.outside import TOO_LARGE, environment_variable, exists
from doralang.library.internals import INTERNALS
from doralang.types.failures import Exit, FatalError, Trapped
from doralang.types.traps import Trap
from doralang.types.types import ClassType

T = TypeVar("T")

BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")


def not_nil(value: T | None) -> T:
    """The argument, or the failure if it is nil."""
    if value is None:
        raise Trapped(Trap.NIL)
    return value


def bytes_of(array: Array) -> bytearray:
    """The elements of an `Array<byte>`."""
    assert isinstance(array.items, bytearray), "the type checker lets only byte arrays through"
    return array.items


# Arrays.


def make_array(context: HostContext, type: ClassType, length: int = 0, *value: Value) -> Array:
    """`Array::<T>(…)`: what differs is the number of arguments."""
    first = value[0] if value else default_value(type.arguments[0])
    return new_array(type, length, first, context.heap_size)


def array_len(context: HostContext, array: Array) -> int:
    return len(array.items)


def array_get(context: HostContext, array: Array, index: int) -> Value:
    items = array.items
    if 0 <= index < len(items):
        return items[index]
    raise Trapped(Trap.INDEX)


def array_set(context: HostContext, array: Array, index: int, value: Value) -> None:
    items = array.items
    if not 0 <= index < len(items):
        raise Trapped(Trap.INDEX)
    items[index] = value  # type: ignore[assignment]


def out_of_bounds(context: HostContext) -> None:
    raise Trapped(Trap.INDEX)


def value_missing(context: HostContext) -> None:
    raise Trapped(Trap.MISSING)


# Slices: nobody lends memory to a program that is interpreted.


def lent_length(context: HostContext, slice: ClassInstance) -> int:
    return 0


def not_together(context: HostContext, slice: ClassInstance, size: int) -> int:
    return 0


def no_lent_element(context: HostContext, *operands: Value) -> Value:
    raise Trapped(Trap.INDEX)


# Strings.


def str_len(context: HostContext, text: Str) -> int:
    return len(text.data)


def str_get_byte(context: HostContext, text: Str, index: int) -> int:
    if 0 <= index < len(text.data):
        return text.data[index]
    raise Trapped(Trap.INDEX)


def str_plus(context: HostContext, left: Str, right: Str | None) -> Str:
    return context.text(left.data + not_nil(right).data)


def str_equals(context: HostContext, left: Str, right: Str | None) -> bool:
    return left.data == not_nil(right).data


def str_compare_to(context: HostContext, left: Str, right: Str | None) -> int:
    mine, other = left.data, not_nil(right).data
    return (mine > other) - (mine < other)


HASH_FACTOR: Final = 0x2545F4914F6CDD1D
HASH_OFFSET: Final = 0x9E3779B97F4A7C15
WORD_BITS: Final = 64
WORD_MASK: Final = (1 << WORD_BITS) - 1


def text_hash(context: HostContext, text: Str | None, seed: int) -> int:
    """What `hashOfText` of the heap files computes, eight bytes at a time."""
    data, key = not_nil(text).data, seed & WORD_MASK
    factor = HASH_FACTOR ^ ((key << 32 | key >> 32) & WORD_MASK & ~1)
    hash = len(data) ^ key
    for at in range(0, len(data), 8):
        hash = folded_product(hash ^ int.from_bytes(data[at : at + 8], "little"), factor)
    upper = folded_product(hash ^ key ^ HASH_OFFSET, factor) >> 32
    return upper - (1 << 32) if upper >> 31 else upper


def folded_product(x: int, factor: int) -> int:
    """The two halves of a product, one upon the other."""
    product = x * factor
    return (product ^ product >> WORD_BITS) & WORD_MASK


def str_clone(context: HostContext, text: Str) -> Str:
    return context.text(text.data)


def string_of_bytes(context: HostContext, array: Array | None, offset: int, length: int) -> Str:
    return context.text(bytes(bytes_of(not_nil(array))[offset : offset + length]))


def copy_bytes(
    context: HostContext, text: Str | None, start: int, array: Array, to: int, length: int
) -> None:
    bytes_of(array)[to : to + length] = not_nil(text).data[start : start + length]


def ascii_end(context: HostContext, array: Array, start: int, end: int) -> int:
    found = BEYOND_ASCII.search(bytes_of(array), start, end)
    return found.start() if found else end


def newline_in(context: HostContext, array: Array, start: int, end: int) -> int:
    return bytes_of(array).find(b"\n", start, end)


def class_name(context: HostContext, object: ClassInstance | None) -> Str:
    return context.text(str(not_nil(object).type).encode())


# The process.


def print_text(context: HostContext, text: Str | None) -> None:
    context.output.write(not_nil(text).data)


def print_line(context: HostContext, text: Str | None) -> None:
    context.output.write(not_nil(text).data + b"\n")


def assert_true(context: HostContext, value: bool) -> None:
    if not value:
        raise Trapped(Trap.ASSERT)


def fatal_error(context: HostContext, message: Str | None) -> None:
    raise FatalError(f"fatal error: {not_nil(message)}")


def abort(context: HostContext) -> None:
    raise FatalError("program aborted.")


def exit_process(context: HostContext, status: int) -> None:
    raise Exit(status)


def argument_count(context: HostContext) -> int:
    return len(context.arguments)


def argument(context: HostContext, index: int) -> Str:
    if 0 <= index < len(context.arguments):
        return context.text(context.arguments[index])
    raise Trapped(Trap.INDEX)


def sleep(context: HostContext, seconds: int) -> None:
    """There is no waiting for negative seconds.  What was printed is to be seen meanwhile."""
    context.output.flush()
    time.sleep(max(0, seconds))


def process_id(context: HostContext) -> int:
    return os.getpid()


def parent_process_id(context: HostContext) -> int:
    return os.getppid()


def unlink(context: HostContext, name: Str | None) -> bool:
    try:
        os.unlink(not_nil(name).data)
    except (OSError, ValueError):
        return False
    return True


def force_collect(context: HostContext) -> None:
    """Memory is Python's business."""


# Files, standard input, the environment, time.


def load_file(context: HostContext, path: Str | None) -> bool:
    return context.outside.load_file(not_nil(path).data)


def load_rest(context: HostContext, array: Array, start: int, end: int) -> bool:
    context.output.flush()
    return context.outside.load_rest(bytes(bytes_of(array)[start:end]))


def take_loaded(context: HostContext) -> Str:
    if context.outside.size == TOO_LARGE:
        raise Trapped(Trap.MEMORY)
    return context.text(context.outside.take())


def write_whole(context: HostContext, path: Str | None, text: Str | None, append: bool) -> bool:
    return context.outside.write(not_nil(path).data, not_nil(text).data, append=append)


def is_file(context: HostContext, path: Str | None) -> bool:
    return exists(not_nil(path).data)


def read_piece(context: HostContext, array: Array, start: int) -> int:
    context.output.flush()
    items = bytes_of(array)
    data = context.outside.read_piece(len(items) - start)
    if data is None:
        return -1
    items[start : start + len(data)] = data
    return len(data)


def reason_of_failure(context: HostContext) -> Str:
    return context.text(as_utf8(context.outside.reason))


def environment_text(context: HostContext, name: Str | None) -> Str | None:
    value = environment_variable(not_nil(name).data)
    return None if value is None else context.text(value)


def current_millis(context: HostContext) -> int:
    return time.time_ns() // 1_000_000


def monotonic_nanos(context: HostContext) -> int:
    return time.monotonic_ns()


# Stack traces and calls by name.


def record_stack(context: HostContext) -> Array:
    return context.longs(context.engine.record_stack())


def frame_of(context: HostContext, entry: int) -> FrameDescription:
    return context.engine.describe(entry)


def frame_name(context: HostContext, entry: int) -> Str:
    return context.text(frame_of(context, entry).signature.encode())


def frame_count(context: HostContext, entry: int) -> int:
    """Nothing is inlined here."""
    return 1


def frame_of_chain(context: HostContext, entry: int, index: int) -> int:
    return entry


def frame_line(context: HostContext, entry: int) -> int:
    return frame_of(context, entry).line


def frame_file(context: HostContext, entry: int) -> Str | None:
    file = frame_of(context, entry).file
    return None if file is None else context.text(as_utf8(file))


def call_by_name(context: HostContext, name: Str | None) -> None:
    context.engine.call_by_name(str(not_nil(name)))


# Native code.


def load_function(context: HostContext, name: Str | None) -> int:
    return natives.function_address(not_nil(name).data)


def call_native(context: HostContext, address: int, *arguments: int) -> int:
    return natives.call(not_nil(address or None), arguments)


def native_malloc(context: HostContext, size: int) -> int:
    return natives.malloc(size)


def native_free(context: HostContext, address: int) -> None:
    natives.free(address)


def store_byte(context: HostContext, address: int, value: int) -> None:
    natives.store_byte(address, value)


CONSTRUCTORS: Final[dict[str, Callable[..., Object]]] = {"Array.Array": make_array}
"""Internal constructors.  They get the type of the new object between context and arguments."""

MEANINGS: Final[dict[str, Callable[..., Value]]] = {
    key: globals()[row.meaning] for key, row in INTERNALS.items() if row.meaning and key not in CONSTRUCTORS
}
"""by key"""
