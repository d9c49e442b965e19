"""Functions of programs over arrays: `map` and `over`."""

from __future__ import annotations

import gc
import threading
import weakref
from array import array
from typing import Any

import pytest

import doralang as dora

numpy = pytest.importorskip("numpy")

KINDS = {"bool": "?", "byte": "u1", "int": "i4", "long": "i8", "float": "f4", "double": "f8"}

SOURCE = """
fun grow(x: double, k: int) -> double { var all = 0.0; for i in 0..k { all += x; } return all; }
fun divide(a: int, b: int) -> int { return a / b; }
fun refuse(n: int) throws -> bool { if n > 2 { throw Exception("${n} is too large"); } return n == 1; }
fun elements(n: int) -> int { return -n; }
fun length(text: Str) -> int { return text.len(); }
fun say(n: int) { println("${n}"); }
class Scale(let by: int) { fun times(n: int) -> int { return n * self.by; } }
fun scale(by: int) -> Scale { return Scale(by); }
"""
SAME = "".join(f"fun {kind}_(x: {kind}) -> {kind} {{ return x; }}\n" for kind in KINDS)


@pytest.fixture(name="m", scope="module")
def module() -> dora.Module:
    return dora.compile(SOURCE + SAME)


def test_elements_are_what_calls_give(m: dora.Module) -> None:
    xs, ks = numpy.linspace(-1.0, 1.0, 10_000), numpy.arange(10_000, dtype="i4") % 7
    expected = [m.grow(x, k) for x, k in zip(xs.tolist(), ks.tolist(), strict=True)]
    assert m.grow.map((xs, ks)).tolist() == expected
    assert m.grow.map({"k": ks, "x": xs}, threads=3).tolist() == expected
    assert m.grow.over({"k": ks, "x": xs, "z": None}).tolist() == expected
    out = numpy.zeros(10_000)
    assert m.grow.map((xs[::-1], ks[::-1]), out=out) is out
    assert out.tolist() == expected[::-1]
    assert m.grow.map((xs[:3, None], ks[:2])).shape == (3, 2)


def test_every_kind_goes_there_and_back(m: dora.Module) -> None:
    for kind, dtype in KINDS.items():
        xs = numpy.arange(5).astype(dtype)
        result = getattr(m, f"{kind}_").map([xs])
        assert (result.dtype, result.tolist()) == (xs.dtype, xs.tolist())


def test_numbers_give_a_number(m: dora.Module) -> None:
    assert m.grow.map((0.5, 3)) == m.grow.over({"x": 0.5, "k": 3}) == 1.5
    assert m.elements.map([array("i", [1, 2])]) == array("i", [-1, -2]), "a name that is used elsewhere"


def test_errors_say_where(m: dora.Module) -> None:
    with pytest.raises(dora.DivisionByZero) as caught:
        m.divide.map((7, numpy.array([1, 2, 0], "i4")))
    assert caught.value.__notes__ == ["in element 2"]
    assert [frame.function for frame in caught.value.trace] == ["divide(int, int) -> int"]
    with pytest.raises(dora.Thrown, match="3 is too large") as thrown:
        m.refuse.map([numpy.arange(5, dtype="i4")])
    assert thrown.value.__notes__ == ["in element 3"]
    with pytest.raises(OverflowError, match="`n`"):
        m.refuse.map([numpy.array([1 << 40])])


def test_what_has_no_elements_is_refused(m: dora.Module) -> None:
    xs = numpy.arange(3, dtype="i4")
    for call, told in (
        (lambda: m.length.map([xs]), "`text` is Str, of which there are no arrays"),
        (lambda: m.say.map([xs]), "the result is"),
        (lambda: m.scale(2).times.map([xs]), r"times\(\) is a method of an object"),
        (lambda: m.divide.map([xs]), "missing a required argument: 'b'"),
        (lambda: m.divide.map({"a": xs, "c": xs}), "missing a required argument|unexpected"),
        (lambda: m.divide.map((xs, xs * 0.5)), "takes arrays of int32"),
    ):
        with pytest.raises(TypeError, match=told):
            call()
    with pytest.raises(KeyError, match="no column 'b'"):
        m.divide.over({"a": xs})
    with pytest.raises(ValueError, match="threads"):
        m.divide.map((xs, 1), threads=0)
    with pytest.raises(dora.MissingValue, match="`a` has missing elements"):
        m.divide.map((numpy.ma.array(xs, mask=[0, 1, 0]), 1))
    assert m.divide.map((numpy.ma.array(xs), 1)).tolist() == [0, 1, 2]
    with pytest.raises(dora.MissingValue, match="`b`"):
        m.divide.map((xs, None))


def test_globals_are_those_of_the_instance() -> None:
    m = dora.compile("var n: int = 0; fun next(by: int) -> int { n += by; return n; }")
    steps = numpy.ones(100_000, "i4")
    assert m.next.map([steps], threads=4).tolist() == list(range(1, 100_001))
    other = m.new()
    assert other.next.map([steps[:3]]).tolist() == [1, 2, 3]
    assert m.next(1) == 100_002 - 1


def test_limits_hold_in_loops() -> None:
    m = dora.compile(
        "fun spin(n: int) -> int { var i = 0; while n > 0 { i += 1; } return i; }",
        limits=dora.Limits(time=0.05),
    )
    with pytest.raises(dora.TimeLimitExceeded):
        m.spin.map([numpy.array([0, 0, 1], "i4")])


def test_threads_share_one_loop() -> None:
    m = dora.compile("fun twice(n: int) -> int { return 2 * n; }")
    found: list[Any] = []

    def work() -> None:
        found.append(m.functions["twice"].map([numpy.arange(1000, dtype="i4")]).sum())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [999_000] * 4


def test_python_functions_are_called_from_long_stretches() -> None:
    def even(n: int) -> bool:
        if n == 70_001:
            raise KeyError(n)
        return n % 2 == 0

    m = dora.compile(
        "fun half(n: int) -> int { return if even(n) { n / 2 } else { -n }; }", functions={"even": even}
    )
    numbers = numpy.arange(70_000, dtype="i4")
    expected = numpy.where(numbers % 2 == 0, numbers // 2, -numbers)
    for threads in (1, 3):
        assert numpy.array_equal(m.half.map([numbers], threads=threads), expected)
        with pytest.raises(KeyError) as caught:
            m.half.map([numpy.arange(100_000, dtype="i4")], threads=threads)
        assert caught.value.args == (70_001,)
        assert caught.value.__notes__ == ["in element 70001"]


def test_long_stretches_collect_fail_and_end() -> None:
    source = """
    fun text(n: int) -> int { return "${n}".len() + Array::<Str>(3, "").len(); }
    fun divide(n: int) -> int { return 7 / (90000 - n); }
    fun spin(n: int) -> int { var i = 0; while n == 80000 { i += 1; } return i; }
    """
    m = dora.compile(source, limits=dora.Limits(memory="1MB", time=1))
    numbers = numpy.arange(100_000, dtype="i4")
    lengths = [len(str(n)) + 3 for n in range(100_000)]
    for threads in (1, 2):
        assert m.text.map([numbers], threads=threads).tolist() == lengths
        with pytest.raises(dora.DivisionByZero) as failed:
            m.divide.map([numbers], threads=threads)
        assert failed.value.__notes__ == ["in element 90000"]
        with pytest.raises(dora.TimeLimitExceeded) as spent:
            m.spin.map([numbers], threads=threads)
        assert spent.value.__notes__ == ["in element 80000"]


def test_fuel_is_that_of_4096_elements() -> None:
    m = dora.compile(
        "fun count(n: int) -> int { var i = 0; while i < n { i += 1; } return i; }",
        limits=dora.Limits(fuel=50_000),
    )
    assert m.count.map([numpy.ones(100_000, "i4")], threads=3).sum() == 100_000
    with pytest.raises(dora.FuelExhausted):
        m.count.map([numpy.full(100_000, 30, "i4")], threads=3)


needs_ufuncs = pytest.mark.skipif(numpy.__version__ < "2", reason="needs NumPy 2")


@needs_ufuncs
def test_a_ufunc_of_every_kind(m: dora.Module) -> None:
    for kind, dtype in KINDS.items():
        xs = numpy.arange(12).astype(dtype).reshape(3, 4)
        ufunc = getattr(m, f"{kind}_").ufunc
        assert isinstance(ufunc, numpy.ufunc) and ufunc.types == [f"{xs.dtype.char}->{xs.dtype.char}"]
        for part in (xs, xs.T, xs[::2, ::-1], xs[0, 0]):
            result = ufunc(part)
            assert result.dtype == xs.dtype and result.tolist() == part.tolist()


@needs_ufuncs
def test_a_ufunc_is_called_as_others_are(m: dora.Module) -> None:
    grow, divide = m.grow.ufunc, m.divide.ufunc
    assert grow is m.grow.ufunc and (grow.nin, grow.nout, grow.__name__) == (2, 1, "grow")
    xs, ks = numpy.linspace(0.0, 1.0, 50_000), numpy.arange(50_000, dtype="i4") % 5
    assert grow(xs, ks).tolist() == m.grow.map((xs, ks)).tolist()
    out = numpy.zeros(3)
    assert grow(xs[1:4], 2, out=out, where=[True, False, True]) is out
    assert out.tolist() == [2 * xs[1], 0.0, 2 * xs[3]]
    assert divide.outer(numpy.array([10, 20], "i4"), numpy.array([1, 2], "i4")).tolist() == [
        [10, 5],
        [20, 10],
    ]
    assert divide.reduce(numpy.array([100, 5, 2], "i4")) == 10
    assert divide.accumulate(numpy.array([100, 5, 2, 3], "i4")).tolist() == [100, 20, 10, 3]
    table = numpy.array([[100, 7], [5, 2]], "i4")
    assert divide.reduce(table, axis=0).tolist() == [20, 3] and divide.reduce(table, axis=1).tolist() == [
        14,
        2,
    ]
    last = numpy.array([9, 8, 7], "i4")
    divide.at(last, [0, 0, 1], numpy.int32(2))
    assert last.tolist() == [2, 4, 7]
    assert grow(numpy.arange(3, dtype="i4"), 2).tolist() == [0.0, 2.0, 4.0], "what can be cast is"
    with pytest.raises(TypeError):
        divide(xs, ks)


@needs_ufuncs
@pytest.mark.parametrize("name", ["add", "multiply", "subtract"])
def test_no_name_makes_numpy_widen_integers(name: str) -> None:
    ufunc = getattr(dora.compile(f"fun {name}(a: int, b: int) -> int {{ a + b }}"), name).ufunc
    assert ufunc.reduce(numpy.arange(5, dtype="i4")) == 10
    assert ufunc.accumulate(numpy.arange(5, dtype="i4")).tolist() == [0, 1, 3, 6, 10]


@needs_ufuncs
def test_errors_come_out_of_a_ufunc(m: dora.Module) -> None:
    xs = numpy.arange(5, dtype="i4")
    with pytest.raises(dora.DivisionByZero) as caught:
        m.divide.ufunc(7, xs[::-1])
    assert not getattr(caught.value, "__notes__", None), "NumPy cuts arrays as it likes"
    with pytest.raises(dora.Thrown, match="3 is too large"):
        m.refuse.ufunc(xs)
    assert m.refuse.ufunc(xs[:3]).tolist() == [False, True, False]
    for function in (m.length, m.say, m.scale(2).times):
        with pytest.raises(TypeError):
            function.ufunc  # noqa: B018


@needs_ufuncs
def test_arrays_of_others_get_the_ufunc(m: dora.Module) -> None:
    class Tagged(numpy.lib.mixins.NDArrayOperatorsMixin):  # type: ignore[misc, name-defined]
        def __init__(self, array: Any) -> None:
            self.array = array

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            plain = [one.array if isinstance(one, Tagged) else one for one in inputs]
            return Tagged(getattr(ufunc, method)(*plain, **kwargs))

    result = m.divide.map((Tagged(numpy.array([9, 8], "i4")), 2))
    assert isinstance(result, Tagged) and result.array.tolist() == [4, 4]


@needs_ufuncs
def test_a_ufunc_outlives_its_module_and_goes() -> None:
    gc.collect()
    before = dora.memory()
    ufunc = dora.compile("fun twice(n: long) -> long { return 2L * n; }").twice.ufunc
    gc.collect()
    assert ufunc(numpy.arange(3)).tolist() == [0, 2, 4]
    del ufunc
    gc.collect()
    assert dora.memory() == before


@needs_ufuncs
def test_who_got_an_error_of_a_ufunc_has_it_alone(m: dora.Module) -> None:
    divide, some = m.divide.ufunc, numpy.zeros(2, "i4")
    with pytest.raises(dora.DivisionByZero) as raised:
        divide(some, some)
    seen = weakref.ref(raised.value)
    del raised
    gc.collect()
    assert seen() is None
