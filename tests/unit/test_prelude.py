"""The library's Dora code against Python's own strings, lists and numbers."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doralang.checker.library import prelude
from doralang.checker.program import Function
from doralang.interpreter.objects import Array, Str, Value
from doralang.types.failures import Failure
from doralang.types.traps import Trap
from doralang.types.types import BYTE, INT, ClassType
from walking import Walk, run

LIBRARY = prelude().library
WALK = Walk("""
    fun code(iterator: StrCodePointIterator) -> int { return iterator.next().toInt(); }
    fun rest(text: Str, at: int) -> Str { return StrCodePointIterator(text, at).toString(); }
    fun count(text: Str, at: int) -> int { return StrCodePointIterator(text, at).len(); }
    fun part(text: Str, offset: int, len: int) -> Str { return Str::fromStrPartOrNull(text, offset, len); }
    fun bytesPart(val: Array<byte>, offset: int, len: int) -> Str {
      do { return try Str::fromBytesPart(val, offset, len); } catch e: Str { return nil; }
    }
    fun again(text: Str) -> Str {
      let buffer = StringBuf();
      let points = text.codePoints();
      while points.hasNext() { buffer.appendChar(points.next()); }
      return buffer.toString();
    }
    fun sorted(a: Array<int>) -> Array<int> { bubbleSort(a); return a; }
    fun without(a: Array<int>, x: int) -> Array<int> {
      let vec = Vec::<int>();
      for i in range(0, a.len()) { vec.push(a[i]); }
      removeItem(vec, x);
      let kept = Array::<int>(vec.len());
      for i in range(0, kept.len()) { kept[i] = vec[i]; }
      return kept;
    }
    fun main() {}
""")
TEXTS = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aé€𝄞\0")), max_size=12)


def text(value: str) -> Str:
    return Str(LIBRARY.classes["Str"].of(), value.encode())


def array_type(element: type[int] | object) -> ClassType:
    return LIBRARY.classes["Array"].of((element,))  # type: ignore[arg-type]


def bytes_array(data: bytes) -> Array:
    return Array(array_type(BYTE), bytearray(data))


def ints(values: list[int]) -> Array:
    return Array(array_type(INT), array("i", values))


def method(owner: str, name: str) -> Function:
    return LIBRARY.classes[owner].methods[name]


def call(owner: str, name: str, *arguments: Value) -> Value:
    return WALK.interpreter.call(method(owner, name), list(arguments))


def data_of(value: Value) -> bytes | None:
    return value.data if isinstance(value, Str) else None


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# Strings.


def check_utf8(data: bytes) -> None:
    assert WALK.call("isValidUtf8", bytes_array(data)) is is_utf8(data), data


def test_utf8_of_all_first_two_bytes() -> None:
    for first in [*range(0x70, 0x90), *range(0xB8, 0x100)]:
        for second in (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF):
            for more in (b"", b"\x80", b"\xbf\x80", b"\x80\x80a", b"\x7f\x80", b"\x80\xc0"):
                check_utf8(bytes([first, second]) + more)


@given(
    st.lists(
        st.sampled_from([b"a", b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9d\x84\x9e", b"\x80", b"\xe2", b"\xff"])
    )
)
@settings(max_examples=100, deadline=None)
def test_utf8_of_sequences(parts: list[bytes]) -> None:
    check_utf8(b"".join(parts))


@given(TEXTS, st.integers(-2, 30), st.integers(-2, 30))
@settings(max_examples=200, deadline=None)
def test_parts(value: str, offset: int, length: int) -> None:
    data = value.encode()
    part = data[offset : offset + length] if 0 <= offset <= len(data) and length >= 0 else b"\xff"
    expected = part if is_utf8(part) else None
    assert data_of(WALK.call("part", text(value), offset, length)) == expected
    assert data_of(WALK.call("bytesPart", bytes_array(data), offset, length)) == expected


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_code_points(value: str) -> None:
    assert data_of(WALK.call("again", text(value))) == value.encode()
    assert WALK.call("count", text(value), 0) == len(value)
    at = 0
    for index, character in enumerate(value):
        assert data_of(WALK.call("rest", text(value), at)) == value[index:].encode()
        at += len(character.encode())


@pytest.mark.parametrize("function", ["rest", "count"])
def test_iterators_do_not_start_inside_a_character(function: str) -> None:
    with pytest.raises(Failure) as caught:
        WALK.call(function, text("aé"), 2)
    assert caught.value.line == "fatal error: unexpected continuation byte"


def parsed(value: str) -> int:
    digits = value[1:] if value[:1] in ("+", "-") else value
    if not digits or not all("0" <= character <= "9" for character in digits):
        return 0
    number = int(value)
    return number if -(2**31) <= number < 2**31 else 0


@given(st.one_of(st.text(alphabet="0123456789+-x ", max_size=6), st.integers(-(2**33), 2**33).map(str)))
@settings(max_examples=200, deadline=None)
def test_parse_int(value: str) -> None:
    assert call("Str", "parseInt", text(value)) == parsed(value)


@pytest.mark.parametrize(
    "value",
    [
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "00000000000000000007",
        "9" * 30,
        "+5",
        "+",
        "-",
        "",
    ],
)
def test_parse_int_at_the_edges(value: str) -> None:
    assert call("Str", "parseInt", text(value)) == parsed(value)


@given(st.integers(-(2**31), 2**31 - 1))
@settings(deadline=None)
def test_code_points_of_numbers(value: int) -> None:
    valid = 0 <= value < 0xD800 or 0xE000 <= value <= 0x10FFFF
    assert WALK.call("isCodePoint", value) is valid


# Arrays and vectors.


@given(st.lists(st.sampled_from([-(2**31), -1, 0, 1, 2, 2**31 - 1]), max_size=10))
@settings(max_examples=100, deadline=None)
def test_bubble_sort(values: list[int]) -> None:
    result = WALK.call("sorted", ints(values))
    assert isinstance(result, Array) and list(result.items) == sorted(values)


@given(st.lists(st.integers(0, 3), max_size=10), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_remove_item(values: list[int], unwanted: int) -> None:
    result = WALK.call("without", ints(values), unwanted)
    assert isinstance(result, Array) and list(result.items) == [x for x in values if x != unwanted]


def test_capacity_of_vectors() -> None:
    text = """
        fun main() {
          let vec = Vec::<int>();
          var last = -1;
          for i in range(0, 20) {
            if vec.capacity() != last { last = vec.capacity(); print(last.toString() + " "); }
            vec.push(i);
          }
          vec.removeAt(3); vec.pop(); vec.trimToLen();
          print(vec.capacity().toString() + " " + vec[3].toString() + " ");
          while vec.len() > 0 { vec.pop(); }
          vec.trimToLen();
          print(vec.capacity().toString());
        }
    """
    assert run(text).out == "0 4 8 16 32 18 4 0"


@pytest.mark.parametrize(
    "code", ["vec[1];", "vec[-1];", "vec[1] = 2;", "vec.removeAt(1);", "vec.pop(); vec.pop();"]
)
def test_wrong_indices_of_vectors(code: str) -> None:
    result = run(f"fun main() {{ let vec = Vec::<int>(); vec.push(7); {code} }}")
    lines = result.err.splitlines()
    assert (result.status, lines[0], lines[-1]) == (102, Trap.INDEX.text, "1: main(): 1")
    assert lines[1].startswith("0: Vec.")


# Numbers.

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.5]


def order(value: float) -> tuple[float, float]:
    """Numbers in order, -0 before 0."""
    return value, math.copysign(1.0, value)


def same(left: Value, right: float) -> bool:
    assert isinstance(left, float)
    return (left != left and right != right) or order(left) == order(right)


@pytest.mark.parametrize("kind", ["double", "float"])
def test_minimum_and_maximum_of_floats(kind: str) -> None:
    for x in SPECIAL:
        for y in SPECIAL:
            nan = x != x or y != y
            assert same(call(kind, "min", x, y), math.nan if nan else min(x, y, key=order))
            assert same(call(kind, "max", x, y), math.nan if nan else max(x, y, key=order))
        assert same(call(kind, "abs", x), abs(x))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-9, 9), st.integers(-9, 9))
@settings(deadline=None)
def test_integers(x: int, low: int, high: int) -> None:
    for kind, bits in (("int", 32), ("long", 64)):
        assert call(kind, "min", x, low) == min(x, low)
        assert call(kind, "max", x, low) == max(x, low)
        assert call(kind, "abs", x) == (abs(x) + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
        if low <= high:
            assert call(kind, "clamp", x, low, high) == min(max(x, low), high)
