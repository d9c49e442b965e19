"""Slices: buffers that are lent to a program for one call, by every compiler."""

from __future__ import annotations

import ctypes
import sys
import threading
from array import array
from collections.abc import Iterator
from functools import partial
from struct import calcsize
from typing import Any

import pytest

import doralang as dora
from doralang.code import layout
from doralang.embed import arrow, instances, programs, slices
from doralang.optional import is_installed
from doralang.settings import Settings
from doralang.types.types import BOOL, DOUBLE

numpy = pytest.importorskip("numpy")

KINDS = {
    "bool": ("?", [True, False, True]),
    "byte": ("u1", [0, 7, 255]),
    "int": ("i4", [-(1 << 31), 5, (1 << 31) - 1]),
    "long": ("i8", [-(1 << 63), 5, (1 << 63) - 1]),
    "float": ("f4", [0.5, -0.0, float("inf")]),
    "double": ("f8", [0.1, -0.0, 1e300]),
}
SETTINGS = {
    "baseline": {"engine": "baseline"},
    "opt": {"engine": "opt", "llvm": False},
    "llvm": {"engine": "opt"},
}

OF_ONE_KIND = """
fun at(xs: Slice<T>, i: int) -> T { return xs[i]; }
fun put(xs: MutSlice<T>, i: int, x: T) { xs[i] = x; }
fun last(xs: Slice<T>, none: T) -> T {
  var found = none;
  for x in xs { found = x; }
  return found;
}
fun lastByIndex(xs: MutSlice<T>, none: T) -> T {
  var found = none;
  var i = 0;
  while i < xs.len() { found = xs[i]; i += 1; }
  return found;
}
fun lastOfChain(xs: Slice<T>, none: T) -> T { return xs.iter().skip(1).fold(none, |_, x| x); }
fun turn(from: Slice<T>, to: MutSlice<T>) {
  let n = from.len();
  for i in 0..n { to[n - 1 - i] = from[i]; }
}
"""

SOURCE = """
var kept: Slice<double> = nil;
var written: MutSlice<double> = nil;
var more: Iterator<double> = nil;
class Holder(let part: Slice<int>)

fun sum(xs: Slice<double>) -> double { return xs.iter().fold(0.0, |a, b| a + b); }
fun scale(xs: MutSlice<double>, by: double) { for i in 0..xs.len() { xs[i] = by * xs[i]; } }
fun keep(xs: MutSlice<double>) -> int {
  kept = xs.readOnly().slice(1, 3);
  written = xs.slice(0, 2);
  let elements: Iterable<double> = kept;
  more = elements.makeIterator();
  return kept.len() + written.len();
}
fun lengths() -> int {
  var rounds = 0;
  for x in kept { rounds += 1; }
  return kept.len() + written.len() + kept.slice(0, 0).len() + rounds;
}
fun read() -> double { return kept[0]; }
fun write() { written[0] = 1.0; }
fun next() -> double { return more.next(); }
fun part(xs: Slice<int>, from: int, to: int) -> int { return xs.slice(from, to).slice(1, 3)[1]; }
fun swap(xs: MutSlice<int>) { xs.swap(0, xs.len() - 1); }
fun back(xs: Slice<int>) -> Slice<int> { return xs; }
fun holder(xs: Slice<int>) -> Holder { return Holder(xs); }
fun held(h: Holder) -> int { return h.part.len(); }
fun busy(xs: Slice<int>, name: Str, rounds: int) -> int {
  var all = 0;
  for i in 0..rounds {
    let waste = Array::<Slice<int>>(100);
    waste[i % 100] = xs.slice(0, 1);
    for x in xs { all += x; }
    all += waste[i % 100][0] + name.len();
  }
  forceCollect();
  return all + xs[xs.len() - 1];
}
fun bytes(data: Slice<byte>) -> int { var all = 0; for b in data { all += b.toInt(); } return all; }
fun calls(xs: MutSlice<double>) -> double { ask(); return xs[0]; }
fun of_texts(xs: Slice<Str>) -> int { return xs.len(); }
"""

LOOPS = """
fun combine(a: Slice<double>, b: Slice<double>, c: double, out: MutSlice<double>) {
  for i in 0..out.len() { out[i] = a[i] * b[i] + c; }
}
fun running(from: Slice<int>, to: MutSlice<int>) {
  var i = 1;
  while i < to.len() { to[i] = to[i - 1] + from[i]; i += 1; }
}
fun mixed(xs: MutSlice<double>, parts: Slice<int>, bytes: MutSlice<byte>) -> int {
  var all = 0;
  for i in 0..xs.len() { xs[i] = xs[i] + 1.5; all = all * 31 + parts[i]; bytes[i] = all.toByte(); }
  return all;
}
fun wrapping(xs: Slice<int>) -> int { var all = 1; for x in xs { all = all * x + all; } return all; }
fun many(xs: Slice<bool>) -> int { var all = 0; for x in xs { all += x.toInt(); } return all; }
fun quotients(xs: Slice<int>, out: MutSlice<int>, by: int) { for i in 0..xs.len() { out[i] = xs[i] / (by - i); } }
var last: Slice<int> = nil;
fun total(xs: Slice<int>) -> int {
  let before = last;
  last = xs;
  var all = 0;
  for i in 0..(if before === nil { 0 } else { xs.len() }) { all += before[i]; }
  return all;
}
"""
MANY = 2500
"""more than two strips"""


@pytest.fixture(name="m", scope="module", params=SETTINGS)
def module(request: pytest.FixtureRequest) -> Iterator[dora.Module]:
    """The program, compiled in one way."""
    options: Any = SETTINGS[request.param]
    if request.param == "llvm" and not is_installed("llvmlite"):
        pytest.skip("needs llvmlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "Settings", lambda: Settings(**options))
        one = "".join(
            OF_ONE_KIND.replace("<T>", f"<{kind}>")
            .replace(": T", f": {kind}")
            .replace("-> T", f"-> {kind}")
            .replace("fun ", f"fun {kind}_")
            for kind in KINDS
        )
        yield dora.compile(SOURCE + LOOPS + one, functions={"ask": ask})


ASKED: list[Any] = []


def ask() -> None:
    ASKED.pop()()


def test_every_kind_is_read_and_written(m: dora.Module) -> None:
    for kind, (dtype, values) in KINDS.items():

        def function(name: str, kind: str = kind) -> Any:
            return getattr(m, f"{kind}_{name}")

        xs = numpy.array(values, dtype)
        none = xs[0].item()
        assert [function("at")(xs, i) for i in range(3)] == values
        for name in ("last", "lastByIndex", "lastOfChain"):
            assert function(name)(xs, none) == values[2], name
            assert function(name)(xs[:0], none) == none
        for i in (-1, 3, -(1 << 31)):
            with pytest.raises(IndexError):
                function("at")(xs, i)
            with pytest.raises(IndexError):
                function("put")(xs, i, none)
        function("put")(xs, 1, values[2])
        assert xs.tolist() == [values[0], values[2], values[2]]


def test_strides_are_kept(m: dora.Module) -> None:
    for kind, (dtype, values) in KINDS.items():
        turn = getattr(m, f"{kind}_turn")
        from_ = numpy.array(values * 7, dtype)
        for step, other in ((1, 2), (-2, 3), (5, -1)):
            part = from_[::step]
            into = numpy.zeros(100, dtype)
            target = into[::other][: len(part)]
            turn(part, target)
            assert target.tolist() == part.tolist()[::-1]
            mask = numpy.zeros(100, bool)
            mask[::other][: len(part)] = True
            assert not into[~mask].any(), "nothing else is written"
    column = numpy.arange(12.0).reshape(3, 4)[:, 1]
    assert m.sum(column) == 15.0
    assert m.sum(numpy.broadcast_to(2.5, 4)) == 10.0
    record = numpy.array([(1, 2.5), (2, 3.5)], [("a", "i1"), ("b", "f8")])
    assert m.sum(record["b"]) == 6.0, "elements need not stand at multiples of their size"


def test_loops_of_many_rounds_do_what_they_say(m: dora.Module) -> None:
    """Elements are gone through without a look at each, as far as all are there."""
    a, b = numpy.arange(MANY) * 0.25, numpy.arange(MANY) - 700.0
    for step in (1, 2, -1):
        out = numpy.zeros(MANY * abs(step))[::step]
        m.combine(a, b, 0.5, out)
        assert (out == a * b + 0.5).all()
        out[:] = 0.0
        m.combine(a, b[::step], 0.5, out[: len(b[::step])])
        assert (out[: len(b[::step])] == a[: len(b[::step])] * b[::step] + 0.5).all()
    xs = numpy.arange(MANY, dtype="i4")
    assert m.wrapping(xs[1:40]) == m.wrapping(xs[39:0:-1].copy()[::-1])
    truths = numpy.arange(MANY, dtype="u1").view("?")
    assert m.many(truths) == m.many(truths[::-1]) == numpy.count_nonzero(truths.view("u1"))


def test_what_a_loop_has_done_before_it_fails_is_done(m: dora.Module) -> None:
    a, b = numpy.ones(MANY), numpy.ones(MANY)
    for there in (0, 1, 15, 16, 1023, 1024, 1025, MANY - 1):
        for first, other in ((a[:there], b), (a, b[:there])):
            out = numpy.zeros(MANY)
            with pytest.raises(dora.IndexOutOfBounds) as raised:
                m.combine(first, other, 1.0, out)
            assert out.tolist() == [2.0] * there + [0.0] * (MANY - there)
            (frame,) = raised.value.trace
            assert frame.line == line_of("out[i] = a[i]")
    out = numpy.zeros(MANY, "i4")
    with pytest.raises(dora.DivisionByZero):
        m.quotients(numpy.full(MANY, 7, "i4"), out, 1100)
    assert out.tolist() == [int(7 / (1100 - i)) if i < 1100 else 0 for i in range(MANY)]


def line_of(text: str) -> int:
    program = SOURCE + LOOPS
    return program[: program.index(text)].count("\n") + 1


def test_loops_may_write_what_they_read(m: dora.Module) -> None:
    """The same elements, or such as are read in a later round; of another kind, too."""
    for shift in (0, 1, -1, 3, 4, 16):
        memory = numpy.arange(MANY + 40.0)
        a, out = memory[20 : 20 + MANY], memory[20 + shift : 20 + shift + MANY]
        expected = memory.tolist()
        for i in range(MANY):
            expected[20 + shift + i] = expected[20 + i] * 0.5 + 1.0
        m.combine(a, numpy.full(MANY, 0.5), 1.0, out)
        assert memory.tolist() == expected
    numbers = numpy.ones(MANY + 1, "i4")
    m.running(numbers[1:], numbers[:-1])
    assert numbers.tolist() == [*range(1, MANY + 1), 1]


def test_elements_of_two_kinds_may_be_the_same_memory(m: dora.Module) -> None:
    for shift in (0, 3, 8, 100):
        memory, other = (numpy.arange(2 * MANY + 200.0) for _ in range(2))
        xs, parts = memory[:MANY], memory.view("i4")[shift : shift + MANY]
        bytes = memory.view("u1")[4001 : 4001 + MANY]
        all, place = 0, other.view("u1")
        for i in range(MANY):
            other[i] += 1.5
            all = (all * 31 + int(other.view("i4")[shift + i]) + (1 << 31)) % (1 << 32) - (1 << 31)
            place[4001 + i] = all & 255
        with numpy.errstate(all="ignore"):
            assert m.mixed(xs, parts, bytes) == all
        assert memory.tobytes() == other.tobytes()


def test_a_loop_over_a_slice_of_an_earlier_call_fails(m: dora.Module) -> None:
    xs = numpy.arange(MANY, dtype="i4")
    assert m.total(xs) == 0
    for again in (xs, xs[::2]):
        with pytest.raises(dora.IndexOutOfBounds):
            m.total(again)


def test_any_exporter_is_good(m: dora.Module) -> None:
    xs = array("d", [1, 2, 3])
    m.scale(xs, 2.0)
    assert xs.tolist() == [2.0, 4.0, 6.0]
    assert m.sum(memoryview(xs)[::-2]) == 8.0
    assert m.bytes(b"abc") == m.bytes(bytearray(b"abc")) == m.bytes(memoryview(b"cba")) == 294
    assert m.sum((ctypes.c_double * 2)(1, 2)) == 3.0
    assert m.bool_at(numpy.array([0, 2, 0x80], "u1").view("?"), 2) is True


def test_what_is_no_such_buffer_is_refused(m: dora.Module) -> None:
    xs = numpy.arange(6.0)
    expected = "`xs`: expected an array of float64, found"
    for value in (None, 1.5, "text", [1.0], m):
        with pytest.raises(TypeError, match=expected):
            m.sum(value)
    with pytest.raises(TypeError, match=r"`xs` is a Slice<double>, of float64, not float32"):
        m.sum(xs.astype("f4"))
    with pytest.raises(TypeError, match="not uint8"):
        m.sum(b"12345678")
    with pytest.raises(TypeError, match=r"`xs` has 2 dimensions; a Slice<double> has one"):
        m.sum(xs.reshape(2, 3))
    with pytest.raises(TypeError, match="0 dimensions"):
        m.sum(numpy.array(1.0))
    with pytest.raises(TypeError, match="big-endian"):
        m.sum(xs.astype(">f8"))
    with pytest.raises(TypeError, match="missing elements"):
        m.sum(numpy.ma.array([1.0, 2.0], mask=[False, True]))
    assert m.sum(numpy.ma.array([1.0, 2.0])) == 3.0
    with pytest.raises(TypeError, match="cannot get in"):
        m.of_texts(numpy.array(["a"]))
    with pytest.raises(TypeError, match="returns a Slice<int>, which cannot come out"):
        m.back(numpy.arange(3, dtype="i4"))


def test_what_is_read_only_stays_so(m: dora.Module) -> None:
    xs = numpy.arange(3.0)
    xs.flags.writeable = False
    assert m.sum(xs) == 3.0
    with pytest.raises(ValueError, match="`xs` cannot be written"):
        m.scale(xs, 2.0)
    with pytest.raises(ValueError, match="`xs` cannot be written"):
        m.byte_put(b"abc", 0, 1)
    assert xs.tolist() == [0.0, 1.0, 2.0]


def test_a_slice_is_empty_after_its_call(m: dora.Module) -> None:
    xs = numpy.arange(5.0)
    assert m.keep(xs) == 4
    assert m.lengths() == 0
    for access in (m.read, m.write, m.next):
        with pytest.raises(dora.IndexOutOfBounds):
            access()
    assert xs.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    holder = m.holder(numpy.arange(3, dtype="i4"))
    assert m.held(holder) == 0
    with pytest.raises(TypeError, match="cannot cross"):
        holder.part  # noqa: B018


def test_a_call_within_the_call_sees_nothing_of_it(m: dora.Module) -> None:
    """The instance is busy while its slices are there."""
    ASKED.append(lambda: m.lengths())
    with pytest.raises(dora.InstanceBusy):
        m.calls(numpy.ones(3))
    assert m.lengths() == 0


def test_buffers_are_held_for_the_call_alone(m: dora.Module) -> None:
    xs = array("d", [1, 2])

    def resize() -> None:
        with pytest.raises(BufferError):
            xs.append(3.0)

    ASKED.append(resize)
    assert m.calls(xs) == 1.0
    xs.append(3.0)
    for name, rest in (("double_at", (7,)), ("double_at", ("x",)), ("double_turn", (b"",))):
        with pytest.raises((IndexError, TypeError, ValueError)):
            getattr(m, name)(xs, *rest)
        xs.append(3.0)
    count = sys.getrefcount(xs)
    m.sum(xs)
    assert sys.getrefcount(xs) == count


def test_parts_are_the_same_elements(m: dora.Module) -> None:
    xs = numpy.arange(10, dtype="i4")
    assert m.part(xs[::-1], 2, 7) == 5
    for from_, to in ((-1, 3), (4, 3), (0, 11), (0, 2)):
        with pytest.raises(IndexError):
            m.part(xs, from_, to)
    m.swap(xs)
    assert xs.tolist() == [9, 1, 2, 3, 4, 5, 6, 7, 8, 0]


def test_slices_move_with_collections(m: dora.Module) -> None:
    xs = numpy.arange(1, 4, dtype="i4")
    assert m.busy(xs, "ab", 5_000) == 5_000 * (6 + 1 + 2) + 3


def test_threads_have_slices_of_their_own() -> None:
    m = dora.compile(
        "fun sum(xs: Slice<double>) -> double { var all = 0.0; for x in xs { all += x; } return all; }"
    )
    results: list[float] = []

    def work(number: int) -> None:
        xs = numpy.full(1000, float(number))
        results.extend(m.sum(xs) for _ in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(1000.0 * number for number in range(4) for _ in range(50))


def test_a_stub_may_have_slices() -> None:
    @dora.function
    def scale(xs: "MutSlice<double>", by: float) -> None:  # noqa: F722
        """for i in 0..xs.len() { xs[i] = by * xs[i]; }"""

    xs = numpy.ones(3)
    scale(xs, by=2.5)
    assert xs.tolist() == [2.5, 2.5, 2.5]
    assert dora.compile("class Slice<T>(let x: T) fun f(s: Slice<int>) {}").f.signature == "f(Slice<int>)"
    with pytest.raises(TypeError, match="annotated"):
        dora.compile("", functions={"g": scale_of_python})


def scale_of_python(xs: "Slice<double>") -> None:  # noqa: F722
    """A Python function cannot have slices."""


def test_columns_of_arrow_can_be_read(m: dora.Module) -> None:
    column = arrow.ArrowColumn(numpy.arange(4.0))
    assert m.sum(column) == 6.0
    with pytest.raises(TypeError, match="`xs` is a column, which cannot be written"):
        m.scale(column, 2.0)
    with pytest.raises(TypeError, match="missing elements"):
        m.sum(arrow.ArrowColumn(numpy.ma.array([1.0, 2.0], mask=[True, False])))
    with pytest.raises(TypeError, match="not int64"):
        m.sum(arrow.ArrowColumn(numpy.arange(3)))


def test_series_can_be_read(m: dora.Module) -> None:
    pandas = pytest.importorskip("pandas")
    series = pandas.Series([1.0, 2.0], index=[5, 7])
    assert m.sum(series) == 3.0
    assert m.sum(pandas.Series([1.0, 2.0], dtype="Float64")) == 3.0
    with pytest.raises(TypeError, match="cannot be written"):
        m.scale(series, 2.0)
    with pytest.raises(TypeError, match="missing elements"):
        m.sum(pandas.Series([1.0, None], dtype="Float64"))


def test_the_layout_is_that_of_the_class(m: dora.Module) -> None:
    """What compilers and hosts take for granted is what the library declares."""
    code = m._program.code
    head = m._program.typed.library.classes["Slice"]
    for kind in (DOUBLE, BOOL):
        with code.space.freeing, code.space.lock:
            cls = code.specializer.class_ref(head.of((kind,)))
        offsets, end = layout.layout_fields(cls)
        assert {field.name: offset for field, offset in offsets.items()} == {
            "address": layout.SLICE_ADDRESS,
            "stride": layout.SLICE_STRIDE,
            "call": layout.SLICE_CALL,
            "length": layout.SLICE_LENGTH,
        }
        assert layout.align(end) == layout.SLICE_SIZE == calcsize(slices.OBJECT)
    places = (layout.SLICE_ADDRESS, layout.SLICE_STRIDE, layout.SLICE_CALL, layout.SLICE_LENGTH)
    assert [calcsize(slices.OBJECT[: 2 + number]) for number in range(4)] == list(places), (
        "they are packed so"
    )


def test_more_elements_than_an_int_counts(m: dora.Module) -> None:
    many = numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (slices.MOST + 1,), (0,))
    with pytest.raises(OverflowError, match="2147483648 elements"):
        m.sum(many)
    assert m.double_at(many[1:], slices.MOST - 1) == 0.0


def test_every_allocation_may_move_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "Settings", partial(Settings, gc_stress=True, gc_verify=True))
    m = dora.compile(SOURCE, functions={"ask": ask})
    xs = numpy.arange(1, 4, dtype="i4")
    assert m.busy(xs, "ab", 20) == 20 * (6 + 1 + 2) + 3
    assert m.part(numpy.arange(10, dtype="i4"), 2, 7) == 4
    ys = numpy.arange(5.0)
    assert m.keep(ys) == 4 and m.lengths() == 0 and m.sum(ys) == 10.0


def test_nothing_writes_what_is_read_only() -> None:
    """Programs have one way from elements that can be written to others, and none back."""
    m = dora.compile(
        "fun read(xs: MutSlice<int>) -> int { return xs.readOnly()[0]; }"
        "fun either(xs: Slice<int>, ys: MutSlice<int>, first: bool) -> int {"
        "  let both = [xs.slice(0, 1).toArray(), ys.slice(0, 1).toArray()];"
        "  return both[if first { 0 } else { 1 }][0]; }"
    )
    xs = numpy.array([7, 8], "i4")
    assert m.read(xs) == m.either(xs, xs, True) == m.either(xs[1:], xs, False) == 7
    for text in (
        "fun f(xs: Slice<int>) { lendPart(MutSlice::<int>(), xs, 0, 1); }",
        "fun f(xs: Slice<int>) { (xs as MutSlice<int>)[0] = 1; }",
        "fun f(xs: Slice<int>) -> long { return xs.address; }",
        "fun f() -> int { return lentElement::<int>(8L); }",
    ):
        with pytest.raises(dora.CompileError):
            dora.compile(text)
