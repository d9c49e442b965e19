"""Sequences and buffers as arguments of type `Array<T>`: copied, exactly or with an error."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

import doralang as dora
from doralang.machine.targets import host

pytestmark = pytest.mark.skipif(host() is None, reason="there is no compiled code")

SOURCE = """
fun ints(xs: Array<int>) -> long { var s = 0L; for x in xs { s += x.toLong(); } return s; }
fun longs(xs: Array<long>) -> long { var s = 0L; for x in xs { s += x; } return s; }
fun doubles(xs: Array<double>) -> double { var s = 0.0; for x in xs { s += x; } return s; }
fun floats(xs: Array<float>) -> double { var s = 0.0; for x in xs { s += x.toDouble(); } return s; }
fun bytes(xs: Array<byte>) -> int { var s = 0; for x in xs { s += x.toInt(); } return s; }
fun bools(xs: Array<bool>) -> int { var s = 0; for x in xs { if x { s += 1; } } return s; }
fun chars(xs: Array<char>) -> Str { let b = StringBuf(); for x in xs { b.appendChar(x); } return b.toString(); }
fun both(xs: Array<int>, name: Str, ys: Array<double>) -> Str { name + xs.len().toString() + ys.len().toString() }
fun change(xs: Array<int>) -> Array<int> { xs[0] = 7; return xs; }
fun isNil(xs: Array<int>) -> bool { return xs === nil; }
"""


@pytest.fixture(scope="module")
def m() -> dora.Module:
    return dora.compile(SOURCE)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ints", [1, -2, 3], 2),
        ("ints", (), 0),
        ("ints", range(100), 4950),
        ("ints", array("i", [1, 2, -(1 << 31)]), 3 - (1 << 31)),
        ("ints", array("q", [1, 2]), 3),
        ("ints", memoryview(array("i", range(10)))[::3], 18),
        ("longs", [1 << 62, -(1 << 62), 5], 5),
        ("longs", array("q", [1 << 40]), 1 << 40),
        ("doubles", [1, 2.5], 3.5),
        ("doubles", array("d", [0.5, 0.25]), 0.75),
        ("doubles", array("f", [0.5]), 0.5),
        ("floats", [0.1], 0.10000000149011612),
        ("bytes", b"\x01\xff", 256),
        ("bytes", [255, 0, 1], 256),
        ("bools", [True, False, True], 2),
        ("chars", ["a", "ä", "\U0001f600"], "aä\U0001f600"),
    ],
)
def test_elements(m: dora.Module, name: str, value: Any, expected: object) -> None:
    assert getattr(m, name)(value) == expected


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("ints", [1, 1 << 31], OverflowError, r"`xs\[1\]`: 2147483648 does not fit int"),
        ("ints", array("q", [1 << 40]), OverflowError, r"`xs\[0\]`: 1099511627776 does not fit int"),
        ("ints", [1.0], TypeError, r"`xs\[0\]`: expected int, found float"),
        ("ints", [True], TypeError, r"`xs\[0\]`: expected int, found bool"),
        ("ints", "123", TypeError, "`xs`: expected a sequence for Array<int>, found str"),
        ("ints", 5, TypeError, "`xs`: expected a sequence for Array<int>, found int"),
        ("chars", ["ab"], TypeError, "a str of one character"),
        ("bytes", [256], OverflowError, "does not fit byte"),
    ],
)
def test_what_does_not_fit(
    m: dora.Module, name: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(m, name)(value)


def test_they_are_copies_and_objects_stay_themselves(m: dora.Module) -> None:
    mine = [1, 2, 3]
    changed = m.change(mine)
    assert mine == [1, 2, 3] and m.ints(changed) == 12
    assert m.isNil(None) and not m.isNil([])
    assert m.both([1, 2], "x", [1.0]) == "x21"


def test_numpy(m: dora.Module) -> None:
    np = pytest.importorskip("numpy")
    assert m.ints(np.arange(10, dtype="i4")[::2]) == 20
    assert m.ints(np.arange(10, dtype="i8")) == m.longs(np.arange(10)) == 45
    assert m.bools(np.array([True, False])) == 1
    assert m.doubles(np.arange(3.0)) == 3.0
    with pytest.raises(TypeError, match="2 dimensions"):
        m.ints(np.zeros((2, 2), "i4"))


def test_they_count_as_memory() -> None:
    small = dora.compile(SOURCE, limits=dora.Limits(memory="1MB"))
    with pytest.raises(dora.OutOfMemory):
        small.longs(array("q", bytes(4 << 20)))
    with pytest.raises(dora.OutOfMemory):
        small.longs(range(1 << 30))  # none of them is made
    with pytest.raises(OverflowError, match="has 2147483648 elements"):
        small.longs(range(1 << 31))
    assert small.longs([1, 2]) == 3


def test_many_while_the_heap_is_collected(m: dora.Module) -> None:
    for number in range(300):
        assert m.both(range(number * 100), "n", [0.0] * number) == f"n{number * 100}{number}"


def test_a_stub_may_have_them() -> None:
    @dora.function
    def total(xs: "Array<int>") -> int:  # noqa: F722
        """
        var sum = 0;
        for x in xs { sum += x; }
        return sum;
        """

    assert total([1, 2, 3]) == 6


def test_any_byte_but_0_is_true() -> None:
    m = dora.compile(
        "fun same(xs: Array<bool>) -> bool { return xs[0] == xs[1] && xs[0] == true && !xs[2]; }"
    )
    assert m.same(memoryview(bytes([2, 128, 0])).cast("?"))


@pytest.mark.parametrize("dtype", [">i4", ">f2", "O", "c16", [("a", "i4")]])
def test_formats_that_python_does_not_read(m: dora.Module, dtype: Any) -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match="`xs` has elements of format .*, which Array<int> does not take"):
        m.ints(numpy.zeros(2, dtype=dtype))
