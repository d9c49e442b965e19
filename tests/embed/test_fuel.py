"""Fuel: one unit for each call of a function and each look at the head of a loop, as exact as the code is."""

from __future__ import annotations

import pickle

import pytest

import doralang as dora

SOURCE = """
fun nothing() { }
fun rounds(n: int) -> int { var i = 0; while i < n { i = i + 1; } return i; }
fun endless() { loop { } }
fun fib(n: int) -> int { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
fun nested(n: int) -> int { var s = 0; for i in range(0, n) { for k in range(0, i) { s = s + 1; } } return s; }
fun caught() -> int { do { endless(); } catch e: Exception { return 1; } finally { return 2; } }
fun objects(n: int) -> int { let all = Vec::<Str>(); while all.len() < n { all.push("a" + n.toString()); } return all.len(); }
"""


def used(name: str, *arguments: int) -> int:
    """The units of one call."""
    instance = dora.compile(SOURCE, limits=dora.Limits(fuel=1_000_000)).new()
    getattr(instance, name)(*arguments)
    return instance.fuel_used


@pytest.mark.parametrize(
    ("name", "arguments", "units"),
    [
        ("nothing", (), 1),
        ("rounds", (0,), 2),
        ("rounds", (10,), 12),
        ("fib", (1,), 1),
        ("fib", (10,), 177),
    ],
)
def test_units(name: str, arguments: tuple[int, ...], units: int) -> None:
    assert used(name, *arguments) == units


def test_the_limit_is_exact_and_for_each_call() -> None:
    instance = dora.compile(SOURCE, limits=dora.Limits(fuel=12)).new()
    for _ in range(3):
        assert instance.rounds(10) == 10
    assert instance.fuel_used == 36
    with pytest.raises(dora.FuelExhausted, match="the limit `fuel`") as error:
        instance.rounds(11)
    assert error.value.limit == "fuel" and error.value.trace[-1].function == "rounds(int) -> int"
    assert instance.fuel_used == 48
    assert instance.rounds(10) == 10


@pytest.mark.parametrize("name", ["endless", "caught"])
@pytest.mark.parametrize("fuel", [0, 1, 2, 1000])
def test_what_never_ends_ends(name: str, fuel: int) -> None:
    module = dora.compile(SOURCE, limits=dora.Limits(fuel=fuel))
    for _ in range(3):
        with pytest.raises(dora.FuelExhausted):
            getattr(module, name)()


def test_any_amount_ends_a_call_at_the_same_place_each_time() -> None:
    whole = used("objects", 20)
    assert whole == used("objects", 20) > 40
    for fuel in range(whole):
        with pytest.raises(dora.FuelExhausted):
            dora.compile(SOURCE, limits=dora.Limits(fuel=fuel)).objects(20)
    assert dora.compile(SOURCE, limits=dora.Limits(fuel=whole)).objects(20) == 20


def test_without_the_limit_nothing_is_counted() -> None:
    instance = dora.compile(SOURCE).new()
    assert instance.rounds(10) == 10 and instance.fuel_used == 0
    with pytest.raises(ValueError, match="compiled without it"):
        dora.compile(SOURCE).new(dora.Limits(fuel=5))


def test_an_instance_may_have_more_or_no_limit() -> None:
    module = dora.compile(SOURCE, limits=dora.Limits(fuel=5))
    instance = module.new(dora.Limits())
    assert instance.rounds(1000) == 1000 and instance.fuel_used == 1002
    assert module.new(dora.Limits(fuel=50)).rounds(40) == 40


def test_initial_values_of_globals_belong_to_the_first_call() -> None:
    module = dora.compile(
        SOURCE + "var start: int = rounds(10); fun get() -> int { return start; }",
        limits=dora.Limits(fuel=10),
    )
    for _ in range(2):
        with pytest.raises(dora.FuelExhausted):
            module.get()


def test_formulas() -> None:
    nothing, one = (dora.expr("x + 1", {"x": float}, limits=dora.Limits(fuel=fuel)) for fuel in (0, 1))
    with pytest.raises(dora.FuelExhausted):
        nothing(1)
    assert one(1) == 2
    assert pickle.loads(pickle.dumps(one))(2) == 3


@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_wrong_amounts(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="fuel"):
        dora.Limits(fuel=value)  # type: ignore[arg-type]


def test_large_amounts() -> None:
    assert dora.compile(SOURCE, limits=dora.Limits(fuel=1 << 100)).rounds(3) == 3
